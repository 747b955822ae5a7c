"""Exampleland is the same each time, holds nobody real, and its files say what its truth says."""

import csv
import gzip
import hashlib
import io
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from stdnum import imei as stdnum_imei

from openceir.demo import FIRST_DAY, LAST_DAY, Country, write_country
from openceir.demo.cast import Fact
from openceir.demo.models import BANDS, MODELS, TEST_TAC, UNALLOCATED_TACS
from openceir.demo.places import OPERATORS, TOWNS, distance_km
from openceir.identity import generations_of_bands, generations_of_mask, is_known_non_unique, is_test_tac, rbi_of


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Country:
    return write_country(tmp_path_factory.mktemp("country"))


def rows_of(path: Path) -> list[dict[str, str]]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


@pytest.fixture(scope="session")
def month(country: Country) -> dict[str, list[dict[str, str]]]:
    return {operator.id: rows_of(country.dump(operator.id)) for operator in OPERATORS}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_one_seed_gives_one_country_octet_for_octet(country, tmp_path):
    write_country(tmp_path)
    assert digests(tmp_path) == digests(country.folder)


def test_no_model_can_be_a_real_one():
    """Either no reporting body has the prefix, or the range is kept for tests."""
    for tac in [model.tac for model in MODELS] + [TEST_TAC, *UNALLOCATED_TACS]:
        body = rbi_of(tac)
        assert body is None or body.name.startswith("Test TACs"), tac
    assert is_test_tac(TEST_TAC)
    assert not any(is_test_tac(model.tac) for model in MODELS)


def test_no_subscriber_can_be_a_real_one(country):
    """MCC 001 is for tests, 099 is no country's; country codes 999 and 210 are not assigned."""
    assert {line.imsi[:3] for line in country.lines} == {"001", "099"}
    assert {line.msisdn[:3] for line in country.lines} == {"999", "210"}
    assert len({line.imsi for line in country.lines}) == len(country.lines)


def test_bands_of_a_model_say_the_generations_it_speaks():
    for generation, bands in BANDS.items():
        expected = {2: (2,), 3: (2, 3), 4: (2, 3, 4), 5: (2, 3, 4, 5)}[generation]
        assert generations_of_mask(generations_of_bands(bands)) == expected


def test_every_sighting_falls_into_the_file_that_its_name_says(country, month):
    for operator in OPERATORS:
        days = {row["Date"] for row in month[operator.id]}
        assert {f"{FIRST_DAY:%Y%m%d}", f"{LAST_DAY:%Y%m%d}"} <= days
        assert days - {f"202610{day:02d}" for day in range(1, 31)} == {"20261399", "20271001"}  # wrong on purpose
        assert {row["Date"] for row in rows_of(country.dump(operator.id, further_day=True))} == {"20261031"}


def test_every_sighting_is_counted_once(country, month):
    rows = sum(
        len(month[operator.id]) + len(rows_of(country.dump(operator.id, further_day=True))) for operator in OPERATORS
    )
    wrong_rows = 6 * len(OPERATORS)
    assert rows == country.sightings + wrong_rows


def test_a_printed_imei_has_its_check_digit(month):
    """python-stdnum's Luhn is not ours."""
    printed = [row["IMEI"] for row in month["northtel"] if len(row["IMEI"]) == 15]
    assert len(printed) > 50_000
    assert all(stdnum_imei.is_valid(text) for text in set(printed))


def test_the_truth_names_every_handset_once(country):
    truth = rows_of(country.truth)
    assert [int(row["handset"]) for row in truth] == [handset.number for handset in country.handsets]
    assert Counter(row["seen_as"] for row in truth) == Counter(
        {seen: len(carriers) for seen, carriers in country.handsets_of_imei.items()}
    )


def test_a_number_is_on_several_handsets_only_where_the_truth_says_copy(country):
    """Shared numbers are copies; all but one of each are, unless the rightful handset is not here."""
    for imei, carriers in country.handsets_of_imei.items():
        if len(carriers) > 1:
            copies = [handset for handset in carriers if Fact.COPY in handset.facts]
            assert len(carriers) - len(copies) <= 1, imei
            assert len(carriers) == len(copies) or is_known_non_unique(imei) is False


def test_the_two_radios_of_one_handset_are_one_device(country):
    two = [handset for handset in country.handsets if handset.story == "two SIMs"]
    assert len(two) == 2 * len({handset.device for handset in two})


def test_what_was_stolen_is_on_the_police_list_or_in_its_delta(country):
    listed = {row["imei"][:14] for row in rows_of(country.list_file("stolen"))}
    added = {row["imei"][:14] for row in rows_of(country.list_file("stolen-delta")) if row["change_type"] == "add"}
    removed = {row["imei"][:14] for row in rows_of(country.list_file("stolen-delta")) if row["change_type"] == "remove"}
    stolen = {handset.imei for handset in country.handsets if Fact.STOLEN in handset.facts}
    assert stolen <= (listed | added) - removed
    assert removed <= listed
    assert not added & listed


def test_nobody_honest_travels_faster_than_a_car(country, month):
    """150 km/h: what the truth calls one handset is never in two towns sooner than a car could drive, but for the wrong clock."""
    where: dict[str, list[tuple[str, str, int]]] = {}
    for operator in OPERATORS:
        for row in month[operator.id]:
            if row["IMEI"] != "77100101000001":  # the wrong rows
                where.setdefault(row["IMEI"][:14], []).append((row["Date"], row["Time"], int(row["Cell"][1:3])))
    honest = {
        handset.imei
        for handset in country.handsets
        if not handset.facts and handset.story not in {"under a wrong clock", "leading zero lost"}
    }
    checked = 0
    for imei in honest & where.keys():
        seen = sorted(where[imei])
        for (day, time, town), (next_day, next_time, next_town) in pairwise(seen):
            if town != next_town:
                km = distance_km(TOWNS[town], TOWNS[next_town])
                assert km < 150 * (_hours(next_day, next_time) - _hours(day, time)), imei
                checked += 1
    assert checked > 300


def _hours(day: str, time: str) -> float:
    hour, minute, second = (int(part) for part in time.split(":"))
    return date.fromisoformat(day).toordinal() * 24 + hour + minute / 60 + second / 3600
