"""The common database: what shelves that share it rely on."""

import pytest

from openceir.storage.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS phone(
    imei TEXT PRIMARY KEY,   -- fourteen digits; text
    owner TEXT NOT NULL DEFAULT 'Alice; owner'
) STRICT;
CREATE INDEX IF NOT EXISTS phone_by_owner ON phone(owner);
"""
ADD = "INSERT INTO phone(imei) VALUES ('00100100000001')"


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "register.sqlite")
    database.connection.execute("CREATE TABLE log(line TEXT)")
    yield database
    database.close()


def count(database, table):
    [(rows,)] = database.connection.execute(f"SELECT COUNT(*) FROM {table}")
    return rows


def test_a_shelf_that_opens_inside_a_transaction_does_not_end_it(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as sql:
        sql.execute("INSERT INTO log VALUES ('before')")
        database.define(SCHEMA)
        sql.execute(ADD)
        raise ZeroDivisionError
    assert count(database, "log") == 0


def test_a_shelf_that_opened_inside_a_lost_transaction_has_its_tables(database):
    with pytest.raises(ZeroDivisionError), database.transaction() as sql:
        database.define(SCHEMA)
        sql.execute(ADD)
        raise ZeroDivisionError
    assert count(database, "phone") == 0
    with database.transaction() as sql:
        sql.execute(ADD)
    assert database.connection.execute("SELECT owner FROM phone").fetchall() == [("Alice; owner",)]


def test_a_shelf_that_opened_inside_a_transaction_stays_with_it(database):
    with database.transaction() as sql:
        database.define(SCHEMA)
        sql.execute(ADD)
    other = Database(database.path, read_only=True)
    assert count(other, "phone") == 1
    assert other.connection.execute("SELECT name FROM sqlite_schema WHERE name = 'phone_by_owner'").fetchall()
    other.close()


def test_what_was_deleted_is_not_in_the_files_after_a_rewrite(database):
    database.define(SCHEMA)
    with database.transaction() as sql:
        sql.execute("INSERT INTO phone VALUES ('00100100000001', 'Mallory-of-Nowhere')")
    with database.transaction() as sql:
        sql.execute("DELETE FROM phone")
    assert any(b"Mallory-of-Nowhere" in path.read_bytes() for path in database.path.parent.iterdir())
    database.rewrite()
    assert not any(b"Mallory-of-Nowhere" in path.read_bytes() for path in database.path.parent.iterdir())
