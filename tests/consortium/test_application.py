"""The application answers an engine: nothing in a transaction fails a block, and every node answers alike."""

import json
from datetime import timedelta

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.consortium.fake_engine import check_tx, opened, query
from tests.consortium.times import NOON

from openceir.consortium import NodeRefused, write_transaction
from openceir.consortium.speaking import approval, removal, say
from openceir.ledger import Governance, hash_leaf, verify_consistency, verify_inclusion
from openceir.statements import (
    KeyUse,
    Member,
    MemberKey,
    MembershipProposed,
    Refusal,
    Role,
    SigningKey,
    open_payload,
    read_canonical,
    write_canonical,
)
from openceir.wire.abci import Request


def codes(result):
    return [Refusal(one.code) for one in result.tx_results]


def head(application):
    return read_canonical(query(application, "/head").value, "the head")


def test_the_founding_is_the_first_entry(application):
    assert head(application)["size"] == 1
    assert head(application)["height"] == 0


def test_a_statement_is_ordered_and_found(application, engine, country):
    signed = country.theft()
    tx = write_transaction(signed)
    assert check_tx(application, tx).code == 0
    result = engine.decide([tx], application)
    assert codes(result) == [Refusal.NONE]
    assert result.tx_results[0].data == (1).to_bytes(8)
    index, height, _, octets = read_canonical(query(application, "/entry", hash_leaf(signed.octets)).value, "it")
    assert (index, height, octets) == (1, 1, signed.octets)


def test_the_payload_that_names_a_device_is_in_no_transaction(country):
    signed = country.theft()
    tx = write_transaction(signed)
    assert signed.payload not in tx
    assert signed.salt not in tx


def test_what_may_not_enter_has_its_number_and_the_block_goes_on(application, engine, country):
    good, twice = country.theft(), country.theft()
    stranger = say_as("stranger", country)
    unsalted = cbor2.dumps([1, good.octets, good.salt, good.payload], canonical=True)
    altered = write_transaction(country.theft())[:-1] + b"\x00"
    spelt_otherwise = b"\x9f\x01" + cbor2.dumps(country.theft().octets) + b"\xff"
    future = write_transaction(country.theft(at=NOON + timedelta(hours=1)))
    oversized = cbor2.dumps([1, bytes(70_000)], canonical=True)
    result = engine.decide(
        [
            write_transaction(good), write_transaction(twice), write_transaction(twice), write_transaction(stranger),
            unsalted, altered, spelt_otherwise, future, oversized, b"", b"\xff", cbor2.dumps([2, b""]),
        ],
        application,
    )  # fmt: skip
    assert codes(result) == [
        Refusal.NONE, Refusal.NONE, Refusal.DUPLICATE, Refusal.KEY_UNKNOWN, Refusal.DISCLOSED, Refusal.SIGNATURE,
        Refusal.MALFORMED, Refusal.FUTURE, Refusal.TOO_LARGE, Refusal.MALFORMED, Refusal.MALFORMED, Refusal.MALFORMED,
    ]  # fmt: skip
    assert head(application)["size"] == 3
    replayed = engine.decide([write_transaction(good)], application)
    assert codes(replayed) == [Refusal.DUPLICATE]


def say_as(name, country):
    theft = country.theft()
    return say(_said(theft), SigningKey(name, b"s" * 32), NOON)


def _said(signed):
    return open_payload(signed.header, signed.salt, signed.payload)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(txs=st.lists(st.binary(max_size=300), max_size=5), kind=st.sampled_from(["check", "propose", "decide"]))
def test_any_octets_are_answered(application, engine, txs, kind):
    time = NOON + timedelta(seconds=len(engine.blocks) + 1)
    if kind == "check":
        assert all(check_tx(application, tx).code for tx in txs)
    elif kind == "propose":
        assert engine.propose(application, txs, time) == []
        assert engine.accepts(application, txs, time) == (not txs)
    else:
        assert Refusal.NONE not in codes(engine.decide(txs, application))
    assert head(application)["size"] == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(["/head", "/entry", "/proof", "/consistency", "/members", "/nothing"]), data=st.binary(max_size=80), height=st.integers(-5, 5))  # fmt: skip
def test_any_question_is_answered(application, path, data, height):
    query(application, path, data, height)


def test_a_proposal_holds_what_may_enter_and_is_accepted(application, engine, country):
    good, other = write_transaction(country.theft()), write_transaction(country.theft())
    future = write_transaction(country.theft(at=NOON + timedelta(hours=1)))
    proposed = engine.propose(application, [good, b"rubbish", future, good, other], NOON + timedelta(seconds=1))
    assert proposed == [good, other]
    assert engine.accepts(application, proposed, NOON + timedelta(seconds=1))


def test_a_proposer_that_stuffs_something_in_is_voted_down(application, engine, country):
    good = write_transaction(country.theft())
    for stuffed in (b"rubbish", good, write_transaction(say_as("stranger", country))):
        assert not engine.accepts(application, [good, stuffed], NOON + timedelta(seconds=1))


def test_a_statement_after_a_quiet_day_waits_for_a_fresh_block_time(application, engine, country):
    """A block bears the time of the votes before it: after a quiet day, yesterday's."""
    late = country.theft(at=NOON + timedelta(days=1))
    tx = write_transaction(late)
    assert engine.propose(application, [tx], NOON + timedelta(seconds=1)) == []
    engine.decide([], application)  # its votes are of today
    assert engine.propose(application, [tx], NOON + timedelta(days=1)) == [tx]


def test_a_recheck_finds_what_was_ordered_and_verifies_nothing_else(application, engine, country):
    ordered, waiting = write_transaction(country.theft()), write_transaction(country.theft())
    engine.decide([ordered], application)
    assert check_tx(application, ordered, again=True).code == Refusal.DUPLICATE
    assert check_tx(application, waiting, again=True).code == 0


def test_after_a_change_of_members_everything_that_waits_is_judged_anew(application, engine, country):
    waiting = write_transaction(country.theft(by=3))
    remove(engine, application, country, "xd")
    assert check_tx(application, waiting, again=True).code == Refusal.KEY_OUT_OF_DATE


def remove(engine, application, country, member):
    governance = Governance.read(read_canonical(query(application, "/members").value, "members"))
    proposal = say(removal(member, governance, NOON, open_days=30, grounds="G-1"), country.key(), NOON)
    engine.decide([write_transaction(proposal)], application)
    approve(engine, application, country, proposal)


def approve(engine, application, country, proposal):
    said = [say(approval(hash_leaf(proposal.octets)), country.key(by), NOON) for by in (1, 2)]
    result = engine.decide(list(map(write_transaction, said)), application)
    assert codes(result) == [Refusal.NONE, Refusal.NONE]
    return result


def test_a_member_that_is_removed_by_quorum_signs_no_more_blocks(application, engine, country):
    key = country.folders[3].node_key().public.octets
    assert engine.validators[key] == 10
    remove(engine, application, country, "xd")
    assert key not in engine.validators
    assert len(engine.validators) == 3


def test_a_member_that_is_admitted_by_quorum_signs_blocks(application, engine, country):
    newcomer = SigningKey("xe", b"e" * 32), SigningKey("xe/node", b"n" * 32)
    keys = (MemberKey(newcomer[0].public, NOON), MemberKey(newcomer[1].public, NOON, use=KeyUse.NODE))
    terms = Member("xe", frozenset({Role.POLICE}), keys, nation="XE", power=7)
    said = MembershipProposed(
        action="admit", terms=terms, quorum=3, until=NOON + timedelta(days=30), grounds="G-1"
    )  # fmt: skip
    proposal = say(said, country.key(), NOON)
    engine.decide([write_transaction(proposal)], application)
    result = approve(engine, application, country, proposal)
    assert [(u.pub_key.ed25519, u.power) for u in result.validator_updates] == [(newcomer[1].public.octets, 7)]
    assert engine.validators[newcomer[1].public.octets] == 7
    theft = say(_said(country.theft()), newcomer[0], NOON)
    assert codes(engine.decide([write_transaction(theft)], application)) == [Refusal.NONE]


def test_two_applications_come_to_the_same_states(country, engine, application):
    """`decide` compares every answer."""
    other = opened(country.folders[1])
    engine.handshake(other)
    for number in range(5):
        engine.decide([write_transaction(country.theft(by=number % 4)), b"rubbish"], application, other)
    assert head(application) == head(other)
    other.log.close()


def test_a_block_decided_again_after_the_engine_alone_died_is_the_same(application, engine, country):
    tx = write_transaction(country.theft())
    asked = engine._block("finalize_block", 1, NOON + timedelta(seconds=1), [tx])
    first = application.handle(asked).finalize_block
    assert application.handle(asked).finalize_block == first
    engine.decide([tx], application)
    assert head(application)["size"] == 2


def test_proofs_of_a_past_block_and_between_two_sizes(application, engine, country):
    signed = [country.theft() for _ in range(5)]
    for one in signed:
        engine.decide([write_transaction(one)], application)
    height, size, index, path, *_ = read_canonical(
        query(application, "/proof", write_canonical(2), height=3).value, "the proof"
    )
    assert (height, size, index) == (3, 4, 2)
    root = application.machine.tree.root(4)
    verify_inclusion(hash_leaf(signed[1].octets), index, size, path, root)
    proof = read_canonical(query(application, "/consistency", write_canonical([2, 6])).value, "the proof")
    verify_consistency(2, 6, application.machine.tree.root(2), application.machine.tree.root(6), proof)


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        ("init_chain", {"chain_id": "another", "initial_height": 1}, "begins the chain another"),
        ("finalize_block", {"height": 7}, "gives block 7"),
        ("insert_tx", {"tx": b""}, "keeps the pool"),
        ("commit", {}, "never gave"),
    ],
)
def test_an_engine_that_contradicts_the_book_is_not_followed(application, kind, fields, why):
    asked = Request()
    part = getattr(asked, kind)
    part.SetInParent()
    for name, value in fields.items():
        setattr(part, name, value)
    with pytest.raises(NodeRefused, match=why):
        application.handle(asked)


def test_nothing_is_said_in_a_vote(application):
    asked = Request()
    asked.extend_vote.height = 1
    assert application.handle(asked).extend_vote.vote_extension == b""
    asked.verify_vote_extension.vote_extension = b"something"
    assert application.handle(asked).verify_vote_extension.status == 2
    asked.verify_vote_extension.vote_extension = b""
    assert application.handle(asked).verify_vote_extension.status == 1


def test_a_genesis_whose_validators_are_not_the_founders_keys_is_refused(country, engine):
    fresh = opened(country.folders[1])
    asked = Request()
    begin = asked.init_chain
    begin.chain_id, begin.initial_height = country.plan.chain_id, 1
    begin.time.seconds = int(NOON.timestamp())
    begin.app_state_bytes = country.folders[0].genesis_text.encode()
    with pytest.raises(NodeRefused, match="not what"):
        fresh.handle(asked)

    begin.app_state_bytes = json.dumps(country.folders[0].genesis.as_json()).encode()
    begin.validators.add(power=10).pub_key.ed25519 = bytes(32)
    with pytest.raises(NodeRefused, match="not the node keys"):
        fresh.handle(asked)
    fresh.log.close()
