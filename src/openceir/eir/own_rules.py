"""An operator's own rules, few and written by hand, beside the lists of the register: tables of the policy file.

    [[imsi_range]]        from = "001010000000000", to = "001010000000999", status = "permitted"
    [[range]]             from = "35000000000000", to = "35000000999999", or tac = "35000000"; status = …
    [[software_version]]  tac = "35000000", or "*" for every TAC; version = "05"; status = …
    [[identity]]          pei = "mac-00-11-22-33-44-55", status = …: a device that has no IMEI

Each speaks in its step before the lists do; of ranges the narrowest, of two equal ones the stricter.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from openceir.eir.attributes import Status, attribute
from openceir.eir.errors import PolicyRefused
from openceir.eir.index import ANY_TAC, SERIALS, Ranges, flattened
from openceir.wire.n5g_eir import Refused, parse_query

__all__ = ["OWN_TABLES", "OwnRules", "before", "read_own_rules"]

OWN_TABLES = ("imsi_range", "range", "software_version", "identity")
_STATUSES = {status.name.lower(): attribute(status) for status in Status if status}
Rows = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class OwnRules:
    """Inclusive ranges as (low, high, attribute octet), IMSIs with their leading 1; the rest by what it is asked with."""

    imsi_ranges: Rows = ()
    ranges: Rows = ()
    software_versions: Mapping[int, int] = field(default_factory=dict)  # TAC * 100 + SVN -> attribute octet
    identities: Mapping[str, int] = field(default_factory=dict)  # canonical PEI -> attribute octet


def before(rows: Rows, lists: Callable[[int], int]) -> Callable[[int], int]:
    """What these ranges say of a key, and where they say nothing what the lists do."""
    if not rows:
        return lists
    low, high, octet = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    flat = flattened(Ranges(low, high, octet.astype(np.uint8)))
    lows, highs, octets = (column.tolist() for column in flat)

    def attribute_at(key: int) -> int:
        at = bisect_right(lows, key) - 1
        return octets[at] if at >= 0 and key <= highs[at] else lists(key)

    return attribute_at


def read_own_rules(said: Mapping[str, Any], origin: str) -> OwnRules:
    """The rules that these tables of a policy file say.

    Raises: PolicyRefused at the first row that cannot be meant.
    """
    rows = {name: _rows(name, said.get(name, []), origin) for name in OWN_TABLES}
    return OwnRules(
        tuple(_span(row, "imsi_range", 6, 15, origin) for row in rows["imsi_range"]),
        tuple(_span(row, "range", 14, 14, origin) for row in rows["range"]),
        dict(_version(row, origin) for row in rows["software_version"]),
        dict(_identity(row, origin) for row in rows["identity"]),
    )


_KEYS = {
    "imsi_range": [{"from", "to", "status"}],
    "range": [{"from", "to", "status"}, {"tac", "status"}],
    "software_version": [{"tac", "version", "status"}],
    "identity": [{"pei", "status"}],
}


def _rows(name: str, value: Any, origin: str) -> list[dict[str, str]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise PolicyRefused(f"{origin}: {name} must be tables, each under [[{name}]]")
    for row in value:
        if set(row) not in _KEYS[name] or not all(isinstance(each, str) for each in row.values()):
            allowed = "; or ".join(", ".join(sorted(keys)) for keys in _KEYS[name])
            raise PolicyRefused(
                f"{origin}: a [[{name}]] has {', '.join(row) or 'nothing'}; it takes, as texts: {allowed}"
            )
        if row["status"] not in _STATUSES:
            raise PolicyRefused(
                f"{origin}: {name}.status is {row['status']!r}, expected one of {', '.join(sorted(_STATUSES))}"
            )
    return value


def _is_digits(text: str, least: int, most: int) -> bool:
    return least <= len(text) <= most and text.isascii() and text.isdigit()


def _span(row: Mapping[str, str], name: str, least: int, most: int, origin: str) -> tuple[int, int, int]:
    if "tac" in row:
        low = _tac(row["tac"], name, origin) * SERIALS
        return low, low + SERIALS - 1, _STATUSES[row["status"]]
    first, last = row["from"], row["to"]
    if not _is_digits(first, least, most) or not _is_digits(last, len(first), len(first)) or first > last:
        digits = f"{least} to {most} digits" if least < most else f"{most} digits"
        raise PolicyRefused(
            f"{origin}: {name} is from {first!r} to {last!r}; both take the same {digits}, the lower first"
        )
    lead = "1" if name == "imsi_range" else ""  # docs/architecture.md §2
    return int(lead + first), int(lead + last), _STATUSES[row["status"]]


def _tac(text: str, name: str, origin: str) -> int:
    if not _is_digits(text, 8, 8):
        raise PolicyRefused(f"{origin}: {name}.tac is {text!r}, expected eight digits")
    return int(text)


def _version(row: Mapping[str, str], origin: str) -> tuple[int, int]:
    tac = ANY_TAC if row["tac"] == "*" else _tac(row["tac"], "software_version", origin)
    if not _is_digits(row["version"], 2, 2):
        raise PolicyRefused(f"{origin}: software_version.version is {row['version']!r}, expected two digits")
    return tac * 100 + int(row["version"]), _STATUSES[row["status"]]


def _identity(row: Mapping[str, str], origin: str) -> tuple[str, int]:
    try:
        asked = parse_query(f"pei={row['pei'].replace('%', '%25').replace('&', '%26')}")
    except Refused:  # nothing, or more than anybody can ask with
        asked = None
    if asked is None or not asked.other:
        raise PolicyRefused(
            f"{origin}: identity.pei is {row['pei'][:60]!r}, expected an identity that is no IMEI, such as mac-…"
        )
    return asked.other, _STATUSES[row["status"]]
