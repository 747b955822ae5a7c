"""`openceir eir serve` for 5G cores: what cannot be is said in one sentence before anything is opened."""

from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from openceir.cli._eir_n5g import n5g_serving
from openceir.cli._main import cli
from openceir.eir import DecisionPolicy, EirError

GIVEN = {
    "n5g": "127.0.0.1:7777", "n5g_tls": None, "n5g_processes": 1, "n5g_instance": None, "n5g_prefix": "", "n5g_token_key": (),
    "n5g_token_issuer": (), "n5g_fqdn": "", "nrf": None, "nrf_ca": None, "plmns": (),
}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--nrf", "http://nrf.example"], "--nrf needs --n5g"),
        (["--plmn", "001-01"], "--plmn needs --n5g"),
        (["--n5g", "7777"], "expected HOST:PORT"),
        (["--n5g", "127.0.0.1:seven"], "expected HOST:PORT"),
        (["--n5g", "127.0.0.1:77777"], "expected HOST:PORT"),
        (["--n5g", "127.0.0.1:٧"], "expected HOST:PORT"),
        (["--n5g-tls", "127.0.0.1:7777"], "--n5g-tls needs all of"),
        (["--n5g", "127.0.0.1:0", "--n5g-prefix", "eir"], "expected path segments"),
        (["--n5g", "127.0.0.1:0", "--n5g-prefix", "/eir?x"], "expected path segments"),
        (["--n5g", "127.0.0.1:0", "--n5g-instance", "eir-a"], "no NF instance id"),
        (["--n5g", "127.0.0.1:0", "--n5g-token-issuer", "nrf-1"], "a name alone proves nothing"),
        (["--n5g", "127.0.0.1:0", "--nrf", "http://nrf.example", "--plmn", "1-1"], "expected MCC-MNC"),
        (["--n5g", "127.0.0.1:0", "--n5g-processes", "0"], "not in the range"),
    ],
)
def test_a_wrong_option_is_answered_in_one_sentence(tmp_path: Path, options: list[str], says: str):
    listed = tmp_path / "trial.csv"
    listed.write_text("imei,block_date,reasons\n")
    command = [
        "--home",
        str(tmp_path),
        "eir",
        "serve",
        "--list",
        str(listed),
        "--accept-unsigned",
        "--host",
        "h",
        "--realm",
        "r",
    ]
    result = CliRunner().invoke(cli, [*command, *options])
    said = result.output + (str(result.exception) if isinstance(result.exception, EirError) else "")
    assert says in said.replace("\n", " ")
    assert result.exit_code != 0


def test_the_instance_id_is_made_once_and_kept(tmp_path: Path):
    """An NRF and its tokens know an EIR by it."""
    first = n5g_serving(tmp_path, DecisionPolicy(), (None, None, None), GIVEN)
    second = n5g_serving(tmp_path, DecisionPolicy(), (None, None, None), GIVEN)
    assert first is not None
    assert second is not None
    assert first.options.instance_id == second.options.instance_id
    (tmp_path / "eir" / "n5g-instance").write_text("torn")
    with pytest.raises(EirError, match="no NF instance id"):
        n5g_serving(tmp_path, DecisionPolicy(), (None, None, None), GIVEN)


def test_options_become_what_is_served(tmp_path: Path):
    key = tmp_path / "nrf.pem"
    key.write_bytes(b"pem")
    serving = n5g_serving(
        tmp_path,
        DecisionPolicy(),
        (None, None, None),
        GIVEN
        | {
            "n5g": "[::1]:7777", "n5g_instance": "4947A69A-F61B-4BC1-B9DA-47C9C5D14B64", "n5g_prefix": "/eir-a/",
            "n5g_token_key": (key,), "n5g_token_issuer": ("nrf-1",), "nrf": "http://nrf.example", "plmns": ("001-01", "001002"),
        },
    )  # fmt: skip
    assert serving is not None
    assert serving.clear == ("::1", 7777)
    assert serving.encrypted is None
    assert serving.options.instance_id == UUID("4947a69a-f61b-4bc1-b9da-47c9c5d14b64")
    assert serving.options.api_prefix == "/eir-a"
    assert serving.options.tokens is not None
    assert serving.options.tokens.keys == (("nrf.pem", b"pem"),)
    assert serving.nrf is not None
    assert serving.nrf.plmns == (("001", "01"), ("001", "002"))


def test_nothing_is_served_to_5g_cores_unless_an_address_is_given(tmp_path: Path):
    assert n5g_serving(tmp_path, DecisionPolicy(), (None, None, None), GIVEN | {"n5g": None}) is None
    assert not (tmp_path / "eir").exists()
