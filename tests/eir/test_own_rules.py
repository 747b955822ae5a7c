"""An operator's own rules: each speaks in its step, before the lists, and through every way of deciding."""

import gc
import pickle
import weakref

import pytest

from openceir.eir import Decider, DecisionPolicy, Overlay, PolicyRefused, Status, Step, read_policy
from openceir.eir.decision import DECISIONS, DEFAULT_ORDER

from .conftest import ALICE, ALICES_PHONE, BLOCKED, BOB, PERMITTED, TRACKED, pairs, ranges

TEXT = """
[[imsi_range]]
from = "001010000000001"
to = "001010000000001"
status = "permitted"

[[range]]
tac = "00100100"
status = "tracked"

[[range]]
from = "00100100000005"
to = "00100100000006"
status = "blocked"

[[software_version]]
tac = "00100100"
version = "05"
status = "blocked"

[[software_version]]
tac = "*"
version = "99"
status = "tracked"

[[identity]]
pei = "mac-00-11-22-33-44-5a"
status = "blocked"
"""


@pytest.fixture(params=["written out", "step by step"])
def policy(request) -> DecisionPolicy:
    """The default order as it is compiled, and the same but for a step that says nothing, as the loop walks it."""
    said = read_policy(TEXT, "eir.toml")
    if request.param == "written out":
        return said
    return DecisionPolicy(order=tuple(step for step in DEFAULT_ORDER if step is not Step.OVERRIDE), own=said.own)


def said(decider: Decider, device: int = ALICES_PHONE, imsi: int = 0, svn: int = -1) -> tuple[Step, Status]:
    return DECISIONS[decider.decide(device, imsi, svn)][:2]


def test_each_rule_speaks_in_its_step_with_lists_that_say_nothing(made, policy):
    decider = Decider(made(), Overlay(), policy)
    assert said(decider, imsi=ALICE) == (Step.IMSI_RANGE, Status.PERMITTED)
    assert said(decider, imsi=BOB) == (Step.RANGE, Status.TRACKED)
    assert said(decider, 100_100_000_005) == said(decider, 100_100_000_006) == (Step.RANGE, Status.BLOCKED)
    assert said(decider, 100_100_000_007) == (Step.RANGE, Status.TRACKED)
    assert said(decider, svn=5) == (Step.SOFTWARE_VERSION, Status.BLOCKED)
    assert said(decider, 350_000_000_000_00, svn=99) == (Step.SOFTWARE_VERSION, Status.TRACKED)
    assert said(decider, 350_000_000_000_00) == (Step.DEFAULT, Status.UNKNOWN)
    assert DECISIONS[decider.decide_other("mac-00-11-22-33-44-5A")].status is Status.BLOCKED
    assert DECISIONS[decider.decide_other("mac-00-11-22-33-44-5B")].status is Status.UNKNOWN


def test_they_speak_before_the_lists_and_where_they_are_silent_the_lists_do(made, policy):
    tac = ALICES_PHONE // 1_000_000
    index = made(
        devices={ALICES_PHONE: BLOCKED},
        ranges=ranges((tac * 1_000_000, tac * 1_000_000 + 999_999, PERMITTED), (35_000_000_000_000, 35_000_000_000_009, BLOCKED)),
        imsi_ranges=ranges((ALICE, BOB, TRACKED)),
        software_versions={(tac, 5): PERMITTED, (tac, 6): PERMITTED},
        others={"mac-00-11-22-33-44-5A": PERMITTED, "mac-00-11-22-33-44-5B": PERMITTED},
        pairs=pairs((ALICES_PHONE + 8, BOB + 1, PERMITTED)),
    )  # fmt: skip
    decider = Decider(index, Overlay(), policy)
    assert said(decider, imsi=ALICE) == (Step.IMSI_RANGE, Status.PERMITTED)
    assert said(decider, imsi=BOB) == (Step.IMSI_RANGE, Status.TRACKED)
    assert said(decider) == (Step.IMEI, Status.BLOCKED)  # a device that is listed goes before versions and ranges
    assert said(decider, ALICES_PHONE + 1) == (Step.RANGE, Status.TRACKED)
    assert said(decider, 35_000_000_000_003) == (Step.RANGE, Status.BLOCKED)
    assert said(decider, ALICES_PHONE + 1, svn=5) == (Step.SOFTWARE_VERSION, Status.BLOCKED)
    assert said(decider, ALICES_PHONE + 1, svn=6) == (Step.SOFTWARE_VERSION, Status.PERMITTED)
    assert DECISIONS[decider.decide_other("mac-00-11-22-33-44-5A")].status is Status.BLOCKED
    assert DECISIONS[decider.decide_other("mac-00-11-22-33-44-5B")].status is Status.PERMITTED
    steps = dict(decider.explain(ALICES_PHONE, ALICE, 5))
    assert {step: said.status for step, said in steps.items() if said} == {
        Step.IMSI_RANGE: Status.PERMITTED,
        Step.IMEI: Status.BLOCKED,
        Step.SOFTWARE_VERSION: Status.BLOCKED,
        Step.RANGE: Status.TRACKED,
    }


def test_they_travel_to_other_processes_and_let_a_retired_list_go(made, policy):
    assert pickle.loads(pickle.dumps(policy)) == policy
    index = made(devices={ALICES_PHONE: BLOCKED})
    decider, gone = Decider(index, Overlay(), policy), weakref.ref(index)
    del index
    gc.disable()
    try:
        decider.retire()
        decider.index = None
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[range]]\nfrom = "00100100000005"\nto = "00100100000004"\nstatus = "blocked"', "the lower first"),
        ('[[range]]\nfrom = "0010010000000"\nto = "0010010000000"\nstatus = "blocked"', "14 digits"),
        ('[[range]]\nfrom = "٠٠١٠٠١٠٠٠٠٠٠٠١"\nto = "00100100000004"\nstatus = "blocked"', "14 digits"),
        ('[[imsi_range]]\nfrom = "00101"\nto = "00102"\nstatus = "blocked"', "6 to 15 digits"),
        ('[[imsi_range]]\nfrom = "001010"\nto = "0010100"\nstatus = "blocked"', "the same 6 to 15 digits"),
        ('[[range]]\ntac = "0010010"\nstatus = "blocked"', "expected eight digits"),
        ('[[range]]\ntac = "00100100"\nfrom = "00100100000004"\nstatus = "blocked"', "it takes, as texts"),
        ('[[range]]\ntac = 100100\nstatus = "blocked"', "it takes, as texts"),
        ('[[range]]\ntac = "00100100"\nstatus = "unknown"', "expected one of blocked, permitted, tracked"),
        ('[[software_version]]\ntac = "*"\nversion = "5"\nstatus = "blocked"', "expected two digits"),
        ('[[identity]]\npei = "imei-001001000000010"\nstatus = "blocked"', "no IMEI"),
        ('[[identity]]\npei = ""\nstatus = "blocked"', "no IMEI"),
        (f'[[identity]]\npei = "{"x" * 5000}"\nstatus = "blocked"', "no IMEI"),
        ('[range]\ntac = "00100100"', r"each under \[\[range\]\]"),
        ("range = 3", "must be tables"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_in_words(text: str, says: str):
    with pytest.raises(PolicyRefused, match=says):
        read_policy(text, "eir.toml")
