"""Numbers on many devices, however they were written."""

import pytest
from stdnum import luhn

from openceir.identity import (
    NON_UNIQUE,
    NON_UNIQUE_KEYS,
    ODD_DEVICE_BASE,
    find_non_unique,
    format_device_key,
    is_known_non_unique,
)


@pytest.mark.parametrize(
    "text",
    [
        "99999999999999", "999999999999994", "9999999999999900",
        "440015202000", "00440015202000", "004400152020002", "4400152020002", 
        "35227301738634", "352273017386340", "35275101952326", "352751019523267",
        "0", "00", "000000000000000", "0000000000000000",
        "135790246811220", "13579024681122",
        "004999010640000", "4999010640000",
        "123456789012347", "012345678901237", "111111111111119",
        "490154203237518", "490154203237525", "356938035643809", "358673013795895",
        " 999999999999994\t",
        *(digit * 14 for digit in "0123456789"),
    ],
)  # fmt: skip
def test_a_known_number_is_known_in_every_form(text):
    assert is_known_non_unique(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "00100100000001",
        "001001000000015",
        "99999",
        "4401520",
        "x",
        "٠",
        "9" * 17,
        "0" * 17,
        "44001520200000",
        "12345678901237",
    ],
)
def test_other_numbers_are_not(text):
    assert not is_known_non_unique(text)


def test_device_keys_are_found_without_their_zeros():
    assert find_non_unique(440015202000) is NON_UNIQUE["00440015202000"]
    assert is_known_non_unique(0)
    assert not is_known_non_unique(ODD_DEVICE_BASE)
    assert not is_known_non_unique(-1)
    assert {format_device_key(key) for key in NON_UNIQUE_KEYS} == set(NON_UNIQUE)


def test_every_row_says_how_it_is_known():
    for digits, row in NON_UNIQUE.items():
        assert len(digits) == 14
        assert row.kind in {"default", "dummy", "documentation"}
        assert row.evidence
        assert row.source


def test_dummies_that_pass_the_luhn_test_show_that_a_pass_proves_nothing():
    assert all(
        luhn.is_valid(text) for text in ("000000000000000", "123456789012347", "012345678901237", "111111111111119")
    )
