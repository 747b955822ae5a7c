"""The only place that asks what time it is. Everything below the doors takes time as an argument."""

from datetime import UTC, date, datetime

__all__ = ["now", "parse_day", "parse_moment", "today"]


def now() -> datetime:
    """The present instant, UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def today() -> date:
    """The present calendar day, UTC."""
    return now().date()


def parse_moment(text: str) -> datetime:
    """The instant that `text` names: `now`, `2027-03-01` (its first second) or `2027-03-01T12:00:00Z`.

    Units: UTC, whole seconds; a text without an offset is taken as UTC.
    Raises: ValueError when it is none of these.
    """
    if text == "now":
        return now()
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(microsecond=0)


def parse_day(text: str) -> date:
    """The calendar day that `text` names: `today`, `2027-03-01` or `20270301`.

    Raises: ValueError when it is none of these.
    """
    return today() if text == "today" else date.fromisoformat(text)
