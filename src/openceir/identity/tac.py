"""The TAC: eight digits that name a model, not a unit.

    RBI (2)  model (6)                before 2004-04-01: TAC (6) FAC (2); 2003-01-01 … 2004-04-01 with FAC 00
    3 5      2 0 9 9 0 0

A TAC that no table holds means "unknown", never "counterfeit".
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

__all__ = ["RBI", "ReportingBody", "is_test_tac", "rbi_of", "tac_digits"]

_TAC = re.compile(r"[0-9]{8}")
# 001001-001017, and 0044, 0086, 0091. Source: GSMA TS.06, as earlier national registers apply it.
_TEST_TAC = re.compile(r"00(?:10(?:0[1-9]|1[0-7])[0-9]{2}|(?:44|86|91)[0-9]{4})")


@dataclass(frozen=True, slots=True)
class ReportingBody:
    """Who allocated a TAC. Old codes stay valid on old devices, so `active` says nothing about a device."""

    prefix: str
    name: str
    active: bool
    note: str


def _read_bodies() -> Mapping[str, ReportingBody]:
    text = (resources.files("openceir.identity") / "rbi.toml").read_text(encoding="utf-8")
    return {prefix: ReportingBody(prefix, **row) for prefix, row in tomllib.loads(text)["rbi"].items()}


RBI: Mapping[str, ReportingBody] = _read_bodies()


def tac_digits(text: str) -> str | None:
    """The TAC in a field of a file: trimmed of spaces and tabs, exactly eight ASCII digits; None otherwise."""
    text = text.strip(" \t")
    return text if _TAC.fullmatch(text) else None


def rbi_of(tac: str) -> ReportingBody | None:
    """The body whose prefix a TAC or an IMEI bears; None when no body has that prefix."""
    return RBI.get(tac[:2])


def is_test_tac(tac: str) -> bool:
    """Whether eight digits are a TAC of test equipment, which belongs on no public network."""
    return _TEST_TAC.fullmatch(tac) is not None
