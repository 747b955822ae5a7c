"""The TAC and the bodies that allocate it."""

import pytest

from openceir.identity import RBI, is_test_tac, rbi_of, tac_digits

# §2.1 of the domain notes: `00` + (1001-1017 as a prefix, or 44, 86, 91), written out as a slow twin
SLOW_TEST_PREFIXES = {f"0010{n:02d}" for n in range(1, 18)} | {"0044", "0086", "0091"}


def test_test_tacs_of_the_lower_range():
    for tac in (f"{n:06d}{tail}" for n in range(12_000) for tail in ("00", "37")):
        assert is_test_tac(tac) is any(tac.startswith(prefix) for prefix in SLOW_TEST_PREFIXES), tac


@pytest.mark.parametrize(
    ("tac", "expected"),
    [("00440015", True), ("00860000", True), ("00919999", True), ("00450000", False), ("35209900", False),
     ("0010010", False), ("001001000", False), ("٠٠١٠٠١٠٠", False), ("", False), ("02440015", False)],
)  # fmt: skip
def test_other_tacs(tac, expected):
    assert is_test_tac(tac) is expected


def test_every_reporting_body_of_the_domain_notes_is_there():
    test = {"00", *(f"0{n}" for n in range(2, 10))}
    active = {"01", "35", "86", "99"}
    retired = {"10", "30", "33", "44", "45", "49", "50", "51", "52", "53", "54", "91", "98"}
    assert RBI.keys() == test | active | retired
    assert {prefix for prefix in active | retired if RBI[prefix].active} == active


def test_the_body_of_a_tac_and_of_an_unknown_prefix():
    body = rbi_of("86000000")
    assert body is not None
    assert body.name == "TAF"
    assert rbi_of("77000000") is None


@pytest.mark.parametrize(
    ("field", "tac"),
    [
        (" 35209900\t", "35209900"),
        ("9113177", None),
        ("BlankTac123", None),
        ("", None),
        ("٣٥٢٠٩٩٠٠", None),
        ("352099001", None),
    ],
)
def test_a_tac_field_is_eight_ascii_digits(field, tac):
    assert tac_digits(field) == tac
