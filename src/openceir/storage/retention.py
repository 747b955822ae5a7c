"""How long people's sightings are kept: one rule for the lake, its measures, the lists and reject reports."""

from datetime import date

__all__ = ["first_kept_day"]


def first_kept_day(on: date, months: int) -> date:
    """The first day of the month that lies `months` back: what is older is erased, whole months at a time."""
    total = on.year * 12 + on.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)
