"""Lengths in the alphabet of GSM, against another implementation of it."""

import pytest
from aiosmpplib import GSM7BitCodec
from hypothesis import given
from hypothesis import strategies as st

from openceir.wire.gsm_text import SMS, USSD, Room, fits, in_gsm_alphabet, septets, ucs2_units


@given(st.text(max_size=100))
def test_septets_are_what_another_codec_writes(text: str):
    if GSM7BitCodec.is_gsm_text(text) and "\x1b" not in text:
        assert septets(text) == len(GSM7BitCodec().encode(text)[0])
    else:
        assert septets(text) is None


@given(st.text(max_size=100))
def test_ucs2_units_are_pairs_of_octets_of_utf_16(text: str):
    assert ucs2_units(text) == len(text.encode("utf-16-be", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("text", "room", "it_fits"),
    [
        ("a" * 160, SMS, True), ("a" * 161, SMS, False), ("€" * 80, SMS, True), ("€" * 81, SMS, False),
        ("ع" * 70, SMS, True), ("ع" * 71, SMS, False), ("a" * 182, USSD, True), ("ع" * 80, USSD, True),
        ("ع" * 81, USSD, False), ("😀" * 35, SMS, True), ("😀" * 36, SMS, False),
    ],
)  # fmt: skip
def test_what_fits(text: str, room: Room, it_fits: bool):
    assert fits(text, room) is it_fits


def test_accents_that_the_alphabet_lacks_are_left_out_and_others_stay():
    assert in_gsm_alphabet("pérdida según año, çà ô œuvre …") == "pérdida segun año, cà o oeuvre ..."
    assert in_gsm_alphabet("محظور") == "محظور"
    assert in_gsm_alphabet("ब्लॉक") == "ब्लॉक"
