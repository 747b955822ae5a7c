"""The claims shelf: what every statement says of each device, a view of the ledger that can be rebuilt at will.

Two copies of the same, each for its reader: rows by device, for an answer about one; and for each statement part
the sorted array of its devices, for a whole country at once. Rows are only ever added: an end is a row as well, and
what holds at an instant is computed when it is asked, so that every past answer can be given again.
"""

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import accumulate, repeat
from typing import NamedTuple

import numpy as np

from openceir.identity import NON_UNIQUE_KEYS, ODD_DEVICE_BASE
from openceir.progress import Progress, Silent
from openceir.statements import Approved
from openceir.status import (
    NOTHING_COUNTS,
    AcceptedStatement,
    Claim,
    ClaimColumns,
    ClaimKind,
    CurrentClaims,
    ForeignRules,
    Keys,
    RangeClaim,
    Said,
    Spoken,
    Status,
    StatusColumns,
    claims_of,
    current_claims,
    fold,
    fold_columns,
    of_ranges,
    range_pieces,
)
from openceir.status.ports import GoldenDigest
from openceir.storage.database import Database
from openceir.storage.files import StorageError
from openceir.storage.identifiers import IdentifierDictionary
from openceir.storage.said_rows import ONE_LOG, PARTS, SAID_COLUMNS, SaidReader, octets_of, spans_of

__all__ = ["ClaimShelf", "ClaimsMark"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS said(
    id INTEGER PRIMARY KEY,   -- log * 2^42 + index * 4 + part: ascending is the order of a log
    kind TEXT NOT NULL, label TEXT NOT NULL, issuer TEXT NOT NULL,
    effective_at INTEGER NOT NULL, logged_at INTEGER NOT NULL, leaf_hash BLOB NOT NULL,
    until_at INTEGER, block_on TEXT,
    blocking INTEGER NOT NULL, amnesty INTEGER NOT NULL, marks_duplicate INTEGER NOT NULL,
    restores_at INTEGER, target BLOB, ends_kind TEXT, ends_label TEXT, over_others INTEGER NOT NULL,
    note TEXT NOT NULL, evidence_digest BLOB,
    arrival INTEGER NOT NULL,  -- of another log's statement: its place among all such in the order in which they came
    nation TEXT NOT NULL, roles TEXT NOT NULL,  -- of the issuer when it was logged; nation '' is this register's own
    whole INTEGER NOT NULL,   -- a withdrawal or dispute of all that its target is about
    devices BLOB NOT NULL,    -- int64 little-endian; the keys of `claim`, ascending
    ranges BLOB, imsis BLOB, msisdns BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS said_by_leaf ON said(leaf_hash);
CREATE INDEX IF NOT EXISTS said_in_memory ON said(id) WHERE ranges IS NOT NULL OR whole = 1;
CREATE INDEX IF NOT EXISTS said_by_arrival ON said(arrival) WHERE arrival > 0;
CREATE INDEX IF NOT EXISTS said_abroad ON said(logged_at) WHERE nation <> '';
CREATE TABLE IF NOT EXISTS claim(
    device INTEGER NOT NULL, said INTEGER NOT NULL, seq INTEGER NOT NULL, imsi INTEGER, msisdn INTEGER,
    PRIMARY KEY(device, said, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS golden(
    digest BLOB NOT NULL, said INTEGER NOT NULL, PRIMARY KEY(digest, said)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS foreign_log(
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE  -- counts from 1; 0 is this register's own log
) STRICT;
CREATE TABLE IF NOT EXISTS approval(
    target BLOB NOT NULL, issuer TEXT NOT NULL, logged_at INTEGER NOT NULL, PRIMARY KEY(target, issuer)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims_state(
    one INTEGER PRIMARY KEY CHECK (one = 1),
    applied_size INTEGER NOT NULL,  -- statements of the log that stand here
    generation INTEGER NOT NULL,    -- changes whenever anything but those does
    arrived INTEGER NOT NULL,       -- statements of other logs that ever came
    taken INTEGER NOT NULL          -- changes when rows were taken away
) STRICT;
INSERT OR IGNORE INTO claims_state VALUES (1, 0, 0, 0, 0);
"""
# Homes of a release that counted no arrivals: what came from abroad until now counts as one.
_COUNTS_ARRIVALS = f"""
ALTER TABLE said RENAME COLUMN came_at_size TO arrival;
UPDATE said SET arrival = id >= {ONE_LOG};
ALTER TABLE claims_state ADD COLUMN arrived INTEGER NOT NULL DEFAULT 1;
ALTER TABLE claims_state ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
"""
_AT_ONCE = 20_000  # devices bound in one SQL statement
_MOST_REMEMBERED = 200_000  # statement parts kept in memory, about 100 MB


class ClaimsMark(NamedTuple):
    """Where the claims stand: what lies between two marks is what statements said, unless `taken` differs."""

    size: int  # statements of the register's own log
    arrived: int  # statements of other logs
    taken: int  # changes when rows were taken away


class ClaimShelf:
    """Claims of all devices in `register.sqlite`. One writer (`apply`, `forget`, `clear`), any number of readers.

    What `apply` returned from is durable. Readers see the state of the last finished `apply`, of other processes too.
    """

    def __init__(
        self,
        database: Database,
        identifiers: IdentifierDictionary,
        *,
        golden_digest: GoldenDigest | None = None,
        foreign: ForeignRules = NOTHING_COUNTS,
    ) -> None:
        self._database = database
        self._identifiers = identifiers
        self._golden_digest = golden_digest
        self.foreign = foreign  # what other nations' words count for here
        self._drop_older_form()
        database.define(_SCHEMA)
        self._remembered: dict[int, Said] = {}
        self.reader = SaidReader()
        self._memory = _Memory()
        self._columns: tuple[tuple[int, int], ClaimColumns] | None = None

    def _drop_older_form(self) -> None:
        """Claims of a release that knew of no other nations are made anew from the ledger: they are a view."""
        if self._database.read_only:
            return
        columns = {row[1] for row in self._database.connection.execute("PRAGMA table_info(said)")}
        if columns and "nation" not in columns:
            with self._database.transaction() as rows:
                for table in ("said", "claim", "golden", "claims_state"):
                    rows.execute(f"DROP TABLE IF EXISTS {table}")
        elif "came_at_size" in columns:
            with self._database.transaction() as rows:
                for change in _COUNTS_ARRIVALS.strip().split("\n"):
                    rows.execute(change)

    # -- writing ---------------------------------------------------------------------------------------------------

    @property
    def applied_size(self) -> int:
        """How many statements of the log stand here."""
        return self.state[0]

    def apply(self, entries: Iterable[AcceptedStatement], progress: Progress = Silent()) -> int:
        """Add what these entries say; those already here are passed over. The number added.

        All or nothing. Raises: StorageError when an entry is missing in between.
        """
        added = 0
        with self._database.transaction() as rows:
            size = self.applied_size
            for entry in entries:
                if entry.index < size:
                    continue
                if entry.index > size:
                    raise StorageError(
                        f"the claims end at statement {size} of the log and were given statement {entry.index} next; hand over the log from {size}"
                    )
                self._add_entry(rows, entry, 0)
                size += 1
                added += 1
                progress("statements applied", added)
            rows.execute("UPDATE claims_state SET applied_size = ?", (size,))
        return added

    def apply_abroad(self, log: str, entries: Iterable[AcceptedStatement]) -> int:
        """Add what these entries of another authority's log say, in whatever order they come; the number that was new.

        What stands here already is passed over, so that a mirror may hand over again what it is not sure of, and hand
        over later what was withheld at first. Durable on return, all or nothing.
        """
        added = 0
        with self._database.transaction() as rows:
            rows.execute("INSERT OR IGNORE INTO foreign_log(name) VALUES (?)", (log,))
            [(number,)] = rows.execute("SELECT number FROM foreign_log WHERE name = ?", (log,)).fetchall()
            arrived = self.mark.arrived
            for entry in entries:
                first = number * ONE_LOG + entry.index * PARTS
                if not rows.execute("SELECT 1 FROM said WHERE id >= ? AND id < ?", (first, first + PARTS)).fetchone():
                    added += self._add_entry(rows, entry, number, arrived + added + 1)
            if added:  # what is kept in memory of states is no more the whole
                rows.execute("UPDATE claims_state SET generation = generation + 1, arrived = ?", (arrived + added,))
        return added

    def knows(self, log: str) -> bool:
        """Whether anything of another authority's log was ever handed over to this shelf."""
        row = self._database.connection.execute("SELECT 1 FROM foreign_log WHERE name = ?", (log,)).fetchone()
        return row is not None

    def _add_entry(self, rows: sqlite3.Connection, entry: AcceptedStatement, log: int, arrival: int = 0) -> bool:
        """Whether the entry said anything that is kept here."""
        said = entry.statement
        if isinstance(said, Approved) and entry.is_voter:
            seconds = int(entry.logged_at.timestamp())
            # the first of a voter counts, whichever of its copies came first
            new = rows.execute(
                "INSERT INTO approval VALUES (?, ?, ?) ON CONFLICT(target, issuer) DO UPDATE"
                " SET logged_at = excluded.logged_at WHERE excluded.logged_at < logged_at",
                (said.target, entry.issuer, seconds),
            )
            if new.rowcount:
                rows.execute("UPDATE claims_state SET generation = generation + 1")
            return bool(new.rowcount)
        spoken = claims_of(entry)
        for one in spoken:
            self._add(rows, one, log, arrival)
        return bool(spoken)

    def forget(self, index: int, log: str = "") -> None:
        """Remove what statement `index` said: its payload was erased, and so is every view of it."""
        with self._database.forgetting() as rows:
            first, end = self._rows_of(index, log)
            for (devices,) in rows.execute(
                "SELECT devices FROM said WHERE id >= ? AND id < ?", (first, end)
            ).fetchall():
                named = ((key, first, end) for key in np.frombuffer(devices, dtype="<i8").tolist())
                rows.executemany("DELETE FROM claim WHERE device = ? AND said >= ? AND said < ?", named)
            rows.execute("DELETE FROM golden WHERE said >= ? AND said < ?", (first, end))
            rows.execute("DELETE FROM said WHERE id >= ? AND id < ?", (first, end))
            rows.execute("UPDATE claims_state SET generation = generation + 1, taken = taken + 1")

    def _rows_of(self, index: int, log: str) -> tuple[int, int]:
        """The ids [first, end) of what statement `index` of this log said; none when nothing of the log was taken in."""
        number = 0
        if log:
            found = self._database.connection.execute(
                "SELECT number FROM foreign_log WHERE name = ?", (log,)
            ).fetchone()
            if found is None:
                return 0, 0
            [number] = found
        first = number * ONE_LOG + index * PARTS
        return first, first + PARTS

    def blocked_without(self, index: int, at: datetime, log: str = "") -> int:
        """How many devices would be blocked, and are not, if what statement `index` said were forgotten. Ranges apart."""
        rows = self._database.connection.execute(
            "SELECT s.devices, t.devices FROM said AS s LEFT JOIN said AS t ON t.leaf_hash = s.target"
            " WHERE s.id >= ? AND s.id < ?",
            self._rows_of(index, log),
        ).fetchall()
        named = {key for row in rows for keys in row for key in np.frombuffer(keys or b"", dtype="<i8").tolist()}

        def is_blocked(device: int, claims: list[Claim]) -> bool:
            answer = fold(claims, at, is_known_non_unique=device in NON_UNIQUE_KEYS, foreign=self.foreign)
            return answer.status is Status.BLOCKED

        return sum(
            is_blocked(device, [claim for claim in claims if (claim.said.index, claim.said.log) != (index, log)])
            and not is_blocked(device, claims)
            for device, claims in self.claims_of(list(named)).items()
        )

    def clear(self) -> None:
        """Remove what our own log said; the next `apply` starts from its beginning. Other logs' words stay."""
        with self._database.transaction() as rows:
            rows.execute("DELETE FROM said WHERE id < ?", (ONE_LOG,))
            for table in ("claim", "golden"):
                rows.execute(f"DELETE FROM {table} WHERE said < ?", (ONE_LOG,))
            rows.execute("UPDATE claims_state SET applied_size = 0, generation = generation + 1, taken = taken + 1")

    def _add(self, rows: sqlite3.Connection, spoken: Spoken, log: int, arrival: int) -> None:
        said = spoken.said
        identity = log * ONE_LOG + said.index * PARTS + said.part
        devices = self._with_others(spoken)
        is_pairs = said.kind is ClaimKind.PAIRED
        names_nobody = not (devices.size or spoken.ranges or spoken.keyed_digests)
        rows.execute(
            f"INSERT INTO said({SAID_COLUMNS}, arrival, whole, devices, ranges, imsis, msisdns) VALUES ({','.join('?' * 27)})",
            (
                identity,
                said.kind,
                said.label,
                said.issuer,
                said.effective_at,
                said.logged_at,
                said.leaf_hash,
                said.until_at,
                said.block_on.isoformat() if said.block_on else None,
                said.blocking,
                said.amnesty,
                said.marks_duplicate,
                said.restores_at,
                said.target,
                said.ends_kind,
                said.ends_label,
                said.over_others,
                said.note,
                said.evidence_digest,
                said.nation,
                ",".join(said.roles),
                arrival,
                said.target is not None and names_nobody,
                octets_of(devices),
                octets_of(np.array(spoken.ranges, dtype=np.int64).reshape(-1)) if spoken.ranges else None,
                octets_of(spoken.imsis) if is_pairs else None,
                octets_of(spoken.msisdns) if is_pairs else None,
            ),
        )
        if is_pairs:
            columns = (devices.tolist(), repeat(identity), range(devices.size), spoken.imsis.tolist())
            pairs = zip(*columns, (number or None for number in spoken.msisdns.tolist()), strict=False)
            rows.executemany("INSERT INTO claim(device, said, seq, imsi, msisdn) VALUES (?, ?, ?, ?, ?)", pairs)
        else:
            singles = zip(devices.tolist(), repeat(identity), strict=False)
            rows.executemany("INSERT INTO claim(device, said, seq) VALUES (?, ?, 0)", singles)
        digests = zip(set(spoken.keyed_digests), repeat(identity), strict=False)
        rows.executemany("INSERT INTO golden(digest, said) VALUES (?, ?)", digests)

    def _with_others(self, spoken: Spoken) -> Keys:
        """The keys of all devices named, those of other schemes from the identifier dictionary."""
        if not spoken.others:
            return spoken.devices
        texts: dict[str, list[str]] = {}
        for scheme, text in spoken.others:
            texts.setdefault(scheme, []).append(text)
        keys = [key for scheme, some in texts.items() for key in self._identifiers.keys_of(scheme, some).values()]
        return np.union1d(spoken.devices, np.array(keys, dtype=np.int64))

    # -- one device, or a thousand ---------------------------------------------------------------------------------

    def claims_of(self, devices: Sequence[int]) -> dict[int, list[Claim]]:
        """Everything said of each of these devices, endings included; one query for all of them."""
        memory = self._refreshed()
        found: dict[int, list[tuple[int, int | None, int | None]]] = {device: [] for device in devices}
        for start in range(0, len(devices), _AT_ONCE):
            some = devices[start : start + _AT_ONCE]
            query = f"SELECT device, said, imsi, msisdn FROM claim WHERE device IN ({','.join('?' * len(some))})"
            for device, said, imsi, msisdn in self._database.connection.execute(query, some):
                found[device].append((said, imsi, msisdn))
        golden = self.golden_of(devices) if memory.has_golden else {}
        self._remember(
            {row[0] for rows in found.values() for row in rows} | {said for some in golden.values() for said in some}
        )
        said_of = self._remembered
        answer: dict[int, list[Claim]] = {}
        for device, rows in found.items():
            claims = [Claim(said=said_of[said], imsi=imsi, msisdn=msisdn) for said, imsi, msisdn in rows]
            claims += [Claim(said=said_of[said]) for said in golden.get(device, ())]
            named = {claim.said.place for claim in claims}
            claims += [
                Claim(said=claim.said, by_range=(claim.lo, claim.hi))
                for claim in memory.ranges_about(device)
                if claim.said.place not in named  # singly and in a range: once is enough
            ]
            answer[device] = memory.with_whole_targets(claims)
        return answer

    def bound_to(self, devices: Sequence[int]) -> dict[int, list[tuple[Said, list[int]]]]:
        """For each device, the bindings that name it: what was said and all the identifiers' keys, its own included."""
        claims = self.claims_of(devices)
        wanted = {
            self.reader.id_of(claim.said)
            for some in claims.values()
            for claim in some
            if claim.said.kind is ClaimKind.BOUND
        }
        members = {
            said: np.frombuffer(octets, dtype="<i8").tolist()
            for said in wanted
            for (octets,) in self._database.connection.execute("SELECT devices FROM said WHERE id = ?", (said,))
        }
        return {
            device: [
                (claim.said, members[self.reader.id_of(claim.said)])
                for claim in some
                if claim.said.kind is ClaimKind.BOUND
            ]
            for device, some in claims.items()
        }

    def golden_of(self, devices: Sequence[int]) -> dict[int, list[int]]:
        """For devices on a golden list, the statement parts that put them there."""
        if self._golden_digest is None:
            return {}
        digests = {self._golden_digest(device): device for device in devices if device < ODD_DEVICE_BASE}
        found: dict[int, list[int]] = {}
        names = list(digests)
        for start in range(0, len(names), _AT_ONCE):
            some = names[start : start + _AT_ONCE]
            query = f"SELECT digest, said FROM golden WHERE digest IN ({','.join('?' * len(some))}) ORDER BY said"
            for digest, said in self._database.connection.execute(query, some):
                found.setdefault(digests[digest], []).append(said)
        return found

    def _remember(self, wanted: set[int]) -> None:
        """Have these statement parts in memory: they never change, so they are read once."""
        missing = list(wanted - self._remembered.keys())
        if missing and len(self._remembered) + len(missing) > _MOST_REMEMBERED:
            self._remembered.clear()
            missing = list(wanted)
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            query = f"SELECT {SAID_COLUMNS} FROM said WHERE id IN ({','.join('?' * len(some))})"
            for row in self._database.connection.execute(query, some):
                self._remembered[row[0]] = self.reader.read(row)

    @property
    def state(self) -> tuple[int, int]:
        """How many statements of the log stand here, and a number that changes whenever anything but those does."""
        size, generation = self._database.connection.execute(
            "SELECT applied_size, generation FROM claims_state"
        ).fetchone()
        return size, generation

    @property
    def mark(self) -> ClaimsMark:
        """Where the claims stand, for whoever will ask what changed since."""
        return ClaimsMark(
            *self._database.connection.execute("SELECT applied_size, arrived, taken FROM claims_state").fetchone()
        )

    # -- what a compiled view of it must know ----------------------------------------------------------------------

    @property
    def has_golden(self) -> bool:
        """Whether a golden list names devices by digests."""
        return self._refreshed().has_golden

    def next_change_after(self, at: datetime) -> int | None:
        """The next instant at which something said begins, ends or bites; None when nothing is to come.

        Units: seconds since 1970 UTC. Between two such instants a status changes by new statements alone.
        """
        seconds, day = int(at.timestamp()), at.date().isoformat()
        query = " UNION ALL ".join(
            f"SELECT min({column}) FROM said WHERE {column} > ?1"
            for column in ("effective_at", "until_at", "restores_at")
        )
        query += " UNION ALL SELECT unixepoch(min(block_on)) FROM said WHERE block_on > ?2"
        found = [when for (when,) in self._database.connection.execute(query, (seconds, day))]
        found += self._turns_abroad_after(seconds)
        return min((when for when in found if when is not None), default=None)

    def _turns_abroad_after(self, seconds: int) -> list[int | None]:
        """When policy next makes another nation's word count, or count no more; an approval that is dated ahead."""
        delays = {0} | {rule.delay_s for rule in self.foreign.rules}
        delays |= {rule.counts_for_s for rule in self.foreign.rules if rule.counts_for_s is not None}
        query = " UNION ALL ".join(
            f"SELECT min(logged_at) + {delay} FROM said WHERE nation <> '' AND logged_at > ?1 - {delay}"
            for delay in sorted(delays)
        )
        query += " UNION ALL SELECT min(logged_at) FROM approval WHERE logged_at > ?1"
        turns = [when for (when,) in self._database.connection.execute(query, (seconds,))]
        edges = (edge for rule in self.foreign.rules for edge in (rule.begins_at, rule.ends_at))
        return [*turns, *(edge for edge in edges if edge is not None and edge > seconds)]

    def devices_said_since(self, size: int, *, most: int) -> frozenset[int] | None:
        """The devices that statement `size` and those after it name; None when they say more than names.

        More is: ranges, the whole of another statement, digests, or over `most` devices.
        """
        rows = self._database.connection.execute(
            "SELECT devices, ranges IS NOT NULL OR whole = 1 FROM said WHERE id >= ?", (size * PARTS,)
        )
        found: set[int] = set()
        for octets, says_more in rows:
            found.update(np.frombuffer(octets, dtype="<i8").tolist())
            if says_more or len(found) > most:
                return None
        [(by_digest,)] = self._database.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM golden WHERE said >= ?)", (size * PARTS,)
        )
        return None if by_digest else frozenset(found)

    def _refreshed(self) -> "_Memory":
        """What is kept in memory, brought up to date: ranges, and withdrawals of whole statements."""
        state = self.state
        if state != self._memory.state:
            if state[1] != self._memory.state[1]:
                self._remembered.clear()
            self.reader.learn(self._database.connection)
            rows = self._database.connection.execute(
                f"SELECT {SAID_COLUMNS}, whole, ranges FROM said WHERE ranges IS NOT NULL OR whole = 1 ORDER BY id"
            )
            [(golden,)] = self._database.connection.execute("SELECT EXISTS (SELECT 1 FROM golden)")
            self._memory = _Memory(
                state=state,
                parts=[(self.reader.read(row[:-2]), bool(row[-2]), spans_of(row[-1])) for row in rows],
                has_golden=bool(golden),
            )
        return self._memory

    # -- a country -------------------------------------------------------------------------------------------------

    def columns(self) -> ClaimColumns:
        """Everything said, as columns, pairs and bindings left out."""
        self._refreshed()  # the logs' names and approvals
        state = self.state
        if self._columns is None or self._columns[0] != state:
            self._columns = (state, self._read_columns("kind NOT IN ('paired', 'bound')"))
        return self._columns[1]

    def statuses(self, at: datetime, *, devices: Keys | None = None, known_at: datetime | None = None) -> StatusColumns:
        """The status of every device that is named singly, and of `devices` besides."""
        columns = self._with_golden(self.columns(), devices)
        return fold_columns(columns, at, devices=devices, known_at=known_at, foreign=self.foreign)

    def range_statuses(self, at: datetime) -> tuple[Keys, Keys, StatusColumns]:
        """First and last device of each piece of a range, and the status that all of it has unless named singly.

        Reads what was said of ranges, and nothing else.
        """
        where = "(ranges IS NOT NULL OR whole = 1) AND kind NOT IN ('paired', 'bound')"
        columns = of_ranges(self._read_columns(where))
        pieces = range_pieces(columns)
        return pieces.lo, pieces.hi, fold_columns(columns, at, devices=pieces.lo, foreign=self.foreign)

    def current(
        self, kind: ClaimKind, at: datetime, *, devices: Keys | None = None, known_at: datetime | None = None
    ) -> CurrentClaims:
        """The claims of one kind that hold, on devices named singly and on `devices` besides."""
        if kind in {ClaimKind.PAIRED, ClaimKind.BOUND}:
            columns = self._read_columns("kind IN (?, 'withdrawn')", kind)
        else:
            columns = self.columns()
        if kind is ClaimKind.PERMITTED:
            columns = self._with_golden(columns, devices)
        return current_claims(columns, kind, at, devices=devices, known_at=known_at, foreign=self.foreign)

    def current_ranges(self, kind: ClaimKind, at: datetime) -> list[RangeClaim]:
        """The pieces of ranges on which a claim of `kind` holds, unless a device in one is named singly."""
        columns = of_ranges(self.columns())
        pieces = range_pieces(columns)
        holding = current_claims(columns, kind, at, devices=pieces.lo, foreign=self.foreign)
        ends = dict(zip(pieces.lo.tolist(), pieces.hi.tolist(), strict=True))
        return [
            RangeClaim(said=holding.said[row], lo=lo, hi=ends[lo])
            for lo, row in zip(holding.device.tolist(), holding.row.tolist(), strict=True)
        ]

    def current_pairs(self, at: datetime) -> tuple[Keys, Keys, Keys]:
        """device, imsi and msisdn (0 when absent) of every pair that holds, a row once for each statement of it."""
        holding = self.current(ClaimKind.PAIRED, at)
        pieces: list[tuple[Keys, Keys, Keys]] = []
        for row in np.unique(holding.row).tolist():
            said = holding.said[row]
            query = "SELECT devices, imsis, msisdns FROM said WHERE id = ?"
            [stored] = self._database.connection.execute(query, (self.reader.id_of(said),))
            device, imsi, msisdn = (np.frombuffer(octets, dtype="<i8").astype(np.int64) for octets in stored)
            kept = np.isin(device, holding.device[holding.row == row])
            pieces.append((device[kept], imsi[kept], msisdn[kept]))
        none = np.empty(0, dtype=np.int64)
        device, imsi, msisdn = (np.concatenate([none, *(piece[i] for piece in pieces)]) for i in range(3))
        return device, imsi, msisdn

    def _with_golden(self, columns: ClaimColumns, devices: Keys | None) -> ClaimColumns:
        """The columns with a row for each device that a golden list names by its digest."""
        if not self._refreshed().has_golden:
            return columns
        universe = columns.device if devices is None else np.concatenate([columns.device, devices])
        golden = self.golden_of(np.unique(universe).tolist())
        places = {self.reader.id_of(part): place for place, part in enumerate(columns.said) if not part.log}
        named = [(device, places[said]) for device, some in golden.items() for said in some if said in places]
        device, row = np.array(named, dtype=np.int64).reshape(-1, 2).T
        return ClaimColumns(
            said=columns.said,
            device=np.concatenate([columns.device, device]),
            row=np.concatenate([columns.row, row.astype(np.int32)]),
            lo=columns.lo,
            hi=columns.hi,
            range_row=columns.range_row,
            whole=columns.whole,
        )

    def _read_columns(self, where: str, *values: str) -> ClaimColumns:
        self.reader.learn(self._database.connection)  # another nation's log may be new since anything was read
        said: list[Said] = []
        whole: list[bool] = []
        named: list[Keys] = []
        spans: list[Keys] = []
        query = f"SELECT {SAID_COLUMNS}, whole, devices, ranges FROM said WHERE {where} ORDER BY id"
        for row in self._database.connection.execute(query, values):
            said.append(self.reader.read(row[:-3]))
            whole.append(bool(row[-3]))
            keys = np.frombuffer(row[-2], dtype="<i8").astype(np.int64)  # ascending; a pair's may stand several times
            named.append(np.unique(keys) if row[1] == ClaimKind.PAIRED else keys)
            spans.append(spans_of(row[-1]))
        none = np.empty(0, dtype=np.int64)
        ranges = np.concatenate([none.reshape(0, 2), *spans])
        places = np.arange(len(said), dtype=np.int32)
        return ClaimColumns(
            said=said,
            device=np.concatenate([none, *named]),
            row=np.repeat(places, [keys.size for keys in named]).astype(np.int32),
            lo=ranges[:, 0].copy(),
            hi=ranges[:, 1].copy(),
            range_row=np.repeat(places, [len(some) for some in spans]).astype(np.int32),
            whole=np.array(whole, dtype=np.bool_),
        )


class _Memory:
    """Ranges by their first device, and statements that withdraw or dispute a statement as a whole."""

    def __init__(
        self,
        state: tuple[int, int] = (-1, -1),
        parts: Sequence[tuple[Said, bool, Keys]] = (),
        has_golden: bool = False,
    ) -> None:
        self.state = state
        self.has_golden = has_golden
        self._targeting: dict[bytes, list[Said]] = {}
        ranges: list[tuple[int, int, Said]] = []
        for said, whole, spans in parts:
            if whole and said.target is not None:
                self._targeting.setdefault(said.target, []).append(said)
            ranges += [(lo, hi, said) for lo, hi in spans.tolist()]
        ranges.sort(key=lambda span: span[:2])
        self._ranges = ranges
        self._los = [lo for lo, _, _ in ranges]
        # the furthest end among a range and those before it: where it falls short of a device, none before reaches it
        self._furthest = list(accumulate((hi for _, hi, _ in ranges), max))

    def ranges_about(self, device: int) -> list[RangeClaim]:
        """Everything said of ranges that hold this device."""
        found = []
        place = bisect_right(self._los, device) - 1
        while place >= 0 and self._furthest[place] >= device:
            lo, hi, said = self._ranges[place]
            if device <= hi:
                found.append(RangeClaim(said=said, lo=lo, hi=hi))
            place -= 1
        return found

    def with_whole_targets(self, claims: list[Claim]) -> list[Claim]:
        """The claims, and what withdraws or disputes the statements behind them as a whole, and so on."""
        if not self._targeting:
            return claims
        known = {claim.said.leaf_hash: claim.said for claim in claims}
        waiting = list(known)
        while waiting:
            target = waiting.pop()
            for said in self._targeting.get(target, ()):
                # of its own log what stands before it; another nation's log has no before and after
                if said.leaf_hash not in known and (
                    said.index > known[target].index or not said.is_beside(known[target])
                ):
                    known[said.leaf_hash] = said
                    waiting.append(said.leaf_hash)
                    claims.append(Claim(said=said))
        return claims
