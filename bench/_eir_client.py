"""A load generator for S13: so many questions on one connection, so many of them out at once."""

import random
import socket
import struct
import threading
import time

HOST, REALM = "eir.example", "example"
OTHER_HOST = "mme.example"
S13, TGPP = 16777252, 10415


def avp(code: int, data: bytes | int, vendor: int = 0, flags: int = 0x40) -> bytes:
    data = struct.pack(">I", data) if isinstance(data, int) else data
    head = struct.pack(">I", vendor) if vendor else b""
    flags |= 0x80 if vendor else 0
    return struct.pack(">II", code, flags << 24 | 8 + len(head) + len(data)) + head + data + bytes(-len(data) % 4)


def message(flags: int, command: int, application: int, ids: int, *avps: bytes) -> bytes:
    body = b"".join(avps)
    return struct.pack(">IIIQ", 1 << 24 | 20 + len(body), flags << 24 | command, application, ids) + body


def capabilities() -> bytes:
    return message(
        0x80, 257, 0, 1, avp(264, OTHER_HOST.encode()), avp(296, REALM.encode()), avp(257, b"\0\1\x7f\0\0\1"),
        avp(266, TGPP), avp(269, b"bench", flags=0), avp(265, TGPP), avp(260, avp(266, TGPP) + avp(258, S13)),
    )  # fmt: skip


def question(number: int, device: int, imsi: int) -> bytes:
    """One ECR of the usual shape: 248 octets in the reference measurements, about the same here."""
    terminal = avp(1402, b"%014d" % device, TGPP) + avp(1403, b"05", TGPP)
    return message(
        0xC0, 324, S13, number, avp(263, b"mme.example;1712345678;%010d" % number),
        avp(260, avp(266, TGPP) + avp(258, S13)), avp(277, 1), avp(264, OTHER_HOST.encode()), avp(296, REALM.encode()),
        avp(283, REALM.encode()), avp(1401, terminal, TGPP), avp(1, b"%015d" % imsi),
    )  # fmt: skip


def connect(port: int, *, introduce: bool = True) -> socket.socket:
    for _ in range(200):
        try:
            link = socket.create_connection(("127.0.0.1", port), 30)
            break
        except OSError:
            time.sleep(0.05)
    else:
        raise SystemExit(f"nothing listens on port {port}")
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if introduce:
        link.sendall(capabilities())
        answer = link.recv(65536)
        if struct.pack(">II", 268, 0x4000000C) + struct.pack(">I", 2001) not in answer:
            raise SystemExit("the server did not take our CER")
    return link


def drive(link: socket.socket, questions: list[bytes], window: int) -> list[float]:
    """Ask all of them, `window` out at once; how long each answer took, in seconds.

    Messages come back in the order in which they were sent, as our own server and an echo give them.
    """
    sent, answered, waits, rest = 0, 0, [], b""
    began: list[float] = []
    now = time.perf_counter
    link.sendall(b"".join(questions[:window]))
    sent = min(window, len(questions))
    began += [now()] * sent
    while answered < len(questions):
        octets = rest + link.recv(262144)
        at, size, came, count = 0, len(octets), now(), 0
        while size - at >= 4:
            length = int.from_bytes(octets[at + 1 : at + 4], "big")
            if size - at < length:
                break
            at += length
            count += 1
        rest = octets[at:]
        waits += [came - began[answered + n] for n in range(count)]
        answered += count
        if count and sent < len(questions):
            link.sendall(b"".join(questions[sent : sent + count]))
            began += [now()] * len(questions[sent : sent + count])
            sent = min(sent + count, len(questions))
    return waits


def pour(link: socket.socket, asked: list[bytes], per_second: int) -> list[float]:
    """Ask at a steady rate whatever the answers do (an open loop); how long each answer took since it was due."""
    due = [number / per_second for number in range(len(asked))]
    waits: list[float] = []
    began = time.perf_counter()

    def listen() -> None:
        rest = b""
        while len(waits) < len(asked):
            octets = rest + link.recv(262144)
            came, at = time.perf_counter() - began, 0
            while len(octets) - at >= 4 and len(octets) - at >= (
                length := int.from_bytes(octets[at + 1 : at + 4], "big")
            ):
                waits.append(came - due[len(waits)])
                at += length
            rest = octets[at:]

    listener = threading.Thread(target=listen)
    listener.start()
    sent = 0
    while sent < len(asked):
        now = time.perf_counter() - began
        ripe = min(len(asked), int(now * per_second) + 1)
        if ripe > sent:
            link.sendall(b"".join(asked[sent:ripe]))
            sent = ripe
        time.sleep(0.001)
    listener.join(60)
    return waits


def questions(devices: list[int], count: int, seed: int = 5) -> list[bytes]:
    chosen = random.Random(seed).choices(devices, k=count)
    return [question(number, device, 1_010_000_000_000 + number) for number, device in enumerate(chosen)]
