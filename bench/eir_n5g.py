"""The operators' counter for 5G cores: N5g-eir over HTTP/2 beside the bare server, with h2load asking."""

import contextlib
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench import Beside, Row, Scale, meter, read_apart
from bench._meter import _tree
from bench.eir import KEY, asked_of, write
from openceir import clock

PATH = "/n5g-eir-eic/v1/equipment-status"


def measure(work: Path, scale: Scale) -> list[Row]:
    """CPU a question: many at once, one at a time, and with an access token; then what a further process costs."""
    if shutil.which("h2load") is None:
        raise RuntimeError("h2load is not installed; scripts/install-peers.sh does it (nghttp2-client)")
    count = scale.month
    path = work / f"eir-{count}.idx"
    if not path.exists():
        read_apart(write, path, count)
    many = 60_000 if scale.name == "small" else 300_000
    port = 20_000 + random.SystemRandom().randrange(20_000)
    asked = work / "n5g-questions.txt"
    asked.write_text("".join(f"http://127.0.0.1:{port}{PATH}?pei=imei-{device:014}0&supi=imsi-{n:015}\n"
                             for n, device in enumerate(read_apart(asked_of, path, 4000)[0], 1_010_000_000_000)))  # fmt: skip
    hello = ["-m", "bench._eir_n5g_hello", str(port)]
    ours = ["-c", "from openceir.cli import main; main()", "--home", str(work / "eir-home"), "eir", "serve",
            "--list", str(path), "--trust", KEY.public.format(), "--host", "eir.bench", "--realm", "bench", "--port", "0",
            "--pages", "off", "--n5g", f"127.0.0.1:{port}"]  # fmt: skip
    key, token = a_token(work)
    rows = []
    for name, shape, length, target, options, headers in (
        ("32 out at once on each of 8 connections", ("8", "32"), many, "<= 25", [], []),
        ("one at a time", ("1", "1"), many // 6, "", [], []),
        ("the first again, with an access token", ("8", "32"), many, "", ["--n5g-token-key", str(key)], [f"authorization: Bearer {token}"]),
    ):  # fmt: skip
        bare, _ = cost(hello, port, asked, shape, length, [])
        measured, note = cost([*ours, *options], port, asked, shape, length, headers)
        rows.append(
            Row(name=f"N5g-eir check, {name}, {count // 1_000_000} M devices loaded", target=target, unit="µs CPU",
                measured=measured, cpu_seconds=measured * length / 1e6, note=note,
                beside=(Beside(what="granian RSGI, one fixed answer", measured=bare),))
        )  # fmt: skip
    return [*rows, of_a_further_process(ours, port)]


@contextmanager
def server(command: list[str], port: int) -> Iterator[int]:
    """A server process that answers; its id."""
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        by = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if time.monotonic() > by or process.poll() is not None:
                    raise RuntimeError(f"no server came up on port {port}") from None
                time.sleep(0.05)
        time.sleep(1)  # a listening socket may be older than the process that accepts
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def cost(
    command: list[str], port: int, asked: Path, shape: tuple[str, str], many: int, headers: list[str]
) -> tuple[float, str]:
    """CPU microseconds a question of the server and all its processes, the least of three runs; and what h2load saw."""
    connections, streams = shape
    load = [
        "h2load",
        "-c",
        connections,
        "-m",
        streams,
        "-i",
        str(asked),
        *(part for each in headers for part in ("-H", each)),
    ]
    taken = []
    with server(command, port) as pid:
        subprocess.run([*load, "-n", str(many // 10)], capture_output=True, check=True)
        for _ in range(3):  # the least of three: what others do on the machine only adds
            with meter(pid) as reading:
                said = subprocess.run([*load, "-n", str(many)], capture_output=True, check=True, text=True).stdout
            if "0 errored, 0 timeout" not in said:
                raise RuntimeError(f"h2load lost questions:\n{said}")
            mean = re.search(r"time for request: +\S+ +\S+ +(\S+)", said)
            note = f"{many / reading.wall_seconds:,.0f}/s with h2load on the same machine; mean wait {mean[1] if mean else '?'}"
            taken.append((reading.cpu_seconds / many * 1e6, note))
    return min(taken)


def of_a_further_process(command: list[str], port: int) -> Row:
    """Memory that only this process has: three processes beside two, list and code shared."""
    private = []
    for processes in (2, 3):
        told = ["--pages", f"127.0.0.1:{port + 1}", "--n5g-processes", str(processes)]
        with server([*command, *told], port + 1) as pid:
            until_ready(port + 1)
            private.append(sum(_proportional_kb(each) for each in _tree(pid)) / 1024)
    return Row(name="a further process that answers 5G cores, list loaded", target="<= 40", unit="MB",
               measured=private[1] - private[0], cpu_seconds=0.0,
               note="growth of the proportional set size of the whole process tree, three processes beside two")  # fmt: skip


def until_ready(port: int) -> None:
    """Wait until every process of the EIR says that it answers."""
    by = time.monotonic() + 60
    while time.monotonic() < by:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
            return
        time.sleep(0.1)
    raise RuntimeError("the EIR's processes did not all come up")


def _proportional_kb(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("Pss:")))


def a_token(work: Path) -> tuple[Path, str]:
    """An NRF's public key, and a token of it for the next hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = work / "n5g-nrf.pem"
    pem.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    claims = {
        "iss": "nrf",
        "sub": "amf",
        "aud": "5G_EIR",
        "scope": "n5g-eir-eic",
        "exp": int(clock.now().timestamp()) + 3600,
    }
    parts = [urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ({"alg": "ES256"}, claims)]
    r, s = decode_dss_signature(key.sign(".".join(parts).encode(), ec.ECDSA(SHA256())))
    signature = urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()
    return pem, ".".join([*parts, signature])
