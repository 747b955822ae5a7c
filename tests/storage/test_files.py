import pytest

from openceir.storage.database import Database
from openceir.storage.files import StorageError, replace_file, write_beside


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "list.csv"
    replace_file(path, b"old")
    with pytest.raises(RuntimeError), write_beside(path) as fresh:
        fresh.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["list.csv"]


def test_a_disk_that_is_full_is_said_with_the_path(tmp_path):
    with (
        pytest.raises(StorageError, match=r"list\.csv could not be written: No space left"),
        write_beside(tmp_path / "list.csv"),
    ):
        raise OSError(28, "No space left on device")


def test_a_transaction_that_fails_inside_another_takes_both_back(tmp_path):
    database = Database(tmp_path / "register.sqlite")
    database.define("CREATE TABLE IF NOT EXISTS t(x INTEGER);")
    with pytest.raises(RuntimeError), database.transaction() as outer:
        outer.execute("INSERT INTO t VALUES (1)")
        with database.transaction() as inner:
            inner.execute("INSERT INTO t VALUES (2)")
            raise RuntimeError
    assert database.connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path):
    path = tmp_path / "register.sqlite"
    path.write_bytes(b"%PDF-1.7 not a database at all, whatever its name says" * 30)
    with pytest.raises(StorageError, match=r"register\.sqlite cannot be opened"):
        Database(path)
