"""Decisions, held against a slow twin that reads as the table in decision.py does."""

import gc
import weakref
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openceir.eir import Decider, DecisionPolicy, Overlay, PolicyRefused, Status, Step, read_policy
from openceir.eir.decision import DECISIONS, DEFAULT_ORDER

from .conftest import ALICE, ALICES_PHONE, BLOCKED, BOB, MALLORY, PERMITTED, TRACKED, pairs, ranges

TAC = ALICES_PHONE // 1_000_000
WHOLE_TAC = (TAC * 1_000_000, TAC * 1_000_000 + 999_999)


def decided(index, device=ALICES_PHONE, imsi=0, svn=-1, *, policy=None, overlay=None):
    decider = Decider(index, overlay or Overlay(), policy or DecisionPolicy())
    return DECISIONS[decider.decide(device, imsi, svn)]


def test_a_device_nobody_lists_is_unknown(made):
    assert decided(made()).status is Status.UNKNOWN


def test_the_individual_device_goes_before_its_tac(made):
    index = made(devices={ALICES_PHONE: BLOCKED}, ranges=ranges((*WHOLE_TAC, PERMITTED)))
    assert decided(index)[:2] == (Step.IMEI, Status.BLOCKED)
    assert decided(index, ALICES_PHONE + 1)[:2] == (Step.RANGE, Status.PERMITTED)


def test_a_blocked_phone_is_allowed_with_its_pair_and_that_is_marked(made):
    index = made(devices={ALICES_PHONE: BLOCKED}, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    allowed, refused = decided(index, imsi=ALICE), decided(index, imsi=BOB)
    assert (allowed.status, allowed.step, allowed.black_but_allowed) == (Status.PERMITTED, Step.PAIR, True)
    assert (refused.status, refused.step, refused.black_despite_pairs) == (Status.BLOCKED, Step.IMEI, True)


def test_a_pair_that_permits_what_nothing_blocks_is_not_marked(made):
    index = made(pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    assert not decided(index, imsi=ALICE).black_but_allowed


def test_a_pair_also_opens_a_blocked_tac(made):
    index = made(ranges=ranges((*WHOLE_TAC, BLOCKED)), pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    assert decided(index, imsi=ALICE).black_but_allowed
    assert decided(index, imsi=BOB).status is Status.BLOCKED


def test_a_blocked_pair_leaves_the_device_to_others(made):
    """A stolen number that was cloned: only the pairs that appeared after the theft are blocked (architecture §6)."""
    index = made(pairs=pairs((ALICES_PHONE, MALLORY, BLOCKED)))
    assert decided(index, imsi=MALLORY).status is Status.BLOCKED
    assert decided(index, imsi=ALICE).status is Status.UNKNOWN


def test_a_software_version_decides_over_the_tac_but_not_over_the_device(made):
    index = made(
        devices={ALICES_PHONE: PERMITTED}, ranges=ranges((*WHOLE_TAC, PERMITTED)), software_versions={(TAC, 5): BLOCKED}
    )
    assert decided(index, ALICES_PHONE + 1, svn=5)[:2] == (Step.SOFTWARE_VERSION, Status.BLOCKED)
    assert decided(index, ALICES_PHONE + 1, svn=6)[:2] == (Step.RANGE, Status.PERMITTED)
    assert decided(index, ALICES_PHONE, svn=5)[:2] == (Step.IMEI, Status.PERMITTED)


def test_an_override_speaks_for_everybody_and_an_imsi_range_for_its_subscribers(made):
    index = made(devices={ALICES_PHONE: BLOCKED}, imsi_ranges=ranges((ALICE, ALICE, PERMITTED)))
    assert decided(index, imsi=ALICE)[:2] == (Step.IMSI_RANGE, Status.PERMITTED)
    emergency = DecisionPolicy(override=Status.PERMITTED)
    assert decided(index, imsi=BOB, policy=emergency)[:2] == (Step.OVERRIDE, Status.PERMITTED)


def test_the_overlay_speaks_before_the_file(made):
    index = made(devices={ALICES_PHONE: BLOCKED}, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    overlay = Overlay()
    overlay.devices = {ALICES_PHONE: 0, ALICES_PHONE + 1: BLOCKED}
    overlay.pairs = {(ALICES_PHONE, ALICE): 0, (ALICES_PHONE + 2, BOB): BLOCKED}
    assert decided(index, overlay=overlay).status is Status.UNKNOWN
    assert decided(index, ALICES_PHONE + 1, overlay=overlay).status is Status.BLOCKED
    assert decided(index, imsi=ALICE, overlay=overlay).status is Status.UNKNOWN
    assert decided(index, ALICES_PHONE + 2, BOB, overlay=overlay)[:2] == (Step.PAIR, Status.BLOCKED)


def test_an_identity_that_is_no_imei_is_looked_up_as_it_is(made):
    decider = Decider(made(others={"mac-00-00-5E-00-53-01": BLOCKED}), Overlay(), DecisionPolicy())
    assert DECISIONS[decider.decide_other("mac-00-00-5E-00-53-01")].status is Status.BLOCKED
    assert DECISIONS[decider.decide_other("mac-00-00-5E-00-53-02")].status is Status.UNKNOWN


def test_explain_says_what_each_step_would_say(made):
    index = made(devices={ALICES_PHONE: BLOCKED}, ranges=ranges((*WHOLE_TAC, PERMITTED)))
    said = {
        step: decision and decision.status
        for step, decision in Decider(index, Overlay(), DecisionPolicy()).explain(ALICES_PHONE)
    }
    assert said[Step.IMEI] is Status.BLOCKED
    assert said[Step.RANGE] is Status.PERMITTED
    assert said[Step.OVERRIDE] is None


def test_a_retired_decider_lets_its_list_go_at_once(made):
    """Without a collector: a list that was swapped out must not keep a third of a gigabyte mapped."""
    index = made(devices={ALICES_PHONE: BLOCKED}, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    decider, alive = Decider(index, Overlay(), DecisionPolicy()), weakref.ref(index)
    gc.collect()
    gc.disable()
    try:
        decider.retire()
        del decider, index
        assert alive() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------------ the slow twin

near = st.sampled_from([ALICES_PHONE + n for n in range(4)] + [(TAC + 1) * 1_000_000])
subscribers = st.sampled_from([0, ALICE, BOB, MALLORY])
statuses = st.sampled_from([PERMITTED, TRACKED, BLOCKED])
span = st.tuples(near, near, statuses).map(lambda row: (min(row[:2]), max(row[:2]), row[2]))
people = st.tuples(st.sampled_from([ALICE, BOB, MALLORY]), st.sampled_from([ALICE, BOB, MALLORY]), statuses).map(
    lambda row: (min(row[:2]), max(row[:2]), row[2])
)


def narrowest(rows, key):
    over = [(high - low, -octet) for low, high, octet in rows if low <= key <= high]
    return -min(over)[1] if over else 0


def slowly(facts, order, override, device, imsi, svn):
    for step in order:
        octet = {
            Step.OVERRIDE: override << 6,
            Step.IMSI_RANGE: narrowest(facts["imsi_ranges"], imsi),
            Step.PAIR: facts["pairs"].get((device, imsi), 0),
            Step.IMEI: facts["devices"].get(device, 0),
            Step.SOFTWARE_VERSION: facts["software_versions"].get((device // 1_000_000, svn), 0),
            Step.RANGE: narrowest(facts["ranges"], device),
        }[step]
        if octet:
            return step, Status(octet >> 6)
    return Step.DEFAULT, Status.UNKNOWN


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.fixed_dictionaries(
        {
            "devices": st.dictionaries(near, statuses, max_size=3),
            "ranges": st.lists(span, max_size=3),
            "imsi_ranges": st.lists(people, max_size=2),
            "software_versions": st.dictionaries(
                st.tuples(st.just(TAC), st.sampled_from([4, 5])), statuses, max_size=2
            ),
            "pairs": st.dictionaries(st.tuples(near, st.sampled_from([ALICE, BOB])), statuses, max_size=3),
        }
    ),
    order=st.sampled_from([DEFAULT_ORDER, *list(permutations(DEFAULT_ORDER))[::37], DEFAULT_ORDER[2:], ()]),
    override=st.sampled_from([Status.UNKNOWN, Status.UNKNOWN, Status.TRACKED]),
    asked=st.lists(st.tuples(near, subscribers, st.sampled_from([-1, 4, 5])), min_size=1, max_size=10),
)
def test_decisions_agree_with_the_slow_twin_in_every_order(made, facts, order, override, asked):
    index = made(
        devices=facts["devices"],
        ranges=ranges(*facts["ranges"]),
        imsi_ranges=ranges(*facts["imsi_ranges"]),
        software_versions=facts["software_versions"],
        pairs=pairs(*((*pair, octet) for pair, octet in facts["pairs"].items())),
    )
    decider = Decider(index, Overlay(), DecisionPolicy(order=order, override=override))
    for question in asked:
        decision = DECISIONS[decider.decide(*question)]
        assert (decision.step, decision.status) == slowly(facts, order, override, *question)


# ----------------------------------------------------------------------------------------------------------- policies


def test_a_policy_is_read_from_its_text():
    policy = read_policy(
        'order = ["imei", "range"]\noverride = "tracked"\n[interface.s13]\nunknown = "permitted"\n', "eir.toml"
    )
    assert policy.order == (Step.IMEI, Step.RANGE)
    assert policy.override is Status.TRACKED
    assert (policy.of("s13").unknown, policy.of("s13").failure) == ("permitted", "permitted")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ordre = []", "`ordre` is not known"),
        ('order = ["imei", "imei"]', "different steps"),
        ('order = ["colour"]', "`colour` is no step"),
        ('override = "maybe"', "expected one of none, permitted"),
        ('[interface.s6a]\nunknown = "permitted"', "not served"),
        ('[interface.s13]\nunknown = "error"', "expected one of blocked, permitted, tracked, unknown"),
        ('[interface.s13]\ncolour = "red"', "not known"),
        ("interface = 3", "not known"),
        ("order = ", "not TOML"),
    ],
)
def test_a_misspelt_policy_is_refused_with_what_would_do(text: str, says: str):
    with pytest.raises(PolicyRefused, match=says):
        read_policy(text, "eir.toml")
