"""What several kinds refuse alike."""

from datetime import date, datetime

from openceir.statements.devices import DeviceSet
from openceir.statements.errors import StatementRefused

__all__ = ["not_after_signature", "some_devices"]


def some_devices(devices: DeviceSet) -> None:
    """Refuse a statement about nothing."""
    if not devices:
        raise StatementRefused("the statement names no device; was the list empty or its column missing?")


def not_after_signature(name: str, when: datetime | date, signed_at: datetime) -> None:
    """Refuse what is said to have happened after it was signed; the day of the signature is still allowed."""
    limit = signed_at if isinstance(when, datetime) else signed_at.date()
    if when > limit:
        raise StatementRefused(f"{name} is after the signature; was a local time sent as UTC?")
