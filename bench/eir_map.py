"""The operators' counter for 2G and 3G: MAP CheckIMEI dialogues over M3UA and GSUP checks, beside a plain TCP echo."""

import random
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench import Beside, Row, Scale, meter
from bench.eir import KEY, asked_of, server, write

_CALLED, _CALLING = bytes.fromhex("12090011041001010000"), bytes.fromhex("12080011041001010001")
_DIALOGUE = bytes.fromhex("6b1e281c060700118605010101a011600f80020780a109060704000001000d03")
Borders = Callable[[bytes, int], int]


def tbcd(digits: str) -> bytes:
    return bytes(int(digits[at + 1] + digits[at], 16) for at in range(0, len(digits), 2))


def dialogue(number: int, device: int) -> bytes:
    """One CheckIMEI of version 3 as a gateway brings it: 164 octets of M3UA, SCCP, TCAP and MAP."""
    imei = tbcd(f"{device:014d}0f")
    component = bytes.fromhex("6c18a11602010102012b300e0408") + imei + bytes.fromhex("03020680")
    inner = b"\x48\x04" + number.to_bytes(4, "big") + _DIALOGUE + component
    tcap = bytes([0x62, len(inner)]) + inner
    sccp = bytes([9, 0x80, 3, 13, 23, 10]) + _CALLED + b"\x0a" + _CALLING + bytes([len(tcap)]) + tcap
    label = bytes.fromhex("000000010000000203020000")
    carried = b"\x02\x10" + (16 + len(sccp)).to_bytes(2, "big") + label + sccp + bytes(-len(sccp) % 4)
    body = b"\x00\x06\x00\x08\x00\x00\x00\x07" + carried
    return bytes.fromhex("01000101") + (8 + len(body)).to_bytes(4, "big") + body


def check(number: int, device: int) -> bytes:
    """One Check-IMEI as osmo-msc asks it."""
    imsi = tbcd(f"0010100{number % 10**8:08d}f")
    message = b"\x30\x01\x08" + imsi + b"\x50\x08\x07" + tbcd(f"{device:014d}") + b"\x0a\x01\x01"
    return (len(message) + 1).to_bytes(2, "big") + b"\xee\x05" + message


def next_m3ua(octets: bytes, at: int) -> int:
    """Where the message at `at` ends; beyond the octets when that is not known yet."""
    return at + int.from_bytes(octets[at + 4 : at + 8], "big") if len(octets) - at >= 8 else len(octets) + 1


def next_ipa(octets: bytes, at: int) -> int:
    return at + 3 + int.from_bytes(octets[at : at + 2], "big") if len(octets) - at >= 3 else len(octets) + 1


def drive(link: socket.socket, asked: list[bytes], window: int, border: Borders) -> None:
    """Ask all of them, `window` out at once."""
    sent = min(window, len(asked))
    link.sendall(b"".join(asked[:sent]))
    answered, rest = 0, b""
    while answered < len(asked):
        octets = rest + link.recv(262144)
        at = count = 0
        while (end := border(octets, at)) <= len(octets):
            at, count = end, count + 1
        rest, answered = octets[at:], answered + count
        if count and sent < len(asked):
            link.sendall(b"".join(asked[sent : sent + count]))
            sent = min(sent + count, len(asked))


def cost(pid: int, link: socket.socket, asked: list[bytes], window: int, border: Borders) -> tuple[float, float]:
    """CPU microseconds of the server a question, and questions a second."""
    drive(link, asked[: max(window, len(asked) // 20)], window, border)
    with meter(pid) as reading:
        drive(link, asked, window, border)
    return reading.cpu_seconds / len(asked) * 1e6, len(asked) / reading.wall_seconds


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def connect(port: int) -> socket.socket:
    for _ in range(400):
        try:
            link = socket.create_connection(("127.0.0.1", port), 60)
        except OSError:
            time.sleep(0.05)
            continue
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link
    raise SystemExit(f"nothing listens on port {port}")


def bring_up(gateway: socket.socket) -> socket.socket:
    """Take the link of our EIR as its gateway."""
    gateway.settimeout(60)
    link, _ = gateway.accept()
    link.settimeout(60)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for acknowledged in (0x0304, 0x0403):
        link.recv(4096)
        link.sendall(b"\x01\x00" + acknowledged.to_bytes(2, "big") + b"\x00\x00\x00\x08")
    return link


def measure(work: Path, scale: Scale) -> list[Row]:
    """One process serves both; the list is that of bench/eir.py at its smaller size."""
    listed, many = 1_000_000, 100_000 if scale.name == "full" else 20_000
    path = work / f"eir-{listed}.idx"
    if not path.exists():
        write(path, listed)
    made = random.Random(5)
    devices = made.choices(asked_of(path, 200_000), k=many)
    kinds = (
        ("MAP CheckIMEI v3 dialogue", [dialogue(*each) for each in enumerate(devices)], next_m3ua, "<= 60"),
        ("GSUP Check-IMEI", [check(*each) for each in enumerate(devices)], next_ipa, ""),
    )
    rows = []
    with socket.create_server(("127.0.0.1", 0)) as gateway, socket.create_server(("127.0.0.1", 0)) as hlr:
        port, echo_port, gsup_port = free_port(), free_port(), free_port()
        command = [
            "-m", "openceir", "--home", str(work / "eir-home"), "eir", "serve", "--list", str(path), "--trust", KEY.public.format(),
            "--host", "eir.example", "--realm", "example", "--port", str(port), "--pages", "off",
            "--m3ua", f"127.0.0.1:{gateway.getsockname()[1]}", "--m3ua-routing-context", "7",
            "--gsup", f"127.0.0.1:{gsup_port}", "--hlr", f"127.0.0.1:{hlr.getsockname()[1]}",
        ]  # fmt: skip
        with server(*command) as pid, server("-m", "bench._eir_servers", "echo", str(echo_port)) as echo:
            links = (bring_up(gateway), connect(gsup_port))
            behind, _ = hlr.accept()
            for (name, asked, border, target), link in zip(kinds, links, strict=True):
                for window in (64, 1):
                    some = asked if window > 1 else asked[: many // 2]
                    with connect(echo_port) as beside:
                        echoed, _ = cost(echo, beside, some, window, border)
                    measured, rate = cost(pid, link, some, window, border)
                    rows.append(
                        Row(
                            name=f"{name}, {listed:,} blocked, window {window}", target=target, unit="µs CPU each",
                            measured=measured, cpu_seconds=measured * len(some) / 1e6,
                            beside=(Beside(what="TCP echo (uvloop)", measured=echoed),),
                            note=f"{rate:,.0f}/s on one link, with a Python load generator on the other core",
                        )
                    )  # fmt: skip
            for link in (*links, behind):
                link.close()
    return rows


if __name__ == "__main__":
    from bench import SCALES

    for row in measure(Path("bench-work"), SCALES[sys.argv[1] if len(sys.argv) > 1 else "small"]):
        print(f"{row.name}: {row.measured:.1f} {row.unit}, echo {row.beside[0].measured:.1f}; {row.note}")
