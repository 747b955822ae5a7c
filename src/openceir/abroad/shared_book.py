"""Following a consortium's book at our own node, and receiving what its members share of it.

One round, each step durable before the next, so that a round that dies anywhere is gone on with:

    1. outbox      ours that no block holds yet are handed to the node; it knows those that it has
    2. entries     in order, up to a block whose header over a third of what we trusted, and two thirds of now, signed:
                   they are kept only if they give that header's app_hash
    3. payloads    of the issuing members' doors, as far as their policy lets us; each must be the one that was signed
    4. claims      by our own policy on foreign statements
    5. erasure     what was ordered to be forgotten is destroyed, and the answer goes into the book
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from openceir import clock
from openceir.abroad.peer import Peer, PeerWrong
from openceir.app import Register
from openceir.consortium import NodeClient, NotReached, follow, write_transaction
from openceir.errors import OpenceirError
from openceir.federation import FederationError
from openceir.ledger import LedgerBroken, ProofRefused, hash_leaf
from openceir.ledger.ordered_receipt import ChainTrust
from openceir.statements import SignedStatement, StatementRefused, open_payload, read_header
from openceir.storage.federation_shelf import ForeignPayload
from openceir.storage.ordered_log import OrderedBlock, OrderedEntry

__all__ = ["NodeOrderer", "SharedFollower", "SharedRound", "orderer_of", "take_up"]

_ENTRIES_AT_ONCE: Final = 5000
_PAYLOADS_AT_ONCE: Final = 5000
_TRUST_PERIOD: Final = timedelta(days=14)  # keys of who left longer ago may be stolen; as `openceir consortium trust`
_PAUSE: Final = 0.1


@dataclass(slots=True)
class SharedRound:
    """What one round came to."""

    taken: int = 0  # entries
    received: int = 0  # payloads that members gave us
    landed: int = 0  # statements that our claims now know of
    erased: int = 0
    troubles: dict[str, str] = field(default_factory=dict)  # by member; "" is our own node


def orderer_of(register: Register) -> "NodeOrderer":
    """What has this register's statements ordered by its node."""
    return NodeOrderer(register, NodeClient(register.shared.node), clock.now)


class NodeOrderer:
    """Hands statements to our node, and follows the book until they stand in it."""

    def __init__(
        self, register: Register, client: NodeClient, now: Callable[[], datetime], *, wait: float = 60.0
    ) -> None:
        self._register, self._client, self._now, self._wait = register, client, now, wait

    def order(self, signed: Sequence[SignedStatement]) -> None:
        """Return once all of them stand in our copy of the book, and in our claims.

        Raises: StatementRefused when the consortium refuses one; NotReached when they are in no block in time. Those stay
        in the outbox, and the next round hands them over again.
        """
        leaves = [hash_leaf(one.octets) for one in signed]
        until = time.monotonic() + self._wait
        try:
            for one in signed:
                _hand_over(self._register, self._client, one)
            while True:
                if all(self._client.find(leaf) is not None for leaf in leaves):
                    take_up(self._register, self._client, self._now())
                    if all(self._register.shared_shelf.find(leaf) is not None for leaf in leaves):
                        break
                if time.monotonic() > until:
                    raise NotReached(
                        f"not in a signed block after {self._wait:g} s; it waits in the outbox, and "
                        "`openceir consortium follow` goes on with it: are more than two thirds of the nodes running?"
                    )
                time.sleep(_PAUSE)
        finally:
            self._client.close()
        self._register.land_shared()


def _hand_over(register: Register, client: NodeClient, one: SignedStatement) -> None:
    try:
        client.hand_over(write_transaction(one))
    except StatementRefused:
        register.drop_from_outbox(hash_leaf(one.octets))
        raise


def take_up(register: Register, client: NodeClient, now: datetime) -> int:
    """Bring our copy of the book up to the newest block that a header covers; how many entries are new.

    Raises: ProofRefused, LedgerBroken when the node shows what the members did not sign; NotReached.
    """
    began = register.shared_log.size()
    while True:
        head, trust = register.shared_log.head(), register.shared_trust()
        newest = client.height()
        if newest < 2 or (head is not None and head.height >= newest - 1):
            break  # a block's state stands in the header of the next
        first = register.shared_log.size()
        height = newest - 1
        size = int(client.head()["size"])
        if size - first > _ENTRIES_AT_ONCE:  # a part of them, up to an earlier block
            part = client.entry(first + _ENTRIES_AT_ONCE)
            if part is not None and 0 < part[1] < height and client.proof(0, part[1]) is not None:
                height = int(part[1])
        _take_to(register, client, trust, height, now)
    register.note_shared()
    return register.shared_log.size() - began


def _take_to(register: Register, client: NodeClient, trust: ChainTrust, height: int, now: datetime) -> None:
    blocks = follow(client, trust, height + 1)
    header = trust.verify(blocks, now=now, trust_period=_TRUST_PERIOD)
    proof = client.proof(0, height)
    if proof is None:
        raise NotReached(f"our node keeps nothing of block {height} yet; ask again")
    _, size, _, _, state_root, members_root = proof
    first = register.shared_log.size()
    entries = []
    for index in range(first, size):
        row = client.entry(index)
        match row:
            case [int(at), int(ordered_at), int(seconds), bytes(octets), *said] if at == index:
                salt, payload = said if len(said) == 2 else (b"", b"")
                if said:
                    open_payload(read_header(octets), salt, payload)
                entries.append(
                    OrderedEntry(index, ordered_at, datetime.fromtimestamp(seconds, UTC), octets, salt, payload)
                )
            case _:
                raise LedgerBroken(f"our node does not give entry {index} of its own book")
    believed = trust
    if header.validators_hash == header.next_validators_hash:
        believed = ChainTrust(trust.chain_id, blocks[-1].validators, height, header.time.moment)
    block = OrderedBlock(height, header.time.moment.replace(microsecond=0), size, state_root, members_root)
    register.take_shared(first, entries, block, client.members(), believed, header.app_hash)


class SharedFollower:
    """One home's rounds; `peers` are the doors of members by their ids."""

    def __init__(
        self, register: Register, client: NodeClient, peers: Mapping[str, Peer], now: Callable[[], datetime]
    ) -> None:
        self.register, self.client, self.peers, self.now = register, client, peers, now
        self._to = register.shared
        self._signer = register.signing_key(self._to.member)

    def round(self) -> SharedRound:
        """Do every step once; a member's fault is noted, and holds up nobody else."""
        done = SharedRound()
        try:
            for one in self.register.outbox():
                try:
                    _hand_over(self.register, self.client, one)
                except StatementRefused as wrong:
                    done.troubles[""] = f"the consortium refuses what we said: {wrong}"
            done.taken = take_up(self.register, self.client, self.now())
            if self.register.belongs_to is None:
                return done  # the members changed this moment; the next round knows them
            self._receive(done)
            done.landed = self.register.land_shared()
            for order in self.register.obey_erasures(by=self._to.member, at=self.now()):
                if order.trouble:
                    done.troubles.setdefault("", f"an order to erase cannot be followed yet: {order.trouble}")
                else:
                    done.erased += 1
        except (NotReached, ProofRefused) as wrong:
            done.troubles[""] = str(wrong)
        finally:
            self.client.close()
        return done

    def _receive(self, done: SharedRound) -> None:
        wanted: dict[str, list[ForeignPayload]] = {}
        place, shelf = 0, self.register.shared_shelf
        self._want_again(done)
        while batch := shelf.wanted(self._to.chain_id, place, _PAYLOADS_AT_ONCE):
            for one in batch:
                wanted.setdefault(self._door_of(one.issuer) or one.issuer, []).append(one)
            place = batch[-1].index + 1
        ours = self.register.offices(self.register.federation())
        for member, entries in wanted.items():
            if member in ours:
                done.troubles[member] = f"what {len(entries)} of our own entries say is not here; it was said elsewhere"
            elif member not in self.peers:
                done.troubles[member] = f"federation/peers.toml does not say where the door of {member} is"
            else:
                try:
                    self._receive_of(done, member, entries)
                except FederationError as wrong:
                    done.troubles[member] = str(wrong)

    def _door_of(self, issuer: str) -> str | None:
        """The member at whose door what `issuer` said is asked for: its own, or that of its nation."""
        if issuer in self.peers:
            return issuer
        members = self.register.federation().members
        said_by = members.find(issuer)
        nation = said_by.nation if said_by is not None else ""
        found = (
            name for name in sorted(self.peers) if (one := members.find(name)) is not None and one.nation == nation
        )
        return next(found, None) if nation else None

    def _want_again(self, done: SharedRound) -> None:
        """What a member did not share with us is asked for once its policy lets us know it."""
        for issuer, kinds in self.register.shared_shelf.not_shared(self._to.chain_id).items():
            if (door := self._door_of(issuer)) is not None:
                try:
                    shared = kinds & set(self.peers[door].shares(self._signer, self.now()))
                except FederationError as wrong:
                    done.troubles[door] = str(wrong)
                else:
                    self.register.shared_shelf.want_again(self._to.chain_id, shared, [issuer])

    def _receive_of(self, done: SharedRound, member: str, entries: list[ForeignPayload]) -> None:
        withheld, at = 0, 0
        while at < len(entries):
            first = entries[at].index
            end = min(entries[-1].index + 1, first + _PAYLOADS_AT_ONCE)
            after, given = self.peers[member].payloads(first, end, self._signer, self.now())
            said, kept = {one.entry: one for one in given}, []
            while at < len(entries) and entries[at].index < after:
                one = entries[at]
                answer = said.get(one.index)
                kept.append(self._checked(one, answer.why, answer.salt, answer.octets) if answer else one)
                withheld += kept[-1].why in {"withheld", "wanted"}
                at += 1
            self.register.shared_shelf.keep(kept)
            done.received += sum(one.why == "held" for one in kept)
        if withheld:
            raise PeerWrong(f"{member} withholds what {withheld} of its entries say, or gives something else for it")

    def _checked(self, one: ForeignPayload, why: str, salt: bytes, octets: bytes) -> ForeignPayload:
        if why != "held":
            return replace(one, why=why)
        [entry] = self.register.shared_log.entries(one.index, one.index + 1)
        try:
            open_payload(read_header(entry.octets), salt, octets)
        except OpenceirError:
            return replace(one, why="withheld")
        return replace(one, salt=salt, octets=octets, why="held")
