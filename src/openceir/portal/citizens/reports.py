"""A phone was taken or lost: from the owner's word to the police's statement, and back again.

A report blocks nothing by itself. It needs proof that does not hang on the lost number (a document, or the device
under the owner's name here), and the word of the police. In recovery mode (`watch`) the phone is not blocked but
tracked, by the regulator's statement, for the police alone cannot say so.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, clockwork, state
from openceir.portal.accounts.models import User
from openceir.portal.cases.errors import IllegalMove
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.citizens.holdings import holds
from openceir.portal.register import register
from openceir.statements import DeviceLost, DeviceRecovered, DeviceSet, DeviceStolen, DeviceTracked, Withdrawn

__all__ = [
    "ANTITHEFT",
    "VERIFIED",
    "confirm_recovery",
    "insist",
    "open_report",
    "prove",
    "reject_report",
    "request_recovery",
    "verify_report",
]

REGULATOR = "regulator"
VERIFIED = ("blocked", "watched", "insisted")  # states of a report that the police vouch for
# ITU-T X.1127: what the owner did, or could do, with the phone's own protection.
ANTITHEFT = {
    "unknown": _("I do not know"),
    "enabled": _("the phone has a protection, not used yet"),
    "locked": _("I locked it from afar"),
    "wiped": _("I erased it from afar"),
    "restored": _("it is back and I unlocked it"),
}

# What people are told; an office may put other words in their place.
_WATCHED = wording("report-watched", _("The police verified your report. Your phone is being watched, not blocked."))
_VERIFIED = wording("report-verified", _("The police verified your report. Networks are told to block your phone."))
_REJECTED = wording("report-rejected", _("The police did not accept your report. The reasons are on its page."))
_RECOVERED = wording("report-recovered", _("Your phone is recorded as back. Networks are told to serve it again."))


def open_report(
    *devices: str,
    is_theft: bool,
    channel: str,
    language: str,
    happened_at: datetime | None = None,
    mode: str = "block",
    person: User | None = None,
    name: str = "",
    email: str = "",
    phone: str = "",
    place: str = "",
    area: str = "",
) -> tuple[Case, str]:
    """A new report and the secret that opens it. Shapes: devices are the 14 digits of every IMEI of the phone.

    It waits for proof, unless every device is under the person's name already.
    """
    with transaction.atomic():
        case, secret = Case.open(
            "theft" if is_theft else "loss",
            devices=devices,
            person=person,
            language=language,
            name=name,
            email=email,
            phone=phone,
            office="police",
            details={
                "channel": channel,
                "mode": mode,
                "happened_at": (happened_at or moment.now()).isoformat(),
                "place": place,
                "area": area,  # of the policy's areas; what is counted, where the place itself is not
                "antitheft": "unknown",
                "proof": "",
            },
        )
        if all(holds(person, device) for device in devices):
            case.details["proof"] = "under the owner's name"
            case.save()
            case.move("prove", actor="")
    return case, secret


def prove(case: Case, upload: Upload) -> None:
    """A document that shows whose phone it is. Raises: EvidenceRefused."""
    kept = add_evidence(case, upload)
    if case.state == "unproven":
        with transaction.atomic():
            case.details["proof"] = kept.name
            case.save()
            case.move("prove", actor="")


def verify_report(actor: Actor, case: Case, *, seen_version: int | None = None, text: str = "") -> None:
    """The police vouch for a report: the phone is blocked, or in recovery mode watched.

    Raises: IllegalMove, CaseChanged, QuotaExceeded, StatementRefused.
    """
    happened_at = datetime.fromisoformat(case.details["happened_at"])
    with transaction.atomic():
        if case.details["mode"] == "watch":
            case.move("watch", actor=actor.office, text=text, seen_version=seen_version)
            notify(case, _WATCHED)
            _watch(case)
        else:
            case.move("verify", actor=actor.office, text=text, seen_version=seen_version)
            notify(case, _VERIFIED)
            _state_taken(actor, case, happened_at)
            if case.details.get("tracked_by") is not None:
                _end_watch(case)


def insist(case: Case) -> None:
    """The owner of a watched phone asks to block it after all; it is watched until the police have decided.

    Raises: IllegalMove.
    """
    with transaction.atomic():
        kept = Case.objects.select_for_update().get(pk=case.pk)
        kept.details["mode"] = "block"
        kept.save(update_fields=["details"])
        case.move("insist", actor="")


def reject_report(actor: Actor, case: Case, *, reasons: str, seen_version: int | None = None) -> None:
    """The police do not accept a report; the reasons are written, and the owner reads them."""
    with transaction.atomic():
        case.move("reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _REJECTED)


def request_recovery(report: Case, *, text: str = "") -> Case:
    """The owner has the phone back and asks that it be served again; a request that waits already is that one.

    Raises: IllegalMove for a report that neither blocks nor watches.
    """
    with transaction.atomic():
        kept = Case.objects.select_for_update().get(pk=report.pk)
        if kept.state not in VERIFIED:
            raise IllegalMove(
                gettext('This case is "%(state)s" now; this cannot be done any more.') % {"state": kept.state_text}
            )
        waits = kept.children.filter(kind="recovery", closed_at=None).first()
        if waits is not None:
            return waits
        case, _secret = Case.open(
            "recovery",
            devices=[one.device for one in kept.devices.all()],
            parent=kept,
            person=kept.person,
            language=kept.language,
            name=kept.name,
            email=kept.email,
            phone=kept.phone,
            office=kept.office,
            details={"text": text},
        )
        kept.tell("note", actor="", text=text)
    return case


def confirm_recovery(actor: Actor, case: Case, *, text: str = "", seen_version: int | None = None) -> None:
    """The police confirm that a phone is back: whatever blocked or watched it for this report ends.

    `case` is the request, or the report itself when the police found the phone.
    """
    report = case.parent if case.kind == "recovery" and case.parent is not None else case
    now = moment.now()
    with transaction.atomic():
        was_watched = report.state in {"watched", "insisted"}
        if case is not report:
            case.move("confirm", actor=actor.office, text=text, seen_version=seen_version)
            seen_version = None
        report.move("recover", actor=actor.office, text=text, seen_version=seen_version)
        notify(report, _RECOVERED)
        if was_watched:
            _end_watch(report)
        else:
            state(
                actor,
                [DeviceRecovered(devices=_devices(report), recovered_at=now, case_number=report.reference)],
                verb="police.confirm-recovery",
                subject=report.reference,
            )


def _state_taken(actor: Actor, case: Case, happened_at: datetime) -> None:
    kind = DeviceStolen if case.kind == "theft" else DeviceLost
    when = {"stolen_at": happened_at} if kind is DeviceStolen else {"lost_at": happened_at}
    state(
        actor,
        [kind(devices=_devices(case), case_number=case.reference, **when)],
        verb="police.verify-report",
        subject=case.reference,
        count=case.devices.count(),
    )


def _watch(case: Case) -> None:
    tracked = DeviceTracked(
        devices=_devices(case), tracked_at=moment.now(), grounds=f"recovery mode, report {case.reference}"
    )
    [entry] = state(clockwork(REGULATOR), [tracked], verb="police.watch", subject=case.reference)
    case.details["tracked_by"] = entry.index
    case.save()


def _end_watch(case: Case) -> None:
    leaf = register().ledger.entry(case.details["tracked_by"]).leaf_hash
    ended = Withdrawn(target=leaf, withdrawn_at=moment.now(), grounds=f"the phone is back, report {case.reference}")
    state(clockwork(REGULATOR), [ended], verb="police.end-watch", subject=case.reference)


def _devices(case: Case) -> DeviceSet:
    return DeviceSet.of([one.device for one in case.devices.all()])
