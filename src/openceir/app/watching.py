"""What a member of a federation does with what it fetched: judge, witness, keep proofs of forks, give what it may."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from openceir.app.federated import Federated
from openceir.federation import (
    READ_KINDS,
    CreditRule,
    FederationError,
    ForkProof,
    Judge,
    MemberFigures,
    Shares,
    Told,
    figures_of,
    is_to_come,
    log_keys,
    log_keys_of,
    signed_by_any,
    witness_keys,
)
from openceir.ledger import (
    AddCheckpoint,
    Governance,
    LoggedStatement,
    SignedCheckpoint,
    WitnessAnswer,
    WitnessKey,
    cosign,
    hash_leaf,
    judge,
)
from openceir.statements import Member, PublicKey, decode_payload, open_payload, read_header
from openceir.status import accepted
from openceir.storage.federation_shelf import Cosigned, ForeignPayload, Refused

__all__ = ["MemberStatus", "Watching"]

_JUDGED_AT_ONCE = 4096
_LANDED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """How far one member's log is followed."""

    member: str
    nation: str
    covered: int
    judged: int
    counts: dict[str, int]
    seen_at: datetime | None
    trouble: str | None

    def as_json(self) -> dict[str, Any]:
        """The facts by name."""
        return {
            "member": self.member,
            "nation": self.nation,
            "entries": self.covered,
            "judged": self.judged,
            "held": self.counts,
            "seen_at": f"{self.seen_at:%Y-%m-%dT%H:%M:%SZ}" if self.seen_at else None,
            "trouble": self.trouble,
        }

    def __str__(self) -> str:
        """One line, and one more for what is wrong."""
        held = ", ".join(f"{count} {why}" for why, count in sorted(self.counts.items()) if count)
        line = f"{self.member:<24} {self.covered} entries, {self.judged} judged: {held or 'nothing yet'}"
        return line + (f"\n    trouble: {self.trouble}" if self.trouble else "")


class Watching(Federated):
    """What a member of a federation does for the others, without the network: `abroad/` fetches and the door gives."""

    def judge_foreign(self, governance: Governance, holder: Member, *, at: datetime) -> int:
        """Judge what was fetched of a member's log since, or all of it when the members changed; how many entries.

        Signatures, roles and times are checked here; that the entries are the log's own was checked when they were
        fetched.
        """
        shelf, mirror = self.federation_shelf, self.mirror(holder.id)
        known, root = shelf.followed(holder.id), governance.root()
        first = known.judged if known.governed == root else 0
        began, judging = first, Judge(governance, holder)
        while first < mirror.covered:
            end = min(first + _JUDGED_AT_ONCE, mirror.covered)
            times = shelf.times(holder.id, first, end)
            counts, refused = [], []
            for index, (octets, logged_at) in enumerate(zip(mirror.octets(first, end), times, strict=True), first):
                if logged_at is None or is_to_come(logged_at, at):
                    end = index  # its time has not come, or its door has not said it; the rest waits with it
                    break
                verdict = judging.judge(octets, logged_at)
                if verdict.header is None:
                    refused.append(Refused(holder.id, index, int(verdict.refusal), verdict.sentence))
                else:
                    counts.append(
                        ForeignPayload(
                            holder.id, index, hash_leaf(octets), verdict.header.kind, verdict.header.issuer, None, None,
                            "wanted",
                        )
                    )  # fmt: skip
            if end == first:
                break
            lost = shelf.note_judged(holder.id, first, end, root, counts, refused)
            self._take_back_foreign(holder, lost)
            first = end
        return first - began

    def land_foreign(self, governance: Governance, holder: Member) -> int:
        """Let the national claims know of what was received; how many statements."""
        shelf, mirror, count = self.federation_shelf, self.mirror(holder.id), 0
        if not self.claims.knows(holder.id):
            shelf.land_again(holder.id)  # the claims are a view, and were made anew
        while batch := shelf.unlanded(holder.id, _LANDED_AT_ONCE):
            landing = []
            for one in batch:
                [octets] = mirror.octets(one.index, one.index + 1)
                [logged_at] = shelf.times(holder.id, one.index, one.index + 1)
                if logged_at is None or one.salt is None or one.octets is None:
                    raise FederationError(f"what was received of {holder.id} is not whole; delete federation.sqlite")
                header = read_header(octets)
                said = open_payload(header, one.salt, one.octets)
                landing.append(LoggedStatement(one.index, one.leaf_hash, logged_at, header, said))
            self._take_foreign(governance, holder, landing)
            shelf.note_landed(holder.id, [one.index for one in batch])
            count += len(batch)
        return count

    def _take_foreign(self, governance: Governance, holder: Member, landing: list[LoggedStatement]) -> None:
        """Devices' statements go to the national claims, and voters' approvals with them.

        A member that names no nation is of its log's; nobody abroad is taken for one of our own by saying nothing.
        """
        entries = [accepted(entry, governance.members, self.nation) for entry in landing]
        abroad = holder.nation or "ZZ"  # ISO 3166-1's for "nobody says which"
        self.claims.apply_abroad(
            holder.id,
            [
                replace(entry, nation=abroad) if not entry.nation and abroad != self.nation else entry
                for entry in entries
            ],
        )

    # -- witnessing ------------------------------------------------------------------------------------------------

    def add_checkpoint(self, asked: AddCheckpoint, governance: Governance, *, at: datetime) -> WitnessAnswer:
        """What we answer as a witness; what we cosigned is durable before this returns."""
        origin = asked.note.checkpoint.origin
        keys = () if self.forked(governance, origin) else log_keys_of(governance, origin)
        shelf = self.federation_shelf
        with shelf.database.transaction():
            last = shelf.witnessed(origin)
            answer = judge(asked, keys, last.checkpoint if last else None, self.witness_key(), self._steady(origin, at))
            if answer.seen is not None:
                head, own = answer.seen.checkpoint, self.witness_key().public.name
                given = [one.line for one in shelf.cosigned(origin, head.size) if one.witness == own]
                if given:  # a second signature would say a later time, and members would count by different ones
                    return WitnessAnswer(200, f"{given[0]}\n")
                self._note_own_cosignature(answer.seen)
        if answer.status == 409 and last is not None:
            self._look_for_fork(keys, asked.note, last)
        return answer

    def cosign_mirror(self, holder: Member, *, at: datetime) -> bool:
        """Cosign the newest checkpoint of a member whose entries we hold; False when we cosigned a later one already."""
        mirror = self.mirror(holder.id)
        shelf, note = self.federation_shelf, mirror.note
        if note is None:
            return False
        with shelf.database.transaction():
            last = shelf.witnessed(note.checkpoint.origin)
            if last is not None and last.checkpoint.size >= note.checkpoint.size:
                return False
            if last is not None and mirror.tree.root(last.checkpoint.size) != last.checkpoint.root:
                raise FederationError(
                    f"the log of {holder.id} is not the one that we cosigned before; look at its proof"
                )
            line = cosign(note, self.witness_key(), self._steady(note.checkpoint.origin, at))
            self._note_own_cosignature(note.with_signatures([line]))
        return True

    def _note_own_cosignature(self, seen: SignedCheckpoint) -> None:
        key = WitnessKey.of(self.witness_key().public)
        head, at = seen.checkpoint, key.verify(seen)
        self.federation_shelf.note_witnessed(seen)
        self.federation_shelf.note_cosigned([Cosigned(head.origin, head.size, key.name, at, seen.signatures[-1])])

    def _steady(self, origin: str, at: datetime) -> datetime:
        """Now, or the time of our last cosignature of this log when the clock has run back since."""
        own = self.witness_key().public.name
        return max([at, *(one.at for one in self.federation_shelf.cosigned(origin) if one.witness == own)])

    def published(self) -> SignedCheckpoint:
        """Our log's checkpoint, with whatever cosignatures came back."""
        note = self.ledger.checkpoint()
        if not self.is_federated:
            return note
        head = note.checkpoint
        return note.with_signatures(one.line for one in self.federation_shelf.cosigned(head.origin, head.size))

    # -- forks -----------------------------------------------------------------------------------------------------

    def note_fork(self, proof: ForkProof) -> Path:
        """Keep the proof that a log showed two histories; from now on it is not followed."""
        return self.federation_shelf.keep_fork(proof.name, proof.format())

    def forked(self, governance: Governance, origin: str) -> ForkProof | None:
        """The proof that this log forked, if we hold one that its own keys bear out."""
        keys = log_keys_of(governance, origin)
        for path in self.federation_shelf.forks():
            try:
                proof = ForkProof.parse(path.read_text(encoding="utf-8"))
                if proof.older.checkpoint.origin == origin:
                    proof.verify(keys)
                    return proof
            except FederationError:
                continue
        return None

    def _look_for_fork(self, keys: Iterable[PublicKey], note: SignedCheckpoint, last: SignedCheckpoint) -> None:
        """A log that asks us to cosign another root of a size that we have seen has proved its fork itself."""
        signed = signed_by_any(note, keys)
        held = signed_by_any(last, keys)
        if signed is None or held is None or signed.checkpoint.size != held.checkpoint.size:
            return
        if signed.checkpoint.root != held.checkpoint.root:
            self.note_fork(ForkProof(tuple(keys), signed, held, held.checkpoint.root, ()))

    # -- sharing ---------------------------------------------------------------------------------------------------

    def payloads_for(
        self, member_id: str, first: int, end: int, governance: Governance, *, on: datetime, most_octets: int
    ) -> tuple[int, list[tuple[int, str, bytes, bytes]]]:
        """What a member may have of what our log's entries [first, end) say: (index, why, salt, payload).

        As many as `most_octets` allow, at least one; where to go on is given first.
        """
        kinds = Shares(self.policy, governance, on.date()).kinds_for(member_id)
        found: list[tuple[int, str, bytes, bytes]] = []
        octets = 0
        end = min(end, self.ledger.size)
        for index, signed in enumerate(self.ledger.sent(first, end), first):
            if not signed.salt:
                found.append((index, "erased", b"", b""))
            elif signed.header.kind in kinds:
                found.append((index, "held", signed.salt, signed.payload))
            else:
                found.append((index, "not-shared", b"", b""))
            octets += len(found[-1][3]) + 64
            if octets >= most_octets:
                return index + 1, found
        return end, found

    # -- looking at it all -----------------------------------------------------------------------------------------

    def federation_status(self, *, at: datetime) -> list[MemberStatus]:
        """How far each member's log is followed, and what is wrong with it."""
        governance, rows = self.federation(), []
        stale_after = timedelta(hours=self.policy.value("federation.stale_after_hours", at.date()))
        for member in self.others(governance):
            known, mirror = self.federation_shelf.followed(member.id), self.mirror(member.id)
            trouble = known.trouble
            if any(self.forked(governance, key.name) for key in log_keys(member)):
                trouble = "its log showed two histories; it is followed no more"
            elif trouble is None and (known.seen_at is None or at - known.seen_at > stale_after):
                trouble = "its door has not shown a checkpoint for too long" if known.seen_at else "never followed yet"
            rows.append(
                MemberStatus(
                    member.id, member.nation, mirror.covered, known.judged, self.federation_shelf.counts(member.id),
                    known.seen_at, trouble,
                )
            )  # fmt: skip
        return rows

    def federation_report(self, *, at: datetime) -> list[MemberFigures]:
        """What each member did for the others, from the logs."""
        governance, day = self.federation(), at.date()
        own = self.own_member(governance)
        members = [member for member in governance.voters() if log_keys(member)]
        rule = CreditRule(
            *(int(self.policy.value(f"federation.{name}", day)) for name in ("credit_start", "credit_a_report", "credit_a_reversed_report"))
        )  # fmt: skip
        witness = {key.name: member for member, key in witness_keys(governance).items()}
        received: dict[tuple[str, str], list[tuple[int, datetime]]] = {}
        for member in members:
            for key in log_keys(member):
                for one in self.federation_shelf.cosigned(key.name):
                    if one.witness in witness:
                        received.setdefault((witness[one.witness], member.id), []).append((one.size, one.at))
        return figures_of([member.id for member in members], self._told(own), received, rule)

    def _told(self, own: Member) -> Iterator[Told]:
        for entry in self.ledger.of_kinds(READ_KINDS):
            header = entry.header
            yield Told(own.id, entry.index, entry.leaf_hash, header.kind, header.issuer, entry.logged_at, entry.said)
        shelf = self.federation_shelf
        for one in shelf.of_kinds(READ_KINDS):
            [logged_at] = shelf.times(one.member, one.index, one.index + 1)
            said = decode_payload(one.kind, one.octets) if one.octets is not None else None
            if logged_at is not None:
                yield Told(one.member, one.index, one.leaf_hash, one.kind, one.issuer, logged_at, said)

    def _take_back_foreign(self, holder: Member, indexes: list[int]) -> None:
        """Entries that counted and do not now leave the national claims."""
        for index in indexes:
            self.claims.forget(index, holder.id)
