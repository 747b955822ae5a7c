"""A consortium: what the application costs alone, and four real nodes on this machine, a load of single statements on them.

The real nodes need the engine's binary (`scripts/install-cometbft.sh`, or on PATH); without it their rows are left out.
"""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench import Beside, Row, Scale, meter, read_apart
from openceir import clock
from openceir.consortium import (
    ConsortiumError,
    EngineMissing,
    NodeClient,
    NodeFolder,
    Place,
    Plan,
    find_engine,
    found,
    open_application,
    receipt_of,
    write_transaction,
)
from openceir.consortium.speaking import say
from openceir.ledger.ordered_receipt import verify_ordered_receipt
from openceir.statements import DeviceSet, DeviceStolen, SignedStatement
from openceir.wire.abci import Request

ROOT = Path(__file__).parent.parent
NAMES = ("xa", "xb", "xc", "xd")
STATEMENTS = 5_000
PACE, SECONDS = 330, 20  # statements a second, for so long
HANDS = (
    64  # desks that hand statements over, each when its last was answered: a node answers none while it writes a block
)
BATCHES, DEVICES = 10, 100_000
RECEIPTS = 200


def measure(work: Path, scale: Scale) -> list[Row]:
    """The same size at every scale: the machine's two cores are the limit."""
    rows = _alone(work)
    try:
        engine = _engine()
    except EngineMissing as missing:
        print(f"bench consortium: no rows of real nodes: {missing}", file=sys.stderr)
        return rows
    folder = _fresh(work, "network")
    with _running(folder, engine) as nodes:
        return [*rows, *_sustained(nodes), _batches(nodes), _receipts(nodes)]


def _engine() -> Path:
    built = ROOT / ".tools" / "cometbft-0.38.26" / "cometbft"
    return find_engine(str(built) if built.exists() else "")


def _fresh(work: Path, name: str) -> Path:
    folder = work / f"consortium-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _plan(first_port: int = 1) -> Plan:
    return Plan(
        name="example/shared", members=NAMES, quorum=3, at=clock.now() - timedelta(minutes=1),
        places=[Place("127.0.0.1", first_port + 10 * at, first_port + 10 * at + 1) for at in range(len(NAMES))],
    )  # fmt: skip


def _thefts(folder: NodeFolder, count: int, first: int = 0) -> list[SignedStatement]:
    key, now = folder.member_key(), clock.now()
    return [
        say(DeviceStolen(devices=DeviceSet.of(keys=[n]), stolen_at=now, case_number=f"N-{n}"), key, now)
        for n in range(first, first + count)
    ]


# -- the application alone -------------------------------------------------------------------------------------------


def _request(kind: str, **fields: Any) -> Any:
    asked = Request()
    part = getattr(asked, kind)
    part.SetInParent()
    for name, value in fields.items():
        setattr(part, name, value)
    return asked


def _alone(work: Path) -> list[Row]:
    """CheckTx verifies; a proposal and a block find the signatures known; a recheck looks for duplicates only."""
    node = NodeFolder(found(_fresh(work, "alone"), _plan())[0])
    application = open_application(node, clock.now)
    begin = _request("init_chain", chain_id=node.chain_id, initial_height=1)
    begin.init_chain.time.seconds = int(clock.now().timestamp()) - 60
    begin.init_chain.app_state_bytes = json.dumps(node.genesis.as_json()).encode()
    for one in node.first_validators():
        begin.init_chain.validators.add(power=one.power).pub_key.ed25519 = one.key
    application.handle(begin)
    transactions = [write_transaction(signed) for signed in _thefts(node, STATEMENTS)]
    checks = [_request("check_tx", tx=tx) for tx in transactions]
    block = _request("finalize_block", height=1)
    block.finalize_block.time.seconds = int(clock.now().timestamp())
    block.finalize_block.txs.extend(transactions)
    with meter() as checking:
        for asked in checks:
            assert application.handle(asked).check_tx.code == 0
    with meter() as deciding:
        answer = application.handle(block).finalize_block
        application.handle(_request("commit"))
    assert all(result.code == 0 for result in answer.tx_results)
    with meter() as rechecking:
        for asked in checks:
            asked.check_tx.type = 1
            application.handle(asked)
    application.log.close()
    return [
        Row(
            name=f"consortium: {STATEMENTS:,} new transactions checked (CheckTx)", unit="statements/CPU-s",
            measured=STATEMENTS / checking.cpu_seconds, cpu_seconds=checking.cpu_seconds,
        ),
        Row(
            name=f"consortium: a block of {STATEMENTS:,} checked transactions decided and on the disk",
            unit="statements/CPU-s", measured=STATEMENTS / deciding.cpu_seconds, cpu_seconds=deciding.cpu_seconds,
            beside=(Beside(what="asked again after a block (recheck)", measured=STATEMENTS / rechecking.cpu_seconds),),
        ),
    ]  # fmt: skip


# -- four real nodes -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Nodes:
    folders: list[NodeFolder]
    processes: list[subprocess.Popen[bytes]]
    clients: list[NodeClient]

    def size(self) -> int:
        """How many entries stand in every node's book."""
        return min(client.head()["size"] for client in self.clients)


@contextlib.contextmanager
def _running(folder: Path, engine: Path) -> Iterator[_Nodes]:
    folders = [NodeFolder(path) for path in found(folder, _plan(_free_ports(40)))]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "openceir", "consortium", "node", str(one.path), "--engine", str(engine), "--engine-log", str(one.path / "engine.log")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ,
        )
        for one in folders
    ]  # fmt: skip
    nodes = _Nodes(folders, processes, [NodeClient(one.rpc, timeout=60) for one in folders])
    try:
        _until(lambda: all(client.head()["height"] >= 1 for client in nodes.clients), 120)
        yield nodes
    finally:
        for client in nodes.clients:
            client.close()
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def _free_ports(count: int) -> int:
    for first in range(21000, 31000, count):
        with contextlib.ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports")


def _until(true: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(ConsortiumError):
            if true():
                return
        time.sleep(0.05)
    raise RuntimeError(f"the nodes did not come to it in {seconds} s")


def _sustained(nodes: _Nodes) -> list[Row]:
    """Statements of one device each, handed to all four nodes in turn at a steady pace, until all four have the last."""
    transactions = [write_transaction(signed) for signed in _thefts(nodes.folders[0], PACE * SECONDS)]
    before = nodes.size()
    handed, lags, seen = list[float](), list[float](), list[tuple[float, int]]()
    with _watched(nodes, before, handed, lags, seen), _metered(nodes) as costs:
        begun = time.monotonic()
        _hand_over(nodes, transactions, time.monotonic(), handed)
        _until(lambda: nodes.size() >= before + len(transactions), 300)
        whole = time.monotonic() - begun
    (first_at, first), (last_at, last) = seen[0], seen[-1]
    rate, count = (last - first) / (last_at - first_at), len(transactions)  # from the first block to the last
    return [
        Row(
            name=f"four nodes on this machine: {count:,} single statements at {PACE} a second, "
            "accepted by all: the rate between the first block that all had and the last",
            measured=rate, unit="statements/s", target=">= 300", cpu_seconds=sum(costs),
            note=f"wall time; {sum(costs) / count * 1000:.1f} ms of CPU a statement for all four nodes",
            beside=(Beside(what="all of them by the whole time, from the first handed over to the last had by all", measured=count / whole),),
        ),
        Row(
            name="the same: the longest that a statement waited until all four had it",
            measured=max(lags), unit="s", target="<= 5", cpu_seconds=0,
            note=f"wall time; half of them {float(np.median(lags)):.1f} s; a block a second",
        ),
    ]  # fmt: skip


def _hand_over(nodes: _Nodes, transactions: list[bytes], start: float, handed: list[float]) -> None:
    """Each statement is a request of its own and is answered before its hand takes the next; written ahead, so that
    the hands cost the nodes little of the two cores."""
    requests = [_request_of(transaction) for transaction in transactions]

    def hand(number: int) -> None:
        host, _, port = nodes.folders[number % 4].rpc.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=60) as link:
            for at in range(number, len(requests), HANDS):
                time.sleep(max(0.0, start + at / PACE - time.monotonic()))
                handed.append(time.monotonic())  # of one thread at a time: the interpreter's lock
                link.sendall(requests[at])
                answer = _answer(link)
                if b'"code":0' not in answer:
                    raise RuntimeError(f"a node did not take a statement: {answer.decode()}")

    with ThreadPoolExecutor(HANDS) as pool:
        list(pool.map(hand, range(HANDS)))


def _request_of(transaction: bytes) -> bytes:
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "broadcast_tx_sync",
            "params": {"tx": base64.b64encode(transaction).decode()},
        }
    ).encode()
    return b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


def _answer(link: socket.socket) -> bytes:
    octets = b""
    while b"\r\n\r\n" not in octets:
        octets += _more(link)
    head, _, body = octets.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(link)
    return body


def _more(link: socket.socket) -> bytes:
    octets = link.recv(1 << 16)
    if not octets:
        raise RuntimeError("a node closed the connection of the one who hands over")
    return octets


@contextlib.contextmanager
def _watched(
    nodes: _Nodes, before: int, handed: list[float], lags: list[float], counts: list[tuple[float, int]]
) -> Iterator[None]:
    """Note how many statements all nodes have, and how long each waited, ten times a second."""
    done = threading.Event()
    clients = [NodeClient(folder.rpc, timeout=60) for folder in nodes.folders]

    def watch() -> None:
        seen = 0
        while not done.wait(0.1):
            accepted = min(client.head()["size"] for client in clients) - before
            for number in range(seen, accepted):  # in the order in which they were handed over, nearly
                lags.append(time.monotonic() - handed[number])
            if accepted > seen:
                counts.append((time.monotonic(), accepted))
                seen = accepted

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
        time.sleep(0.5)
    finally:
        done.set()
        watcher.join()
        for client in clients:
            client.close()


@contextlib.contextmanager
def _metered(nodes: _Nodes) -> Iterator[list[float]]:
    costs: list[float] = []
    with contextlib.ExitStack() as stack:
        readings = [stack.enter_context(meter(process.pid)) for process in nodes.processes]
        yield costs
    costs += [reading.cpu_seconds for reading in readings]


def _batches(nodes: _Nodes) -> Row:
    """Signing is counted; the payloads of 100,000 numbers each stay with their issuer, as they do in every consortium."""
    dice = np.random.default_rng(7)
    key, now = nodes.folders[0].member_key(), clock.now()
    before, costs = nodes.size(), 0.0
    octets = 0
    with _metered(nodes) as metered:
        start = time.monotonic()
        for number in range(BATCHES):
            keys = np.unique(dice.integers(35_000_000_000_000, 35_002_000_000_000, DEVICES))
            said = DeviceStolen(devices=DeviceSet.of(keys=keys), stolen_at=now, case_number=f"B-{number}")
            signed = say(said, key, now)
            octets += len(signed.payload)
            nodes.clients[number % 4].hand_over(write_transaction(signed))
        _until(lambda: nodes.size() >= before + BATCHES, 120)
        seconds = time.monotonic() - start
    costs = sum(metered)
    return Row(
        name=f"four nodes: {BATCHES * DEVICES:,} identifiers in {BATCHES} statements, their commitments in every book",
        measured=seconds, unit="s", target="<= 60", cpu_seconds=costs,
        note=f"wall time; until the commitments; {octets / 1e6:.1f} MB of payloads go from member to member besides",
    )  # fmt: skip


def _receipts(nodes: _Nodes) -> Row:
    trust = nodes.folders[0].trust()
    receipts = [receipt_of(nodes.clients[0], index, trust) for index in range(1, RECEIPTS + 1)]
    cost, reading = read_apart(_verify, receipts, trust.format())
    return Row(
        name="receipt of a consortium of four verified offline", measured=cost / RECEIPTS * 1000, unit="ms",
        target="<= 1", cpu_seconds=reading.cpu_seconds, note=f"{len(receipts[0]):,} octets; four signatures on a header",
    )  # fmt: skip


def _verify(receipts: list[bytes], trust: str) -> float:
    from openceir.ledger.ordered_receipt import ChainTrust

    known = ChainTrust.parse(trust)
    verify_ordered_receipt(receipts[0], known)
    start = time.process_time()
    for receipt in receipts:
        verify_ordered_receipt(receipt, known)
    return time.process_time() - start
