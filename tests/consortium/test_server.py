"""The sockets: four connections, answers in order, and no octets that end the serving."""

import asyncio

import pytest

from openceir.consortium import NodeRefused
from openceir.consortium.server import MOST_CONNECTIONS, AbciServer
from openceir.wire.abci import Request, Response, Responses, write_message


class Echo:
    """Answers as it is asked; at "fail" it must not go on, at "break" it has a fault."""

    def handle(self, request):
        said = request.echo.message
        if said == "fail":
            raise NodeRefused("the book contradicts itself")
        if said == "break":
            raise ZeroDivisionError
        response = Response()
        response.echo.message = said
        return response


def echo(text):
    asked = Request()
    asked.echo.message = text
    return write_message(asked)


async def read(reader, count):
    responses, found = Responses(), []
    while len(found) < count:
        octets = await asyncio.wait_for(reader.read(1 << 16), 30)
        assert octets, "the connection was closed"
        found += responses.receive(octets)
    return found


async def connect(address):
    scheme, _, place = address.partition("://")
    if scheme == "unix":
        return await asyncio.open_unix_connection(place)
    host, _, port = place.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def closed(*writers):
    for writer in writers:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("scheme", ["unix", "tcp"])
def test_four_connections_are_answered_in_order(tmp_path, scheme):
    async def run():
        server = AbciServer(Echo())
        async with server.listening(f"unix://{tmp_path / 's'}" if scheme == "unix" else "tcp://127.0.0.1:0") as address:
            links = [await connect(address) for _ in range(4)]
            for at, (_, writer) in enumerate(links):
                writer.write(b"".join(echo(f"{at}.{number}") for number in range(500)))
            for at, (reader, _) in enumerate(links):
                answers = await read(reader, 500)
                assert [one.echo.message for one in answers] == [f"{at}.{number}" for number in range(500)]
            await closed(*(writer for _, writer in links))

    asyncio.run(run())


def test_a_socket_in_the_file_system_is_its_owners_alone(tmp_path):
    async def run():
        async with AbciServer(Echo()).listening(f"unix://{tmp_path / 's'}"):
            assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "s").exists()

    asyncio.run(run())


@pytest.mark.parametrize("octets", [b"\xff" * 100, b"\x02\x0a\x7f", b"\xff\xff\xff\xff\x0f" + bytes(100)])
def test_octets_that_are_no_abci_close_that_connection_only(octets):
    async def run():
        server = AbciServer(Echo())
        async with server.listening("tcp://127.0.0.1:0") as address:
            good, bad = await connect(address), await connect(address)
            bad[1].write(octets)
            assert await asyncio.wait_for(bad[0].read(), 30) == b""
            good[1].write(echo("still here"))
            [answer] = await read(good[0], 1)
            assert answer.echo.message == "still here"
            assert not server.failed.done()
            await closed(good[1], bad[1])

    asyncio.run(run())


@pytest.mark.parametrize(("said", "sentence"), [("fail", "contradicts itself"), ("break", "ZeroDivisionError")])
def test_what_the_application_cannot_survive_is_told_to_the_engine_and_ends_the_serving(said, sentence):
    async def run():
        server = AbciServer(Echo())
        async with server.listening("tcp://127.0.0.1:0") as address:
            reader, writer = await connect(address)
            writer.write(echo(said))
            [answer] = await read(reader, 1)
            assert sentence in answer.exception.error
            assert sentence in str(await server.failed)
            await closed(writer)

    asyncio.run(run())


def test_an_engine_that_does_not_read_is_not_read_any_further():
    async def run():
        server = AbciServer(Echo())
        async with server.listening("tcp://127.0.0.1:0") as address:
            _, writer = await connect(address)
            one = echo("x" * 60_000)
            sent = 0
            while sent < 4000:  # 240 MB, which nobody would hold
                writer.write(one)
                try:
                    await asyncio.wait_for(writer.drain(), 0.5)
                except TimeoutError:
                    break
                sent += 1
            assert sent < 4000
            writer.transport.abort()

    asyncio.run(run())


def test_more_connections_than_an_engine_has_are_closed():
    async def run():
        async with AbciServer(Echo()).listening("tcp://127.0.0.1:0") as address:
            links = [await connect(address) for _ in range(MOST_CONNECTIONS)]
            links[-1][1].write(echo("the last"))
            await read(links[-1][0], 1)
            reader, writer = await connect(address)
            assert await asyncio.wait_for(reader.read(), 30) == b""
            await closed(writer, *(other for _, other in links))

    asyncio.run(run())
