"""A node that joins takes a snapshot, and believes nothing of it but what gives the app_hash that members signed."""

import hashlib

import cbor2
import pytest
from tests.consortium.fake_engine import FakeEngine, opened

from openceir.consortium import audit_book, write_transaction
from openceir.consortium import snapshots as snapshots_room
from openceir.wire.abci import Request, enumeration

OFFER, APPLY = enumeration("OfferResult"), enumeration("ApplyResult")


@pytest.fixture
def served(country, engine, monkeypatch):
    """An application with snapshots of several chunks, at blocks 4 and 8."""
    monkeypatch.setattr(snapshots_room, "_CLOSED_AT", 1000)
    application = opened(country.folders[0], snapshot_every=4)
    engine.handshake(application)
    for _ in range(9):
        engine.decide([write_transaction(country.theft()) for _ in range(3)], application)
    yield application
    application.log.close()


@pytest.fixture
def joining(country):
    made = opened(country.folders[1])
    yield made
    made.log.close()


def ask(application, kind, **fields):
    asked = Request()
    part = getattr(asked, kind)
    part.SetInParent()
    for name, value in fields.items():
        if name == "snapshot":
            part.snapshot.CopyFrom(value)
        else:
            setattr(part, name, value)
    return getattr(application.handle(asked), kind)


def newest(served):
    return ask(served, "list_snapshots").snapshots[0]


def chunks(served, snapshot):
    return [
        ask(served, "load_snapshot_chunk", height=snapshot.height, format=1, chunk=number).chunk
        for number in range(snapshot.chunks)
    ]


def offer(joining, snapshot, app_hash):
    return ask(joining, "offer_snapshot", snapshot=snapshot, app_hash=app_hash).result


def give(joining, octets):
    results = []
    for number, chunk in enumerate(octets):
        results.append(ask(joining, "apply_snapshot_chunk", index=number, chunk=chunk, sender="peer").result)
    return results


def test_a_snapshot_brings_a_node_to_the_state_and_on(served, joining, engine, country):
    snapshot = newest(served)
    assert (snapshot.height, snapshot.format) == (8, 1)
    assert snapshot.chunks > 5
    assert offer(joining, snapshot, engine.app_hash(8)) == OFFER["ACCEPT"]
    assert set(give(joining, chunks(served, snapshot))) == {APPLY["ACCEPT"]}
    assert (joining.height, joining.size) == (8, 25)
    other = FakeEngine(country.folders[1])
    other.blocks, other.results = engine.blocks, engine.results
    other.handshake(joining)  # block 9, the same answer
    assert joining.size == served.size
    audit_book(country.folders[1])


def test_every_node_makes_the_same_snapshot(served, country, engine):
    other = opened(country.folders[2], snapshot_every=4)
    engine.handshake(other)
    assert newest(other) == newest(served)
    other.log.close()


def test_whole_chunks_never_change(served, engine, country):
    before = newest(served)
    first = chunks(served, before)[1:4]
    for _ in range(3):
        engine.decide([write_transaction(country.theft())], served)
    after = newest(served)
    assert after.height == 12
    assert chunks(served, after)[1:4] == first
    assert chunks(served, before)[1:4] == first  # still served


def test_a_chunk_that_was_altered_is_asked_for_again_and_its_sender_shunned(served, joining, engine):
    snapshot = newest(served)
    offer(joining, snapshot, engine.app_hash(8))
    answer = ask(joining, "apply_snapshot_chunk", index=0, chunk=b"rubbish", sender="mallory")
    assert answer.result == APPLY["RETRY"]
    assert (list(answer.refetch_chunks), list(answer.reject_senders)) == ([0], ["mallory"])
    assert set(give(joining, chunks(served, snapshot))) == {APPLY["ACCEPT"]}


@pytest.mark.parametrize("alter", ["entry", "state", "order"])
def test_a_forged_snapshot_is_rejected_whole(served, joining, engine, alter):
    """Its digests are right, its app_hash is not: the forger does not have the members' signatures."""
    snapshot = newest(served)
    octets = chunks(served, snapshot)
    if alter == "entry":
        items = cbor2.loads(octets[2])
        octets[2] = cbor2.dumps([list(items[0]), *map(list, items[2:])], canonical=True)
    elif alter == "state":
        state = list(cbor2.loads(octets[0]))
        state[4] = [[bytes(32), 10]]
        octets[0] = cbor2.dumps(state, canonical=True)
    else:
        octets[1], octets[2] = octets[2], octets[1]
    snapshot.metadata = cbor2.dumps([hashlib.sha256(chunk).digest() for chunk in octets], canonical=True)
    snapshot.hash = hashlib.sha256(snapshot.metadata).digest()
    assert offer(joining, snapshot, engine.app_hash(8)) == OFFER["ACCEPT"]
    assert give(joining, octets)[-1] == APPLY["REJECT_SNAPSHOT"]
    assert joining.height == 0
    assert offer(joining, newest(served), engine.app_hash(8)) == OFFER["ACCEPT"]
    assert set(give(joining, chunks(served, newest(served)))) == {APPLY["ACCEPT"]}


def test_an_offer_that_is_none_is_rejected(served, joining, engine):
    snapshot = newest(served)
    snapshot.format = 9
    assert offer(joining, snapshot, engine.app_hash(8)) == OFFER["REJECT_FORMAT"]
    snapshot.format, snapshot.hash = 1, bytes(32)
    assert offer(joining, snapshot, engine.app_hash(8)) == OFFER["REJECT"]
    snapshot.metadata = b"\xff"
    assert offer(joining, snapshot, engine.app_hash(8)) == OFFER["REJECT"]
    assert give(joining, [b"chunk"]) == [APPLY["ABORT"]]


def test_a_chunk_that_is_gone_is_empty(served):
    assert ask(served, "load_snapshot_chunk", height=3, format=1, chunk=0).chunk == b""
    assert ask(served, "load_snapshot_chunk", height=8, format=1, chunk=99).chunk == b""
    assert ask(served, "load_snapshot_chunk", height=8, format=2, chunk=0).chunk == b""
