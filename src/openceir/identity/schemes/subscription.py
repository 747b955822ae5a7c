"""Identities of people's subscriptions. They explain what a text is; no sentence repeats the number."""

import re

from openceir.identity.finding import Finding
from openceir.identity.identifier import Identifier

__all__ = ["read_bare_imsi", "read_imsi", "read_msisdn", "read_supi"]

_PERSONAL = Finding(
    "personal-data", "this names a person's subscription, not a device; keep it out of logs and messages"
)
_SUPI_IMSI = re.compile(r"imsi-([0-9]{5,15})")
_SUPI_NAI = re.compile(r"nai-[\x21-\x7e]{1,253}")
_MSISDN = re.compile(r"(?:\+|msisdn-)([0-9]{5,15})")


def read_supi(text: str) -> Identifier | None:
    """A SUPI: `imsi-` and digits, or `nai-` and a network access identifier. Source: 3GPP TS 29.571 §5.3.2."""
    if match := _SUPI_IMSI.fullmatch(text):
        return _imsi(match[1], "supi")
    if _SUPI_NAI.fullmatch(text):
        return Identifier(scheme="supi", canonical=text, written_as="supi", findings=(_PERSONAL,))
    return None


def read_imsi(text: str) -> Identifier | None:
    """What was said to be an IMSI: up to 15 digits."""
    return _imsi(text, "imsi") if re.fullmatch(r"[0-9]{6,15}", text) else None


def read_bare_imsi(text: str) -> Identifier | None:
    """Fourteen or fifteen digits that can be an IMSI: the country code is 001 (test), or begins with 2 to 7 or 9."""
    return _imsi(text, "imsi") if re.fullmatch(r"(?:001|[2-79][0-9]{2})[0-9]{11,12}", text) else None


def read_msisdn(text: str) -> Identifier | None:
    """A telephone number with its plus sign, or the GPSI form `msisdn-`."""
    dialled = re.sub(r"[ \-().]+", "", text) if text.startswith("+") else text
    match = _MSISDN.fullmatch(dialled)
    if match is None:
        return None
    return Identifier(scheme="msisdn", canonical=match[1], written_as="msisdn", findings=(_PERSONAL,))


def _imsi(digits: str, written_as: str) -> Identifier:
    # where the network code ends is the numbering plan's business: 2 or 3 digits after the country code
    return Identifier(
        scheme="imsi", canonical=digits, written_as=written_as,
        parts={"mobile_country_code": digits[:3]}, findings=(_PERSONAL,),
    )  # fmt: skip
