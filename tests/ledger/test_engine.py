import hashlib
import os
from datetime import timedelta

import pytest
from police_force import NOON, Police

from openceir.app import open_register
from openceir.ledger import (
    Checkpoint,
    Duplicate,
    LedgerBroken,
    LedgerBusy,
    LedgerError,
    SignedCheckpoint,
    hash_leaf,
    verify_consistency,
    verify_receipt,
)
from openceir.statements import StatementRefused
from openceir.storage.files import StorageError


def reopened(police):
    police.ledger.close()
    return open_register(police.register.home)


def test_what_was_logged_is_read_back_in_order(police):
    police.state(1, 2)
    police.state(3)
    entries = list(police.ledger.entries())
    assert [entry.index for entry in entries] == [0, 1, 2]
    assert [list(entry.said.devices) for entry in entries] == [[f"{n:014d}"] for n in (1, 2, 3)]
    assert [entry.index for entry in police.ledger.entries(1, 2)] == [1]


def test_opening_again_gives_the_same_root(police):
    for n in range(7):
        police.state(*range(n * 10, n * 10 + n + 1))
    root, size = police.ledger.tree.root(), police.ledger.size
    again = reopened(police).ledger
    assert (again.tree.root(), again.size, again.notes) == (root, size, [])
    assert again.checkpoint().verify(again.log_key) == Checkpoint(again.log_key.name, size, root)


@pytest.mark.parametrize("spoil", [lambda tree: tree.unlink(), lambda tree: tree.write_bytes(tree.read_bytes()[:100]), lambda tree: tree.write_bytes(bytes(tree.stat().st_size))])  # fmt: skip
def test_a_lost_or_spoilt_tree_beside_the_log_is_rebuilt_and_said(police, spoil):
    for n in range(5):
        police.state(n, n + 100)
    root = police.ledger.tree.root()
    spoil(police.register.home / "ledger" / "tree")
    again = reopened(police).ledger
    assert again.tree.root() == root
    again.receipt(3, at=NOON)


def test_a_tree_that_ends_before_the_log_does_is_continued(police):
    police.state(1, 2, 3)
    tree = police.register.home / "ledger" / "tree"
    short = tree.read_bytes()
    police.state(4, 5)
    root = police.ledger.tree.root()
    tree.write_bytes(short)
    assert reopened(police).ledger.tree.root() == root


def test_a_damaged_node_is_noticed_at_opening_and_the_tree_rebuilt(police):
    """A crash can leave octets of zeros in a file that was not fsynced; the digest at its end tells."""
    police.state(1, 2, 3, 4)
    tree = police.register.home / "ledger" / "tree"
    octets = bytearray(tree.read_bytes())
    octets[0] ^= 1  # the first leaf: the root's own node stays right
    tree.write_bytes(octets)
    again = reopened(police).ledger
    assert again.notes == ["the tree beside the log was missing or stale and was rebuilt from the entries"]
    verify_receipt(again.receipt(1, at=NOON), again.log_key)


def test_a_node_forged_with_its_digest_does_not_get_out_in_a_receipt(police):
    police.state(1, 2, 3, 4)
    tree = police.register.home / "ledger" / "tree"
    octets = bytearray(tree.read_bytes()[:-32])
    octets[0] ^= 1
    tree.write_bytes(octets + hashlib.sha256(octets).digest())
    again = reopened(police).ledger
    with pytest.raises(LedgerError):
        again.receipt(1, at=NOON)
    with pytest.raises(LedgerBroken, match="entry 0 was altered"):
        again.entry(0)


def test_one_false_statement_keeps_the_whole_block_out(police):
    police.state(1)
    false = police.sign(3)
    with pytest.raises(StatementRefused):
        police.ledger.append([police.sign(2), type(false)(false.octets, false.salt, b"\xa0")], NOON)
    assert police.ledger.size == 1
    assert len(list(police.ledger.entries())) == 1


def test_a_statement_sent_twice_is_refused(police):
    once = police.sign(1)
    police.ledger.append([once], NOON)
    with pytest.raises(Duplicate, match="entry 0"):
        police.ledger.append([once], NOON)
    twice = police.sign(2)
    with pytest.raises(Duplicate, match="are the same"):
        police.ledger.append([twice, twice], NOON)
    with pytest.raises(Duplicate):
        reopened(police).ledger.append([once], NOON)


def test_a_clock_that_ran_back_does_not_turn_the_log_round(police):
    police.state(1, at=NOON)
    police.state(2, at=NOON - timedelta(hours=1))
    assert [entry.logged_at for entry in police.ledger.entries()] == [NOON, NOON]


def test_a_second_writer_is_refused_and_may_write_later(police):
    police.state(1)
    other = open_register(police.register.home)
    with pytest.raises(LedgerBusy, match="another process"):
        other.ledger.append([police.sign(2)], NOON)
    late = police.sign(3)
    police.state(2)
    police.ledger.close()
    assert other.ledger.append([late], NOON)[0].index == 2  # it takes in what it had not seen
    other.ledger.close()


def test_a_reader_sees_what_the_writer_adds(police):
    reader = open_register(police.register.home).ledger
    assert reader.size == 0
    police.state(1, 2)
    assert reader.refresh() == 2
    assert [entry.index for entry in reader.entries()] == [0, 1]
    reader.close()


def test_a_view_is_told_of_new_entries_once_they_are_durable(police):
    seen = []
    police.register.views.append(
        lambda new: seen.extend((one.index, open_register(police.register.home).ledger.size) for one in new)
    )
    police.state(1, 2)
    police.state(3)
    assert seen == [(0, 2), (1, 2), (2, 3)]


def test_an_erased_payload_is_gone_and_everything_else_still_verifies(police):
    police.state(1, 2, 3)
    secret = police.ledger.signed(1)
    before = police.ledger.receipt(2, at=NOON)
    police.ledger.erase(1, at=NOON)
    police.ledger.erase(1, at=NOON)
    assert [entry.is_erased for entry in police.ledger.entries()] == [False, True, False]
    folder = police.register.home / "ledger"
    for file in folder.iterdir():
        assert secret.salt not in file.read_bytes(), file
        assert secret.payload not in file.read_bytes(), file
    verify_receipt(before, police.ledger.log_key)
    shown = verify_receipt(police.ledger.receipt(1, at=NOON), police.ledger.log_key, police.register.members)
    assert shown.said is None
    found = police.register.verify_ledger()
    assert (found.payloads_kept, found.payloads_erased) == (2, 1)


def test_a_disk_that_fails_at_the_checkpoint_takes_the_block_back(police, monkeypatch):
    police.state(1)
    shelf = police.ledger._blocks
    before = (police.register.home / "ledger" / "log").read_bytes()
    with monkeypatch.context() as patch:

        def full(note):
            raise StorageError("no space left")

        patch.setattr(shelf, "write_checkpoint", full)
        with pytest.raises(StorageError):
            police.state(2, 3)
    assert (police.register.home / "ledger" / "log").read_bytes() == before
    assert police.ledger.size == 1
    police.state(2, 3)
    assert police.register.verify_ledger().statements == 3


def test_a_checkpoint_that_is_in_place_but_not_confirmed_keeps_its_block(police, monkeypatch):
    """Taking the block back would leave a checkpoint over more than the log holds, and the book broken for good."""
    police.state(1)
    write = police.ledger._blocks.write_checkpoint

    def unconfirmed(note):
        write(note)
        raise StorageError("the folder could not be fsynced")

    monkeypatch.setattr(police.ledger._blocks, "write_checkpoint", unconfirmed)
    with pytest.raises(StorageError):
        police.state(2)
    with pytest.raises(LedgerBroken, match="open the ledger again"):
        police.state(3)
    again = reopened(police)
    assert again.ledger.size == again.verify_ledger().statements == 2
    again.ledger.close()


def test_a_keystroke_in_the_middle_of_a_write_leaves_nothing_behind(police, monkeypatch):
    police.state(1)
    log = police.register.home / "ledger" / "log"
    before = log.read_bytes()
    real = os.pwrite

    def interrupted(handle, octets, at):
        real(handle, bytes(octets)[:50], at)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", interrupted)
        with pytest.raises(KeyboardInterrupt):
            police.state(2, 3, 4)
    assert log.read_bytes() == before
    police.state(5)
    assert police.register.verify_ledger().statements == 2


def test_old_and_new_checkpoint_are_bound_by_a_consistency_proof(police):
    police.state(1, 2, 3)
    old = police.ledger.checkpoint().checkpoint
    police.state(*range(10, 20))
    new = police.ledger.checkpoint().checkpoint
    proof = police.ledger.tree.consistency_proof(old.size, new.size)
    verify_consistency(old.size, new.size, old.root, new.root, proof)


# -- a book that contradicts itself -----------------------------------------------------------------------------------


def test_a_checkpoint_over_more_entries_than_the_log_has_stops_everything(police):
    police.state(1)
    log = police.register.home / "ledger" / "log"
    before = log.read_bytes()
    police.state(2)
    log.write_bytes(before)
    register = reopened(police)
    with pytest.raises(LedgerBroken, match="lost or removed"):
        _ = register.ledger


def test_a_checkpoint_of_another_root_stops_everything(police):
    police.state(1, 2)
    key = police.register._log_key.private()
    path = police.register.home / "ledger" / "checkpoint"
    path.write_text(Checkpoint(key.name, 2, bytes(32)).sign(key).format())
    register = reopened(police)
    with pytest.raises(LedgerBroken, match="was altered"):
        _ = register.ledger


def test_a_checkpoint_that_nobody_signed_stops_everything(police):
    police.state(1, 2)
    path = police.register.home / "ledger" / "checkpoint"
    note = SignedCheckpoint.parse(path.read_text())
    path.write_text(note.format().replace("\n2\n", "\n1\n"))
    register = reopened(police)
    with pytest.raises(LedgerBroken, match="cannot be trusted"):
        _ = register.ledger


def test_a_lost_checkpoint_stops_the_writer_and_the_audit(police):
    police.state(1, 2)
    (police.register.home / "ledger" / "checkpoint").unlink()
    register = reopened(police)
    with pytest.raises(LedgerBroken, match="no checkpoint"):
        register.ledger.append([police.sign(3)], NOON)
    with pytest.raises(LedgerBroken, match="no checkpoint"):
        register.verify_ledger()
    register.ledger.close()


def test_another_log_key_stops_the_writer(police, tmp_path):
    police.state(1)
    other = Police(tmp_path / "other")
    other.state(1)
    other.ledger.close()
    (police.register.home / "keys" / "log.key").write_bytes((tmp_path / "other" / "keys" / "log.key").read_bytes())
    register = reopened(police)
    with pytest.raises(Exception, match="not the key of this log"):
        register.ledger.append([police.sign(2)], NOON)
    assert register.ledger.size == 1
    register.ledger.close()


# -- reading everything again -----------------------------------------------------------------------------------------


def test_the_audit_counts_what_is_there(police):
    police.state(1, 2)
    police.state(3)
    found = police.register.verify_ledger()
    assert (found.blocks, found.statements, found.by_kind) == (2, 3, {"device-stolen/1": 3})
    assert found.root == police.ledger.tree.root()
    assert found.checkpoint_size == 3


def test_the_audit_names_a_payload_that_was_exchanged(police):
    police.state(1, 2, 3)
    database = police.ledger._payloads._writer()
    with database.transaction() as connection:
        connection.execute("UPDATE payload SET octets = (SELECT octets FROM payload WHERE idx = 0) WHERE idx = 2")
    with pytest.raises(LedgerBroken, match="entry 2: the payload is not the one that was signed"):
        police.register.verify_ledger()


def test_the_audit_names_a_payload_that_was_lost(police):
    police.state(1, 2, 3)
    with police.ledger._payloads._writer().transaction() as connection:
        connection.execute("DELETE FROM payload WHERE idx = 1")
    with pytest.raises(LedgerBroken, match="entry 1: its payload is lost"):
        police.register.verify_ledger()
    with pytest.raises(LedgerBroken, match="lost"):
        police.ledger.entry(1)


def test_the_audit_names_a_signer_who_is_no_member(police):
    police.state(1)
    (police.register.home / "members.toml").write_text("")
    with pytest.raises(LedgerBroken, match=r"entry 0: the key [0-9a-f]+… is no member's"):
        police.register.verify_ledger()


def test_a_revocation_dated_back_makes_statements_doubtful_and_not_the_book_broken(police):
    police.state(1, at=NOON)
    police.state(2, 3, at=NOON + timedelta(days=2))
    late = police.sign(4)
    police.register.change_members(police.register.members.with_revoked("cc-police", NOON + timedelta(days=1)))
    assert police.register.verify_ledger().doubtful == [1, 2]
    with pytest.raises(StatementRefused, match="revoked"):
        police.ledger.append([late], NOON + timedelta(days=3))


def test_a_key_revoked_by_another_process_is_refused_by_one_that_runs_on(police):
    police.state(1)
    late = police.sign(2)
    other = open_register(police.register.home)
    other.change_members(other.members.with_revoked("cc-police", NOON))
    with pytest.raises(StatementRefused, match="revoked"):
        police.register.submit([late], at=NOON)


def test_the_leaf_hash_is_that_of_the_signed_octets(police):
    [entry] = police.state(1)
    assert entry.leaf_hash == hash_leaf(police.ledger.signed(0).octets)
    assert police.ledger.find(entry.leaf_hash) == 0
    assert police.ledger.find(bytes(32)) is None


def test_two_who_hand_over_write_in_turn_and_each_sees_what_the_other_wrote(police):
    other = open_register(police.register.home)
    for n in range(6):
        writer = police.register if n % 2 else other
        writer.submit([police.sign(n)], at=NOON)
        writer.ledger.hand_over()
    police.ledger.refresh()
    assert (police.ledger.size, [list(one.said.devices) for one in police.ledger.entries()]) == (
        6,
        [[f"{n:014d}"] for n in range(6)],
    )
    root = police.ledger.tree.root()
    again = reopened(police).ledger
    assert (again.tree.root(), again.notes) == (root, [])
    other.ledger.close()
