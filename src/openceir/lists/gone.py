"""Why a notification is no longer on the list, in the word that its operator reads.

The word is told from the new run alone: who is blocked now, whose blocking still has a day, who is paired.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from openceir.lists.kinds import Row

__all__ = ["WHY_COLUMNS", "Gone"]

WHY_COLUMNS = ("imei", "imsi", "msisdn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """What is known when a removed notification must say why it went.

    `blocked` need hold only devices that were notified before. `ranges` are the new block ranges' rows.
    `coming` are the devices whose blocking has a day; `settled` the triplets that are paired.
    """

    blocked: Collection[str]
    ranges: list[Row]
    coming: Collection[str]
    settled: Collection[Row]

    @classmethod
    def of(cls, blocked: Collection[str], ranges: Iterable[Row], why: Iterable[Row]) -> "Gone":
        """From the rows of `why`: a device alone is one whose blocking has a day; a whole triplet is a paired one."""
        coming: set[str] = set()
        settled: set[Row] = set()
        for row in why:
            if row[1] or row[2]:
                settled.add(row)
            else:
                coming.add(row[0])
        return cls(blocked=blocked, ranges=sorted(ranges), coming=coming, settled=settled)

    def word_for(self, row: Row) -> str:
        """`blacklisted` when the device is blocked now, `no_longer_seen` when only the subscriber has gone quiet,
        `resolved` when the device or the subscriber is in order."""
        imei = row[0]
        if imei in self.blocked or self._in_range(imei[:14]):
            return "blacklisted"
        return "no_longer_seen" if imei in self.coming and row[:3] not in self.settled else "resolved"

    def _in_range(self, digits: str) -> bool:
        place = bisect_right(self.ranges, digits, key=lambda row: row[0]) - 1
        return place >= 0 and digits <= self.ranges[place][1]
