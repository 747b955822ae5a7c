"""What fits one short message or one USSD screen: the 7-bit alphabet of GSM, and UCS-2 for all else.

A short message carries 140 octets: 160 septets of the default alphabet, or 70 characters of UCS-2. A USSD string carries
160 octets: 182 septets, or 80 characters. Ten characters of the extension table cost two septets. A character beyond
the basic plane (an emoji) is two of UCS-2, as UTF-16 writes it; the document does not know them and every phone does so.
Source: 3GPP TS 23.038 §4, §5, §6.2.1, §6.2.1.1, §6.2.3; 3GPP TS 23.040 §9.2.3.24.
"""

import unicodedata
from dataclasses import dataclass

__all__ = ["SMS", "USSD", "Room", "fits", "in_gsm_alphabet", "septets", "ucs2_units"]

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
# What no decomposition turns into letters of the alphabet.
_SPELT = str.maketrans({
    "œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...",
    "\u00a0": " ", "\u202f": " ", "ç": "c",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """What one message or screen holds."""

    septets: int
    ucs2_units: int


SMS = Room(160, 70)
USSD = Room(182, 80)


def septets(text: str) -> int | None:
    """What `text` costs in the default alphabet; None when a character is not in it."""
    extended = sum(character in _EXTENSION for character in text)
    if all(character in _BASIC or character in _EXTENSION for character in text):
        return len(text) + extended
    return None


def ucs2_units(text: str) -> int:
    """What `text` costs in UCS-2."""
    return len(text) + sum(character > "\uffff" for character in text)


def fits(text: str, room: Room) -> bool:
    """Whether `text` needs no second message or screen."""
    cost = septets(text)
    return cost <= room.septets if cost is not None else ucs2_units(text) <= room.ucs2_units


def in_gsm_alphabet(text: str) -> str:
    """The text without the accents that the alphabet lacks, so that it costs a septet a character; else as it was.

    French, Spanish and Portuguese lose some accents by it, as their readers know from every operator's messages, and
    more than double the room. What cannot be written so even then (Arabic, Hindi) is given back unchanged.
    """
    if septets(text) is not None:
        return text
    plain = "".join(
        character if character in _BASIC or character in _EXTENSION else _without_accent(character)
        for character in text.translate(_SPELT)
    )
    return plain if septets(plain) is not None else text


def _without_accent(character: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
