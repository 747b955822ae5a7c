"""The commands around statements and ledger, typed as a person types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.cli._main import cli
from openceir.errors import OpenceirError
from openceir.statements import KINDS

NOON = "2027-03-01T12:00:00Z"


class Terminal:
    """A shell in an empty folder with one register."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def types(self, *words: str, home: Path | None = None) -> str:
        """What the command prints; raises what it refuses with."""
        done = CliRunner().invoke(cli, ["--home", str(home or self.home), *words], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done.output

    def reads(self, *words: str) -> object:
        return json.loads(self.types(*words, "--json"))


@pytest.fixture
def terminal(tmp_path):
    made = Terminal(tmp_path / "home")
    made.types("key", "new", "police", "--role", "police", "--at", "2027-01-01")
    made.types("key", "new", "cc-1", "--member", "cc-regulator", "--role", "regulator", "--at", "2027-01-01")
    return made


def submit(terminal, imei="001001000000015"):
    return terminal.reads(
        "statement", "submit", "device-stolen", "--imei", imei, "--by", "police", "--case", "N-7",
        "--stolen-at", "2027-02-28", "--at", NOON,
    )  # fmt: skip


def test_a_theft_is_stated_on_one_line_and_read_back(terminal):
    entry = submit(terminal)
    shown = terminal.reads("statement", "show", "0")
    assert shown["leaf_hash"] == entry["leaf_hash"]
    assert (shown["kind"], shown["issuer"], shown["devices"]) == (
        "device-stolen/1",
        "police",
        {"imeis": ["00100100000001"]},
    )
    assert (shown["stolen_at"], shown["stated_at"]) == ("2027-02-28T00:00:00Z", NOON)
    assert terminal.reads("statement", "show", entry["leaf_hash"]) == shown


def test_a_list_of_statements_names_no_device(terminal):
    submit(terminal)
    assert "00100100000001" not in terminal.types("statement", "list")
    assert [row["kind"] for row in terminal.reads("statement", "list")] == ["device-stolen/1"]
    assert terminal.reads("statement", "list", "--kind", "device-lost") == []


@pytest.mark.parametrize("suffix", ["json", "toml"])
def test_a_statement_can_come_from_a_file(terminal, tmp_path, suffix):
    file = tmp_path / f"said.{suffix}"
    if suffix == "json":
        file.write_text(
            '{"kind": "device-blocked/1", "devices": {"ranges": [["00100100000000", "00100100000099"]]},'
            f' "blocked_at": "{NOON}", "grounds": "order 5"}}'
        )
    else:
        file.write_text(
            'kind = "device-blocked/1"\ngrounds = "order 5"\nblocked_at = 2027-03-01T12:00:00Z\n'
            '[devices]\nranges = [["00100100000000", "00100100000099"]]\n'
        )
    assert terminal.reads("statement", "submit", str(file), "--by", "cc-regulator", "--at", NOON)["index"] == 0
    assert terminal.reads("statement", "show", "0")["devices"] == {"ranges": [["00100100000000", "00100100000099"]]}


def test_a_statement_signed_elsewhere_is_submitted_as_a_file(terminal, tmp_path):
    file = tmp_path / "theft.statement"
    terminal.types(
        "statement", "sign", "device-stolen", "--imei", "00100100000001", "--by", "police", "--case", "N-7",
        "--at", NOON, "-o", str(file),
    )  # fmt: skip
    assert terminal.reads("statement", "show", str(file))["case_number"] == "N-7"
    assert terminal.reads("statement", "submit", str(file), "--at", NOON)["index"] == 0
    with pytest.raises(OpenceirError, match="entry 0 of the log already"):
        terminal.types("statement", "submit", str(file), "--at", NOON)


def test_the_identifiers_of_one_device_are_bound(terminal):
    terminal.types(
        "statement", "submit", "device-bound", "--imei", "00100100000001", "--imei", "00100100000002",
        "--other", "serial", "A1B2", "--by", "cc-regulator", "--at", NOON,
    )  # fmt: skip
    assert terminal.reads("statement", "show", "0")["identifiers"] == {
        "imeis": ["00100100000001", "00100100000002"],
        "others": [["serial", "A1B2"]],
    }


def test_a_stranger_verifies_a_receipt_with_no_register_at_all(terminal, tmp_path):
    submit(terminal)
    submit(terminal, "00100100000002")
    receipt, key = tmp_path / "theft.receipt", terminal.types("key", "show", "log").strip()
    terminal.types("receipt", "make", "0", "-o", str(receipt))
    nowhere = tmp_path / "nowhere"
    members = str(terminal.home / "members.toml")
    said = terminal.types("receipt", "verify", str(receipt), "--log-key", key, "--members", members, home=nowhere)
    assert "00100100000001" in said
    assert not nowhere.exists()
    terminal.types("receipt", "make", "0", "-o", str(receipt), "--hide")
    said = terminal.types("receipt", "verify", str(receipt), "--log-key", key, home=nowhere)
    assert "00100100000001" not in said
    assert "rests on the log's word" in said
    changed = bytearray(receipt.read_bytes())
    changed[-1] ^= 1
    receipt.write_bytes(changed)
    with pytest.raises(OpenceirError):
        terminal.types("receipt", "verify", str(receipt), "--log-key", key, home=nowhere)


def test_verify_counts_everything_and_names_the_first_bad_place(terminal):
    submit(terminal)
    submit(terminal, "00100100000002")
    found = terminal.reads("ledger", "verify")
    assert (found["statements"], found["payloads_kept"], found["checkpoint_size"]) == (2, 2, 2)
    assert found["root"] in terminal.types("ledger", "verify")
    log = terminal.home / "ledger" / "log"
    octets = bytearray(log.read_bytes())
    octets[150] ^= 1
    log.write_bytes(octets)
    with pytest.raises(OpenceirError, match="block 0") as wrong:
        terminal.types("ledger", "verify")
    assert (wrong.value.code, wrong.value.exit_status) == ("ledger-broken", 2)


def test_what_is_erased_is_gone_from_the_book_and_still_verifies(terminal):
    submit(terminal)
    terminal.types("ledger", "erase", "0", "--yes", "--at", NOON)
    assert terminal.reads("statement", "show", "0")["erased"] is True
    assert "00100100000001" not in terminal.types("statement", "show", "0")
    assert terminal.reads("ledger", "verify")["payloads_erased"] == 1


def test_a_consistency_proof_binds_the_checkpoint_one_kept(terminal):
    submit(terminal)
    kept = terminal.reads("ledger", "checkpoint")
    submit(terminal, "00100100000002")
    proof = terminal.reads("ledger", "prove", "--from", str(kept["size"]))
    assert proof["old_root"] == kept["root"]
    assert proof["new_root"] == terminal.reads("ledger", "checkpoint")["root"]


def test_a_private_key_is_never_printed(terminal):
    secrets = [path.read_text().strip() for path in (terminal.home / "keys").glob("*.key")]
    assert len(secrets) >= 2
    for words in (["key", "list"], ["key", "show", "police"], ["member", "list"], ["key", "list", "--json"]):
        assert not any(secret.split("+", 4)[4] in terminal.types(*words) for secret in secrets)


def test_a_role_is_taken_away_and_what_was_said_with_it_stays_said(terminal):
    terminal.types("member", "add", "police", "--role", "operator", "--at", "2027-01-01")
    submit(terminal)
    shown = terminal.reads("member", "remove-role", "police", "--role", "police", "--at", "2027-03-02")
    assert shown[0]["roles"] == ["operator"]
    assert shown[0]["earlier"][-1] == {"roles": ["operator", "police"], "until": "2027-03-02T00:00:00Z"}
    assert terminal.reads("ledger", "verify")["doubtful"] == []
    with pytest.raises(OpenceirError, match="may not say"):
        terminal.types(
            "statement", "submit", "device-recovered", "--imei", "00100100000001", "--by", "police", "--case", "N-7",
            "--at", "2027-03-03",
        )  # fmt: skip
    with pytest.raises(OpenceirError, match="without a role"):
        terminal.types("member", "remove-role", "police", "--role", "operator")
    with pytest.raises(OpenceirError, match="does not hold"):
        terminal.types("member", "remove-role", "police", "--role", "court")


def test_a_member_gets_a_key_made_elsewhere_and_loses_it(terminal, tmp_path):
    line = terminal.types("key", "show", "police").strip()
    other = Terminal(tmp_path / "other")
    other.types("member", "add", "cc-police", "--role", "police", "--public", line, "--at", "2027-01-01")
    assert other.reads("member", "list")[0]["roles"] == ["police"]
    assert other.reads("key", "list")[0]["private_here"] is False
    assert other.reads("member", "revoke", "cc-police", "--at", NOON)[0]["keys"][0]["revoked"] is True


def test_every_kind_is_listed_with_who_may_say_it(terminal):
    kinds = {row["kind"]: row for row in terminal.reads("statement", "kinds")}
    assert kinds["device-stolen/1"]["said_by"] == ["operator", "police", "regulator"]
    assert kinds["device-stolen/1"]["fields"] == ["devices", "stolen_at", "case_number"]
    assert kinds.keys() == KINDS.keys()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["statement", "submit", "device-stolen", "--imei", "00100100000001"], "--by is missing"),
        (["statement", "submit", "device-stolen", "--imei", "123", "--by", "police", "--case", "x"], "14 digits"),
        (["statement", "submit", "device-stolen", "--by", "police", "--case", "x"], "devices is missing"),
        (["statement", "submit", "device-eaten", "--by", "police"], "no kind"),
        (["statement", "submit", "absent.json", "--by", "police"], "cannot be read"),
        (["statement", "submit", "device-stolen", "--by", "nobody", "--imei", "00100100000001", "--case", "x"], "no key"),
        (["statement", "submit", "device-stolen", "--by", "../log", "--imei", "00100100000001", "--case", "x"], "cannot name"),
        (["statement", "submit", "device-blocked", "--by", "police", "--imei", "00100100000001", "--grounds", "x"], "may not say"),
        (["statement", "submit", "device-stolen", "--at", "noon"], "no moment"),
        (["statement", "show", "7"], "no entry 7"),
        (["statement", "show", "zz"], "neither an index"),
        (["statement", "show", "ab" * 32], "no statement with that leaf hash"),
        (["ledger", "checkpoint"], "no checkpoint yet"),
        (["ledger", "prove", "--from", "9"], "sizes must ascend"),
        (["ledger", "erase", "0", "--yes"], "no entry 0"),
        (["key", "new", "log", "--role", "police"], "register's own"),
        (["key", "new", "police", "--role", "police"], "already"),
        (["key", "new", "nobody"], "no role"),
        (["key", "show", "absent"], "no key"),
        (["member", "revoke", "absent"], "no member"),
        (["member", "revoke", "police", "--key", "x"], "no key x"),
        (["receipt", "make", "0", "-o", "r"], "no entry 0"),
    ],
)  # fmt: skip
def test_bad_input_is_answered_with_one_sentence_and_changes_nothing(terminal, words, why):
    with pytest.raises(Exception, match=why) as wrong:
        terminal.types(*words)
    shown = wrong.value
    assert getattr(shown, "exit_status", getattr(shown, "exit_code", None)) == 2 or shown.code == "storage-failed"
    assert terminal.reads("ledger", "verify")["statements"] == 0
