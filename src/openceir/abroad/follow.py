"""Following the other members: one round visits every door once, and leaves everything so that the next goes on.

For each member, in this order, each step durable before the next:

    1. checkpoint     its signature; smaller or equal to ours: the two must agree (else there is a proof of a fork)
    2. entries        fetched in bundles from where we are, kept ahead of the checkpoint
    3. root           the entries must give the checkpoint's root; from here on they count as the log's
    4. cosignature    that its log only grew, and that we hold its entries
    5. judging        every signature, role and time
    6. payloads       what we may have and want; each must be the one that was signed
    7. gossip         what it saw of others, and proofs of forks that it holds

Then what was ordered to be forgotten is destroyed, and our own newest checkpoint is shown to the others' witnesses.

A member whose door is away, or who shows less than before, is noted and asked again; its neighbours are followed on.
A member whose log showed two histories is followed no more: the proof is kept as a file, and given to who asks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from openceir.abroad.peer import PayloadGiven, Peer, PeerAway, PeerWrong
from openceir.app import Register
from openceir.federation import FederationError, ForkProof, LogStale, Mirror, log_keys, signed_by_any, witness_keys
from openceir.ledger import (
    TILE_WIDTH,
    AddCheckpoint,
    Governance,
    LedgerError,
    MerkleLog,
    SignedCheckpoint,
    Tile,
    bundles_between,
)
from openceir.statements import PUBLIC_KINDS, Member, StatementRefused, open_payload, read_header
from openceir.storage.federation_shelf import Cosigned, ForeignPayload

__all__ = ["Follower", "Round"]

_ENTRIES_A_BLOCK = 8192
_PAYLOADS_AT_ONCE = 5000


@dataclass(slots=True)
class Round:
    """What one round came to."""

    taken: dict[str, int] = field(default_factory=dict)  # entries fetched, by member
    judged: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)  # statements that reached us
    cosigned_by: list[str] = field(default_factory=list)  # who cosigned our newest checkpoint
    troubles: dict[str, str] = field(default_factory=dict)
    forks: list[str] = field(default_factory=list)  # names of proofs that are new
    erased: int = 0  # orders to erase that were obeyed


class Follower:
    """One register's rounds. `by` names our voting member, whose key signs requests, and that erasures were done."""

    def __init__(self, register: Register, peers: Mapping[str, Peer], by: str, now: Callable[[], datetime]) -> None:
        self.register, self.peers, self.by, self.now = register, peers, by, now
        self.signer = register.signing_key(by)
        self._shelf = register.federation_shelf

    def round(self) -> Round:
        """Visit every door once."""
        done = Round()
        governance = self.register.federation()
        for member in self.register.others(governance):
            self._visit(done, governance, member)
            fresh = self.register.federation()
            if fresh.root() != governance.root():  # somebody was admitted, or a key revoked: it counts at once
                governance = fresh
                for other in self.register.others(governance):
                    self.register.judge_foreign(governance, other, at=self.now())
        for member in self.register.others(governance):
            self._guarded(done, member, lambda member=member: self._gossip(done, governance, member))  # type: ignore[misc]
        self._obey(done)
        self._publish(done, governance)
        return done

    def _obey(self, done: Round) -> None:
        """Destroy what others ordered to be forgotten, and say so in our log."""
        try:
            for one in self.register.obey_erasures(by=self.by, at=self.now()):
                if one.trouble:
                    done.troubles.setdefault("", f"an order to erase cannot be followed yet: {one.trouble}")
                else:
                    done.erased += 1
        except LedgerError as wrong:
            done.troubles.setdefault("", f"an order to erase could not be answered: {wrong}")

    # -- one member ------------------------------------------------------------------------------------------------

    def _visit(self, done: Round, governance: Governance, member: Member) -> None:
        if self._is_forked(governance, member):
            done.troubles[member.id] = "its log showed two histories"
            self._shelf.note_trouble(member.id, done.troubles[member.id], self.now())
            return
        self._guarded(done, member, lambda: self.take(done, governance, member))
        self._guarded(done, member, lambda: self.read_up(done, governance, member))

    def _guarded(self, done: Round, member: Member, step: Callable[[], None]) -> None:
        """Do this step; a member's fault stops the step, is noted, and holds up nobody else."""
        try:
            step()
        except FederationError as wrong:
            if member.id not in done.troubles:
                done.troubles[member.id] = str(wrong)
                self._shelf.note_trouble(member.id, str(wrong), self.now())

    def _peer(self, member: Member) -> Peer:
        peer = self.peers.get(member.id)
        if peer is None:
            raise PeerAway(f"federation/peers.toml does not say where the door of {member.id} is")
        return peer

    def take(self, done: Round, governance: Governance, member: Member) -> None:
        """Steps 1 to 4: fetch what is new of its log, hold it against the checkpoint, cosign."""
        peer, keys = self._peer(member), log_keys(member)
        note = peer.checkpoint()
        if note is None:
            if self.register.mirror(member.id).covered:
                raise LogStale(f"{member.id} shows nothing of a log that had entries")
            return
        signed = signed_by_any(note, keys)
        if signed is None:
            raise PeerWrong(f"{member.id} shows a checkpoint that no key of its log signed")
        self._note_cosignatures(governance, note)
        self._take_up_to(done, member, peer, signed, "")

    def _take_up_to(self, done: Round, member: Member, peer: Peer, signed: SignedCheckpoint, prefix: str) -> None:
        """Hold our copy against a checkpoint of the log, and bring it up to it from the door of `peer`."""
        mirror, size = self.register.mirror(member.id), signed.checkpoint.size
        mirror.refresh()
        if mirror.note is not None and size <= mirror.covered:
            proof = ForkProof.find(log_keys(member), signed, mirror.note, mirror.tree)
            if proof is not None:
                self._caught(done, member, proof)
            if size < mirror.covered:
                raise LogStale(f"{member.id} shows {size} entries where it has shown {mirror.covered}")
            self._shelf.note_seen(member.id, self.now(), has_grown=False)
            return
        before = mirror.size
        self._fetch(member, mirror, peer, size, prefix)
        done.taken[member.id] = done.taken.get(member.id, 0) + mirror.size - before
        if mirror.size < size:
            raise LogStale(f"{member.id} logged more than {self._quota()} entries a day; the rest is taken tomorrow")
        if not mirror.cover(signed):
            self._explain(done, member, mirror, peer, signed, prefix)
        self._shelf.note_seen(member.id, self.now(), has_grown=True)
        self.register.cosign_mirror(member, at=self.now())

    def _quota(self) -> int:
        return int(self.register.policy.value("federation.most_entries_a_day", self.now().date()))

    def _fetch(self, member: Member, mirror: Mirror, peer: Peer, size: int, prefix: str) -> None:
        """Fetch and hold entries up to `size`, or to what policy takes of one member on one day."""
        end = min(size, mirror.size + max(0, self._quota() - self._shelf.taken_on(member.id, self.now())))
        waiting: list[bytes] = []
        for tile in bundles_between(mirror.size, end):
            whole = Tile(
                None, tile.index, min(TILE_WIDTH, size - tile.first)
            )  # the one that a checkpoint of `size` asks for
            entries = peer.bundle(whole, prefix)
            waiting += entries[max(mirror.size + len(waiting) - tile.first, 0) : end - tile.first]
            if len(waiting) >= _ENTRIES_A_BLOCK:
                self._hold(member, mirror, waiting)
                waiting = []
        if waiting:
            self._hold(member, mirror, waiting)

    def _hold(self, member: Member, mirror: Mirror, entries: list[bytes]) -> None:
        mirror.hold(entries, self.now())
        self._shelf.note_taken(member.id, len(entries), self.now())

    def _explain(
        self, done: Round, member: Member, mirror: Mirror, peer: Peer, signed: SignedCheckpoint, prefix: str
    ) -> None:
        """The entries do not give the root: find out whether the log forked or its door only gave wrong octets."""
        mirror.drop()
        if mirror.note is not None:
            other, size = MerkleLog(), signed.checkpoint.size
            for index in range(-(-size // 256)):
                other.extend(peer.hashes(Tile(0, index, min(256, size - 256 * index)), prefix))
            if other.root() == signed.checkpoint.root:
                proof = ForkProof.find(log_keys(member), mirror.note, signed, other)
                if proof is not None:
                    self._caught(done, member, proof)
        raise PeerWrong(f"the entries that {peer.member} gives are not those that the checkpoint of {member.id} covers")

    def _caught(self, done: Round, member: Member, proof: ForkProof) -> None:
        proof.verify(log_keys(member))
        path = self.register.note_fork(proof)
        done.forks.append(path.name)
        raise FederationError(f"the log of {member.id} showed two histories; the proof is {path}")

    def _is_forked(self, governance: Governance, member: Member) -> bool:
        return any(self.register.forked(governance, key.name) is not None for key in log_keys(member))

    # -- what it says ------------------------------------------------------------------------------------------------

    def read_up(self, done: Round, governance: Governance, member: Member) -> None:
        """Steps 5 and 6: judge what was fetched, and receive what it says."""
        peer, mirror = self._peer(member), self.register.mirror(member.id)
        known = self._shelf.last_time(member.id)
        judged = self._shelf.followed(member.id).judged
        if mirror.covered > judged:
            times = peer.times(known[0] if known else 0)
            if known is not None and times and times[0][1] < known[1]:
                raise PeerWrong(f"the times of {member.id}'s entries run back")
            self._shelf.note_times(member.id, times)
        done.judged[member.id] = self.register.judge_foreign(governance, member, at=self.now())
        done.received[member.id] = self._receive(member, peer, mirror)
        self.register.land_foreign(governance, member)

    def _receive(self, member: Member, peer: Peer, mirror: Mirror) -> int:
        """Ask for what is wanted. What a member withholds is asked for again in every round, what it does not share when it does."""
        if kept_back := self._shelf.not_shared(member.id):
            shared = set(peer.shares(self.signer, self.now()))
            for issuer, kinds in kept_back.items():
                self._shelf.want_again(member.id, kinds & shared, [issuer])
        received, withheld, first = 0, 0, 0
        while wanted := self._shelf.wanted(member.id, first, _PAYLOADS_AT_ONCE):
            first, end = wanted[0].index, min(wanted[-1].index + 1, wanted[0].index + _PAYLOADS_AT_ONCE)
            after, given = peer.payloads(first, end, self.signer, self.now())
            said = {one.entry: one for one in given}
            kept = [_checked(one, said.get(one.index), mirror) for one in wanted if one.index < after]
            self._shelf.keep(kept)
            received += sum(one.why == "held" for one in kept)
            withheld += sum(one.why == "withheld" for one in kept)
            first = after
        if withheld:
            raise PeerWrong(f"{member.id} withholds what {withheld} of its entries say, or gives something else for it")
        return received

    # -- gossip ------------------------------------------------------------------------------------------------------

    def _gossip(self, done: Round, governance: Governance, member: Member) -> None:
        """Step 7: two members who were shown different histories find out here."""
        peer = self._peer(member)
        for name in peer.forks():
            self._learn_fork(done, governance, peer, name)
        others = {one.id: one for one in self.register.others(governance)}
        for other_id, note in peer.seen().items():
            other = others.get(other_id)
            if other is None:
                self._compare_own(done, note)
                continue
            signed = signed_by_any(note, log_keys(other))
            if signed is None or self._is_forked(governance, other):
                continue
            self._note_cosignatures(governance, note)
            mirror = self.register.mirror(other_id)
            if mirror.note is None or signed.checkpoint.size > mirror.covered:
                # Shown to it and not to us: fetched from its copy. Should that not follow on ours, the log forked.
                self._guarded(
                    done, other, lambda other=other, signed=signed: self._take_up_to(  # type: ignore[misc]
                        done, other, peer, signed, f"/logs/{other.id}"
                    ),
                )  # fmt: skip
            else:
                proof = ForkProof.find(log_keys(other), signed, mirror.note, mirror.tree)
                if proof is not None:
                    self._guarded(done, other, lambda other=other, proof=proof: self._caught(done, other, proof))  # type: ignore[misc]

    def _compare_own(self, done: Round, note: SignedCheckpoint) -> None:
        """A checkpoint of our own log that is not of our history: our key is in other hands, or a backup was restored."""
        ledger = self.register.ledger
        signed = signed_by_any(note, [ledger.log_key])
        if signed is None:
            return
        own = ledger.checkpoint()
        head = signed.checkpoint
        if head.size <= own.checkpoint.size and ledger.tree.root(head.size) == head.root:
            return
        done.troubles[""] = (
            f"others were shown a history of our own log with {head.size} entries that is not the one here: the log key "
            "is in other hands, or this home was restored from an old copy"
        )

    def _learn_fork(self, done: Round, governance: Governance, peer: Peer, name: str) -> None:
        if any(path.name == name for path in self._shelf.forks()):
            return
        proof = ForkProof.parse(peer.fork(name))
        keys = [
            key
            for member in governance.voters()
            for key in log_keys(member)
            if key.name == proof.older.checkpoint.origin
        ]
        proof.verify(keys)  # nobody is accused on hearsay
        done.forks.append(self.register.note_fork(proof).name)

    # -- our own log -------------------------------------------------------------------------------------------------

    def _publish(self, done: Round, governance: Governance) -> None:
        """Let the others witness our newest checkpoint."""
        ledger = self.register.ledger
        ledger.refresh()
        if ledger.size == 0:
            return
        note, keys = ledger.checkpoint(), witness_keys(governance)
        head = note.checkpoint
        for member in self.register.others(governance):
            key, peer = keys.get(member.id), self.peers.get(member.id)
            if key is None or peer is None:
                continue
            known = [one.size for one in self._shelf.cosigned(head.origin) if one.witness == key.name]
            if head.size in known:
                done.cosigned_by.append(member.id)
                continue
            try:
                line = self._witnessed_by(peer, note, max(known, default=0))
            except FederationError as wrong:
                done.troubles.setdefault(member.id, str(wrong))
                continue
            at = key.find(note.with_signatures(line))
            if at is not None:
                self._shelf.note_cosigned([Cosigned(head.origin, head.size, key.name, at, one) for one in line])
                done.cosigned_by.append(member.id)

    def _witnessed_by(self, peer: Peer, note: SignedCheckpoint, old: int) -> list[str]:
        """The cosignature of this member; raises FederationError when it gives none."""
        ledger, size = self.register.ledger, note.checkpoint.size
        for _ in range(2):
            asked = AddCheckpoint(old, tuple(ledger.tree.consistency_proof(old, size)), note)
            status, body = peer.add_checkpoint(asked)
            text = body.strip()
            if status == 200:
                return [line for line in body.split("\n") if line][:1]
            if status != 409 or not (text.isascii() and text.isdigit() and len(text) < 16) or int(text) > size:
                break
            old = int(text)
        raise PeerWrong(f"{peer.member} does not cosign our checkpoint (HTTP status {status}): {text[:200]}")

    def _note_cosignatures(self, governance: Governance, note: SignedCheckpoint) -> None:
        """Keep the witnesses' words that a checkpoint bears."""
        found = []
        for key in witness_keys(governance).values():
            at = key.find(note)
            if at is not None:
                line = next(
                    line for line in note.signatures if key.find(SignedCheckpoint(note.checkpoint, note.text, (line,)))
                )
                found.append(Cosigned(note.checkpoint.origin, note.checkpoint.size, key.name, at, line))
        self._shelf.note_cosigned(found)


def _checked(one: ForeignPayload, given: PayloadGiven | None, mirror: Mirror) -> ForeignPayload:
    """What to keep of an answer: the payload if it is the one that was signed, else why there is none."""
    if given is None:
        return replace(one, why="withheld")
    if given.why != "held":
        # Nobody may withhold what is public, and what is public is never erased.
        return replace(one, why="withheld" if one.kind in PUBLIC_KINDS else given.why)
    [octets] = mirror.octets(one.index, one.index + 1)
    try:
        open_payload(read_header(octets), given.salt, given.octets)
    except StatementRefused:
        return replace(one, why="withheld")
    return replace(one, salt=given.salt, octets=given.octets, why="held")
