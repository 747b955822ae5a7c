"""IMSI and MSISDN: length and leading zeros survive the column, and no message repeats a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import (
    InvalidSubscriber,
    format_subscriber,
    is_valid_imsi,
    subscriber_digits,
    subscriber_key,
)


def test_an_imsi_is_kept_as_the_architecture_page_says():
    assert subscriber_key("001010000000001") == 1001010000000001


@given(st.text("0123456789", min_size=1, max_size=15))
def test_leading_zeros_and_length_survive(digits):
    assert format_subscriber(subscriber_key(digits)) == digits


@given(st.text("0123456789", min_size=1, max_size=15), st.text("0123456789", min_size=1, max_size=15))
def test_a_prefix_of_the_digits_is_a_prefix_of_the_key(digits, prefix):
    assert str(subscriber_key(digits)).startswith("1" + prefix) == digits.startswith(prefix)


@pytest.mark.parametrize("text", ["0010100000000010", "00101x", "٠٠١", "+001", " 001"])
def test_what_is_no_number_is_refused_without_repeating_it(text):
    with pytest.raises(InvalidSubscriber) as refused:
        subscriber_key(text)
    assert text not in str(refused.value)


@pytest.mark.parametrize("key", [0, 1, 9, 20, 27, -11, 10**16])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InvalidSubscriber):
        format_subscriber(key)


@pytest.mark.parametrize(
    ("text", "valid"),
    [("001010000000001", True), ("00101000000001", True), ("0010100000001", False), ("0010100000000011", False),
     ("", False), ("00101000000000x", False), ("٠٠١٠١٠٠٠٠٠٠٠٠٠١", False)],
)  # fmt: skip
def test_a_valid_imsi_has_fourteen_or_fifteen_ascii_digits(text, valid):
    assert is_valid_imsi(text) is valid


def test_a_number_field_may_carry_blanks_and_one_plus():
    assert subscriber_digits(" +18583551234\t") == "18583551234"
    assert subscriber_digits("++1") is None
    assert subscriber_digits("") is None
