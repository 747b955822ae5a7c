"""Which subscribers networks saw with a device, from the measures of the lake. Personal data: callers audit each read."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq

from openceir.status import AskedPair

__all__ = ["SeenSubscriber", "SeenSubscribers"]

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSubscriber:
    """One subscriber at one operator with one device."""

    imsi: int | None = field(repr=False)  # keys of docs/architecture.md §2
    msisdn: int | None = field(repr=False)
    operator: str
    first_seen_on: date
    last_seen_on: date
    days_seen: int


class SeenSubscribers:
    """Reads the triplets of the measures. `files` is asked each time: they change with every import."""

    def __init__(self, files: Callable[[], Sequence[Path]]) -> None:
        self._files = files
        self._since: tuple[Sequence[Path], dict[str, date]] = ((), {})

    def of(self, device: int) -> list[SeenSubscriber]:
        """Everybody seen with the device, those seen last first."""
        days: dict[tuple[int | None, int | None, str], list[date]] = {}
        columns = ["month_on", "operator", "imsi", "msisdn", "day_mask"]
        for path in self._files():
            # parquet statistics pass over the parts of the file that cannot hold the device
            for row in pq.read_table(path, columns=columns, filters=[("device", "=", device)]).to_pylist():
                days.setdefault((row["imsi"], row["msisdn"], row["operator"]), []).extend(
                    _days(row["month_on"], row["day_mask"])
                )
        seen = [
            SeenSubscriber(
                imsi=imsi,
                msisdn=msisdn,
                operator=operator,
                first_seen_on=min(on),
                last_seen_on=max(on),
                days_seen=len(set(on)),
            )
            for (imsi, msisdn, operator), on in days.items()
        ]
        seen.sort(key=lambda one: (-one.last_seen_on.toordinal(), one.operator, one.imsi or 0, one.msisdn or 0))
        return seen

    def last_seen(self, devices: Collection[int]) -> dict[int, dict[str, date]]:
        """Of these devices, those that networks saw: the last day at each operator. No subscriber is read.

        The measures are gone through once, however many devices are asked about.
        """
        seen: dict[int, dict[str, date]] = {}
        if not devices:
            return seen
        columns, asked = ["device", "operator", "month_on", "day_mask"], [("device", "in", sorted(devices))]
        for path in self._files():
            rows = pq.read_table(path, columns=columns, filters=asked).group_by(columns).aggregate([])
            for row in rows.to_pylist():
                at = seen.setdefault(row["device"], {})
                on = _days(row["month_on"], row["day_mask"])[-1]
                at[row["operator"]] = max(on, at.get(row["operator"], on))
        return seen

    def first_seen(self, device: int, imsi: int) -> AskedPair:
        """The first day on which the device and the subscriber were seen together, and since when that is watched."""
        together = [one for one in self.of(device) if one.imsi == imsi]
        since = self._watched_since()
        return AskedPair(
            imsi=imsi,
            first_seen_on=min((one.first_seen_on for one in together), default=None),
            watched_since=max((since[one.operator] for one in together), default=max(since.values(), default=None)),
        )

    def _watched_since(self) -> dict[str, date]:
        """The first kept day of each operator's sightings."""
        files = tuple(self._files())
        if self._since[0] != files:  # a file's name is never used twice
            since: dict[str, date] = {}
            for path in files:
                table = pq.read_table(path, columns=["operator", "month_on", "day_mask"])
                for row in table.group_by(["operator", "month_on", "day_mask"]).aggregate([]).to_pylist():
                    [first, *_] = _days(row["month_on"], row["day_mask"])
                    since[row["operator"]] = min(first, since.get(row["operator"], first))
            self._since = (files, since)
        return self._since[1]


def _days(month_on: int, day_mask: int) -> list[date]:
    first = _EPOCH + timedelta(days=month_on)
    return [first + timedelta(days=bit) for bit in range(31) if day_mask >> bit & 1]
