"""The menus, walked from what was typed."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import format_imei
from openceir.portal.channels.question import LANGUAGES, Asked, Fault
from openceir.portal.channels.ussd import AskCase, Check, Report, Screen, walk
from openceir.wire.gsm_text import USSD, fits

ALICE = "00100100000001"
FULL = format_imei(ALICE)


@pytest.mark.parametrize(
    ("typed", "act"),
    [
        (FULL, Check(Asked(ALICE), "en")),
        (f"1*{FULL}", Check(Asked(ALICE), "en")),
        (f"1*{FULL}#", Check(Asked(ALICE), "en")),
        ("1*123", Check(Asked("123", Fault.COUNT), "en")),
        (f"2*1*{FULL}*1", Report(ALICE, False, "en")),
        (f"2*2*{FULL}*1", Report(ALICE, True, "en")),
        (f"2*0*1*{FULL}", Check(Asked(ALICE), "en")),
        (f"2*2*0*1*{FULL}*1", Report(ALICE, False, "en")),
        (f"9*1*{FULL}", Check(Asked(ALICE), "en")),
        (f"2*2*123*{FULL}*1", Report(ALICE, True, "en")),
        ("3*K7Q4-M2XW-9H3*ABCD-EFGH", AskCase("K7Q4-M2XW-9H3", "ABCD-EFGH", "en")),
        (f"4*3*1*{FULL}", Check(Asked(ALICE), "ar")),
        (f"4*٣*١*{FULL}", Check(Asked(ALICE), "ar")),
        (f"1*{FULL}*whatever*comes*after", Check(Asked(ALICE), "en")),
    ],
)
def test_what_was_typed_leads_to_an_act(typed: str, act: object):
    assert walk(typed, "en") == act


@pytest.mark.parametrize("typed", ["", "0", "0*0", "1*0", "2*1*0*0", "4*1", f"2*1*{FULL}*0*0*0"])
def test_back_leads_to_the_menu(typed: str):
    assert walk(typed, "en") == walk("", "en")


def test_a_report_is_made_only_after_a_yes():
    assert isinstance(walk(f"2*1*{FULL}", "en"), Screen)
    assert isinstance(walk(f"2*1*{FULL}*2", "en"), Screen)


INPUTS = ["", "0", "1", "2", "3", "4", "9", FULL, "123", "x"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_within_four_inputs_fits(language: str):
    for steps in product(INPUTS, repeat=4):
        place = walk("*".join(steps), language)
        if isinstance(place, Screen):
            assert fits(place.text, USSD), place.text


@given(st.text(max_size=300))
def test_any_text_leads_somewhere(typed: str):
    place = walk(typed, "hi")
    assert isinstance(place, Screen | Check | Report | AskCase)


@given(st.lists(st.sampled_from(INPUTS), max_size=12))
def test_one_step_back_shows_the_place_before(steps: list[str]):
    """Unless the step changed nothing (a complaint) or the language, or ended the session."""
    before, after = walk("*".join(["4", "1", *steps]), "en"), walk("*".join(["4", "1", *steps, "1"]), "en")
    if (
        isinstance(before, Screen)
        and isinstance(after, Screen)
        and "Not understood" not in after.text
        and "Wrong" not in after.text
    ):
        back = walk("*".join(["4", "1", *steps, "1", "0"]), "en")
        assert isinstance(back, Screen)
        if after.text.count("Check a phone") == 0:
            assert back.text == before.text.removeprefix("Not understood.\n").removeprefix("Wrong number.\n")
