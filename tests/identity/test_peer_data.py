"""Files that an earlier register was tested with, and the outcomes its tests list. They stay outside the repository."""

import csv
from pathlib import Path

import pytest

from openceir.identity import (
    CELLULAR,
    generations_of_bands,
    imei_digits,
    is_test_tac,
    malformed_text,
    rat_mask,
)

DATA = Path(__file__).parents[3] / "shared" / "data" / "dirbs"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the peer's test files (../shared/data/dirbs) are not here")


def rows_of(name, delimiter=","):
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return [{key.lower(): value for key, value in row.items()} for row in csv.DictReader(file, delimiter=delimiter)]


def test_rats_and_bands_tell_the_same_contradictions():
    """By model: the capability of all TACs of one maker and model together; a TAC without model is skipped."""
    model_of, capability = {}, {}
    for row in rows_of("gsma/gsma_dump_rat_computation_check.txt", "|"):
        model = (row["manufacturer"], row["model name"])
        model_of[row["tac"]] = model
        capability[model] = capability.get(model, 0) | generations_of_bands(row["bands"])
    contradicted = set()
    for row in rows_of("operator/operator1_with_rat_info_20160701_20160731.csv"):
        digits = imei_digits(row["imei"])
        assert digits
        model = model_of[digits[:8]]
        if all(model) and rat_mask(row["rat"]) & CELLULAR & ~capability[model]:
            contradicted.add(digits)
    assert contradicted == {"41266666370026", "41288888370026", "41299999370026"}


def test_test_tacs_at_the_edges_of_their_ranges():
    [name] = (DATA / "operator").glob("operator1_is_test_tac*")
    imeis = [row["imei"] for row in rows_of(f"operator/{name.name}")]
    inside = [imei for imei in imeis if (digits := imei_digits(imei)) and is_test_tac(digits[:8])]
    assert inside == [
        "001001313088793", "001005131308793", "001013313088793", "004431313088793", "008631313088793", "009131313088793",
    ]  # fmt: skip


def test_a_hexadecimal_imei_is_malformed():
    name = "operator/testData1-operator-operator4-anonymized_20161101_20161130.csv"
    malformed = {malformed_text(row["imei"]) for row in rows_of(name) if imei_digits(row["imei"]) is None}
    assert "38245933AF987001" in malformed
