"""IMEIs in what people write: in an advertisement, a message, a code, or letters read off a photo.

A number is written whole, in groups, with dashes, dots or a software version behind it, in the digits of any script,
with an O for a zero, with invisible characters in it. So the text is folded first, cut into tokens, and every run of
neighbouring tokens that together have the right count of digits is looked at: a rule over whole digit runs would read
"Spark 10 35 693803 …" as one number that begins with 10.

What is found is a place in the text and its grounds, and never more than that: one in ten numbers of fifteen digits
passes the Luhn test, so a mention is sure only if its model is known too, or if the text calls it an IMEI.
A masked number ("35693803XXXXXXX") and one that is spread over sentences are not found, by design.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from openceir.identity import luhn_check_digit

__all__ = ["LONGEST_TEXT", "Folded", "Mention", "Token", "find_imeis", "fold", "tokens_of"]

LONGEST_TEXT = 20_000  # characters; what lies behind is not looked at

# Letters that stand for a digit, taken as one only inside a token that is mostly digits.
_LOOKALIKES = str.maketrans("OoQDОоΟοIl|ІіSsBЗз", "000000001111155833")
_TOKEN = re.compile(r"(?:[^\W_]|\|)+")
_MOSTLY = 0.6  # the share of true digits from which a token is read as a number
_BETWEEN = frozenset(" -./:_,()[]'\u2010\u2011\u2012\u2013\u2014\u2212")
_WIDEST_GAP = 3  # characters between two groups of one number
_COUNTS = frozenset({14, 15, 16, 17})
_NAME = "imei"
_BEFORE, _AFTER = 40, 12  # characters around a number in which the word must stand


@dataclass(frozen=True, slots=True)
class Folded:
    """A text with every digit as 0-9, invisible characters dropped, letters in their plain form.

    Shapes: `places[i]` is where character i of `text` stood in the text that was folded.
    """

    text: str
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters and digits. Units: places in the folded text, end exclusive."""

    start: int
    end: int
    digits: str  # empty when it is a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One IMEI in a text."""

    imei: str  # fifteen digits, the check digit computed where the text had none
    start: int  # characters of the text as it came; end exclusive
    end: int
    shown: str  # how the text writes it
    has_check_digit: bool  # the text had fifteen digits, and the last one fits
    is_known_model: bool
    is_named: bool  # the word IMEI stands near

    @property
    def is_sure(self) -> bool:
        """Whether this is an IMEI beyond the chance of a bank account or an order number looking like one."""
        return self.is_named or self.is_known_model


def fold(text: str) -> Folded:
    """The first LONGEST_TEXT characters of a text in the form in which numbers are sought."""
    text = text[:LONGEST_TEXT]
    if text.isascii():
        return Folded(text, range(len(text)))
    folded, places = [], []
    for place, character in enumerate(text):
        for plain in character if character.isascii() else _plain(character):
            folded.append(plain)
            places.append(place)
    return Folded("".join(folded), tuple(places))


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    """One character folded: the digit of any script as 0-9, compatibility forms plain, the invisible as nothing."""
    if unicodedata.category(character) in {"Cf", "Mn", "Me"}:  # joiners and marks of direction, signs around a digit
        return ""
    plain = unicodedata.normalize("NFKC", character)
    return "".join(
        str(unicodedata.decimal(each)) if each.isdecimal() else " " if each.isspace() else each
        for each in plain
        if unicodedata.category(each) not in {"Cf", "Mn", "Me"}
    )


def tokens_of(text: str) -> Iterator[Token]:
    """The runs of letters and digits of a folded text, in order."""
    for run in _TOKEN.finditer(text):
        yield Token(run.start(), run.end(), _digits(run.group()))


def _digits(token: str) -> str:
    """The number that a token is, lookalikes read as digits; empty when it is a word."""
    if token.isdecimal():
        return token
    count = sum(character.isdecimal() for character in token)
    if count < _MOSTLY * len(token):
        return ""
    number = token.translate(_LOOKALIKES)
    return number if number.isdecimal() else ""


def find_imeis(text: str, known_tac: Callable[[str], bool] | None = None) -> tuple[Mention, ...]:
    """The IMEIs in a text, in order, none overlapping another.

    `known_tac` tells whether eight digits are a model on record. A number that neither is called an IMEI nor has a
    check digit that fits is left out; one with nothing but a check digit is given and is not `is_sure`.
    """
    folded = fold(text)
    names = _names(folded.text)
    tokens = [_without_ordinal(token, folded.text) for token in tokens_of(folded.text)]
    found: list[Mention] = []
    for first, token in enumerate(tokens):
        if token.digits:
            found += _windows(text, folded, tokens, first, names, known_tac)
    # The surer first; of two alike the one in fewer pieces, then the earlier.
    found.sort(key=lambda each: (not each.is_sure, not each.has_check_digit, each.end - each.start, each.start))
    taken: list[Mention] = []
    for each in found:
        if all(each.end <= other.start or other.end <= each.start for other in taken):
            taken.append(each)
    return tuple(sorted(taken, key=lambda each: each.start))


def _windows(
    text: str,
    folded: Folded,
    tokens: list[Token],
    first: int,
    names: list[int],
    known_tac: Callable[[str], bool] | None,
) -> Iterator[Mention]:
    """What neighbouring tokens from `first` on can be together."""
    digits, end = "", 0
    for token in tokens[first:]:
        if not token.digits or (digits and not _is_gap(folded.text[end : token.start])):
            return
        digits += token.digits
        end = token.end
        if len(digits) > max(_COUNTS):
            return
        if len(digits) not in _COUNTS:
            continue
        has_check_digit = len(digits) in {15, 17} and luhn_check_digit(digits[:14]) == digits[14]
        if len(digits) in {15, 17} and not has_check_digit:
            continue
        start = tokens[first].start
        is_known = known_tac is not None and known_tac(digits[:8])
        is_named = any(start - _BEFORE <= name < start or end <= name < end + _AFTER for name in names)
        if not (is_known or is_named) and len(digits) != 15:
            continue  # no check digit speaks for it, or two digits too many speak against it
        left, right = folded.places[start], folded.places[end - 1] + 1
        yield Mention(
            imei=digits[:14] + luhn_check_digit(digits[:14]), start=left, end=right, shown=text[left:right],
            has_check_digit=has_check_digit, is_known_model=is_known, is_named=is_named,
        )  # fmt: skip


def _without_ordinal(token: Token, text: str) -> Token:
    """The token; as a word when it is the 1 or 2 of "IMEI 1"."""
    if token.digits in {"1", "2"} and text[max(0, token.start - 8) : token.start].rstrip(" .-#(").lower().endswith(
        _NAME
    ):
        return Token(token.start, token.end, "")
    return token


def _is_gap(between: str) -> bool:
    return len(between) <= _WIDEST_GAP and all(character in _BETWEEN for character in between)


def _names(text: str) -> list[int]:
    """Where the word IMEI begins, in either case."""
    lowered, found, at = text.lower(), list[int](), -1
    if len(lowered) != len(text):  # a letter whose small form is longer; none of it is in the word
        lowered = "".join(each.lower() if each.isascii() else each for each in text)
    while (at := lowered.find(_NAME, at + 1)) >= 0:
        found.append(at)
    return found
