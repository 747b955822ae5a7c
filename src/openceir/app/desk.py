"""The dispatch desk, and the jobs that go through the whole house: update, holdings, pruning."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from openceir.app.laboratory import Laboratory
from openceir.progress import Progress, Silent
from openceir.statements import MemberRefused, Role, SigningKey
from openceir.status import Status
from openceir.storage.holdings import Holdings, Pruned, Updated, sightings_by_operator
from openceir.storage.key_files import LogKeyFiles
from openceir.storage.retention import first_kept_day

if TYPE_CHECKING:
    from openceir.detection import Engine, Measured
    from openceir.lists import Desk as RowDesk
    from openceir.lists import ListHeader
    from openceir.storage.claim_changes import ClaimChanges
    from openceir.storage.list_basis import Basis
    from openceir.storage.list_runs import ListRun, ListRuns, RunHead
    from openceir.storage.list_sources import SeenWith
    from openceir.storage.list_writing import Contents

__all__ = ["Desk"]

_LONGEST_WAIT_S = 600.0  # for another process that makes lists: all of a large country's take minutes
_TRIES_BESIDE = 3  # of making every row anew while others make theirs


@dataclass(frozen=True, slots=True)
class _AskedLists:
    """One run that was asked for, before its rows are gathered."""

    runs: "ListRuns"
    desk: "RowDesk"
    head: "RunHead"
    basis: "Basis"
    operators: frozenset[str]
    key: SigningKey


class Desk(Laboratory):
    """What operators receive, and what is done to all of it at once."""

    @cached_property
    def list_runs(self) -> "ListRuns":
        """Every list ever delivered to operators."""
        from openceir.storage.list_runs import ListRuns

        return ListRuns(self.database, self.home / "lists")

    @cached_property
    def _list_key(self) -> LogKeyFiles:
        return LogKeyFiles(self.home / "keys" / "lists.key", self.home / "lists" / "lists.vkey")

    def list_signer(self, by: str | None = None) -> SigningKey:
        """The register's own list key, made when first needed; or the key of a member that may act as regulator.

        Raises: KeyRefused; MemberRefused when the member is no regulator.
        """
        if by is None:
            return self._list_key.private()
        key = self.signing_key(by)
        found = self.members.find_key(key.public.kid)
        if found is None or Role.REGULATOR not in found[0].roles:
            raise MemberRefused(f"{by} may not sign lists: only a member with the role regulator may")
        return key

    def make_lists(
        self,
        *,
        on: date,
        at: datetime,
        operators: Iterable[str] | None = None,
        by: str | None = None,
        whole: bool = False,
        progress: Progress = Silent(),
    ) -> "ListRun":
        """Make, sign and deliver the lists of every operator of the policy, or of some, as they hold on the day `on`.

        From what changed since the last run, where that can be told, else (and if `whole`) every row anew: the same
        files, at another cost. While every row is gathered, others may make runs of what changed.
        Raises: ListError when the policy names no operator, or not the one asked for; StorageError.
        """
        run = self._made_lists(on, at, operators, by, whole=whole, even_if_same=True, progress=progress)
        assert run is not None
        return run

    def renew_lists(self, *, on: date, at: datetime) -> "ListRun | None":
        """As `make_lists` for every operator, but no run when not one row of any list would change."""
        return self._made_lists(on, at, None, None, whole=False, even_if_same=False)

    def renew_changed_lists(self, *, on: date, at: datetime) -> "ListRun | None":
        """As `renew_lists`, at once. Raises: AllRowsDue when that takes every row anew; nothing was done then."""
        from openceir.lists import AllRowsDue

        with self._asked_lists(on, at, None, None) as asked:
            done, run = self._made_from_changes(asked, even_if_same=False)
        if not done:
            raise AllRowsDue("the lists take every row anew: `renew_lists` makes them")
        return run

    def renew_urgent_lists(self, *, on: date, at: datetime) -> "ListRun | None":
        """A run of a few devices alone that something was said of since the last one, whatever else is due.

        What falls due with a day, or after new sightings, may be a whole country's devices, and nobody told of a theft
        waits for them: `renew_lists` brings them afterwards. These lists are therefore as of the last run's day, though
        the rows of the devices said of are today's. None when no row would change, or it takes every row.
        """
        from openceir.storage.list_writing import BaseLost

        with self._asked_lists(on, at, None, None) as asked:
            since = asked.runs.basis(asked.operators)
            if since is None or since.as_of_on > on or not self._bears_rows_of(asked, since):
                return None
            contents = self._what_is_urgent(asked, since)
            if contents is None:
                return None
            try:
                head = replace(asked.head, as_of_on=since.as_of_on)
                return asked.runs.make_if_changed(head, contents, asked.operators, asked.key, since)
            except BaseLost:  # a file of the last run was altered on the disk; `renew_lists` makes all of it anew
                return None

    def _made_lists(
        self,
        on: date,
        at: datetime,
        operators: Iterable[str] | None,
        by: str | None,
        *,
        whole: bool,
        even_if_same: bool,
        progress: Progress = Silent(),
    ) -> "ListRun | None":
        from openceir.storage.list_runs import Overtaken

        asked_of = None if operators is None else frozenset(operators)
        for _ in range(_TRIES_BESIDE):
            with self._asked_lists(on, at, asked_of, by) as asked:
                done, run = (False, None) if whole else self._made_from_changes(asked, even_if_same, progress)
                if done:
                    return run
                stage = asked.runs.begin()
            # Nobody is locked out from here on: a theft is on its lists before the country's rows are gathered.
            with stage:
                try:
                    return asked.runs.make_beside(
                        stage, asked.head, self._everything(asked), asked.operators, asked.key, asked.basis,
                        even_if_same=even_if_same, wait_s=_LONGEST_WAIT_S, progress=progress,
                    )  # fmt: skip
                except Overtaken:
                    continue
        with self._asked_lists(on, at, asked_of, by) as asked:  # others came each time: now they wait
            deliver = asked.runs.make if even_if_same else asked.runs.make_if_changed
            return deliver(asked.head, self._everything(asked), asked.operators, asked.key, asked.basis, progress)

    def _made_from_changes(
        self, asked: "_AskedLists", even_if_same: bool, progress: Progress = Silent()
    ) -> "tuple[bool, ListRun | None]":
        """Whether lists could be made from what changed, and the run if there is one."""
        from openceir.storage.list_writing import BaseLost

        contents = self._what_changed(asked)
        if contents is None:
            return False, None
        deliver = asked.runs.make if even_if_same else asked.runs.make_if_changed
        try:
            return True, deliver(asked.head, contents, asked.operators, asked.key, asked.basis, progress)
        except BaseLost:  # a file of the last run was altered on the disk: nothing is taken over from it
            return False, None

    @contextmanager
    def _asked_lists(
        self, on: date, at: datetime, operators: Iterable[str] | None, by: str | None
    ) -> "Iterator[_AskedLists]":
        """What is to be made, with the lock on making held, and the register caught up."""
        from openceir import lists
        from openceir.storage.list_basis import Basis
        from openceir.storage.list_runs import RunHead

        options = lists.options_of(self.policy, on)
        asked = options.operators.keys() if operators is None else set(operators)
        if not asked:
            raise lists.ListError(
                "the policy names no operator: add [operators.NAME] with mcc_mnc to a file in policy/"
            )
        if strange := sorted(asked - options.operators.keys()):
            raise lists.ListError(
                f"the policy names no operator {strange[0]!r}; it names {', '.join(options.operators)}"
            )
        key = self.list_signer(by)
        with self.list_runs.alone(_LONGEST_WAIT_S):
            self.catch_up()
            head = RunHead(
                made_at=at,
                as_of_on=on,
                policy_sha256=self.policy.digest.hex(),
                ledger_size=self.ledger.size,
                ledger_root=self.ledger.tree.root().hex(),
            )
            basis = Basis(
                as_of_on=on,
                policy_sha256=head.policy_sha256,
                # taken before rows are gathered: what another process adds meanwhile is touched once more
                claims=self.claims.mark,
                quorum=self.claims.foreign.quorum,
                measured=self._measured_digest(),
                has_evidence_key=(self.home / "keys" / "evidence.key").exists(),
            )
            yield _AskedLists(self.list_runs, lists.Desk(options, self._odd_texts), head, basis, frozenset(asked), key)

    def _odd_texts(self, keys: Sequence[int]) -> dict[int, str]:
        return {key: text for key, (scheme, text) in self.identifiers.texts_of(keys).items() if scheme == "malformed"}

    def _everything(self, asked: "_AskedLists") -> "Contents":
        from openceir.storage.list_sources import gather_lists

        with self._seen_with() as seen:
            return gather_lists(asked.desk, self.claims, seen, asked.head.as_of_on)

    def _what_changed(self, asked: "_AskedLists") -> "Contents | None":
        """The rows of what changed since the last run; None when that cannot be told from it."""
        from openceir.storage.list_sources import gather_changes

        since, on = asked.runs.basis(asked.operators), asked.head.as_of_on
        if since is None or since.as_of_on > on:
            return None
        if not (asked.basis.differs_by_time_alone(since) and self._bears_rows_of(asked, since)):
            return None
        if since.as_of_on < on:
            newest = self.lake.last_day()
            if newest is not None and newest > since.as_of_on:
                return None
        with self._seen_with() as seen:
            return gather_changes(asked.desk, self.claims, self._changes, seen, on, since)

    def _what_is_urgent(self, asked: "_AskedLists", since: "Basis") -> "Contents | None":
        from openceir.storage.list_sources import gather_urgent

        with self._seen_with() as seen:
            return gather_urgent(asked.desk, self.claims, self._changes, seen, asked.head.as_of_on, since)

    @property
    def _changes(self) -> "ClaimChanges":
        from openceir.storage.claim_changes import ClaimChanges

        return ClaimChanges(self.claims, self.database)

    def _bears_rows_of(self, asked: "_AskedLists", since: "Basis") -> bool:
        """Whether rows made now may stand beside rows made from `since`: the same policy spells them alike."""
        from openceir import lists

        return asked.basis.policy_sha256 == since.policy_sha256 and (
            since.as_of_on == asked.head.as_of_on or lists.options_of(self.policy, since.as_of_on) == asked.desk.options
        )

    def _measured_digest(self) -> str:
        manifest = self.home / "lake" / "measures" / "manifest.json"
        return sha256(manifest.read_bytes()).hexdigest() if manifest.exists() else ""

    def _seen_with(self) -> "SeenWith":
        from openceir.storage.list_sources import SeenWith

        def measured() -> "Measured":
            from openceir.detection import Measured

            return self.measures.measured() if (self.home / "lake" / "measures").exists() else Measured()

        def engine() -> "Engine":
            from openceir.detection import Engine

            return Engine(self.engine_settings)

        return SeenWith(measured, engine)

    def list_delta(self, operator: str, kind: str, base: int, folder: Path, by: str | None = None) -> "ListHeader":
        """Write into `folder` the delta from any kept run to the operator's newest list. Raises: UnknownSequence."""
        from openceir.lists import kind_named

        return self.list_runs.make_delta(operator, kind_named(kind), base, folder, self.list_signer(by))

    def update(
        self,
        *,
        at: datetime,
        as_of_on: date | None = None,
        by: str | None = None,
        progress: Progress = Silent(),
    ) -> Updated:
        """Measure what is new, judge it, sign what was found as `by`, and deliver new lists as of the day of `at`.

        Without `by` the findings stay proposals. A country without operators gets no lists.
        """
        folded = self.measure(at=at, progress=progress)
        run = self.detect(as_of_on, at=at, progress=progress)
        adopted = len(self.adopt(run.number, by=by, at=at)) if by else None
        has_operators = bool(self.policy.operators(at.date()))
        lists = self.make_lists(on=at.date(), at=at, progress=progress) if has_operators else None
        return Updated(
            new_files=folded.new_files,
            detection_run=run.number,
            proposed=len(run.proposals),
            adopted=adopted,
            list_run=lists.sequence if lists else None,
        )

    def holdings(self, *, at: datetime) -> Holdings:
        """What the home holds: counts of statements, devices, sightings, imports and lists."""
        self.catch_up()
        statuses = self.claims.statuses(at)
        newest: dict[str, int] = {}
        for file in self.list_runs.history():
            newest[file.operator] = max(newest.get(file.operator, 0), file.sequence)
        self.lake  # noqa: B018 - its table is read
        return Holdings(
            statements=self.ledger.size,
            devices={str(status): int(statuses.where(status).sum()) for status in Status},
            sightings=sightings_by_operator(self.database),
            imports=tuple(
                {
                    "kind": one.kind,
                    "file": one.file,
                    "rows": one.rows,
                    "accepted": one.accepted,
                    "at": one.at.isoformat(),
                }
                for one in self.journal.history(most=10)
            ),
            lists=newest,
            notes=tuple(self.list_runs.recovered),
        )

    def prune(self, *, on: date, is_rehearsal: bool = False) -> Pruned:
        """Erase subscribers' sightings older than policy allows, wherever they stand. What is known of devices stays.

        Full lists that rest on erased sightings go too; whoever held one receives the next list whole.
        """
        months = int(self.policy.value("retention.subscriber_months", on))
        first_kept = first_kept_day(on, months)
        lists = self.list_runs.prunable(int(self.policy.value("lists.keep_runs", on)), first_kept)
        old_sightings = len(self.lake.files(until=first_kept - timedelta(days=1)))
        closed: list[str] = []
        if not is_rehearsal:
            self.list_runs.prune(lists)
            self.lake.prune(months, on)
            self.reference.forget_ended(first_kept)
            if (self.home / "lake" / "measures").exists():
                closed = self.measures.forget_subscribers(first_kept)
                self.detection_runs.forget(first_kept)
            self.database.rewrite()
        return Pruned(
            first_kept_on=first_kept,
            sightings_files=old_sightings,
            months=tuple(closed),
            list_files=len(lists),
            is_rehearsal=is_rehearsal,
        )
