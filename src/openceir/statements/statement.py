"""The base of all statements, the register of their kinds, and the octets and plain texts they travel as."""

import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from openceir.statements._cbor import read_canonical, write_canonical
from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused
from openceir.statements.forms import Form, form_of
from openceir.statements.roles import Role

__all__ = [
    "KINDS",
    "Statement",
    "decode_payload",
    "encode_payload",
    "from_plain",
    "kind_fields",
    "statement",
    "to_plain",
]

NO_DEVICES = DeviceSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one member says of some devices. Kinds derive from it, one file each in `kinds/`."""

    kind: ClassVar[str]
    said_by: ClassVar[frozenset[Role]]
    is_public: ClassVar[bool]  # names no device and no person: what it says travels with the entry, and is never erased

    def check(self, signed_at: datetime) -> None:
        """Raise StatementRefused when this cannot be true of a statement signed at `signed_at`."""


KINDS: dict[str, type[Statement]] = {}
_FORMS: dict[str, tuple[tuple[str, Form, object], ...]] = {}  # kind -> (field, form, default or MISSING)

S = TypeVar("S", bound=type[Statement])


def statement(*, kind: str, said_by: Role | Iterable[Role], public: bool = False) -> Callable[[S], S]:
    """Register a dataclass as a kind of statement that these roles may say. A published kind never changes."""

    def register(made: S) -> S:
        if kind in KINDS:
            raise TypeError(f"{kind} is already taken by {KINDS[kind].__name__}")
        hints = typing.get_type_hints(made)
        made.kind = kind
        made.said_by = frozenset([said_by] if isinstance(said_by, Role) else said_by)
        made.is_public = public
        KINDS[kind] = made
        _FORMS[kind] = tuple((field.name, form_of(hints[field.name]), field.default) for field in fields(made))
        return made

    return register


def encode_payload(said: Statement) -> bytes:
    """The canonical octets of what is said; salted, they are what the signature binds.

    Raises: StatementRefused when a field holds what its kind does not allow.
    """
    return write_canonical(_spell(said, lambda form: form.to_cbor))


def decode_payload(kind: str, octets: bytes) -> Statement:
    """The statement of this kind that `octets` spell.

    Raises: StatementRefused for an unknown kind, octets that are not canonical, missing, unknown or wrong fields.
    """
    _known(kind)
    return _read(kind, read_canonical(octets, f"the payload of {kind}"), lambda form: form.from_cbor)


def to_plain(said: Statement) -> dict[str, Any]:
    """The statement as JSON shows it, its kind first."""
    return {"kind": said.kind, **_spell(said, lambda form: form.to_plain)}


def from_plain(plain: Mapping[str, Any]) -> Statement:
    """The statement that a JSON or TOML table describes; `kind` says which.

    Raises: StatementRefused naming the field that is wrong.
    """
    kind = plain.get("kind")
    if not isinstance(kind, str):
        raise StatementRefused('the field "kind" is missing; `openceir statement kinds` lists what may be said')
    _known(kind)
    return _read(kind, {name: value for name, value in plain.items() if name != "kind"}, lambda form: form.from_plain)


def kind_fields(kind: str) -> list[str]:
    """The names of a kind's fields, in the order of its definition."""
    return [name for name, _, _ in _FORMS[kind]]


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise StatementRefused(f'"{_shown(kind)}" is no kind of statement; `openceir statement kinds` lists them')


def _shown(name: str) -> str:
    """A stranger's word as a sentence can bear it: short, and half a surrogate pair spelt out, for it has no UTF-8."""
    return name[:60].encode("utf-8", "backslashreplace").decode()


def _spell(said: Statement, how: Callable[[Form], Callable[[Any], Any]]) -> dict[str, Any]:
    spelt = {}
    for name, form, _ in _FORMS[said.kind]:
        value = getattr(said, name)
        if value is None and form.optional:
            continue
        try:
            spelt[name] = how(form)(value)
        except ValueError as wrong:
            raise StatementRefused(f"{said.kind}: {name}: {wrong}") from wrong
    return spelt


def _read(kind: str, parts: object, how: Callable[[Form], Callable[[Any], Any]]) -> Statement:
    if not isinstance(parts, Mapping):
        raise StatementRefused(f"the payload of {kind} must be a map of its fields")
    values: dict[str, Any] = {}
    found = 0
    for name, form, default in _FORMS[kind]:
        if name in parts:
            found += 1
            try:
                values[name] = how(form)(parts[name])
            except (ValueError, TypeError) as wrong:
                raise StatementRefused(f"{kind}: {name}: {wrong}") from wrong
        elif form.optional:
            values[name] = None
        elif default is MISSING:
            raise StatementRefused(f"{kind}: {name} is missing")
        else:
            values[name] = default
    if found < len(parts):
        unknown = ", ".join(sorted(_shown(str(name)) for name in parts.keys() - values.keys()))
        raise StatementRefused(f"{kind} has no field {unknown}; expected {', '.join(values)}")
    return KINDS[kind](**values)
