"""The loading dock: files of operators and authorities become sightings, references and signed statements."""

from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openceir.app.states import States
from openceir.identity import keyed_digest
from openceir.progress import Progress, Silent
from openceir.storage.journal import ImportJournal
from openceir.storage.quarantine import RejectReport, reject_report
from openceir.storage.reference import ASSOCIATION, SUBSCRIBERS, TAC, Cells, VersionedTable

if TYPE_CHECKING:
    from openceir.intake import Bounds, ImportReport, ReferenceRead, Rejects
    from openceir.storage.lake import Lake

__all__ = ["Dock"]


class Dock(States):
    """What is brought in. What reads files is imported by the job that reads one."""

    @cached_property
    def journal(self) -> ImportJournal:
        """What was brought in."""
        return ImportJournal(self.database)

    @cached_property
    def lake(self) -> "Lake":
        """What networks saw."""
        from openceir.storage.lake import Lake

        return Lake(self.home, self.database)

    @cached_property
    def cells(self) -> Cells:
        """The cells of operators."""
        return Cells(self.database)

    def import_sightings(
        self,
        path: Path,
        *,
        operator: str | None = None,
        since: date | None = None,
        until: date | None = None,
        at: datetime,
        section: str = "intake.operator",
        progress: Progress = Silent(),
    ) -> "ImportReport":
        """Bring an operator's dump into the lake, within the limits of a section of the policy.

        Raises: IntakeError when the file is refused; nothing changed then.
        """
        from openceir import intake

        country = intake.country_of(self.policy, at.date())
        dump = intake.name_dump(path, operator, since, until, country.operators)
        known = self.reference.known_tacs().to_numpy()
        with self.lake.receive(dump.operator, path.name) as delivery:
            rejects = intake.Rejects(delivery.quarantine)
            read = intake.read_sightings(
                path, dump, delivery,
                country=country, limits=self._limits(section, at), bounds=self._bounds(at), section=section,
                today=at.date(), is_known_tac=(lambda tacs: np.isin(tacs, known)) if len(known) else None,
                averages=self.lake.daily_averages, rejects=rejects, progress=progress,
            )  # fmt: skip
            report = intake.ImportReport(
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
        progress: Progress = Silent(),
    ) -> "ImportReport":
        """Replace the TAC table. Raises: IntakeError when the file is refused; nothing changed then."""
        from openceir import intake

        with reject_report(self.home, "tac", path.name) as aside:
            rejects = intake.Rejects(aside.rows)
            read = intake.read_tacs(path, bounds=self._bounds(at), rejects=rejects, progress=progress)
            return self._replace_table("tac", TAC, path, read, rejects, aside, delta=False, at=at)

    def import_cells(
        self,
        path: Path,
        *,
        operator: str | None = None,
        at: datetime,
        progress: Progress = Silent(),
    ) -> "ImportReport":
        """Say where cells stand. Raises: IntakeError when the file is refused; nothing changed then."""
        from openceir import intake

        with reject_report(self.home, "cells", path.name) as aside:
            rejects = intake.Rejects(aside.rows)
            read = intake.read_cells(path, operator, bounds=self._bounds(at), rejects=rejects, progress=progress)
            figures = intake.check_reference(
                path.name, "cells", read, 0, self._limits("intake.lists", at), rejects, delta=True
            )
            report = intake.ImportReport(
                kind="cells", file=path.name, operator=operator or "", rows=read.rows, accepted=read.accepted,
                rejects=rejects, figures=figures, says=tuple(read.says), quarantine=aside.publish(read.digest),
            )  # fmt: skip
            with self.database.transaction():
                self.cells.place(read.table)
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
        progress: Progress = Silent(),
    ) -> "ImportReport":
        """Bring an authority's list in: sign what it changes as `by`, or replace a table of references.

        `on` is the day of rows that have none. Raises: IntakeError when the file is refused, KeyRefused, MemberRefused.
        """
        from openceir import intake
        from openceir.storage.listed import ListedClaims

        with reject_report(self.home, kind, path.name) as aside:
            rejects = intake.Rejects(aside.rows)
            read_people = {"association": intake.read_associations, "subscribers": intake.read_subscribers}.get(kind)
            if read_people is not None:
                people = read_people(path, delta=delta, bounds=self._bounds(at), rejects=rejects, progress=progress)
                table = ASSOCIATION if kind == "association" else SUBSCRIBERS
                return self._replace_table(kind, table, path, people, rejects, aside, delta=delta, at=at)
            # made before the claims are opened: they match by it
            evidence_key = self.evidence_key if kind == intake.ListKind.GOLDEN else b""
            read = intake.read_list(
                intake.ListKind(kind), path, delta=delta, on=on or at.date(), bounds=self._bounds(at), rejects=rejects,
                progress=progress,
            )  # fmt: skip
            issuer = self.sign_as(by)
            listed = ListedClaims(self.claims, self.identifiers, self.database, at)
            change = intake.find_change(
                path.name, read, listed, delta=delta, by=issuer, on=on or at.date(),
                limits=self._limits("intake.lists", at), rejects=rejects,
                digest_of=lambda text: keyed_digest(evidence_key, text),
            )  # fmt: skip
            statements = intake.statements_of(change, at)
            quarantine = aside.publish(read.digest)
            if statements:
                self.state(statements, by=by, at=at)
            report = intake.ImportReport(
                kind=kind, file=path.name, rows=read.rows, accepted=read.accepted, rejects=rejects,
                figures=change.figures, says=(*read.says, *change.says), signed=intake.counted(statements),
                already=not statements and self.journal.find(kind, read.digest) is not None, quarantine=quarantine,
            )  # fmt: skip
            return replace(report, import_id=self._note(report, read.digest, at, member=issuer))

    def _replace_table(
        self, kind: str, table: VersionedTable, path: Path, read: "ReferenceRead", rejects: "Rejects", aside: RejectReport,
        *, delta: bool, at: datetime,
    ) -> "ImportReport":  # fmt: skip
        from openceir import intake

        limits = self._limits("intake.lists", at)
        figures = intake.check_reference(
            path.name, kind, read, self.reference.count(table), limits, rejects, delta=delta
        )
        with self.database.transaction():
            odd = self.identifiers.keys_of("malformed", read.odd_devices)
            rows = read.rows_with([odd[text] for text in read.odd_devices])
            report = intake.ImportReport(
                kind=kind, file=path.name, rows=read.rows, accepted=read.accepted, rejects=rejects, figures=figures,
                says=tuple(read.says), quarantine=aside.publish(read.digest),
                already=(before := self.journal.latest(kind)) is not None and before.digest == read.digest,
            )  # fmt: skip
            if report.already and before is not None:
                return replace(report, import_id=before.id)
            number = self._note(report, read.digest, at)
            said = self.reference.change(table, rows, read.changes if delta else None, number)
            return replace(report, import_id=number, says=(*report.says, said))

    def _note(self, report: "ImportReport", digest: bytes, at: datetime, member: str = "") -> int:
        return self.journal.add(
            kind=report.kind, operator=report.operator, digest=digest, file=report.file, at=at, member=member,
            rows=report.rows, accepted=report.accepted, summary=report.summary(),
        )  # fmt: skip

    def _bounds(self, at: datetime) -> "Bounds":
        from openceir import intake

        return intake.bounds_of(self.policy, at.date())

    def _limits(self, section: str, at: datetime) -> dict[str, float]:
        from openceir import intake

        return intake.limits_of(self.policy, section, at.date())
