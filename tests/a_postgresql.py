"""A real PostgreSQL server of the tests' own: in a temporary folder, on a socket in it, run by somebody who is not root."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

BIN = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name))


@contextmanager
def a_postgresql() -> Iterator[str]:
    """The setting `portal.database` of an empty database; the server ends with the context."""
    if BIN is None:
        pytest.skip("there is no PostgreSQL; scripts/install-postgresql.sh installs it")
    as_other = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []  # a server refuses to run as root
    if as_other and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser to run it as somebody else")
    user = "postgres" if as_other else getpass.getuser()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path has few octets: never under tmp_path
    if as_other:
        shutil.chown(folder, "postgres")
    data = folder / "data"

    def run(*words: str) -> None:
        subprocess.run([*as_other, *words], check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run(str(BIN / "initdb"), "--pgdata", str(data), "--auth", "trust", "--encoding", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    server = [str(BIN / "pg_ctl"), "--pgdata", str(data), "--wait", "--timeout", "120"]
    run(*server, "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield f"postgresql://{user}@/postgres?host={folder}"
    finally:
        run(*server, "--mode", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def new_database(url: str, name: str) -> str:
    """The setting of another, empty database of the same server."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # a name of the test's own
    return urlsplit(url)._replace(path=f"/{name}").geturl()
