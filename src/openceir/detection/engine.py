"""DuckDB under a leash: always a memory limit and a folder to spill to."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from openceir.detection.errors import DetectionError

__all__ = ["Engine", "EngineSettings", "Step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How much of the machine detection may take."""

    memory_limit: str = "2GB"
    threads: int = 0  # 0: one a core
    spill: Path | None = None  # where it spills; None: a temporary folder. Leave 70 octets a sighting free there.


@dataclass(frozen=True, slots=True)
class Step:
    """One portable SELECT whose result bears a name that later steps read."""

    name: str
    sql: str


class Engine:
    """One DuckDB in memory, closed at the end of a `with` block; spilled files go with it."""

    def __init__(self, settings: EngineSettings | None = None) -> None:
        settings = settings or EngineSettings()
        if settings.spill is not None:
            settings.spill.mkdir(parents=True, exist_ok=True)
        self._spill = tempfile.TemporaryDirectory(prefix="openceir-spill-", dir=settings.spill)
        options: dict[str, Any] = {"memory_limit": settings.memory_limit, "temp_directory": self._spill.name}
        if settings.threads:
            options["threads"] = settings.threads
        try:
            self.connection = duckdb.connect(":memory:", config=options)
        except duckdb.Error as wrong:
            self._spill.cleanup()
            raise DetectionError(f"the engine does not start with {settings}: {wrong}") from wrong
        self.connection.execute("SET preserve_insertion_order = false")
        self.connection.execute("SET enable_progress_bar = false")
        self._looked_at: dict[str, pa.Table] = {}  # kept alive while the engine may read them

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        self._spill.cleanup()

    def take(self, name: str, table: pa.Table) -> None:
        """Give a name to an Arrow table; it is copied in."""
        self.connection.register("arriving", table)
        self._execute(name, f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM arriving")
        self.connection.unregister("arriving")

    def look_at(self, name: str, table: pa.Table) -> None:
        """Give a name to an Arrow table; it stays where it is."""
        self._looked_at[name] = table
        self.connection.register(f"{name}_table", table)
        self._execute(name, f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {name}_table")

    def see(self, name: str, files: Sequence[Path], schema: pa.Schema) -> None:
        """Give a name to Parquet files, read when a step reads them; no file is an empty relation."""
        if not files:
            self.look_at(name, schema.empty_table())
            return
        self._execute(
            name, f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {', '.join(schema.names)} FROM {parquet(files)}"
        )

    def narrow(self, name: str, sql: str) -> None:
        """Give the name of something looked at or seen to the result of a query over it."""
        self.run(Step(f"{name}_narrowed", sql))
        self._execute(name, f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {name}_narrowed")

    def run(self, step: Step) -> None:
        """Carry out one step and keep its result."""
        self._execute(step.name, f"CREATE OR REPLACE TEMP TABLE {step.name} AS {step.sql}")

    def fetch(self, sql: str) -> pa.Table:
        """The result of a query, as Arrow."""
        try:
            return self.connection.sql(sql).to_arrow_table()
        except duckdb.Error as wrong:
            raise DetectionError(f"a question to the engine failed: {wrong}") from wrong

    def count(self, relation: str) -> int:
        """How many rows a relation has."""
        return int(self.fetch(f"SELECT COUNT(*) AS n FROM {relation}")["n"][0].as_py())

    def write(self, sql: str, path: Path) -> None:
        """Write the result of a query as one Parquet file."""
        # Delta encodings (v2) leave a compressor little to do; a dictionary is tried for columns of few values alone.
        form = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1000"
        self._execute(path.name, f"COPY ({sql}) TO '{quoted(path)}' ({form})")

    def _execute(self, name: str, sql: str) -> None:
        try:
            self.connection.execute(sql)
        except duckdb.OutOfMemoryException as wrong:
            raise DetectionError(
                f"step {name} needs more than the memory or scratch disk it was given: {wrong}; raise memory_limit"
            ) from wrong
        except duckdb.Error as wrong:
            raise DetectionError(f"step {name} failed: {wrong}") from wrong


def parquet(files: Sequence[Path], *options: str) -> str:
    """A relation over these files; folder names like day=… are not read as columns."""
    names = ", ".join(f"'{quoted(path)}'" for path in files)
    return f"read_parquet({', '.join((f'[{names}]', 'hive_partitioning = false', *options))})"


def quoted(path: Path) -> str:
    """The path inside a SQL string."""
    return str(path.absolute()).replace("'", "''")
