"""The GSUP proxy on sockets: a network in front, an HLR behind, both made here; osmo-hlr itself in test_osmocom.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from openceir.eir import Decider, DecisionPolicy, Overlay, read_policy
from openceir.eir.counters import Counters
from openceir.eir.desk import Desk
from openceir.eir.gsup import GsupOptions, GsupProxy
from wire.test_gsup import LOCATION, PING

from .conftest import ALICE, ALICES_PHONE, BLOCKED, PERMITTED, TRACKED, pairs
from .running import LONGEST_S

IMSI = bytes.fromhex("01 08 00010100000000f1")
ACK, NACK, ERROR = "ack", "nack", "error"


def frame(message: bytes) -> bytes:
    return (len(message) + 1).to_bytes(2, "big") + b"\xee\x05" + message


def check(number: int = 1, imsi: bytes = IMSI) -> bytes:
    return frame(
        b"\x30" + imsi + bytes.fromhex("50 08 07 000110000000") + bytes([number << 4]) + bytes.fromhex("0a 01 01")
    )


MALFORMED = frame(b"\x30" + IMSI + bytes.fromhex("50 08 07 000110000000b0"))


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    head = await asyncio.wait_for(reader.readexactly(3), LONGEST_S)
    return head + await reader.readexactly(int.from_bytes(head[:2], "big"))


async def outcome(reader: asyncio.StreamReader) -> str:
    answer = await read_frame(reader)
    assert answer[5:15] == IMSI
    return {b"\x32\x51\x00": ACK, b"\x32\x51\x01": NACK}.get(answer[4:5] + answer[15:16] + answer[17:18], ERROR)


class Hlr:
    """Echoes whatever comes, and keeps its connections for the test to look at."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()


@asynccontextmanager
async def between(decider: Decider, policy: str = "", **options) -> AsyncIterator[tuple[GsupProxy, int, Hlr]]:
    hlr, opened = Hlr(), []

    async def take(reader, writer):
        opened.append(writer)
        await hlr.came.put((reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    desk = Desk(decider, Counters("gsup", "cause"), lambda event, **facts: None)
    proxy = GsupProxy(
        GsupOptions(
            listen=("127.0.0.1", 0), hlr=server.sockets[0].getsockname()[:2],
            policy=read_policy(policy, "eir.toml").of("gsup"), **options,
        ),
        desk,
    )  # fmt: skip
    try:
        yield proxy, await proxy.listen(), hlr
    finally:
        await proxy.close()
        server.close()
        for writer in opened:
            writer.transport.abort()
        await server.wait_closed()


def decider_of(made, **parts) -> Decider:
    devices = {ALICES_PHONE: BLOCKED, ALICES_PHONE + 1: TRACKED, ALICES_PHONE + 2: PERMITTED}
    return Decider(made(devices=devices, **parts), Overlay(), DecisionPolicy())


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("", [NACK, ACK, ACK, ACK, ACK]),
        ('[interface.gsup]\nunknown = "blocked"\n', [NACK, ACK, ACK, NACK, ACK]),
        ('[interface.gsup]\nmalformed = "error"\n', [NACK, ACK, ACK, ACK, ERROR]),
    ],
)
def test_grey_passes_and_so_does_doubt_unless_the_operator_says_otherwise(made, policy: str, said: list[str]):
    async def story() -> None:
        async with between(decider_of(made), policy) as (proxy, port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"".join([check(1), check(2), check(3), check(9), MALFORMED]))
            assert [await outcome(reader) for _ in range(5)] == said
            outcomes = proxy.desk.counters.of_outcomes()
            # A grey device is let pass like a white one, but not unseen.
            assert outcomes == {"blocked": 1, "tracked": 1, "permitted": 1, "unknown": 1, "malformed": 1}
            writer.close()

    asyncio.run(story())


def test_the_subscriber_reaches_the_pairs(made):
    async def story() -> None:
        async with between(decider_of(made, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))) as (_, port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(check(1))
            assert await outcome(reader) == ACK
            writer.close()

    asyncio.run(story())


def test_everything_else_passes_both_ways_and_keeps_its_order(made):
    async def story() -> None:
        async with between(decider_of(made)) as (_, port, hlr):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            behind_reader, behind_writer = await hlr.came.get()
            behind_writer.write(b"\0\2\xfe\4\1" + PING)  # the HLR greets first
            assert [await read_frame(reader) for _ in range(2)] == [b"\0\2\xfe\4\1", PING]
            stream = PING + check(1) + LOCATION + check(1) + LOCATION + frame(b"\x30\x09")
            for octet in stream:
                writer.write(bytes([octet]))
            # The last is a check without a subscriber: nobody to answer, so the HLR sees it.
            expected = [PING, LOCATION, LOCATION, frame(b"\x30\x09")]
            assert [await read_frame(behind_reader) for _ in expected] == expected
            # Half a frame of the HLR waits for its end, and an answer of ours never stands within it.
            behind_writer.write(LOCATION[:5])
            assert [await outcome(reader) for _ in range(2)] == [NACK, NACK]
            writer.write(check(1))
            assert await outcome(reader) == NACK
            behind_writer.write(LOCATION[5:])
            assert await read_frame(reader) == LOCATION
            writer.close()

    asyncio.run(story())


def test_when_one_side_goes_the_other_goes_too(made):
    async def story() -> None:
        async with between(decider_of(made)) as (proxy, port, hlr):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            _, behind_writer = await hlr.came.get()
            behind_writer.close()
            assert await asyncio.wait_for(reader.read(), LONGEST_S) == b""
            writer.close()
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            behind_reader, _ = await hlr.came.get()
            writer.close()
            assert await asyncio.wait_for(behind_reader.read(), LONGEST_S) == b""
            assert proxy.desk.counters.links["hlr_lost"] == 1

    asyncio.run(story())


def test_without_its_hlr_a_network_is_told_at_once(made):
    async def story() -> None:
        async with between(decider_of(made)) as (proxy, port, _):
            closed = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
            address = closed.sockets[0].getsockname()[:2]
            closed.close()
            await closed.wait_closed()
            proxy.options = GsupOptions(listen=("127.0.0.1", 0), hlr=address)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await asyncio.wait_for(reader.read(), LONGEST_S) == b""
            writer.close()
            assert proxy.desk.counters.links["hlr_unreachable"] == 1

    asyncio.run(story())


def test_who_does_not_read_stops_whoever_sends_and_nothing_is_lost(made):
    """16 MB towards an HLR that does not read: our memory holds a buffer of them, the rest waits at its sender."""
    big = frame(b"\x04" + bytes(60_000))

    async def story() -> None:
        async with between(decider_of(made), most_waiting_octets=100_000) as (proxy, port, hlr):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            behind_reader, _ = await hlr.came.get()
            behind_reader._transport.pause_reading()
            count = 270
            sending = asyncio.create_task(_send(writer, [big] * count))
            [network] = proxy.networks
            while not network._holders:
                await asyncio.sleep(0.005)
            held = network._hlr.transport.get_write_buffer_size()
            assert held < 100_000 + 3 * len(big) + 262_144
            assert not sending.done()
            behind_reader._transport.resume_reading()
            for _ in range(count):
                assert len(await read_frame(behind_reader)) == len(big)
            await sending
            writer.write(check(1))
            assert await outcome(reader) == NACK
            writer.close()

    asyncio.run(story())


async def _send(writer: asyncio.StreamWriter, frames: list[bytes]) -> None:
    for each in frames:
        writer.write(each)
        await writer.drain()


def test_a_network_that_asks_and_never_reads_fills_its_own_socket(made):
    async def story() -> None:
        async with between(decider_of(made), most_waiting_octets=20_000) as (proxy, port, _):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            asking = asyncio.create_task(_send(writer, [check(1) * 1000] * 400))
            while not (proxy.networks and "network" in next(iter(proxy.networks))._holders):
                await asyncio.sleep(0.005)
            [network] = proxy.networks
            assert network.transport.get_write_buffer_size() < 600_000
            asking.cancel()
            writer.transport.abort()
            await asyncio.gather(asking, return_exceptions=True)

    asyncio.run(story())


def test_there_are_only_so_many_networks(made):
    async def story() -> None:
        async with between(decider_of(made), most_links=1) as (proxy, port, hlr):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            await hlr.came.get()
            reader, second = await asyncio.open_connection("127.0.0.1", port)
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), LONGEST_S) == b""
            assert proxy.desk.counters.links["refused_too_many"] == 1
            second.close()
            writer.close()

    asyncio.run(story())
