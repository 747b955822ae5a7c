"""Receipts of checks: signed, read by anybody, held against a copy of the ledger."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from openceir.cli._main import cli
from openceir.ledger import CheckReceipt, MerkleLog, ProofRefused
from openceir.statements import SigningKey
from openceir.storage.files import StorageError
from openceir.storage.ledger_files import leaves_of

KEY = SigningKey.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
SAID = CheckReceipt(
    imei="001001000000015", verdict="blocked", because="stolen", at="2027-03-01T12:00:00Z", statements="2",
    root=base64.b64encode(bytes(32)).decode(),
)  # fmt: skip


def test_a_receipt_is_read_back_and_every_changed_line_is_refused():
    note = SAID.signed(KEY)
    assert CheckReceipt.verify(note, KEY.public) == SAID
    assert CheckReceipt.verify(note.replace("\n", "\r\n"), KEY.public) == SAID
    for old, new in (("blocked", "permitted"), ("stolen", "-"), ("statements 2", "statements 3"), ("2027", "2028")):
        with pytest.raises(ProofRefused, match="did not sign"):
            CheckReceipt.verify(note.replace(old, new), KEY.public)


@pytest.mark.parametrize(
    "wrong", [{"statements": "-1"}, {"statements": "9" * 16}, {"root": "AAAA"}, {"root": "no base64"}]
)
def test_a_signed_receipt_that_names_no_root_is_refused(wrong):
    with pytest.raises(ProofRefused, match="no root"):
        CheckReceipt.verify(replace(SAID, **wrong).signed(KEY), KEY.public)


@given(st.text(max_size=300))
def test_no_text_is_a_receipt_and_none_is_a_fault(text):
    with pytest.raises(ProofRefused):
        CheckReceipt.verify(text, KEY.public)
    with pytest.raises(ProofRefused):
        CheckReceipt.verify(SAID.signed(KEY).replace("blocked", text), KEY.public)


@pytest.fixture
def shown(tmp_path):
    """A register with three statements, and the receipt of a check made when there were two."""
    from a_country import ALICES_PHONE, BOBS_PHONE, Storyland, noon
    from openceir.statements import DeviceSet, DeviceStolen

    country = Storyland(tmp_path / "home")
    for number, phone in enumerate((ALICES_PHONE, BOBS_PHONE, "00100100000003")):
        stolen = DeviceStolen(devices=DeviceSet.of(phone), case_number=f"N-{number}", stolen_at=noon("2027-01-01"))
        country.says("police", stolen, "2027-01-02")
    tree = country.register.ledger.tree
    said = replace(SAID, root=base64.b64encode(tree.root(2)).decode())
    file = tmp_path / "check.txt"
    file.write_text(said.signed(KEY))
    return file, Path(country.home / "ledger"), said


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_command_reads_it_where_the_register_is_not_and_holds_a_ledger_against_it(shown, tmp_path):
    file, ledger, said = shown
    key = KEY.public.format()
    done = run("receipt", "verify-check", file, "--key", key)
    assert (done.exit_code, "blocked" in done.output) == (0, True)
    assert run("receipt", "verify-check", file, "--key", key, "--ledger", ledger).exit_code == 0
    file.write_text(replace(said, root=base64.b64encode(bytes(32)).decode()).signed(KEY))
    rewritten = run("receipt", "verify-check", file, "--key", key, "--ledger", ledger).exception
    assert isinstance(rewritten, ProofRefused)
    assert "entries were changed" in str(rewritten)
    file.write_text(replace(said, statements="9").signed(KEY))
    longer = run("receipt", "verify-check", file, "--key", key, "--ledger", ledger).exception
    assert "has 3 entries" in str(longer)
    empty = run("receipt", "verify-check", file, "--key", key, "--ledger", tmp_path).exception
    assert isinstance(empty, StorageError)
    file.write_bytes(b"\xff\xfe")
    assert isinstance(run("receipt", "verify-check", file, "--key", key).exception, StorageError)


def test_leaves_of_a_copy_make_the_logs_own_root(shown):
    _, ledger, said = shown
    tree = MerkleLog()
    tree.extend(leaves_of(ledger))
    assert (tree.size, tree.root(2)) == (3, said.root_octets)
