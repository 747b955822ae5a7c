"""Reference lists as versioned tables: the TAC table, associations and subscribers; and the cells of operators.

A row holds from the import `since` on and until the import `until`; the current rows have none. So an answer given
on an earlier day can be given again, and a list that comes a second time changes nothing.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from openceir.storage.database import Database
from openceir.storage.journal import ImportJournal

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ASSOCIATION", "SUBSCRIBERS", "TAC", "Cells", "ReferenceTables", "VersionedTable"]


@dataclass(frozen=True, slots=True)
class VersionedTable:
    """The layout of one table: `key` columns name a row, `values` are what it says."""

    name: str
    key: tuple[str, ...]
    values: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Key and values, in the order in which rows are given."""
        return self.key + self.values


TAC: Final = VersionedTable(
    "tac", ("tac",), ("manufacturer", "brand", "model", "device_type", "rat", "allocated_on", "also")
)
ASSOCIATION: Final = VersionedTable("association", ("uid", "device"))
SUBSCRIBERS: Final = VersionedTable("subscriber", ("uid", "imsi"))
_TABLES: Final = (TAC, ASSOCIATION, SUBSCRIBERS)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tac(
    tac INTEGER NOT NULL,        -- eight digits
    manufacturer TEXT, brand TEXT, model TEXT, device_type TEXT,
    rat INTEGER,                 -- what its bands can do, a mask of identity.rat; null when they do not say
    allocated_on TEXT,
    also TEXT NOT NULL,          -- the file's other columns, JSON
    since INTEGER NOT NULL, until INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS tac_now ON tac(tac) WHERE until IS NULL;
CREATE TABLE IF NOT EXISTS association(
    uid TEXT NOT NULL, device INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS association_now ON association(uid, device) WHERE until IS NULL;
CREATE TABLE IF NOT EXISTS subscriber(
    uid TEXT NOT NULL, imsi INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS subscriber_now ON subscriber(uid, imsi) WHERE until IS NULL;
CREATE TABLE IF NOT EXISTS cell(
    key INTEGER PRIMARY KEY, operator TEXT NOT NULL, name TEXT NOT NULL,
    lat REAL, lon REAL, radius_m REAL,
    UNIQUE(operator, name)
) STRICT;
"""
_AT_ONCE = 10_000
_MANY = 500


class ReferenceTables:
    """The versioned tables of one register. Writing methods belong inside the transaction that notes the import."""

    def __init__(self, database: Database) -> None:
        self._database = database
        ImportJournal(database)  # `since` and `until` are numbers of its rows
        database.define(_SCHEMA)

    def count(self, table: VersionedTable) -> int:
        """How many rows are current."""
        [(count,)] = self._database.connection.execute(f"SELECT COUNT(*) FROM {table.name} WHERE until IS NULL")
        return int(count)

    def stage(self, table: VersionedTable, rows: Iterable[Sequence[Any]]) -> None:
        """Set rows beside the table, to be compared with it; what was staged before is dropped."""
        columns = ", ".join(table.columns)
        with self._database.transaction() as sql:
            sql.execute("DROP TABLE IF EXISTS temp.staged")
            sql.execute(f"CREATE TEMP TABLE staged AS SELECT {columns} FROM {table.name} WHERE 0")
            marks = ", ".join("?" * len(table.columns))
            sql.executemany(f"INSERT INTO staged VALUES ({marks})", rows)
            sql.execute(f"CREATE INDEX temp.staged_key ON staged({', '.join(table.key)})")

    def replace(self, table: VersionedTable, import_id: int) -> tuple[int, int]:
        """Make the staged rows the current ones; how many were added and how many ended."""
        same = " AND ".join(f"t.{column} IS s.{column}" for column in table.columns)
        with self._database.transaction() as sql:
            ended = sql.execute(
                f"UPDATE {table.name} AS t SET until = ? WHERE until IS NULL"
                f" AND NOT EXISTS (SELECT 1 FROM staged AS s WHERE {same})",
                (import_id,),
            ).rowcount
            added = self._insert(table, import_id, "")
        return added, ended

    def add(self, table: VersionedTable, import_id: int) -> int:
        """Add the staged rows to the current ones; a row of the same key ends."""
        key = " AND ".join(f"t.{column} IS s.{column}" for column in table.key)
        same = " AND ".join(f"t.{column} IS s.{column}" for column in table.columns)
        with self._database.transaction() as sql:
            sql.execute(
                f"UPDATE {table.name} AS t SET until = ? WHERE until IS NULL AND EXISTS"
                f" (SELECT 1 FROM staged AS s WHERE {key} AND NOT ({same}))",
                (import_id,),
            )
            return self._insert(table, import_id, "")

    def remove(self, table: VersionedTable, import_id: int) -> int:
        """End the current rows whose keys are staged."""
        key = " AND ".join(f"t.{column} IS s.{column}" for column in table.key)
        with self._database.transaction() as sql:
            return sql.execute(
                f"UPDATE {table.name} AS t SET until = ? WHERE until IS NULL"
                f" AND EXISTS (SELECT 1 FROM staged AS s WHERE {key})",
                (import_id,),
            ).rowcount

    def change(
        self, table: VersionedTable, rows: Sequence[tuple[Any, ...]], changes: Sequence[str] | None, import_id: int
    ) -> str:
        """Apply a full list (`changes` None) or a delta of add and remove; a sentence on what came and went."""
        if changes is None:
            self.stage(table, rows)
            added, ended = self.replace(table, import_id)
        else:
            kinds = list(zip(rows, changes, strict=True))
            self.stage(table, (row for row, kind in kinds if kind == "remove"))
            ended = self.remove(table, import_id)
            self.stage(table, (row for row, kind in kinds if kind != "remove"))
            added = self.add(table, import_id)
        return f"{added} rows came, {ended} went, {self.count(table)} stand"

    def forget_ended(self, before: date) -> int:
        """Erase associations and subscribers that ended by an import before the day `before`: people's data."""
        at = int(datetime(before.year, before.month, before.day, tzinfo=UTC).timestamp())
        with self._database.transaction() as sql:
            return sum(
                sql.execute(
                    f"DELETE FROM {table.name} WHERE until IN (SELECT id FROM import WHERE at < ?)", (at,)
                ).rowcount
                for table in (ASSOCIATION, SUBSCRIBERS)
            )

    def _insert(self, table: VersionedTable, import_id: int, extra: str) -> int:
        columns = ", ".join(table.columns)
        same = " AND ".join(f"t.{column} IS s.{column}" for column in table.columns)
        return self._database.connection.execute(
            f"INSERT INTO {table.name}({columns}, since, until) SELECT DISTINCT {columns}, ?, NULL FROM staged AS s"
            f" WHERE NOT EXISTS (SELECT 1 FROM {table.name} AS t WHERE until IS NULL AND {same}){extra}",
            (import_id,),
        ).rowcount

    # -- reading -------------------------------------------------------------------------------------------------

    def _as_of(self, on: date | None) -> tuple[str, tuple[Any, ...]]:
        """The rows that were current at the end of the day `on`; the present ones without a day."""
        if on is None:
            return "until IS NULL", ()
        end = int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp()) + 86_400
        return (
            "since IN (SELECT id FROM import WHERE at < ?) AND"
            " (until IS NULL OR until IN (SELECT id FROM import WHERE at >= ?))",
            (end, end),
        )

    def _rows(self, table: str, on: date | None, columns: Mapping[str, str]) -> "pa.Table":
        where, values = self._as_of(on)
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"
        return _table(self._database.connection.execute(query, values), columns)

    def tacs(self, on: date | None = None) -> "pa.Table":
        """The TAC table: tac BIGINT, manufacturer, brand, model, device_type, rat BIGINT (null: bands do not say)."""
        texts = dict.fromkeys(("manufacturer", "brand", "model", "device_type"), "string")
        return self._rows("tac", on, {"tac": "int64", **texts, "rat": "int64"})

    def known_tacs(self) -> "pa.Int64Array":
        """The TACs of the table as it is now, ascending, and nothing of their models."""
        import pyarrow as pa

        rows = self._database.connection.execute("SELECT DISTINCT tac FROM tac WHERE until IS NULL ORDER BY tac")
        return pa.array([tac for (tac,) in rows], pa.int64())

    def operating_systems(self) -> "pa.Table":
        """The operating system that the TAC table gives now: tac BIGINT ascending, os; no row where it gives none."""
        rows = self._database.connection.execute(
            "SELECT tac, trim(json_extract(also, '$.operating_system')) AS os FROM tac"
            " WHERE until IS NULL AND os <> '' ORDER BY tac"
        )
        return _table(rows, {"tac": "int64", "os": "string"})

    def associations(self, on: date | None = None) -> "pa.Table":
        """Who registered which device: uid, device BIGINT."""
        return self._rows("association", on, {"uid": "string", "device": "int64"})

    def subscribers(self, on: date | None = None) -> "pa.Table":
        """Which IMSIs a person has: uid, imsi BIGINT."""
        return self._rows("subscriber", on, {"uid": "string", "imsi": "int64"})

    def find_models(self, tacs: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is on record of these TACs now: manufacturer, brand, model, device_type, rat and allocated_on."""
        columns = ("manufacturer", "brand", "model", "device_type", "rat", "allocated_on")
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(tacs), _AT_ONCE):
            some = [int(tac) for tac in tacs[start : start + _AT_ONCE]]
            marks = ", ".join("?" * len(some))
            query = f"SELECT tac, {', '.join(columns)} FROM tac WHERE tac IN ({marks}) AND until IS NULL"
            rows = self._database.connection.execute(query, some)
            found.update((f"{tac:08d}", dict(zip(columns, values, strict=True))) for tac, *values in rows)
        return found


class Cells:
    """The cells of each operator: a key for each name, and where it stands once a cells table said so."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(_SCHEMA)

    def keys_of(self, operator: str, names: Sequence[str]) -> list[int]:
        """The key of each name, made where absent, in order; durable with the caller's transaction."""
        with self._database.transaction() as sql:
            found = self._known(sql, operator, names)
            if fresh := [name for name in names if name not in found]:
                sql.executemany(
                    "INSERT INTO cell(operator, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    ((operator, name) for name in fresh),
                )
                found |= self._known(sql, operator, fresh)
        return [found[name] for name in names]

    def _known(self, sql: sqlite3.Connection, operator: str, names: Sequence[str]) -> dict[str, int]:
        if len(names) > _MANY:  # a dump names most of its operator's cells: reading them all beats looking each up
            return dict(sql.execute("SELECT name, key FROM cell WHERE operator = ?", (operator,)))
        marks = ", ".join("?" * len(names))
        query = f"SELECT name, key FROM cell WHERE operator = ? AND name IN ({marks})"
        return dict(sql.execute(query, (operator, *names)))

    def place(self, rows: Iterable[tuple[str, str, float, float, float | None]]) -> None:
        """Say where cells stand: (operator, name, lat, lon, radius_m); a later word replaces an earlier one."""
        with self._database.transaction() as sql:
            sql.executemany(
                "INSERT INTO cell(operator, name, lat, lon, radius_m) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT(operator, name) DO UPDATE SET lat = excluded.lat, lon = excluded.lon,"
                " radius_m = excluded.radius_m",
                rows,
            )

    def table(self) -> "pa.Table":
        """The cells whose place is known: cell BIGINT, operator, name, lat and lon in degrees, radius_m."""
        places = dict.fromkeys(("lat", "lon", "radius_m"), "float64")
        rows = self._database.connection.execute(
            "SELECT key, operator, name, lat, lon, radius_m FROM cell WHERE lat IS NOT NULL ORDER BY key"
        )
        return _table(rows, {"cell": "int64", "operator": "string", "name": "string", **places})


def _table(rows: Iterable[Sequence[Any]], types: Mapping[str, str]) -> "pa.Table":
    """The rows as columns of these names and Arrow types."""
    import pyarrow as pa  # slow to load, and an answer about one device needs no table

    columns = list(zip(*rows, strict=True)) or [()] * len(types)
    schema = pa.schema(list(types.items()))
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
