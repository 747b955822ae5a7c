"""The members of the register: who may say what, with which keys, and from when to when.

members.toml:

    [[member]]
    id = "cc-police"
    roles = ["police"]
    nation = "XA"                        # may be absent: of the register's own nation
    power = 10                           # may be absent: 0, it says things and has no vote

    [[member.key]]
    public = "cc-police+1f2e3d4c+AQ…"
    use = "statements"                   # may be absent; or log, witness, node
    valid_from = 2026-01-01T00:00:00Z
    valid_until = 2028-01-01T00:00:00Z   # may be absent
    revoked_at = 2026-06-01T00:00:00Z    # may be absent

    [[member.earlier]]                   # may be absent: the roles it held before the present ones
    roles = ["operator"]
    until = 2026-05-01T00:00:00Z

What was logged is judged by the roles of its time, now and whenever the book is read again: `openceir member
remove-role` writes the old roles down as earlier ones, and so must who takes a role away by hand.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from openceir.statements.errors import KeyRefused, MemberRefused
from openceir.statements.keys import PublicKey
from openceir.statements.roles import KeyUse, Role

__all__ = ["MOST_POWER", "EarlierRoles", "Member", "MemberKey", "Members"]

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}", re.ASCII)
_NATION = re.compile(r"[A-Z]{2}", re.ASCII)  # ISO 3166-1 alpha-2
MOST_POWER = 1_000_000


@dataclass(frozen=True, slots=True)
class MemberKey:
    """A public key of a member and when it counts: from `valid_from` up to, not including, the two ends."""

    public: PublicKey
    valid_from: datetime
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    use: KeyUse = KeyUse.STATEMENTS

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether a signature by this key counts at `moment`."""
        return (
            self.valid_from <= moment
            and (self.valid_until is None or moment < self.valid_until)
            and (self.revoked_at is None or moment < self.revoked_at)
        )


@dataclass(frozen=True, slots=True)
class EarlierRoles:
    """The roles that a member held up to, not including, an instant."""

    roles: frozenset[Role]
    until: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """An office, company or authority that may say things in this register."""

    id: str
    roles: frozenset[Role]
    keys: tuple[MemberKey, ...] = ()
    earlier: tuple[EarlierRoles, ...] = ()  # the oldest first
    nation: str = ""  # ISO 3166-1 alpha-2; empty: the nation of the register that lists it
    power: int = 0  # its weight in a consortium; whoever has any has one vote on who is a member

    def __post_init__(self) -> None:
        """Raises: MemberRefused for an id that could not name a key, for no role, or what else cannot be."""
        if not _ID.fullmatch(self.id):
            raise MemberRefused(f'"{self.id}" cannot name a member: use small letters, digits, hyphens and dots')
        if not self.roles:
            raise MemberRefused(f"{self.id} has no role, so it could say nothing; roles are {', '.join(Role)}")
        if any(one.until > next_one.until for one, next_one in pairwise(self.earlier)):
            raise MemberRefused(f"the earlier roles of {self.id} are out of order; write the oldest first")
        if self.nation and not _NATION.fullmatch(self.nation):
            raise MemberRefused(f"the nation of {self.id} must be two capital letters (ISO 3166-1 alpha-2)")
        if not 0 <= self.power <= MOST_POWER:
            raise MemberRefused(f"the power of {self.id} must lie between 0 and {MOST_POWER}")

    @property
    def is_voter(self) -> bool:
        """Whether it decides, with others, who is a member of a federation."""
        return self.power > 0

    def keys_at(self, use: KeyUse, moment: datetime) -> tuple[MemberKey, ...]:
        """Its keys of that use that count at `moment`."""
        return tuple(key for key in self.keys if key.use is use and key.is_valid_at(moment))

    def roles_at(self, moment: datetime) -> frozenset[Role]:
        """The roles it held at `moment`."""
        for one in self.earlier:
            if moment < one.until:
                return one.roles
        return self.roles

    def with_roles(self, roles: Iterable[Role], since: datetime) -> "Member":
        """The member with these roles besides, from `since` on."""
        return self.with_only_roles(self.roles | frozenset(roles), since)

    def with_only_roles(self, roles: Iterable[Role], since: datetime) -> "Member":
        """The member with these roles and no other from `since` on; those before are kept as earlier ones."""
        only = frozenset(roles)
        if only == self.roles:
            return self
        until = max(since, *(one.until for one in self.earlier)) if self.earlier else since
        return replace(self, roles=only, earlier=(*self.earlier, EarlierRoles(self.roles, until)))


class Members:
    """All members. Immutable: a change is a new Members, which the caller puts on its shelf."""

    def __init__(self, members: Iterable[Member] = ()) -> None:
        """Raises: MemberRefused when an id or a key stands twice."""
        self._by_id: dict[str, Member] = {}
        self._by_kid: dict[bytes, tuple[Member, MemberKey]] = {}
        for member in members:
            if member.id in self._by_id:
                raise MemberRefused(f"{member.id} stands twice among the members; join the two entries")
            self._by_id[member.id] = member
            for key in member.keys:
                if key.public.kid in self._by_kid:
                    raise MemberRefused(f"one key stands twice among the members, at last with {member.id}")
                self._by_kid[key.public.kid] = (member, key)

    def __iter__(self) -> Any:
        """The members in the order of their ids."""
        return iter(sorted(self._by_id.values(), key=lambda member: member.id))

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, member_id: str) -> Member | None:
        """The member of this id, or None."""
        return self._by_id.get(member_id)

    def find_key(self, kid: bytes) -> tuple[Member, MemberKey] | None:
        """Who signs with the key of this thumbprint, and the key; or None."""
        return self._by_kid.get(kid)

    def with_member(self, member: Member) -> "Members":
        """These members and `member`, in place of an earlier one of the same id."""
        return Members([*(other for other in self._by_id.values() if other.id != member.id), member])

    def with_key(self, member_id: str, key: MemberKey, roles: Iterable[Role] = ()) -> "Members":
        """`member_id` may sign with `key` too; a new member is made with `roles`, an old one gets them from then on."""
        old = self.find(member_id)
        if old is None:
            return self.with_member(Member(member_id, frozenset(roles), (key,)))
        return self.with_member(replace(old.with_roles(roles, key.valid_from), keys=(*old.keys, key)))

    def with_roles(self, member_id: str, roles: Iterable[Role], since: datetime) -> "Members":
        """`member_id` has these roles from `since` on, besides those it had; a new member has always had them."""
        old = self.find(member_id)
        return self.with_member(old.with_roles(roles, since) if old else Member(member_id, frozenset(roles)))

    def with_revoked(self, member_id: str, at: datetime, kid: bytes | None = None) -> "Members":
        """The key of thumbprint `kid`, or every key of the member, counts no longer from `at` on.

        Raises: MemberRefused when there is no such member or key, or nothing is left to revoke.
        """
        member = self.find(member_id)
        if member is None:
            raise MemberRefused(f'"{member_id}" is no member; `openceir member list` shows them')
        concerned = [k for k in member.keys if k.revoked_at is None and kid in (None, k.public.kid)]
        if not concerned:
            raise MemberRefused(f"{member_id} has no such key that is not revoked already")
        keys = tuple(replace(k, revoked_at=at) if k in concerned else k for k in member.keys)
        return self.with_member(replace(member, keys=keys))

    def without_roles(self, member_id: str, roles: Iterable[Role], since: datetime) -> "Members":
        """`member_id` has these roles no longer from `since` on; what it said before stays said with them.

        Raises: MemberRefused when it is no member, does not hold one of them, or would be left without any.
        """
        member = self.find(member_id)
        if member is None:
            raise MemberRefused(f'"{member_id}" is no member; `openceir member list` shows them')
        gone = frozenset(roles)
        if not gone <= member.roles:
            raise MemberRefused(f"{member_id} does not hold {', '.join(sorted(gone - member.roles))}")
        if gone == member.roles:
            raise MemberRefused(
                f"{member_id} would be left without a role; `openceir member revoke` ends what it may say altogether"
            )
        return self.with_member(member.with_only_roles(member.roles - gone, since))

    # -- text ----------------------------------------------------------------------------------------------------

    @classmethod
    def parse(cls, text: str, source: str = "members.toml") -> "Members":
        """The members that a TOML text describes; `source` names it in refusals.

        Raises: MemberRefused for a text that is no TOML, an unknown or missing field, role or key.
        """
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            raise MemberRefused(f"{source} is not TOML: {wrong}") from wrong
        _only(document, {"member"}, source)
        return cls(_member(table, source) for table in _tables(document.get("member", []), f"{source}: member"))

    def format(self) -> str:
        """The text that `parse` reads."""
        lines = ["# Who may sign what. `openceir member` and `openceir key` change this file; so may you.", ""]
        for member in self:
            lines += ["[[member]]", f'id = "{member.id}"', f"roles = [{_listed(member.roles)}]"]
            lines += [f'nation = "{member.nation}"'] if member.nation else []
            lines += [f"power = {member.power}"] if member.power else []
            lines.append("")
            for key in member.keys:
                lines += ["[[member.key]]", f'public = "{key.public.format()}"']
                lines += [f'use = "{key.use}"'] if key.use is not KeyUse.STATEMENTS else []
                for name in ("valid_from", "valid_until", "revoked_at"):
                    moment: datetime | None = getattr(key, name)
                    if moment is not None:
                        lines.append(f"{name} = {_written(moment)}")
                lines.append("")
            for one in member.earlier:
                lines += ["[[member.earlier]]", f"roles = [{_listed(one.roles)}]", f"until = {_written(one.until)}", ""]
        return "\n".join(lines)


def _member(table: dict[str, Any], source: str) -> Member:
    _only(table, {"id", "roles", "nation", "power", "key", "earlier"}, f"{source}: member")
    name = table.get("id")
    if not isinstance(name, str):
        raise MemberRefused(f'{source}: every member needs id = "…" and roles = ["…"]')
    roles = _roles(table, f"{source}: {name}")
    earlier = tuple(
        _earlier(entry, f"{source}: {name}: earlier")
        for entry in _tables(table.get("earlier", []), f"{source}: {name}: earlier")
    )
    keys = tuple(_key(entry, f"{source}: {name}") for entry in _tables(table.get("key", []), f"{source}: {name}: key"))
    nation, power = table.get("nation", ""), table.get("power", 0)
    if not isinstance(nation, str) or not isinstance(power, int) or isinstance(power, bool):
        raise MemberRefused(f'{source}: {name}: nation is a text such as "XA", power a whole number')
    return Member(name, roles, keys, earlier, nation, power)


def _roles(table: dict[str, Any], where: str) -> frozenset[Role]:
    roles = table.get("roles")
    if not isinstance(roles, list):
        raise MemberRefused(f'{where} needs roles = ["…"]')
    known = {str(role): role for role in Role}
    for role in roles:
        if role not in known:
            raise MemberRefused(f"{where}: {role!r} is no role; roles are {', '.join(Role)}")
    return frozenset(known[role] for role in roles)


def _earlier(table: dict[str, Any], where: str) -> EarlierRoles:
    _only(table, {"roles", "until"}, where)
    until = _moment(table, "until", where)
    if until is None:
        raise MemberRefused(f"{where} needs until, such as 2026-01-01T00:00:00Z")
    return EarlierRoles(_roles(table, where), until)


def _listed(roles: Iterable[Role]) -> str:
    return ", ".join(f'"{role}"' for role in sorted(roles))


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _key(table: dict[str, Any], where: str) -> MemberKey:
    _only(table, {"public", "use", "valid_from", "valid_until", "revoked_at"}, where)
    public = table.get("public")
    if not isinstance(public, str):
        raise MemberRefused(f'{where}: every key needs public = "name+hash+base64"')
    try:
        key = PublicKey.parse(public)
    except KeyRefused as wrong:
        raise MemberRefused(f"{where}: {wrong}") from wrong
    valid_from = _moment(table, "valid_from", where)
    if valid_from is None:
        raise MemberRefused(f"{where}: every key needs valid_from, such as 2026-01-01T00:00:00Z")
    use = table.get("use", KeyUse.STATEMENTS)
    if use not in set(KeyUse):
        raise MemberRefused(f"{where}: {use!r} is no use of a key; uses are {', '.join(KeyUse)}")
    return MemberKey(
        key, valid_from, _moment(table, "valid_until", where), _moment(table, "revoked_at", where), KeyUse(use)
    )


def _moment(table: dict[str, Any], name: str, where: str) -> datetime | None:
    value = table.get(name)
    if value is None:
        return None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise MemberRefused(f"{where}: {name} must be an instant with its offset, such as 2026-01-01T00:00:00Z")
    return value.astimezone(UTC)


def _tables(value: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
        raise MemberRefused(f"{where} must be written as [[{where.rsplit(' ', 1)[-1]}]] tables")
    return value


def _only(table: dict[str, Any], names: set[str], where: str) -> None:
    unknown = sorted(table.keys() - names)
    if unknown:
        raise MemberRefused(f"{where}: {unknown[0]} is not known here; expected {', '.join(sorted(names))}")
