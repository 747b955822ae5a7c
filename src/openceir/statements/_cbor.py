"""CBOR that has one spelling: what is read must be, octet for octet, what would be written.

Two spellings of one statement would be two leaves that say the same thing, and one of them could be replayed. Tags
are refused wherever they stand: none of ours uses one inside, and a decoder must not be talked into building regular
expressions, fractions or shared references.

Source: RFC 8949 §4.2.1 (core deterministic encoding). For the keys we use, texts below 24 octets and labels whose
shorter form sorts first, it agrees with cbor2's `canonical=True`, which is RFC 7049 §3.9.
"""

from typing import Any, NoReturn

import cbor2

from openceir.statements.errors import StatementRefused

__all__ = ["not_canonical", "read_canonical", "read_loosely", "read_octets", "write_canonical", "write_octets"]

DEEPEST = 8
_PLAIN = frozenset({str, int, bytes, bool, type(None)})
_SHORT, _FEW = 23, 64  # octets of a text whose head is one octet; items that are worth a look each


def _refuse_tag(*_: object) -> NoReturn:
    raise cbor2.CBORDecodeError("a tag, where none belongs")


# Every tag that cbor2 would act upon; an unknown one goes to tag_hook.
_KNOWN_TAGS = (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_NO_TAGS = dict.fromkeys(_KNOWN_TAGS, _refuse_tag)


def write_canonical(value: object) -> bytes:
    """The one spelling of `value`."""
    return cbor2.dumps(value, canonical=True)


def read_canonical(octets: bytes, what: str) -> Any:
    """The value that `octets` spell; `what` names it in the refusal.

    Raises: StatementRefused when they are cut, followed by more, nested too deeply, tagged or spelt in another way.
    """
    value = read_loosely(octets, what)
    try:
        # Maps in order at a glance need no sorting, which costs as much again as the writing.
        same = cbor2.dumps(value, canonical=not _is_in_order(value)) == octets
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as wrong:
        raise unreadable(what) from wrong
    if not same:
        raise not_canonical(what)
    return value


def _is_in_order(value: object) -> bool:
    """Whether its maps have short texts for keys in canonical order and it holds no number but integers.

    False says nothing: it is looked at more closely then.
    """
    if isinstance(value, dict):
        last = ""
        for key, inner in value.items():
            if type(key) is not str or len(key) > _SHORT or not key.isascii() or (len(key), key) <= (len(last), last):
                return False
            if type(inner) not in _PLAIN and not _is_in_order(inner):
                return False
            last = key
        return True
    if isinstance(value, list) and len(value) <= _FEW:
        return all(type(inner) in _PLAIN or _is_in_order(inner) for inner in value)
    return type(value) in _PLAIN


def read_loosely(octets: bytes, what: str) -> Any:
    """The value that `octets` spell or begin with; the caller writes it again and compares.

    Raises: StatementRefused when they are cut, nested too deeply or tagged.
    """
    try:
        return cbor2.loads(
            octets,
            max_depth=DEEPEST,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=False,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse_tag,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError) as wrong:
        raise unreadable(what) from wrong


def write_octets(octets: bytes) -> bytes:
    """The spelling of an octet string; by hand, since every envelope is made of them (RFC 8949 §3.1)."""
    length = len(octets)
    if length < 24:
        return bytes([0x40 | length]) + octets
    if length < 1 << 8:
        return bytes([0x58, length]) + octets
    return (b"\x59" + length.to_bytes(2) if length < 1 << 16 else b"\x5a" + length.to_bytes(4)) + octets


def read_octets(octets: bytes, at: int) -> tuple[bytes, int]:
    """The octet string that stands at `at` in its one spelling, and where it ends; by hand, as `write_octets`.

    Raises: ValueError when none stands there whole, or in a longer spelling than it needs.
    """
    first = octets[at] if at < len(octets) else 0
    if first < 0x58:
        start, length, least = at + 1, first - 0x40, 0
    elif first <= 0x5A:
        width = 1 << first - 0x58
        start, least = at + 1 + width, 24 if width == 1 else 1 << 4 * width
        length = int.from_bytes(octets[at + 1 : start])
    else:
        length = -1
    end = start + length if length >= 0 else -1
    if length < 0 or length < least or end > len(octets):
        raise ValueError("no octet string stands there in its shortest spelling")
    return octets[start:end], end


def unreadable(what: str) -> StatementRefused:
    """The refusal of octets that are no CBOR."""
    return StatementRefused(f"{what} is not CBOR that can be read; was the file cut or changed on its way?")


def not_canonical(what: str) -> StatementRefused:
    """The refusal of a second spelling."""
    return StatementRefused(f"{what} is not in canonical CBOR (RFC 8949 §4.2.1); encode it canonically and sign anew")
