"""Certificates, test reports, factory audits and licences as data: number, issuer, days, standard, and the document.

A paper counts once the regulator took it as good, from its day of issue to its last day. A type whose certificate has
come to its last day stays approved (what is sold keeps working), but no more stock of it may be declared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.models import Alarm
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.clockwork import every
from openceir.portal.register import register
from openceir.portal.trade.models import Paper

__all__ = ["NewPaper", "PaperRefused", "accept_papers", "add_paper", "good_papers", "look_for_ended"]
_ENDS_SOON = wording(
    "certificate-ends-soon",
    gettext_lazy("The certificate of your type ends soon. Enter the new one on the type's page."),
)


class PaperRefused(PortalError):
    """A certificate, report, audit or licence cannot be taken as it was entered."""

    code = "paper-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPaper:
    """A paper as somebody enters it."""

    kind: str
    number: str
    issuer: str
    issued_on: date
    expires_on: date | None = None
    standard: str = ""
    result: str = ""
    document: Upload | None = None


def add_paper(case: Case, told: NewPaper, *, actor: str = "") -> Paper:
    """Keep a paper with its document. Raises: PaperRefused when it stands there already; EvidenceRefused."""
    document = add_evidence(case, told.document, actor=actor) if told.document is not None else None
    try:
        with transaction.atomic():
            return Paper.objects.create(
                case=case, kind=told.kind, number=told.number, issuer=told.issuer, standard=told.standard,
                result=told.result, issued_on=told.issued_on, expires_on=told.expires_on, document=document,
            )  # fmt: skip
    except IntegrityError:
        raise PaperRefused(_("This paper stands here already; if it was renewed, enter the new number.")) from None


def accept_papers(case: Case) -> int:
    """The regulator takes what was entered as good; how many papers that are new."""
    return case.papers.filter(accepted_at=None).update(accepted_at=moment.now())


def good_papers(kind: str, cases: Iterable[Case], on: date) -> set[int]:
    """Of these cases, the keys of those with an accepted paper of a kind that has not ended on this day."""
    found = Paper.objects.filter(
        Q(expires_on=None) | Q(expires_on__gte=on), kind=kind, accepted_at__isnull=False, case__in=list(cases)
    )
    return set(found.values_list("case_id", flat=True))


@every(seconds=3600, name="trade.papers")
def look_for_ended(now: datetime) -> None:
    """Tell a company that the certificate of a type ends soon, and the regulator that it has ended; each once."""
    on = now.date()
    soon = on + timedelta(days=int(register().policy.value("trade.announced_days_before", on)))
    approved = Case.objects.filter(kind="type-approval", state="approved")
    lasting = good_papers(Paper.Kind.CERTIFICATE, approved, soon)
    for case in approved.exclude(pk__in=lasting):
        accepted = case.papers.filter(kind=Paper.Kind.CERTIFICATE, accepted_at__isnull=False)
        newest = accepted.exclude(expires_on=None).order_by("-expires_on").first()
        if newest is None or newest.expires_on is None:
            continue
        notify(
            case, _ENDS_SOON,
            once=f"paper-{newest.pk}",
        )  # fmt: skip
        if (
            newest.expires_on < on
            and not Alarm.objects.filter(kind="certificate-ended", facts__paper=newest.pk).exists()
        ):
            Alarm.objects.create(
                at=now, kind="certificate-ended", office="regulator",
                facts={"paper": newest.pk, "case": case.reference, "ended_on": newest.expires_on.isoformat()},
            )  # fmt: skip
