"""What a run proposes against what stands: new, cleared, changed; amnesty; refusals; only touched devices."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.detection.small_world import (
    EPOCH,
    KEY,
    SMALL,
    Sighting,
    World,
    judge,
    key,
    new_home,
    rule,
    rules,
    standing_set,
    table_of,
    use,
    write_lake,
)  # fmt: skip
from tests.detection.strategies import DAYS, DEVICES, FIRST_DAY, LAST_DAY, lists, some_limits, worlds

from openceir.detection import STANDING, Earlier, Inputs, RuleRefused, evaluate, example_rules, explain
from openceir.storage.evidence import outcome_digest
from openceir.storage.measures import Measures

ALICE, MALLORY, BOB = 35_000_001_000_001, 35_000_002_000_002, 35_000_003_000_003
DAY = date(2026, 10, 5)
SEEN = tuple(Sighting(DAY, "northtel", device, imsi=key("001010000000001")) for device in (ALICE, MALLORY, BOB))
STOLEN = rule("stolen", use("stolen_list"), blocking=True, grace_days=10)


def standing(*rows):
    return table_of(STANDING, rows)


def day_number(day: date) -> int:
    return (day - EPOCH).days


def test_a_new_hit_is_blocked_after_its_grace_and_the_day_stays():
    world = World(SEEN, {"stolen": [(ALICE,)]})
    found = judge(world, rules(STOLEN), DAY)["stolen"]
    assert (found.matched.tolist(), found.block_on, found.cleared.tolist()) == ([ALICE], DAY + timedelta(days=10), [])
    stands = standing(("stolen", ALICE, day_number(DAY + timedelta(days=10)), False, True, False))
    again = judge(world, rules(STOLEN), DAY + timedelta(days=4), standing=stands)["stolen"]
    assert again.is_empty
    assert standing_set(again) == {ALICE}


def test_who_left_the_list_is_cleared_unless_the_rule_is_sticky():
    stands = standing(("stolen", ALICE, day_number(DAY), False, True, False))
    assert judge(World(SEEN), rules(STOLEN), DAY, standing=stands)["stolen"].cleared.tolist() == [ALICE]
    sticky = rule("stolen", use("stolen_list"), blocking=True, grace_days=10, sticky=True)
    kept = judge(World(SEEN), rules(sticky), DAY, standing=stands)["stolen"]
    assert (kept.is_empty, standing_set(kept)) == (True, {ALICE})


def test_a_rule_that_begins_to_block_restates_its_hits_with_notice():
    stands = standing(("stolen", ALICE, None, False, False, False))
    found = judge(World(SEEN, {"stolen": [(ALICE,)]}), rules(STOLEN), DAY, standing=stands)["stolen"]
    [change] = found.changed
    assert (change.devices.tolist(), change.block_on) == ([ALICE], DAY + timedelta(days=10))
    assert found.evidence.devices.tolist() == [ALICE]


def test_hits_of_a_rule_that_the_policy_lost_are_cleared():
    stands = standing(("old_rule", BOB, None, False, False, False))
    found = judge(World(SEEN), rules(STOLEN), DAY, standing=stands)["old_rule"]
    assert (found.retired, found.cleared.tolist()) == (True, [BOB])


AMNESTY = """
[detection.amnesty]
evaluation_from = "2026-10-01"
evaluation_until = "2026-10-31"
until = "2027-01-31"
"""


def test_amnesty_records_then_announces_then_leaves_the_day():
    """In the evaluation no day is set; in the amnesty its end is; who comes later has ordinary grace."""
    policy = rules(
        AMNESTY + rule("r", use("not_on_registration_list"), blocking=True, grace_days=10, amnesty_eligible=True)
    )
    world = World(SEEN[:1])
    first = judge(world, policy, DAY)["r"]
    assert (first.block_on, first.amnesty, first.matched.tolist()) == (None, True, [ALICE])
    granted = standing(("r", ALICE, None, True, True, False))
    assert judge(world, policy, date(2026, 10, 20), standing=granted)["r"].is_empty
    november = judge(World(SEEN[:2]), policy, date(2026, 11, 2), standing=granted)["r"]
    [change] = november.changed
    assert (change.devices.tolist(), change.block_on, change.amnesty) == ([ALICE], date(2027, 1, 31), True)
    assert (november.matched.tolist(), november.block_on, november.amnesty) == ([MALLORY], date(2026, 11, 12), False)
    announced = standing(("r", ALICE, day_number(date(2027, 1, 31)), True, True, False))
    assert judge(world, policy, date(2027, 2, 5), standing=announced)["r"].is_empty


def test_a_rule_beyond_its_safety_ratio_is_refused_with_figures():
    text = rule("r", use("not_on_registration_list"), max_matching_ratio=0.5)
    found = judge(World(SEEN, {"registered": [(BOB,)]}), rules(text), DAY)["r"]
    assert found.refusal is not None
    assert "matches 2 of 3 devices ever seen (66.7%)" in found.refusal
    enough = judge(World(SEEN, {"registered": [(BOB,), (ALICE,)]}), rules(text), DAY)["r"]
    assert enough.refusal is None


def test_a_stolen_list_longer_than_the_country_is_no_reason_to_refuse():
    """Stolen devices that were never seen do not count in the ratio."""
    text = rule("stolen", use("stolen_list"), max_matching_ratio=0.1)
    found = judge(World(SEEN, {"stolen": [(device,) for device in range(5)]}), rules(text), DAY)["stolen"]
    assert (len(found.matched), found.refusal) == (5, None)


def test_stolen_and_duplicated_marks_the_number_and_does_not_block_it():
    seen = (*SEEN, Sighting(DAY, "northtel", MALLORY, imsi=key("001010000000002")))
    found = judge(World(seen, {"stolen": [(ALICE,), (MALLORY,)]}), rules(example_rules()), DAY)
    assert standing_set(found["stolen"]) == {ALICE}
    both = found["stolen_and_duplicated"]
    assert (standing_set(both), both.rule.marks_duplicate, both.rule.blocking) == ({MALLORY}, True, False)


def test_evidence_tells_numbers_limits_and_their_source_and_no_subscriber():
    text = rule(
        "many",
        '{ name = "duplicate_threshold", params = { threshold = { from."2026-01-01" = 2, source = "Rule 14(2)" } } }',
    )
    imsis = ("001010000000001", "001010000000002", "001010000000003")
    world = World(tuple(Sighting(DAY, "northtel", MALLORY, imsi=key(imsi)) for imsi in imsis))
    found = judge(world, rules(text), DAY)["many"]
    row = found.evidence.of(MALLORY)
    assert row is not None
    assert row.row["facts"] == [{"days_seen": 1, "imsis": 3, "msisdns": None}]
    assert len(set(row.row["subscribers"])) == 3
    assert not any(imsi in text for imsi in imsis for text in found.evidence.rows)
    said = " ".join(explain(row))
    assert "used with 3 different SIM cards" in said
    assert "from 2 SIM cards on" in said
    assert "Rule 14(2), in force since 2026-01-01" in said
    unsaid = judge(world, rules(text.replace(', source = "Rule 14(2)"', "")), DAY)["many"].evidence.of(MALLORY)
    assert "The policy names no source for duplicate_threshold.threshold" in " ".join(explain(unsaid))


def test_a_sentence_counts_one_in_the_singular_and_speaks_of_no_fewer_than_one_day():
    """ "On fewer than 1 days" was true, and said "not at all" as nobody would."""
    often = use("duplicate_daily_avg", invert=True, threshold=1.5, period_days=30, min_seen_days=1)
    world = World(SEEN, {"stolen": [(ALICE,)]})
    found = judge(world, rules(rule("r", use("stolen_list"), often)), DAY)["r"].evidence.of(ALICE)
    assert "this IMEI was used with fewer than 1.5 SIM cards a day on average, or not at all." in explain(found)[1]
    twice = World((*SEEN, Sighting(DAY, "northtel", ALICE, imsi=key("001010000000002"))))
    often = use("duplicate_daily_avg", threshold=1.5, period_days=30, min_seen_days=1)
    said = explain(judge(twice, rules(rule("r", often)), DAY)["r"].evidence.of(ALICE))[0]
    assert "used on 1 day with 2 SIM cards" in said
    assert said.endswith("the limit is 1.5 a day, over at least 1 day.")


def test_an_evidence_digest_changes_with_any_row():
    found = judge(World(SEEN, {"stolen": [(ALICE,), (BOB,)]}), rules(STOLEN), DAY)["stolen"].evidence
    digest = found.digest
    rows = list(found.rows)
    rows[1] = rows[1].replace("true", "false")
    assert rows != list(found.rows)
    assert type(found)(header=found.header, salt=found.salt, devices=found.devices, rows=rows).digest != digest


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (rule("r", use("stolen_lits")), "did you mean stolen_list"),
        (rule("r", use("transient", period=3)), "has no limit period; did you mean period_days"),
        (rule("r", use("transient", period_days="3")), "must be int"),
        (rule("r", use("transient", period_days=0)), "at least one day"),
        (rule("r", use("time_distance", speed_kmh=100)), r"below detection\.sightings\.floor_kmh"),
        (rule("R 1", use("barred")), "label must be like"),
        (rule("r", use("barred"), blocks=True), "did you mean blocking"),
        (rule("r", use("barred"), max_matching_ratio=1.5), "between 0 and 1"),
        (rule("r"), "must hold at least one"),
        (rule("r", use("barred"), reason="a|b"), r"without the sign \|"),
        (rule("r", use("barred")) + rule("r", use("barred")), "two rules are labelled r"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_its_place(text, complaint):
    with pytest.raises(RuleRefused, match=complaint):
        judge(World(), rules(text), DAY)


ALL = example_rules().replace("max_matching_ratio = 0.3", "max_matching_ratio = 1.0")


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    world=worlds,
    later=lists,
    stood=st.lists(
        st.tuples(st.sampled_from(["stolen", "barred", "unregistered"]), st.sampled_from(DEVICES)),
        unique=True,
        max_size=6,
    ),
)
def test_judging_only_touched_devices_answers_as_judging_all(world, later, stood):
    policy = rules(ALL)
    named = ("stolen", "barred", "monitored", "registered", "associated")
    stands = standing(*((label, device, day_number(FIRST_DAY), False, True, False) for label, device in stood))
    after = world.but(lists={**world.lists, **{name: later[name] for name in named}})
    touched = {
        row[0] for name in named for row in set(map(tuple, world.lists[name])) ^ set(map(tuple, after.lists[name]))
    }
    with new_home() as home:
        measures = Measures(home, SMALL)
        measures.refresh(write_lake(home, world.sightings), world.cell_table(), policy)

        def asked(lists_of: World, **more):
            inputs = Inputs(measured=measures.measured(), lists=lists_of.tables(), standing=stands)
            return evaluate(policy, LAST_DAY, inputs, evidence_key=KEY, settings=SMALL, **more)

        before = asked(world)
        earlier = Earlier(
            as_of_on=LAST_DAY,
            standing={one.rule.label: (one.standing, one.standing_seen) for one in before},
            ever_seen=before[0].ever_seen,
            touched=np.array(sorted(touched), np.int64),
        )
        assert outcome_digest(asked(after, earlier=earlier)) == outcome_digest(asked(after))


BY_DEVICE = ("stolen", "barred", "monitored", "registered", "associated")


def rules_of(limits: dict, *, above_one: bool, more: str = ""):
    """A rule a condition and its inverse, and the example's; `above_one`: no limit that a lone device could reach."""
    texts = [more]
    for name, params in limits.items():
        if above_one and "threshold" in params:
            params = params | {"threshold": params["threshold"] + 1}
        texts += [rule(f"x-{name}{'-not' * invert}", use(name, invert=invert, **params)) for invert in (False, True)]
    return rules("".join(texts) + ALL)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    world=worlds, later=lists, limits=some_limits, above_one=st.sampled_from([True, True, True, False]),
    first=st.integers(0, DAYS - 1), step=st.integers(0, 3), shift_hours=st.sampled_from([0, 0, -6]),
    stood=st.lists(st.tuples(st.sampled_from(["stolen", "unregistered", "x-time_distance-not"]), st.sampled_from(DEVICES)),
                   unique=True, max_size=6),
    touches_lists=st.booleans(),
)  # fmt: skip
def test_a_run_that_begins_from_an_earlier_day_answers_as_a_full_one(
    world, later, limits, above_one, first, step, shift_hours, stood, touches_lists
):
    """Over any history: days pass, files come (also such as reach into the UTC day before), lists change."""
    policy = rules_of(limits, above_one=above_one)
    before_on = FIRST_DAY + timedelta(days=first)
    as_of_on = before_on + timedelta(days=step)
    shifted = [
        replace(row, ts=row.ts + shift_hours * 3600) if row.ts is not None and row.operator == "southtel" else row
        for row in world.sightings
    ]
    after = world.but(lists=world.lists | {name: later[name] for name in BY_DEVICE}) if touches_lists else world
    touched = {row[0] for name in BY_DEVICE for row in set(world.lists[name]) ^ set(after.lists[name])}
    stands = standing(*((label, device, day_number(FIRST_DAY), False, True, False) for label, device in stood))
    with new_home() as home:
        measures = Measures(home, SMALL)
        files = write_lake(home, shifted)

        def asked(lists_of: World, day: date, **more):
            measures.refresh([file for file in files if file.day <= day], world.cell_table(), policy)
            inputs = Inputs(measured=measures.measured(), lists=lists_of.tables(), standing=stands)
            return evaluate(policy, day, inputs, evidence_key=KEY, settings=SMALL, **more)

        before = asked(world, before_on)
        until = measures.until(before_on)
        measures.refresh([file for file in files if file.day <= as_of_on], world.cell_table(), policy)
        assert measures.until(before_on).sightings == until.sightings
        earlier = Earlier(
            as_of_on=before_on,
            standing={one.rule.label: (one.standing, one.standing_seen) for one in before},
            ever_seen=before[0].ever_seen,
            touched=np.array(sorted(touched), np.int64),
            has_same_conflicts=measures.until(before_on).conflicts == until.conflicts,
        )
        assert_same(asked(after, as_of_on, earlier=earlier), asked(after, as_of_on))


def assert_same(quick, full):
    for one, other in zip(quick, full, strict=True):
        assert one.evidence.rows == other.evidence.rows, one.rule.label
        assert (one.standing.tolist(), one.ever_seen) == (other.standing.tolist(), other.ever_seen), one.rule.label
    assert outcome_digest(quick) == outcome_digest(full)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    world=worlds, limits=some_limits, first=st.integers(0, DAYS - 1), step=st.integers(1, 4),
    erased_before=st.sampled_from([date(2026, 10, 1), date(2026, 11, 1)]), beside=st.integers(0, DAYS),
)  # fmt: skip
def test_a_run_begins_from_an_earlier_one_though_subscribers_of_its_days_were_erased(
    world, limits, first, step, erased_before, beside
):
    """Of such months only the devices are left; `beside` says after how many days the rest was measured beside them."""
    policy = rules_of(limits, above_one=True)
    before_on = FIRST_DAY + timedelta(days=first)
    with new_home() as home:
        measures = Measures(home, SMALL)
        files = write_lake(home, world.sightings)
        for last in (FIRST_DAY + timedelta(days=beside), LAST_DAY):
            measures.refresh([file for file in files if file.day <= last], world.cell_table(), policy)
        measures.forget_subscribers(erased_before)

        def asked(day: date, **more):
            inputs = Inputs(measured=measures.measured(), lists=world.tables())
            return evaluate(policy, day, inputs, evidence_key=KEY, settings=SMALL, **more)

        before = asked(before_on)
        earlier = Earlier(
            as_of_on=before_on,
            standing={one.rule.label: (one.standing, one.standing_seen) for one in before},
            ever_seen=before[0].ever_seen,
            touched=np.empty(0, np.int64),
        )
        as_of_on = before_on + timedelta(days=step)
        assert_same(asked(as_of_on, earlier=earlier), asked(as_of_on))


def test_a_limit_that_changes_between_two_runs_asks_everybody_again():
    dated = '{ from."2026-01-01" = 9, from."2026-10-06" = 2 }'
    policy = rules(rule("many", f'{{ name = "duplicate_threshold", params = {{ threshold = {dated} }} }}'))
    imsis = ("001010000000001", "001010000000002")
    world = World(tuple(Sighting(DAY, "northtel", MALLORY, imsi=key(imsi)) for imsi in imsis))
    assert standing_set(judge(world, policy, DAY)["many"]) == set()
    nobody = np.empty(0, np.int64)
    earlier = Earlier(as_of_on=DAY, standing={"many": (nobody, nobody.astype(bool))}, ever_seen=1, touched=nobody)
    assert standing_set(judge(world, policy, DAY + timedelta(days=1), earlier=earlier)["many"]) == {MALLORY}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds, limits=some_limits)
def test_evidence_is_the_same_whether_or_not_everybody_is_counted(world, limits):
    """A limit of 1 or less has everybody counted: then each rule's evidence comes from the verdict itself."""
    policy = rules_of(limits, above_one=True)
    everybody = rules_of(limits, above_one=True, more=rule("one", use("duplicate_threshold", threshold=1)))
    few, all_of_them = judge(world, policy, LAST_DAY), judge(world, everybody, LAST_DAY)
    assert {label: few[label].evidence.rows for label in few} == {
        label: all_of_them[label].evidence.rows for label in few
    }


def test_a_list_with_other_columns_is_refused_by_name():
    from openceir.detection import DetectionError

    with pytest.raises(DetectionError, match="the list stolen needs the columns device"):
        evaluate(
            rules(STOLEN), DAY, Inputs(lists={"stolen": pa.table({"imei": [1]})}), evidence_key=KEY, settings=SMALL
        )
