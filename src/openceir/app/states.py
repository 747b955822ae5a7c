"""What the register commits itself to say of every device, so that presence and absence can be proved."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Final

from openceir.app.answers import Answers
from openceir.identity import ODD_DEVICE_BASE, Identifier
from openceir.ledger import Entry, Held, LedgerError, token_text
from openceir.progress import Progress, Silent
from openceir.statements import StateCommitted
from openceir.status import ClaimKind
from openceir.storage.committed_states import CommittedStates
from openceir.storage.files import replace_file

__all__ = ["States"]

# What is said against a device. Who made, approved or imported it is no business of a stranger with a proof.
_REPORTED: Final = (ClaimKind.STOLEN, ClaimKind.LOST, ClaimKind.BLOCKED, ClaimKind.TRACKED, ClaimKind.CLASSIFIED)


class States(Answers):
    """Commitments to the state of all devices, and proofs from them."""

    @cached_property
    def committed_states(self) -> CommittedStates:
        """The last commitment."""
        return CommittedStates(self.database, self._state_secret)

    def _state_secret(self) -> bytes:
        """The secret of all token keys; made when first needed."""
        path = self.home / "keys" / "state.key"
        if not path.exists():
            replace_file(path, os.urandom(32), mode=0o600)
        return path.read_bytes()

    def commit_state(self, *, by: str, at: datetime, progress: Progress = Silent()) -> Entry:
        """Commit to what holds of every device at `at`, in a `state-committed/1` by the regulator's key `by`.

        The token key changes with the calendar year. Raises: KeyRefused, MemberRefused, StatementRefused.
        """
        self.catch_up()
        size = self.claims.applied_size
        held: dict[int, list[Held]] = {}
        ranges: dict[tuple[int, int], list[Held]] = {}
        for kind in _REPORTED:
            current = self.claims.current(kind, at)
            for device, row in zip(current.device.tolist(), current.row.tolist(), strict=True):
                said = current.said[row]
                held.setdefault(device, []).append(Held(said.issuer, said.kind, said.label, said.effective_at))
            for piece in self.claims.current_ranges(kind, at):
                span = ranges if piece.lo < piece.hi else None
                said = piece.said
                one = Held(said.issuer, said.kind, said.label, said.effective_at)
                (held.setdefault(piece.lo, []) if span is None else span.setdefault((piece.lo, piece.hi), [])).append(
                    one
                )
        pieces = [(lo, hi, some) for (lo, hi), some in sorted(ranges.items())]
        prepared = self.committed_states.prepare(at.year, held, self._token_texts, pieces, progress)
        said_state = StateCommitted(
            size=size,
            epoch=at.year,
            token_key=prepared.state.key.public,
            root=prepared.state.root(),
            as_of_at=at.replace(microsecond=0),
        )
        [entry] = self.state([said_state], by=by, at=at)
        self.committed_states.keep(prepared, entry.leaf_hash)
        return entry

    def prove_state(self, value: str, *, at: datetime) -> bytes:
        """The file that shows what the last commitment says of a device, nothing included.

        Raises: NotADevice, ProbablyMistyped; LedgerError before the first commitment.
        """
        identifier, device = self.inquiries.named(value)
        loaded = self.committed_states.load()
        if loaded is None:
            raise LedgerError("nothing was committed to yet; `openceir absence commit --by NAME` does it")
        state, leaf_hash = loaded
        index = self.ledger.find(leaf_hash)
        if index is None:
            raise LedgerError("the committed state is not of this ledger; commit anew")
        text, digits = state_name(identifier)
        held = () if device is None else self.committed_states.held_of(device)
        return state.prove(text, digits, held, self.ledger.receipt(index, at=at))

    def _token_texts(self, devices: Sequence[int]) -> Mapping[int, bytes]:
        texts = {key: token_text("imei", f"{key:014d}") for key in devices if key < ODD_DEVICE_BASE}
        for key, (scheme, text) in self.identifiers.texts_of([k for k in devices if k >= ODD_DEVICE_BASE]).items():
            texts[key] = token_text(scheme, text)
        return texts


def state_name(identifier: Identifier) -> tuple[bytes, int | None]:
    """What a device is called in a state file: the text of its token, and its 14 digits when it has them."""
    if identifier.imei is not None:
        return token_text("imei", identifier.imei), int(identifier.imei)
    return token_text(identifier.scheme, identifier.canonical), None
