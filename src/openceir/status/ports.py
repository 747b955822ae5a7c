"""What an answer asks of shelves that other rooms own. Each is a plain callable, joined in `app.py`.

All may be called from several threads, each with its own shelf; none writes.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

__all__ = ["Evidence", "FirstSeen", "GoldenDigest", "Model"]


class Model(Protocol):
    """The model on record, from the TAC table."""

    def __call__(self, tac: str) -> Mapping[str, Any] | None:
        """Brand, model and what else is on record; None for an unknown TAC, which is only unknown."""


class Evidence(Protocol):
    """What detection found, without any subscriber's number."""

    def __call__(self, device: int, rule: str, evidence_digest: bytes | None) -> Mapping[str, Any] | None:
        """The summary behind a classification; None when it is not kept here."""


class FirstSeen(Protocol):
    """When networks first saw a device with a subscriber."""

    def __call__(self, device: int, imsi: int) -> date | None:
        """The first day; None when they were never seen together. `imsi` has its leading 1."""


class GoldenDigest(Protocol):
    """The keyed digest under which a golden list names devices."""

    def __call__(self, device: int) -> bytes:
        """The digest of one device key."""
