"""Settings: default, file, environment; a misspelt one stops the start."""

from pathlib import Path

import pytest

from openceir.settings import Settings, SettingsError, load_settings, settings_page

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "settings.md"


def test_nothing_needs_to_be_set(tmp_path):
    settings, rows = load_settings(tmp_path / "absent", {"OPENCEIR_HOME": "x", "PATH": "y"})
    assert settings == Settings()
    assert {row.origin for row in rows} == {"default"}


def test_the_environment_counts_over_the_file_and_each_says_so(tmp_path):
    file = tmp_path / "openceir.toml"
    file.write_text('memory_limit = "1GB"\n[http]\nport = 80\nworkers = 3\npublic_checks = false\n')
    settings, rows = load_settings(tmp_path, {"OPENCEIR_HTTP_PORT": "81", "OPENCEIR_HTTP_PUBLIC_CHECKS": "TRUE"})
    assert (settings.memory_limit, settings.http_port, settings.http_workers) == ("1GB", 81, 3)
    assert settings.http_public_checks is True
    origin = {row.name: row.origin for row in rows}
    assert (origin["memory_limit"], origin["http_port"], origin["threads"]) == (
        str(file),
        "OPENCEIR_HTTP_PORT",
        "default",
    )


@pytest.mark.parametrize(
    ("text", "environment", "complaint"),
    [
        ("[http]\nprot = 80\n", {}, r"no setting http\.prot; did you mean http\.port\?"),
        ("", {"OPENCEIR_HTTP_PROT": "80"}, r"OPENCEIR_HTTP_PROT\): there is no setting http\.prot"),
        ("[http]\nport = true\n", {}, r"http\.port is True, expected a whole number"),
        ("[http]\nport = 70000\n", {}, r"http\.port is 70000, expected 0 to 65535"),
        ("[http\n", {}, "cannot be read"),
        ("http = 3\n", {}, "no setting http"),
        ('log_format = "xml"\n', {}, "expected text or json"),
        ("", {"OPENCEIR_HTTP_PORT": "eighty"}, "expected a whole number"),
        ("", {"OPENCEIR_HTTP_PUBLIC_CHECKS": "yes"}, "expected true or false"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(tmp_path, text, environment, complaint):
    (tmp_path / "openceir.toml").write_text(text)
    with pytest.raises(SettingsError, match=complaint):
        load_settings(tmp_path, environment)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "openceir.toml").write_bytes(b"memory_limit = '\xff'")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, {})


def test_the_page_is_made_from_the_fields():
    assert PAGE.read_text(encoding="utf-8") == settings_page()


def test_every_setting_is_explained():
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert all(row.split("|")[4].strip().endswith(".") for row in rows)
