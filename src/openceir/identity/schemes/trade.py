"""Identities of goods: GTIN, SGTIN, GRAI, GIAI and the telephone identifier of GS1 bar codes."""

import re
from urllib.parse import unquote

from openceir.identity.checks import gs1_check_digit
from openceir.identity.finding import Finding
from openceir.identity.identifier import Check, Identifier
from openceir.identity.schemes.cellular import read_imei, read_imeisv

__all__ = ["read_8002", "read_giai", "read_grai", "read_gtin", "read_product_code", "read_sgtin"]

_SET_82 = r"[A-Za-z0-9!\"%&'()*+,\-./:;<=>?_]"  # GS1 General Specifications, figure 7.11-1
_SGTIN = re.compile(rf"\(01\)([0-9]{{14}})\(21\)({_SET_82}{{1,20}})")
_SGTIN_EPC = re.compile(r"urn:epc:id:sgtin:([0-9]{6,12})\.([0-9]{1,7})\.([\x21-\x7e]{1,60})")
_SGTIN_LINK = re.compile(r"https?://[^\s?#]{1,253}?/01/([0-9]{8,14})/21/([^\s/?#]{1,60})[^\s]{0,500}", re.IGNORECASE)
_GRAI = re.compile(rf"\(8003\)0([0-9]{{13}})({_SET_82}{{0,16}})")
_GRAI_EPC = re.compile(r"urn:epc:id:grai:([0-9]{6,12})\.([0-9]{0,6})\.([\x21-\x7e]{1,48})")
_GIAI = re.compile(rf"\(8004\)({_SET_82}{{1,30}})")
_GIAI_EPC = re.compile(r"urn:epc:id:giai:([0-9]{6,12})\.([\x21-\x7e]{1,72})")
_AI_8002 = re.compile(rf"\(8002\)({_SET_82}{{1,20}})")


def read_gtin(text: str) -> Identifier | None:
    """What was said to be a GTIN: 8, 12, 13 or 14 digits."""
    return _product(text) if re.fullmatch(r"(?:[0-9]{8}|[0-9]{12,14})", text) else None


def read_product_code(text: str) -> Identifier | None:
    """Twelve or thirteen digits whose check digit fits: the bar code of a product."""
    product = read_gtin(text) if len(text) in (12, 13) else None
    return product if product and product.check is Check.PASSED else None


def read_sgtin(text: str) -> Identifier | None:
    """A GTIN with a serial number, as element string, EPC URN or Digital Link."""
    if match := _SGTIN.fullmatch(text):
        return _sgtin(match[1], match[2])
    if match := _SGTIN_EPC.fullmatch(text):
        company, item, serial = match.groups()
        if len(company) + len(item) != 13:
            return None
        # the indicator digit stands first in the item reference (EPC TDS §7.1)
        return _sgtin(_with_check_digit(item[0] + company + item[1:]), unquote(serial))
    if match := _SGTIN_LINK.fullmatch(text):
        return _sgtin(match[1].zfill(14), unquote(match[2]))
    return None


def read_grai(text: str) -> Identifier | None:
    """A returnable asset: `(8003)` or EPC URN."""
    if match := _GRAI.fullmatch(text):
        return _grai(match[1], match[2])
    if match := _GRAI_EPC.fullmatch(text):
        company, kind, serial = match.groups()
        return _grai(_with_check_digit(company + kind), unquote(serial)) if len(company) + len(kind) == 12 else None
    return None


def read_giai(text: str) -> Identifier | None:
    """An individual asset: `(8004)` or EPC URN."""
    if match := _GIAI.fullmatch(text):
        reference = match[1]
    elif match := _GIAI_EPC.fullmatch(text):
        reference = match[1] + unquote(match[2])
    else:
        return None
    if not _is_set_82(reference, 30):
        return None
    return Identifier(scheme="giai", canonical=f"(8004){reference}", written_as="giai", parts={"reference": reference})


def read_8002(text: str) -> Identifier | None:
    """The telephone identifier of a carton: the IMEI in it, or its own text when it holds none."""
    match = _AI_8002.fullmatch(text)
    if match is None:
        return None
    inner = read_imei(match[1]) or read_imeisv(match[1])
    if inner is None:
        return Identifier(scheme="gs1-8002", canonical=text, written_as="gs1-8002", parts={"content": match[1]})
    return Identifier(
        scheme=inner.scheme, canonical=inner.canonical, written_as="gs1-8002",
        parts=inner.parts, check=inner.check, findings=inner.findings,
    )  # fmt: skip


def _is_set_82(text: str, longest: int) -> bool:
    # asked again after percent-decoding, which can bring in anything
    return re.fullmatch(rf"{_SET_82}{{0,{longest}}}", text) is not None


def _with_check_digit(digits: str) -> str:
    return digits + gs1_check_digit(digits)


def _product(gtin: str) -> Identifier:
    check, findings = _checked(gtin)
    return Identifier(
        scheme="gtin", canonical=gtin.zfill(14), written_as="gtin",
        parts={"check_digit": gtin[-1]}, check=check, findings=findings,
    )  # fmt: skip


def _sgtin(gtin: str, serial: str) -> Identifier | None:
    if not _is_set_82(serial, 20):
        return None
    check, findings = _checked(gtin)
    return Identifier(
        scheme="sgtin", canonical=f"(01){gtin}(21){serial}", written_as="sgtin",
        parts={"gtin": gtin, "serial_number": serial}, check=check, findings=findings,
    )  # fmt: skip


def _grai(asset_type: str, serial: str) -> Identifier | None:
    if not _is_set_82(serial, 16):
        return None
    check, findings = _checked(asset_type)
    return Identifier(
        scheme="grai", canonical=f"(8003)0{asset_type}{serial}", written_as="grai",
        parts={"asset_type": asset_type, "serial_number": serial}, check=check, findings=findings,
    )  # fmt: skip


def _checked(digits: str) -> tuple[Check, tuple[Finding, ...]]:
    fitting = gs1_check_digit(digits[:-1])
    if digits[-1] == fitting:
        return Check.PASSED, ()
    sentence = f"a typing finding: the check digit is {digits[-1]}, but {fitting} would fit the others"
    return Check.FAILED, (Finding("check-digit-failed", sentence),)
