"""Identities that software made up: UUIDs of every kind and the Android ID."""

import re
from uuid import UUID

from openceir.identity.finding import Finding
from openceir.identity.identifier import Check, Identifier

__all__ = ["read_android_id", "read_gaid", "read_idfv", "read_uuid"]

_UUID = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?", re.IGNORECASE)
_KINDS = {
    1: "time and network interface", 2: "DCE security", 3: "name, MD5", 4: "random",
    5: "name, SHA-1", 6: "time and network interface, ordered", 7: "Unix time and random", 8: "vendor's own",
}  # fmt: skip
_OF_SOFTWARE = Finding("set-by-software", "software made this value up and may change it; it identifies no device")


def read_uuid(text: str) -> Identifier | None:
    """A UUID in its usual form, in braces or as a URN; its kind stands in `parts`."""
    match = _UUID.fullmatch(text)
    if match is None:
        return None
    uuid = UUID(match[1])
    if uuid.int == 0 or uuid.int == (1 << 128) - 1:
        filler = Finding("non-unique", "the nil or max UUID: a filler, nobody's device")
        return _uuid("uuid", uuid, {"kind": "nil" if uuid.int == 0 else "max"}, Check.PASSED, filler)
    if uuid.version not in _KINDS:  # also None, when the variant bits are not those of RFC 9562
        odd = Finding("uuid-odd", "version or variant bits are none that RFC 9562 defines")
        return _uuid("uuid", uuid, {"kind": "not RFC 9562"}, Check.FAILED, odd)
    parts = {"version": str(uuid.version), "kind": _KINDS[uuid.version]}
    if uuid.version in (1, 6):
        parts["node"] = f"{uuid.node:012x}"
    return _uuid("uuid", uuid, parts, Check.PASSED, _OF_SOFTWARE)


def read_idfv(text: str) -> Identifier | None:
    """What was said to be an identifier for vendor."""
    match = _UUID.fullmatch(text)
    return _uuid("idfv", UUID(match[1]), {}, Check.NONE, _OF_SOFTWARE) if match else None


def read_gaid(text: str) -> Identifier | None:
    """What was said to be an advertising identifier; all zeros when its user switched it off."""
    match = _UUID.fullmatch(text)
    if match is None:
        return None
    uuid = UUID(match[1])
    switched_off = Finding("non-unique", "all zeros: advertising is switched off on that device, as on many")
    return _uuid("gaid", uuid, {}, Check.NONE, _OF_SOFTWARE if uuid.int else switched_off)


def read_android_id(text: str) -> Identifier | None:
    """Sixteen bare hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        return None
    return Identifier(scheme="android-id", canonical=text.lower(), written_as="android-id", findings=(_OF_SOFTWARE,))


def _uuid(scheme: str, uuid: UUID, parts: dict[str, str], check: Check, finding: Finding) -> Identifier:
    return Identifier(
        scheme=scheme, canonical=str(uuid), written_as=scheme, parts=parts, check=check, findings=(finding,)
    )
