"""What the register last committed to say of each device: tokens and claims, kept so that it can be proved later.

A view of the claims at one instant. It is written in one transaction after its statement is in the log: until then a
restart finds the commitment before, whose proofs still hold.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from openceir.ledger import CommittedState, Held, TokenKey, read_held, write_held
from openceir.progress import Progress, Silent
from openceir.storage.database import Database

__all__ = ["CommittedStates", "PreparedState"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state_entry(
    device INTEGER PRIMARY KEY, token BLOB NOT NULL, held BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS state_range(
    lo INTEGER PRIMARY KEY, hi INTEGER NOT NULL, held BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS state_commit(
    one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, leaf_hash BLOB NOT NULL
) STRICT;
"""

Ranges = Sequence[tuple[int, int, Sequence[Held]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedState:
    """A state that may be committed to, and how it differs from the one before."""

    state: CommittedState
    epoch: int
    set: Mapping[int, tuple[bytes, bytes]]  # device -> token, held
    gone: Sequence[int]
    ranges: Ranges


class CommittedStates:
    """The last committed state in `register.sqlite`. One writer; `keep` is durable on return."""

    def __init__(self, database: Database, secret: Callable[[], bytes]) -> None:
        """`secret`: 32 octets from which the token key of each epoch is derived; asked for when needed."""
        self._database = database
        self._secret = secret
        database.define(_SCHEMA)

    def key_of(self, epoch: int) -> TokenKey:
        """The token key of an epoch."""
        return TokenKey(hmac.digest(self._secret(), b"openceir token epoch 1\0" + epoch.to_bytes(8), hashlib.sha256))

    def prepare(
        self,
        epoch: int,
        held: Mapping[int, Sequence[Held]],
        text_of: Callable[[Sequence[int]], Mapping[int, bytes]],
        ranges: Ranges,
        progress: Progress = Silent(),
    ) -> PreparedState:
        """The state in which exactly this holds; only what differs from the one before is computed.

        `text_of` gives the token texts of device keys. A device that has none is left out.
        """
        last = self._last()
        state = CommittedState(self.key_of(epoch))
        tokens: dict[int, bytes] = {}
        before: dict[int, bytes] = {}
        for device, token, octets in self._database.connection.execute("SELECT device, token, held FROM state_entry"):
            before[device] = octets
            if last is not None and last[0] == epoch:
                tokens[device] = token
        texts = text_of([device for device in held if device not in tokens])
        for done, (device, text) in enumerate(texts.items(), 1):
            tokens[device] = state.key.token(text)
            progress("tokens made", done, len(texts))
        now = {device: write_held(some) for device, some in held.items() if device in tokens}
        state.update({tokens[device]: held[device] for device in now})
        state.set_ranges(ranges)
        changed = {
            device: (tokens[device], octets)
            for device, octets in now.items()
            if before.get(device) != octets or device in texts
        }
        gone = [device for device in before if device not in now]
        return PreparedState(state=state, epoch=epoch, set=changed, gone=gone, ranges=ranges)

    def keep(self, prepared: PreparedState, leaf_hash: bytes) -> None:
        """Put this state in place of the one before: the statement of this leaf hash committed to it."""
        with self._database.transaction() as rows:
            rows.executemany("DELETE FROM state_entry WHERE device = ?", ((device,) for device in prepared.gone))
            rows.executemany(
                "INSERT OR REPLACE INTO state_entry VALUES (?, ?, ?)",
                ((device, token, octets) for device, (token, octets) in prepared.set.items()),
            )
            rows.execute("DELETE FROM state_range")
            rows.executemany(
                "INSERT INTO state_range VALUES (?, ?, ?)",
                ((lo, hi, write_held(held)) for lo, hi, held in prepared.ranges),
            )
            rows.execute("INSERT OR REPLACE INTO state_commit VALUES (1, ?, ?)", (prepared.epoch, leaf_hash))

    def load(self) -> tuple[CommittedState, bytes] | None:
        """The last committed state and the leaf hash of its statement; None before the first."""
        last = self._last()
        if last is None:
            return None
        state = CommittedState(self.key_of(last[0]))
        rows = self._database.connection.execute("SELECT token, held FROM state_entry")
        state.update({token: read_held(octets) for token, octets in rows})
        spans = self._database.connection.execute("SELECT lo, hi, held FROM state_range ORDER BY lo")
        state.set_ranges([(lo, hi, read_held(octets)) for lo, hi, octets in spans])
        return state, last[1]

    def held_of(self, device: int) -> tuple[Held, ...]:
        """What the last commitment says of a device by itself."""
        row = self._database.connection.execute("SELECT held FROM state_entry WHERE device = ?", (device,)).fetchone()
        return () if row is None else read_held(row[0])

    def _last(self) -> tuple[int, bytes] | None:
        row = self._database.connection.execute("SELECT epoch, leaf_hash FROM state_commit").fetchone()
        return None if row is None else (row[0], row[1])
