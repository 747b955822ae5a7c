"""A small NRF on a free port: HTTP/2 by `h2`, the management service of TS 29.510, and a mood that a test sets."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded

_INSTANCE = re.compile(r"/nnrf-nfm/v1/nf-instances/([0-9a-f-]{36})")


class Nrf:
    """What it knows, and what it was asked: (method, status) in order."""

    def __init__(self, heartbeat_s: object = 7) -> None:
        self.profiles: dict[UUID, dict[str, Any]] = {}
        self.asked: list[tuple[str, int]] = []
        self.heartbeat_s = heartbeat_s
        self.failing = 0  # so many requests are answered 503
        self.port = 0

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any] | None]:
        if self.failing:
            self.failing -= 1
            return 503, None
        found = _INSTANCE.fullmatch(path)
        if found is None:
            return 404, None
        instance = UUID(found[1])
        if method == "PUT":
            assert headers["content-type"] == "application/json"
            profile = json.loads(body)
            check_profile(profile, instance)
            is_new = instance not in self.profiles
            self.profiles[instance] = profile
            return (201 if is_new else 200), profile | {"heartBeatTimer": self.heartbeat_s}
        if instance not in self.profiles:
            return 404, {"title": "unknown NF", "status": 404}
        if method == "PATCH":
            assert headers["content-type"] == "application/json-patch+json"
            assert json.loads(body) == [{"op": "replace", "path": "/nfStatus", "value": "REGISTERED"}]
            return 204, None
        assert method == "DELETE"
        del self.profiles[instance]
        return 204, None


def check_profile(profile: dict[str, Any], instance: UUID) -> None:
    """What TS 29.510 §6.1.6.2.2 and §6.1.6.2.3 require of an NFProfile and its NFServices."""
    assert UUID(profile["nfInstanceId"]) == instance
    assert profile["nfType"] == "5G_EIR"
    assert profile["nfStatus"] == "REGISTERED"
    assert any(profile.get(name) for name in ("fqdn", "ipv4Addresses", "ipv6Addresses"))
    assert all(plmn.keys() == {"mcc", "mnc"} for plmn in profile.get("plmnList", []))
    ids = set()
    for service in profile["nfServices"]:
        ids.add(service["serviceInstanceId"])
        assert service["serviceName"] == "n5g-eir-eic"
        assert service["versions"][0]["apiVersionInUri"] == "v1"
        assert re.fullmatch(r"1\.\d+\.\d+", service["versions"][0]["apiFullVersion"])
        assert service["scheme"] in {"http", "https"}
        assert service["nfServiceStatus"] == "REGISTERED"
        for point in service["ipEndPoints"]:
            assert point.keys() <= {"ipv4Address", "ipv6Address", "transport", "port"}
            assert not {"ipv4Address", "ipv6Address"} <= point.keys()
            assert 0 < point["port"] < 65536
    assert len(ids) == len(profile["nfServices"]) > 0


@asynccontextmanager
async def an_nrf(heartbeat_s: object = 7):
    nrf, connections = Nrf(heartbeat_s), set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.initiate_connection()
        requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        while octets := await reader.read(65536):
            for event in h2.receive_data(octets):
                if isinstance(event, RequestReceived):
                    requests[event.stream_id] = (dict(event.headers), bytearray())
                elif isinstance(event, DataReceived):
                    requests[event.stream_id][1].extend(event.data)
                elif isinstance(event, StreamEnded):
                    headers, body = requests.pop(event.stream_id)
                    status, document = nrf.answer(headers[":method"], headers[":path"], headers, bytes(body))
                    nrf.asked.append((headers[":method"], status))
                    said = json.dumps(document).encode() if document is not None else b""
                    head = [(":status", str(status)), ("content-length", str(len(said)))]
                    h2.send_headers(event.stream_id, head, end_stream=not said)
                    if said:
                        h2.send_data(event.stream_id, said, end_stream=True)
                elif isinstance(event, ConnectionTerminated):
                    writer.close()
                    return
            writer.write(h2.data_to_send())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    nrf.port = server.sockets[0].getsockname()[1]
    try:
        yield nrf
    finally:
        server.close()
        for writer in connections:
            writer.close()
        await server.wait_closed()
