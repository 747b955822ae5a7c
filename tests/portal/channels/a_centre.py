"""Message centres as processes, and `openceir sms serve` bound to one of them."""

import json
import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PEERS = Path(__file__).parent / "peers"
LONGEST_S = 60  # that a busy machine may take; only a test that fails waits so long
KINDS = ("smpp34", "node-smpp")


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command_of(kind: str, port: int) -> list[str]:
    """What starts a centre of this kind; skips the test where it cannot be had."""
    if kind == "smpp34":
        pytest.importorskip("smpp34", reason="smpp34 is not installed")
        return [sys.executable, str(PEERS / "smpp34_centre.py"), str(port)]
    node = shutil.which("node")
    if node is None or not (PEERS / "node_modules" / "smpp").exists():
        pytest.skip("node-smpp is not here: scripts/install-gateways.sh installs it")
    return [node, str(PEERS / "node_centre.js"), str(port)]


class Centre:
    """A running centre: what it told, and what it is told."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process, self.port = process, port
        self._told: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.passed: list[dict[str, Any]] = []

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._told.put(json.loads(line))

    def wait_for(self, name: str) -> dict[str, Any]:
        """The next event that has this field; others are kept in `passed`."""
        for event in self.passed:
            if name in event:
                self.passed.remove(event)
                return event
        while True:
            event = self._told.get(timeout=LONGEST_S)
            if name in event:
                return event
            self.passed.append(event)

    def tell(self, **command: Any) -> None:
        """Give a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def deliver(self, text: str, source: str = "15550100077", **more: Any) -> None:
        """Somebody sends a message."""
        is_ascii = text.isascii()
        octets = text.encode("ascii" if is_ascii else "utf-16-be")
        told = {"source": source, "destination": "8484", "hex": octets.hex(), "coding": 0 if is_ascii else 8}
        self.tell(deliver=told | more)

    def answer(self) -> tuple[str, dict[str, Any]]:
        """The next answer that comes, in words, and all of it."""
        event = self.wait_for("submitted")
        octets = bytes.fromhex(event["submitted"])
        return octets.decode("utf-16-be" if event["coding"] == 8 else "ascii"), event


@contextmanager
def running_centre(kind: str, port: int | None = None) -> Iterator[Centre]:
    """A centre, ended with the block."""
    port = port or free_port()
    process = subprocess.Popen(command_of(kind, port), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    centre = Centre(process, port)
    try:
        centre.wait_for("listening")
        yield centre
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


@contextmanager
def bound_service(
    home: Path, centre: Centre, stderr: Callable[[str], object] = print
) -> Iterator["subprocess.Popen[str]"]:
    """`openceir sms serve` bound to the centre; its lines on stderr go to `stderr`."""
    (home / "smpp.password").write_text("secret\n")
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("openceir")), "--home", str(home), "sms", "serve",
            "--smsc", f"127.0.0.1:{centre.port}", "--system-id", "openceir", "--password-file", str(home / "smpp.password"),
        ],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            stderr(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        assert centre.wait_for("bound") == {"bound": "openceir"}
        yield process
    finally:
        process.terminate()
        try:
            process.wait(LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(LONGEST_S)
        if process.stderr is not None:
            process.stderr.close()
