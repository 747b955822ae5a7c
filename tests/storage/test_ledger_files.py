"""The log on disk: what a crash leaves, what a full disk leaves, what a hand that alters it leaves."""

import os
import resource
import shutil
from datetime import UTC, datetime

import pytest

from openceir.app import open_register
from openceir.errors import OpenceirError
from openceir.ledger import Block, BlockHead, LedgerBroken, LedgerBusy
from openceir.statements import DeviceSet, DeviceStolen, Role
from openceir.storage.files import StorageError
from openceir.storage.ledger_files import LedgerFiles

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def theft(number):
    return DeviceStolen(devices=DeviceSet.of(keys=[number]), stolen_at=NOON, case_number="N-7")


@pytest.fixture
def register(tmp_path):
    made = open_register(tmp_path / "home")
    made.new_key("police", member="police", roles=[Role.POLICE], valid_from=NOON)
    yield made
    made.ledger.close()


def copy_of(register, folder):
    """Another process's look at the same files, each time on a fresh copy."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(register.home, folder)
    return open_register(folder)


def test_a_log_cut_at_any_octet_of_its_unacknowledged_block_is_the_log_before(register, tmp_path):
    """As a crash between writing a block and the checkpoint leaves it: the checkpoint is still of two entries."""
    log, checkpoint = register.home / "ledger" / "log", register.home / "ledger" / "checkpoint"
    register.state([theft(1)], by="police", at=NOON)
    register.state([theft(2)], by="police", at=NOON)
    root, start, acknowledged = register.ledger.tree.root(), log.stat().st_size, checkpoint.read_bytes()
    register.state([theft(3)], by="police", at=NOON)
    whole = log.read_bytes()
    register.ledger.close()
    checkpoint.write_bytes(acknowledged)
    for end in range(start, len(whole)):
        log.write_bytes(whole[:end])
        torn = open_register(register.home).ledger
        assert (torn.size, torn.tree.root()) == (2, root), end
        torn.close()
    log.write_bytes(whole[:-1])
    again = open_register(register.home)
    again.state([theft(4)], by="police", at=NOON)
    assert again.ledger.notes == [
        f"cut {len(whole) - 1 - start} octets of a block that was never finished, and never acknowledged",
        "removed 1 payloads whose statements were never logged",
    ]
    assert again.verify_ledger().statements == 3
    again.ledger.close()


def test_a_whole_block_without_its_checkpoint_is_kept_and_said(register):
    checkpoint = register.home / "ledger" / "checkpoint"
    register.state([theft(1)], by="police", at=NOON)
    before = checkpoint.read_bytes()
    register.state([theft(2)], by="police", at=NOON)
    register.ledger.close()
    checkpoint.write_bytes(before)
    again = open_register(register.home)
    assert again.ledger.size == 2
    again.state([theft(3)], by="police", at=NOON)
    assert again.ledger.notes == ["signed a checkpoint over entries that were logged but not yet acknowledged"]
    again.ledger.close()


@pytest.mark.parametrize("octets", [b"", b"open", b"openceir ledger 1\n"])
def test_a_log_whose_first_line_was_just_being_written_is_a_new_log(register, octets):
    """The very first write may die too: nothing was acknowledged then."""
    folder = register.home / "ledger"
    folder.mkdir()
    (folder / "log").write_bytes(octets)
    register.state([theft(1)], by="police", at=NOON)
    assert register.verify_ledger().statements == 1


def test_no_octet_of_an_acknowledged_log_can_change_or_go(register):
    """At opening or at the audit, whichever looks closely enough, and never with an error of another kind."""
    for number in range(3):
        register.state([theft(number)], by="police", at=NOON)
    register.ledger.close()
    log = register.home / "ledger" / "log"
    whole = log.read_bytes()
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0x10
        log.write_bytes(changed)
        with pytest.raises(LedgerBroken):
            open_register(register.home).verify_ledger()
    for end in range(0, len(whole), 7):
        log.write_bytes(whole[:end])
        with pytest.raises(LedgerBroken):
            open_register(register.home).verify_ledger()


def test_an_entry_altered_with_its_digests_made_right_is_still_found(register, tmp_path):
    """Whoever can write the file can make its block digests right; the tree under the signed root gives it away."""
    register.state([theft(1), theft(2)], by="police", at=NOON)
    register.ledger.close()
    shelf = LedgerFiles(register.home / "ledger")
    [head] = shelf.refresh()
    entries = list(shelf.entries(head))
    entries[1] = entries[0]
    shelf.close()
    (register.home / "ledger" / "log").write_bytes(b"openceir ledger 1\n")
    forged = LedgerFiles(register.home / "ledger")
    forged.append(Block(head, tuple(entries)))
    forged.close()
    with pytest.raises(LedgerBroken, match="entry 1"):
        open_register(register.home).verify_ledger()
    reader = open_register(register.home).ledger
    with pytest.raises(LedgerBroken, match="entry 1 was altered"):
        list(reader.entries())
    reader.close()


def test_a_block_taken_out_of_the_middle_is_noticed_at_opening(register):
    starts = []
    log = register.home / "ledger" / "log"
    for number in range(3):
        starts.append(log.stat().st_size if log.exists() else len(b"openceir ledger 1\n"))
        register.state([theft(number)], by="police", at=NOON)
    register.ledger.close()
    whole = log.read_bytes()
    log.write_bytes(whole[: starts[1]] + whole[starts[2] :])
    with pytest.raises(LedgerBroken, match="does not follow"):
        _ = open_register(register.home).ledger


def test_a_disk_that_is_full_anywhere_leaves_the_last_good_state(register, tmp_path):
    """The limit on file size is walked through every write of an append: payloads, block and checkpoint."""
    register.state([theft(number) for number in range(200)], by="police", at=NOON)
    register.ledger.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = register.home / "ledger" / "log"
    outcomes = set()
    for limit in [0, 1, 100, *range(20_000, 64_000, 4_000), log.stat().st_size + 50, log.stat().st_size + 300, 200_000]:
        there = copy_of(register, tmp_path / "copy")
        assert there.ledger.size == 200
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
            there.state([theft(1000)], by="police", at=NOON)
            outcomes.add("logged")
        except OpenceirError as wrong:
            outcomes.add(type(wrong).__name__)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        logged = there.ledger.size
        assert logged in {200, 201}
        assert open_register(there.home).verify_ledger().statements == logged
        assert there.state([theft(2000)], by="police", at=NOON)[0].index == logged
        assert open_register(there.home).verify_ledger().statements == logged + 1
        there.ledger.close()
    assert outcomes == {"logged", "StorageError"}


def test_a_block_that_does_not_fit_on_the_disk_is_taken_back(tmp_path):
    shelf = LedgerFiles(tmp_path)
    shelf.lock()
    shelf.cut_unfinished()
    before = (tmp_path / "log").read_bytes()
    block = Block(BlockHead(0, NOON, 0, 1, bytes(32)), (b"x" * 2000,))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        with pytest.raises(StorageError, match="nothing was logged"):
            shelf.append(block)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "log").read_bytes() == before
    shelf.append(block)
    assert shelf.entries(block.head) == block.entries
    shelf.close()


def test_two_writers_at_once_are_told_apart_by_their_process_number(tmp_path):
    one, other = LedgerFiles(tmp_path), LedgerFiles(tmp_path)
    one.lock()
    with pytest.raises(LedgerBusy, match=str(os.getpid())):
        other.lock()
    one.close()
    other.lock()
    other.close()


def test_payloads_can_be_read_by_nobody_else(register):
    register.state([theft(1)], by="police", at=NOON)
    for file in (register.home / "ledger").glob("payloads*"):
        assert file.stat().st_mode & 0o077 == 0, file
