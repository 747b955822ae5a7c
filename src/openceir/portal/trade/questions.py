"""Is this one yours? The police, customs or the regulator ask a maker or importer about a number that was copied.

The company answers with its word, what its own records say, and documents; where it presents its stock key, what its
sealed stock holds under the number is put beside, which nobody could have added afterwards. The answer stands in the
case that the question was asked from, and decides nothing by itself.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Alarm, Appointment, User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.deadlines import on_deadline
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case, Deadline
from openceir.portal.cases.notices import notify_person
from openceir.portal.cases.wordings import wording
from openceir.portal.register import register
from openceir.portal.trade.keys import needs_own
from openceir.portal.trade.sealing import SealingKey
from openceir.portal.trade.stock import find_unit

__all__ = ["ANSWERS", "again", "answer", "ask", "close", "companies", "company_of_type"]

ANSWERS = {
    "ours": gettext_lazy("Yes: we made, imported or sold a device with this number"),
    "not-ours": gettext_lazy("No: no device of ours has this number"),
    "unknown": gettext_lazy("We cannot tell from our records"),
}
_TRADE = (PortalRole.IMPORTER, PortalRole.MAKER, PortalRole.DEALER)
_QUESTION_TO_COMPANY = wording(
    "question-to-company", gettext_lazy("An office asks your company whether a device is its own: see Questions.")
)
_QUESTION_ANSWERED = wording("question-answered", gettext_lazy("The company answered your question about a device."))
_QUESTION_UNANSWERED = wording(
    "question-unanswered", gettext_lazy("A company did not answer your question about a device in time.")
)


def companies() -> list[str]:
    """The companies that somebody acts for today, ascending."""
    now = moment.now()
    rows = Appointment.objects.filter(role__in=_TRADE, since__lte=now).exclude(until__lte=now)
    return sorted(set(rows.values_list("office", flat=True)))


def company_of_type(devices: Sequence[str]) -> str:
    """The company whose approved type one of these devices has; empty when there is none such."""
    tacs = [device[:8] for device in devices]
    found = Case.objects.filter(kind="type-approval", state="approved", details__tac__in=tacs).first()
    return str(found.details["applicant"]) if found is not None else ""


def ask(actor: Actor, devices: Sequence[str], *, company: str, question: str, about: Case | None = None) -> Case:
    """Ask a company about devices (14 digits each). Raises: PortalError when the same is asked already."""
    running = Case.objects.filter(
        kind="clone-question",
        closed_at=None,
        office=actor.office,
        details__company=company,
        devices__device__in=devices,
    ).first()
    if running is not None:
        raise PortalError(
            _("This company was asked about this device already: %(reference)s.") % {"reference": running}
        )
    on = moment.today()
    days = int(register().policy.value("trade.question_answered_within_days", on))
    with transaction.atomic():
        case, _secret = Case.open(
            "clone-question", devices=devices, office=actor.office, assigned_to=actor.user, parent=about,
            details={
                "company": company, "question": question, "due_on": (on + timedelta(days=days)).isoformat(),
                "answer": "", "stock": [],
            },
        )  # fmt: skip
        case.tell("question", actor=actor.office, text=question)
        case.due("question-unanswered", moment.now() + timedelta(days=days))
        note(actor, "trade.ask-company", subject=case.reference, count=len(devices))
        if about is not None:
            about.tell("note", actor=actor.name, text=f"{company} ← {case}", is_public=False)
        for person in _people_of(company):
            notify_person(person, _QUESTION_TO_COMPANY)
    return case


def answer(
    actor: Actor, case: Case, *, word: str, text: str, documents: Sequence[Upload] = (), key: SealingKey | None = None,
    seen_version: int | None = None,
) -> None:  # fmt: skip
    """The company's answer, which enters the case that it was asked from.

    Raises: IllegalMove, CaseChanged; StockKeyRefused; EvidenceRefused.
    """
    found: list[dict[str, Any]] = []
    if key is not None:
        needs_own(actor, key)
        for one in case.devices.all():
            held = find_unit(actor.office, one.device, key)
            if held is not None:
                unit, told = held
                found.append(
                    {
                        "device": one.device,
                        "consignment": unit.batch.consignment,
                        "declared_on": unit.batch.opened_at.date().isoformat(),
                        "sold_on": unit.sold_at.date().isoformat() if unit.sold_at else "",
                        "serial": told.get("serial", ""),
                        "others": [
                            told[name] for name in ("imei", "imei2") if told.get(name) and told[name] != one.device
                        ],
                    }
                )
    with transaction.atomic():
        case.move("answer", actor=actor.office, text=text, seen_version=seen_version)
        case.details["answer"], case.details["stock"] = word, found
        case.details["is_checked_in_stock"] = key is not None
        case.save(update_fields=["details"])
        for document in documents:
            add_evidence(case, document, actor=actor.office)
        note(actor, "trade.answer-question", subject=case.reference)
        if case.parent is not None:
            case.parent.tell("note", actor=actor.office, text=f"{case}: {ANSWERS[word]} {text}", is_public=False)
        if case.assigned_to is not None:
            notify_person(
                case.assigned_to, _QUESTION_ANSWERED, once=f"{case.pk}-{case.version}"
            )  # fmt: skip


def again(actor: Actor, case: Case, *, text: str, seen_version: int) -> None:
    """Ask something more; the clock of the answer begins anew."""
    days = int(register().policy.value("trade.question_answered_within_days", moment.today()))
    with transaction.atomic():
        case.move("again", actor=actor.office, text=text, seen_version=seen_version)
        case.details["due_on"] = (moment.today() + timedelta(days=days)).isoformat()
        case.save(update_fields=["details"])
        case.deadlines.filter(done_at=None).update(done_at=moment.now())
        case.due("question-unanswered", moment.now() + timedelta(days=days))
        for person in _people_of(str(case.details["company"])):
            notify_person(person, _QUESTION_TO_COMPANY)


def close(actor: Actor, case: Case, *, seen_version: int) -> None:
    """Nothing more is needed of the company."""
    case.move("close", actor=actor.office, seen_version=seen_version)


@on_deadline("question-unanswered")
def _unanswered(case: Case, deadline: Deadline) -> None:
    if case.state != "asked":
        return
    case.move("expire", actor="clock")
    Alarm.objects.create(
        kind="question-unanswered",
        office=case.office,
        facts={"case": case.reference, "company": case.details["company"]},
    )
    if case.assigned_to is not None:
        notify_person(case.assigned_to, _QUESTION_UNANSWERED)


def _people_of(office: str) -> list[User]:
    now = moment.now()
    rows = Appointment.objects.filter(role__in=_TRADE, office=office, since__lte=now).exclude(until__lte=now)
    return list({row.user_id: row.user for row in rows.select_related("user")}.values())
