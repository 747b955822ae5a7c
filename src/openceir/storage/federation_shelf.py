"""What a member of a federation keeps of the others: how far it follows each, what each said, and who cosigned what.

    federation/federation.sqlite      the tables below (0600: payloads are personal data)
    federation/logs/<member>/         its log, as it was fetched (the same files as the register's own log)
    federation/forks/*.fork           proofs that a log showed two histories
    federation/founding.statement     what all of it begins with
    federation/peers.toml             where the others' doors are

Everything but the founding statement, the proofs and what we witnessed can be fetched anew. What we witnessed cannot:
a witness that forgets it could be led to cosign a fork, so it is durable before a cosignature leaves the house.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from openceir.ledger import SignedCheckpoint
from openceir.storage.database import Database
from openceir.storage.files import replace_file

__all__ = ["Cosigned", "FederationShelf", "ForeignPayload", "Followed", "Refused"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS followed (
    member     TEXT PRIMARY KEY,
    judged     INTEGER NOT NULL DEFAULT 0,   -- entries of its log that were judged
    governed   BLOB,                         -- by which state of the federation
    seen_at    INTEGER,                      -- when its door last showed a checkpoint that holds
    grown_at   INTEGER,                      -- when its log last grew
    trouble    TEXT,                         -- why it is not followed as it should, NULL when all is well
    trouble_at INTEGER,
    day        TEXT,                         -- UTC day of `taken`
    taken      INTEGER NOT NULL DEFAULT 0    -- entries taken on that day
);
CREATE TABLE IF NOT EXISTS logged (          -- the entries from `first` on were logged at this time, as its door says
    member TEXT NOT NULL, first INTEGER NOT NULL, seconds INTEGER NOT NULL, PRIMARY KEY (member, first)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said (            -- entries that count, and what they say
    member    TEXT NOT NULL,
    idx       INTEGER NOT NULL,
    leaf      BLOB NOT NULL,
    kind      TEXT NOT NULL,
    issuer    TEXT NOT NULL,
    salt      BLOB,
    octets    BLOB,                          -- NULL: not asked for yet, not ours to have, withheld, or erased
    why       TEXT NOT NULL,                 -- wanted, held, not-shared, withheld, erased
    landed    INTEGER NOT NULL DEFAULT 0,    -- whether the national claims know of it
    PRIMARY KEY (member, idx)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS said_leaf ON said(leaf);
CREATE INDEX IF NOT EXISTS said_wanted ON said(member, why) WHERE why IN ('wanted', 'withheld');
CREATE INDEX IF NOT EXISTS said_landing ON said(member, idx) WHERE landed = 0 AND why = 'held';
CREATE INDEX IF NOT EXISTS said_kind ON said(kind, member);
CREATE TABLE IF NOT EXISTS refused (
    member TEXT NOT NULL, idx INTEGER NOT NULL, refusal INTEGER NOT NULL, sentence TEXT NOT NULL, PRIMARY KEY (member, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS witnessed (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT NOT NULL, witness TEXT NOT NULL, size INTEGER NOT NULL, seconds INTEGER NOT NULL, line TEXT NOT NULL,
    PRIMARY KEY (origin, size, witness)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far one member's log is followed."""

    member: str
    judged: int = 0
    governed: bytes | None = None
    seen_at: datetime | None = None
    grown_at: datetime | None = None
    trouble: str | None = None
    trouble_at: datetime | None = None
    day: str = ""
    taken: int = 0


@dataclass(frozen=True, slots=True)
class ForeignPayload:
    """An entry of a foreign log that counts, and what it says as far as we hold it."""

    member: str
    index: int
    leaf_hash: bytes
    kind: str
    issuer: str
    salt: bytes | None
    octets: bytes | None
    why: str
    landed: int = 0  # 1 once the national claims know of it


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry of a foreign log that does not count."""

    member: str
    index: int
    refusal: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness's word on one checkpoint of a log."""

    origin: str
    size: int
    witness: str
    at: datetime
    line: str


class FederationShelf:
    """The tables, in one SQLite file; one object a thread. All writes are durable on return."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "federation.sqlite"
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.database = Database(path)
        self.database.connection.execute("PRAGMA secure_delete = ON")
        self.database.define(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    # -- how far each is followed ----------------------------------------------------------------------------------

    def followed(self, member: str) -> Followed:
        """How far the log of this member is followed."""
        row = self.database.connection.execute(
            "SELECT member, judged, governed, seen_at, grown_at, trouble, trouble_at, day, taken FROM followed "
            "WHERE member = ?",
            (member,),
        ).fetchone()
        if row is None:
            return Followed(member)
        return Followed(
            row[0], row[1], row[2], _moment(row[3]), _moment(row[4]), row[5], _moment(row[6]), row[7] or "", row[8]
        )

    def note_seen(self, member: str, at: datetime, *, has_grown: bool) -> None:
        """Its door showed a checkpoint that holds; whatever trouble there was is over."""
        with self.database.transaction() as connection:
            self._row(member)
            connection.execute(
                "UPDATE followed SET seen_at = ?, trouble = NULL, trouble_at = NULL WHERE member = ?",
                (_seconds(at), member),
            )
            if has_grown:
                connection.execute("UPDATE followed SET grown_at = ? WHERE member = ?", (_seconds(at), member))

    def note_trouble(self, member: str, sentence: str, at: datetime) -> None:
        """Why it is not followed as it should; the time is that at which it began."""
        with self.database.transaction() as connection:
            self._row(member)
            connection.execute(
                "UPDATE followed SET trouble_at = CASE WHEN trouble = ? THEN trouble_at ELSE ? END, trouble = ? "
                "WHERE member = ?",
                (sentence, _seconds(at), sentence, member),
            )

    def note_taken(self, member: str, count: int, at: datetime) -> None:
        """Count entries taken from its log today."""
        day = f"{at:%Y-%m-%d}"
        with self.database.transaction() as connection:
            self._row(member)
            connection.execute(
                "UPDATE followed SET taken = CASE WHEN day = ? THEN taken ELSE 0 END + ?, day = ? WHERE member = ?",
                (day, count, day, member),
            )

    def taken_on(self, member: str, at: datetime) -> int:
        """How many entries were taken from its log on the day of `at`."""
        known = self.followed(member)
        return known.taken if known.day == f"{at:%Y-%m-%d}" else 0

    # -- when its log took entries in ------------------------------------------------------------------------------

    def note_times(self, member: str, times: Iterable[tuple[int, int]]) -> None:
        """Keep from which entry on which time counts; what is known already stays."""
        with self.database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO logged (member, first, seconds) VALUES (?, ?, ?)",
                ((member, first, seconds) for first, seconds in times),
            )

    def times(self, member: str, first: int, end: int) -> list[datetime | None]:
        """When its log took in the entries [first, end); None where its door did not say."""
        before = self.database.connection.execute(
            "SELECT seconds FROM logged WHERE member = ? AND first <= ? ORDER BY first DESC LIMIT 1", (member, first)
        ).fetchone()
        seconds = before[0] if before else None
        changes = dict(
            self.database.connection.execute(
                "SELECT first, seconds FROM logged WHERE member = ? AND first > ? AND first < ?", (member, first, end)
            ).fetchall()
        )
        found = []
        for index in range(first, end):
            seconds = changes.get(index, seconds)
            found.append(_moment(seconds))
        return found

    def last_time(self, member: str) -> tuple[int, int] | None:
        """From which entry on the newest known time counts."""
        row = self.database.connection.execute(
            "SELECT first, seconds FROM logged WHERE member = ? ORDER BY first DESC LIMIT 1", (member,)
        ).fetchone()
        return (row[0], row[1]) if row else None

    # -- what was said ---------------------------------------------------------------------------------------------

    def note_judged(
        self,
        member: str,
        first: int,
        end: int,
        governed: bytes,
        counts: Sequence[ForeignPayload],
        refused: Sequence[Refused],
    ) -> list[int]:
        """Keep what came of the entries [first, end), all or none; the indexes that counted before and do not now.

        What is held of an entry that still counts is kept.
        """
        with self.database.transaction() as connection:
            self._row(member)
            count = {one.index for one in counts}
            lost = [
                index
                for (index,) in connection.execute(
                    "SELECT idx FROM said WHERE member = ? AND idx >= ? AND idx < ?", (member, first, end)
                )
                if index not in count
            ]
            connection.executemany("DELETE FROM said WHERE member = ? AND idx = ?", ((member, index) for index in lost))
            connection.execute("DELETE FROM refused WHERE member = ? AND idx >= ? AND idx < ?", (member, first, end))
            connection.executemany(
                "INSERT OR IGNORE INTO said (member, idx, leaf, kind, issuer, why) VALUES (?, ?, ?, ?, ?, ?)",
                ((member, one.index, one.leaf_hash, one.kind, one.issuer, one.why) for one in counts),
            )
            connection.executemany(
                "INSERT INTO refused (member, idx, refusal, sentence) VALUES (?, ?, ?, ?)",
                ((member, one.index, one.refusal, one.sentence) for one in refused),
            )
            connection.execute(
                "UPDATE followed SET judged = max(judged, ?), governed = ? WHERE member = ?", (end, governed, member)
            )
        return lost

    def wanted(self, member: str, first: int, most: int) -> list[ForeignPayload]:
        """Entries from `first` on whose payload is still to be asked for, or was withheld when it was."""
        return self._said(
            "member = ? AND idx >= ? AND why IN ('wanted', 'withheld') ORDER BY idx LIMIT ?", (member, first, most)
        )

    def not_shared(self, member: str) -> dict[str, set[str]]:
        """The kinds that were not shared with us in this log, by issuer."""
        found: dict[str, set[str]] = {}
        for issuer, kind in self.database.connection.execute(
            "SELECT DISTINCT issuer, kind FROM said WHERE member = ? AND why = 'not-shared'", (member,)
        ):
            found.setdefault(issuer, set()).add(kind)
        return found

    def want_again(self, member: str, kinds: Iterable[str], issuers: Iterable[str]) -> None:
        """What these issuers said of these kinds was not shared with us, and is now: it is asked for once more."""
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE said SET why = 'wanted' WHERE member = ? AND issuer = ? AND kind = ? AND why = 'not-shared'",
                [(member, issuer, kind) for issuer in issuers for kind in kinds],
            )

    def keep(self, payloads: Iterable[ForeignPayload]) -> None:
        """Keep salt, payload and why, of entries that are known; what was erased stays erased."""
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE said SET salt = ?, octets = ?, why = ? WHERE member = ? AND idx = ? AND why <> 'erased'",
                ((one.salt, one.octets, one.why, one.member, one.index) for one in payloads),
            )

    def unlanded(self, member: str, most: int) -> list[ForeignPayload]:
        """Entries held whose statements the national claims do not know yet, in order."""
        return self._said("member = ? AND landed = 0 AND why = 'held' ORDER BY idx LIMIT ?", (member, most))

    def land_again(self, member: str) -> None:
        """The national claims were lost: they need to hear of everything received from this member once more."""
        with self.database.transaction() as rows:
            rows.execute("UPDATE said SET landed = 0 WHERE member = ? AND why = 'held'", (member,))

    def note_landed(self, member: str, indexes: Iterable[int]) -> None:
        """The national claims know of these."""
        with self.database.transaction() as connection:
            connection.executemany(
                "UPDATE said SET landed = 1 WHERE member = ? AND idx = ?", ((member, index) for index in indexes)
            )

    def of_kinds(self, kinds: Iterable[str], member: str | None = None) -> Iterator[ForeignPayload]:
        """What is held of these kinds, of one member's log or of all, in order."""
        kinds = tuple(kinds)
        marks = ", ".join("?" * len(kinds))
        of_one = "" if member is None else "AND member = ? "
        yield from self._said(
            f"kind IN ({marks}) {of_one}ORDER BY member, idx", (*kinds, *(() if member is None else (member,)))
        )

    def marks(self, kinds: Iterable[str]) -> tuple[int, int]:
        """Two numbers that change whenever what is held of these kinds does."""
        kinds = tuple(kinds)
        marks = ", ".join("?" * len(kinds))
        count, held = self.database.connection.execute(
            f"SELECT count(*), count(octets) FROM said WHERE kind IN ({marks})", kinds
        ).fetchone()
        return count, held

    def find(self, leaf_hash: bytes) -> ForeignPayload | None:
        """The entry of any followed log with this leaf hash; None when none counts."""
        return next(iter(self._said("leaf = ? ORDER BY member LIMIT 1", (leaf_hash,))), None)

    def erase(self, member: str, index: int) -> None:
        """Destroy salt and payload of an entry; that they were erased stays known."""
        with self.database.transaction() as connection:
            connection.execute(
                "UPDATE said SET salt = NULL, octets = NULL, why = 'erased' WHERE member = ? AND idx = ?",
                (member, index),
            )
        self.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def counts(self, member: str) -> dict[str, int]:
        """How many entries of its log count, by what is held of them, and how many were refused."""
        found = dict(
            self.database.connection.execute(
                "SELECT why, count(*) FROM said WHERE member = ? GROUP BY why", (member,)
            ).fetchall()
        )
        (found["refused"],) = self.database.connection.execute(
            "SELECT count(*) FROM refused WHERE member = ?", (member,)
        ).fetchone()
        return found

    def kinds(self, member: str) -> dict[str, int]:
        """How many entries of its log count, by kind."""
        return dict(
            self.database.connection.execute(
                "SELECT kind, count(*) FROM said WHERE member = ? GROUP BY kind", (member,)
            ).fetchall()
        )

    def refusals(self, member: str, most: int = 100) -> list[Refused]:
        """The newest entries of its log that do not count."""
        rows = self.database.connection.execute(
            "SELECT member, idx, refusal, sentence FROM refused WHERE member = ? ORDER BY idx DESC LIMIT ?",
            (member, most),
        )
        return [Refused(*row) for row in rows]

    def _said(self, where: str, values: Sequence[object]) -> list[ForeignPayload]:
        rows = self.database.connection.execute(
            f"SELECT member, idx, leaf, kind, issuer, salt, octets, why, landed FROM said WHERE {where}", values
        )
        return [ForeignPayload(*row) for row in rows]

    # -- witnessing ------------------------------------------------------------------------------------------------

    def witnessed(self, origin: str) -> SignedCheckpoint | None:
        """The newest checkpoint of this log that we cosigned."""
        row = self.database.connection.execute("SELECT note FROM witnessed WHERE origin = ?", (origin,)).fetchone()
        return SignedCheckpoint.parse(row[0]) if row else None

    def note_witnessed(self, note: SignedCheckpoint) -> None:
        """Keep what we cosigned; call it within the transaction in which the last one was read."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO witnessed (origin, size, note) VALUES (?, ?, ?)",
                (note.checkpoint.origin, note.checkpoint.size, note.format()),
            )

    def note_cosigned(self, cosigned: Iterable[Cosigned]) -> None:
        """Keep witnesses' words; the first of a witness on a checkpoint stays."""
        with self.database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO cosigned (origin, size, witness, seconds, line) VALUES (?, ?, ?, ?, ?)",
                ((one.origin, one.size, one.witness, _seconds(one.at), one.line) for one in cosigned),
            )

    def cosigned(self, origin: str, size: int | None = None) -> list[Cosigned]:
        """Witnesses' words on checkpoints of this log, or on the one of this size; by size, then witness."""
        where, values = ("", ()) if size is None else ("AND size = ? ", (size,))
        rows = self.database.connection.execute(
            f"SELECT origin, size, witness, seconds, line FROM cosigned WHERE origin = ? {where}ORDER BY size, witness",
            (origin, *values),
        )
        return [Cosigned(a, b, c, datetime.fromtimestamp(d, UTC), e) for a, b, c, d, e in rows]

    # -- proofs of forks -------------------------------------------------------------------------------------------

    def forks(self) -> list[Path]:
        """The proofs that logs forked, by name."""
        return sorted((self.folder / "forks").glob("*.fork"))

    def keep_fork(self, name: str, text: str) -> Path:
        """Keep a proof, durably; one of this name that is there already stays."""
        path = self.folder / "forks" / name
        if not path.exists():
            replace_file(path, text.encode())
        return path

    def _row(self, member: str) -> None:
        self.database.connection.execute("INSERT OR IGNORE INTO followed (member) VALUES (?)", (member,))


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
