"""The driver on real sockets: what peers see, what is counted, who is let in."""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Coroutine
from pathlib import Path

import pytest
import uvloop

from openceir.eir import Decider, DecisionPolicy, InterfacePolicy, Overlay
from openceir.eir.peers import PeerRule
from openceir.eir.records import RecordFile, read_records
from openceir.wire.diameter.peer import Limits
from wire import an_mme as mme

from .conftest import ALICE, ALICES_PHONE, BLOCKED, PERMITTED, pairs
from .running import LONGEST_S, running

WHITELISTED, BLACKLISTED = 0, 1


def run(work: Coroutine[object, object, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 2 * LONGEST_S))


def test_the_same_answers_come_from_the_quicker_loop(index):
    """uvloop's transports derive from none of asyncio's classes."""

    async def story():
        async with running(index) as eir:
            client = await eir.client()
            assert await client.ask(imsi=None) == BLACKLISTED
            client.send(mme.dpr())
            assert (await client.read())[1] == 282

    uvloop.run(story())


@pytest.fixture
def index(made):
    return made(devices={ALICES_PHONE: BLOCKED}, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))


def test_a_stolen_phone_is_refused_and_its_pair_is_not(index):
    async def story():
        async with running(index) as eir:
            client = await eir.client()
            assert await client.ask(imsi="001010000000002") == BLACKLISTED
            assert await client.ask(imsi="001010000000001") == WHITELISTED
            assert await client.ask(imei="00100100000009") is None
            outcomes = eir.counters.of_outcomes()
            assert outcomes == {"blocked_not_in_pairs": 1, "blocked_allowed_by_pair": 1, "unknown": 1}

    run(story())


def test_a_list_is_swapped_while_a_link_stays_open(index, made):
    async def story():
        async with running(index) as eir:
            client = await eir.client()
            assert await client.ask(imsi=None) == BLACKLISTED
            eir.use(Decider(made(name="next.idx", sequence=2), Overlay(), DecisionPolicy()))
            assert await client.ask(imsi=None) is None

    run(story())


def test_each_answer_is_one_of_the_two_lists_while_lists_are_swapped_under_load(index, made):
    """Nothing is lost and nothing is mixed: 4,000 questions, a swap after every hundredth."""

    async def story():
        deciders = [Decider(each, Overlay(), DecisionPolicy()) for each in (index, made(name="next.idx", sequence=2))]
        async with running(index) as eir:
            client = await eir.client()
            for turn in range(40):
                client.send(b"".join(mme.ecr(session=f"s;{n}", ids=n, imsi=None) for n in range(100)))
                eir.use(deciders[turn % 2])
                answers = [await client.read() for _ in range(100)]
                assert [ids for _, _, _, ids, _ in answers] == list(range(100))
                expected = BLACKLISTED if turn % 2 == 0 else None
                assert {mme.number(avps, 1445, mme.TGPP) for *_, avps in answers} == {expected}

    run(story())


@pytest.mark.parametrize(
    ("word", "result_code", "status"),
    [
        ("error", 5004, None),
        ("unknown", None, None),
        ("permitted", 2001, 0),
        ("tracked", 2001, 2),
        ("blocked", 2001, 1),
    ],
)
def test_a_malformed_imei_is_answered_as_the_operator_chose(index, word: str, result_code: int, status: int):
    async def story():
        async with running(index, policy=InterfacePolicy(malformed=word)) as eir:
            client = await eir.client()
            client.send(mme.ecr(imei="0010010000000"))
            *_, avps = await client.read()
            assert (mme.number(avps, 268), mme.number(avps, 1445, mme.TGPP)) == (result_code, status)
            assert (mme.value(avps, 279) is not None) == (word == "error")
            assert eir.counters.of_outcomes() == {"malformed": 1}

    run(story())


@pytest.mark.parametrize(("word", "status"), [("permitted", 0), ("blocked", 1), ("error", None)])
def test_a_failure_is_answered_by_policy_and_is_an_alarm(index, word: str, status: int | None):
    """An index whose file was cut under us is such a failure; here the decision itself is made to fail."""

    def fails(device: int, imsi: int, svn: int) -> int:
        raise ZeroDivisionError

    async def story():
        async with running(index, policy=InterfacePolicy(failure=word)) as eir:
            eir.decide = fails
            client = await eir.client()
            assert await client.ask() == status
            assert eir.counters.failures == 1
            assert ("alarm", "ZeroDivisionError") in [(event, facts.get("error")) for event, facts in eir.said]

    run(story())


def test_a_repeated_question_is_answered_again_but_counted_once(index):
    async def story():
        async with running(index) as eir:
            client = await eir.client()
            for flags in (0xC0, 0xD0, 0xD0):
                assert await client.ask(flags=flags, imsi=None) == BLACKLISTED
            assert (sum(eir.counters.decisions), eir.counters.repeated) == (1, 2)

    run(story())


def test_what_was_asked_is_recorded_for_the_owner_alone(index, tmp_path):
    async def story():
        async with running(index) as eir:
            eir.records = RecordFile(tmp_path / "records")
            eir.epoch_s = 1_800_000_000.0
            client = await eir.client()
            await client.ask(imsi="001010000000001", svn="05")
            await client.ask(imei="12", imsi=None, svn=None)
            eir.settle()
            eir.records.close()
            eir.records = None

    run(story())
    asked, malformed = read_records(tmp_path / "records")
    assert (asked.device, asked.imsi, asked.svn) == (ALICES_PHONE, ALICE, 5)
    assert asked.decision.black_but_allowed
    assert asked.checked_at.year >= 2027
    assert (malformed.device, malformed.imsi, malformed.svn) == (-1, 0, -1)
    assert (tmp_path / "records").stat().st_mode & 0o777 == 0o600


def test_what_was_answered_before_the_end_is_recorded(index, tmp_path):
    """The books are kept some tenths of a second later than the answers: not beyond the end."""

    async def story():
        async with running(index) as eir:
            eir.records = RecordFile(tmp_path / "records")
            client = await eir.client()
            client.send(b"".join(mme.ecr(session=f"s;{n}", ids=n) for n in range(100)))
            assert [(await client.read())[3] for _ in range(100)] == list(range(100))
            client.send(mme.dpr())
        eir.records.close()

    run(story())
    assert len(list(read_records(tmp_path / "records"))) == 100


def test_neither_devices_nor_subscribers_reach_the_log_or_the_metrics(index):
    async def story():
        async with running(index) as eir:
            client = await eir.client()
            await client.ask(imsi="001010000000001")
            client.send(mme.ecr(imei=None) + mme.dpr())
            await client.read()
            await client.read()
            text = repr(eir.said) + eir.counters.page({})
            assert "00101000" not in text
            assert "001001" not in text
            assert str(ALICES_PHONE) not in text

    run(story())


# ------------------------------------------------------------------------------------------------------------- peers


def test_an_unknown_peer_is_told_3010_and_the_connection_ends(index):
    async def story():
        async with running(index, peers=(PeerRule(host="*.elsewhere.example"),)) as eir:
            client = await eir.client(introduce=False)
            client.send(mme.cer())
            flags, _, _, _, avps = await client.read()
            assert (flags, mme.number(avps, 268)) == (0x20, 3010)
            assert await client.at_end()

    run(story())


def test_a_peer_from_another_address_is_unknown(index):
    async def story():
        rule = PeerRule(host="*", addresses=(ipaddress.ip_network("192.0.2.0/24"),))
        async with running(index, peers=(rule,)) as eir:
            client = await eir.client(introduce=False)
            assert await client.at_end()  # before it said who it is: nobody whom we know comes from there
            assert eir.counters.links["refused_address"] == 1

    run(story())


def test_a_peer_named_for_another_address_gets_3010(index):
    async def story():
        rules = (
            PeerRule(host=mme.HOST, addresses=(ipaddress.ip_network("192.0.2.0/24"),)),
            PeerRule(host="other.example"),
        )
        async with running(index, peers=rules) as eir:
            client = await eir.client(introduce=False)
            client.send(mme.cer())
            assert mme.number((await client.read())[4], 268) == 3010

    run(story())


def test_answers_go_on_when_the_disk_refuses_the_records(index, tmp_path):
    async def story():
        async with running(index) as eir:
            eir.records = RecordFile(tmp_path / "records")
            with Path("/dev/full").open("wb") as full:
                os.dup2(full.fileno(), eir.records.fileno())
            client = await eir.client()
            for _ in range(3):
                assert await client.ask(imsi=None) == BLACKLISTED
            while eir.counters.records_lost < 3:
                await asyncio.sleep(0)
            assert [event for event, _ in eir.said].count("alarm") == 1
            assert await client.ask(imsi=None) == BLACKLISTED
            eir.records.close()
            eir.records = None

    run(story())


def test_the_second_link_of_a_living_peer_is_rejected(index):
    """RFC 6733 §5.6: R-Open, R-Conn-CER, R-Reject."""

    async def story():
        async with running(index, peers=(PeerRule(),), duplicate_after_s=0.1) as eir:
            first = await eir.client()
            second = await eir.client(introduce=False)
            second.send(mme.cer(host=mme.HOST.upper()))
            flags, command, _, ids, _ = await first.read()
            assert (flags, command) == (0x80, 280)
            first.send(
                mme.message(0, 280, 0, mme.avp(268, 2001), mme.avp(264, mme.HOST), mme.avp(296, mme.REALM), ids=ids)
            )
            assert await second.at_end()
            assert await first.ask(imsi=None) == BLACKLISTED

    run(story())


def test_a_peer_that_crashed_takes_the_place_of_its_dead_link(index):
    async def story():
        async with running(index, peers=(PeerRule(),), duplicate_after_s=0.1) as eir:
            first = await eir.client()
            second = await eir.client()  # the first never answers the DWR that this causes
            assert await second.ask(imsi=None) == BLACKLISTED
            await first.read()
            assert await first.at_end()

    run(story())


def test_of_two_links_that_come_for_the_place_of_a_dead_one_one_gets_it(index):
    async def story():
        async with running(index, peers=(PeerRule(),), duplicate_after_s=0.1) as eir:
            dead = await eir.client()
            rivals = [await eir.client(introduce=False) for _ in range(2)]
            for rival in rivals:
                rival.send(mme.cer())
            assert mme.number((await rivals[0].read())[4], 268) == 2001
            assert await rivals[1].at_end()
            assert await rivals[0].ask(imsi=None) == BLACKLISTED
            assert (await dead.read())[1] == 280
            assert await dead.at_end()
            assert eir.counters.links == {"opened": 2, "closed": 1, "refused_duplicate": 1}

    run(story())


def test_a_hostile_peer_leaves_the_others_alone(index):
    """Garbage, endless halves, wrong lengths and unread answers on one side; every question answered on the other."""

    async def story():
        async with running(index, limits=Limits(slowest_message_s=0.2, cer_within_s=0.2)) as eir:
            client = await eir.client()
            enemies = [await eir.client(host=f"mallory{n}.example") for n in range(4)]
            silent = await eir.client(introduce=False)
            enemies[0].send(bytes(1000))
            enemies[1].send(b"\x01\xff\xff\xfc" + mme.ecr()[4:])
            enemies[2].send(mme.ecr()[:100])
            enemies[3].writer.transport.pause_reading()
            enemies[3].writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            for n in range(120):
                enemies[3].send(mme.ecr() * 400)
                client.send(mme.ecr(ids=n, imsi=None))
                assert (await client.read())[3] == n
            assert eir.counters.links["paused"] > 0
            for enemy in (enemies[0], silent):
                assert await enemy.at_end()
            assert mme.number((await enemies[1].read())[4], 268) == 5015
            assert await enemies[1].at_end()
            assert await enemies[2].at_end()
            assert await client.ask(imsi=None) == BLACKLISTED

    run(story())


def test_who_asks_a_lot_at_once_is_answered_in_turns_with_the_others(index, monkeypatch):
    """A turn is made to end after each piece; a read of 600 questions in 600 shapes then takes several."""
    monkeypatch.setattr("openceir.eir.diameter._TURN_S", 0.0)

    async def story():
        async with running(index) as eir:
            greedy, modest = await eir.client(host="mallory.example"), await eir.client()
            many = [mme.ecr(mme.avp(99999, n.to_bytes(2, "big"), m=False), ids=n) for n in range(600)]
            links = {link.peer.peer_host: link for link in eir.links}
            link = links["mallory.example"]
            link.data_received(b"".join(many))  # as one read would bring it, however the kernel cuts it
            assert 0 < len(eir.answered) + sum(eir.counters.decisions) < 100
            link.data_received(mme.ecr(ids=600))  # what a loop had read already when it was asked to pause
            assert await modest.ask(imsi=None) == BLACKLISTED
            assert sum(eir.counters.decisions) < 601
            assert [(await greedy.read())[3] for _ in range(601)] == list(range(601))
            greedy.send(mme.ecr(ids=7))
            assert (await greedy.read())[3] == 7  # it is read from again

    run(story())


def test_a_busy_eir_refuses_what_is_not_urgent_and_answers_what_is(index):
    """RFC 7944: 0 is the highest priority; without DRMP it is 10."""

    async def story():
        async with running(index) as eir:
            client = await eir.client()
            eir.is_busy = True
            client.send(mme.ecr(ids=1) + mme.ecr(mme.avp(301, 2, m=False), ids=2, imsi=None))
            flags, _, _, ids, avps = await client.read()
            assert (flags, ids, mme.number(avps, 268)) == (0x60, 1, 3004)
            *_, ids, avps = await client.read()
            assert (ids, mme.number(avps, 268)) == (2, 2001)

    run(story())


def test_draining_says_goodbye_and_waits_for_the_answer(index):
    async def story():
        async with running(index) as eir:
            client = await eir.client()
            drained = asyncio.create_task(eir.drain())
            flags, command, _, ids, avps = await client.read()
            assert (flags, command, mme.number(avps, 273)) == (0x80, 282, 0)
            assert not drained.done()
            client.send(
                mme.message(0, 282, 0, mme.avp(268, 2001), mme.avp(264, mme.HOST), mme.avp(296, mme.REALM), ids=ids)
            )
            await drained
            assert await client.at_end()

    run(story())


def test_sctp_is_served_or_its_absence_is_said(index):
    from openceir.eir import EirError

    async def story():
        async with running(index) as eir:
            try:
                assert await eir.listen_sctp("127.0.0.1", 0) > 0
            except EirError as wrong:
                assert "SCTP" in str(wrong)  # noqa: PT017 — either outcome is right, by kernel

    run(story())
