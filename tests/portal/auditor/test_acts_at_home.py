"""The log of acts is taken home and walked there: whole, from its first entry, with its statements in the ledger."""

import json

import pytest
from click.testing import CliRunner

from a_country import ALICES_PHONE
from openceir.cli._main import cli
from openceir.portal.accounts.act_chain import ActsBroken, walk_acts
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.log import lines_of_acts, note, verify_acts
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.citizens.reports import open_report, verify_report


@pytest.fixture
def log(country, people, tmp_path):
    """Three acts, one of which signed a statement."""
    user = people("ann", PortalRole.POLICE_OFFICER)
    ann = Actor(name="ann", role="police-officer", office="police", signs_with="police", user=user)
    case, _ = open_report(ALICES_PHONE, is_theft=True, channel="web", language="en")
    case.move("prove", actor="")
    note(ann, "police.read-case", subject=case.reference)
    verify_report(ann, case)
    note(ann, "police.read-case", subject=case.reference, reason="à vérifier ✓")
    path = tmp_path / "acts.jsonl"
    path.write_text("".join(lines_of_acts()), encoding="utf-8")
    return path


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def test_the_file_says_what_the_database_says(log):
    walked = walk_acts(log.read_bytes().splitlines(keepends=True))
    assert (walked.entries, walked.digest) == verify_acts()
    assert len(walked.statements) == 1


def test_the_command_walks_it_and_finds_its_statements_in_a_copy_of_the_ledger(log, country):
    done = run("acts", "verify", log, "--ledger", country.home / "ledger", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["acts"], told["statements"]) == (3, 1)
    assert run("acts", "verify", log, "--known", told["digest"]).exit_code == 0
    assert isinstance(run("acts", "verify", log, "--known", "0" * 64).exception, ActsBroken)


def test_an_entry_that_is_changed_missing_or_added_is_found(log):
    lines = log.read_bytes().splitlines(keepends=True)
    changed = json.loads(lines[1])
    changed["actor"] = "somebody else"
    strange = json.dumps({**json.loads(lines[2]), "statements": ["no hash"]}).encode()
    for wrong, place in (
        ([lines[0], json.dumps(changed).encode(), lines[2]], "entry 2"), ([lines[0], lines[2]], "entry 2"), (lines[1:], "entry 1"),
        ([*lines, b"{}\n"], "line 4"), ([*lines, b"[" * 50_000], "line 4"), ([*lines, b"\xff"], "line 4"), ([*lines, lines[2]], "entry 4"),
        ([lines[0], lines[1], strange], "entry 3"),
    ):  # fmt: skip
        with pytest.raises(ActsBroken, match=place):
            walk_acts(wrong)


def test_an_act_whose_statement_stands_nowhere_is_told(log, country, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "log").write_bytes((country.home / "ledger" / "log").read_bytes()[:18])  # a log without a block
    refused = run("acts", "verify", log, "--ledger", other).exception
    assert isinstance(refused, ActsBroken)
    assert "1 statements that acts name do not stand" in str(refused)


def test_an_auditor_fetches_it_and_that_is_its_last_entry(log, client_of):
    answer = client_of("otto", PortalRole.AUDITOR).get("/auditor/acts/?file")
    lines = b"".join(answer.streaming_content).splitlines(keepends=True)
    answer.close()
    assert walk_acts(lines).entries == len(lines)
    assert json.loads(lines[-1])["verb"] == "auditor.fetch-acts"
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/auditor/acts/?file").status_code == 403
