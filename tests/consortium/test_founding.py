"""Nodes are founded so that they work, and the log of a register moves in with its history and proofs."""

import json
import tomllib

import pytest
from click.testing import CliRunner
from tests.consortium.fake_engine import FakeEngine, check_tx, opened, query
from tests.consortium.times import NOON
from tests.ledger.police_force import Police

from openceir.cli._main import cli
from openceir.consortium import (
    ConsortiumError,
    EngineMissing,
    NodeFolder,
    NodeRefused,
    Place,
    Plan,
    audit_book,
    find_engine,
    found,
    write_transaction,
)
from openceir.consortium.speaking import say
from openceir.ledger import SignedCheckpoint, hash_leaf, verify_consistency, verify_receipt
from openceir.statements import DeviceSet, DeviceStolen, KeyUse, Refusal, read_canonical, write_canonical


def run(*words, status=0):
    done = CliRunner().invoke(cli, list(map(str, words)))
    assert done.exit_code == status, (done.output, done.exception)
    return done.stdout


def config_of(folder):
    return tomllib.loads((folder / "config" / "config.toml").read_text())


def test_nodes_on_one_machine_find_each_other_and_make_no_empty_blocks(tmp_path):
    said = json.loads(run("consortium", "init", "--out", tmp_path, "--first-port", 28000, "--json"))
    assert (len(said["nodes"]), said["quorum"]) == (4, 3)
    ids = set()
    for number in range(4):
        folder = tmp_path / f"node{number}"
        config = config_of(folder)
        p2p = config["p2p"]
        assert (p2p["addr_book_strict"], p2p["allow_duplicate_ip"]) == (False, True)
        assert p2p["laddr"] == f"tcp://127.0.0.1:{28000 + 10 * number}"
        assert config["rpc"]["laddr"] == f"tcp://127.0.0.1:{28001 + 10 * number}"
        assert config["consensus"]["create_empty_blocks"] is False
        peers = p2p["persistent_peers"].split(",")
        assert len(peers) == 3
        ids.add(NodeFolder(folder).peer)
        for secret in ("priv_validator_key.json", "node_key.json"):
            assert (folder / "config" / secret).stat().st_mode & 0o777 == 0o600
    for number in range(4):
        folder = tmp_path / f"node{number}"
        assert set(config_of(folder)["p2p"]["persistent_peers"].split(",")) == ids - {NodeFolder(folder).peer}


def test_nodes_on_many_machines_are_strict_and_listen_to_the_others(tmp_path):
    run("consortium", "init", "--members", 2, "--hosts", "node.xa.example,node.xb.example", "--out", tmp_path)
    config = config_of(tmp_path / "node0")
    assert config["p2p"]["laddr"] == "tcp://0.0.0.0:26656"
    assert config["p2p"]["external_address"] == "node.xa.example:26656"
    assert config["p2p"]["persistent_peers"].endswith("@node.xb.example:26656")
    assert (config["p2p"]["addr_book_strict"], config["p2p"]["allow_duplicate_ip"]) == (True, False)
    assert config["rpc"]["laddr"].startswith("tcp://127.0.0.1:")


def test_the_genesis_names_the_founders_keys(tmp_path):
    run("consortium", "init", "--out", tmp_path, "--member", "xa", "--member", "xb", "--member", "xc", "--name", "a/b")
    folder = NodeFolder(tmp_path / "node1")
    _, _, said = folder.genesis.founded()
    assert (said.name, said.quorum, [member.id for member in said.members]) == ("a/b", 2, ["xa", "xb", "xc"])
    keys = {key.public.octets for member in said.members for key in member.keys if key.use is KeyUse.NODE}
    assert keys == {one.key for one in folder.first_validators()}
    assert folder.node_key().public.octets in keys
    assert folder.member_key().name == "xb"


@pytest.mark.parametrize(
    ("members", "places", "why"),
    [(("xa", "xa"), 2, "name of its own"), ((), 0, "1 to 100"), (("xa", "xb"), 1, "as many hosts")],
)
def test_a_plan_that_cannot_work_makes_nothing(tmp_path, members, places, why):
    plan = Plan(name="x", members=members, places=[Place("h", 1, 2)] * places, at=NOON, quorum=1)
    with pytest.raises(ConsortiumError, match=why):
        found(tmp_path, plan)
    assert not list(tmp_path.iterdir())


def test_keys_are_never_written_over(tmp_path):
    run("consortium", "init", "--out", tmp_path)
    run("consortium", "init", "--out", tmp_path, status=1)  # KeyRefused, which main() says in a sentence


def test_without_an_engine_the_sentence_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("GOBIN", raising=False)
    with pytest.raises(EngineMissing, match=r"go install github.com/cometbft/cometbft/cmd/cometbft@v0\.38\.26"):
        find_engine()
    with pytest.raises(EngineMissing, match="is no program"):
        find_engine(str(tmp_path / "cometbft"))


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.38.26", True), ("v0.38.21", True), ("0.40.0", True), ("0.39.4", True), ("0.38.20", False), ("1.0.1", False), ("0.34.30", False), ("hello", False)],
)  # fmt: skip
def test_an_engine_of_another_release_is_not_started(tmp_path, version, fits):
    program = tmp_path / "cometbft"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    if fits:
        assert find_engine(str(program)) == program
    else:
        with pytest.raises(EngineMissing, match="is needed"):
            find_engine(str(program))


@pytest.fixture
def moved(tmp_path):
    """A register's log of five statements, and the nodes that it moved in to."""
    police = Police(tmp_path / "home")
    entries = police.state(1, 2, 3) + police.state(4, 5)
    police.old = entries
    police.checkpoint = police.ledger.checkpoint().format()
    police.receipt = police.ledger.receipt(3, at=NOON)
    police.ledger.close()
    run(
        "--home",
        tmp_path / "home",
        "consortium",
        "import",
        "--out",
        tmp_path / "shared",
        "--at",
        "2027-03-01T12:00:00Z",
    )
    return police, [NodeFolder(tmp_path / "shared" / f"node{number}") for number in range(4)]


def test_a_log_moves_in_with_its_history_and_proofs(moved):
    police, folders = moved
    applications = [opened(folder) for folder in folders[:2]]
    engine = FakeEngine(folders[0])
    for application in applications:
        engine.handshake(application)
    duplicate = police.sign(1)
    old = police.ledger.signed(2)
    assert check_tx(applications[0], write_transaction(old)).code == Refusal.DUPLICATE
    new = country_theft(folders[0])
    assert [one.code for one in engine.decide([write_transaction(new)], *applications).tx_results] == [0]
    for at, entry in enumerate(police.old):
        found_ = read_canonical(query(applications[0], "/entry", entry.leaf_hash).value, "it")
        assert found_[:2] == [at, -1]
    size = applications[0].size
    assert size == 7  # five, the founding, one new
    kept = SignedCheckpoint.parse(police.checkpoint).verify(police.ledger.log_key)
    proof = read_canonical(query(applications[0], "/consistency", write_canonical([kept.size, size])).value, "it")
    verify_consistency(kept.size, size, kept.root, applications[0].machine.tree.root(size), proof)
    assert verify_receipt(police.receipt, police.ledger.log_key).leaf_hash == police.old[3].leaf_hash
    assert folders[0].genesis.imported.origin == police.ledger.log_key.name
    for application in applications:
        application.log.close()
    assert audit_book(folders[1]).imported == 5
    assert hash_leaf(duplicate.octets) != police.old[0].leaf_hash
    police.ledger.close()


def country_theft(folder):
    said = DeviceStolen(devices=DeviceSet.of(keys=[77]), stolen_at=NOON, case_number="N-77")
    return say(said, folder.member_key(), NOON)


@pytest.mark.parametrize("harm", ["cut", "altered", "gone"])
def test_entries_that_are_not_those_of_the_genesis_do_not_move_in(moved, harm):
    _, folders = moved
    path = folders[0].moved
    octets = path.read_bytes()
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(octets[:-40] if harm == "cut" else octets[:-1] + bytes([octets[-1] ^ 1]))
    application = opened(folders[0])
    with pytest.raises(NodeRefused):
        FakeEngine(folders[0]).handshake(application)
    application.log.close()
