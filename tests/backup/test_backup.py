"""A register copied while it works, and made again of the copy."""

import json
import sqlite3
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, Storyland, noon
from openceir.app import open_register
from openceir.backup import BackupRefused, Manifest, open_keys, restore_backup, seal_keys, take_backup, verify_backup
from openceir.cli._main import cli
from openceir.ledger import LedgerBusy
from openceir.statements import DeviceSet, DeviceStolen

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
WORDS = "correct horse battery staple"


@pytest.fixture
def land(tmp_path):
    """A country with a stolen phone, sightings, measures, lists, a policy of its own."""
    land = Storyland(tmp_path / "home")
    land.says("police", stolen(ALICES_PHONE), "2027-02-01")
    land.sees("northtel", [("2027-02-01", ALICES_PHONE, ALICE), ("2027-02-02", BOBS_PHONE, BOB)], "2027-02-03")
    land.updates("2027-02-03")
    land.register.ledger.hand_over()
    yield land
    land.register.ledger.close()
    land.register.database.close()


def stolen(phone):
    return DeviceStolen(devices=DeviceSet.of(phone), stolen_at=noon("2027-02-01"), case_number="N-7")


def taken(land, tmp_path, at=AT, **more):
    return take_backup(land.home, tmp_path / "backups", at=at, environment={}, **more)


def test_a_home_made_of_a_backup_answers_like_the_first_and_goes_on(land, tmp_path):
    backup = taken(land, tmp_path, passphrase=WORDS)
    restored = restore_backup(backup.folder, tmp_path / "again", environment={}, passphrase=WORDS)
    assert (restored.statements, restored.missing_keys) == (land.register.ledger.size, ())
    again = open_register(tmp_path / "again")
    for phone in (ALICES_PHONE, BOBS_PHONE):
        assert again.check(phone, AT) == land.register.check(phone, AT)
    first = land.register.list_runs.newest("northtel", "blocklist")
    assert again.list_runs.newest("northtel", "blocklist") == first
    assert (
        again.list_runs.files_of(first).rows.read_bytes() == land.register.list_runs.files_of(first).rows.read_bytes()
    )
    assert again.holdings(at=AT).sightings == land.register.holdings(at=AT).sightings
    again.state([stolen(BOBS_PHONE)], by="police", at=AT)
    assert again.make_lists(on=AT.date(), at=AT).sequence == land.register.list_runs.last_sequence() + 1
    assert again.verify_ledger().statements == restored.statements + 1
    again.ledger.close()
    again.database.close()


def test_what_is_written_while_the_backup_runs_is_in_it_whole_or_not_at_all(land, tmp_path):
    """Police state thefts without a pause; each backup's book is a prefix, with a payload for each entry of it."""
    stop = threading.Event()

    def go_on():
        writer, number = open_register(land.home), 0
        while not stop.is_set():
            with suppress(LedgerBusy):  # it is the backup's moment; the portal's writers wait for their turn
                writer.state([stolen(f"0010010001{number:04d}")], by="police", at=AT)
                number += 1
            writer.ledger.hand_over()
        writer.ledger.close()
        writer.database.close()

    police = threading.Thread(target=go_on)
    police.start()
    try:
        backups = [taken(land, tmp_path, AT + timedelta(seconds=n)) for n in range(4)]
    finally:
        stop.set()
        police.join()
    sizes = [backup.manifest.log_size for backup in backups]
    assert sizes == sorted(sizes)
    for number, backup in enumerate(backups):
        restored = restore_backup(backup.folder, tmp_path / f"again{number}", environment={})
        assert restored.statements == sizes[number]


def test_the_books_of_a_home_and_its_backup_are_prefixes_of_one_another(land, tmp_path):
    backup = taken(land, tmp_path)
    land.says("police", stolen(BOBS_PHONE), "2027-03-02")
    restore_backup(backup.folder, tmp_path / "again", environment={})
    again = open_register(tmp_path / "again")
    assert again.ledger.tree.root() == land.register.ledger.tree.root(backup.manifest.log_size)
    assert again.ledger.checkpoint().checkpoint.size == backup.manifest.log_size


def test_keys_stay_out_unless_they_are_asked_for(land, tmp_path):
    backup = taken(land, tmp_path)
    secrets = [path.read_bytes() for path in (land.home / "keys").iterdir()]
    octets = [path.read_bytes() for path in backup.folder.rglob("*") if path.is_file()]
    assert not any(secret in kept for secret in secrets for kept in octets)
    assert "keys/police.key" in backup.manifest.keys
    restored = restore_backup(backup.folder, tmp_path / "again", environment={})
    assert restored.missing_keys == backup.manifest.keys


def test_sealed_keys_open_with_their_passphrase_alone(land, tmp_path):
    backup = taken(land, tmp_path, passphrase=WORDS)
    sealed = (backup.folder / "keys.sealed").read_bytes()
    assert open_keys(sealed, WORDS)["keys/police.key"] == (land.home / "keys" / "police.key").read_bytes()
    for octets, words in ((sealed, WORDS + "s"), (sealed[:-1] + bytes([sealed[-1] ^ 1]), WORDS), (sealed[:20], WORDS)):
        with pytest.raises(BackupRefused):
            open_keys(octets, words)
    with pytest.raises(BackupRefused, match="does not open"):
        restore_backup(backup.folder, tmp_path / "again", environment={}, passphrase="another passphrase")
    assert not (tmp_path / "again").exists()
    with pytest.raises(BackupRefused, match="expected 16"):
        seal_keys({}, "short")


def test_one_changed_octet_of_any_file_is_found(land, tmp_path):
    folder = taken(land, tmp_path).folder
    for path in [path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json"]:
        octets = path.read_bytes()
        path.write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]) if octets else b"x")
        with pytest.raises(BackupRefused, match=path.name.replace(".", r"\.")):
            verify_backup(folder)
        path.write_bytes(octets)
    verify_backup(folder)


def test_a_backup_that_was_exchanged_whole_is_known_by_its_digest(land, tmp_path):
    first = taken(land, tmp_path)
    second = taken(land, tmp_path, AT + timedelta(seconds=1))
    verify_backup(first.folder, digest=first.manifest.digest)
    with pytest.raises(BackupRefused, match="exchanged"):
        verify_backup(second.folder, digest=first.manifest.digest)


def test_a_restore_never_goes_over_a_register(land, tmp_path):
    backup = taken(land, tmp_path)
    with pytest.raises(BackupRefused, match="not empty"):
        restore_backup(backup.folder, land.home, environment={})


def test_a_backup_is_not_put_into_the_register_itself(land):
    with pytest.raises(BackupRefused, match="inside the register"):
        take_backup(land.home, land.home / "backups", at=AT, environment={})


def test_views_behind_the_book_catch_up_after_a_restore(land, tmp_path):
    """A writer that dies between the log and the claims leaves them behind; so may a backup."""
    land.says("police", stolen(BOBS_PHONE), "2027-02-04")
    land.register.ledger.hand_over()
    size = land.register.ledger.size
    database = sqlite3.connect(land.home / "register.sqlite")
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert "claim" in names
    database.close()
    land.register.claims.forget(size - 1)
    backup = taken(land, tmp_path)
    restored = restore_backup(backup.folder, tmp_path / "again", environment={})
    assert restored.statements == size


def test_the_commands_take_verify_and_restore(land, tmp_path):
    run = CliRunner().invoke
    words = tmp_path / "words"
    words.write_text(WORDS)
    words.chmod(0o600)
    home = ["--home", str(land.home)]
    made = run(cli, [*home, "backup", "take", str(tmp_path / "b"), "--passphrase-file", str(words), "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert run(cli, ["backup", "verify", told["folder"], "--digest", told["digest"]]).exit_code == 0
    new = ["--home", str(tmp_path / "new")]
    done = run(cli, [*new, "backup", "restore", told["folder"], "--passphrase-file", str(words), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["statements"] == told["statements"] == land.register.ledger.size


@pytest.mark.parametrize("path", ["../x", "/etc/x", "home//x", "home/./x", "", "home\\x", "a/../../x"])
def test_a_manifest_cannot_lead_outside(land, tmp_path, path):
    tree = json.loads(taken(land, tmp_path).manifest.write())
    tree["files"][0]["path"] = path
    with pytest.raises(BackupRefused):
        Manifest.read(json.dumps(tree).encode())


@given(st.binary(max_size=200))
def test_octets_are_a_manifest_or_refused(octets):
    with pytest.raises(BackupRefused):
        Manifest.read(octets)
