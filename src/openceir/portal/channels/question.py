"""What somebody asks in a short message.

Keyword or none, any separators, digits of any script, fourteen to seventeen of them, one number or several; the words
of six languages. A text is never refused: what cannot be read is answered with how to ask.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from openceir.identity import luhn_check_digit
from openceir.scan import fold, tokens_of
from openceir.settings import PORTAL_LANGUAGES

__all__ = ["LANGUAGES", "Asked", "Fault", "Question", "parse_number", "parse_question"]

LANGUAGES = PORTAL_LANGUAGES
_LONGEST = 700  # characters: a message of ten segments, in either alphabet of them, and nobody needs one
# What people begin with, by what is printed on posters in each country. A word of two languages tells neither.
_WORDS = {
    "en": ("check", "kym", "verify", "status"), "fr": ("verifier", "verifie", "controle"), "es": ("consulta", "comprobar"),
    "pt": ("consultar", "checar"), "ar": ("فحص", "تحقق", "افحص"), "hi": ("जाच", "जांच", "पता", "kya"),
}  # fmt: skip
_LANGUAGE_OF_WORD = {word: language for language, words in _WORDS.items() for word in words}
_SCRIPTS = (("ar", "\u0600", "\u06ff"), ("hi", "\u0900", "\u097f"))
# Between two numbers, not inside one.
_APART = re.compile(r"[,;+&\n]| and | et | y | e ")
_COUNTS = range(14, 18)


class Fault(StrEnum):
    """Why a number cannot be looked up."""

    COUNT = "count"  # too few or too many digits
    CHECK_DIGIT = "check-digit"  # a digit is wrong


@dataclass(frozen=True, slots=True)
class Asked:
    """One number as it was sent."""

    digits: str  # the fourteen that decide, or whatever was sent when there is a fault
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a message asks."""

    numbers: tuple[Asked, ...]  # empty when it holds no number: the sender needs help
    language: str | None  # of LANGUAGES; None when nothing tells


def parse_question(text: str) -> Question:
    """What a message asks. Takes any text."""
    text = text[:_LONGEST]
    folded = fold(text).text
    numbers: list[Asked] = []
    for piece in _APART.split(folded):
        numbers += _numbers_in(piece)
    once = tuple(dict.fromkeys(numbers))
    # A number that can be read makes the rest of the digits (a price, a phone number) not a question.
    readable = tuple(each for each in once if each.fault is not Fault.COUNT)
    return Question(readable or once[:1], _language(text, folded))


def parse_number(digits: str) -> Asked:
    """One number whose digits are known: 14, 15 with check digit, 16 with software version, 17 with both."""
    if len(digits) not in _COUNTS:
        return Asked(digits[:20], Fault.COUNT)
    if len(digits) in {15, 17} and digits[14] not in {luhn_check_digit(digits[:14]), "0"}:
        return Asked(digits[:20], Fault.CHECK_DIGIT)  # a 0 is what networks print in its place
    return Asked(digits[:14])


def _numbers_in(piece: str) -> list[Asked]:
    """The numbers of a part of a message that no comma divides."""
    runs: list[list[str]] = [[]]
    for token in tokens_of(piece):
        if token.digits:
            runs[-1].append(token.digits)
        elif runs[-1]:
            runs.append([])  # a word ends a number
    return [number for run in runs if run for number in _numbers_of_run(run)]


def _numbers_of_run(groups: list[str]) -> list[Asked]:
    """One number in groups, or several one after another."""
    if len(groups) > 1 and groups[0] in {"1", "2"} and len("".join(groups[1:])) in _COUNTS:
        groups = groups[1:]  # "IMEI 1: …"
    joined = "".join(groups)
    if len(joined) in _COUNTS:
        return [parse_number(joined)]
    whole = [each for each in groups if len(each) in _COUNTS]
    if whole:
        return [parse_number(each) for each in whole]
    found, at = list[Asked](), 0
    while at < len(groups):  # several numbers, each in groups: those that a check digit closes
        ends = [end for end in range(at + 1, len(groups) + 1) if len("".join(groups[at:end])) == 15]
        number = parse_number("".join(groups[at : ends[0]])) if ends else None
        if number is None or number.fault:
            break
        found.append(number)
        at = ends[0]
    if found:
        return found
    return [parse_number(joined)] if len(joined) > 3 else []


def _language(text: str, folded: str) -> str | None:
    """The language of a message: a code or a keyword says it, else the script, else nothing."""
    words: list[str] = [word.lower() for word in re.findall(r"[^\W\d_]+", folded)]
    for word in words:
        if word in LANGUAGES:
            return word
    for word in words:
        if word in _LANGUAGE_OF_WORD:
            return _LANGUAGE_OF_WORD[word]
    for language, first, last in _SCRIPTS:
        if any(first <= character <= last for character in text):
            return language
    return None
