"""Four nodes with the real engine on loopback. After each fault: nothing that was accepted is lost, no two honest nodes
differ, every book verifies (`Network.agree`). One network is shared by the tests of this file, and each leaves it whole.
"""

import base64
import contextlib
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import cbor2
import pytest
from click.testing import CliRunner
from tests.consortium.network import Links, Network, Node, engine, until

from openceir import clock
from openceir.cli._main import cli
from openceir.consortium import NotReached, follow, receipt_of, trust_now, write_transaction
from openceir.consortium.speaking import say
from openceir.ledger import ProofRefused
from openceir.ledger.comet import LightBlock, Validator
from openceir.ledger.ordered_receipt import ChainTrust, verify_ordered_receipt
from openceir.statements import Refusal, StatementRefused, open_payload

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = Network(tmp_path_factory.mktemp("consortium"), engine())
    made.links = Links(made)
    try:
        yield made.start().up()
    finally:
        made.stop()
        made.links.close()


def openceir(*words):
    done = CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_what_one_node_is_told_stands_in_all_and_its_receipt_verifies_offline(network, tmp_path):
    signed = network.theft()
    place = network.submit(1, signed)
    network.agree()
    trust = network.nodes[0].folder.trust()
    file = receipt_of(network.nodes[2].client, place.index, trust, statement=signed)
    shown = verify_ordered_receipt(file, ChainTrust.parse(trust.format()))
    assert (shown.proof.index, shown.leaf_hash) == (place.index, place.leaf_hash)
    assert shown.said.case_number == f"N-{network.said}"
    stranger = ChainTrust(trust.chain_id, (Validator(bytes(32), 10),))
    with pytest.raises(ProofRefused):
        verify_ordered_receipt(file, stranger)
    later = trust_now(network.nodes[3].client, trust, now=clock.now(), trust_period=timedelta(days=1))
    verify_ordered_receipt(file, later)  # by whoever trusts the same validators since a later block
    with pytest.raises(ProofRefused, match="older than the trust period"):
        old = ChainTrust(trust.chain_id, trust.validators, 0, clock.now() - timedelta(days=30))
        trust_now(network.nodes[3].client, old, now=clock.now(), trust_period=timedelta(days=14))
    for node in network.nodes:
        openceir("consortium", "verify", node.path)
    openceir("consortium", "status", *(node.path for node in network.nodes))


def test_a_transaction_that_is_no_true_statement_is_refused_by_every_node(network):
    signed = network.theft()
    good = write_transaction(signed)
    bad = {
        good[:-1] + bytes([good[-1] ^ 1]): Refusal.SIGNATURE,
        cbor2.dumps([1, signed.octets, signed.salt, signed.payload], canonical=True): Refusal.DISCLOSED,
        b"\x9f\x01" + cbor2.dumps(signed.octets) + b"\xff": Refusal.MALFORMED,
        b"rubbish": Refusal.MALFORMED,
    }
    for tx, why in bad.items():
        for node in network.nodes:
            with pytest.raises(StatementRefused) as refused:
                node.client.hand_over(tx)
            assert refused.value.refusal == why
    with pytest.raises(Exception, match="too large"):
        network.nodes[0].client.hand_over(bytes(70_000))
    before = network.nodes[0].size()
    place = network.submit(0, signed)
    for node in network.nodes:  # replayed, to every node
        assert node.client.submit(signed) == place
    network.agree()
    assert network.nodes[0].size() == before + 1


def test_a_member_killed_at_every_step_of_a_block_comes_back(network):
    """Each start after a death replays what was lost, and ends at the next step; the others go on all the while."""
    victim = network.nodes[3]
    victim.stop()
    for step in ("begun", "applied", "entries written", "head written", "committed"):
        victim.start("--die", f"{step}@{network.nodes[0].head()['height'] + 1}")
        until(lambda: victim.process.poll() is not None or not network.submit(), "the death of a node")
        assert victim.ended() == -9
        assert f"died at {step}" in victim.said()
    victim.start()
    network.submit()
    network.agree()


def test_all_members_killed_at_once_come_back(network):
    for _ in range(3):
        network.hand_over()
    for node in network.nodes:
        node.kill()
    network.start().up()
    network.submit()
    network.agree()


def test_a_full_disk_stops_one_node_and_the_others_go_on(network):
    victim = network.nodes[2]
    victim.stop()
    victim.start("--full-at", str(network.nodes[0].head()["height"] + 1))
    until(lambda: victim.process.poll() is not None or not network.submit(), "the end of a node")
    assert victim.ended() == 3
    assert "disk is full" in victim.said()
    network.submit()
    victim.start()
    network.agree()


def test_an_engine_whose_own_disk_is_full_stops_and_the_others_go_on(network):
    """Not our book, which lies on another disk, but the blocks and votes of CometBFT itself."""
    victim = network.nodes[2]
    victim.stop()
    with _a_disk_of_its_own(victim.path / "data", megabytes=64) as disk:
        victim.start()
        network.up(2).submit(2)
        with (disk / "ballast").open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while ballast.write(bytes(1 << 12)):
                pass
        until(lambda: victim.process.poll() is not None or not network.submit(), "the end of a node")
        assert victim.ended() == 3
        assert "no space left on device" in victim.said()
        network.submit()
        (disk / "ballast").unlink()
        victim.start()
        network.agree()
        victim.stop()
    victim.start()
    network.agree()


@contextlib.contextmanager
def _a_disk_of_its_own(folder: Path, megabytes):
    """The folder on a disk of that size; afterwards what it holds then lies where it lay before."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may make a disk of a certain size")
    before = folder.with_name("before")
    folder.rename(before)
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        folder.rmdir()
        before.rename(folder)
        pytest.skip(f"this machine mounts nothing for us: {done.stderr.strip()}")
    try:
        shutil.copytree(before, folder, dirs_exist_ok=True)
        yield folder
        shutil.rmtree(before)
        shutil.copytree(folder, before)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()
        before.rename(folder)


def test_a_clock_that_jumps_ahead_moves_no_block_and_one_that_jumps_back_stops_its_node_only(network, tmp_path):
    """One machine's clock, for its engine and for us, is set a day ahead and then a day behind while they run."""
    victim, jump = network.nodes[1], tmp_path / "jump"
    jump.write_text("0")
    victim.stop()
    victim.engine, right = engine("0.38.26-clock"), victim.engine
    victim.start(environment={"CLOCK_JUMP_FILE": str(jump)})
    try:
        network.up(1).submit(1)
        jump.write_text("86400")
        for at in (0, 1, 2, 3):  # each proposes, the one with the wrong clock too
            network.submit(at)
        told = victim.client.call("status")["sync_info"]["latest_block_time"]
        assert abs(datetime.fromisoformat(told[:19] + "+00:00") - clock.now()) < timedelta(minutes=10)
        jump.write_text("-86400")
        until(lambda: victim.process.poll() is not None or not network.submit(), "the end of a node")
        assert victim.ended() == 3
        assert "set this machine's clock right" in victim.said()
        network.submit()
        jump.write_text("0")
        victim.start(environment={"CLOCK_JUMP_FILE": str(jump)})
        network.agree()
    finally:
        if victim.process is not None:
            victim.stop()
        victim.engine = right
        victim.start()
    network.agree()


def test_an_application_that_lies_is_caught_and_its_node_stops(network):
    liar = network.nodes[3]
    liar.stop()
    liar.start("--lie-at", str(network.nodes[0].head()["height"] + 1))
    until(lambda: liar.process.poll() is not None or not network.submit(), "the end of the lying node")
    assert liar.ended() == 3
    assert "another state than the others" in liar.said()
    network.submit()
    for name in ("book.sqlite", "book.sqlite-wal", "book.sqlite-shm"):
        (liar.path / name).unlink(missing_ok=True)
    _forget_blocks(liar.path)
    liar.start()  # an honest application, which takes every block from the others
    network.agree()


def _forget_blocks(path: Path):
    """What the page says to do: all of data/ but the votes that were given."""
    for one in (path / "data").iterdir():
        if one.name != "priv_validator_state.json":
            shutil.rmtree(one) if one.is_dir() else one.unlink()


def test_a_clock_that_is_a_day_ahead_lets_nothing_in(network):
    wrong = network.nodes[1]
    wrong.stop()
    wrong.start("--clock-off", "86400")
    until(wrong.head, "the node")
    tomorrow = network.theft()
    said = open_payload(tomorrow.header, tomorrow.salt, tomorrow.payload)
    future = say(said, network.nodes[0].folder.member_key(), clock.now() + timedelta(hours=12))
    with pytest.raises(StatementRefused):
        network.nodes[0].client.hand_over(write_transaction(future))
    with pytest.raises(NotReached):
        wrong.client.submit(future, wait=2)  # its own pool takes it, no block does
    network.submit()
    wrong.stop()
    wrong.start()
    network.agree()


def test_a_partition_of_one_of_four(network):
    network.links.cut({0, 1, 2}, {3})
    network.submit(0)
    alone = network.theft()
    with pytest.raises(NotReached):
        network.nodes[3].client.submit(alone, wait=1)
    network.submit(1)
    assert network.nodes[3].size() < network.nodes[0].size()
    network.links.heal()
    network.submit(3, alone)
    network.agree()


def test_a_partition_of_two_of_four_accepts_nothing_and_loses_nothing(network):
    network.submit()
    network.agree()
    network.links.cut({0, 1}, {2, 3})
    before = network.nodes[0].size()
    one, other = network.theft(), network.theft()
    for at, signed in ((0, one), (2, other)):
        with pytest.raises(NotReached):
            network.nodes[at].client.submit(signed, wait=3)
    assert [node.size() for node in network.nodes] == [before] * 4
    network.links.heal()
    for signed in (one, other):
        network.submit(0, signed)
    network.agree()


def test_a_node_joins_by_snapshot_is_admitted_and_later_removed(network, tmp_path):
    until(
        lambda: network.submit() and network.nodes[0].head()["snapshot"] and network.nodes[1].head()["snapshot"],
        "a snapshot",
    )
    folder = network.out / "node4"
    said = openceir(
        "consortium", "join", "xe", "--from", network.nodes[0].path, "--from", network.nodes[1].path, "--out", folder,
        "--port", network.next_port,
    )  # fmt: skip
    assert "a node for xe" in said
    config = (folder / "config" / "config.toml").read_text()
    assert "enable = true" in config, "it takes a snapshot"
    newcomer = Node(folder, network.engine)
    newcomer.start()
    try:
        network.submit()
        until(lambda: newcomer.size() >= network.nodes[0].size(), "the newcomer's book")
        network.nodes.append(newcomer)
        network.agree()
        assert newcomer.client.entry(1) == network.nodes[0].client.entry(1), "entries from before it joined"
        leaf = openceir("consortium", "admit", folder, "--node", network.nodes[0].path, "--nation", "XE").split()[-1]
        for by in (1, 2):
            openceir("consortium", "approve", leaf, "--node", network.nodes[by].path)
        client = network.nodes[0].client
        until(lambda: len(client.call("validators")["validators"]) == 5, "its node among the validators")
        network.submit(4, by=4)
        network.agree()
        leaf = openceir(
            "consortium", "remove", "xe", "--grounds", "left", "--node", network.nodes[0].path
        ).split()[-1]  # fmt: skip
        for by in (1, 2):
            openceir("consortium", "approve", leaf, "--node", network.nodes[by].path)
        until(lambda: len(client.call("validators")["validators"]) == 4, "the validators of before")
        with pytest.raises(StatementRefused):
            network.nodes[0].client.hand_over(write_transaction(network.theft(by=4)))
        network.submit()
        trust = network.nodes[0].folder.trust()
        blocks = follow(client, trust, client.height())
        assert trust.verify(blocks).height == blocks[-1].header.height
        network.agree()
    finally:
        network.nodes = network.nodes[:4]
        if newcomer.process is not None:
            newcomer.stop()


def test_the_newest_engine_speaks_the_same(tmp_path):
    newest = Network(tmp_path, engine("0.40.0"))
    try:
        newest.start().up()
        place = newest.submit()
        newest.agree()
        trust = newest.nodes[0].folder.trust()
        verify_ordered_receipt(receipt_of(newest.nodes[1].client, place.index, trust), trust)
        newest.nodes[2].kill()
        newest.submit()
        newest.nodes[2].start()
        newest.agree()
    finally:
        newest.stop()


def test_the_engine_and_the_light_client_agree_on_hashes(network):
    client = network.nodes[0].client
    for height in range(max(1, client.height() - 3), client.height() + 1):
        said = client.call("block", height=str(height))
        block: LightBlock = client.light_block(height)
        assert block.header.hash().hex().upper() == said["block_id"]["hash"]
        assert base64.b64decode(client.call("commit", height=str(height))["signed_header"]["commit"]["signatures"][0]["signature"] or "") in [vote.signature for vote in block.commit.votes]  # fmt: skip
