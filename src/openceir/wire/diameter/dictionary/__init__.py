"""The AVPs and commands we understand, read once from the tables that stand beside this file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

__all__ = ["AVPS", "COMMANDS", "NAMED", "AvpRule", "CommandRule"]

# Least and most octets of a value. Source: RFC 6733 §4.2 and §4.3; an Address has two octets of family and at least
# one of address; None stands for "as many as the message has".
_SIZES: Mapping[str, tuple[int, int | None]] = {
    "OctetString": (0, None),
    "UTF8String": (0, None),
    "DiameterIdentity": (1, None),
    "Grouped": (0, None),
    "Address": (3, None),
    "Integer32": (4, 4),
    "Unsigned32": (4, 4),
    "Enumerated": (4, 4),
    "Time": (4, 4),
    "Unsigned64": (8, 8),
}


@dataclass(frozen=True, slots=True)
class AvpRule:
    """One AVP's row. Units: sizes in octets of the value."""

    code: int
    vendor: int  # 0: the base protocol's own, no Vendor-Id field on the wire
    name: str
    type: str
    m_bit: str
    clause: str
    values: frozenset[int]  # of an Enumerated; empty: every value
    required: tuple[str, ...]  # of a Grouped: members that must be there once
    optional: tuple[str, ...]  # of a Grouped: members that may be there once
    example_octets: int  # how long the value of a zero-filled example is

    @property
    def least(self) -> int:
        """The fewest octets that a value may have."""
        return _SIZES[self.type][0]

    @property
    def most(self) -> int | None:
        """The most octets that a value may have, None when only the message limits it."""
        return _SIZES[self.type][1]


@dataclass(frozen=True, slots=True)
class CommandRule:
    """One request's grammar."""

    code: int
    application: int
    name: str
    proxiable: bool
    first: str | None
    required: tuple[str, ...]
    optional: tuple[str, ...]
    clause: str


def _avp(row: Mapping[str, Any]) -> AvpRule:
    least = _SIZES[row["type"]][0]
    return AvpRule(
        row["code"], row.get("vendor", 0), row["name"], row["type"], row["m"], row["clause"],
        frozenset(row.get("values", ())), tuple(row.get("required", ())), tuple(row.get("optional", ())),
        row.get("example_octets", least),
    )  # fmt: skip


def _command(row: Mapping[str, Any]) -> CommandRule:
    return CommandRule(
        row["code"], row.get("application", 0), row["name"], row["proxiable"], row.get("first"),
        tuple(row["required"]), tuple(row["optional"]), row["clause"],
    )  # fmt: skip


_tables = [
    tomllib.loads((resources.files(__package__) / name).read_text(encoding="utf-8"))
    for name in ("base.toml", "s13.toml")
]
AVPS: Mapping[tuple[int, int], AvpRule] = {
    (rule.vendor, rule.code): rule for table in _tables for rule in map(_avp, table["avp"])
}
NAMED: Mapping[str, AvpRule] = {rule.name: rule for rule in AVPS.values()}
COMMANDS: Mapping[tuple[int, int], CommandRule] = {
    (rule.application, rule.code): rule for table in _tables for rule in map(_command, table["command"])
}
