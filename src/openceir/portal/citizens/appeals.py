"""Appeals: a clock that the ledger itself keeps, and a decision with written reasons.

Filing states a dispute against everything that the block rests on, which restores service at an instant unless
somebody decides before: from then on the device reads TRACKED, without anybody's doing. The worker only says so to
the person. Granting withdraws what was appealed against, for this device; rejecting withdraws the disputes.
"""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, clockwork, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.models import User
from openceir.portal.cases.deadlines import on_deadline
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case, Deadline
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.register import register
from openceir.statements import DeviceSet, Disputed, Withdrawn

__all__ = ["NothingToAppeal", "decide_appeal", "file_appeal"]

_OFFICE = "regulator"


class NothingToAppeal(PortalError):
    """Nothing restricts the device, or an appeal is running already."""

    code = "nothing-to-appeal"


def file_appeal(
    device: str,
    *,
    grounds: str,
    documents: list[Upload],
    language: str,
    person: User | None = None,
    name: str = "",
    email: str = "",
    phone: str = "",
    by: Actor | None = None,
) -> tuple[Case, str]:
    """An appeal against whatever restricts the device now; its clock runs from here.

    `by` is an operator that contests a block for its subscriber: the disputes are signed in its name.

    Raises: NothingToAppeal; EvidenceRefused, and then nothing was filed.
    """
    now = moment.now()
    book = register()
    running = Case.objects.filter(kind="appeal", devices__device=device, closed_at=None).first()
    if running is not None:
        raise NothingToAppeal(_("An appeal for this device is running already. Its holder can add documents to it."))
    deciding = [reason for reason in book.check(device, now).reasons if reason.decides and reason.kind in _APPEALABLE]
    if not deciding:
        raise NothingToAppeal(_("Nothing restricts this device, so there is nothing to appeal against."))
    hours = int(book.policy.value("portal.appeal_decided_within_hours", now.date()))
    restores_at = now + timedelta(hours=hours)
    with transaction.atomic():
        case, secret = Case.open(
            "appeal",
            devices=[device],
            person=person,
            language=language,
            name=name,
            email=email,
            phone=phone,
            office=_OFFICE,
            details={
                "grounds": grounds,
                "statements": [reason.statement for reason in deciding],
                "contested_by": by.office if by else "",
            },
        )
        for upload in documents:
            add_evidence(case, upload)
        case.due("appeal-undecided", restores_at)
        filed = [
            Disputed(
                target=reason.leaf_hash,
                devices=DeviceSet.of([device]),
                filed_at=now,
                restores_at=restores_at,
                grounds=f"appeal {case.reference}",
            )
            for reason in deciding
        ]
        signer = by or clockwork(_OFFICE)
        entries = state(
            signer, filed, verb="appeals.file", subject=case.reference, reason=grounds[:200] if by else "", count=1
        )
        case.details["disputes"] = [entry.index for entry in entries]
        case.details["restores_at"] = restores_at.isoformat()
        case.save()
    return case, secret


_RESTORED = wording(
    "appeal-restored", gettext_lazy("Your appeal was not decided in time, so your phone works again until it is.")
)
_GRANTED = wording("appeal-granted", gettext_lazy("Your appeal was granted. Networks are told to serve your phone."))
_NOT_GRANTED = wording(
    "appeal-not-granted",
    gettext_lazy("Your appeal was not granted. The reasons are on its page, and how to go to court."),
)
_APPEALABLE = {"stolen", "lost", "blocked", "classified", "tracked"}


@on_deadline("appeal-undecided")
def _restore(case: Case, deadline: Deadline) -> None:
    """Nobody decided in time. The disputes restored service by themselves; here the person is told."""
    case.move("restore", actor="clock")
    notify(case, _RESTORED)


def decide_appeal(actor: Actor, case: Case, *, grant: bool, reasons: str, seen_version: int | None = None) -> None:
    """The regulator's decision, with its reasons in writing.

    Raises: PortalError without reasons; IllegalMove, CaseChanged, QuotaExceeded, StatementRefused.
    """
    if not reasons.strip():
        raise PortalError(_("A decision needs its reasons in writing; the person reads them."))
    book, now = register(), moment.now()
    device = case.devices.get().device
    targets = case.details["statements"] if grant else case.details["disputes"]
    with transaction.atomic():
        case.move("grant" if grant else "reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _GRANTED if grant else _NOT_GRANTED)
        ended = [
            Withdrawn(
                target=book.ledger.entry(index).leaf_hash,
                devices=DeviceSet.of([device]),
                withdrawn_at=now,
                grounds=f"appeal {case.reference} {'granted' if grant else 'not granted'}",
            )
            for index in targets
        ]
        state(actor, ended, verb="appeals.decide", subject=case.reference, reason=reasons, count=1)
