"""The menus of USSD, as a function of what was typed so far.

    menu -1-> check: number -> verdict, end
         -2-> report: lost or stolen -> number -> confirm -> case opened, end
         -3-> my case: reference -> secret -> state of the case, end
         -4-> language -> menu
    0 goes one step back; a number of 14 to 17 digits as the first input is a check (*CODE*IMEI#).

Nothing is kept between two screens: a gateway sends all inputs of the session again, joined by asterisks, and a walk
over them from the menu gives the place. What a place cannot take changes nothing and is answered by the same screen
with a word before it. The walk does nothing itself: at its end stands an act for the desk (`Check`, `Report`, `AskCase`).
Limits: 40 inputs a session; a screen has 182 septets or 80 characters of UCS-2 (`wire/gsm_text.py`).
"""

from dataclasses import dataclass
from enum import Enum, auto

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from openceir.portal.channels.question import LANGUAGES, Asked, parse_number
from openceir.scan import fold
from openceir.wire.gsm_text import in_gsm_alphabet

__all__ = ["Act", "AskCase", "Check", "Report", "Screen", "walk"]

_MOST_INPUTS = 40
_LONGEST_INPUT = 40  # characters; a case's reference has 12
_IMEI_INPUTS = range(14, 18)


@dataclass(frozen=True, slots=True)
class Check:
    """Say the verdict on a number."""

    number: Asked
    language: str


@dataclass(frozen=True, slots=True)
class Report:
    """Open a case for a phone that is gone. It blocks nothing by itself: the owner's proof does."""

    imei: str  # the fourteen digits
    is_theft: bool
    language: str


@dataclass(frozen=True, slots=True)
class AskCase:
    """Say how a case stands."""

    reference: str
    secret: str
    language: str


Act = Check | Report | AskCase


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows while the session goes on."""

    text: str
    language: str


class _Place(Enum):
    MENU = auto()
    CHECK = auto()
    REPORT = auto()
    REPORT_NUMBER = auto()
    REPORT_CONFIRM = auto()
    CASE = auto()
    CASE_SECRET = auto()
    LANGUAGE = auto()


_TEXTS = {
    _Place.MENU: gettext_noop("1 Check a phone\n2 Report a phone lost\n3 My case\n4 Language"),
    _Place.CHECK: gettext_noop("IMEI of the phone? Dial *#06# to see it.\n0 Back"),
    _Place.REPORT: gettext_noop("Your phone is\n1 lost\n2 stolen\n0 Back"),
    _Place.REPORT_NUMBER: gettext_noop("Its IMEI? It is on its box and on the bill.\n0 Back"),
    _Place.REPORT_CONFIRM: gettext_noop("Report %(imei)s?\n1 Yes\n0 Back"),
    _Place.CASE: gettext_noop("Reference of your case?\n0 Back"),
    _Place.CASE_SECRET: gettext_noop("Its secret code?\n0 Back"),
}
_NAMES = {"en": "English", "fr": "Francais", "ar": "العربية", "es": "Español", "pt": "Portugues", "hi": "हिन्दी"}
_NOT_UNDERSTOOD = gettext_noop("Not understood.")
_WRONG_NUMBER = gettext_noop("Wrong number.")


class _Walk:
    """The steps taken so far, the last one on top."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.places = [_Place.MENU]
        self.imei = ""
        self.is_theft = False
        self.reference = ""
        self.complaint = ""

    def take(self, typed: str) -> Act | None:
        """Go where an input leads; the act at its end, if it is one."""
        self.complaint = ""
        if typed == "0" or (typed == "" and len(self.places) > 1):
            if len(self.places) > 1:
                self.places.pop()
            return None
        return getattr(self, f"_at_{self.places[-1].name.lower()}")(typed)  # type: ignore[no-any-return]

    def _at_menu(self, typed: str) -> Act | None:
        if len(_digits_of(typed)) in _IMEI_INPUTS:
            return self._at_check(typed)
        lead = {"1": _Place.CHECK, "2": _Place.REPORT, "3": _Place.CASE, "4": _Place.LANGUAGE}
        return self._go(lead.get(typed))

    def _at_check(self, typed: str) -> Act | None:
        return Check(parse_number(_digits_of(typed)), self.language)

    def _at_report(self, typed: str) -> Act | None:
        if typed not in {"1", "2"}:
            return self._go(None)
        self.is_theft = typed == "2"
        return self._go(_Place.REPORT_NUMBER)

    def _at_report_number(self, typed: str) -> Act | None:
        number = parse_number(_digits_of(typed))
        if number.fault:
            self.complaint = _WRONG_NUMBER
            return None
        self.imei = number.digits
        return self._go(_Place.REPORT_CONFIRM)

    def _at_report_confirm(self, typed: str) -> Act | None:
        return Report(self.imei, self.is_theft, self.language) if typed == "1" else self._go(None)

    def _at_case(self, typed: str) -> Act | None:
        self.reference = typed
        return self._go(_Place.CASE_SECRET)

    def _at_case_secret(self, typed: str) -> Act | None:
        return AskCase(self.reference, typed, self.language)

    def _at_language(self, typed: str) -> Act | None:
        if typed.isascii() and typed.isdecimal() and 1 <= int(typed) <= len(LANGUAGES):
            self.language = LANGUAGES[int(typed) - 1]
            self.places = [_Place.MENU]
        else:
            self.complaint = _NOT_UNDERSTOOD
        return None

    def _go(self, place: _Place | None) -> Act | None:
        """On to a place, or stay with a complaint; never an act."""
        if place is None:
            self.complaint = _NOT_UNDERSTOOD
        else:
            self.places.append(place)
        return None

    def screen(self) -> Screen:
        """The screen of the place."""
        place = self.places[-1]
        with override(self.language):
            if place is _Place.LANGUAGE:
                text = "\n".join(f"{at} {_NAMES[language]}" for at, language in enumerate(LANGUAGES, 1))
            else:
                text = _(_TEXTS[place]) % {"imei": self.imei}
            if self.complaint:
                text = f"{_(self.complaint)}\n{text}"
            return Screen(in_gsm_alphabet(text), self.language)


def walk(text: str, language: str) -> Screen | Act:
    """Where the inputs of a session lead: a screen, or the act that ends it.

    `text` is all that was typed, joined by asterisks; `language` the one to begin in. Inputs behind an act are left.
    """
    steps = _Walk(language)
    inputs = text.split("*")[:_MOST_INPUTS] if text.strip() else []
    for typed in inputs:
        act = steps.take(_plain(typed))
        if act is not None:
            return act
    return steps.screen()


def _plain(typed: str) -> str:
    """An input as keypads of any script give it: short, its digits 0-9, without the closing #."""
    return fold(typed[:_LONGEST_INPUT]).text.strip().strip("#").strip()


def _digits_of(typed: str) -> str:
    return "".join(character for character in typed if character.isdecimal())
