"""The commands as a newcomer types them, on a consortium of one with the real engine."""

import json
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from tests.consortium.network import Node, engine, free_ports, until

from openceir.cli._main import cli
from openceir.consortium import NodeClient, NodeFolder
from openceir.ledger import Governance

pytestmark = pytest.mark.slow


def openceir(*words, cwd, status=0):
    done = subprocess.run(
        [sys.executable, "-m", "openceir", "consortium", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def test_a_node_is_started_spoken_to_and_stopped(tmp_path):
    program = engine()
    port = free_ports(10)
    openceir("init", "--members", 1, "--out", "shared", "--first-port", port, "--block-seconds", 0.1, cwd=tmp_path)
    node = subprocess.Popen(
        [sys.executable, "-m", "openceir", "consortium", "node", "shared/node0", "--engine", str(program), "--engine-log", "engine.log"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        client = NodeClient(NodeFolder(tmp_path / "shared" / "node0").rpc)
        until(lambda: client.head()["height"] >= 1, "the first block")
        client.close()
        theft = {"kind": "device-stolen/1", "devices": ["00100100000001"], "stolen_at": "2026-11-01T08:00:00Z", "case_number": "N-7"}  # fmt: skip
        (tmp_path / "theft.json").write_text(json.dumps(theft))
        assert "entry 1, block" in openceir("submit", "theft.json", "--node", "shared/node0", cwd=tmp_path)
        assert (tmp_path / "theft.statement").stat().st_mode & 0o777 == 0o600
        assert "is there already" in openceir("submit", "theft.json", "--node", "shared/node0", cwd=tmp_path, status=2)
        again = openceir("submit", "theft.statement", "--node", "shared/node0", "--json", cwd=tmp_path)
        assert json.loads(again)[0]["index"] == 1
        [row] = json.loads(openceir("status", "shared/node0", "--json", cwd=tmp_path))
        assert (row["entries"], row["power"]) == (2, 10)
        openceir("trust", "--node", "shared/node0", "-o", "members.trust", cwd=tmp_path)
        openceir("receipt", 1, "--node", "shared/node0", "--statement", "theft.statement", "-o", "r", cwd=tmp_path)
        assert "2 entries" in openceir("verify", "shared/node0", cwd=tmp_path)
        node.send_signal(signal.SIGTERM)
        _, said = node.communicate(timeout=60)
        assert node.returncode == 0
        assert "the node has stopped, its book is whole" in said
    finally:
        if node.poll() is None:
            node.kill()
            node.communicate()
    assert "does not answer" in openceir("status", "shared/node0", cwd=tmp_path, status=2)
    assert "2 entries" in openceir("verify", "shared/node0", "--offline", cwd=tmp_path)
    verified = subprocess.run(
        [sys.executable, "-m", "openceir", "receipt", "verify", "r", "--trust", "members.trust"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "case_number" in verified.stdout


def test_a_home_joins_says_and_follows_as_typed(tmp_path):
    """join-home, statement submit, follow and ledger verify on a consortium made with --nation."""
    program = engine()

    def types(*words, status=0):
        done = CliRunner().invoke(cli, ["--home", str(tmp_path / "register"), *map(str, words)])
        assert done.exit_code == status, (done.output, done.exception)
        return done.output or str(done.exception)

    types("consortium", "init", "--members", 1, "--member", "xa", "--nation", "XA", "--out", tmp_path / "shared",
          "--first-port", free_ports(10), "--block-seconds", 0.1)  # fmt: skip
    node = Node(tmp_path / "shared" / "node0", program)
    assert "follows no node" in types("consortium", "follow", "--once", status=1)
    try:
        node.start()
        until(lambda: node.head()["height"] >= 1, "the first block")
        peer = "xb=https://ceir.xb.example:8075"
        assert "as xa, at the node" in types("consortium", "join-home", node.path, "--peer", peer)
        assert "xb" in types("consortium", "join-home", node.path, "--peer", "xb=http://plain", status=2)
        said = types("statement", "submit", "device-stolen", "--imei", "00100100000001", "--by", "xa", "--case", "N-7")
        assert "device-stolen/1 by xa is entry 1" in said
        assert json.loads(types("consortium", "follow", "--once", "--json"))["troubles"] == {}
        assert "blocked" in types("device", "check", "00100100000001", status=3).lower()
        assert "our copy of it: 2 entries" in types("ledger", "verify")
        members = Governance.read(node.client.members()).members
        assert [(one.id, one.nation) for one in members] == [("xa", "XA")]
    finally:
        node.stop()
    assert "trouble with our own node" in types("consortium", "follow", "--once", status=3)
