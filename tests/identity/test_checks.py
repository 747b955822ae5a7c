"""Check digits, held against another implementation and against worked values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import ean, luhn

from openceir.identity.checks import gs1_check_digit, luhn_check_digit, luhn_check_digit_hex, vin_check_digit


@given(st.text("0123456789", min_size=1, max_size=40))
def test_luhn_in_base_ten(digits):
    assert luhn_check_digit(digits) == luhn.calc_check_digit(digits)


@given(st.text("0123456789ABCDEF", min_size=1, max_size=40))
def test_luhn_in_base_sixteen(digits):
    assert luhn_check_digit_hex(digits) == luhn.calc_check_digit(digits, alphabet="0123456789ABCDEF")


@given(st.text("0123456789", min_size=7, max_size=13))
def test_the_check_digit_of_goods(digits):
    assert gs1_check_digit(digits) == ean.calc_check_digit(digits)


@given(st.text("0123456789", min_size=14, max_size=14), st.integers(0, 13), st.integers(1, 9))
def test_luhn_finds_every_single_wrong_digit(digits, place, shift):
    wrong = f"{digits[:place]}{(int(digits[place]) + shift) % 10}{digits[place + 1 :]}"
    assert luhn_check_digit(wrong) != luhn_check_digit(digits)


def test_luhn_does_not_find_09_typed_as_90():
    assert luhn_check_digit("35090000000000") == luhn_check_digit("35900000000000")


@pytest.mark.parametrize(
    ("vin", "digit"),
    [("1M8GDM9AXKP042788", "X"), ("1" * 17, "1"), ("5GZCZ43D13S812715", "1"), ("11111111111111112", "3")],
)
def test_position_nine_of_north_american_vins(vin, digit):
    """The first three are published examples; in the fourth the last position, of weight 2, is one more."""
    assert vin_check_digit(vin) == digit
