"""Numbers that were met in two countries: findings, kept until a regulator states them or they lapse."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from openceir.identity import NON_UNIQUE_KEYS, ODD_DEVICE_BASE
from openceir.storage.database import Database

__all__ = ["Met", "MeetingShelf", "timed_sightings"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meeting(
    device INTEGER NOT NULL, nation TEXT NOT NULL, first_on TEXT NOT NULL,  -- the first day of the exchange
    first_hour INTEGER NOT NULL, pairs INTEGER NOT NULL, found_at INTEGER NOT NULL,
    PRIMARY KEY(device, nation, first_on)
) STRICT, WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """One device that was met here and in another nation."""

    device: int
    nation: str
    first_on: date
    first_hour_at: datetime
    pairs: int
    found_at: datetime


class MeetingShelf:
    """The findings in `register.sqlite`. `keep` is durable on return, and to keep again changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def keep(self, found: list[Met]) -> int:
        """Add these; the number that was new."""
        with self._database.transaction() as rows:
            before = rows.execute("SELECT count(*) FROM meeting").fetchone()[0]
            rows.executemany(
                "INSERT OR IGNORE INTO meeting VALUES (?, ?, ?, ?, ?, ?)",
                (
                    (
                        one.device,
                        one.nation,
                        one.first_on.isoformat(),
                        int(one.first_hour_at.timestamp()) // 3600,
                        one.pairs,
                        int(one.found_at.timestamp()),
                    )
                    for one in found
                ),
            )
            return int(rows.execute("SELECT count(*) FROM meeting").fetchone()[0]) - int(before)

    def __iter__(self) -> Iterator[Met]:
        """All findings, the newest first."""
        rows = self._database.connection.execute("SELECT * FROM meeting ORDER BY found_at DESC, device, nation")
        for device, nation, first_on, hour, pairs, found_at in rows:
            yield Met(
                device=device,
                nation=nation,
                first_on=date.fromisoformat(first_on),
                first_hour_at=datetime.fromtimestamp(hour * 3600, UTC),
                pairs=pairs,
                found_at=datetime.fromtimestamp(found_at, UTC),
            )


def timed_sightings(files: list[Path]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Device and instant of every sighting of an IMEI in these lake files that has its time of day, each hour once.

    Numbers known to be on many handsets are left out: that they are everywhere is no news.
    """
    devices, seconds = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    shared = np.array(sorted(NON_UNIQUE_KEYS), dtype=np.int64)
    for path in files:
        table: pa.Table = pq.read_table(path, columns=["device", "ts"]).drop_null()
        device, ts = (table[name].to_numpy() for name in ("device", "ts"))
        kept = (device < ODD_DEVICE_BASE) & ~np.isin(device, shared)
        rows = np.unique(np.stack([device[kept], ts[kept] // 3600 * 3600], axis=1), axis=0)
        devices.append(rows[:, 0])
        seconds.append(rows[:, 1])
    return np.concatenate(devices), np.concatenate(seconds)
