"""What the doors of one process share that ask one question at a time: decide, count, record, raise the alarm."""

from collections.abc import Callable
from hashlib import blake2b
from time import monotonic

from openceir.eir.counters import Counters
from openceir.eir.decision import FAILURE, MALFORMED, Decider
from openceir.eir.log import Log
from openceir.eir.records import RECORD, RecordFile

__all__ = ["Desk", "Log", "origin_of"]


class Desk:
    """The list as one interface asks it. `epoch_s` added to the steady clock gives seconds since 1970."""

    def __init__(
        self, decider: Decider, counters: Counters, log: Log, *, records: RecordFile | None = None, epoch_s: float = 0.0
    ) -> None:
        self.counters, self.log, self.records, self.epoch_s = counters, log, records, epoch_s
        self.use(decider)

    def use(self, decider: Decider) -> None:
        """Answer from this from now on."""
        self._decide: Callable[[int, int, int], int] = decider.decide

    def number(self, device: int, imsi: int, svn: int, origin: int) -> int:
        """The decision's number, counted and recorded; `device` below 0 is a malformed identity."""
        if device < 0:
            number = MALFORMED
        else:
            try:
                number = self._decide(device, imsi, svn)
            except Exception as wrong:
                number = FAILURE
                self._failed(wrong)
        self.counters.decisions[number] += 1
        if self.records is not None:
            at = int(self.epoch_s + monotonic())
            self.records.pending.append(RECORD.pack(at, origin, device, imsi, number, svn, 0))
        return number

    def _failed(self, wrong: Exception) -> None:
        """When everything fails the first, second, fourth … alarm are logged; the counter has all."""
        self.counters.failures += 1
        count = self.counters.failures
        if count & (count - 1) == 0:
            self.log(
                "alarm", what="a decision failed and was answered by policy", error=type(wrong).__name__, count=count
            )


def origin_of(name: str) -> int:
    """The 31-bit name under which check records keep who asked."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") >> 1
