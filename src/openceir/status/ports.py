"""What an answer asks of shelves. `storage/` implements the first two; the callables are joined in `app/`.

All may be called from several threads, each with its own shelf; none writes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from openceir.status.claim import Claim, Said
from openceir.status.fold import AskedPair

__all__ = ["ClaimsByDevice", "EvidenceSummary", "FirstSeen", "GoldenDigest", "IdentifierKeys", "Models"]


class ClaimsByDevice(Protocol):
    """What was said of devices, whatever process applied it."""

    @property
    def applied_size(self) -> int:
        """How many statements of the log are counted."""

    def claims_of(self, devices: Sequence[int]) -> Mapping[int, list[Claim]]:
        """Everything said of each of these devices, endings and ranges included, in one query."""

    def bound_to(self, devices: Sequence[int]) -> Mapping[int, Sequence[tuple[Said, Sequence[int]]]]:
        """For each device the bindings that name it, and the keys of all identifiers of each."""


class IdentifierKeys(Protocol):
    """The identifier dictionary (docs/architecture.md §2)."""

    def find_keys(self, scheme: str, texts: Sequence[str]) -> dict[str, int]:
        """The device keys of those texts that have one."""

    def texts_of(self, keys: Sequence[int]) -> dict[int, tuple[str, str]]:
        """(scheme, canonical text) of those keys that it holds."""


class Models(Protocol):
    """The models on record, from the TAC table."""

    def __call__(self, tacs: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Brand, model and what else is on record, by TAC; an unknown TAC is left out, it is only unknown."""


class EvidenceSummary(Protocol):
    """What detection found, without any subscriber's number."""

    def __call__(self, device: int, rule: str, evidence_digest: bytes | None) -> Mapping[str, Any] | None:
        """The summary behind a classification; None when it is not kept here."""


class FirstSeen(Protocol):
    """When networks first saw a device with a subscriber."""

    def __call__(self, device: int, imsi: int) -> AskedPair:
        """The pair with its first day, and since when anybody could have seen it. `imsi` has its leading 1."""


class GoldenDigest(Protocol):
    """The keyed digest under which a golden list names devices."""

    def __call__(self, device: int) -> bytes:
        """The digest of one device key."""
