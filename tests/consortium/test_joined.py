"""Homes of nations on one consortium of four real nodes: what one states counts in the others as their policy says."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.consortium.homes import COUNTS, Home, joined, policy
from tests.consortium.network import ROOT, Network, engine, until

from openceir import clock
from openceir.app import open_register
from openceir.cli._main import cli
from openceir.consortium import NodeFolder, audit_book
from openceir.ledger import BookMoved, Governance, LedgerBroken, hash_leaf
from openceir.statements import DeviceRecovered, DeviceSet, DeviceStolen, ErasureOrdered, Role, StatementRefused
from openceir.status import Status

pytestmark = pytest.mark.slow

PHONE, OTHER_PHONE, THIRD_PHONE, FOURTH_PHONE, FIFTH_PHONE, SIXTH_PHONE = (
    f"001001000000{n:02}" for n in (1, 19, 27, 35, 43, 50)
)
DEATHS_AT = (2, 4, 6, 8, 10, 13, 16, 20, 25)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = Network(tmp_path_factory.mktemp("joined"), engine(), nations=("XA", "XB", "XC", "XD"))
    try:
        yield made.start().up()
    finally:
        made.stop()


@pytest.fixture(scope="module")
def homes(network, tmp_path_factory):
    """Homes of XA, XB and XC; XA lets XC know nothing of its devices, XB and XC count XA's thefts."""
    folder = tmp_path_factory.mktemp("homes")
    policy(folder / "xa", "XA", '[shares.xc]\nkinds = ["approved/1"]\n')
    policy(folder / "xb", "XB", COUNTS)
    policy(folder / "xc", "XC", COUNTS)
    for number, name in enumerate(("xa", "xb", "xc")):
        joined(folder / name, network.nodes[number].path)
    return folder


def steals(home, phone=PHONE):
    at = clock.now()
    said = DeviceStolen(devices=DeviceSet.of([phone]), stolen_at=at - timedelta(days=1), case_number="N-7")
    [entry] = home.register.state([said], by=home.member, at=at)
    return entry


def is_blocked(home, phone=PHONE):
    return home.register.check(phone, clock.now() + timedelta(minutes=1)).status is Status.BLOCKED


def openceir(home, *words, status=0):
    done = CliRunner().invoke(cli, ["--home", str(home), *map(str, words)], catch_exceptions=False)
    assert done.exit_code == status, done.output
    return done.output


def test_a_theft_stated_in_one_nation_is_blocked_where_policy_counts_it_and_forgotten_everywhere(network, homes):
    a, b, c = (Home(homes / name) for name in ("xa", "xb", "xc"))
    entry = steals(a)
    assert is_blocked(a)
    assert a.register.ledger.size == 0, "the home's own log took nothing"
    done = b.round(homes / "xa")
    assert (done.troubles, done.taken, done.received) == ({}, entry.index + 1, 1)
    assert is_blocked(b)
    assert c.round(homes / "xa").troubles == {}
    held = c.register.shared_shelf.find(entry.leaf_hash)
    assert (held.why, held.salt, held.octets, held.issuer) == ("not-shared", None, None, "xa")
    assert not is_blocked(c)
    again = b.round(homes / "xa")
    assert (again.received, again.landed) == (0, 0)

    [order] = a.register.state([ErasureOrdered(target=entry.leaf_hash, grounds="Data Act 17")], by="xa", at=clock.now())
    assert [home.round().erased for home in (a, b, c)] == [1, 1, 1]
    a.round()
    [erasure] = [one for one in a.register.erasures() if one.order == order.leaf_hash]
    assert (set(erasure.answered), erasure.missing) == ({"xa", "xb", "xc"}, ("xd",))
    for home in (a, b):
        held = home.register.shared_shelf.find(entry.leaf_hash)
        assert (held.why, held.octets) == ("erased", None)
        assert not is_blocked(home)
        assert "as its members signed" in openceir(home.path, "ledger", "verify")
    for node in network.nodes:
        audit_book(node.folder)
    assert a.register.outbox() == []


def test_what_is_not_what_the_members_signed_is_not_kept(network, homes):
    b = Home(homes / "xb")
    b.round()
    size, entry, altered = b.register.shared_log.size(), b.client.entry, []

    def liar(index):
        row = entry(index)
        if row is not None and index >= size:
            altered.append(index)
            row[3] = row[3][:-1] + bytes([row[3][-1] ^ 1])
        return row

    place = network.submit(3, by=3)
    until(lambda: network.nodes[1].client.height() > place.height, "a header over it at our node")
    b.client.entry = liar
    with pytest.raises(LedgerBroken, match="did not sign"):
        b.round()
    assert altered
    assert b.register.shared_log.size() == size
    b.client.entry = entry
    b.round()
    assert b.register.shared_log.size() > place.index


def test_two_processes_of_one_home_may_follow_at_once(network, homes):
    """`statement submit` beside `follow`: what one takes while the other asks is taken once, and is no lie of the node."""
    one, other = Home(homes / "xb"), Home(homes / "xb")
    one.round()
    entry, raced = one.client.entry, []

    def meanwhile(index):
        if not raced:
            raced.append(index)
            other.round()
        return entry(index)

    place = network.submit(3, by=3)
    until(lambda: network.nodes[1].client.height() > place.height, "a header over it at our node")
    one.client.entry = meanwhile
    assert "" not in one.round().troubles
    assert raced
    assert one.register.shared_log.size() == other.register.shared_log.size() > place.index
    assert one.register.verify_shared() is not None
    steals(one, FIFTH_PHONE)
    assert is_blocked(other, FIFTH_PHONE)


def test_an_office_of_a_member_states_with_its_own_key_and_others_ask_at_its_nations_door(network, homes):
    a, b = Home(homes / "xa"), Home(homes / "xb")
    a.register.new_key("police", member="xa-police", roles=[Role.POLICE], valid_from=clock.now() - timedelta(days=1))
    said = DeviceStolen(
        devices=DeviceSet.of([SIXTH_PHONE]), stolen_at=clock.now() - timedelta(days=1), case_number="N-9"
    )
    with pytest.raises(StatementRefused):
        a.register.state([said], by="police", at=clock.now())
    assert a.register.outbox() == []
    proposal = openceir(a.path, "consortium", "admit-office", "xa-police", "--node", network.nodes[0].path).split()[-1]
    for at in (1, 2):
        openceir(b.path, "consortium", "approve", proposal, "--node", network.nodes[at].path)
    until(
        lambda: Governance.read(network.nodes[0].client.members()).members.find("xa-police"),
        "the office among the members",
    )
    [entry] = a.register.state([said], by="police", at=clock.now())
    assert is_blocked(a, SIXTH_PHONE)
    assert set(b.round(homes / "xa").troubles) <= {"xd"}
    held = b.register.shared_shelf.find(entry.leaf_hash)
    assert (held.why, held.issuer) == ("held", "xa-police")
    assert is_blocked(b, SIXTH_PHONE)
    assert not Governance.read(network.nodes[0].client.members()).members.find("xa-police").is_voter
    network.agree()


def test_a_statement_that_the_consortium_refuses_leaves_the_outbox(homes):
    a = Home(homes / "xa")
    at = clock.now()
    said = DeviceStolen(devices=DeviceSet.of([PHONE]), stolen_at=at - timedelta(days=3001), case_number="N-8")
    signed = a.register.sign(said, by="xa", at=at - timedelta(days=3000))
    with pytest.raises(StatementRefused):
        a.register.submit([signed], at=at)
    assert a.register.outbox() == []


def test_a_home_killed_at_every_step_says_everything_once_and_goes_on(network, homes):
    """Each child states one theft and follows; what it said is in the book once or was never handed over, and is never lost."""
    b, killed = homes / "xb", 0
    steals(Home(homes / "xa"), OTHER_PHONE)
    for number, dies_at in enumerate(DEATHS_AT):
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("dying_home.py")), b, homes / "xa", str(dies_at), str(1000 + number)],
            capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300,
        )  # fmt: skip
        assert "whole" in done.stdout or done.returncode == -9, done.stderr
        killed += done.returncode == -9
        if "whole" in done.stdout:
            break
    assert killed >= 6
    home = Home(b)
    waiting = [hash_leaf(one.octets) for one in home.register.outbox()]
    until(
        lambda: set(home.round(homes / "xa").troubles) <= {"xd"} and not home.register.outbox(),
        "a round without trouble",
    )  # xd has no home here
    shelf = home.register.shared_shelf
    assert home.register.outbox() == []
    assert all(shelf.find(leaf).why == "held" for leaf in waiting)
    leaves = [hash_leaf(one.octets) for one in home.register.shared_log.entries()]
    assert len(leaves) == len(set(leaves))
    mine = list(shelf.of_kinds(["device-stolen/1"]))
    assert all(one.why == "held" and one.landed for one in mine if one.issuer == "xb")
    assert sum(one.issuer == "xb" for one in mine) >= killed - 2, "all but those killed before the outbox"
    assert is_blocked(home, OTHER_PHONE)
    home.register.verify_shared()


def test_what_was_not_shared_is_asked_for_again_when_the_issuers_policy_is_wider(homes):
    a, c = Home(homes / "xa"), Home(homes / "xc")
    entry = steals(a, THIRD_PHONE)
    assert set(c.round(homes / "xa").troubles) <= {"xb", "xd"}
    assert c.register.shared_shelf.find(entry.leaf_hash).why == "not-shared"
    policy(homes / "xa", "XA")
    c.round(homes / "xa")
    assert c.register.shared_shelf.find(entry.leaf_hash).why == "held"
    assert is_blocked(c, THIRD_PHONE)


def test_an_erasure_in_the_shared_book_that_would_block_somebody_waits(homes):
    a = Home(homes / "xa")
    theft, at = steals(a, FOURTH_PHONE), clock.now()
    said = DeviceRecovered(devices=DeviceSet.of([FOURTH_PHONE]), recovered_at=at, case_number="N-7")
    [back] = a.register.state([said], by="xa", at=at)
    assert not is_blocked(a, FOURTH_PHONE)
    soon = at + timedelta(seconds=1)
    [order] = a.register.state([ErasureOrdered(target=back.leaf_hash, grounds="Data Act 17")], by="xa", at=clock.now())

    [waiting] = [one for one in a.register.obey_erasures(by="xa", at=soon) if one.order == order.leaf_hash]
    assert "would be blocked" in waiting.trouble
    assert a.register.shared_shelf.find(back.leaf_hash).why == "held"
    a.register.state([ErasureOrdered(target=theft.leaf_hash, grounds="Data Act 17")], by="xa", at=clock.now())
    for _ in range(2):  # the orders stand in another order than they can be followed in
        a.register.obey_erasures(by="xa", at=soon)
    [erasure] = [one for one in a.register.erasures() if one.order == order.leaf_hash]
    assert "xa" in erasure.answered
    assert a.register.shared_shelf.find(back.leaf_hash).why == "erased"
    assert not is_blocked(a, FOURTH_PHONE)


def test_an_imported_log_takes_nothing_more_and_tells_where_the_book_goes_on(tmp_path):
    home = tmp_path / "home"
    register = open_register(home)
    at = clock.now()
    register.new_key("xa", member="xa", roles=[Role.POLICE], valid_from=at - timedelta(days=1))
    said = DeviceStolen(devices=DeviceSet.of([PHONE]), stolen_at=at, case_number="N-7")
    register.state([said], by="xa", at=at)
    register.ledger.close()
    openceir(
        home, "consortium", "import", "--members", 1, "--member", "xa", "--nation", "XA", "--out", tmp_path / "shared"
    )
    chain = NodeFolder(tmp_path / "shared" / "node0").chain_id
    with pytest.raises(BookMoved, match="goes on in"):
        open_register(home).state([said], by="xa", at=at)
    assert f"the book goes on in the consortium {chain}" in openceir(home, "ledger", "verify")
    for words in (
        ("statement", "list"),
        ("statement", "show", 0),
        ("ledger", "checkpoint"),
        ("ledger", "prove", "--from", 1),
    ):
        assert f"the book goes on in the consortium {chain}" in openceir(home, *words)
