"""The regulator's first page: the counters of the newest month that was counted, each with the figure it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from openceir.reports import Figure

__all__ = ["Counter", "counters"]


@dataclass(frozen=True, slots=True)
class Counter:
    """One number with its words and the figure behind it."""

    text: str | Promise
    figure: str
    value: int | float
    unit: str | Promise = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a counter stands: the column's sum over the rows whose first cells are among `rows`; all rows without any.

    A share or a duration is not summed: `alone` takes the only row's, and the worst of several.
    """

    text: str | Promise
    figure: str
    column: str
    rows: tuple[str, ...] = ()
    unit: str | Promise = ""
    alone: bool = False

    def found_in(self, figures: Mapping[str, Figure]) -> Counter | None:
        figure = figures.get(self.figure)
        if figure is None or self.column not in figure.columns:
            return None
        at = figure.columns.index(self.column)
        numbers = [
            cells[at]
            for cells in figure.rows
            if isinstance(cells[at], int | float) and (not self.rows or str(cells[0]) in self.rows)
        ]
        if not numbers:
            return None
        return Counter(self.text, self.figure, max(numbers) if self.alone else sum(numbers), self.unit)  # type: ignore[type-var,arg-type]


_HOURS, _PER_CENT = _("hours"), "%"
_GROUPS: tuple[tuple[str | Promise, tuple[_Asked, ...]], ...] = (
    (
        _("How well it works"),
        (
            _Asked(_("From report to the slowest operator's block, half are quicker"), "report_to_effect", "to_applied", unit=_HOURS, alone=True),
            _Asked(_("From the register to the lists, half are quicker"), "report_to_list", "to_lists", unit=_HOURS, alone=True),
            _Asked(_("Blocked devices that networks saw again"), "blocked_share_seen", "per_cent", unit=_PER_CENT, alone=True),
            _Asked(_("Reported devices that came back"), "recovery_rate", "per_cent", unit=_PER_CENT, alone=True),
            _Asked(_("Blocks taken back because they were wrong"), "false_blocks", "taken_back"),
            _Asked(_("Appeals decided for the person"), "appeals", "per_cent_granted", unit=_PER_CENT, alone=True),
            _Asked(_("Appeals that nobody decided in time"), "appeals", "restored_by_the_clock"),
            _Asked(_("Cases that wait too long now"), "waiting_times", "overdue"),
        ),
    ),
    (
        _("Devices and subscribers on the networks"),
        (
            _Asked(_("Device identities seen"), "seen_in_month", "devices"),
            _Asked(_("Handsets, as far as identifiers are bound"), "handsets", "handsets"),
            _Asked(_("SIM cards seen"), "seen_in_month", "imsis"),
            _Asked(_("Telephone numbers seen"), "seen_in_month", "msisdns"),
            _Asked(_("Identities that are no IMEI"), "seen_in_month", "no_imei"),
            _Asked(_("Blocked devices among those seen"), "compliance", "devices", ("blocked",)),
            _Asked(_("Watched devices among those seen"), "compliance", "devices", ("tracked", "tracked, will be blocked")),
            _Asked(_("Devices with a finding"), "findings_together", "devices"),
        ),
    ),
    (
        _("Lists of the operators"),
        (
            _Asked(_("Devices on the block list"), "listed", "entries", ("blocklist",)),
            _Asked(_("Exceptions"), "listed", "entries", ("exceptions",)),
            _Asked(_("Notices before a block"), "listed", "entries", ("notifications",)),
            _Asked(_("Blocked pairs"), "listed", "entries", ("pairblocks",)),
        ),
    ),
    (
        _("Register, imports and pairings"),
        (
            _Asked(_("Devices in the register singly"), "entered", "devices"),
            _Asked(_("Entered this month"), "entered_in_month", "devices"),
            _Asked(_("Registrations waiting"), "registrations", "waiting"),
            _Asked(_("Devices with a pairing"), "pairs", "devices"),
            _Asked(_("Pairings"), "pairs", "pairs"),
            _Asked(_("Consignments being checked"), "ports", "being_checked"),
        ),
    ),
    (
        _("Reports and checks"),
        (
            _Asked(_("Reports received"), "reports_by_channel", "reports"),
            _Asked(_("Reports verified"), "incident_types", "verified"),
            _Asked(_("Devices reported this month"), "recovered", "reported"),
            _Asked(_("Devices recovered this month"), "recovered", "recovered"),
            _Asked(_("Appeals filed"), "appeals", "filed"),
            _Asked(_("Devices that people asked about"), "checks", "devices"),
            _Asked(_("Alerts to officers"), "alerts", "alerts"),
        ),
    ),
)  # fmt: skip


def counters(figures: Mapping[str, Figure]) -> list[tuple[str | Promise, list[Counter]]]:
    """The counters of a month by group; one whose figure was not counted is left out."""
    return [
        (group, found)
        for group, asked in _GROUPS
        if (found := [one for each in asked if (one := each.found_in(figures)) is not None])
    ]
