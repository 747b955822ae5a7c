"""Figures of what the offices did in a month: cases, waiting times, imports, stock, checks. Counted from the portal's
own tables by the worker and kept, beside the register's monthly report and in the same form (`openceir.reports`).

    @_counts("incident_types", "What was reported", "reports", Drawing.BARS, "how it was counted", "what", "reports")
    def _incident_types(month): yield one row after the other
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median

from django.db.models import Count, Q, Sum

from openceir.portal import moment
from openceir.portal.cases.areas import areas_now
from openceir.portal.cases.models import Case, Event, Notice
from openceir.portal.citizens.reports import VERIFIED
from openceir.portal.customs.models import Consignment
from openceir.portal.operators.models import EirAudit, NoticeOutcome, NoticesSent
from openceir.portal.police.models import Hit
from openceir.portal.regulator.models import CheckCount, KeptFigures
from openceir.portal.regulator.waiting import decided_between, waits_of
from openceir.portal.trade.models import Batch, Unit
from openceir.reports import Drawing, Figure, ReportError

__all__ = ["AREAS", "desk_figures", "make_desk_figures"]

AREAS = "reports_by_area"
_REPORTS = ("theft", "loss")
_VERIFIED = (*VERIFIED, "recovered")

Cells = tuple[str | int | float | None, ...]


@dataclass(frozen=True, slots=True)
class _Month:
    """A month, and the one before it, as instants: the first counts, the second does not."""

    begins_at: datetime
    ends_at: datetime
    before_at: datetime

    @classmethod
    def named(cls, text: str) -> "_Month":
        try:
            first = date.fromisoformat(f"{text}-01")
        except ValueError:
            raise ReportError(f'"{text}" is no month; write it like 2026-10') from None
        after, before = (first + timedelta(days=31)).replace(day=1), (first - timedelta(days=1)).replace(day=1)
        return cls(*(datetime.combine(day, time(), UTC) for day in (first, after, before)))

    def within(self, field: str) -> Q:
        """Rows whose instant lies in the month."""
        return Q(**{f"{field}__gte": self.begins_at, f"{field}__lt": self.ends_at})


_FIGURES: list[Callable[[_Month], Figure]] = []


def _counts(
    name: str, title: str, unit: str, drawing: Drawing, counts: str, *columns: str
) -> Callable[[Callable[[_Month], Iterator[Cells]]], Callable[[_Month], Figure]]:
    def register(rows: Callable[[_Month], Iterator[Cells]]) -> Callable[[_Month], Figure]:
        def figure(month: _Month) -> Figure:
            return Figure(
                name=name, title=title, explains=counts, unit=unit, drawing=drawing, columns=columns, rows=tuple(rows(month))
            )  # fmt: skip

        _FIGURES.append(figure)
        return figure

    return register


def make_desk_figures(month: str) -> KeptFigures:
    """Count the figures of a month and keep them. Raises: ReportError for what is no month."""
    asked = _Month.named(month)
    document = [figure(asked).to_dict() for figure in _FIGURES]
    kept, _ = KeptFigures.objects.update_or_create(
        month=month, defaults={"made_at": moment.now(), "document": document}
    )
    return kept


def desk_figures(month: str) -> tuple[Figure, ...]:
    """The figures of a month that were kept; none when they were never counted."""
    kept = KeptFigures.objects.filter(month=month).first()
    return tuple(Figure.from_dict(one) for one in kept.document) if kept else ()


def _per_cent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


@_counts(
    "reports_received", "Reports received, day by day", "reports", Drawing.LINES,
    "Reports of thefts and losses that reached the portal on each day, by whatever channel, before anybody verified them.",
    "day", "thefts", "losses",
)  # fmt: skip
def _reports_received(month: _Month) -> Iterator[Cells]:
    days: dict[date, dict[str, int]] = defaultdict(dict)
    found = Case.objects.filter(month.within("opened_at"), kind__in=_REPORTS)
    for on, kind, count in found.values_list("opened_at__date", "kind").annotate(all=Count("pk")).order_by():
        days[on][kind] = count
    for on in sorted(days):
        yield on.isoformat(), days[on].get("theft", 0), days[on].get("loss", 0)


@_counts(
    "incident_types", "What was reported, and what became of it", "reports", Drawing.STACKED,
    "Reports of the month by kind: verified by the police, not accepted or withdrawn, and not decided yet.",
    "what", "verified", "not_accepted", "waiting",
)  # fmt: skip
def _incident_types(month: _Month) -> Iterator[Cells]:
    found = Case.objects.filter(month.within("opened_at"), kind__in=_REPORTS).values_list("kind").order_by("-kind")
    counted = found.annotate(
        verified=Count("pk", filter=Q(state__in=_VERIFIED)),
        refused=Count("pk", filter=Q(state__in=("rejected", "withdrawn"))),
        all=Count("pk"),
    )
    for kind, verified, refused, every in counted:
        yield kind, verified, refused, every - verified - refused


@_counts(
    "case_states", "Cases by kind and state", "cases", Drawing.NONE,
    "Every case that was open in the month or was opened in it, by its kind and its state when this was counted.",
    "kind", "state", "cases",
)  # fmt: skip
def _case_states(month: _Month) -> Iterator[Cells]:
    alive = Q(closed_at=None) | Q(closed_at__gte=month.begins_at)
    found = Case.objects.filter(alive, opened_at__lt=month.ends_at).values_list("kind", "state")
    yield from found.annotate(all=Count("pk")).order_by("kind", "state")


@_counts(
    "reports_by_channel", "How reports came", "reports", Drawing.BARS,
    "Reports of the month by the channel that brought them.", "channel", "reports",
)  # fmt: skip
def _reports_by_channel(month: _Month) -> Iterator[Cells]:
    found = Case.objects.filter(month.within("opened_at"), kind__in=_REPORTS).values_list("details__channel")
    for channel, count in found.annotate(all=Count("pk")).order_by("-all"):
        yield channel or "-", count


@_counts(
    "recovered_by_mode", "Recovered, by what was done", "reports", Drawing.NONE,
    "Reports verified so far, by what the owner asked for: a block, or recovery mode that only watches; how many of these"
    " phones are back, and their share of 100.",
    "mode", "verified", "recovered", "per_cent",
)  # fmt: skip
def _recovered_by_mode(month: _Month) -> Iterator[Cells]:
    found = Case.objects.filter(kind__in=_REPORTS, opened_at__lt=month.ends_at, state__in=_VERIFIED)
    counted = found.values_list("details__mode").annotate(
        all=Count("pk"), back=Count("pk", filter=Q(state="recovered"))
    )
    for mode, every, back in counted.order_by("details__mode"):
        yield mode or "-", every, back, _per_cent(back, every)


@_counts(
    "appeals", "Appeals and their outcome", "appeals", Drawing.NONE,
    "Appeals filed in the month; decisions of the month for and against the person; appeals that nobody decided in time, so"
    " that the clock restored service; the share of 100 decisions that took the block back; half of all decisions came sooner"
    " than the hours given.",
    "filed", "granted", "rejected", "restored_by_the_clock", "per_cent_granted", "hours_to_decision",
)  # fmt: skip
def _appeals(month: _Month) -> Iterator[Cells]:
    filed = Case.objects.filter(month.within("opened_at"), kind="appeal").count()
    made = Event.objects.filter(month.within("at"), case__kind="appeal")
    granted, rejected = made.filter(kind="grant").count(), made.filter(kind="reject").count()
    hours = [
        (at - opened_at).total_seconds() / 3600
        for opened_at, at in made.filter(kind__in=("grant", "reject")).values_list("case__opened_at", "at")
    ]
    took = round(median(hours), 1) if hours else None
    restored = made.filter(kind="restore").count()
    yield filed, granted, rejected, restored, _per_cent(granted, granted + rejected), took


@_counts(
    "waiting_times", "How long cases waited", "cases", Drawing.NONE,
    "Cases decided in the month, by kind and office: from when the office could act (proof of ownership included, waiting"
    " for the person's answer left out) to its decision; the hours that policy allows, how many kept to them, and their share"
    " of 100; half took no longer than the median, 95 of 100 no longer than the last but one; overdue are those that wait now.",
    "kind", "office", "allowed_hours", "decided", "in_time", "per_cent", "median_hours", "hours_95", "overdue",
)  # fmt: skip
def _waiting_times(month: _Month) -> Iterator[Cells]:
    for one in waits_of(decided_between(month.begins_at, month.ends_at), moment.now()):
        yield (
            one.kind, one.office or "-", one.allowed_hours, one.decided, one.in_time, _per_cent(one.in_time, one.decided),
            one.median_hours, one.hours_95, one.overdue,
        )  # fmt: skip


@_counts(
    "checks", "Checks by channel and language", "devices", Drawing.NONE,
    "Devices that people asked about in the month, by channel and the language of the answer. Programs that ask the fast"
    " check are counted in the metrics of the service and not here.",
    "channel", "language", "devices",
)  # fmt: skip
def _checks(month: _Month) -> Iterator[Cells]:
    found = CheckCount.objects.filter(on__gte=month.begins_at.date(), on__lt=month.ends_at.date())
    yield from found.values_list("channel", "language").annotate(all=Sum("devices")).order_by("channel", "language")


@_counts(
    "checks_a_day", "Checks, day by day", "devices", Drawing.LINES,
    "Devices that people asked about on each day of the month, by whatever channel.", "day", "devices",
)  # fmt: skip
def _checks_a_day(month: _Month) -> Iterator[Cells]:
    found = CheckCount.objects.filter(on__gte=month.begins_at.date(), on__lt=month.ends_at.date())
    for on, devices in found.values_list("on").annotate(all=Sum("devices")).order_by("on"):
        yield on.isoformat(), devices


@_counts(
    "alerts", "Reported devices that turned up", "alerts", Drawing.BARS,
    "Alerts to officers in the month: a reported device was asked about, by channel, or a network saw it.",
    "source", "alerts", "cases",
)  # fmt: skip
def _alerts(month: _Month) -> Iterator[Cells]:
    found = Hit.objects.filter(month.within("at")).values_list("kind", "source")
    counted = found.annotate(all=Count("pk"), cases=Count("case", distinct=True)).order_by("-all")
    for kind, source, count, cases in counted:
        yield f"{kind}: {source}", count, cases


@_counts(
    "imports_by_way", "Imports by persons, by how the device came", "requests", Drawing.STACKED,
    "Requests of the month to register a device, by how it came to the person, and what customs decided.",
    "way", "registered", "not_accepted", "waiting",
)  # fmt: skip
def _imports_by_way(month: _Month) -> Iterator[Cells]:
    found = Case.objects.filter(month.within("opened_at"), kind="import").values_list("details__how")
    counted = found.annotate(
        taken=Count("pk", filter=Q(state="accepted")), refused=Count("pk", filter=Q(state="rejected")), all=Count("pk")
    )
    for way, taken, refused, every in counted.order_by("-all"):
        yield way or "-", taken, refused, every - taken - refused


@_counts(
    "registrations", "Registrations by state", "devices", Drawing.STACKED,
    "Devices whose registration was asked for so far, by who asks: persons' imports, stock of companies, types whose approval"
    " is applied for (counted as one each); by what was decided.",
    "what", "accepted", "not_accepted", "waiting",
)  # fmt: skip
def _registrations(month: _Month) -> Iterator[Cells]:
    for what, kind, taken in (("persons' imports", "import", "accepted"), ("types", "type-approval", "approved")):
        cases = Case.objects.filter(kind=kind, opened_at__lt=month.ends_at)
        every, good = cases.count(), cases.filter(state=taken).count()
        refused = cases.filter(state="rejected").count()
        yield what, good, refused, every - good - refused
    stock = dict(Batch.objects.filter(opened_at__lt=month.ends_at).values_list("state").annotate(Sum("declared")))
    yield "stock of companies", stock.get("accepted", 0), stock.get("refused", 0), stock.get("waiting", 0)


@_counts(
    "companies", "Importers and makers: declared against sold", "devices", Drawing.NONE,
    "Of each company: devices declared as stock so far, those accepted and those refused, how many of them it has said were"
    " sold, and their share of 100 accepted; consignments of it at customs.",
    "company", "declared", "accepted", "refused", "sold", "per_cent_sold", "consignments",
)  # fmt: skip
def _companies(month: _Month) -> Iterator[Cells]:
    batches = Batch.objects.filter(opened_at__lt=month.ends_at).values_list("office")
    stock = batches.annotate(
        all=Sum("declared"),
        good=Sum("declared", filter=Q(state="accepted"), default=0),
        refused=Sum("declared", filter=Q(state="refused"), default=0),
    )
    sold = dict(Unit.objects.filter(sold_at__lt=month.ends_at).values_list("office").annotate(Count("pk")))
    arrived = dict(
        Consignment.objects.filter(opened_at__lt=month.ends_at).values_list("importer").annotate(Count("pk"))
    )
    told = {office: (every, good, refused) for office, every, good, refused in stock}
    for office in sorted(told.keys() | arrived.keys()):
        every, good, refused = told.get(office, (0, 0, 0))
        out = sold.get(office, 0)
        yield office, every, good, refused, out, _per_cent(out, good), arrived.get(office, 0)


@_counts(
    "ports", "Consignments by port", "consignments", Drawing.STACKED,
    "Consignments that came in the month, by port, and what customs did with them.",
    "port", "released", "held", "being_checked",
)  # fmt: skip
def _ports(month: _Month) -> Iterator[Cells]:
    found = Consignment.objects.filter(month.within("opened_at")).values_list("port")
    counted = found.annotate(
        out=Count("pk", filter=Q(state="released")), held=Count("pk", filter=Q(state="held")), all=Count("pk")
    )
    for port, out, held, every in counted.order_by("-all", "port"):
        yield port, out, held, every - out - held


@_counts(
    "notices", "Notices to people", "notices", Drawing.NONE,
    "Notices of the month by the way they went: sent, still to go, and given up after eight attempts. Notices before a block"
    " that operators confirmed stand under the operator.",
    "way", "sent", "to_go", "given_up",
)  # fmt: skip
def _notices(month: _Month) -> Iterator[Cells]:
    found = Notice.objects.filter(month.within("due_at")).values_list("channel")
    counted = found.annotate(
        sent=Count("pk", filter=~Q(sent_at=None)),
        lost=Count("pk", filter=Q(sent_at=None, failures__gte=8)),
        all=Count("pk"),
    )
    for channel, sent, lost, every in counted.order_by("channel"):
        yield channel, sent, every - sent - lost, lost
    told = NoticesSent.objects.filter(month.within("at")).values_list("operator")
    for operator, sent, lost in told.annotate(Sum("sent"), Sum("not_reached")).order_by("operator"):
        yield operator, sent, 0, lost


@_counts(
    "notice_outcomes",
    "What came of notices",
    "devices",
    Drawing.BARS,
    "Devices of the month by what their operators heard from subscribers after a notice: many who show papers are a sign that"
    " a rule finds too much.",
    "outcome",
    "devices",
)
def _notice_outcomes(month: _Month) -> Iterator[Cells]:
    found = NoticeOutcome.objects.filter(month.within("at")).values_list("outcome")
    yield from found.annotate(all=Count("device", distinct=True)).order_by("-all")


@_counts(
    "audits",
    "Audits of equipment registers",
    "audits",
    Drawing.NONE,
    "Audits whose reports were made in the month, by operator, and how many of them found every answer as ordered.",
    "operator",
    "audits",
    "as_ordered",
)
def _audits(month: _Month) -> Iterator[Cells]:
    found = EirAudit.objects.filter(month.within("made_at")).values_list("operator")
    counted = found.annotate(all=Count("pk"), good=Count("pk", filter=Q(report__agrees=True)))
    yield from counted.order_by("operator")


@_counts(
    AREAS, "Where reports come from", "per 100,000 people", Drawing.NONE,
    "Reports of the month by the area that the person chose, of 100,000 people who live there, and in the month before: when"
    " thieves are driven from one area, look where they went. Areas and their people are the policy's.",
    "area", "per_100000", "reports", "month_before", "people",
)  # fmt: skip
def _reports_by_area(month: _Month) -> Iterator[Cells]:
    reports = Case.objects.filter(kind__in=_REPORTS)

    def by_area(since: datetime, until: datetime) -> dict[str, int]:
        found = reports.filter(opened_at__gte=since, opened_at__lt=until).values_list("details__area")
        return {area or "": count for area, count in found.annotate(all=Count("pk")).order_by()}

    now, before = by_area(month.begins_at, month.ends_at), by_area(month.before_at, month.begins_at)
    areas = areas_now()
    for name, area in areas.items():
        reported = now.get(name, 0)
        yield name, round(100_000 * reported / area.population, 2), reported, before.get(name, 0), area.population
    elsewhere = [sum(count for name, count in one.items() if name not in areas) for one in (now, before)]
    if areas and any(elsewhere):
        yield "not said", None, *elsewhere, None
