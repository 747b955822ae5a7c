"""Identities of radio equipment: IMEI and IMEISV in every form, TAC, MEID, ESN, EID, ICCID."""

import hashlib
import re
from collections.abc import Mapping

from openceir.identity.checks import luhn_check_digit, luhn_check_digit_hex
from openceir.identity.errors import InvalidImei
from openceir.identity.finding import Finding
from openceir.identity.identifier import Check, Identifier
from openceir.identity.imei import Imei, luhn_finding
from openceir.identity.non_unique import find_non_unique
from openceir.identity.schemes.hardware import eui48_identifier, eui64_identifier
from openceir.identity.tac import is_test_tac, rbi_of

__all__ = [
    "meid_of_decimal", "pseudo_esn",
    "read_bare_esn", "read_eid", "read_esn", "read_iccid", "read_imei", "read_imei_without_zeros", "read_imeisv",
    "read_meid", "read_pei", "read_tac",
]  # fmt: skip

_BETWEEN = re.compile(r"[ \t\u00a0\-]+")
_PEI = re.compile(
    r"(?:imei-(?P<imei>[0-9]{15})|imeisv-(?P<imeisv>[0-9]{16})"
    r"|mac-(?P<mac>[0-9a-f]{2}(?:-[0-9a-f]{2}){5})(?P<untrusted>-untrusted)?"
    r"|eui-(?P<eui>[0-9a-f]{2}(?:-[0-9a-f]{2}){7}))",
    re.IGNORECASE,
)
_MEID_URN = re.compile(r"urn:device-id:meid:([0-9a-f]{8})-([0-9a-f]{6})-([0-9a-f])", re.IGNORECASE)


def read_imei(text: str) -> Identifier | None:
    """An IMEI of 14 or 15 digits, as printed, or its URN."""
    try:
        imei = Imei.parse(text)
    except InvalidImei:
        return None
    if text[:4].lower() == "urn:":
        return _imei(imei, "imei-urn", Check.ABSENT)
    if imei.svn:
        return None
    if imei.check_digit is None:
        return _imei(imei, "imei", Check.ABSENT)
    found = luhn_finding(imei.digits, imei.check_digit)
    if found is None:
        return _imei(imei, "imei", Check.PASSED)
    # A network's spare zero is no check digit, so it cannot fail as one.
    return _imei(imei, "imei", Check.ABSENT if found.code == "spare-digit" else Check.FAILED, (found,))


def read_imeisv(text: str) -> Identifier | None:
    """An IMEISV of 16 digits, as printed."""
    try:
        imei = Imei.parse(text)
    except InvalidImei:
        return None
    return _imeisv(imei, "imeisv") if imei.svn and text[:4].lower() != "urn:" else None


def read_imei_without_zeros(text: str) -> Identifier | None:
    """A number known to be on many devices that lost its leading zeros: 440015202000."""
    row = find_non_unique(text) if len(text) < 14 else None
    if row is None:
        return None
    lost = Finding(
        "lost-leading-zeros",
        f"the text has {len(text)} digits; with its leading zeros restored it is {row.digits}. Spreadsheets drop them: "
        "keep the column as text",
    )
    return _imei(Imei(row.digits[:8], row.digits[8:]), "imei", Check.ABSENT, (lost,))


def read_pei(text: str) -> Identifier | None:
    """The four forms of a 5G permanent equipment identifier.

    The interface takes any other non-empty text as a PEI as well; such a text is no identifier we know.
    Source: 3GPP TS 29.571 §5.3.2.
    """
    match = _PEI.fullmatch(text)
    if match is None:
        return None
    if digits := match["imei"]:
        # The 15th digit may be the spare zero of the air interface, so nothing is concluded from it.
        return _imei(Imei(digits[:8], digits[8:14], digits[14]), "pei-imei", Check.ABSENT)
    if digits := match["imeisv"]:
        return _imeisv(Imei(digits[:8], digits[8:14], None, digits[14:]), "pei-imeisv")
    if match["mac"]:
        untrusted = (
            Finding("untrusted-mac", "the network itself marks this MAC address as not to be trusted"),
        )  # fmt: skip
        return eui48_identifier(match["mac"], "pei-mac", untrusted if match["untrusted"] else ())
    return eui64_identifier(match["eui"], "pei-eui")


def read_tac(text: str) -> Identifier | None:
    """Eight digits, as printed."""
    tac = _BETWEEN.sub("", text)
    if not re.fullmatch(r"[0-9]{8}", tac):
        return None
    return Identifier(
        scheme="tac", canonical=tac, written_as="tac", parts=_parts_of_tac(tac), findings=_findings_of_tac(tac)
    )


def read_meid(text: str) -> Identifier | None:
    """A MEID in hexadecimal (14 digits, check digit or not), in decimal (18), in a URN, or all-decimal (99…)."""
    if urn := _MEID_URN.fullmatch(text):
        # as in the IMEI URN the last digit is a spare
        return _meid(f"{urn[1]}{urn[2]}".upper(), "meid", None)
    written = _BETWEEN.sub("", text).upper()
    if re.fullmatch(r"[0-9A-F]{14,15}", written):
        return _meid(written[:14], "meid", written[14:] or None)
    if re.fullmatch(r"[0-9]{18,19}", written):
        meid = meid_of_decimal(written[:18])
        return _meid(meid, "meid-decimal", written[18:] or None, written[:18]) if meid else None
    return None


def meid_of_decimal(decimal18: str) -> str | None:
    """The fourteen hexadecimal digits of a decimal MEID; None when either half is too large.

    Source: 3GPP2 S.R0048: ten digits for the first 32 bits, eight for the last 24.
    """
    high, low = int(decimal18[:10]), int(decimal18[10:])
    return f"{high:08X}{low:06X}" if high < 1 << 32 and low < 1 << 24 else None


def pseudo_esn(meid: str) -> str:
    """The pseudo-ESN of fourteen hexadecimal digits: 80 and the last 24 bits of a SHA-1.

    SHA-1 is what the standard says; nothing here rests on its strength.
    """
    return "80" + hashlib.sha1(bytes.fromhex(meid), usedforsecurity=False).hexdigest()[-6:].upper()


def read_esn(text: str) -> Identifier | None:
    """What was said to be an ESN or pseudo-ESN: 8 hexadecimal digits, or 11 decimal ones (3 and 8)."""
    written = _BETWEEN.sub("", text).upper()
    if re.fullmatch(r"[0-9A-F]{8}", written):
        esn = written
    elif re.fullmatch(r"[0-9]{11}", written) and int(written[:3]) < 1 << 8 and int(written[3:]) < 1 << 24:
        esn = f"{int(written[:3]):02X}{int(written[3:]):06X}"
    else:
        return None
    parts = {"maker": esn[:2], "serial_number": esn[2:], "decimal": f"{int(esn[:2], 16):03d}{int(esn[2:], 16):08d}"}
    if not esn.startswith("80"):
        return Identifier(scheme="esn", canonical=esn, written_as="esn", parts=parts)
    collides = Finding("non-unique", "a pseudo-ESN has 24 free bits: many devices share each one, ask for the MEID")
    return Identifier(scheme="pesn", canonical=esn, written_as="pesn", parts=parts, findings=(collides,))


def read_bare_esn(text: str) -> Identifier | None:
    """The same, but eight decimal digits are left to the TAC."""
    return None if _BETWEEN.sub("", text).isdecimal() and len(_BETWEEN.sub("", text)) == 8 else read_esn(text)


def read_eid(text: str) -> Identifier | None:
    """An EID of 32 digits."""
    digits = _BETWEEN.sub("", text)
    if not re.fullmatch(r"[0-9]{32}", digits):
        return None
    passed = int(digits) % 97 == 1
    findings = []
    if not passed:
        findings.append(
            Finding("eid-check-failed", "a typing finding: the number modulo 97 is not 1; compare it with the device")
        )
    parts = {"check_digits": digits[30:], "serial": digits[18:30]}
    if digits.startswith("89"):
        parts |= {"country": digits[2:5], "issuer": digits[5:8], "version": digits[8:13], "information": digits[13:18]}
    else:
        findings.append(Finding("eid-not-89", "an EID outside the telecommunication prefix 89 (GSMA SGP.29)"))
    return Identifier(
        scheme="eid", canonical=digits, written_as="eid", parts=parts,
        check=Check.PASSED if passed else Check.FAILED, findings=tuple(findings),
    )  # fmt: skip


def read_iccid(text: str) -> Identifier | None:
    """An ICCID: 19 or 20 digits that begin with 89, and perhaps the filler F."""
    digits = _BETWEEN.sub("", text).upper().removesuffix("F")
    if not re.fullmatch(r"89[0-9]{17,18}", digits):
        return None
    fitting = luhn_check_digit(digits[:-1])
    passed = digits[-1] == fitting
    findings = [Finding("not-a-device", "an ICCID names a SIM card, which can be put into any device")]
    if not passed:
        findings.append(_typing_finding(digits[-1], fitting))
    return Identifier(
        scheme="iccid", canonical=digits, written_as="iccid",
        parts={"industry": "89", "country_and_issuer_and_account": digits[2:-1], "check_digit": digits[-1]},
        check=Check.PASSED if passed else Check.FAILED, findings=tuple(findings),
    )  # fmt: skip


def _imei(imei: Imei, written_as: str, check: Check, findings: tuple[Finding, ...] = ()) -> Identifier:
    parts = {**_parts_of_tac(imei.tac), "serial_number": imei.serial_number}
    if imei.check_digit is not None:
        parts["check_digit"] = imei.check_digit
    if imei.svn is not None:
        parts["software_version"] = imei.svn
    return Identifier(
        scheme="imei", canonical=imei.digits, written_as=written_as, parts=parts, check=check,
        findings=(*findings, *_findings_of_imei(imei)),
    )  # fmt: skip


def _imeisv(imei: Imei, written_as: str) -> Identifier:
    svn = imei.svn or ""
    reserved = (
        (Finding("svn-reserved", "software version 99 is reserved (3GPP TS 23.003 §6.2.2)"),) if svn == "99" else ()
    )
    return Identifier(
        scheme="imeisv", canonical=imei.digits + svn, written_as=written_as,
        parts={**_parts_of_tac(imei.tac), "serial_number": imei.serial_number, "software_version": svn},
        findings=(*reserved, *_findings_of_imei(imei)),
    )  # fmt: skip


def _parts_of_tac(tac: str) -> Mapping[str, str]:
    body = rbi_of(tac)
    return {"tac": tac, "reporting_body": f"{tac[:2]} {body.name if body else '(none known)'}"}


def _findings_of_imei(imei: Imei) -> tuple[Finding, ...]:
    row = find_non_unique(imei.digits)
    if row is None:
        return _findings_of_tac(imei.tac)
    shared = Finding(
        "non-unique",
        f"this number is on many devices ({row.kind}): {row.evidence}. It names nobody's phone, so it is never "
        "blocked as a device nor registered",
    )
    return (shared,)


def _findings_of_tac(tac: str) -> tuple[Finding, ...]:
    if is_test_tac(tac):
        return (Finding("test-tac", "the TAC is one for test equipment, which belongs on no public network"),)
    if rbi_of(tac) is None:
        return (
            Finding(
                "rbi-unknown", f"no reporting body with the prefix {tac[:2]} is known to us; old tables may lack it"
            ),
        )
    return ()


def _meid(meid: str, written_as: str, written_check: str | None, decimal: str | None = None) -> Identifier | None:
    all_decimal = meid.startswith("99") and meid.isdecimal()
    if not (all_decimal or "A0" <= meid[:2] <= "FF"):
        return None
    decimal = decimal or f"{int(meid[:8], 16):010d}{int(meid[8:], 16):08d}"
    parts = {
        "region": meid[:2], "maker": meid[2:8], "serial_number": meid[8:],
        "decimal": decimal, "pseudo_esn": pseudo_esn(meid),
    }  # fmt: skip
    check, findings = Check.ABSENT, []
    if written_check is not None:
        parts["check_digit"] = written_check
        if written_as == "meid-decimal":
            fitting = luhn_check_digit(decimal)
        else:
            fitting = luhn_check_digit(meid) if all_decimal else luhn_check_digit_hex(meid)
        check = Check.PASSED if written_check == fitting else Check.FAILED
        if check is Check.FAILED:
            findings.append(_typing_finding(written_check, fitting))
    if all_decimal:
        findings.append(Finding("meid-is-imei", "an all-decimal MEID of region 99 is an IMEI with the same digits"))
    return Identifier(
        scheme="meid", canonical=meid, written_as=written_as, parts=parts, check=check, findings=tuple(findings)
    )


def _typing_finding(written: str, fitting: str) -> Finding:
    return Finding(
        "check-digit-failed", f"a typing finding: the check digit is {written}, but {fitting} would fit the others"
    )
