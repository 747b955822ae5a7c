"""Imports: operators' dumps into the lake with every check, and the registration list; beside the bare engine's reading."""

from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree

import duckdb

from bench import Beside, Row, Scale, nation, read_apart

_AT = datetime(2026, 11, 20, tzinfo=UTC)


def _import_dumps(home: Path, policy: Path, dumps: list[Path]) -> int:
    from openceir.app import open_register

    _furnish(home, policy)
    register = open_register(home)
    return sum(register.import_sightings(path, at=_AT).rows for path in dumps)


def _import_registration(home: Path, policy: Path, path: Path) -> int:
    from openceir.app import open_register
    from openceir.statements import Role

    _furnish(home, policy)
    register = open_register(home)
    register.new_key("reg", member="reg", roles=[Role.REGULATOR], valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    return register.import_list("registration", path, by="reg", at=_AT).rows


def _copy_with_duckdb(folder: Path, dumps: list[Path]) -> int:
    """The same files to Parquet by day, digits cast, nothing checked, counted or set aside."""
    folder.mkdir(parents=True)
    connection = duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")})
    names = ", ".join(f"'{path}'" for path in dumps)
    connection.execute(
        f"COPY (SELECT Date AS day, TRY_CAST(left(trim(IMEI), 14) AS BIGINT) AS device, TRY_CAST('1' || IMSI AS BIGINT) AS imsi,"
        f" TRY_CAST('1' || MSISDN AS BIGINT) AS msisdn, RAT AS rat, Time AS ts, Cell AS cell"
        f" FROM read_csv([{names}], all_varchar = true, header = true))"
        f" TO '{folder / 'lake'}' (FORMAT parquet, PARTITION_BY (day), COMPRESSION zstd)"
    )
    return 0


def _furnish(home: Path, policy: Path) -> None:
    rmtree(home, ignore_errors=True)
    (home / "policy").mkdir(parents=True)
    (home / "policy" / "nation.toml").write_text(policy.read_text(encoding="utf-8"), encoding="utf-8")


def measure(work: Path, scale: Scale) -> list[Row]:
    """A month of one country, the same as one large file, and its registration list."""
    month = nation.make(work, rows=scale.month)
    home, bare = work / "intake-home", work / "intake-bare"
    rmtree(bare, ignore_errors=True)
    rows, reading = read_apart(_import_dumps, home, month.policy, month.dumps)
    _, beside = read_apart(_copy_with_duckdb, bare, month.dumps)
    registration = month.list_file("registration")
    listed, list_reading = read_apart(_import_registration, home, month.policy, registration)
    large = nation.make(work, rows=scale.large)
    large_rows, large_reading = read_apart(_import_dumps, home, large.policy, large.dumps)
    for folder in (home, bare):
        rmtree(folder, ignore_errors=True)
    return [
        Row(
            name=f"import of {rows:,} sightings of CSV.gz, {len(month.dumps)} files, all checks",
            measured=rows / reading.cpu_seconds, unit="rows/CPU-s", target=">= 500000",
            cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb,
            beside=(
                Beside(what="DuckDB COPY, nothing checked", measured=rows / beside.cpu_seconds),
                Beside(what="DIRBS 16.0.0", measured=16_000),
            ),
        ),
        Row(
            name=f"peak memory of importing {large_rows:,} sightings",
            measured=large_reading.peak_mb, unit="MB", target="<= 1000",
            cpu_seconds=large_reading.cpu_seconds, peak_mb=large_reading.peak_mb,
            note=f"{large_rows / large_reading.cpu_seconds:,.0f} rows/CPU-s",
        ),
        Row(
            name=f"registration list of {listed:,} rows, signed and logged",
            measured=listed / list_reading.cpu_seconds, unit="rows/CPU-s",
            cpu_seconds=list_reading.cpu_seconds, peak_mb=list_reading.peak_mb,
            beside=(Beside(what="DIRBS 16.0.0", measured=12_300),),
        ),
    ]  # fmt: skip
