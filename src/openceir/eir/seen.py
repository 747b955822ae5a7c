"""New pairs of device and subscriber, from the check records of this EIR, to be sent to the centre in batches.

A record file is read from where it was left; a pair that was not seen before waits for the next batch, and so does a
subscriber's change of device, which is a new pair. What was answered with BLOCKED is left out: that device was not let
in (a dump of sightings holds none either). A batch keeps its number, rows and octets until the centre has it, so that
the same batch sent twice is known there by its digest.

The file names subscribers: it lies in the EIR's own folder, mode 0600, and forgets what is older than `_KEPT`.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from openceir.eir.attributes import Status
from openceir.eir.decision import DECISIONS
from openceir.eir.records import Place, read_packed
from openceir.identity import format_device_key, format_subscriber
from openceir.storage.database import Database

__all__ = ["Batch", "SeenPairs"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pair(
    device INTEGER NOT NULL,
    imsi INTEGER NOT NULL,
    seen_on TEXT NOT NULL,
    batch INTEGER,                  -- null: waits for one
    PRIMARY KEY (device, imsi)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pair_batch ON pair(batch, seen_on);
CREATE TABLE IF NOT EXISTS place(file TEXT PRIMARY KEY, octets INTEGER NOT NULL, begins BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch(number INTEGER PRIMARY KEY, sent INTEGER NOT NULL) STRICT;
"""
_KEPT = timedelta(days=180)
_ROWS_A_BATCH = 100_000
_RECORDS_A_STEP = 50_000


class Batch(NamedTuple):
    """What is sent at once: a compressed dump and the days it is of."""

    number: int
    octets: bytes
    since: date
    until: date
    rows: int


class SeenPairs:
    """What was seen, in a file of its own."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._database = Database(path)
        self._database.define(_SCHEMA)

    def collect(self, records: Path) -> int:
        """Read what a record file has grown by; how many pairs are new."""
        found = 0
        while True:
            known = self._database.connection.execute(
                "SELECT octets, begins FROM place WHERE file = ?", (str(records),)
            ).fetchone()
            step, place = read_packed(records, Place(*known) if known else Place(0, b""), _RECORDS_A_STEP)
            pairs = {
                (device, imsi): datetime.fromtimestamp(at, UTC).date().isoformat()
                for at, _, device, imsi, number, _, _ in reversed(step)  # of several times the first counts
                if device >= 0 and imsi > 0 and DECISIONS[number].status is not Status.BLOCKED
            }
            if not step:
                return found
            with self._database.transaction() as rows:
                before = rows.total_changes
                rows.executemany(
                    "INSERT OR IGNORE INTO pair(device, imsi, seen_on) VALUES (?, ?, ?)",
                    [(device, imsi, day) for (device, imsi), day in pairs.items()],
                )
                found += rows.total_changes - before
                rows.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", (str(records), *place))

    def batches(self) -> Iterator[Batch]:
        """Every batch that was not sent; what waits is put into one first."""
        with self._database.transaction() as rows:
            number = rows.execute("SELECT coalesce(max(number), 0) + 1 FROM batch").fetchone()[0]
            taken = rows.execute(
                "UPDATE pair SET batch = ?1 WHERE (device, imsi) IN "
                "(SELECT device, imsi FROM pair WHERE batch IS NULL ORDER BY seen_on LIMIT ?2)",
                (number, _ROWS_A_BATCH),
            )
            if taken.rowcount:
                rows.execute("INSERT INTO batch VALUES (?, 0)", (number,))
        for (number,) in self._database.connection.execute("SELECT number FROM batch WHERE NOT sent").fetchall():
            yield self._batch(number)

    def _batch(self, number: int) -> Batch:
        found = self._database.connection.execute(
            "SELECT seen_on, device, imsi FROM pair WHERE batch = ? ORDER BY seen_on, device, imsi", (number,)
        ).fetchall()
        lines = [f"{day},{format_device_key(device)},{format_subscriber(imsi)}\r\n" for day, device, imsi in found]
        # The form of an operator's dump, so that the centre's intake checks it as it checks every other. No time of
        # packing in it: the same rows are the same octets.
        octets = gzip.compress("".join(["date,imei,imsi\r\n", *lines]).encode(), 6, mtime=0)
        return Batch(number, octets, date.fromisoformat(found[0][0]), date.fromisoformat(found[-1][0]), len(found))

    def sent(self, number: int, on: date) -> None:
        """Note that the centre has a batch, and forget what is too old to keep."""
        with self._database.transaction() as rows:
            rows.execute("UPDATE batch SET sent = 1 WHERE number = ?", (number,))
            rows.execute(
                "DELETE FROM pair WHERE seen_on < ? AND batch IN (SELECT number FROM batch WHERE sent)",
                ((on - _KEPT).isoformat(),),
            )

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()
