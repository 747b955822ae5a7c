"""The peer's own files give the outcome that its tests assert, wherever its documented rule is right.

Files: `../shared/data/dirbs`, by others, never part of this repository. Each difference on purpose has its reason.
"""

import csv
from datetime import date
from pathlib import Path

import pytest
from tests.detection.small_world import Sighting, World, judge, key, rule, standing_set, use

from openceir.identity import generations_of_bands, generations_of_mask, imei_digits, malformed_text, rat_mask
from openceir.policy import policy_from_text

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "dirbs"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"the peer's files are not here: {FOLDER} is absent")
LAST = date(2016, 11, 30)
DUMP4 = "testData1-operator-operator4-anonymized_20161101_20161130.csv"
TACS = "testData1-gsmatac_operator1_operator4_anonymized.txt"
STOLEN = "testData1-sample_stolen_list-anonymized.csv"
REGION = '[country]\nmcc = ["111"]\n[operators.operator1]\nmcc_mnc = ["11101", "11104"]\n'


class Numbers:
    """Device keys as docs/architecture.md §2 gives them."""

    def __init__(self) -> None:
        self.odd: dict[str, int] = {}

    def key(self, field: str) -> int | None:
        if not field.strip():
            return None
        digits = imei_digits(field) if len(field.strip()) <= 16 else None
        if digits:
            return int(digits)
        # the peer keeps the first 14 of any longer run of digits; to us 17 digits are malformed, see the test below
        return self.odd.setdefault(malformed_text(field), 10**14 + 1 + len(self.odd))

    def text(self, device: int) -> str:
        return {key: text for text, key in self.odd.items()}.get(device, f"{device:014d}")


def sightings(name: str, numbers: Numbers, operator: str = "operator1") -> tuple[Sighting, ...]:
    rows = csv.DictReader((FOLDER / "operator" / name).read_text(encoding="utf-8-sig").splitlines())
    return tuple(
        Sighting(
            day=date.fromisoformat(row["date"]),
            operator=operator,
            device=numbers.key(row["imei"]),
            imsi=key(row["imsi"]) if row["imsi"] else None,
            msisdn=key(row["msisdn"]) if row["msisdn"] else None,
            rat=rat_mask(row["rat"]) if row.get("rat") else None,
        )
        for row in rows
    )


def tacs(name: str) -> list[tuple]:
    rows = csv.DictReader((FOLDER / "gsma" / name).read_text(encoding="utf-8-sig").splitlines(), delimiter="|")
    found = []
    for row in rows:
        bits = sum(1 << (number - 2) for number in generations_of_mask(generations_of_bands(row["Bands"])))
        found.append((int(row["TAC"]), row["Manufacturer"], row["Model Name"], row["Device Type"], bits or None))
    return found


def stolen(numbers: Numbers) -> list[tuple[int]]:
    rows = csv.DictReader((FOLDER / "stolen_list" / STOLEN).read_text(encoding="utf-8-sig").splitlines())
    return [(numbers.key(row["IMEI"]),) for row in rows if row["IMEI"] and row["status"] in {"", "blacklist"}]


def hits(world: World, as_of_on: date, *conditions: str) -> set[int]:
    policy = policy_from_text(("country", REGION), ("rules", rule("r", *conditions)))
    return standing_set(judge(world, policy, as_of_on)["r"])


@pytest.mark.parametrize(
    ("threshold", "days", "msisdn", "count"),
    [(12, 120, False, 0), (2, 60, False, 1), (12, 120, True, 0), (2, 60, True, 2)],
)
def test_duplicate_threshold(threshold, days, msisdn, count):
    world = World(sightings(DUMP4, Numbers()))
    found = hits(world, LAST, use("duplicate_threshold", threshold=threshold, period_days=days, use_msisdn=msisdn))
    assert len(found) == count


def test_malformed():
    numbers = Numbers()
    found = hits(World(sightings(DUMP4, numbers)), LAST, use("malformed"))
    assert "38245933AF987001" in {numbers.text(device) for device in found}


@pytest.mark.parametrize(
    ("as_of_on", "delays", "expected"),
    [
        (LAST, {}, {64220297727231, 64220299727231, 1376803870943}),
        (LAST, None, 2),
        (date(2016, 11, 13), {"01": 5}, 3),
        (LAST, {"01": 40, "64": 30}, 0),
    ],
)
def test_gsma_not_found(as_of_on, delays, expected):
    world = World(sightings(DUMP4, Numbers()), {"tac": tacs(TACS)})
    found = hits(world, as_of_on, use("gsma_not_found", **({} if delays is None else {"delay_days": delays})))
    if isinstance(expected, set):
        assert found == expected
    else:
        assert len(found) == expected


def test_stolen_and_the_compound_of_two_conditions():
    numbers = Numbers()
    dump = "testData1-operator-operator4_v1-anonymized_20161101_20161130.csv"
    world = World(sightings(dump, numbers), {"tac": tacs(TACS), "stolen": stolen(numbers)})
    unknown = use("gsma_not_found", delay_days={})
    assert len(hits(world, LAST, use("stolen_list"))) == 21
    assert len(hits(world, LAST, unknown)) == 6
    assert len(hits(world, LAST, use("stolen_list"), unknown)) == 4


AVERAGES = "test_operator1_average_duplicate_threshold_20161101_20161130.csv"
SECOND = "test_operator2_average_duplicate_threshold_20161101_20161130.csv"


@pytest.mark.parametrize(
    ("threshold", "days", "least", "on", "expected"),
    [
        (2.0, 5, 5, date(2016, 11, 21), {21123131308879}),
        (2.1, 5, 5, date(2016, 11, 21), set()),
        (1.9, 5, 5, date(2016, 11, 21), {21123131308879}),
        (1.1, 19, 5, date(2016, 11, 24), {21123131308879}),
        (1.1, 19, 5, date(2016, 11, 19), set()),
        (1.83, 30, 5, date(2016, 11, 30), {21123131308879}),
    ],
)
def test_duplicate_daily_average(threshold, days, least, on, expected):
    world = World(sightings(AVERAGES, Numbers()))
    limits = {"threshold": threshold, "period_days": days, "min_seen_days": least}
    assert hits(world, on, use("duplicate_daily_avg", **limits)) == expected


def test_inconsistent_rat():
    world = World(
        sightings("operator1_with_rat_info_20160701_20160731.csv", Numbers()),
        {"tac": tacs("gsma_dump_rat_computation_check.txt")},
    )
    found = hits(world, date(2016, 7, 31), use("inconsistent_rat"))
    assert {41266666370026, 41288888370026, 41299999370026} <= found
    assert not found & {41233333638746, 11111111638746, 22222222638746}


@pytest.mark.parametrize(
    ("name", "condition", "days", "home", "count"),
    [
        ("international_roamer", "international_roamer", 2, ("01", "02", "03", "04"), 9),
        ("used_by_dirbs_subscribers", "used_by_subscriber", 2, ("01", "02", "03", "04"), 10),
        ("local_non_dirbs_roamer", "local_other_roamer", 2, ("01", "02", "04"), 11),
    ],
)
def test_roamers(name, condition, days, home, count):
    """Which networks belong to the register stands in the peer's test code, not in its files: 11 fits 03 left out."""
    world = World(sightings(f"operator1_{name}_anonymized_20161101_20161201.csv", Numbers()))
    prefixes = ", ".join(f'"111{mnc}"' for mnc in home)
    country = f'[country]\nmcc = ["111"]\n[operators.operator1]\nmcc_mnc = [{prefixes}]\n'
    policy = policy_from_text(("country", country), ("rules", rule("r", use(condition, period_days=days))))
    assert len(judge(world, policy, date(2016, 11, 30))["r"].standing) == count


def test_test_tacs_at_the_edges_of_their_ranges():
    numbers = Numbers()
    world = World(sightings("operator1_is_test_tac_anonymized_20161101_20161130.csv", numbers))
    found = {numbers.text(device) for device in hits(world, LAST, use("test_tac"))}
    assert found == {
        "00100131308879", "00100513130879", "00101331308879", "00443131308879", "00863131308879", "00913131308879",
    }  # fmt: skip


def test_a_series_of_numbers():
    world = World(sightings("transient_imei_operator1_20201201_20201231.csv", Numbers()))
    assert len(hits(world, date(2020, 12, 31), use("transient", period_days=30, num_msisdns=3))) == 1
