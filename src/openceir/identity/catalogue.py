"""The catalogue of identifiers, read from catalogue.toml: what each scheme is, where it stands and how far to trust it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

__all__ = ["CATALOGUE", "LEVELS", "Scheme"]

LEVELS: Mapping[str, str] = {
    "S0": "a software setting that its user may change",
    "S1": "printed or readable, nothing checks it",
    "S2": "structured, with a check digit or an electronic store; tools that rewrite it are known",
    "S3": "in protected hardware, but a distant party cannot be given proof",
    "S4": "bound to a private key in secure hardware, provable at a distance",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One row of catalogue.toml, where each field is explained."""

    name: str
    title: str
    identifies: str
    syntax: str
    length: str
    alphabet: str
    check: str
    issuer: str
    area: str
    stored: str
    level: str  # what may be counted on, S0 to S4
    reason: str
    source: str
    known: str  # "read" or "general"
    best: str | None = None  # what a careful maker reaches, where that is more
    denotes: str | None = None  # for a form of writing: the scheme whose identity it carries

    @property
    def levels(self) -> str:
        """The level as people read it: `S2`, or `S2-S3`."""
        return f"{self.level}-{self.best}" if self.best else self.level


def _read_catalogue() -> Mapping[str, Scheme]:
    text = (resources.files("openceir.identity") / "catalogue.toml").read_text(encoding="utf-8")
    return {name: Scheme(name=name, **row) for name, row in tomllib.loads(text).items()}


CATALOGUE: Mapping[str, Scheme] = _read_catalogue()
