"""`openceir eir serve` as an operator of a 2G or 3G network types it: what is wrong is said in one sentence."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.cli._eir_map_gsup import map_gsup_serving
from openceir.cli._main import cli
from openceir.eir import read_policy

DEFAULTS = {
    "m3ua": (), "m3ua_sctp": False, "m3ua_routing_context": None, "m3ua_asp": None, "m3ua_traffic_mode": "loadshare",
    "map_imsi_tag": None, "map_highest": 3, "gsup": None, "hlr": None,
}  # fmt: skip


def serving(policy: str = "", **given):
    return map_gsup_serving(read_policy(policy, "eir.toml"), {**DEFAULTS, **given})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--m3ua", "stp.example"), "expected HOST:PORT"),
        (("--m3ua", "stp.example:٢٩٠٥"), "expected HOST:PORT"),
        (("--map-imsi-tag", "80"), "need --m3ua"),
        (("--m3ua", "stp.example:2905", "--map-imsi-tag", "imsi"), "identifier octets in hex"),
        (("--gsup", "127.0.0.1:4222"), "--gsup and --hlr belong together"),
        (("--hlr", "127.0.0.1:4222"), "--gsup and --hlr belong together"),
        (("--gsup", "127.0.0.1:4222", "--hlr", "127.0.0.1:99999"), "expected HOST:PORT"),
    ],
)
def test_bad_options_are_answered_in_one_sentence(tmp_path: Path, options: tuple[str, ...], says: str):
    (tmp_path / "l.csv").write_text("imei,block_date,reasons\n")
    command = ["--home", str(tmp_path), "eir", "serve", "--list", str(tmp_path / "l.csv"), "--accept-unsigned"]
    done = CliRunner().invoke(cli, [*command, "--host", "h", "--realm", "r", *options])
    assert done.exit_code == 2
    assert says in done.output


def test_nothing_is_served_unless_asked_for():
    assert serving() is None


def test_what_is_typed_is_what_is_served():
    policy = '[interface.map]\nunknown = "permitted"\n[interface.gsup]\nunknown = "blocked"\n'
    said = serving(
        policy, m3ua=("[::1]:2905", "stp-2.example:2906"), m3ua_sctp=True, m3ua_routing_context=7, map_imsi_tag="9f38",
        m3ua_traffic_mode="override", gsup="127.0.0.1:0", hlr="hlr.example:4222",
    )  # fmt: skip
    assert [(each.host, each.port, each.sctp) for each in said.map.gateways] == [
        ("::1", 2905, True),
        ("stp-2.example", 2906, True),
    ]
    assert (said.map.routing_context, said.map.imsi_tag, said.map.traffic_mode) == (7, 0x9F38, 1)
    assert (said.map.policy.unknown, said.map.policy.malformed) == ("permitted", "error")
    # On GSUP an error means "refused", so a malformed identity passes unless the operator says otherwise.
    assert (said.gsup.policy.unknown, said.gsup.policy.malformed) == ("blocked", "permitted")
    assert (said.gsup.listen, said.gsup.hlr) == (("127.0.0.1", 0), ("hlr.example", 4222))
