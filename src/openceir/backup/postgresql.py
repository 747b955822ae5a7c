"""The portal's database when it is in PostgreSQL: dumped from a snapshot of the same moment, and put back whole."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openceir.backup.errors import BackupRefused

__all__ = ["dump_portal", "is_postgresql", "load_portal", "snapshot_of"]

_ACT_LOG = "accounts_actchain"  # every act of an officer writes it first, so whoever holds it holds the acts


def is_postgresql(url: str) -> bool:
    """Whether the setting portal.database names a server."""
    return url.startswith("postgresql://")


@contextmanager
def snapshot_of(url: str, held: list[object]) -> Iterator[str]:
    """The name of a snapshot that `pg_dump --snapshot` can read, taken while no act is half written.

    The acts wait while this is open; the snapshot lives until the connection put into `held` is closed.
    """
    try:
        import psycopg
    except ModuleNotFoundError:
        raise BackupRefused("the portal is in PostgreSQL: pip install 'openceir[postgresql]'") from None
    try:
        with psycopg.connect(url) as writer:
            writer.execute(f"LOCK TABLE {_ACT_LOG} IN EXCLUSIVE MODE")
            reader = psycopg.connect(url)
            held.append(reader)
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = reader.execute("SELECT pg_export_snapshot()").fetchone()
            assert found is not None
            yield str(found[0])
            writer.rollback()
    except psycopg.Error as wrong:
        raise BackupRefused(f"PostgreSQL refused the portal's snapshot: {wrong}") from wrong


def dump_portal(url: str, snapshot: str, to: Path) -> None:
    """Write the database as `pg_dump` of the custom format, as the snapshot shows it."""
    _run(["pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={to}", f"--dbname={url}"])


def load_portal(url: str, dump: Path) -> None:
    """Fill the database from the dump, all or nothing; it must be there and empty."""
    _run(["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={url}", str(dump)])


def _run(words: list[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, env=os.environ, check=False)  # noqa: S603
    except FileNotFoundError:
        raise BackupRefused(f"there is no {words[0]}; install PostgreSQL's client programs") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupRefused(f"{words[0]} ended with {done.returncode}: {said[-1] if said else 'it said nothing'}")
