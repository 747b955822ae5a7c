"""The application behind the consensus engine: what each request of ABCI does to this node's book.

    consensus    InitChain, PrepareProposal, ProcessProposal, FinalizeBlock, Commit     one after another
    mempool      CheckTx                                                                at any time
    query        Info, Query                                                            at any time
    snapshot     ListSnapshots, OfferSnapshot, LoadSnapshotChunk, ApplySnapshotChunk    at any time

States: empty; restoring a snapshot; at height H; at H with block H+1 applied in memory and not yet on the disk. Commit
alone makes a block durable, in one transaction. Whatever dies before it leaves H, and the engine gives the block again.

Invariants: nothing that a transaction holds can fail a block, it gets a number (`statements.Refusal`); the same blocks
give the same answers on every node, whatever the clock says: only CheckTx, which decides nothing, looks at it.
A contradiction (`NodeRefused`, `LedgerBroken`) or a disk that refuses (`StorageError`) goes up to whoever serves the
sockets, who tells the engine, and this node stops; the others go on.

Source: CometBFT 0.38, spec/abci/abci++_methods.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from openceir import __version__
from openceir.consortium.errors import NodeRefused
from openceir.consortium.genesis import Genesis, read_moved
from openceir.consortium.queries import answer_query
from openceir.consortium.snapshots import (
    FORMAT,
    Restoring,
    chunk_of,
    describe,
    take_snapshot,
    validators_of,
    write_validators,
)
from openceir.consortium.transaction import read_transaction
from openceir.ledger import (
    BlockTaken,
    Checked,
    Disclosed,
    Duplicate,
    LedgerBroken,
    Machine,
    MerkleLog,
    hash_leaf,
)
from openceir.statements import Header, Members, Refusal, StatementRefused
from openceir.storage.ordered_log import IMPORTED, Head, OrderedBlock, OrderedEntry, OrderedLog
from openceir.wire.abci import Response, enumeration

__all__ = ["APP_VERSION", "Application"]

APP_VERSION: Final = 1  # of the rules: nodes of another version would come to other states
CODESPACE: Final = "openceir"
SNAPSHOT_EVERY: Final = 100  # blocks
_RECHECK: Final = enumeration("CheckTxType")["RECHECK"]
_OFFER: Final = enumeration("OfferResult")
_APPLY: Final = enumeration("ApplyResult")
_VERDICT: Final = enumeration("Verdict")
_RECENT: Final = 50_000  # headers, five times as many as wait in the engine's pool
_WHOLE_RECHECK_EVERY: Final = 64  # blocks: what became invalid by time alone must not wait for ever


@dataclass(frozen=True, slots=True)
class _Pending:
    """A block that is applied in memory and not yet on the disk."""

    mark: tuple[int, object]
    height: int
    time: datetime
    taken: BlockTaken
    validators: dict[bytes, int]


class Application:
    """One node's side of the engine's questions. `handle` takes a request and gives the response."""

    def __init__(
        self,
        log: OrderedLog,
        chain_id: str,
        now: Callable[[], datetime],
        *,
        moved: Path | None = None,
        snapshot_every: int = SNAPSHOT_EVERY,
        on_step: Callable[[str, int], None] = lambda step, height: None,
    ) -> None:
        """Open the node's book.

        `moved`: the entries of the log that moves in at the beginning; `on_step` is told between any two steps of a
        block, by name and height.
        Raises: LedgerBroken when the book contradicts itself.
        """
        self.chain_id = chain_id
        self.log = log
        self.height = 0  # of the last block on the disk
        self.size = 0  # of the log after it
        self._now = now
        self._moved = moved
        self._snapshot_every = snapshot_every
        self._on_step = on_step
        self._machine = Machine(Members(), MerkleLog(), is_shared=True)
        self.app_hash = b""  # after that block
        self._validators: dict[bytes, int] = {}
        self._pending: _Pending | None = None
        self._verified: dict[bytes, Header] = {}  # a signature is verified once, however often it is proposed
        self._recheck_whole = False
        self._restoring: Restoring | None = None
        self._open()

    def _open(self) -> None:
        head = self.log.head()
        if head is None:
            return
        if head.chain_id != self.chain_id:
            raise NodeRefused(f"this node's book is of the chain {head.chain_id}, not of {self.chain_id}")
        tree = MerkleLog()
        tree.extend(hash_leaf(entry.octets) for entry in self.log.entries())
        machine = Machine.restore(head.state, tree)
        if machine.app_hash() != head.app_hash:
            raise LedgerBroken(
                "this node's entries do not give the state that it agreed to; move its book away and let it sync again"
            )
        self._stand(machine, head.height, head.app_hash, validators_of(head.validators))

    def _stand(self, machine: Machine, height: int, app_hash: bytes, validators: dict[bytes, int]) -> None:
        self._machine, self.app_hash, self._validators = machine, app_hash, validators
        self.height, self.size = height, machine.tree.size

    @property
    def machine(self) -> Machine:
        """The state: of the last block that was decided, on the disk or not yet."""
        return self._machine

    def handle(self, request: Any) -> Any:
        """The response to one request. Raises: OpenceirError when this node must not go on."""
        name = request.WhichOneof("value")
        if name is None or not hasattr(self, f"_{name}"):
            raise NodeRefused(
                f"the engine asks for {name}, which this release does not know; use CometBFT 0.38 to 0.40"
            )
        response = Response()
        part = getattr(response, name)
        part.SetInParent()
        getattr(self, f"_{name}")(getattr(request, name), part)
        return response

    # -- any connection ------------------------------------------------------------------------------------------

    def _echo(self, asked: Any, answer: Any) -> None:
        answer.message = asked.message

    def _flush(self, asked: Any, answer: Any) -> None:
        pass

    def _info(self, asked: Any, answer: Any) -> None:
        answer.data = "openceir"
        answer.version = __version__
        answer.app_version = APP_VERSION
        answer.last_block_height = self.height
        if self.height:
            answer.last_block_app_hash = self.app_hash

    def _query(self, asked: Any, answer: Any) -> None:
        answer.height = self.height
        answer.codespace = CODESPACE
        answer_query(self, asked, answer)

    # -- the pool of transactions --------------------------------------------------------------------------------

    def _check_tx(self, asked: Any, answer: Any) -> None:
        answer.codespace = CODESPACE
        try:
            octets, disclosed = read_transaction(asked.tx)
            if asked.type == _RECHECK and not self._recheck_whole:
                if self._machine.find(hash_leaf(octets)) is not None:
                    answer.code = Refusal.DUPLICATE
            else:
                self._check(octets, disclosed, self._time(self._now()))
        except (StatementRefused, Duplicate) as refused:
            answer.code, answer.log = int(refused.refusal), str(refused)

    def _insert_tx(self, asked: Any, answer: Any) -> None:
        raise NodeRefused('the engine keeps the pool of transactions: set [mempool] type = "flood"')

    _reap_txs = _insert_tx

    # -- consensus -----------------------------------------------------------------------------------------------

    def _init_chain(self, asked: Any, answer: Any) -> None:
        """Begin the book. Asked again when this node died before its first block: then it begins anew."""
        if asked.chain_id != self.chain_id:
            raise NodeRefused(f"the engine begins the chain {asked.chain_id}, this node is of {self.chain_id}")
        if asked.initial_height != 1:
            raise NodeRefused("a consortium begins at height 1; set initial_height in genesis.json")
        if self.height:
            raise NodeRefused("the engine begins at the beginning, but this node's book does not: were they mixed up?")
        genesis = Genesis.parse(asked.app_state_bytes)
        time = _instant(asked.time)
        moved, tree = self._read_moved(genesis)
        machine = Machine(Members(), tree, is_shared=True)
        octets, disclosed, _ = genesis.founded()
        taken = machine.take_block(0, time, [(octets, disclosed)])
        if taken.codes[0] is not Refusal.NONE:
            raise NodeRefused(f"the founding in genesis.json is refused: {taken.codes[0].name}")
        assert machine.governance is not None
        nodes = machine.governance.nodes_at(time)
        if nodes != _told(asked.validators) or not nodes:
            raise NodeRefused(
                "the validators of genesis.json are not the node keys of the founding; copy the file again"
            )
        with self.log.transaction():
            self.log.clear()
            self.log.put_entries(moved)
            self._put(machine, 0, time, taken, nodes)
        self._stand(machine, 0, taken.applied.app_hash, nodes)
        answer.app_hash = self.app_hash

    def _read_moved(self, genesis: Genesis) -> tuple[list[OrderedEntry], MerkleLog]:
        if genesis.imported is None:
            return [], MerkleLog()
        if self._moved is None:
            raise NodeRefused("the genesis moves a log in, and this node was not told where its entries are")
        entries, tree = read_moved(self._moved, genesis.imported)
        return [
            OrderedEntry(index, IMPORTED, one.logged_at, one.octets, *(one.disclosed or (b"", b"")))
            for index, one in enumerate(entries)
        ], tree

    def _prepare_proposal(self, asked: Any, answer: Any) -> None:
        """What may enter in a block of this time; the rest waits in the pool, or is dropped at the next recheck."""
        time, leaves = self._time(_instant(asked.time)), set[bytes]()
        answer.txs.extend(tx for tx in asked.txs if self._may_enter(tx, time, leaves))

    def _process_proposal(self, asked: Any, answer: Any) -> None:
        """Accept a block of which every entry may enter: a proposer that stuffs anything else in is passed over."""
        time, leaves = self._time(_instant(asked.time)), set[bytes]()
        fits = all(self._may_enter(tx, time, leaves) for tx in asked.txs)
        answer.status = _VERDICT["ACCEPT" if fits else "REJECT"]

    def _may_enter(self, tx: bytes, time: datetime, leaves: set[bytes]) -> bool:
        """Whether a transaction may enter in a block that holds `leaves` already; its own is added to them."""
        try:
            leaf_hash = self._check(*read_transaction(tx), time).leaf_hash
        except (StatementRefused, Duplicate):
            return False
        if leaf_hash in leaves:
            return False
        leaves.add(leaf_hash)
        return True

    def _check(self, octets: bytes, disclosed: Disclosed, time: datetime) -> Checked:
        checked = self._machine.check_entry(octets, disclosed, time, verified=self._verified)
        self._verified[checked.leaf_hash] = checked.header
        if len(self._verified) > _RECENT:
            for oldest in list(islice(self._verified, _RECENT // 2)):
                del self._verified[oldest]
        return checked

    def _extend_vote(self, asked: Any, answer: Any) -> None:
        """Nothing is said in a vote: cosignatures are made outside of consensus, where they cannot stall it."""

    def _verify_vote_extension(self, asked: Any, answer: Any) -> None:
        answer.status = _VERDICT["REJECT" if asked.vote_extension else "ACCEPT"]

    def _finalize_block(self, asked: Any, answer: Any) -> None:
        if self._pending is not None:  # the engine began anew without us: the block it gives is the same one
            self._machine.take_back(self._pending.mark)
            self._pending = None
        machine = self._machine
        if asked.height != self.height + 1 or machine.governance is None:
            raise NodeRefused(f"the engine gives block {asked.height} to a book that ends at {self.height}")
        mark, time = machine.mark(), _instant(asked.time)
        self._on_step("begun", asked.height)
        codes, entries = list[Refusal | None](), list[tuple[bytes, Disclosed]]()
        for tx in asked.txs:
            try:
                entries.append(read_transaction(tx))
                codes.append(None)
            except StatementRefused as refused:
                codes.append(refused.refusal)
        taken = machine.take_block(asked.height, time, entries, verified=self._verified)
        nodes = machine.governance.nodes_at(time) or self._validators  # a chain without validators could not go on
        self._pending = _Pending(mark, asked.height, time, taken, nodes)
        self._recheck_whole = taken.applied.members_changed or asked.height % _WHOLE_RECHECK_EVERY == 0
        judged, index = iter(taken.codes), taken.first
        for early in codes:
            code = next(judged) if early is None else early
            result = answer.tx_results.add(code=int(code), codespace=CODESPACE)
            if code is Refusal.NONE:
                result.data = index.to_bytes(8)
                index += 1
        for key in sorted(nodes.keys() | self._validators.keys()):
            if nodes.get(key, 0) != self._validators.get(key, 0):
                update = answer.validator_updates.add(power=nodes.get(key, 0))
                update.pub_key.ed25519 = key
        answer.app_hash = taken.applied.app_hash
        self._on_step("applied", asked.height)

    def _commit(self, asked: Any, answer: Any) -> None:
        pending = self._pending
        if pending is None:
            raise NodeRefused("the engine commits a block that it never gave")
        with self.log.transaction():
            self._put(self._machine, pending.height, pending.time, pending.taken, pending.validators)
        self._stand(self._machine, pending.height, pending.taken.applied.app_hash, pending.validators)
        self._pending = None
        self._on_step("committed", self.height)
        if self.height % self._snapshot_every == 0:
            head, block = self.log.head(), self.log.block(self.height)
            assert head is not None
            assert block is not None
            take_snapshot(self.log, head, block)
            self._on_step("snapshot", self.height)

    def _put(
        self, machine: Machine, height: int, time: datetime, taken: BlockTaken, validators: dict[bytes, int]
    ) -> None:
        """Write a block and all that follows from it, within the caller's transaction."""
        _, state_root, members_root = machine.roots()
        app_hash = taken.applied.app_hash
        self.log.put_entries(
            [
                OrderedEntry(index, height, time, one.signed.octets, one.signed.salt, one.signed.payload)
                for index, one in enumerate(taken.accepted, taken.first)
            ]
        )
        self._on_step("entries written", height)
        self.log.put_block(OrderedBlock(height, time, machine.tree.size, state_root, members_root))
        self.log.put_head(Head(self.chain_id, height, app_hash, machine.state(), write_validators(validators)))
        self._on_step("head written", height)

    def _time(self, moment: datetime) -> datetime:
        """A moment that no block would find before the last one."""
        return moment if self._machine.time is None else max(moment, self._machine.time)

    # -- nodes that join -----------------------------------------------------------------------------------------

    def _list_snapshots(self, asked: Any, answer: Any) -> None:
        for snapshot in self.log.snapshots():
            answer.snapshots.add(**describe(snapshot))

    def _load_snapshot_chunk(self, asked: Any, answer: Any) -> None:
        if asked.format == FORMAT:
            answer.chunk = chunk_of(self.log, asked.height, asked.chunk)

    def _offer_snapshot(self, asked: Any, answer: Any) -> None:
        if self.height:
            raise NodeRefused("a snapshot is offered to a node that has a book already; move it away to sync anew")
        if asked.snapshot.format != FORMAT:
            answer.result = _OFFER["REJECT_FORMAT"]
            return
        self._restoring = Restoring.offered(asked.snapshot, asked.app_hash, self.chain_id)
        answer.result = _OFFER["REJECT" if self._restoring is None else "ACCEPT"]
        with self.log.transaction():
            self.log.clear()  # what an earlier try left

    def _apply_snapshot_chunk(self, asked: Any, answer: Any) -> None:
        restoring = self._restoring
        if restoring is None:
            answer.result = _APPLY["ABORT"]
            return
        if not restoring.is_chunk(asked.index, asked.chunk):
            answer.result = _APPLY["RETRY"]
            answer.refetch_chunks.append(asked.index)
            answer.reject_senders.append(asked.sender)
            return
        try:
            with self.log.transaction():
                restoring.take(asked.index, asked.chunk, self.log)
                if restoring.is_whole:
                    machine = restoring.finish(self.log)
        except NodeRefused:
            self._restoring = None
            answer.result = _APPLY["REJECT_SNAPSHOT"]
            return
        if restoring.is_whole:
            head = self.log.head()
            assert head is not None
            self._stand(machine, head.height, head.app_hash, validators_of(head.validators))
            self._restoring = None
        answer.result = _APPLY["ACCEPT"]


def _instant(stamp: Any) -> datetime:
    """A block's time as the book says it: whole seconds."""
    return datetime.fromtimestamp(stamp.seconds, UTC)


def _told(updates: Any) -> dict[bytes, int]:
    return {update.pub_key.ed25519: update.power for update in updates}
