"""The one place that picks shelves and joins rooms.

`Register` is what every door (cli, http, demo) opens. Each job of the register is one method here that calls
rooms in order; what a room can do alone stays in the room.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openceir.errors import OpenceirError
from openceir.identity import ODD_DEVICE_BASE, keyed_digest
from openceir.intake import (
    Bounds,
    Country,
    ImportReport,
    ListKind,
    ReferenceRead,
    Rejects,
    check_reference,
    counted,
    find_change,
    name_dump,
    read_associations,
    read_cells,
    read_list,
    read_sightings,
    read_subscribers,
    read_tacs,
    statements_of,
)
from openceir.ledger import Audit, Entry, Ledger, LoggedStatement, audit
from openceir.lists import Desk, ListError, ListHeader, kind_named, options_of
from openceir.policy import Policy, load_policy
from openceir.progress import Progress, Silent
from openceir.settings import Settings, load_settings
from openceir.statements import (
    DeviceClassified,
    DeviceSet,
    KeyRefused,
    MemberKey,
    MemberRefused,
    Members,
    PublicKey,
    Role,
    SignedStatement,
    SigningKey,
    Statement,
    sign,
)
from openceir.status import Answer, History, Inquiries, Keys, Status, accepted
from openceir.status.ports import GoldenDigest
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.files import replace_file
from openceir.storage.holdings import Holdings, Pruned, Updated, sightings_by_operator
from openceir.storage.identifiers import IdentifierDictionary
from openceir.storage.journal import ImportJournal
from openceir.storage.key_files import (
    LogKeyFiles,
    read_members,
    read_signing_key,
    write_members,
    write_signing_key,
)
from openceir.storage.lake import Lake
from openceir.storage.ledger_files import LedgerFiles
from openceir.storage.list_runs import ListRun, ListRuns, RunHead
from openceir.storage.list_sources import SeenWith, gather_lists
from openceir.storage.listed import ListedClaims
from openceir.storage.payloads import Payloads
from openceir.storage.quarantine import RejectReport, reject_report
from openceir.storage.read_audit import ReadAudit
from openceir.storage.reference import ASSOCIATION, SUBSCRIBERS, TAC, Cells, ReferenceTables, VersionedTable
from openceir.storage.retention import first_kept_day
from openceir.storage.subscribers import SeenSubscribers
from openceir.storage.tokens import TokenShelf

if TYPE_CHECKING:
    from openceir.detection import EngineSettings, Inputs, Proposal, RuleEffect
    from openceir.storage.evidence import DetectionRun, DetectionRuns, Replay
    from openceir.storage.measures import Folded, Measures

__all__ = ["Register", "open_register"]


class Register:
    """One country's register in one home folder. Shelves open when first used."""

    def __init__(self, home: Path) -> None:
        self.home = home

    # -- statements and ledger -----------------------------------------------------------------------------------

    @cached_property
    def members(self) -> Members:
        """Who may sign what."""
        return read_members(self.home / "members.toml")

    @cached_property
    def ledger(self) -> Ledger:
        """The book, opened and held against its checkpoint."""
        return Ledger(
            LedgerFiles(self.home / "ledger"),
            Payloads(self.home / "ledger" / "payloads.sqlite"),
            self.members,
            self._log_key,
            on_append=self._tell_views,
        )

    @cached_property
    def _log_key(self) -> LogKeyFiles:
        return LogKeyFiles(self.home / "keys" / "log.key", self.home / "ledger" / "log.vkey")

    @cached_property
    def views(self) -> list[Callable[[Sequence[LoggedStatement]], None]]:
        """Called with every new entry once it is durable; a view that was not there catches up by `ledger.entries`."""
        return [self._apply_claims]

    def _tell_views(self, new: Sequence[LoggedStatement]) -> None:
        for view in self.views:
            view(new)

    def new_key(self, name: str, *, member: str, roles: Iterable[Role], valid_from: datetime) -> PublicKey:
        """Make keys/NAME.key and let `member` sign with it; a new member gets `roles`, an old one has them added.

        Raises: KeyRefused when there is such a key; MemberRefused for a new member without a role.
        """
        if name in {"log", "evidence", "lists"}:
            raise KeyRefused(f"{name}.key is the register's own; it is made when it is first needed")
        key = SigningKey(name, os.urandom(32))
        changed = self.members.with_key(member, MemberKey(key.public, valid_from), roles)
        write_signing_key(self._key_path(name), key)
        self.change_members(changed)
        return key.public

    def change_members(self, members: Members) -> None:
        """Put these members in place of the present ones."""
        write_members(self.home / "members.toml", members)
        self.members = members
        if "ledger" in self.__dict__:
            self.ledger.members = members

    def signing_key(self, name: str) -> SigningKey:
        """The private key of this name, or of the member of this name, from the home's keys.

        Raises: KeyRefused when there is none, or it can be read by others.
        """
        path = self._key_path(name)
        member = self.members.find(name)
        if not path.exists() and member is not None:
            for key in member.keys:
                if key.revoked_at is None and self._key_path(key.public.name).exists():
                    return read_signing_key(self._key_path(key.public.name))
        return read_signing_key(path)

    def sign(self, said: Statement, *, by: str, at: datetime) -> SignedStatement:
        """`said`, signed at `at` with the key `by`, a key's or a member's name.

        Raises: KeyRefused, MemberRefused when the key is no member's, StatementRefused.
        """
        key = self.signing_key(by)
        found = self.members.find_key(key.public.kid)
        if found is None:
            raise MemberRefused(f"the key {key.name} is no member's; `openceir member add` makes it one's")
        return sign(said, key, issuer=found[0].id, stated_at=at, salt=os.urandom(16))

    def state(self, statements: Iterable[Statement], *, by: str, at: datetime) -> list[Entry]:
        """Sign these with the key `by` and log them as one block: all of them or none."""
        return self.submit([self.sign(said, by=by, at=at) for said in statements], at=at)

    def submit(self, signed: Sequence[SignedStatement], *, at: datetime) -> list[Entry]:
        """Log statements, wherever they were signed, as one block; members.toml counts as it is at this moment."""
        self.members = self.ledger.members = read_members(self.home / "members.toml")
        return self.ledger.append(signed, at)

    def verify_ledger(self, progress: Progress | None = None) -> Audit:
        """Read the whole book again from the disk, believing nothing; raises LedgerBroken at the first bad place."""
        blocks = LedgerFiles(self.home / "ledger")
        payloads = Payloads(self.home / "ledger" / "payloads.sqlite")
        try:
            return audit(blocks, payloads, read_members(self.home / "members.toml"), self._log_key, progress)
        finally:
            blocks.close()
            payloads.close()

    def _key_path(self, name: str) -> Path:
        if not name or any(not (c.isascii() and (c.isalnum() or c in "-.")) for c in name) or name.startswith("."):
            raise KeyRefused(f"{name!r} cannot name a key file: use letters, digits, hyphens and dots")
        return self.home / "keys" / f"{name}.key"

    # -- settings, policy and the common database ----------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """The settings in force."""
        return load_settings(self.home, os.environ)[0]

    @cached_property
    def policy(self) -> Policy:
        """The packaged policy, overlaid with the home folder's files in the order of their names."""
        return load_policy(sorted((self.home / self.settings.policy_folder).glob("*.toml")))

    @cached_property
    def database(self) -> Database:
        """register.sqlite."""
        return Database(self.home / "register.sqlite")

    @cached_property
    def identifiers(self) -> IdentifierDictionary:
        """Device keys of whatever is not a 14-digit IMEI."""
        return IdentifierDictionary(self.database)

    # -- status --------------------------------------------------------------------------------------------------

    @cached_property
    def claims(self) -> ClaimShelf:
        """What every statement says of each device, caught up with the ledger."""
        shelf = ClaimShelf(self.database, self.identifiers, golden_digest=self._golden_digest())
        self._catch_up(shelf)
        return shelf

    @cached_property
    def inquiries(self) -> Inquiries:
        """Answers about devices."""
        return Inquiries(
            claims=self.claims,
            identifiers=self.identifiers,
            policy=self.policy,
            first_seen=self.subscribers.first_seen,
            evidence=self._evidence_summary,
            model=self.reference.find_model,
        )

    @cached_property
    def subscribers(self) -> SeenSubscribers:
        """Whom networks saw with a device; who shows it records the read first."""
        return SeenSubscribers(self._triplet_files)

    def _triplet_files(self) -> Sequence[Path]:
        if not (self.home / "lake" / "measures").exists():
            return ()
        from openceir.storage.measures import Measures  # loads the engine of detection, which few answers need

        return Measures(self.home).measured().triplets

    def check(self, value: str, at: datetime, imsi: str | None = None, known_at: datetime | None = None) -> Answer:
        """Whether a device may be used at `at`, and why. Raises: NotADevice, ProbablyMistyped."""
        return self.inquiries.check(value, at, imsi=imsi, known_at=known_at)

    def check_many(
        self, values: Sequence[str], at: datetime, known_at: datetime | None = None
    ) -> list[Answer | OpenceirError]:
        """One answer or refusal for each value, in order."""
        return self.inquiries.check_many(values, at, known_at=known_at)

    def history(self, value: str, known_at: datetime | None = None) -> History:
        """Everything that was said of a device, and the status it had from when to when."""
        return self.inquiries.history(value, known_at=known_at)

    def catch_up(self) -> int:
        """Apply what other processes logged since; how many statements."""
        self.ledger.refresh()
        return self._catch_up(self.claims)

    def rebuild_claims(self, progress: Progress = Silent()) -> int:  # noqa: B008 - stateless
        """Make the claims anew from the ledger; how many statements. What was erased is gone from them then."""
        self.claims.clear()
        return self._catch_up(self.claims, progress)

    def erase(self, index: int, *, at: datetime) -> None:
        """Destroy what statement `index` said, and every claim that was taken from it."""
        self.ledger.erase(index, at=at)
        self.claims.forget(index)

    def _catch_up(self, shelf: ClaimShelf, progress: Progress = Silent()) -> int:  # noqa: B008 - stateless
        behind = shelf.applied_size
        if behind >= self.ledger.size:
            return 0
        members = read_members(self.home / "members.toml")  # another process may have added some
        return shelf.apply((accepted(entry, members) for entry in self.ledger.entries(behind)), progress)

    def _apply_claims(self, new: Sequence[LoggedStatement]) -> None:
        if self.claims.applied_size < new[0].index:
            self._catch_up(self.claims)
        else:
            self.claims.apply(accepted(entry, self.members) for entry in new)

    def _golden_digest(self) -> GoldenDigest | None:
        """The digest that golden lists are made with; none as long as there is no evidence key."""
        if not (self.home / "keys" / "evidence.key").exists():
            return None
        key = self.evidence_key
        return lambda device: keyed_digest(key, f"{device:014d}")

    @cached_property
    def evidence_key(self) -> bytes:
        """The secret under which subscribers in evidence and devices on golden lists are digested; made when first needed."""
        path = self.home / "keys" / "evidence.key"
        if not path.exists():
            replace_file(path, os.urandom(32), mode=0o600)
        return path.read_bytes()

    @cached_property
    def tokens(self) -> TokenShelf:
        """Access tokens of the HTTP interface."""
        return TokenShelf(self.database)

    @cached_property
    def read_audit(self) -> ReadAudit:
        """Who looked at whose subscribers."""
        return ReadAudit(self.database)

    # -- intake --------------------------------------------------------------------------------------------------

    @cached_property
    def journal(self) -> ImportJournal:
        """What was brought in."""
        return ImportJournal(self.database)

    @cached_property
    def lake(self) -> Lake:
        """What networks saw."""
        return Lake(self.home, self.database)

    @cached_property
    def cells(self) -> Cells:
        """The cells of operators."""
        return Cells(self.database)

    @cached_property
    def reference(self) -> ReferenceTables:
        """The TAC table, associations and subscribers."""
        self.journal  # noqa: B018 - its table names the imports that rows belong to
        return ReferenceTables(self.database)

    def import_sightings(
        self,
        path: Path,
        *,
        operator: str | None = None,
        since: date | None = None,
        until: date | None = None,
        at: datetime,
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> ImportReport:
        """Bring an operator's dump into the lake. Raises: IntakeError when the file is refused; nothing changed then."""
        country = self._country(at.date())
        dump = name_dump(path, operator, since, until, country.operators)
        known = self.reference.tacs().column("tac").to_numpy()
        with self.lake.receive(dump.operator, path.name) as delivery:
            rejects = Rejects(delivery.quarantine)
            read = read_sightings(
                path, dump, delivery,
                country=country, limits=self._limits("intake.operator", at), bounds=self._bounds(at),
                today=at.date(), is_known_tac=(lambda tacs: np.isin(tacs, known)) if len(known) else None,
                averages=self.lake.daily_averages, rejects=rejects, progress=progress,
            )  # fmt: skip
            report = ImportReport(
                kind="sightings", file=path.name, operator=dump.operator, rows=read.rows, accepted=read.accepted,
                rejects=rejects, figures=tuple(read.figures), says=tuple(read.says),
            )  # fmt: skip
            if (before := self.journal.find("sightings", read.digest, dump.operator)) is not None:
                return replace(report, already=True, import_id=before.id)
            devices = self.identifiers.add([("malformed", text) for text in read.odd_devices])
            cells = self.cells.keys_of(dump.operator, read.cells)
            staged = delivery.write(np.array(devices, np.int64), np.array(cells, np.int64))
            number = delivery.commit(
                staged, digest=read.digest, at=at, rows=read.rows, accepted=read.accepted, summary=report.summary()
            )
            return replace(report, import_id=number, quarantine=delivery.report)

    def import_tac_table(
        self,
        path: Path,
        *,
        at: datetime,
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> ImportReport:
        """Replace the TAC table. Raises: IntakeError when the file is refused; nothing changed then."""
        with reject_report(self.home, "tac", path.name) as aside:
            rejects = Rejects(aside.rows)
            read = read_tacs(path, bounds=self._bounds(at), rejects=rejects, progress=progress)
            return self._replace_table("tac", TAC, path, read, rejects, aside, delta=False, at=at)

    def import_cells(
        self,
        path: Path,
        *,
        operator: str | None = None,
        at: datetime,
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> ImportReport:
        """Say where cells stand. Raises: IntakeError when the file is refused; nothing changed then."""
        with reject_report(self.home, "cells", path.name) as aside:
            rejects = Rejects(aside.rows)
            read = read_cells(path, operator, bounds=self._bounds(at), rejects=rejects, progress=progress)
            figures = check_reference(
                path.name, "cells", read, 0, self._limits("intake.lists", at), rejects, delta=True
            )
            report = ImportReport(
                kind="cells", file=path.name, operator=operator or "", rows=read.rows, accepted=read.accepted,
                rejects=rejects, figures=figures, says=tuple(read.says), quarantine=aside.publish(read.digest),
            )  # fmt: skip
            cells, _ = self.cells, self.journal  # opened before the transaction, which a new table would end
            with self.database.transaction():
                cells.place(read.table)
                return replace(report, import_id=self._note(report, read.digest, at))

    def import_list(
        self,
        kind: str,
        path: Path,
        *,
        delta: bool = False,
        by: str = "",
        on: date | None = None,
        at: datetime,
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> ImportReport:
        """Bring an authority's list in: sign what it changes as `by`, or replace a table of references.

        `on` is the day of rows that have none. Raises: IntakeError when the file is refused, KeyRefused, MemberRefused.
        """
        with reject_report(self.home, kind, path.name) as aside:
            rejects = Rejects(aside.rows)
            read_people = {"association": read_associations, "subscribers": read_subscribers}.get(kind)
            if read_people is not None:
                people = read_people(path, delta=delta, bounds=self._bounds(at), rejects=rejects, progress=progress)
                table = ASSOCIATION if kind == "association" else SUBSCRIBERS
                return self._replace_table(kind, table, path, people, rejects, aside, delta=delta, at=at)
            evidence_key = self.evidence_key if kind == ListKind.GOLDEN else b""  # before claims: they match by it
            read = read_list(
                ListKind(kind), path, delta=delta, on=on or at.date(), bounds=self._bounds(at), rejects=rejects,
                progress=progress,
            )  # fmt: skip
            issuer = self.sign_as(by)
            listed = ListedClaims(self.claims, self.identifiers, self.database, at)
            change = find_change(
                path.name, read, listed, delta=delta, by=issuer, on=on or at.date(),
                limits=self._limits("intake.lists", at), rejects=rejects,
                digest_of=lambda text: keyed_digest(evidence_key, text),
            )  # fmt: skip
            statements = statements_of(change, at)
            quarantine = aside.publish(read.digest)
            if statements:
                self.state(statements, by=by, at=at)
            report = ImportReport(
                kind=kind, file=path.name, rows=read.rows, accepted=read.accepted, rejects=rejects,
                figures=change.figures, says=(*read.says, *change.says), signed=counted(statements),
                already=not statements and self.journal.find(kind, read.digest) is not None, quarantine=quarantine,
            )  # fmt: skip
            return replace(report, import_id=self._note(report, read.digest, at, member=issuer))

    def sign_as(self, by: str) -> str:
        """The member whose key `by` names. Raises: KeyRefused, MemberRefused when it is no member's."""
        found = self.members.find_key(self.signing_key(by).public.kid)
        if found is None:
            raise MemberRefused(f"the key {by} is no member's; `openceir member add` makes it one's")
        return found[0].id

    def _replace_table(
        self, kind: str, table: VersionedTable, path: Path, read: ReferenceRead, rejects: Rejects, aside: RejectReport,
        *, delta: bool, at: datetime,
    ) -> ImportReport:  # fmt: skip
        limits = self._limits("intake.lists", at)
        figures = check_reference(path.name, kind, read, self.reference.count(table), limits, rejects, delta=delta)
        identifiers = self.identifiers  # opened before the transaction, which a new table would end
        with self.database.transaction():
            odd = identifiers.keys_of("malformed", read.odd_devices)
            rows = read.rows_with([odd[text] for text in read.odd_devices])
            report = ImportReport(
                kind=kind, file=path.name, rows=read.rows, accepted=read.accepted, rejects=rejects, figures=figures,
                says=tuple(read.says), quarantine=aside.publish(read.digest),
                already=(before := self.journal.latest(kind)) is not None and before.digest == read.digest,
            )  # fmt: skip
            if report.already and before is not None:
                return replace(report, import_id=before.id)
            number = self._note(report, read.digest, at)
            said = self.reference.change(table, rows, read.changes if delta else None, number)
            return replace(report, import_id=number, says=(*report.says, said))

    def _note(self, report: ImportReport, digest: bytes, at: datetime, member: str = "") -> int:
        return self.journal.add(
            kind=report.kind, operator=report.operator, digest=digest, file=report.file, at=at, member=member,
            rows=report.rows, accepted=report.accepted, summary=report.summary(),
        )  # fmt: skip

    def _limits(self, section: str, at: datetime) -> dict[str, float]:
        return {name: limit.value for name, limit in self.policy.section(section, at.date()).items()}

    def _bounds(self, at: datetime) -> Bounds:
        limits = self._limits("intake", at)
        return Bounds(
            field=int(limits["largest_field_octets"]), line=int(limits["largest_line_octets"]),
            expansion_ratio=limits["largest_expansion_ratio"], uncompressed=int(limits["largest_uncompressed_octets"]),
        )  # fmt: skip

    def _country(self, on: date) -> Country:
        country = self.policy.section("country", on)
        operators = self.policy.operators(on)
        return Country(
            mcc=tuple(country["mcc"].value),
            country_codes=tuple(country["country_codes"].value),
            operators={name.lower(): tuple(table.get("mcc_mnc", ())) for name, table in operators.items()},
        )

    # -- lists ---------------------------------------------------------------------------------------------------

    @cached_property
    def list_runs(self) -> ListRuns:
        """Every list ever delivered to operators."""
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
        self, *, on: date, at: datetime, operators: Iterable[str] | None = None, by: str | None = None
    ) -> ListRun:
        """Make, sign and deliver the lists of every operator of the policy, or of some, as they hold on the day `on`.

        Raises: ListError when the policy names no operator, or not the one asked for; StorageError.
        """
        options = options_of(self.policy, on)
        asked = options.operators.keys() if operators is None else set(operators)
        if not asked:
            raise ListError("the policy names no operator: add [operators.NAME] with mcc_mnc to a file in policy/")
        if strange := sorted(asked - options.operators.keys()):
            raise ListError(f"the policy names no operator {strange[0]!r}; it names {', '.join(options.operators)}")
        key = self.list_signer(by)
        self.catch_up()
        texts_of = self.identifiers.texts_of

        def odd_texts(keys: Sequence[int]) -> dict[int, str]:
            return {key: text for key, (scheme, text) in texts_of(keys).items() if scheme == "malformed"}

        with self._seen_with() as seen:
            contents = gather_lists(Desk(options, odd_texts), self.claims, seen, on)
        head = RunHead(
            made_at=at,
            as_of_on=on,
            policy_sha256=self.policy.digest.hex(),
            ledger_size=self.ledger.size,
            ledger_root=self.ledger.tree.root().hex(),
        )
        return self.list_runs.make(head, contents, asked, key)

    def _seen_with(self) -> SeenWith:
        if not (self.home / "lake" / "measures").exists():
            return SeenWith((), ())
        measured = self.measures.measured()
        return SeenWith(measured.triplets, measured.devices, self.engine_settings)

    def list_delta(self, operator: str, kind: str, base: int, folder: Path, by: str | None = None) -> ListHeader:
        """Write into `folder` the delta from any kept run to the operator's newest list. Raises: UnknownSequence."""
        return self.list_runs.make_delta(operator, kind_named(kind), base, folder, self.list_signer(by))

    # -- the whole register --------------------------------------------------------------------------------------

    def update(
        self,
        *,
        at: datetime,
        as_of_on: date | None = None,
        by: str | None = None,
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> Updated:
        """Measure what is new, judge it, sign what was found as `by`, and deliver new lists as of the day of `at`.

        Without `by` the findings stay proposals. A country without operators gets no lists.
        """
        folded = self.measure(at=at, progress=progress)
        run = self.detect(as_of_on, at=at, progress=progress)
        adopted = len(self.adopt(run.number, by=by, at=at)) if by else None
        has_operators = bool(self.policy.operators(at.date()))
        lists = self.make_lists(on=at.date(), at=at) if has_operators else None
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
            # What was deleted stays readable in free pages and in the write-ahead log until both are rewritten.
            self.database.connection.execute("VACUUM")
            self.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Pruned(
            first_kept_on=first_kept,
            sightings_files=old_sightings,
            months=tuple(closed),
            list_files=len(lists),
            is_rehearsal=is_rehearsal,
        )

    # -- detection -----------------------------------------------------------------------------------------------
    # What loads the engine is imported where it is used: most answers need none.

    @cached_property
    def engine_settings(self) -> "EngineSettings":
        """How much of the machine detection may take."""
        from openceir.detection import EngineSettings

        spill = self.home / "lake" / "measures" / "spill"
        return EngineSettings(memory_limit=self.settings.memory_limit, threads=self.settings.threads, spill=spill)

    @cached_property
    def measures(self) -> "Measures":
        """The lake's aggregates."""
        from openceir.storage.measures import Measures

        return Measures(self.home, self.engine_settings)

    @cached_property
    def detection_runs(self) -> "DetectionRuns":
        """Runs of detection and their evidence."""
        from openceir.storage.evidence import DetectionRuns

        return DetectionRuns(self.home, self.database)

    def measure(self, *, at: datetime, progress: Progress = Silent()) -> "Folded":  # noqa: B008 - stateless
        """Measure what is new in the lake, erase measures of subscribers that retention has reached."""
        months = int(self.policy.value("retention.subscriber_months", at.date()))
        first_kept = first_kept_day(at.date(), months)
        return self.measures.refresh(
            self.lake.files(), self.cells.table(), self.policy, kept_since=first_kept, progress=progress
        )

    def detect(
        self,
        as_of_on: date | None = None,
        *,
        at: datetime,
        only_rules: Sequence[str] = (),
        progress: Progress = Silent(),  # noqa: B008 - stateless
    ) -> "DetectionRun":
        """Judge every rule as of a day (the newest day of data), over lists as they hold at `at`, and keep the run.

        Where data, policy and day are those of an earlier run, only devices that lists touched are judged again.
        """
        from openceir.detection import Earlier, evaluate

        self.measure(at=at, progress=progress)
        day = as_of_on or self.lake.last_day() or at.date()
        inputs = self._detection_inputs(at)
        earlier = None
        before = self.detection_runs.like(self.policy.digest, inputs.measured.digest, day)
        if before is not None and not only_rules:
            touched = self.detection_runs.touched_since(before, inputs)
            if touched is not None:
                standing = self.detection_runs.standing_of(before)
                earlier = Earlier(standing=standing, ever_seen=before.ever_seen, touched=touched)
        proposals = evaluate(
            self.policy, day, inputs, evidence_key=self.evidence_key, settings=self.engine_settings,
            earlier=earlier, only_rules=only_rules, progress=progress,
        )  # fmt: skip
        return self.detection_runs.add(
            proposals, inputs, as_of_on=day, at=at, policy=self.policy, only_rules=only_rules
        )

    def adopt(self, run: int, *, by: str, at: datetime) -> list[Entry]:
        """Sign what a run proposed, all rules in one block, and log it. Rules beyond their safety ratio are left out.

        Raises: RunUnknown; DetectionError when the run was adopted before.
        """
        from openceir.detection import DetectionError

        kept = self.detection_runs.run(run)
        if kept.adopted_at is not None:
            raise DetectionError(f"run {run} was adopted on {kept.adopted_at:%Y-%m-%d}; make a new run")
        said = [
            statement
            for proposal in self.detection_runs.proposals_of(kept)
            if proposal.refusal is None
            for statement in self._classified(proposal)
        ]
        entries = self.state(said, by=by, at=at) if said else []
        self.detection_runs.note_adoption(run, at)
        return entries

    def replay(self, run: int) -> "Replay":
        """Judge again what a run judged, from its own policy and lists, and say whether the outcome is the same."""
        from openceir.detection import evaluate
        from openceir.policy import policy_from_json
        from openceir.storage.evidence import Replay, outcome_digest

        kept = self.detection_runs.run(run)
        measured = self.measures.measured()
        proposals = evaluate(
            policy_from_json(kept.policy), kept.as_of_on, self.detection_runs.inputs_of(kept, measured),
            evidence_key=self.evidence_key, settings=self.engine_settings, only_rules=kept.only_rules,
        )  # fmt: skip
        return Replay(kept, outcome_digest(proposals), measured.digest)

    def simulate_policy(self, other: Policy, as_of_on: date | None = None, *, at: datetime) -> "list[RuleEffect]":
        """What another policy would do to whom; measures are brought up to date, nothing else is written."""
        from openceir.detection import simulate

        self.measure(at=at)
        day = as_of_on or self.lake.last_day() or at.date()
        return simulate(
            self.policy, other, day, self._detection_inputs(at),
            evidence_key=self.evidence_key, settings=self.engine_settings,
        )  # fmt: skip

    def _detection_inputs(self, at: datetime) -> "Inputs":
        from openceir.storage.detection_inputs import gather_inputs

        return gather_inputs(self.claims, self.reference, self.measures.measured(), at)

    def _classified(self, proposal: "Proposal") -> list[DeviceClassified]:
        """The statements that adopt a proposal: one for who is new and who is cleared, one a change of consequence."""
        rule = proposal.rule
        none = np.empty(0, np.int64)
        parts = [(proposal.matched, proposal.cleared, proposal.block_on, proposal.amnesty)]
        parts += [(change.devices, none, change.block_on, change.amnesty) for change in proposal.changed]
        return [
            DeviceClassified(
                rule=rule.label, conditions=proposal.evidence.conditions, blocking=rule.blocking,
                marks_duplicate=rule.marks_duplicate, policy_digest=proposal.policy_digest,
                as_of_on=proposal.as_of_on, evidence_digest=proposal.evidence.digest, block_on=block_on,
                amnesty=amnesty, matched=self._device_set(matched), cleared=self._device_set(cleared),
            )
            for matched, cleared, block_on, amnesty in parts
            if len(matched) or len(cleared)
        ]  # fmt: skip

    def _device_set(self, keys: Keys) -> DeviceSet:
        odd = keys[keys >= ODD_DEVICE_BASE].tolist()
        return DeviceSet.of(keys=keys[keys < ODD_DEVICE_BASE], others=self.identifiers.texts_of(odd).values())

    def _evidence_summary(self, device: int, rule: str, evidence_digest: bytes | None) -> Mapping[str, Any] | None:
        return self.detection_runs.summary_of(device, rule, evidence_digest)


def open_register(home: Path) -> Register:
    """The register in `home`; an empty or absent folder is a new register."""
    return Register(home)
