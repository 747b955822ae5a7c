"""An EIR on a free port within a test, and a client that speaks octets."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from openceir.eir import Decider, DecisionPolicy, InterfacePolicy, Overlay
from openceir.eir.counters import Counters
from openceir.eir.diameter import DiameterServer, ServerOptions
from openceir.wire.diameter.message import Identity
from wire import an_mme as mme

LONGEST_S = 60  # that a busy machine may take; only a test that fails waits so long
US = Identity(mme.EIR, mme.EIR_REALM, origin_state_id=7)


class Running(DiameterServer):
    """The server with what a test wants to know of it."""

    port: int
    said: list[tuple[str, dict[str, object]]]
    clients: "list[Client]"

    async def client(self, **how) -> "Client":
        """A new connection to this server, closed when the test ends."""
        self.clients.append(await Client.connect(self.port, **how))
        return self.clients[-1]


@asynccontextmanager
async def running(
    index, *, tls: ssl.SSLContext | None = None, policy: InterfacePolicy | None = None, **options
) -> AsyncIterator[Running]:
    said: list[tuple[str, dict[str, object]]] = []
    server = Running(
        ServerOptions(identity=US, policy=policy or InterfacePolicy(), **options),
        Decider(index, Overlay(), DecisionPolicy()),
        Counters(),
        lambda event, **facts: said.append((event, facts)),
    )
    server.said, server.clients = said, []
    server.port = await server.listen_tcp("127.0.0.1", 0, tls)
    try:
        yield server
    finally:
        for link in list(server.links):
            link.transport.abort()
        await server.drain()
        for client in server.clients:
            await client.close()


class Client:
    """One connection that sends octets and reads whole messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(
        cls, port: int, *, host: str = mme.HOST, tls: ssl.SSLContext | None = None, introduce: bool = True
    ) -> "Client":
        client = cls(
            *await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="eir.example" if tls else None)
        )
        try:
            if introduce:
                client.send(mme.cer(host=host))
                answer = await client.read()
                assert mme.number(answer[4], 268) == 2001
        except BaseException:  # a connection left open here is found, and blamed, in whichever test runs next
            await client.close()
            raise
        return client

    def send(self, octets: bytes) -> None:
        self.writer.write(octets)

    async def read(self):
        head = await asyncio.wait_for(self.reader.readexactly(20), LONGEST_S)
        body = await self.reader.readexactly(int.from_bytes(head[1:4], "big") - 20)
        [message] = mme.read(head + body)
        return message

    async def ask(self, **of_ecr) -> int | None:
        """The Equipment-Status of the answer; None when it has none."""
        self.send(mme.ecr(**of_ecr))
        return mme.number((await self.read())[4], 1445, mme.TGPP)

    async def at_end(self) -> bool:
        """Whether the other side closed, having said nothing more."""
        try:
            return await asyncio.wait_for(self.reader.read(1), LONGEST_S) == b""
        except ConnectionError:
            return True

    async def close(self) -> None:
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()
