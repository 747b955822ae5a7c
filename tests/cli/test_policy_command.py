from pathlib import Path

from click.testing import CliRunner, Result

from openceir.cli._main import cli


def openceir(home: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *words])


def test_the_example_rules_are_printed_as_a_policy_file_that_can_be_used(tmp_path):
    printed = openceir(tmp_path, "policy", "example")
    (tmp_path / "policy").mkdir()
    (tmp_path / "policy" / "20-rules.toml").write_text(printed.stdout)
    shown = openceir(tmp_path, "policy", "show", "--on", "2026-11-01")
    assert (printed.exit_code, shown.exit_code) == (0, 0)
    assert "stolen_and_duplicated: reported stolen or lost" in shown.stdout


def test_a_home_without_rules_is_told_how_to_begin(tmp_path):
    for asked in (("policy", "show"), ("detection", "run", "--at", "2026-11-01")):
        told = openceir(tmp_path, *asked)
        assert (told.exit_code, "openceir policy example" in told.stdout) == (0, True)
