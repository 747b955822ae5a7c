"""Each condition, as SQL over measures, against the slow twin; and what no random world shows by itself."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.detection.small_world import Sighting, World, instant, judge, key, rule, rules, standing_set, use
from tests.detection.strategies import (
    CELLS,
    DAYS,
    FIRST_DAY,
    IMSIS,
    LAST_DAY,
    LIMITS,
    sightings_of,
    some_limits,
    worlds,
)  # fmt: skip
from tests.detection.twin import Twin

from openceir.detection import conditions
from openceir.detection.page import format_page


def test_every_condition_has_a_twin():
    assert conditions().keys() == LIMITS.keys()
    assert all(hasattr(Twin, name) for name in LIMITS)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(world=worlds, some=st.lists(some_limits, min_size=3, max_size=3), back=st.sampled_from([0, 0, 3, DAYS - 1]))
def test_sql_and_the_slow_twin_agree(world, some, back):
    """As of any day, later sightings being there; the inverse of a condition is every other device that was seen."""
    as_of_on = LAST_DAY - timedelta(days=back)
    twin = Twin(world, as_of_on)
    uses = {(name, repr(params)): (name, params) for limits in some for name, params in limits.items()}
    texts = [
        rule(f"{name}-{number}{'-not' * invert}", use(name, invert=invert, **params))
        for number, (name, params) in enumerate(uses.values())
        for invert in (False, True)
    ]
    found = judge(world, rules("".join(texts)), as_of_on)
    for number, (name, params) in enumerate(uses.values()):
        expected = twin.matching(name, **params)
        assert standing_set(found[f"{name}-{number}"]) == expected, (name, params)
        assert standing_set(found[f"{name}-{number}-not"]) == twin.seen - expected, (name, params)
    assert {proposal.ever_seen for proposal in found.values()} == {len(twin.seen)}


COUNTING = [
    ("duplicate_threshold", {"threshold": 1, "period_days": 9}, ("imsis", "days_seen")),
    (
        "duplicate_daily_avg",
        {"threshold": 0.0, "period_days": 9, "min_seen_days": 0},
        ("imsis", "imsi_days", "days_seen"),
    ),
    ("daily_avg_uid", {"threshold": 0.0, "period_days": 9, "min_seen_days": 0}, ("uids", "uid_days", "days_used")),
    ("time_distance", {"period_days": 9, "conflicts": 1, "days": 1}, ("independent_conflicts", "conflict_days")),
    ("simultaneous_use", {"period_days": 9, "conflicts": 1, "days": 1}, ("independent_meetings", "meeting_days")),
]


@pytest.mark.parametrize("seed", range(16))
def test_the_numbers_kept_as_evidence_are_those_that_the_twin_counts(seed):
    """Stricter than yes or no: limits so low that everybody with any number is hit, then every number compared."""
    world = World(sightings_of(seed), {"subscriber": [(i, f"U{n % 3}") for n, i in enumerate(IMSIS[:5])]}, CELLS)
    twin = Twin(world, LAST_DAY)
    found = judge(world, rules("".join(rule(name, use(name, **limits)) for name, limits, _ in COUNTING)), LAST_DAY)
    for name, _, kept in COUNTING:
        counted = {device: numbers for device in twin.seen if (numbers := twin.numbers(name, device, 9))}
        evidence = {
            device: tuple(json.loads(row)["facts"][0][column] for column in kept)
            for device, row in zip(found[name].evidence.devices.tolist(), found[name].evidence.rows, strict=True)
        }
        assert evidence == counted, name


def test_a_range_is_registered_up_to_its_ends_and_not_beyond():
    """Within one model, over the edge of two, and over whole models between."""
    last, inner = 35_000_003_000_005, 35_000_002_999_999
    at = [
        35_000_001_000_004,
        35_000_001_000_005,
        inner,
        last,
        last + 1,
        36_000_000_000_000,
        36_000_000_000_010,
        36_000_000_000_011,
    ]
    world = World(
        tuple(Sighting(DAY, "northtel", device, imsi=ONE) for device in at),
        {"registered_range": [(at[1], last), (at[5], at[6])]},
    )
    found = judge(world, rules(rule("r", use("not_on_registration_list"))), DAY)
    assert standing_set(found["r"]) == {at[0], last + 1, at[7]}


ALICE, MALLORY = 35_000_001_000_001, 35_000_002_000_002
DAY = date(2026, 10, 5)
ONE, TWO = key("001010000000001"), key("001010000000002")


def seen_at(device: int, imsi: int, cell: int, day: date, hours: float, operator: str = "northtel") -> Sighting:
    return Sighting(day, operator, device, imsi=imsi, rat=64, ts=instant(day, hours), cell=cell)


def test_a_two_sim_phone_at_one_place_never_conflicts():
    """Both SIM cards of Alice's phone, every half hour for ten days, at the two operators' masts of one town."""
    seen = [
        seen_at(ALICE, imsi, cell, FIRST_DAY + timedelta(days=day), hour / 2, operator)
        for day in range(DAYS)
        for hour in range(48)
        for imsi, cell, operator in ((ONE, 1, "northtel"), (TWO, 2, "southtel"))
    ]
    policy = rules(
        rule("td", use("time_distance", conflicts=1, days=1)) + rule("su", use("simultaneous_use", conflicts=1, days=1))
    )
    found = judge(World(tuple(seen), cells=CELLS), policy, FIRST_DAY + timedelta(days=DAYS - 1))
    assert standing_set(found["td"]) == standing_set(found["su"]) == set()


def test_mallorys_clone_in_another_town_is_found_and_alices_journey_is_not():
    """Alice drives the 160 km between two towns in two hours; Mallory's copy is used in both within minutes."""
    seen = []
    for day in (DAY, DAY + timedelta(days=1)):
        seen += [seen_at(ALICE, ONE, 1, day, 8), seen_at(ALICE, ONE, 3, day, 10), seen_at(ALICE, ONE, 1, day, 18)]
        for hour in (8, 12, 16):
            seen += [seen_at(MALLORY, ONE, 1, day, hour), seen_at(MALLORY, TWO, 3, day, hour + 0.01)]
    policy = rules(rule("td", use("time_distance")) + rule("su", use("simultaneous_use")))
    found = judge(World(tuple(seen), cells=CELLS), policy, DAY + timedelta(days=1))
    assert standing_set(found["td"]) == standing_set(found["su"]) == {MALLORY}


def test_a_conflict_across_midnight_counts_on_the_later_day():
    seen = (seen_at(MALLORY, ONE, 1, DAY, 23.99), seen_at(MALLORY, TWO, 3, DAY + timedelta(days=1), 0.01))
    policy = rules(rule("td", use("time_distance", conflicts=1, days=1, period_days=1)))
    world = World(seen, cells=CELLS)
    assert standing_set(judge(world, policy, DAY)["td"]) == set()
    assert standing_set(judge(world, policy, DAY + timedelta(days=1))["td"]) == {MALLORY}


def test_an_unknown_model_is_never_exempt():
    """Fault 6 of the peer: exempting modules also let every unregistered device of an unknown model go."""
    module, phone = 35_000_001_000_001, 86_000_001_000_001
    seen = tuple(Sighting(DAY, "northtel", device, imsi=ONE) for device in (module, phone))
    world = World(seen, {"tac": [(35_000_001, "Maker", "One", "Module", 15)]})
    policy = rules(rule("r", use("not_on_registration_list")) + rule("a", use("not_on_association_list")))
    found = judge(world, policy, DAY)
    assert standing_set(found["r"]) == standing_set(found["a"]) == {phone}


def test_letters_in_an_imei_stop_nobody():
    """Fault 1 of the peer: one IMEI with letters ended the whole run of its series condition."""
    odd = 10**14 + 1
    seen = [
        Sighting(DAY, "northtel", device, imsi=ONE, msisdn=key(f"99910000000{n}"))
        for device in (odd, ALICE)
        for n in range(3)
    ]
    policy = rules(rule("t", use("transient", period_days=1)) + rule("m", use("malformed")))
    found = judge(World(tuple(seen)), policy, DAY)
    assert standing_set(found["t"]) == {odd, ALICE}
    assert standing_set(found["m"]) == {odd}


def test_persons_are_averaged_over_days_as_documented():
    """Fault 5 of the peer: two persons every day for ten days are 2.0 a day, not 2 / 10."""
    seen = tuple(
        Sighting(FIRST_DAY + timedelta(days=day), "northtel", MALLORY, imsi=imsi)
        for day in range(10)
        for imsi in (ONE, TWO)
    )
    world = World(seen, {"subscriber": [(ONE, "U1"), (TWO, "U2")]})
    policy = rules(rule("u", use("daily_avg_uid", threshold=2.0, period_days=30, min_seen_days=5)))
    assert standing_set(judge(world, policy, FIRST_DAY + timedelta(days=9))["u"]) == {MALLORY}


def test_nine_digit_telephone_numbers_count():
    """Fault 8 of the peer: numbers of fewer than 12 digits were invisible to it."""
    seen = tuple(Sighting(DAY, "northtel", MALLORY, msisdn=key(number)) for number in ("612345671", "612345672"))
    policy = rules(rule("d", use("duplicate_threshold", threshold=2, use_msisdn=True)))
    assert standing_set(judge(World(seen), policy, DAY)["d"]) == {MALLORY}


@pytest.mark.parametrize(
    ("as_of_on", "hit"),
    [(DAY - timedelta(days=1), False), (DAY, True), (DAY + timedelta(days=1), True), (DAY + timedelta(days=2), False)],
)
def test_both_ends_of_the_window_belong_to_it_and_later_data_do_not_reach_back(as_of_on, hit):
    """Fault 9 of the peer: the last day counted or not depending on when the run was made."""
    later = Sighting(DAY + timedelta(days=40), "northtel", MALLORY, imsi=ONE)
    world = World((Sighting(DAY, "northtel", MALLORY, imsi=ONE), later))
    policy = rules(rule("d", use("duplicate_threshold", threshold=1, period_days=2)))
    assert standing_set(judge(world, policy, as_of_on)["d"]) == ({MALLORY} if hit else set())


def test_the_page_prints_every_condition_as_it_stands():
    page = Path(__file__).parents[2] / "docs" / "reference" / "conditions.md"
    assert page.read_text(encoding="utf-8") == format_page() + "\n", (
        "openceir detection conditions --markdown renews it"
    )
