"""A consortium of real nodes on loopback: each `a_node.py` in a process of its own, with the real engine under it."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from openceir import clock
from openceir.consortium import (
    ConsortiumError,
    EngineMissing,
    NodeClient,
    NodeFolder,
    Place,
    Plan,
    Running,
    audit_book,
    find_engine,
    found,
    write_transaction,
)
from openceir.consortium.speaking import say
from openceir.statements import DeviceSet, DeviceStolen

ROOT = Path(__file__).parents[2]
NAMES = ("xa", "xb", "xc", "xd")
WAIT = 120  # seconds: a busy machine


def engine(version="0.38.26"):
    """The engine of that version; skips the test where it was not built."""
    try:
        return find_engine(str(ROOT / ".tools" / f"cometbft-{version}" / "cometbft"))
    except EngineMissing as missing:
        pytest.skip(f"{missing}: scripts/install-cometbft.sh builds it where Go is")


def free_ports(count):
    """A run of `count` ports at which nothing listens, below those that the system gives out."""
    for _ in range(100):
        first = random.randrange(20000, 32000 - count)
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


def until(true, what, seconds=WAIT, pause=0.1):
    """Wait for a condition, and fail saying what did not come."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(ConsortiumError):
            found_ = true()
            if found_:
                return found_
        assert time.monotonic() < end, f"in {seconds} s {what} did not come"
        time.sleep(pause)


class Node:
    """One node's folder, and its process while it runs."""

    def __init__(self, path, engine_):
        self.path = path
        self.folder = NodeFolder(path)
        self.engine = engine_
        self.process = None
        self.client = NodeClient(self.folder.rpc, timeout=20)

    def start(self, *options, environment=None):
        assert self.process is None
        with (self.path / "said").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("a_node.py")), str(self.path), str(self.engine), *options],
                stdout=out, stderr=out, env={**os.environ, **(environment or {})},
            )  # fmt: skip
        return self

    def said(self):
        return (self.path / "said").read_text(errors="replace")

    def kill(self):
        """kill -9; the engine dies with it."""
        self.process.send_signal(signal.SIGKILL)
        return self.ended()

    def stop(self):
        self.process.terminate()
        return self.ended()

    def ended(self, seconds=WAIT):
        """The status with which the process ended."""
        status = self.process.wait(seconds)
        self.process = None
        self.client.close()
        return status

    def head(self):
        return self.client.head()

    def size(self):
        return self.head()["size"]


class Network:
    """Four members, or as many as asked for, and what they say."""

    def __init__(self, out, engine_, names=NAMES, places=None, nations=(), **running):
        self.out, self.engine = out, engine_
        first = free_ports(10 * len(names) + 30)
        self.next_port = first + 10 * len(names)
        self.places = [Place("127.0.0.1", first + 10 * at, first + 10 * at + 1) for at in range(len(names))]
        self.plan = Plan(
            name="example/shared", members=names, places=places or self.places, quorum=len(names) // 2 + 1,
            at=clock.now() - timedelta(seconds=5), nations=nations,
            running=Running(**{"block_seconds": 0.1, "heartbeat_seconds": 5, **running}),
        )  # fmt: skip
        self.nodes = [Node(folder, engine_) for folder in found(out, self.plan)]
        self.said = 0
        self.accepted = []  # leaf hashes that a node said stand in the book

    def start(self, *which, options=()):
        for at in which or range(len(self.nodes)):
            self.nodes[at].start(*options)
        return self

    def stop(self):
        running = [node for node in self.nodes if node.process is not None]
        for node in running:
            node.process.terminate()
        for node in running:
            try:
                node.ended(30)
            except subprocess.TimeoutExpired:
                node.kill()
        for node in self.nodes:
            node.client.close()

    def theft(self, number=None, by=0):
        """A statement signed by a member, not yet submitted."""
        self.said += 1
        said = DeviceStolen(
            devices=DeviceSet.of(keys=[self.said if number is None else number]), stolen_at=clock.now(),
            case_number=f"N-{self.said}",
        )  # fmt: skip
        return say(said, self.nodes[by].folder.member_key(), clock.now())

    def submit(self, at=0, signed=None, by=0, wait=WAIT):
        place = self.nodes[at].client.submit(signed or self.theft(by=by), wait=wait)
        self.accepted.append(place.leaf_hash)
        return place

    def hand_over(self, at=0, count=1):
        """Statements that are not waited for."""
        for _ in range(count):
            self.nodes[at].client.hand_over(write_transaction(self.theft()))

    def agree(self, *which, size=None):
        """Wait until these nodes stand at one height with one state, and all that was accepted stands in each."""
        nodes = [self.nodes[at] for at in which] or self.nodes

        def same():
            heads = [node.head() for node in nodes]
            return len({(h["height"], h["app_hash"]) for h in heads}) == 1 and (
                size is None or heads[0]["size"] >= size
            )

        until(same, "one state on all nodes")
        for node in nodes:
            for leaf_hash in self.accepted:
                assert until(lambda n=node, leaf=leaf_hash: n.client.find(leaf), "a statement that was accepted")
        for node in nodes:
            audit_book(node.folder)

    def up(self, *which):
        """Wait until these nodes answer and have the first block."""
        for node in [self.nodes[at] for at in which] or self.nodes:
            until(lambda n=node: n.head()["height"] >= 1, f"the node in {node.path.name}")
        return self


class Links:
    """Every connection between two nodes goes through a relay here, and can be cut."""

    def __init__(self, network):
        self._cut = set()
        self._open = []
        self._doors = []
        self._threads = []
        self._lock = threading.Lock()
        places = [node.folder.peer for node in network.nodes]
        for at, node in enumerate(network.nodes):
            config = node.path / "config" / "config.toml"
            text = config.read_text()
            for to, peer in enumerate(places):
                if to != at:
                    name, _, place = peer.partition("@")
                    door = socket.create_server(("127.0.0.1", 0))
                    self._doors.append(door)
                    text = text.replace(peer, f"{name}@127.0.0.1:{door.getsockname()[1]}")
                    port = int(place.rpartition(":")[2])
                    self._run(self._serve, door, frozenset({at, to}), port)
            config.write_text(text)

    def cut(self, *sides):
        """Let no octet pass between nodes of different sides."""
        with self._lock:
            self._cut = {
                frozenset({one, other})
                for side in sides
                for one in side
                for rest in sides
                if rest is not side
                for other in rest
            }
            for link, ends in self._open:
                if link in self._cut:
                    for end in ends:
                        _shut(end)

    def heal(self):
        with self._lock:
            self._cut = set()

    def close(self):
        for end in [*self._doors, *(end for _, ends in self._open for end in ends)]:
            _shut(end)
        for thread in self._threads:
            thread.join(10)
        for end in [*self._doors, *(end for _, ends in self._open for end in ends)]:
            end.close()

    def _run(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, door, link, port):
        while True:
            try:
                here, _ = door.accept()
            except OSError:
                return
            with self._lock:
                try:
                    if link in self._cut:
                        raise ConnectionRefusedError
                    there = socket.create_connection(("127.0.0.1", port), timeout=5)
                except OSError:
                    here.close()
                    continue
                there.settimeout(None)
                self._open.append((link, (here, there)))
            for source, target in ((here, there), (there, here)):
                self._run(_pump, source, target)


def _pump(source, target):
    with contextlib.suppress(OSError):
        while octets := source.recv(1 << 16):
            target.sendall(octets)
    _shut(source)
    _shut(target)


def _shut(end):
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
