"""A finding: a named reason to look twice at a value. Never an accusation."""

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed about a value; `code` is stable, the sentence is for people."""

    code: str
    sentence: str
