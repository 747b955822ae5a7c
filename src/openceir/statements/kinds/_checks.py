"""What several kinds refuse alike."""

from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused

__all__ = ["a_leaf_hash", "not_after_signature", "quorum_of", "some_devices"]


def some_devices(devices: DeviceSet) -> None:
    """Refuse a statement about nothing."""
    if not devices:
        raise StatementRefused("the statement names no device; was the list empty or its column missing?")


def not_after_signature(name: str, when: datetime | date, signed_at: datetime) -> None:
    """Refuse what is said to have happened after it was signed; the day of the signature is still allowed."""
    limit = signed_at if isinstance(when, datetime) else signed_at.date()
    if when > limit:
        raise StatementRefused(f"{name} is after the signature; was a local time sent as UTC?")


def a_leaf_hash(name: str, octets: bytes) -> None:
    """Refuse what cannot name an entry of a log."""
    if len(octets) != 32:
        raise StatementRefused(f"{name} is a leaf hash of 32 octets; `openceir statement list` shows them")


def quorum_of(quorum: int, voters: int) -> None:
    """Refuse a quorum that two halves of the voters could reach apart, or that all of them could not."""
    if not voters < 2 * quorum <= 2 * voters:
        raise StatementRefused(
            f"of {voters} voters, {quorum} cannot be the quorum: it must be more than half of them, and no more than all"
        )
