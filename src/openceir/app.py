"""The one place that picks shelves and joins rooms.

`Register` is what every door (cli, http, demo) opens. Each job of the register is one method here that calls
rooms in order; what a room can do alone stays in the room.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

import numpy as np

from openceir.errors import OpenceirError
from openceir.identity import keyed_digest
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
from openceir.policy import Policy, load_policy
from openceir.progress import Progress, Silent
from openceir.settings import Settings, load_settings
from openceir.statements import (
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
from openceir.status import Answer, History, Inquiries, accepted
from openceir.status.ports import GoldenDigest
from openceir.storage.claims import ClaimShelf
from openceir.storage.database import Database
from openceir.storage.files import replace_file
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
from openceir.storage.listed import ListedClaims
from openceir.storage.payloads import Payloads
from openceir.storage.quarantine import RejectReport, reject_report
from openceir.storage.read_audit import ReadAudit
from openceir.storage.reference import ASSOCIATION, SUBSCRIBERS, TAC, Cells, ReferenceTables, VersionedTable
from openceir.storage.subscribers import SeenSubscribers
from openceir.storage.tokens import TokenShelf

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
        if name in {"log", "evidence"}:
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
        return self.ledger.append([self.sign(said, by=by, at=at) for said in statements], at)

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
        dump = name_dump(path, operator, since, until)
        known = self.reference.tacs().column("tac").to_numpy()
        with self.lake.receive(dump.operator, path.name) as delivery:
            rejects = Rejects(delivery.quarantine)
            read = read_sightings(
                path, dump, delivery,
                country=self._country(at.date()), limits=self._limits("intake.operator", at), bounds=self._bounds(at),
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


def open_register(home: Path) -> Register:
    """The register in `home`; an empty or absent folder is a new register."""
    return Register(home)
