"""Whether a company may act: applied for with documents, verified until a day, suspended and restored with reasons.

Without good standing a company has no type approved, declares no stock and sells none. What it did before stays: a
device that was sold is registered, whatever becomes of its seller.
"""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.deadlines import on_deadline
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case, Deadline
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import Wording, wording
from openceir.portal.register import register
from openceir.portal.trade.fees import charge, need_paid
from openceir.portal.trade.models import Fee
from openceir.portal.trade.papers import NewPaper, accept_papers, add_paper

__all__ = [
    "StandingNeeded",
    "apply_for_standing",
    "ask",
    "need_standing",
    "reject",
    "restore",
    "standing_of",
    "suspend",
    "verify",
]

_COMPANY_VERIFIED = wording(
    "company-verified", gettext_lazy("Your company was verified. You can declare stock and sell it.")
)
_COMPANY_NOT_VERIFIED = wording(
    "company-not-verified", gettext_lazy("Your company was not verified. Its page says why.")
)
_COMPANY_SUSPENDED = wording(
    "company-suspended", gettext_lazy("The standing of your company was suspended. Its page says why.")
)
_COMPANY_RESTORED = wording("company-restored", gettext_lazy("Your company is in good standing again."))
_STANDING_ENDS_SOON = wording(
    "standing-ends-soon",
    gettext_lazy("The standing of your company ends soon: its page says when. Apply again before."),
)
_STANDING_ENDED = wording(
    "standing-ended", gettext_lazy("The standing of your company has ended. Apply again to go on.")
)


class StandingNeeded(PortalError):
    """The company has no verified standing today, so this cannot be done in its name."""

    code = "standing-needed"


_ORDER = ("verified", "suspended", "received", "asked")


def standing_of(office: str) -> Case | None:
    """The company's standing, else its application for it, else the newest that has ended; None when it never applied."""
    mine = Case.objects.filter(kind="standing", details__applicant=office).order_by("-opened_at", "-pk")
    return min(mine, key=lambda case: _ORDER.index(case.state) if case.state in _ORDER else len(_ORDER), default=None)


def need_standing(office: str) -> None:
    """Raises: StandingNeeded, unless the company is in good standing today."""
    today = moment.today().isoformat()
    mine = Case.objects.filter(kind="standing", details__applicant=office)
    if any(case.details["valid_until"] >= today for case in mine.filter(state="verified")):
        return
    if mine.filter(state="suspended").exists():
        raise StandingNeeded(_("The standing of this company is suspended; its page says why and what to do."))
    raise StandingNeeded(_("The regulator must verify the standing of this company first; apply under Standing."))


def apply_for_standing(actor: Actor, told: dict[str, Any], extract: Upload, licence: NewPaper | None) -> Case:
    """A new application, or one for the time after the standing that runs. Raises: PortalError; EvidenceRefused."""
    with transaction.atomic():
        if Case.objects.filter(
            kind="standing", details__applicant=actor.office, state__in=("received", "asked")
        ).exists():
            raise PortalError(_("Your company has applied already; the regulator decides."))
        case, _secret = Case.open(
            "standing", office="regulator", person=actor.user, details={**told, "applicant": actor.office}
        )
        add_evidence(case, extract)
        if licence is not None:
            add_paper(case, licence)
        charge(actor.office, Fee.Item.STANDING, case=case)
        note(actor, "trade.apply-for-standing", subject=case.reference)
    return case


def ask(actor: Actor, case: Case, *, text: str, seen_version: int) -> None:
    """Ask the company something before deciding."""
    case.move("ask", actor=actor.office, text=text, seen_version=seen_version)


def verify(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """The company is in good standing from now on, for as long as policy says.

    Raises: IllegalMove, CaseChanged; PortalError when the fee is not paid.
    """
    need_paid(case=case)
    on = moment.today()
    policy = register().policy
    until = _months_after(on, int(policy.value("trade.standing_months", on)))
    before = until - timedelta(days=int(policy.value("trade.announced_days_before", on)))
    with transaction.atomic():
        for older in Case.objects.filter(
            kind="standing", state="verified", details__applicant=case.details["applicant"]
        ):
            older.move("replace", actor=actor.office)
        case.move("verify", actor=actor.office, text=reasons, seen_version=seen_version)
        case.details["valid_until"] = until.isoformat()
        case.save(update_fields=["details"])
        accept_papers(case)
        case.due("standing-announced", _midnight(before, on))
        case.due("standing-ends", _midnight(until + timedelta(days=1), on))
        notify(case, _COMPANY_VERIFIED)
        note(actor, "trade.verify-company", subject=case.reference, reason=reasons)


def reject(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """Do not verify the company, and say why."""
    _decided(actor, case, "reject", reasons, seen_version, _COMPANY_NOT_VERIFIED)


def suspend(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """From now on the company declares and sells nothing, until it is restored."""
    _decided(
        actor, case, "suspend", reasons, seen_version,
        _COMPANY_SUSPENDED,
    )  # fmt: skip


def restore(actor: Actor, case: Case, *, reasons: str, seen_version: int) -> None:
    """The company may act again."""
    _decided(actor, case, "restore", reasons, seen_version, _COMPANY_RESTORED)


def _decided(actor: Actor, case: Case, move: str, reasons: str, seen_version: int, told: Wording) -> None:
    with transaction.atomic():
        case.move(move, actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, told)
        note(actor, f"trade.{move}-company", subject=case.reference, reason=reasons)


@on_deadline("standing-announced")
def _announce(case: Case, deadline: Deadline) -> None:
    notify(case, _STANDING_ENDS_SOON)


@on_deadline("standing-ends")
def _end(case: Case, deadline: Deadline) -> None:
    case.move("expire", actor="clock")
    notify(case, _STANDING_ENDED)


def _months_after(on: date, months: int) -> date:
    """The same day so many months later; the month's last where it has no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(first_of_next - timedelta(days=1), date(year, month + 1, 1) + timedelta(days=on.day - 1))


def _midnight(on: date, not_before: date) -> datetime:
    return datetime.combine(max(on, not_before), time(), moment.now().tzinfo)
