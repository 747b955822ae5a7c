"""The state machine under every engine: statements in, a root out.

An engine (one embedded process, or a consortium) gives order and time and nothing else. `check` and `check_entry`
decide alone whether a statement may enter, `apply` adds what was checked. All are pure: no clock, no files, no
randomness, and no result depends on the order of a set or dictionary. Two machines that were given the same blocks
have the same root and the same `app_hash`, which is what lets members of a consortium notice a lying one.

Two ways in. The embedded engine has every payload at hand: `check`. A shared order must never carry one that names a
device, since it cannot be erased there: `check_entry` takes the signed octets alone, and salt and payload beside them
only for the public kinds, which the machine itself must read.

States: a list of leaves, the time of the last block, who is a member, and the last state each member committed to.
Invariants: heights ascend by one, time never runs back, no leaf stands twice, every entry of a block is judged by the
state before the block. Limits: those of one statement, and MOST_IN_BLOCK of them in a block.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from openceir.ledger._leaves import LeafIndex
from openceir.ledger.errors import Duplicate, LedgerBroken
from openceir.ledger.governance import FOUNDING, GOVERNING, Governance, judged, opened
from openceir.ledger.merkle import MerkleLog, hash_leaf
from openceir.statements import (
    PUBLIC_KINDS,
    Approved,
    FederationFounded,
    Header,
    Members,
    Refusal,
    SignedStatement,
    StateCommitted,
    Statement,
    StatementRefused,
    read_canonical,
    verify_header,
    write_canonical,
)

__all__ = ["MOST_IN_BLOCK", "REMEMBERED", "Applied", "BlockTaken", "Checked", "Disclosed", "Machine", "app_hash_of"]

MOST_IN_BLOCK: Final = 50_000
REMEMBERED: Final = GOVERNING | {StateCommitted.kind}  # what changes more than the tree
MOST_PUBLIC_OCTETS: Final = 60 << 10  # of a payload that travels with its entry: a transaction has at most 64 KiB

Disclosed = tuple[bytes, bytes] | None  # salt and payload of a public kind


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may enter the log, decoded once for all who need it."""

    signed: SignedStatement  # salt and payload are empty where a shared order brought the entry without them
    header: Header
    said: Statement | None  # None: its payload goes from member to member, and is not here
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Applied:
    """What a block came to."""

    root: bytes  # of the log
    app_hash: bytes  # of everything that members must agree on
    members_changed: bool


@dataclass(frozen=True, slots=True)
class BlockTaken:
    """What became of the entries of a shared order's block, refused ones included."""

    applied: Applied
    codes: tuple[Refusal, ...]  # one for each entry given, in order
    accepted: tuple[Checked, ...]  # those with code NONE, in order
    first: int  # index of the first of them


@dataclass(frozen=True, slots=True)
class _Kept:
    """What changes with a block besides the tree."""

    height: int
    time: datetime | None
    governance: Governance | None
    committed: Mapping[str, tuple[int, int, bytes]] = field(default_factory=dict)  # issuer -> size, epoch, root


class Machine:
    """The log's state after `height` blocks.

    `is_shared`: one book of all members of a federation, who are members by its statements alone. Otherwise `members`
    say things on this log, and the federation's, once founded on it, only govern.
    """

    def __init__(
        self,
        members: Members,
        tree: MerkleLog,
        height: int = 0,
        time: datetime | None = None,
        *,
        governance: Governance | None = None,
        is_shared: bool = False,
    ) -> None:
        self.members = members
        self.tree = tree
        self.is_shared = is_shared
        self._kept = _Kept(height, time, governance)
        self._leaves = LeafIndex(tree)

    @property
    def height(self) -> int:
        """The number of the next block."""
        return self._kept.height

    @property
    def time(self) -> datetime | None:
        """The time of the last block."""
        return self._kept.time

    @property
    def governance(self) -> Governance | None:
        """The federation founded on this log, if any."""
        return self._kept.governance

    # -- may it enter? ---------------------------------------------------------------------------------------------

    def check(self, signed: SignedStatement, time: datetime) -> Checked:
        """The statement, if it may enter the log in a block of this time.

        Raises: StatementRefused when it is no true statement of a member who may say it; Duplicate when it stands
        in the log already.
        """
        leaf_hash = self._fresh(signed.octets)
        header = self._judged(signed.octets, signed.salt, signed.payload, time)
        return self._governed(Checked(signed, header, opened(header, signed.salt, signed.payload), leaf_hash), time)

    def check_entry(
        self,
        octets: bytes,
        disclosed: Disclosed,
        time: datetime,
        *,
        verified: Mapping[bytes, Header] = MappingProxyType({}),
    ) -> Checked:
        """The entry, if it may enter a shared order in a block of this time: no payload that names a device is seen.

        `verified`: headers of entries whose signatures were true before, by leaf hash; all but these is judged anew.
        Raises: StatementRefused or Duplicate; `refusal` of either is the number that every machine gives alike.
        """
        salt, payload = disclosed or (b"", b"")
        leaf_hash = self._fresh(octets)
        header = self._judged(octets, salt, payload, time, verified.get(leaf_hash))
        if header.kind not in PUBLIC_KINDS:
            if disclosed is not None:
                raise StatementRefused(
                    f"{header.kind} names devices; its payload is no part of the order", Refusal.DISCLOSED
                )
            return Checked(SignedStatement(octets, b"", b""), header, None, leaf_hash)
        if disclosed is None:
            raise StatementRefused(f"{header.kind} is public: salt and payload go with it", Refusal.NOT_DISCLOSED)
        if len(payload) > MOST_PUBLIC_OCTETS:
            raise StatementRefused(f"a public payload has at most {MOST_PUBLIC_OCTETS} octets", Refusal.TOO_LARGE)
        said = opened(header, salt, payload)
        return self._governed(Checked(SignedStatement(octets, salt, payload), header, said, leaf_hash), time)

    def _judged(
        self, octets: bytes, salt: bytes, payload: bytes, time: datetime, known: Header | None = None
    ) -> Header:
        if self.governance is None and FOUNDING not in octets:  # as on the log of one register nearly always
            return verify_header(octets, self.members, at=time, known=known)
        return judged(
            octets,
            (salt, payload),
            at=time,
            members=self.members,
            governance=self.governance,
            is_shared=self.is_shared,
            known=known,
        )

    def _fresh(self, octets: bytes) -> bytes:
        """The leaf hash of an entry that is not in the log yet."""
        leaf_hash = hash_leaf(octets)
        index = self.find(leaf_hash)
        if index is not None:
            raise Duplicate(f"this very statement is entry {index} of the log already; nothing was added")
        return leaf_hash

    def _governed(self, checked: Checked, time: datetime) -> Checked:
        if checked.header.kind in GOVERNING and checked.said is not None:
            if self.governance is not None:
                self.governance.refuse(checked.header, checked.said, time)
            elif self.is_shared and not isinstance(checked.said, FederationFounded):
                raise StatementRefused("no federation was founded on this log yet", Refusal.GOVERNANCE)
            if (
                isinstance(checked.said, Approved)
                and self.find(checked.said.target) is None
                and not self._is_elsewhere()
            ):
                raise StatementRefused(
                    "what is approved does not stand in this log; approve it later", Refusal.GOVERNANCE
                )
        return checked

    def _is_elsewhere(self) -> bool:
        """Whether members also keep logs of their own, so that a statement approved here may stand in another."""
        return not self.is_shared

    # -- blocks ----------------------------------------------------------------------------------------------------

    def take_block(
        self,
        height: int,
        time: datetime,
        entries: Sequence[tuple[bytes, Disclosed]],
        *,
        verified: Mapping[bytes, Header] = MappingProxyType({}),
    ) -> BlockTaken:
        """Apply a block of a shared order: what may not enter is refused by its number, and the block goes on.

        `verified`: as in `check_entry`.
        Raises: LedgerBroken, the state unchanged, when the block does not follow. Never for what an entry holds.
        """
        self._refuse_gap(height, time)
        codes: list[Refusal] = []
        accepted: dict[bytes, Checked] = {}
        for octets, disclosed in entries:
            try:
                checked = self.check_entry(octets, disclosed, time, verified=verified)
            except (StatementRefused, Duplicate) as wrong:
                codes.append(wrong.refusal)
                continue
            codes.append(Refusal.DUPLICATE if checked.leaf_hash in accepted else Refusal.NONE)
            accepted.setdefault(checked.leaf_hash, checked)
        first = self.tree.size
        applied = self._applied(height, time, list(accepted.values()))
        return BlockTaken(applied, tuple(codes), tuple(accepted.values()), first)

    def apply(self, height: int, time: datetime, statements: Sequence[Checked]) -> Applied:
        """The roots after a block of these statements, in this order.

        Raises: LedgerBroken, the state unchanged, when the block does not follow or holds a leaf twice.
        """
        self._refuse_gap(height, time)
        if not 0 < len(statements) <= MOST_IN_BLOCK:
            raise LedgerBroken(f"a block holds 1 to {MOST_IN_BLOCK} statements, not {len(statements)}")
        if len({checked.leaf_hash for checked in statements}) < len(statements):
            raise LedgerBroken(f"block {height} holds one statement twice")
        return self._applied(height, time, statements)

    def _refuse_gap(self, height: int, time: datetime) -> None:
        if height != self.height or (self.time is not None and time < self.time):
            raise LedgerBroken(f"block {height} does not follow block {self.height - 1}, in number or in time")

    def _applied(self, height: int, time: datetime, statements: Sequence[Checked]) -> Applied:
        before = self.governance
        for checked in statements:
            self.tree.append(checked.leaf_hash)
            self._leaves.add(checked.leaf_hash, self.tree.size - 1)
            if checked.header.kind in REMEMBERED and checked.said is not None:
                self.recall(checked.leaf_hash, checked.header, checked.said, time)
        self._kept = replace(self._kept, height=height + 1, time=time)
        old, new = (None if one is None else (one.members, one.quorum) for one in (before, self.governance))
        return Applied(self.tree.root(), self.app_hash(), old != new)

    def recall(self, leaf_hash: bytes, header: Header, said: Statement, time: datetime) -> None:
        """Take in what a public statement of the tree changed; opening a log calls this for each, in order."""
        governance, committed = self._kept.governance, self._kept.committed
        if isinstance(said, StateCommitted):
            committed = {**committed, header.issuer: (said.size, said.epoch, said.root)}
        elif governance is not None:
            governance = governance.step(leaf_hash, header, said, time)
        elif isinstance(said, FederationFounded):
            governance = Governance.found(said)
        self._kept = replace(self._kept, governance=governance, committed=committed)

    def grown(self, tree: MerkleLog, height: int, time: datetime) -> "Machine":
        """This state over a tree that another process added to; `recall` tells it what changed besides."""
        machine = Machine(self.members, tree, is_shared=self.is_shared)
        machine._kept = replace(self._kept, height=height, time=time)
        return machine

    def find(self, leaf_hash: bytes) -> int | None:
        """The index of the entry with this leaf hash, or None."""
        return self._leaves.find(leaf_hash)

    def mark(self) -> tuple[int, object]:
        """The present state, for `take_back`."""
        return self.tree.size, self._kept

    def take_back(self, mark: tuple[int, object]) -> None:
        """Return to an earlier state: only when the last block never became durable."""
        size, kept = mark
        assert isinstance(kept, _Kept)
        self._leaves.forget_from(size)
        self.tree.truncate(size)
        self._kept = kept

    # -- what members compare --------------------------------------------------------------------------------------

    def roots(self) -> tuple[bytes, bytes, bytes]:
        """The root of the log, the digest of what members committed to, and that of who is a member."""
        states = hashlib.sha256(b"openceir states 1\0" + write_canonical(self._committed())).digest()
        return self.tree.root(), states, self.governance.root() if self.governance else bytes(32)

    def app_hash(self) -> bytes:
        """The digest over the three roots, by which the nodes of a consortium compare themselves."""
        return app_hash_of(*self.roots())

    def _committed(self) -> list[list[object]]:
        return [[issuer, *last] for issuer, last in sorted(self._kept.committed.items())]

    def state(self) -> bytes:
        """Everything but the tree, in one spelling: what a joining node is given beside the leaves."""
        seconds = None if self.time is None else int(self.time.timestamp())
        governance = None if self.governance is None else self.governance.write()
        return write_canonical([self.height, seconds, governance, self._committed()])

    @classmethod
    def restore(
        cls, state: bytes, tree: MerkleLog, members: Members | None = None, *, is_shared: bool = True
    ) -> "Machine":
        """The machine of that state and tree; the caller compares its `app_hash` with one that it trusts.

        Raises: LedgerBroken when the octets are no state.
        """
        try:
            match read_canonical(state, "the state of a log"):
                case [int(height), int() | None as seconds, bytes() | None as octets, [*committed]]:
                    governance = None if octets is None else Governance.read(octets)
                    machine = cls(members or Members(), tree, is_shared=is_shared)
                    time = None if seconds is None else datetime.fromtimestamp(seconds, UTC)
                    machine._kept = _Kept(height, time, governance, dict(_last(item) for item in committed))
                    if machine.state() == state:
                        return machine
        except (StatementRefused, ValueError, TypeError, OverflowError, OSError) as wrong:
            raise LedgerBroken(f"the state of a log cannot be read: {wrong}") from wrong
        raise LedgerBroken("the state of a log is not spelt as this release spells it; fetch it from another node")


def app_hash_of(log_root: bytes, states_root: bytes, members_root: bytes) -> bytes:
    """The digest over a machine's three roots; with it a proof that leads to the first leads to a block's header."""
    return hashlib.sha256(b"openceir app 1\0" + log_root + states_root + members_root).digest()


def _last(item: object) -> tuple[str, tuple[int, int, bytes]]:
    match item:
        case [str(issuer), int(size), int(epoch), bytes(root)]:
            return issuer, (size, epoch, root)
    raise ValueError("what a member committed to is its id, a size, an epoch and a root")
