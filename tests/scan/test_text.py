"""IMEIs in free text, by the forms in which people write them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import format_imei
from openceir.scan import find_imeis, fold

IMEI = "001001000000015"
MODELS = frozenset({"00100100"})
FORMS = {
    "plain": "001001000000015",
    "named": "IMEI: 001001000000015",
    "spaced": "Spark 10 00 100100 000001 5 4GB",
    "dashed": "phone 00-100100-000001-5",
    "dotted": "Phone 8 00.100100.000001.5",
    "with a version": "001001000000015/01",
    "with a long version": "IMEISV 0010010000000178",
    "Arabic-Indic": "آيفون ٠٠١٠٠١٠٠٠٠٠٠٠١٥",
    "Persian": "۰۰۱۰۰۱۰۰۰۰۰۰۰۱۵",
    "Devanagari": "००१००१०००००००१५",
    "full width": "００１００１０００００００１５",
    "O for nought": "OO1OO1000000015",
    "l for one": "00l00100000001S",
    "joined by what nobody sees": "001001\u200b000000\u200d015",
    "without check digit": "imei 00100100000001",
    "second of two": "IMEI 1 99000012345678 IMEI 2 001001000000015",
    "in groups of one": "IMEI 0 0 1 0 0 1 0 0 0 0 0 0 0 1 5",
    "keycaps": "0\ufe0f\u20e301001000000015",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_number_is_found_in_the_form(form: str):
    found = [each for each in find_imeis(FORMS[form], MODELS.__contains__) if each.imei == IMEI]
    assert len(found) == 1
    assert found[0].is_sure
    assert fold(found[0].shown).text.strip() != ""
    assert FORMS[form][found[0].start : found[0].end] == found[0].shown


@pytest.mark.parametrize(
    "text",
    [
        "00100100XXXXXXX", "call 0010010, ask for 00000015", "", "IMEI on request", "001001 for 000000 or 015",
        "IMEI 001001000000016",  # the check digit does not fit
        "0010010000000150010010000000150010",
    ],
)  # fmt: skip
def test_what_is_masked_split_or_mistyped_is_not_found(text: str):
    assert find_imeis(text, MODELS.__contains__) == ()


def test_a_bank_account_that_looks_like_an_imei_is_not_sure():
    [found] = find_imeis("pay to 490154203237518")
    assert not found.is_sure
    assert find_imeis("pay to 49015420323751") == ()


def test_random_order_numbers_are_sure_of_nothing():
    dice = random.Random(7)
    orders = [f"order {dice.randrange(10**14, 10**15)} paid" for _ in range(2000)]
    assert not any(each.is_sure for order in orders for each in find_imeis(order, MODELS.__contains__))


@given(st.integers(0, 999_999), st.sampled_from([" ", "-", ".", "/", " - ", "\u00a0", "\u2011"]), st.randoms())
def test_any_grouping_with_any_separator_is_found(serial: int, between: str, dice: random.Random):
    imei = format_imei(f"00100100{serial:06d}")
    cuts = sorted(dice.sample(range(1, 15), dice.randrange(0, 5)))
    groups = [imei[left:right] for left, right in zip([0, *cuts], [*cuts, 15], strict=True)]
    found = find_imeis(f"my phone, imei: {between.join(groups)} thanks")
    assert [each.imei for each in found] == [imei]


@given(st.text(max_size=200))
def test_any_text_is_read_and_what_is_found_stands_in_it(text: str):
    for each in find_imeis(f"imei {text}"):
        assert 0 <= each.start < each.end <= len(text) + 5
        assert len(each.imei) == 15
