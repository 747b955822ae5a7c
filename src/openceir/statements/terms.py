"""Members and their keys as a statement spells them: what is founded, proposed, and kept between blocks.

member = { "id", "roles": [text…], "nation", "power", "keys": [key…], ? "earlier": [[[text…], until]…] }
key    = { "use", "name", "x": 32 octets, "from", ? "until", ? "revoked" }         instants are seconds since 1970
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from openceir.statements.errors import KeyRefused, MemberRefused
from openceir.statements.keys import PublicKey
from openceir.statements.members import EarlierRoles, Member, MemberKey
from openceir.statements.roles import KeyUse, Role

__all__ = ["key_of", "member_of", "read_key", "read_member", "spell_key", "spell_member", "write_key", "write_member"]

MOST_KEYS: Final = 1000
_LATEST: Final = 253_402_300_799  # the last second of the year 9999


def write_key(key: MemberKey) -> dict[str, Any]:
    """The CBOR map of a key."""
    if not isinstance(key, MemberKey):
        raise ValueError("expected a member's key")  # noqa: TRY004 - a form raises ValueError only
    parts: dict[str, Any] = {"use": str(key.use), "name": key.public.name, "x": key.public.octets}
    for name, moment in (("from", key.valid_from), ("until", key.valid_until), ("revoked", key.revoked_at)):
        if moment is not None:
            parts[name] = int(moment.timestamp())
    return parts


def read_key(parts: object) -> MemberKey:
    """The key that a CBOR map spells; raises ValueError."""
    match parts:
        case {"use": str(use), "name": str(name), "x": bytes(octets), "from": int()} if use in set(KeyUse):
            assert isinstance(parts, Mapping)
            _only(parts, {"use", "name", "x", "from", "until", "revoked"})
            valid_from = _moment(parts["from"])
            assert valid_from is not None
            until, revoked_at = _moment(parts.get("until")), _moment(parts.get("revoked"))
            try:
                return MemberKey(PublicKey(name, octets), valid_from, until, revoked_at, KeyUse(use))
            except KeyRefused as wrong:
                raise ValueError(str(wrong)) from wrong
    raise ValueError("expected a key: its use, name, 32 octets x and first second")


def write_member(member: Member) -> dict[str, Any]:
    """The CBOR map of a member."""
    if not isinstance(member, Member):
        raise ValueError("expected a member")  # noqa: TRY004
    parts: dict[str, Any] = {
        "id": member.id,
        "roles": sorted(map(str, member.roles)),
        "nation": member.nation,
        "power": member.power,
        "keys": [write_key(key) for key in member.keys],
    }
    if member.earlier:
        parts["earlier"] = [[sorted(map(str, one.roles)), int(one.until.timestamp())] for one in member.earlier]
    return parts


def read_member(parts: object) -> Member:
    """The member that a CBOR map spells; raises ValueError."""
    match parts:
        case {"id": str(name), "roles": [*roles], "nation": str(nation), "power": int(power), "keys": [*keys]} if len(
            keys
        ) <= MOST_KEYS and not isinstance(power, bool):
            assert isinstance(parts, Mapping)
            _only(parts, {"id", "roles", "nation", "power", "keys", "earlier"})
            earlier = parts.get("earlier", [])
            if not isinstance(earlier, list | tuple) or ("earlier" in parts and not earlier):
                raise ValueError("expected earlier roles as an array, or none at all")
            try:
                return Member(
                    name, _roles(roles), tuple(map(read_key, keys)), tuple(map(_earlier, earlier)), nation, power
                )
            except MemberRefused as wrong:
                raise ValueError(str(wrong)) from wrong
    raise ValueError("expected a member: id, roles, nation, power and keys")


def spell_key(key: MemberKey) -> dict[str, Any]:
    """A key as JSON shows it: its one line and its times."""
    plain = {"use": str(key.use), "public": key.public.format(), "valid_from": _text(key.valid_from)}
    if key.valid_until is not None:
        plain["valid_until"] = _text(key.valid_until)
    return plain


def key_of(plain: object) -> MemberKey:
    """The key that a JSON or TOML table describes; raises ValueError."""
    if not isinstance(plain, Mapping):
        raise ValueError("expected a table of use, public, valid_from")  # noqa: TRY004
    _only(plain, {"use", "public", "valid_from", "valid_until"})
    try:
        public, use = PublicKey.parse(str(plain.get("public"))), KeyUse(plain.get("use", KeyUse.STATEMENTS))
    except KeyRefused as wrong:
        raise ValueError(str(wrong)) from wrong
    until = plain.get("valid_until")
    return MemberKey(public, _instant(plain.get("valid_from")), _instant(until) if until is not None else None, use=use)


def spell_member(member: Member) -> dict[str, Any]:
    """A member as JSON shows it."""
    return {
        "id": member.id,
        "roles": sorted(map(str, member.roles)),
        "nation": member.nation,
        "power": member.power,
        "keys": [spell_key(key) for key in member.keys],
    }


def member_of(plain: object) -> Member:
    """The member that a JSON or TOML table describes; raises ValueError."""
    if not isinstance(plain, Mapping):
        raise ValueError("expected a table of id, roles, nation, power and keys")  # noqa: TRY004
    _only(plain, {"id", "roles", "nation", "power", "keys"})
    roles, keys, power = plain.get("roles"), plain.get("keys", []), plain.get("power", 0)
    if not isinstance(roles, list | tuple) or not isinstance(keys, list | tuple) or not isinstance(power, int):
        raise ValueError("roles and keys are arrays, power is a whole number")  # noqa: TRY004
    try:
        return Member(
            str(plain.get("id")),
            frozenset(map(Role, roles)),
            tuple(map(key_of, keys)),
            (),
            str(plain.get("nation", "")),
            power,
        )
    except MemberRefused as wrong:
        raise ValueError(str(wrong)) from wrong


def _roles(names: list[Any]) -> frozenset[Role]:
    if names != sorted(set(map(str, names))):
        raise ValueError("roles stand in the order of their names, each once")
    return frozenset(map(Role, names))


def _earlier(item: object) -> EarlierRoles:
    match item:
        case [[*names], int(until)]:
            moment = _moment(until)
            assert moment is not None
            return EarlierRoles(_roles(names), moment)
    raise ValueError("earlier roles are [roles, until]")


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LATEST:
        raise ValueError("expected whole seconds since 1970, UTC")
    return datetime.fromtimestamp(value, UTC)


def _instant(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("expected an instant with its offset, whole seconds, such as 2027-03-01T12:00:00Z")
    return moment.astimezone(UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _only(parts: Mapping[Any, Any], names: set[str]) -> None:
    unknown = sorted(map(str, parts.keys() - names))
    if unknown:
        raise ValueError(f"{unknown[0][:60]!r} does not belong there; expected {', '.join(sorted(names))}")
