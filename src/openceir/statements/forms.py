"""How each type of field is spelt: in CBOR for the payload, in JSON or TOML for people.

| type | CBOR | JSON |
|---|---|---|
| `datetime` (UTC, whole seconds) | seconds since 1970 | `"2027-03-01T12:00:00Z"` |
| `date` | text `"2027-03-01"` | the same |
| `bytes` | octets | hexadecimal text |
| `DeviceSet` | map of `imeis` or `bitmap`, `ranges`, `others` | the same with texts, or just an array of IMEIs |
| `tuple[X, ...]` | array | array |
| `Pair` | `[imei, imsi, msisdn]` | the same |
| `Member`, `MemberKey` | the maps of `terms.py` | tables like those of members.toml |
| `Role` | text | the same |
| `X | None` | left out when None | the same |
"""

import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple

from openceir.statements.devices import DeviceSet
from openceir.statements.members import Member, MemberKey
from openceir.statements.roles import Role
from openceir.statements.terms import (
    key_of,
    member_of,
    read_key,
    read_member,
    spell_key,
    spell_member,
    write_key,
    write_member,
)

__all__ = ["Form", "Pair", "form_of"]

LONGEST_TEXT: Final = 1000
LONGEST_OCTETS: Final = 32 << 20
MOST_ITEMS: Final = 1_000_000
_LATEST = 253_402_300_799  # the last second of the year 9999

_IMEI = re.compile(r"[0-9]{14}", re.ASCII)
_IMSI = re.compile(r"[0-9]{6,15}", re.ASCII)
_MSISDN = re.compile(r"[0-9]{3,15}", re.ASCII)


class Pair(NamedTuple):
    """A device and the subscriber that may use it. Personal data: only ever in a payload, which can be erased."""

    imei: str  # 14 digits
    imsi: str  # 6 to 15 digits
    msisdn: str | None = None  # 3 to 15 digits, E.164 without the plus

    def __repr__(self) -> str:
        """No number: a pair in a traceback must not name anybody."""
        return "<Pair>"


@dataclass(frozen=True, slots=True)
class Form:
    """Spells and reads one field. Raises ValueError saying what was expected (a DeviceSet: StatementRefused)."""

    to_cbor: Callable[[Any], Any]
    from_cbor: Callable[[Any], Any]
    to_plain: Callable[[Any], Any]
    from_plain: Callable[[Any], Any]
    optional: bool = False


def form_of(annotation: Any) -> Form:
    """The form of a field so annotated; raises TypeError for a type that no payload carries."""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and arguments[1] is types.NoneType:
        inner = form_of(arguments[0])
        return Form(inner.to_cbor, inner.from_cbor, inner.to_plain, inner.from_plain, optional=True)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _many(form_of(arguments[0]))
    raise TypeError(f"a statement cannot carry {annotation}")


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not (value.isprintable()):
        raise ValueError(f"expected printable text of at most {LONGEST_TEXT} characters")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")  # noqa: TRY004 - a form raises ValueError only
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError("expected a whole number from 0 to 2^63 - 1")
    return value


def _octets(value: object) -> bytes:
    if not isinstance(value, bytes) or len(value) > LONGEST_OCTETS:
        raise ValueError(f"expected at most {LONGEST_OCTETS} octets")
    return value


def _octets_from_plain(value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError("expected hexadecimal text")  # noqa: TRY004
    return _octets(bytes.fromhex(value))


def _seconds(value: object) -> int:
    if not isinstance(value, datetime) or value.tzinfo is None or value.utcoffset() or value.microsecond:
        raise ValueError("expected an instant in UTC, whole seconds")
    seconds = int(value.timestamp())
    _instant(seconds)  # what could not be read again is not written either
    return seconds


def _instant(value: object) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise ValueError("expected whole seconds since 1970, UTC")
    return datetime.fromtimestamp(value, UTC)


def _instant_to_plain(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant_from_plain(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError("expected an instant with its offset, such as 2027-03-01T12:00:00Z")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("expected an instant that lies between the years 1970 and 9999 in UTC") from None
    _seconds(moment)
    return moment


def _day_to_cbor(value: object) -> str:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("expected a calendar day")  # noqa: TRY004
    return value.isoformat()


def _day(value: object) -> date:
    day = date.fromisoformat(_text(value))
    if day.isoformat() != value:
        raise ValueError("expected a calendar day spelt 2027-03-01")
    return day


def _day_from_plain(value: object) -> date:
    return value if isinstance(value, date) and not isinstance(value, datetime) else _day(value)


def _devices_to_cbor(value: object) -> dict[str, Any]:
    if not isinstance(value, DeviceSet):
        raise ValueError("expected a DeviceSet")  # noqa: TRY004
    return value.to_cbor()


def _devices_to_plain(value: DeviceSet) -> dict[str, Any]:
    plain: dict[str, Any] = value.to_cbor()
    if plain.pop("bitmap", None) is not None:
        plain["imeis"] = list(value)
    return plain


def _devices_from_plain(value: object) -> DeviceSet:
    if isinstance(value, str | list):
        return DeviceSet.of(value)
    if not isinstance(value, dict) or not value.keys() <= {"imeis", "ranges", "others"}:
        raise ValueError("expected an array of IMEIs, or an object of imeis, ranges and others")
    parts: dict[str, Any] = value
    return DeviceSet.of(
        parts.get("imeis", ()),
        ranges=[(lo, hi) for lo, hi in parts.get("ranges", ())],
        others=[(scheme, text) for scheme, text in parts.get("others", ())],
    )


def _pair(value: object) -> Pair:
    if not isinstance(value, tuple | list) or len(value) != 3:
        raise ValueError("expected [imei, imsi, msisdn or null]")
    for part, shape, optional in zip(value, (_IMEI, _IMSI, _MSISDN), (False, False, True), strict=True):
        if not (part is None and optional) and not (isinstance(part, str) and shape.fullmatch(part)):
            raise ValueError("expected an IMEI of 14 digits, an IMSI of 6 to 15 and an MSISDN of 3 to 15 or null")
    return Pair(*value)


def _pair_to_cbor(value: object) -> list[str | None]:
    return list(_pair(value))


def _role(value: object) -> Role:
    if not isinstance(value, str) or value not in set(Role):
        raise ValueError(f"expected a role: {', '.join(Role)}")
    return Role(value)


def _same(value: Any) -> Any:
    return value


def _many(one: Form) -> Form:
    def over(spell: Callable[[Any], Any], made: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def all_of(values: object) -> Any:
            if not isinstance(values, list | tuple) or len(values) > MOST_ITEMS:
                raise ValueError(f"expected an array of at most {MOST_ITEMS} items")
            return made(spell(value) for value in values)

        return all_of

    return Form(
        over(one.to_cbor, list), over(one.from_cbor, tuple), over(one.to_plain, list), over(one.from_plain, tuple)
    )


_SIMPLE: Final[dict[Any, Form]] = {
    str: Form(_text, _text, _same, _text),
    bool: Form(_flag, _flag, _same, _flag),
    int: Form(_number, _number, _same, _number),
    bytes: Form(_octets, _octets, bytes.hex, _octets_from_plain),
    datetime: Form(_seconds, _instant, _instant_to_plain, _instant_from_plain),
    date: Form(_day_to_cbor, _day, date.isoformat, _day_from_plain),
    DeviceSet: Form(_devices_to_cbor, DeviceSet.from_cbor, _devices_to_plain, _devices_from_plain),
    Pair: Form(_pair_to_cbor, _pair, _pair_to_cbor, _pair),
    Role: Form(str, _role, str, _role),
    Member: Form(write_member, read_member, spell_member, member_of),
    MemberKey: Form(write_key, read_key, spell_key, key_of),
}
