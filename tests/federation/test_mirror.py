"""A copy of a log: what is covered by a checkpoint stays, what is not can be gone on with or dropped."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.federation import Mirror
from openceir.ledger import Checkpoint, LedgerBroken, MerkleLog, hash_leaf
from openceir.statements import SigningKey
from openceir.storage.files import StorageError
from openceir.storage.ledger_files import LedgerFiles

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOG = SigningKey("openceir/aa", bytes(range(32)))
ENTRIES = [f"entry {n}".encode() for n in range(40)]


def note(size, entries=ENTRIES):
    tree = MerkleLog()
    tree.extend(map(hash_leaf, entries[:size]))
    return Checkpoint(LOG.name, size, tree.root()).sign(LOG)


def opened(folder):
    return Mirror(LedgerFiles(folder / "log-of-aa"))


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6), dropping=st.booleans())
def test_whatever_was_covered_is_there_when_it_is_opened_again(tmp_path_factory, steps, dropping):
    folder = tmp_path_factory.mktemp("mirror")
    mirror, size, covered = opened(folder), 0, 0
    for count, covers in steps:
        count = min(count, len(ENTRIES) - size)
        if count:
            mirror.hold(ENTRIES[size : size + count], NOON)
        size += count
        if covers and size:
            covered = max(covered, size - 1)
            assert mirror.cover(note(covered)) or covered == 0
    if dropping:
        mirror.drop()
        size = covered
    mirror.close()
    again = opened(folder)
    assert (again.covered, again.size) == (covered, size)
    assert again.octets(0, size) == ENTRIES[:size]
    assert again.tree.root() == opened(folder).tree.root()
    if size < len(ENTRIES):
        again.hold(ENTRIES[size:], NOON)
        assert again.cover(note(len(ENTRIES)))
    again.close()


def test_entries_that_do_not_give_the_root_are_not_covered(tmp_path):
    mirror = opened(tmp_path)
    mirror.hold([*ENTRIES[:5], b"another"], NOON)
    assert not mirror.cover(note(6))
    assert mirror.covered == 0
    assert mirror.cover(note(5))
    mirror.drop()
    assert mirror.size == 5
    mirror.hold(ENTRIES[5:9], NOON)
    assert mirror.cover(note(9))


def test_a_checkpoint_below_the_one_that_is_kept_changes_nothing(tmp_path):
    mirror = opened(tmp_path)
    mirror.hold(ENTRIES[:9], NOON)
    assert mirror.cover(note(9))
    assert mirror.cover(note(4))
    assert mirror.covered == 9
    assert not mirror.cover(note(4, ENTRIES[20:]))


def test_a_copy_that_was_altered_on_the_disk_is_not_believed(tmp_path):
    mirror = opened(tmp_path)
    mirror.hold(ENTRIES[:9], NOON)
    mirror.cover(note(9))
    mirror.hold(ENTRIES[9:12], NOON)
    mirror.close()
    log = tmp_path / "log-of-aa" / "log"
    octets = bytearray(log.read_bytes())
    octets[150] ^= 1
    log.write_bytes(octets)
    with pytest.raises(LedgerBroken):
        opened(tmp_path)


def test_a_half_written_block_is_cut_and_fetched_again(tmp_path):
    mirror = opened(tmp_path)
    mirror.hold(ENTRIES[:9], NOON)
    mirror.cover(note(9))
    mirror.close()
    log = tmp_path / "log-of-aa" / "log"
    log.write_bytes(log.read_bytes() + b"ocb1 half of a block")
    again = opened(tmp_path)
    again.hold(ENTRIES[9:12], NOON)
    assert again.cover(note(12))
    again.close()
    assert opened(tmp_path).covered == 12


def test_a_full_disk_leaves_what_was_held_before(tmp_path, monkeypatch):
    import os

    mirror = opened(tmp_path)
    mirror.hold(ENTRIES[:9], NOON)
    mirror.cover(note(9))
    real = os.pwrite

    def full(handle, octets, at):
        real(handle, bytes(octets)[:10], at)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageError):
        mirror.hold(ENTRIES[9:12], NOON)
    monkeypatch.undo()
    assert mirror.size == 9
    mirror.hold(ENTRIES[9:12], NOON)
    assert mirror.cover(note(12))
    mirror.close()
    assert opened(tmp_path).octets(0, 12) == ENTRIES[:12]
