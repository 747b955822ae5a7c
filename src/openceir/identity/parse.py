"""What is this text? One answer, and what else it can mean.

The order is ours and documented in `_IN_ORDER`: first what announces itself (prefix, URN, separators of an address),
then digits by their length, then hexadecimal, then the rest. The first reader that takes the text gives the answer; every
later one gives an alternative. So fourteen digits are an IMEI before they are an all-decimal MEID or an IMSI, sixteen
an IMEISV, eight a TAC. What cannot be told from its shape alone (a Bluetooth address from a MAC address) is offered
beside it, and a maker's serial number, which any text can be, only where nothing else fits.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from openceir.identity.catalogue import CATALOGUE
from openceir.identity.errors import IdentityError
from openceir.identity.finding import Finding
from openceir.identity.identifier import UNKNOWN_SCHEME, Identifier
from openceir.identity.schemes import cellular, certificates, hardware, records, software, subscription, trade, vehicle

__all__ = ["LONGEST_TEXT", "UnknownScheme", "parse"]

Reader = Callable[[str], Identifier | None]

LONGEST_TEXT = 16_384  # characters; a certificate in PEM fits, and every reader is done in a few milliseconds

_IN_ORDER: tuple[Reader, ...] = (
    # announced by a prefix, a URN or a first number that no IMEI has (OID 0 to 2, DOI 10)
    cellular.read_pei, subscription.read_supi, trade.read_8002, trade.read_sgtin, trade.read_grai, trade.read_giai,
    records.read_did, records.read_doi, records.read_oid, software.read_uuid,
    # told by their separators
    hardware.read_eui48, hardware.read_eui64, subscription.read_msisdn,
    # digits, by length
    cellular.read_imei, cellular.read_imeisv, cellular.read_tac, cellular.read_imei_without_zeros,
    cellular.read_eid, cellular.read_iccid,
    # hexadecimal and mixed, by length
    cellular.read_meid, cellular.read_bare_esn, vehicle.read_vin,
    # what is likelier something above
    records.read_handle, trade.read_product_code, subscription.read_bare_imsi,
)  # fmt: skip

# Same shape as something above: offered as an alternative only.
_SAME_SHAPE: tuple[Reader, ...] = (
    hardware.read_bd_addr, software.read_idfv, software.read_gaid, software.read_android_id,
)  # fmt: skip

# Offered where nothing above takes the text.
_GUESSES: tuple[Reader, ...] = (
    certificates.read_devid, certificates.read_tpm_ek, certificates.read_android_attestation,
    hardware.guess_maker_serial,
)  # fmt: skip

_READER_OF_SCHEME: Mapping[str, Reader] = {
    "imei": cellular.read_imei, "imei-urn": cellular.read_imei, "imeisv": cellular.read_imeisv, "tac": cellular.read_tac,
    "pei-imei": cellular.read_pei, "pei-imeisv": cellular.read_pei, "pei-mac": cellular.read_pei,
    "pei-eui": cellular.read_pei,
    "imsi": subscription.read_imsi, "supi": subscription.read_supi, "msisdn": subscription.read_msisdn,
    "meid": cellular.read_meid, "meid-decimal": cellular.read_meid, "esn": cellular.read_esn, "pesn": cellular.read_esn,
    "eid": cellular.read_eid, "iccid": cellular.read_iccid,
    "eui-48": hardware.read_eui48, "eui-64": hardware.read_eui64, "bd-addr": hardware.read_bd_addr,
    "maker-serial": hardware.read_maker_serial,
    "gtin": trade.read_gtin, "sgtin": trade.read_sgtin, "gs1-8002": trade.read_8002, "grai": trade.read_grai,
    "giai": trade.read_giai,
    "uuid": software.read_uuid, "idfv": software.read_idfv, "gaid": software.read_gaid,
    "android-id": software.read_android_id,
    "handle": records.read_handle, "doi": records.read_doi, "oid": records.read_short_oid, "did": records.read_did,
    "devid": certificates.read_devid, "tpm-ek": certificates.read_tpm_ek,
    "android-attestation": certificates.read_android_attestation,
    "vin": vehicle.read_vin,
}  # fmt: skip


class UnknownScheme(IdentityError):
    """A scheme was named that the catalogue lacks: the caller's mistake, not the text's."""

    code = "unknown-scheme"


def parse(text: str, scheme: str | None = None) -> Identifier:
    """What `text` is: scheme, canonical form, parts, check, findings and what else it can mean.

    With `scheme` only that row of the catalogue is tried, and its looser forms are taken too.
    Never raises for content: what no reader takes has the scheme "unknown" and a finding that says why.
    Raises: UnknownScheme when the catalogue has no such row.
    """
    if scheme is not None and scheme not in _READER_OF_SCHEME:
        raise UnknownScheme(
            f"there is no scheme {scheme[:40]!r} in the catalogue; `openceir identifier list` shows all {len(CATALOGUE)}"
        )
    if len(text) > LONGEST_TEXT:
        return _unknown(
            "", "too-long", f"the text has {len(text)} characters; no identifier has more than {LONGEST_TEXT}"
        )
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        return _unknown("", "not-text", "the value is not UTF-8 text; type it again or save the file as UTF-8")
    trimmed = text.strip().strip("\ufeff").strip()
    if not trimmed:
        return _unknown("", "empty", "there is nothing in it")
    if scheme is not None:
        return _READER_OF_SCHEME[scheme](trimmed) or _not_this_scheme(trimmed, scheme)
    readings = _read_all(_IN_ORDER, trimmed)
    if not readings:
        return _explain_nothing(trimmed)
    return readings[0].with_alternatives((*readings[1:], *_read_all(_SAME_SHAPE, trimmed)))


def _read_all(readers: tuple[Reader, ...], text: str) -> tuple[Identifier, ...]:
    return tuple(found for reader in readers if (found := reader(text)) is not None)


def _not_this_scheme(text: str, scheme: str) -> Identifier:
    row = CATALOGUE[scheme]
    sentence = f"this is no {row.title[0].lower()}{row.title[1:]}: expected {row.syntax} (length {row.length})"
    return _unknown(text, "not-this-scheme", sentence)


def _explain_nothing(text: str) -> Identifier:
    """Say what is wrong with a text that no reader took, as closely as can be told."""
    guesses = (*_read_all(_SAME_SHAPE, text), *_read_all(_GUESSES, text))
    digits = re.sub(r"[ \t\u00a0\-\u2010-\u2015/.]+", "", text)
    if digits.isdecimal() and not digits.isascii() and len(digits) <= 64:
        ascii_digits = "".join(str(unicodedata.decimal(digit)) for digit in digits)
        foreign = "the digits are of another script; files and networks know only 0-9, so write them that way"
        meant = parse(ascii_digits)
        return _unknown(text, "foreign-digits", foreign, (meant,) if meant.is_known else ())
    if digits.isascii() and digits.isdecimal():
        return _explain_digits(text, digits, guesses)
    odd = sorted({character for character in text if not character.isascii() or not character.isprintable()})
    if odd:
        named = ", ".join(f"U+{ord(character):04X}" for character in odd[:3])
        return _unknown(text, "odd-characters", f"no identifier we know has the characters {named}", guesses)
    if guesses:
        return _unknown(
            text, "no-scheme-fits",
            "no scheme can be told from its shape; if you know what it is, name the scheme", guesses,
        )  # fmt: skip
    return _unknown(text, "no-scheme-fits", "it has the shape of no identifier in the catalogue")


def _explain_digits(text: str, digits: str, guesses: tuple[Identifier, ...]) -> Identifier:
    count = len(digits)
    if 11 <= count <= 13:
        sentence = (
            f"{count} digits are too few for an IMEI (14 to 16); if the number began with zeros, a spreadsheet may have "
            "dropped them: compare it with *#06# or the label"
        )
        padded = cellular.read_imei(digits.zfill(14))
        return _unknown(text, "too-few-digits", sentence, (*((padded,) if padded else ()), *guesses))
    if count < 11:
        return _unknown(
            text, "too-few-digits", f"{count} digits are no identifier we know; an IMEI has 14 to 16", guesses
        )
    return _unknown(text, "too-many-digits", f"{count} digits are no identifier we know; an IMEI has 14 to 16", guesses)


def _unknown(text: str, code: str, sentence: str, alternatives: tuple[Identifier, ...] = ()) -> Identifier:
    return Identifier(
        scheme=UNKNOWN_SCHEME, canonical=text, written_as=UNKNOWN_SCHEME,
        findings=(Finding(code, sentence),), alternatives=alternatives,
    )  # fmt: skip
