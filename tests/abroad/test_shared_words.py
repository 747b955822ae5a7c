"""What nations say reaches the others' answers by their own policy, and is forgotten everywhere when it must be."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from openceir import clock
from openceir.app import open_register
from openceir.statements import ErasureOrdered
from openceir.status import Status

from .nations import ALICES_PHONE, BOBS_PHONE, Federation

NEIGHBOURS = """
[country]
nation = "XB"

[[foreign]]
name = "police of XA"
nations = ["XA"]
roles = ["police"]
claims = ["stolen", "lost"]
effect = "counts"
source = "Treaty, article 4"
"""


@pytest.fixture
def federation(tmp_path):
    return Federation(tmp_path)


def anew(federation, code):
    """The register of a nation as another process opens it."""
    federation[code].register.ledger.close()
    federation[code].register = open_register(federation[code].home)
    return federation[code].register


def test_a_theft_abroad_is_watched_until_a_nation_s_own_policy_counts_it(federation):
    (federation["XB"].home / "policy").mkdir()
    (federation["XB"].home / "policy" / "10-abroad.toml").write_text(NEIGHBOURS)
    anew(federation, "XB")
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    soon = clock.now() + timedelta(seconds=1)
    assert federation["XA"].register.check(ALICES_PHONE, soon).status is Status.BLOCKED
    assert federation["XC"].register.check(ALICES_PHONE, soon).status is Status.TRACKED
    answer = federation["XB"].register.check(ALICES_PHONE, soon)
    assert answer.status is Status.BLOCKED
    assert "says xa-police (police of XA); counted here since" in answer.reasons[0].sentence
    assert 'policy rule "police of XA", Treaty, article 4' in answer.reasons[0].sentence
    federation["XC"].finds(ALICES_PHONE)
    federation.rounds(2)
    assert federation["XB"].register.check(ALICES_PHONE, soon).status is Status.BLOCKED, "only XA takes it back"
    federation["XA"].finds(ALICES_PHONE)
    federation.rounds(2)
    assert federation["XB"].register.check(ALICES_PHONE, clock.now() + timedelta(seconds=1)).status is Status.UNKNOWN


def test_claims_made_anew_hear_of_other_nations_again(federation):
    federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    register = federation["XC"].register
    register.rebuild_claims()
    assert register.check(ALICES_PHONE, clock.now()).status is Status.TRACKED
    register.ledger.close()
    for path in federation["XC"].home.glob("register.sqlite*"):
        path.unlink()
    anew(federation, "XC")
    federation.rounds(1)
    assert federation["XC"].register.check(ALICES_PHONE, clock.now()).status is Status.TRACKED


def orders(federation, code, target, by="police"):
    [entry] = federation[code].state(ErasureOrdered(target=target, grounds="Data Act 17"), by=by)
    return entry.leaf_hash


def test_an_order_to_erase_is_followed_and_answered_by_every_member(federation):
    [theft] = federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    held = federation["XB"].register.federation_shelf.find(theft.leaf_hash)
    orders(federation, "XA", theft.leaf_hash)
    federation.rounds(2)
    for code in ("XA", "XB", "XC"):  # who follows the others obeys as it goes: nothing is left to do by hand
        assert federation[code].register.obey_erasures(by=f"{code.lower()}-regulator", at=clock.now()) == []
    federation.rounds(2)
    [erasure] = federation["XA"].register.erasures()
    assert sorted(erasure.answered) == ["xa-regulator", "xb-regulator", "xc-regulator"]
    assert erasure.missing == ()
    for code in ("XA", "XB", "XC"):
        register = federation[code].register
        assert register.check(ALICES_PHONE, clock.now()).status is Status.UNKNOWN
        assert register.verify_ledger().root == register.ledger.tree.root()
        register.federation_shelf.database.close()
        register.database.close()
        for path in federation[code].home.rglob("*.sqlite*"):
            assert held.octets not in path.read_bytes(), f"{path} still holds what was said"
            assert held.salt not in path.read_bytes()
            assert int(ALICES_PHONE).to_bytes(8, "little") not in path.read_bytes()


def test_a_stranger_orders_nothing_and_a_court_or_regulator_of_the_nation_does(federation):
    [theft] = federation["XA"].steals(ALICES_PHONE)
    federation.rounds(2)
    orders(federation, "XB", theft.leaf_hash, by="regulator")
    orders(federation, "XA", theft.leaf_hash, by="operator")
    orders(federation, "XA", bytes(32), by="regulator")
    register = federation["XA"].register
    federation.rounds(2)
    troubles = [one.trouble for one in register.obey_erasures(by="xa-regulator", at=clock.now())]
    assert len(troubles) == 3
    assert all(troubles)
    orders(federation, "XA", theft.leaf_hash, by="regulator")
    assert [one.trouble for one in register.obey_erasures(by="xa-regulator", at=clock.now())].count("") == 1
    assert register.ledger.entry(theft.index).is_erased


def test_an_erasure_that_would_block_somebody_waits_until_the_block_is_withdrawn(federation):
    [theft] = federation["XA"].steals(BOBS_PHONE)
    [back] = federation["XA"].finds(BOBS_PHONE)
    orders(federation, "XA", back.leaf_hash)
    register = federation["XA"].register
    soon = clock.now() + timedelta(seconds=1)
    [waiting] = register.obey_erasures(by="xa-regulator", at=soon)
    assert "would be blocked" in waiting.trouble
    assert not register.ledger.entry(back.index).is_erased
    register.erase(theft.index, at=soon)
    [done] = register.obey_erasures(by="xa-regulator", at=soon)
    assert not done.trouble
    assert register.ledger.entry(back.index).is_erased


KILLED = """
import os, signal, sys
from pathlib import Path
from openceir import clock
from openceir.app import erasing, open_register
register = open_register(Path(sys.argv[1]))
register.state = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
register.obey_erasures(by="xa-regulator", at=clock.now())
"""


def test_killed_after_the_deed_and_before_the_word_it_is_said_at_the_next_time(federation):
    [theft] = federation["XA"].steals(ALICES_PHONE)
    orders(federation, "XA", theft.leaf_hash)
    federation["XA"].register.ledger.close()
    child = subprocess.run([sys.executable, "-c", KILLED, str(federation["XA"].home)], env=os.environ, timeout=120)
    assert child.returncode == -signal.SIGKILL
    register = anew(federation, "XA")
    assert register.ledger.entry(theft.index).is_erased
    [done] = register.obey_erasures(by="xa-regulator", at=clock.now())
    assert list(done.answered) == ["xa-regulator"]
    assert register.verify_ledger().payloads_erased == 1
