"""The register in a consortium: it follows the shared book at its own node, and what it states goes there.

consortium/home.json              whose node we ask, and as whom; or only that our log moved, until the home joins
consortium/members.trust          whom we believed when we joined; the newest validators stand in book.sqlite
consortium/book.sqlite            our copy of the shared book, each step of it held against a header that members signed
consortium/federation.sqlite      what was said, as far as we hold it (the tables that a federation uses; 0600)
consortium/outbox/*.statement     ours that no block holds yet; they are durable before the node hears of them

Every step is durable before the next, and doing it once more is harmless: whatever dies, the next round goes on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from openceir.app.watching import Watching
from openceir.federation import Shares
from openceir.ledger import (
    BookMoved,
    Entry,
    Governance,
    LedgerBroken,
    LoggedStatement,
    MerkleLog,
    app_hash_of,
    hash_leaf,
)
from openceir.statements import PUBLIC_KINDS, SignedStatement, open_payload, read_header
from openceir.status import accepted
from openceir.storage.federation_shelf import FederationShelf, ForeignPayload
from openceir.storage.files import replace_file
from openceir.storage.key_files import read_trust

if TYPE_CHECKING:
    from openceir.ledger.ordered_receipt import ChainTrust
    from openceir.storage.ordered_log import Head, OrderedBlock, OrderedEntry, OrderedLog

__all__ = ["Joined", "JoinedTo", "Orderer"]

_AT_ONCE = 1000


class Orderer(Protocol):
    """Has statements ordered by our node."""

    def order(self, signed: Sequence[SignedStatement]) -> None:
        """Return once all of them stand in our copy of the book. Raises: OpenceirError."""


@dataclass(frozen=True, slots=True)
class JoinedTo:
    """The consortium that this register's book goes on in. No node and no member: our log moved, the home has yet to join."""

    chain_id: str
    node: str = ""
    member: str = ""


class Joined(Watching):
    """Following a shared book, without the network: `abroad/` asks the node and the other members."""

    orderer: Orderer | None = None

    # -- belonging to it -------------------------------------------------------------------------------------------

    @property
    def consortium_folder(self) -> Path:
        """Where everything of the consortium lies."""
        return self.home / "consortium"

    @property
    def moved_to(self) -> JoinedTo | None:
        """Where the book goes on; None when it is this home's own log."""
        try:
            return JoinedTo(**json.loads((self.consortium_folder / "home.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as wrong:
            raise LedgerBroken(f"{self.consortium_folder / 'home.json'} cannot be read: {wrong}") from wrong

    @property
    def is_joined(self) -> bool:
        """Whether this home follows a node of a consortium."""
        to = self.moved_to
        return to is not None and bool(to.node)

    def note_moved(self, chain_id: str) -> None:
        """From now on the home's own log takes nothing: the book goes on in this consortium."""
        self._write_home(JoinedTo(chain_id))

    def join_consortium(self, node: str, member: str, trust: "ChainTrust") -> None:
        """Let the book go on in the consortium of this node. Raises: BookMoved when that is another than before."""
        if self.is_federated:
            raise BookMoved("this register is in a federation; a home belongs to that or to a consortium")
        to = self.moved_to
        if to is not None and to.chain_id != trust.chain_id:
            raise BookMoved(f"this home's book goes on in {to.chain_id}; it cannot go on in {trust.chain_id} too")
        self.sign_as(member)
        replace_file(self.consortium_folder / "members.trust", trust.format().encode())
        self._write_home(JoinedTo(trust.chain_id, node, member))

    def _write_home(self, to: JoinedTo) -> None:
        plain = {"chain_id": to.chain_id, "node": to.node, "member": to.member}
        replace_file(self.consortium_folder / "home.json", json.dumps(plain).encode())

    @property
    def shared(self) -> JoinedTo:
        """Where the book goes on. Raises: BookMoved when this home follows no node."""
        to = self.moved_to
        if to is None or not to.node:
            raise BookMoved("this home follows no node of a consortium; `openceir consortium join-home` lets it")
        return to

    @cached_property
    def shared_log(self) -> "OrderedLog":
        """Our copy of the shared book."""
        from openceir.storage.ordered_log import OrderedLog

        self.consortium_folder.mkdir(parents=True, exist_ok=True)
        return OrderedLog(self.consortium_folder / "book.sqlite")

    @cached_property
    def shared_shelf(self) -> FederationShelf:
        """What was said in it, as far as we hold it."""
        return FederationShelf(self.consortium_folder)

    def shared_trust(self) -> "ChainTrust":
        """Whom we believe: the validators of the newest header that we followed, or those of the file when it is newer."""
        from openceir.ledger.ordered_receipt import ChainTrust

        pinned, head = read_trust(self.consortium_folder / "members.trust"), self.shared_log.head()
        known = None if head is None else ChainTrust.parse(head.validators.decode())
        return known if known is not None and known.height >= pinned.height else pinned

    @property
    def belongs_to(self) -> Governance | None:
        """The consortium's members, as our copy of its book proves them; otherwise the federation's."""
        if not self.is_joined:
            return super().belongs_to
        head = self.shared_log.head()
        return Governance.read(head.state) if head is not None and head.state else None

    def federation(self) -> Governance:
        """Those with whom we share. Raises: FederationError, BookMoved when nothing of the shared book was read yet."""
        if not self.is_joined:
            return super().federation()
        state = self.belongs_to
        if state is None:
            raise BookMoved("nothing of the shared book was followed yet; `openceir consortium follow` does it")
        return state

    # -- saying ----------------------------------------------------------------------------------------------------

    def submit(self, signed: Sequence[SignedStatement], *, at: datetime) -> list[Entry]:
        """Log statements where the book goes on. In a consortium each is ordered by itself: some may stand when one is refused.

        Raises: BookMoved when the book moved and this home (or this door of it) cannot reach its node.
        """
        to = self.moved_to
        if to is None:
            return super().submit(signed, at=at)
        if self.orderer is None or not to.node:
            raise BookMoved(
                f"what was asked was not done: the book goes on in {to.chain_id}, and nothing more is logged here; "
                + (
                    "state it at the register's machine with `openceir statement submit`"
                    if to.node
                    else "join it by `openceir consortium join-home`"
                )
            )
        for one in signed:
            self._refuse_haste(one, at)
            replace_file(self._outbox(hash_leaf(one.octets)), one.write(), mode=0o600)
        self.orderer.order(signed)
        entries = []
        for one in signed:
            found = self.shared_shelf.find(hash_leaf(one.octets))
            if found is None:
                raise LedgerBroken("the node says that a statement stands in its book, and our copy does not hold it")
            entries.append(Entry(found.index, found.leaf_hash))
        return entries

    def outbox(self) -> list[SignedStatement]:
        """Statements of ours that our copy of the book does not hold yet."""
        folder = self.consortium_folder / "outbox"
        return [SignedStatement.read(path.read_bytes()) for path in sorted(folder.glob("*.statement"))]

    def drop_from_outbox(self, leaf_hash: bytes) -> None:
        """Forget one that the consortium refused, or that the book holds."""
        self._outbox(leaf_hash).unlink(missing_ok=True)

    def _outbox(self, leaf_hash: bytes) -> Path:
        return self.consortium_folder / "outbox" / f"{leaf_hash.hex()}.statement"

    # -- following -------------------------------------------------------------------------------------------------

    def take_shared(
        self, first: int, entries: "Sequence[OrderedEntry]", block: "OrderedBlock", members: bytes, trust: "ChainTrust", app_hash: bytes
    ) -> None:  # fmt: skip
        """Keep these entries from `first` on, once they give the `app_hash` of a header that was verified; all or nothing.

        Nothing is kept where another process of this home took them meanwhile. `members` are kept when they are those
        that the header covers. Raises: LedgerBroken when the node gave others.
        """
        from openceir.storage.ordered_log import Head

        log, tree = self.shared_log, self._shared_tree()
        if tree.size != first:
            return
        before = log.head()
        tree.extend(hash_leaf(one.octets) for one in entries)
        if tree.size != block.size or app_hash_of(tree.root(), block.state_root, block.members_root) != app_hash:
            tree.truncate(first)
            raise LedgerBroken(f"our node gives entries that the members did not sign at block {block.height}")
        known = members if Governance.read(members).root() == block.members_root else before.state if before else b""
        try:
            with log.transaction():
                if log.size() != first:
                    tree.truncate(first)
                    return
                log.put_entries(entries)
                if log.block(block.height) is None:
                    log.put_block(block)
                log.put_head(Head(trust.chain_id, block.height, app_hash, known, trust.format().encode()))
        except BaseException:
            tree.truncate(first)
            raise

    def _shared_tree(self) -> MerkleLog:
        if "_tree" not in self.__dict__ or self._tree.size != self.shared_log.size():
            self._tree = MerkleLog()
            self._tree.extend(hash_leaf(one.octets) for one in self.shared_log.entries())
        return self._tree

    _tree: MerkleLog

    def note_shared(self) -> int:
        """Take note of the entries kept since, and of what the order itself and our outbox say of them; how many are new.

        An entry that stands in this home's own log too, which moved in, is left to that.
        """
        to, shelf, log = self.shared, self.shared_shelf, self.shared_log
        first = began = shelf.followed(to.chain_id).judged
        size = log.size()
        while first < size:
            end = min(first + _AT_ONCE, size)
            rows, times = [], []
            for entry in log.entries(first, end):
                header, leaf = read_header(entry.octets), hash_leaf(entry.octets)
                why = "own-log" if self.ledger.find(leaf) is not None else "wanted"
                rows.append(ForeignPayload(to.chain_id, entry.index, leaf, header.kind, header.issuer, None, None, why))
                times.append((entry.index, int(entry.time.timestamp())))
            shelf.note_times(to.chain_id, times)
            shelf.note_judged(to.chain_id, first, end, b"", rows, [])
            first = end
        ours = {hash_leaf(one.octets): one for one in self.outbox()}
        place = 0
        while wanted := shelf.wanted(to.chain_id, place, _AT_ONCE):
            kept = []
            for one in wanted:
                said = ours.get(one.leaf_hash)
                if said is not None:
                    kept.append(replace(one, salt=said.salt, octets=said.payload, why="held"))
                elif one.kind in PUBLIC_KINDS:
                    [entry] = log.entries(one.index, one.index + 1)
                    kept.append(replace(one, salt=entry.salt, octets=entry.payload, why="held"))
            shelf.keep(kept)
            place = wanted[-1].index + 1
        for leaf in ours:
            if shelf.find(leaf) is not None:
                self.drop_from_outbox(leaf)
        return size - began

    def land_shared(self) -> int:
        """Let the national claims know of what the book and its members told us; how many statements."""
        to, shelf, governance, count = self.shared, self.shared_shelf, self.federation(), 0
        if not self.claims.knows(to.chain_id):
            shelf.land_again(to.chain_id)  # the claims are a view, and were made anew
        while batch := shelf.unlanded(to.chain_id, _AT_ONCE):
            landing = []
            for one in batch:
                [entry] = self.shared_log.entries(one.index, one.index + 1)
                header = read_header(entry.octets)
                assert one.salt is not None, "held means salt and payload"
                assert one.octets is not None, "held means salt and payload"
                said = open_payload(header, one.salt, one.octets)
                made = accepted(
                    LoggedStatement(one.index, one.leaf_hash, entry.time, header, said), governance.members, self.nation
                )
                issuer = governance.members.find(header.issuer)
                is_ours = header.issuer == to.member or bool(
                    issuer is not None and issuer.nation and issuer.nation == self.nation
                )
                # Ours is ours, whatever nation our policy names or forgot to; "ZZ" where nobody says which.
                landing.append(replace(made, nation="" if is_ours else made.nation or "ZZ"))
            self.claims.apply_abroad(to.chain_id, landing)
            shelf.note_landed(to.chain_id, [one.index for one in batch])
            count += len(batch)
        return count

    def verify_shared(self) -> "Head | None":
        """Read our copy of the shared book again from the disk; None when there is nothing yet.

        Raises: LedgerBroken, StatementRefused when it is not what the members signed, or a payload not what was said.
        """
        head = self.shared_log.head()
        if head is None:
            return None
        tree = MerkleLog()
        tree.extend(hash_leaf(one.octets) for one in self.shared_log.entries())
        block = self.shared_log.block(head.height)
        if block is None or (tree.size, app_hash_of(tree.root(), block.state_root, block.members_root)) != (
            block.size, head.app_hash,
        ):  # fmt: skip
            raise LedgerBroken(
                f"our copy of the book is not what the members signed at block {head.height}; delete "
                f"{self.consortium_folder / 'book.sqlite'}, and it is followed anew"
            )
        for entry in self.shared_log.entries():
            held = self.shared_shelf.find(hash_leaf(entry.octets))
            if held is not None and held.salt is not None and held.octets is not None:
                open_payload(read_header(entry.octets), held.salt, held.octets)
        return head

    # -- sharing ---------------------------------------------------------------------------------------------------

    def payloads_for(
        self, member_id: str, first: int, end: int, governance: Governance, *, on: datetime, most_octets: int
    ) -> tuple[int, list[tuple[int, str, bytes, bytes]]]:
        """What a member may have of what our offices said; in a consortium, indexes are those of the shared book."""
        if not self.is_joined:
            return super().payloads_for(member_id, first, end, governance, on=on, most_octets=most_octets)
        kinds = Shares(self.policy, governance, on.date()).kinds_for(member_id)
        offices, found, octets = self.offices(governance), list[tuple[int, str, bytes, bytes]](), 0
        for entry in self.shared_log.entries(first, min(end, self.shared_log.size())):
            signed = self._held(hash_leaf(entry.octets))
            if signed is None or signed.header.issuer not in offices:
                continue
            if not signed.salt:
                found.append((entry.index, "erased", b"", b""))
            elif signed.header.kind in kinds:
                found.append((entry.index, "held", signed.salt, signed.payload))
            else:
                found.append((entry.index, "not-shared", b"", b""))
            octets += len(found[-1][3]) + 64
            if octets >= most_octets:
                return entry.index + 1, found
        return end, found

    def offices(self, governance: Governance) -> frozenset[str]:
        """Who speaks for this nation in the shared book: our member, and those of its nation that say things through it."""
        own = governance.members.find(self.shared.member)
        nation = own.nation if own is not None else ""
        others = (one.id for one in governance.members if nation and one.nation == nation and not one.is_voter)
        return frozenset({self.shared.member, *others})

    def _held(self, leaf_hash: bytes) -> SignedStatement | None:
        """A statement of the shared book with what we hold of it; no salt when it was erased, None when we hold nothing."""
        index = self.ledger.find(leaf_hash)
        if index is not None:
            [signed] = self.ledger.sent(index, index + 1)
            return signed
        one = self.shared_shelf.find(leaf_hash)
        if one is None or one.why not in {"held", "erased"}:
            return None
        [entry] = self.shared_log.entries(one.index, one.index + 1)
        return SignedStatement(entry.octets, one.salt or b"", one.octets or b"")
