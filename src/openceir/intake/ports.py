"""What the loading dock asks of shelves. Each is implemented in `storage/` and joined in `app/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from openceir.statements import DeviceSet, Pair

__all__ = ["Columns", "DailyAverages", "ListedDevices", "SightingSink", "Standing"]

Columns = Mapping[str, npt.NDArray[np.int64]]


class SightingSink(Protocol):
    """Takes sightings a block at a time. Nothing counts until the whole file is accepted."""

    def append(self, day: npt.NDArray[np.int64], columns: Columns) -> None:
        """Take rows: device, imsi, msisdn, rat, ts and cell, -1 where there is none.

        A device or cell below -1 is provisional: -2 is the first of SightingsRead.odd_devices or .cells, and so on.
        Units: `day` counts days since 1970-01-01.
        """

    def count_days(self) -> list[tuple[int, int, int]]:
        """Distinct devices, IMSIs and MSISDNs of each day taken; no rows may follow."""


class DailyAverages(Protocol):
    """What an operator used to deliver."""

    def __call__(self, operator: str, days: int) -> tuple[float, float, float] | None:
        """Mean distinct IMEIs, IMSIs and MSISDNs a day over its last `days` deliveries of a day; None without any."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Devices that one statement put on a list and that are still on it."""

    leaf_hash: bytes  # of the statement
    devices: DeviceSet


class ListedDevices(Protocol):
    """What a member's list holds now: the claims that still hold, each by the statement that made it.

    Callers rely on seeing every statement that was logged before the call.
    """

    def devices(self, kind: str, issuer: str, note: str) -> list[Standing]:
        """Devices and ranges with a claim of `kind` by `issuer` that rests on `note`."""

    def pairs(self, issuer: str) -> list[tuple[bytes, Pair]]:
        """Pairs stated by `issuer`."""

    def digests(self, issuer: str) -> list[tuple[bytes, bytes]]:
        """Keyed digests of devices permitted by `issuer`."""
