"""Loads policy files over the packaged defaults and reads values as of a day."""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from openceir.errors import OpenceirError


class PolicyError(OpenceirError):
    """A policy file cannot be read, names something unknown, or has no value in force on the day asked."""

    code = "policy-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One value of the policy as it stood on one day.

    Units: stand in `unit` where the value's name lacks them.
    """

    name: str  # the dotted path, e.g. intake.operator.null_imei_ratio
    value: Any
    unit: str | None = None
    source: str | None = None  # the law, rule or decision that sets it
    since: date | None = None  # None: has always been in force


# A table with this key is a dated value, not a section.
_DATED = "from"
_DATED_KEYS = {"from", "unit", "source"}
# Sections whose keys the deployer names (operators, rules) rather than we.
_OPEN_SECTIONS = {"areas", "neighbours", "offices", "operators", "shares"}
# Sections of values whose names the deployer gives: a company's quota, an act's.
_OPEN_VALUES = {"portal.quotas", "trade.quotas"}
_LISTS_OF_TABLES = {"foreign", "rule"}
_DEEPEST = 16  # tables within tables; ours go to five, and what reads a policy walks it by recursion


@dataclass(frozen=True)
class Policy:
    """All limits and rules of a country, with their dates.

    `tree` is the merged TOML. Two policies with equal `digest` decide alike.
    """

    name: str
    version: str
    tree: Mapping[str, Any] = field(repr=False)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the sorted JSON of the whole tree: names this policy in statements and evidence."""
        return hashlib.sha256(self.to_json().encode()).digest()

    def to_json(self) -> str:
        """The whole tree with one spelling; `policy_from_json` makes the same policy of it."""
        return json.dumps(self.tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)

    def limit(self, path: str, on: date) -> Limit:
        """The value at a dotted path, as it stood on the day `on`.

        Raises: PolicyError when there is no such value, or none in force yet.
        """
        node: Any = self.tree
        for part in path.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise PolicyError(f"policy {self.name} {self.version} has no value {path}")
            node = node[part]
        return dated_value(path, node, on)

    def value(self, path: str, on: date) -> Any:
        """The bare value of `limit(path, on)`."""
        return self.limit(path, on).value

    def section(self, path: str, on: date) -> dict[str, Limit]:
        """Every value directly inside the section at `path`, as it stood on the day `on`."""
        node: Any = self.tree
        for part in path.split("."):
            node = node.get(part, {}) if isinstance(node, Mapping) else {}
        return {
            key: dated_value(f"{path}.{key}", value, on)
            for key, value in node.items()
            if not (isinstance(value, Mapping) and _DATED not in value)
        }

    def tables(self, name: str) -> list[dict[str, Any]]:
        """The repeated tables `[[name]]`, in the file's order."""
        return [dict(table) for table in self.tree.get(name, [])]

    def operators(self, on: date) -> dict[str, dict[str, Any]]:
        """The country's operators by id: `name` and `mcc_mnc` (a list of five- or six-digit prefixes)."""
        return self._named("operators", on)

    def areas(self, on: date) -> dict[str, dict[str, Any]]:
        """The country's areas by id: `name`, `population`, and where they lie on the map: `row` and `column`, or `outline`."""
        return self._named("areas", on)

    def neighbours(self, on: date) -> dict[str, dict[str, Any]]:
        """With whom hours seen are exchanged, by nation: `travel_hours`."""
        return self._named("neighbours", on)

    def shares(self, on: date) -> dict[str, dict[str, Any]]:
        """What single members of the federation may receive, by their ids: `kinds`, in place of `federation.shares`."""
        return self._named("shares", on)

    def _named(self, section: str, on: date) -> dict[str, dict[str, Any]]:
        """The tables of a section whose names the deployer gives, as they stood on the day `on`."""
        return {
            key: {name: dated_value(f"{section}.{key}.{name}", value, on).value for name, value in table.items()}
            for key, table in self.tree.get(section, {}).items()
        }


def dated_value(name: str, node: Any, on: date) -> Limit:
    """Read one value that may be plain, or a table `{from."2027-07-01" = 4, unit, source}`.

    Raises: PolicyError when no `from` date has come by the day `on`.
    """
    if not (isinstance(node, Mapping) and _DATED in node):
        return Limit(name=name, value=node)
    in_force = [(since, value) for since, value in _dates(name, node) if since <= on]
    if not in_force:
        raise PolicyError(
            f"{name} has no value in force on {on}: its first one starts later; add one with an earlier date"
        )
    since, value = max(in_force, key=lambda pair: pair[0])
    return Limit(name=name, value=value, unit=node.get("unit"), source=node.get("source"), since=since)


def _dates(name: str, node: Mapping[str, Any]) -> list[tuple[date, Any]]:
    strange = set(node) - _DATED_KEYS
    if strange:
        raise PolicyError(f"{name}: a dated value takes from, unit and source, not {', '.join(sorted(strange))}")
    dates = node[_DATED]
    if not isinstance(dates, Mapping) or not dates:
        raise PolicyError(f'{name}: write dates as  from."2027-07-01" = value')
    try:
        return [(date.fromisoformat(since), value) for since, value in dates.items()]
    except ValueError as wrong:
        raise PolicyError(f"{name}: {wrong}; write dates as 2027-07-01") from wrong


def load_policy(paths: Iterable[Path] = ()) -> Policy:
    """The packaged defaults, overlaid with the given files in order.

    Raises: PolicyError for a file that cannot be read, is not TOML or names an unknown setting.
    """
    texts = []
    for path in paths:
        try:
            texts.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as wrong:
            raise PolicyError(f"policy file {path} cannot be read: {wrong}") from wrong
    return policy_from_text(*texts)


def policy_from_text(*named_texts: tuple[str, str]) -> Policy:
    """As load_policy, from (name, TOML text) pairs."""
    defaults = tomllib.loads(resources.files("openceir.policy").joinpath("defaults.toml").read_text(encoding="utf-8"))
    tree = defaults
    for name, text in named_texts:
        try:
            overlay = tomllib.loads(text)
        except tomllib.TOMLDecodeError as wrong:
            raise PolicyError(f"policy file {name} is not TOML: {wrong}") from wrong
        except RecursionError as wrong:
            raise PolicyError(f"policy file {name} nests arrays or tables too deeply to be read") from wrong
        _check_depth(name, overlay)
        tree = _overlay(tree, overlay, where=name, path="")
    head = tree["policy"]
    _check_dates("", tree)
    return Policy(name=str(head["name"]), version=str(head["version"]), tree=tree)


def policy_from_json(text: str) -> Policy:
    """The policy that `Policy.to_json` wrote down: nothing is laid under it."""
    tree = json.loads(text)
    return Policy(name=str(tree["policy"]["name"]), version=str(tree["policy"]["version"]), tree=tree)


def _overlay(under: Mapping[str, Any], over: Mapping[str, Any], *, where: str, path: str) -> dict[str, Any]:
    merged = dict(under)
    for key, value in over.items():
        full = f"{path}{key}"
        if path == "" and key in _LISTS_OF_TABLES:
            if not isinstance(value, list) or not all(isinstance(table, Mapping) for table in value):
                raise PolicyError(f"{where}: {key} is a repeated table; begin each with [[{key}]]")
            merged[key] = value
        elif path == "" and key in _OPEN_SECTIONS:
            if not isinstance(value, Mapping) or not all(isinstance(table, Mapping) for table in value.values()):
                raise PolicyError(f"{where}: {key} holds one table a name; begin each with [{key}.name]")
            merged[key] = {**merged.get(key, {}), **value}
        elif path.removesuffix(".") in _OPEN_VALUES and (not isinstance(value, Mapping) or _DATED in value):
            merged[key] = value
        elif key not in merged:
            near = get_close_matches(key, merged, n=1)
            raise PolicyError(f"{where}: unknown setting {full}" + (f"; did you mean {path}{near[0]}?" if near else ""))
        elif isinstance(value, Mapping) and _DATED not in value:
            if not isinstance(merged[key], Mapping) or _DATED in merged[key]:
                raise PolicyError(f"{where}: {full} is a value, not a section")
            merged[key] = _overlay(merged[key], value, where=where, path=f"{full}.")
        elif isinstance(merged[key], Mapping) and _DATED not in merged[key]:
            raise PolicyError(f"{where}: {full} is a section, not a value")
        else:
            merged[key] = value
    return merged


def _check_depth(name: str, overlay: Mapping[str, Any]) -> None:
    """Raises: PolicyError past `_DEEPEST`: dotted keys nest without a bracket. A loop a level, for recursion would fail first."""
    level: list[Any] = [overlay]
    for _ in range(_DEEPEST):
        level = [
            inner
            for node in level
            for inner in (node.values() if isinstance(node, Mapping) else node)
            if isinstance(inner, Mapping | list)
        ]
    if level:
        raise PolicyError(f"policy file {name} nests arrays or tables more than {_DEEPEST} deep")


def _check_dates(path: str, node: Any) -> None:
    """Every dated value is readable now, not on the day it first bites."""
    if isinstance(node, Mapping):
        if _DATED in node:
            _dates(path, node)
        else:
            for key, value in node.items():
                _check_dates(f"{path}.{key}" if path else key, value)
    elif isinstance(node, list):
        for item in node:
            _check_dates(path, item)
