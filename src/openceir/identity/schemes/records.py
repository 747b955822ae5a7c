"""Names of records and keys: Handle, DOI, OID, DID."""

import re
from uuid import UUID

from openceir.identity.finding import Finding
from openceir.identity.identifier import Identifier

__all__ = ["read_did", "read_doi", "read_handle", "read_oid", "read_short_oid"]

_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.[0-9]{4,9}(?:\.[0-9]+)*)/(\S{1,2000})", re.IGNORECASE)
_HANDLE = re.compile(
    r"(?P<mark>hdl:|https?://hdl\.handle\.net/)?(?P<prefix>[0-9]+(?:\.[0-9A-Za-z\-]+)*)/(?P<suffix>\S{1,2000})",
    re.IGNORECASE,
)
_OID = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]{0,38}))+)", re.IGNORECASE)
_DID = re.compile(r"did:([a-z0-9]+):([A-Za-z0-9.\-_:%]{1,2000})")


def read_doi(text: str) -> Identifier | None:
    """A DOI, bare, with `doi:` or as a link. Its letters count as equal in either case (ISO 26324): lowered."""
    match = _DOI.fullmatch(text)
    if match is None or not text.isprintable():  # a control character would reach somebody's terminal
        return None
    prefix, suffix = match[1], match[2].lower()
    return Identifier(
        scheme="doi", canonical=f"{prefix}/{suffix}", written_as="doi", parts={"prefix": prefix, "suffix": suffix}
    )


def read_handle(text: str) -> Identifier | None:
    """A Handle with `hdl:`, as a link, or bare with a dotted prefix. A prefix 10 is a DOI's."""
    match = _HANDLE.fullmatch(text)
    if match is None or match["prefix"].startswith("10.") or not text.isprintable():
        return None
    if not match["mark"] and "." not in match["prefix"]:
        return None
    parts = {"prefix": match["prefix"], "suffix": match["suffix"]}
    return Identifier(
        scheme="handle", canonical=f"{match['prefix']}/{match['suffix']}", written_as="handle", parts=parts
    )


def read_oid(text: str) -> Identifier | None:
    """An object identifier of three arcs or more, or a URN; a shorter bare one reads as a decimal number."""
    is_urn = text[:4].lower() == "urn:"
    return read_short_oid(text) if is_urn or text.count(".") >= 2 else None


def read_short_oid(text: str) -> Identifier | None:
    """What was said to be an object identifier: two arcs or more."""
    match = _OID.fullmatch(text)
    if match is None:
        return None
    arcs = match[1].split(".")
    if arcs[0] != "2" and not (len(arcs[1]) <= 2 and int(arcs[1]) < 40):
        return None
    parts = {"arcs": str(len(arcs))}
    findings: tuple[Finding, ...] = ()
    if arcs[:2] == ["2", "25"] and len(arcs) == 3:
        number = int(arcs[2])
        if number < 1 << 128:
            parts["uuid"] = str(UUID(int=number))
        else:
            findings = (Finding("oid-uuid-too-large", "the arc below 2.25 must be a UUID as a number (ITU-T X.667)"),)
    return Identifier(scheme="oid", canonical=match[1], written_as="oid", parts=parts, findings=findings)


def read_did(text: str) -> Identifier | None:
    """A decentralized identifier; a path, query or fragment makes it a DID URL, which names more than the subject."""
    match = _DID.fullmatch(text)
    if match is None:
        return None
    return Identifier(scheme="did", canonical=text, written_as="did", parts={"method": match[1], "id": match[2]})
