"""MAP on sockets: we go to the gateways, answer what they bring from the list, and come again when they were away."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from openceir.eir import Decider, DecisionPolicy, InterfacePolicy, Overlay
from openceir.eir.counters import Counters
from openceir.eir.desk import Desk
from openceir.eir.errors import EirError
from openceir.eir.m3ua import Gateway, MapOptions, MapSide
from openceir.eir.records import RecordFile, read_records
from openceir.eir.sctp import MessageTransport, connect_sctp, sctp_stream
from openceir.wire.m3ua import AspLimits
from wire import an_msc as msc

from .conftest import ALICE, ALICES_PHONE, BLOCKED, PERMITTED, TRACKED, pairs
from .running import LONGEST_S

UP, UP_ACK, ACTIVE, ACTIVE_ACK, DATA = 0x0301, 0x0304, 0x0401, 0x0403, 0x0101
DOWN, DOWN_ACK = 0x0302, 0x0305


class AtTheGateway:
    """One connection of an ASP, seen from the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *octets: bytes) -> None:
        self.writer.write(b"".join(octets))

    async def read(self) -> tuple[int, dict[int, bytes]]:
        head = await asyncio.wait_for(self.reader.readexactly(8), LONGEST_S)
        body = await self.reader.readexactly(int.from_bytes(head[4:8], "big") - 8)
        [message] = msc.read_m3ua(head + body)
        return message

    async def bring_up(self) -> None:
        assert (await self.read())[0] == UP
        self.send(msc.m3ua(UP_ACK))
        assert (await self.read())[0] == ACTIVE
        self.send(msc.m3ua(ACTIVE_ACK))

    async def ask(self, user: bytes, **how) -> bytes:
        """The SCCP datagram that answers."""
        self.send(msc.data(user, **how))
        kind, parameters = await self.read()
        assert kind == DATA
        return parameters[0x0210][12:]

    async def outcome(self, tcap: bytes) -> object:
        """Equipment status, error code or what else the End says, as pycrate reads it."""
        called, calling, answer = msc.read_udt(await self.ask(msc.udt(tcap)))
        assert (called, calling) == (msc.MSC_GT, msc.EIR_GT)
        kind, said = msc.decode(answer)
        assert kind == "end"
        [(_, (form, component))] = said["components"]
        return component["result"]["result"][1] if form == "returnResult" else component.get("errcode")


class Running(MapSide):
    said: list[tuple[str, dict[str, object]]]


@asynccontextmanager
async def running(
    decider: Decider, *gateways: Gateway, records: RecordFile | None = None, **options
) -> AsyncIterator[Running]:
    said: list[tuple[str, dict[str, object]]] = []
    desk = Desk(
        decider, Counters("map", "m3ua_error"), lambda event, **facts: said.append((event, facts)), records=records
    )
    side = Running(MapOptions(gateways=gateways, first_pause_s=0.01, longest_pause_s=0.05, **options), desk)
    side.said = said
    side.start()
    try:
        yield side
    finally:
        for link in list(side.links):
            link.transport.abort()
        await side.close()


@asynccontextmanager
async def gateway(port: int = 0) -> AsyncIterator[tuple[int, "asyncio.Queue[AtTheGateway]"]]:
    came: asyncio.Queue[AtTheGateway] = asyncio.Queue()
    opened = []

    async def take(reader, writer):
        opened.append(writer)
        await came.put(AtTheGateway(reader, writer))

    server = await asyncio.start_server(take, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1], came
    finally:
        server.close()
        for writer in opened:
            writer.transport.abort()
        await server.wait_closed()


def decider_of(made, **parts) -> Decider:
    devices = {ALICES_PHONE: BLOCKED, ALICES_PHONE + 1: TRACKED, ALICES_PHONE + 2: PERMITTED}
    return Decider(made(devices=devices, **parts), Overlay(), DecisionPolicy())


def asked(version: int, number: int = 1) -> bytes:
    return msc.question(version, f"0010010000000{number}0")


def test_all_three_versions_are_answered_from_the_list(made):
    async def story() -> None:
        async with gateway() as (port, came), running(decider_of(made), Gateway(host="127.0.0.1", port=port)) as side:
            stp = await came.get()
            await stp.bring_up()
            for version in (1, 2, 3):
                for number, status in ((1, "blackListed"), (2, "greyListed"), (3, "whiteListed")):
                    said = await stp.outcome(asked(version, number))
                    assert said == ({"equipmentStatus": status} if version == 3 else status)
                assert await stp.outcome(asked(version, 9)) == ("local", 7)
                malformed = msc.question(version, "0010010000000b0")
                assert await stp.outcome(malformed) == ("local", 36)
            outcomes = side.desk.counters.of_outcomes()
            assert outcomes == {"blocked": 3, "tracked": 3, "permitted": 3, "unknown": 3, "malformed": 3}
            assert side.active == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("policy", "unknown", "malformed"),
    [
        (InterfacePolicy(), ("local", 7), ("local", 36)),
        (InterfacePolicy(unknown="permitted", malformed="unknown"), "whiteListed", ("local", 7)),
        (InterfacePolicy(unknown="blocked", malformed="tracked"), "blackListed", "greyListed"),
    ],
)
def test_what_no_list_knows_is_answered_as_the_operator_chose(made, policy, unknown, malformed):
    async def story() -> None:
        async with (
            gateway() as (port, came),
            running(decider_of(made), Gateway(host="127.0.0.1", port=port), policy=policy),
        ):
            stp = await came.get()
            await stp.bring_up()
            assert await stp.outcome(asked(2, 9)) == unknown
            assert await stp.outcome(msc.question(2, "0010010000000b0")) == malformed

    asyncio.run(story())


def test_a_failure_of_ours_lets_the_device_pass_and_is_an_alarm(made):
    async def story() -> None:
        async with gateway() as (port, came), running(decider_of(made), Gateway(host="127.0.0.1", port=port)) as side:
            stp = await came.get()
            await stp.bring_up()

            def fails(*_: int) -> int:
                raise MemoryError

            side.desk._decide = fails
            assert [await stp.outcome(asked(2)) for _ in range(3)] == ["whiteListed"] * 3
            assert side.desk.counters.failures == 3
            assert [facts["count"] for event, facts in side.said if event == "alarm"] == [1, 2]

    asyncio.run(story())


def test_the_imsi_that_a_maker_adds_reaches_the_pairs_and_the_records(made, tmp_path):
    from openceir.wire.ber import write_element

    decider = decider_of(made, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    whole = asked(2)
    imsi = write_element(0x80, msc.tbcd("001010000000001"))
    at = whole.index(b"\x04\x08")
    with_imsi = bytearray(whole[:at] + b"\x30" + bytes([10 + len(imsi)]) + whole[at:] + imsi)
    for place in (1, whole.index(b"\x6c") + 1, whole.index(b"\xa1\x10") + 1):
        with_imsi[place] += 2 + len(imsi)

    async def story() -> None:
        records = RecordFile(tmp_path / "records")
        async with (
            gateway() as (port, came),
            running(decider, Gateway(host="127.0.0.1", port=port), imsi_tag=0x80, records=records),
        ):
            stp = await came.get()
            await stp.bring_up()
            assert await stp.outcome(whole) == "blackListed"
            assert await stp.outcome(bytes(with_imsi)) == "whiteListed"
        records.close()

    asyncio.run(story())
    first, second = read_records(tmp_path / "records")
    assert (first.device, first.imsi, first.decision.status.name) == (ALICES_PHONE, 0, "BLOCKED")
    assert (second.device, second.imsi, second.decision.black_but_allowed) == (ALICES_PHONE, ALICE, True)
    assert first.origin == second.origin > 0


def test_what_is_not_for_us_goes_back_or_nowhere_and_the_link_lives(made):
    async def story() -> None:
        async with gateway() as (port, came), running(decider_of(made), Gateway(host="127.0.0.1", port=port)) as side:
            stp = await came.get()
            await stp.bring_up()
            to_hlr = msc.EIR_GT[:1] + b"\x06" + msc.EIR_GT[2:]
            returned = await stp.ask(msc.udt(asked(2), called=to_hlr))
            assert returned[:2] == b"\x0a\x04"  # UDTS, unequipped user
            assert msc.read_udt(returned)[2] == asked(2)
            part = await stp.ask(msc.xudt(asked(2), bytes.fromhex("100481aabbcc00")))
            assert part[:2] == b"\x0a\x0d"  # segmentation not supported
            management = await stp.ask(
                msc.udt(bytes.fromhex("0309020000"), called=bytes.fromhex("4201"), protocol_class=0)
            )
            assert msc.read_udt(management)[2] == bytes.fromhex("0109020000")
            silent = [
                msc.udt(asked(2), called=to_hlr, protocol_class=0),  # did not wish to have it back
                b"\x09\x00",
                msc.udt(b"\x62\x00"),
                msc.udt(msc.encode(("end", {"dtid": msc.OTID}))),
            ]
            stp.send(*(msc.data(user) for user in silent))
            aborted = msc.read_udt(await stp.ask(msc.udt(b"\x62\x08\x48\x04" + msc.OTID + b"\x6c\x7f")))[2]
            assert msc.decode(aborted) == ("abort", {"dtid": msc.OTID, "reason": ("p-abortCause", 2)})
            assert await stp.outcome(asked(2)) == "blackListed"
            links = side.desk.counters.links
            assert (links["sccp_returned"], links["sccp_dropped"], links["tcap_dropped"], links["tcap_aborted"]) == (
                3,
                1,
                1,
                1,
            )

    asyncio.run(story())


def test_a_lost_gateway_is_come_back_to_and_the_other_serves_on(made):
    async def story() -> None:
        async with gateway() as (port, came), gateway() as (other_port, other_came):
            ways = [Gateway(host="127.0.0.1", port=each) for each in (port, other_port)]
            async with running(decider_of(made), *ways) as side:
                first, other = await came.get(), await other_came.get()
                await first.bring_up()
                await other.bring_up()
                assert await first.outcome(asked(2)) == "blackListed"
                first.send(b"\2garbage of another version")
                again = await came.get()
                assert await other.outcome(asked(2)) == "blackListed"
                await again.bring_up()
                assert await again.outcome(asked(2)) == "blackListed"
                lost = [facts["gateway"] for event, facts in side.said if event == "gateway lost"]
                assert lost == [f"127.0.0.1:{port}"]

    asyncio.run(story())


def test_a_gateway_that_is_away_at_the_start_is_logged_once_and_found_when_it_comes(made):
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        async with running(decider_of(made), Gateway(host="127.0.0.1", port=port)) as side:
            while side.desk.counters.links["unreachable"] < 3:
                await asyncio.sleep(0.005)
            async with gateway(port) as (_, came):
                await (await came.get()).bring_up()
                assert [event for event, _ in side.said].count("gateway unreachable") == 1

    asyncio.run(story())


def test_it_leaves_in_order(made):
    async def story() -> None:
        async with gateway() as (port, came):
            desk = Desk(decider_of(made), Counters("map", "m3ua_error"), lambda event, **facts: None)
            side = MapSide(MapOptions(gateways=(Gateway(host="127.0.0.1", port=port),)), desk)
            side.start()
            stp = await came.get()
            await stp.bring_up()
            assert await stp.outcome(asked(2)) == "blackListed"
            leaving = asyncio.create_task(side.close())
            assert (await stp.read())[0] == 0x0402  # ASP Inactive
            assert (await stp.read())[0] == DOWN
            stp.send(msc.m3ua(DOWN_ACK))
            await asyncio.wait_for(leaving, LONGEST_S)
            assert await stp.reader.read() == b""

    asyncio.run(story())


def test_no_octet_of_a_datagram_ends_the_link_that_carries_all_others(made):
    """Each octet of a question in turn, with values that mean something to a decoder: the link lives, the next is answered."""

    async def story() -> None:
        async with gateway() as (port, came), running(decider_of(made), Gateway(host="127.0.0.1", port=port)) as side:
            stp = await came.get()
            await stp.bring_up()
            whole = msc.udt(asked(3))
            for at in range(len(whole)):
                spoilt = (whole[:at] + bytes([octet]) + whole[at + 1 :] for octet in (0, 1, 9, 0x30, 0x7F, 0x80, 0xFF))
                stp.send(*(msc.data(each) for each in (*spoilt, whole[:at])))
            stp.send(msc.data(whole, sls=15))
            while (await stp.read())[1][0x0210][11] != 15:
                pass
            assert side.desk.counters.failures == 0
            assert side.active == 1

    asyncio.run(story())


def test_a_gateway_that_is_silent_and_takes_nothing_is_given_up_and_come_back_to(made):
    async def story() -> None:
        limits = AspLimits(beat_s=0.3)
        async with (
            gateway() as (port, came),
            running(decider_of(made), Gateway(host="127.0.0.1", port=port), limits=limits),
        ):
            stp = await came.get()
            await stp.bring_up()
            await came.get()  # it never answered our beat, so we come again

    asyncio.run(story())


# ------------------------------------------------------------------------------------------------ sockets that keep borders


def test_sctp_is_said_to_be_missing_in_one_sentence_where_it_is():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError:
        with pytest.raises(EirError, match="kernel has no SCTP"):
            asyncio.run(connect_sctp("127.0.0.1", 2905))
    else:
        pytest.skip("this kernel has SCTP: there is nothing missing to be said")


def test_a_stream_is_named_as_the_kernel_wants_it():
    """struct sctp_sndrcvinfo of linux/sctp.h has 32 octets; the stream stands first, the PPID in network order at 8."""
    level, name, octets = sctp_stream(1, 3)
    assert (level, name, len(octets)) == (132, 1, 32)
    assert octets[:2] == (1).to_bytes(2, sys.byteorder)
    assert octets[8:12] == b"\0\0\0\3"


class Collects(asyncio.Protocol):
    def __init__(self) -> None:
        self.got, self.stops, self.ended = [], [], asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.got.append(data)

    def pause_writing(self) -> None:
        self.stops.append("pause")

    def resume_writing(self) -> None:
        self.stops.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


def test_each_write_stays_a_message_of_its_own_however_full_the_socket():
    """SOCK_SEQPACKET of the local family keeps borders as SCTP does, and fills up as it does."""

    async def story() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        protocol = Collects()
        transport = MessageTransport(ours, protocol)
        messages = [b"%05d" % number * 200 for number in range(2000)]
        for message in messages:
            transport.write(message)
        assert protocol.stops == ["pause"]
        theirs.setblocking(False)
        loop = asyncio.get_running_loop()
        got = [await loop.sock_recv(theirs, 65536) for _ in messages]
        assert got == messages
        await loop.sock_sendall(theirs, b"one")
        await loop.sock_sendall(theirs, b"two")
        while len(protocol.got) < 2:
            await asyncio.sleep(0)
        assert (protocol.got, protocol.stops) == ([b"one", b"two"], ["pause", "resume"])
        transport.write(b"last")
        transport.close()
        await asyncio.wait_for(protocol.ended.wait(), LONGEST_S)
        assert await loop.sock_recv(theirs, 65536) == b"last"
        assert await loop.sock_recv(theirs, 65536) == b""
        theirs.close()

    asyncio.run(story())


def test_who_does_not_read_is_not_read_from():
    async def story() -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        protocol = Collects()
        transport = MessageTransport(ours, protocol)
        transport.pause_reading()
        theirs.send(b"waits")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert protocol.got == []
        transport.resume_reading()
        while not protocol.got:
            await asyncio.sleep(0)
        theirs.close()
        await asyncio.wait_for(protocol.ended.wait(), LONGEST_S)

    asyncio.run(story())
