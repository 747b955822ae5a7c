"""Identifiers as people type them: one or many, in any script, with spaces, hyphens, commas or a line each."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from openceir.identity import Check, parse

__all__ = ["MOST_AT_ONCE", "canonical_imei", "identifiers_in", "imeis_in"]

MOST_AT_ONCE = 1000
_DIVIDES = str.maketrans({",": "\n", ";": "\n", "\t": "\n", "،": "\n", "؛": "\n", "|": "\n"})


def identifiers_in(text: str) -> list[str]:
    """The identifiers of a text, in order, each once. Raises: ValidationError for none, or more than a thousand."""
    found = []
    for line in unicodedata.normalize("NFKC", text).translate(_DIVIDES).splitlines():
        if line.isascii() and line.isdigit():  # nearly every line of a long list
            found.append(line[:200])
            continue
        folded = "".join(c for c in line.strip().strip("\"'") if unicodedata.category(c) != "Cf")
        digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in folded)
        if digits.replace(" ", "").replace("-", "").replace("/", "").replace(".", "").isdigit():
            digits = "".join(c for c in digits if c.isdigit())
        if digits:
            found.append(digits[:200])
    found = list(dict.fromkeys(found))
    if not found:
        raise ValidationError(_("Enter the IMEI: dial *#06# to see it."))
    if len(found) > MOST_AT_ONCE:
        raise ValidationError(
            ngettext(
                "That is %(count)s number; at most %(most)s are checked at once.",
                "Those are %(count)s numbers; at most %(most)s are checked at once.",
                len(found),
            )
            % {"count": len(found), "most": MOST_AT_ONCE}
        )
    return found


def canonical_imei(text: str) -> str:
    """The 14 digits of an IMEI. Raises: ValidationError saying what is wrong with it."""
    identifier = parse(text, "imei")
    if identifier.imei is None:
        raise ValidationError(
            _("%(number)s is not an IMEI: it has 15 digits. Dial *#06# to see it.") % {"number": text[:40]}
        )
    if identifier.check is Check.FAILED:
        raise ValidationError(
            _("%(number)s has a wrong digit. Compare it with what *#06# shows.") % {"number": text[:40]}
        )
    return identifier.imei


def imeis_in(text: str) -> list[str]:
    """The 14 digits of each IMEI of one device. Raises: ValidationError; a device has at most four."""
    found = [canonical_imei(one) for one in identifiers_in(text)]
    if len(found) > 4:
        raise ValidationError(_("One phone has at most four IMEIs. Send one form for each phone."))
    return list(dict.fromkeys(found))
