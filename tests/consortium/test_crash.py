"""A node dies by kill -9 between any two steps of a block, or its disk refuses; the engine's handshake brings it back."""

import pickle
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.consortium.fake_engine import FakeEngine, opened
from tests.consortium.times import NOON

from openceir.consortium import Genesis, audit_book, write_transaction
from openceir.ledger import LedgerBroken
from openceir.storage.files import StorageError
from openceir.storage.ordered_log import OrderedLog

STEPS = [
    *(("entries written", 0), ("head written", 0)),
    *((step, height) for height in (1, 2) for step in ("begun", "applied", "entries written", "head written", "committed")),
    ("snapshot", 2),
]  # fmt: skip


def live(folder, step="never", height=0):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "tests.consortium.a_life", str(folder.path), step, str(height)],
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def chain(country):
    """Three blocks, one of them empty, one with rubbish; and what a life without a crash makes of them."""
    txs = [write_transaction(country.theft()) for _ in range(3)]
    blocks = [(NOON + timedelta(seconds=1), txs[:2]), (NOON + timedelta(seconds=2), []), (NOON + timedelta(seconds=3), [txs[2], b"rubbish"])]  # fmt: skip
    (country.folders[0].path / "chain.pickle").write_bytes(pickle.dumps(blocks))
    engine, whole = FakeEngine(country.folders[0]), opened(country.folders[3])
    engine.handshake(whole)
    for time, entries in blocks:
        engine.decide(entries, whole, time=time)
    whole.log.close()
    return engine


@pytest.mark.parametrize(("step", "height"), STEPS)
def test_a_node_killed_at_any_step_comes_back_to_the_same_state(country, chain, step, height):
    folder = country.folders[0]
    assert live(folder, step, height).returncode == -9, "the step was never reached"
    again = opened(folder)
    chain.handshake(again)  # compares every answer with that of the node that never died
    assert (again.height, again.size) == (3, 4)
    again.log.close()
    assert audit_book(folder).app_hash == chain.app_hash(3)


def test_a_disk_that_refuses_stops_the_node_and_loses_nothing(country, chain, monkeypatch):
    folder = country.folders[0]
    application = opened(folder)
    engine = FakeEngine(folder)
    engine.handshake(application)

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as disk:
        disk.setattr(OrderedLog, "put_head", full)
        with pytest.raises(StorageError, match="nothing was changed"):
            engine.decide(chain.blocks[0][1], application)
    application.log.close()
    again = opened(folder)
    assert again.height == 0
    chain.handshake(again)
    assert again.height == 3
    again.log.close()


@pytest.mark.parametrize("write", [b"", b"torn"])
def test_a_torn_write_is_noticed_or_undone_at_the_next_start(country, chain, write):
    """The last page of the write-ahead log is cut or overwritten, as a power cut may leave it."""
    folder = country.folders[0]
    assert live(folder, "committed", 2).returncode == -9
    wal = folder.path / "book.sqlite-wal"
    octets = wal.read_bytes()
    wal.write_bytes(octets[:-2000] + write)
    again = opened(folder)
    chain.handshake(again)
    assert (again.height, again.size) == (3, 4)
    again.log.close()
    audit_book(folder)


def test_an_entry_altered_on_the_disk_is_noticed_at_the_next_start(country, chain):
    folder = country.folders[3]
    connection = sqlite3.connect(folder.book)
    connection.execute("UPDATE entry SET octets = zeroblob(200) WHERE idx = 2")
    connection.commit()
    connection.close()
    with pytest.raises(LedgerBroken, match="sync again"):
        opened(folder)
    with pytest.raises(LedgerBroken, match="entry 2"):
        audit_book(folder)


def test_an_entry_that_is_lost_is_noticed_at_the_next_start(country, chain):
    folder = country.folders[3]
    connection = sqlite3.connect(folder.book)
    connection.execute("DELETE FROM entry WHERE idx = 1")
    connection.commit()
    connection.close()
    with pytest.raises(StorageError, match="entry 1 is lost"):
        opened(folder)


def test_a_clock_that_jumps_changes_no_block(country, chain):
    """Only CheckTx looks at the clock; blocks bear the engine's time, which never runs back."""
    folder = country.folders[1]
    years_off = opened(folder)
    years_off._now = lambda: NOON - timedelta(days=3000)
    chain.handshake(years_off)
    years_off._now = lambda: NOON + timedelta(days=3000)
    chain.decide([write_transaction(country.theft())], years_off)
    years_off.log.close()
    audit_book(folder)


def test_a_genesis_that_was_altered_is_refused(country):
    folder = country.folders[0]
    genesis = folder.genesis
    altered = Genesis(genesis.founding[:-1] + bytes([genesis.founding[-1] ^ 1]))
    folder.__dict__["genesis"] = altered
    fresh = opened(folder)
    with pytest.raises(Exception, match="founding"):
        FakeEngine(folder).handshake(fresh)
    fresh.log.close()
