"""`openceir identifier`: what a person reads, and what a script gets."""

import json

import pytest
from click.testing import CliRunner

from openceir.cli._main import cli, main
from openceir.identity import CATALOGUE
from openceir.identity.page import format_page


def run(*arguments):
    return CliRunner().invoke(cli, ["identifier", *arguments])


def test_an_imei_is_explained_in_words():
    result = run("explain", "35-209900-176148-1")
    assert result.exit_code == 0
    for words in (
        "imei: International mobile equipment identity",
        "35209900176148",
        "35 TÜV SÜD BABT",
        "S2-S3",
        "flashers",
    ):
        assert words in result.output


def test_a_failed_luhn_reads_as_a_typing_finding_with_the_digit_that_fits():
    result = run("explain", "352099001761489")
    assert result.exit_code == 0  # it is an IMEI all the same
    assert "a typing finding" in result.output
    assert "1 would fit" in result.output


def test_the_form_it_was_written_in_is_named():
    assert "written as" in run("explain", "imei-352099001761480").output


def test_nothing_recognised_exits_with_two_and_says_why():
    result = run("explain", "3520990")
    assert result.exit_code == 2
    assert "not recognised" in result.output
    assert "an IMEI has 14 to 16" in result.output


def test_a_named_scheme_is_the_only_one_tried():
    assert run("explain", "C02XK1ABJGH5").exit_code == 2
    result = run("explain", "--scheme", "maker-serial", "C02XK1ABJGH5")
    assert result.exit_code == 0
    assert "together with maker and model" in result.output


def test_json_says_all_that_the_words_say():
    explained = json.loads(run("explain", "352099001761489", "--json").output)
    assert explained["scheme"] == "imei"
    assert explained["canonical"] == explained["imei"] == "35209900176148"
    assert explained["check"] == "failed"
    assert (explained["level"], explained["level_at_best"]) == ("S2", "S3")
    assert explained["findings"][0]["code"] == "luhn-failed"
    assert explained["alternatives"][0]["scheme"] == "imsi"
    unknown = run("explain", "§", "--json")
    assert (json.loads(unknown.output)["scheme"], unknown.exit_code) == ("unknown", 2)


def test_the_list_names_every_scheme_with_its_level():
    lines = run("list").output.splitlines()
    for name, row in CATALOGUE.items():
        assert f"{name:<20} {row.levels:<6} {row.title}" in lines
    rows = json.loads(run("list", "--json").output)
    assert [row["name"] for row in rows] == list(CATALOGUE)
    assert run("list", "--markdown").output == format_page()


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_an_unknown_scheme_is_one_sentence_a_code_and_exit_two(monkeypatch, capsys, extra):
    monkeypatch.setattr("sys.argv", ["openceir", "identifier", "explain", "1", "--scheme", "imai", *extra])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "unknown-scheme" in said.err
    assert "openceir identifier list" in said.err


def test_octets_that_are_no_text_are_answered_like_any_garbage():
    """A shell hands over octets that are not UTF-8 as lone surrogates."""
    result = run("explain", "\udcff")
    assert result.exit_code == 2
    assert "not UTF-8" in result.output
