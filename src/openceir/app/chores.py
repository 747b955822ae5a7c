"""What the register does by itself when its time has come. Policy says what, how often, and whose key signs it.

    commit-states     what is said of every device, as `openceir absence commit`
    obey-erasures     orders to erase, as `openceir ledger obey`
    meetings          hours seen, for every neighbour with whom there is a secret: files for it are written to
                      meetings/out, what lies in meetings/in is compared with our own sightings

A chore is done and then noted: killed in between it is done once more, which none of them minds. One that fails says
why, holds up no other, and is tried again at the next call.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from openceir.app.meetings import Meetings
from openceir.errors import OpenceirError
from openceir.ledger import LedgerBusy
from openceir.storage.chores import ChoreShelf
from openceir.storage.files import replace_file

__all__ = ["ChoreDone", "Chores"]

_NEAR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChoreDone:
    """One chore that was due: how much it did, or why it could not be done."""

    name: str
    count: int = 0
    trouble: str = ""


class Chores(Meetings):
    """The chores, each due by itself."""

    @cached_property
    def chores(self) -> ChoreShelf:
        """When each was last done."""
        return ChoreShelf(self.database)

    def do_chores(self, *, at: datetime) -> list[ChoreDone]:
        """Do every chore that is due at `at`; nothing while the policy names no key in `chores.by`.

        Raises: LedgerBusy when another process writes; what was done until then is noted.
        """
        self.refresh_policy()
        by = str(self.policy.value("chores.by", at.date()))
        work: dict[str, Callable[[str, datetime], ChoreDone]] = {
            "commit-states": self._commit,
            "obey-erasures": self._obey,
            "meetings": self._exchange,
        }
        done = []
        for name, chore in work.items() if by else ():
            hours = self.policy.value(f"chores.{name.replace('-', '_')}_every_hours", at.date())
            last = self.chores.done_at(name)
            if not hours or (last is not None and at < last + timedelta(hours=hours)):
                continue
            try:
                done.append(chore(by, at))
            except LedgerBusy:
                raise
            except OpenceirError as wrong:
                done.append(ChoreDone(name, trouble=str(wrong)))
            else:
                self.chores.note(name, at)
        return done

    def _commit(self, by: str, at: datetime) -> ChoreDone:
        self.commit_state(by=by, at=at)
        return ChoreDone("commit-states", 1)

    def _obey(self, by: str, at: datetime) -> ChoreDone:
        handled = self.obey_erasures(by=by, at=at)
        waiting = [one.trouble for one in handled if one.trouble]
        return ChoreDone("obey-erasures", len(handled) - len(waiting), "; ".join(sorted(set(waiting))))

    def _exchange(self, by: str, at: datetime) -> ChoreDone:
        """Each file that arrived is taken once and kept apart then; what cannot be read lies in meetings/refused."""
        troubles, count = list[str](), 0
        for nation in sorted(self.policy.neighbours(at.date())):
            if self.pair_secret_path(nation).exists():
                count += self._write_for(nation, by, at)
        states = bool(self.policy.value("chores.state_meetings", at.date()))
        for path in sorted((self.home / "meetings" / "in").glob("*.hours")):
            try:
                met = self.take_hours_seen(path.read_bytes(), at=at)
                if states:
                    self.state_met(met, by=by, at=at)
            except LedgerBusy:
                raise
            except OpenceirError as wrong:
                troubles.append(f"{path.name}: {wrong}")
                _move(path, "refused")
            else:
                _move(path, "taken")
                count += 1
        return ChoreDone("meetings", count, "; ".join(troubles))

    def _write_for(self, nation: str, by: str, at: datetime) -> int:
        """Write the days of which there are sightings that no file for this nation was made of; how many."""
        first_on = at.date() - timedelta(days=int(self.policy.value("chores.meetings_back_days", at.date())))
        written = 0
        for day in sorted({file.day for file in self.lake.files(since=first_on, until=at.date() - _NEAR)}):
            path = self.home / "meetings" / "out" / f"{nation}-{day}-{self._mark_of(day)}.hours"
            if not path.exists():
                replace_file(path, self.write_hours_seen(nation, day, day, by=by, at=at), mode=0o600)
                written += 1
        return written

    def _mark_of(self, day: date) -> str:
        """Changes with the sightings that count for a day: a file made before an operator's dump came is made anew."""
        paths = [file.path.name for file in self.lake.files(since=day - _NEAR, until=day + _NEAR)]
        return hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:8]


def _move(path: Path, to: str) -> None:
    folder = path.parent.parent / to
    folder.mkdir(exist_ok=True)
    path.replace(folder / path.name)
