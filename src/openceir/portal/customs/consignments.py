"""Declared against scanned: what fits, what is missing, what came besides, and what must not enter.

matched    declared and scanned, and nothing on record speaks against it
missing    declared, not scanned
surplus    scanned, not declared
model      the TAC's model is another than the declared one
known      registered or imported already: the number may have been used up by a copy
reported   stolen, lost or blocked
no-number  a number known to be on many handsets
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.errors import OpenceirError
from openceir.identity import is_known_non_unique
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Alarm
from openceir.portal.cases.errors import CaseChanged
from openceir.portal.citizens.numbers import canonical_imei
from openceir.portal.citizens.words import meaning_of, sentence_of
from openceir.portal.customs.models import Consignment, Declared, Scanned
from openceir.portal.register import register
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.site.tables import Row, Upload, read_table
from openceir.statements import DeviceImported, DeviceSet
from openceir.status import Answer, Status

__all__ = ["OUTCOMES", "Line", "compare", "decide", "open_consignment", "scan"]

OUTCOMES = {
    "matched": gettext_lazy("fits"),
    "missing": gettext_lazy("declared, not there"),
    "surplus": gettext_lazy("there, not declared"),
    "model": gettext_lazy("another model than declared"),
    "known": gettext_lazy("registered before: the number may be a copy"),
    "reported": gettext_lazy("reported or blocked"),
    "no-number": gettext_lazy("a number that no single handset has"),
}
_KNOWN = {"registered", "imported"}
_REPORTED = {"stolen", "lost", "blocked"}


@dataclass(frozen=True, slots=True)
class Line:
    """One device of a consignment and what is the matter with it."""

    device: str
    declared_model: str
    recorded_model: str
    outcome: str
    detail: str = ""

    @property
    def words(self) -> Any:
        """The outcome in words."""
        return OUTCOMES[self.outcome]


def open_consignment(
    actor: Actor, upload: Upload, *, number: str, importer: str, port: str
) -> tuple[Consignment, list[tuple[int, str]]]:
    """A consignment from its manifest (columns imei, and model if there is one), and the lines that were set aside.

    Raises: TableRefused; PortalError when it was declared before or no line can be read.
    """
    assert actor.user is not None
    rows = read_table(upload, needs=("imei",), may_have=("model",))
    devices, refused = _devices(rows)
    if not devices:
        raise PortalError(_("No line of the manifest holds an IMEI that can be read."))
    if Consignment.objects.filter(number=number, importer=importer).exists():
        raise PortalError(_("This consignment was declared already; open it instead."))
    with transaction.atomic():
        made = Consignment.objects.create(number=number, importer=importer, port=port, opened_by=actor.user)
        Declared.objects.bulk_create(
            [Declared(consignment=made, device=device, model=model) for device, model in devices.items()]
        )
        note(actor, "customs.declare", subject=f"consignment-{made.pk}", count=len(devices))
    return made, refused


def scan(actor: Actor, consignment: Consignment, texts: Iterable[str]) -> list[str]:
    """Count these as had in the hand; sentences about those that are no IMEI."""
    assert actor.user is not None
    _refuse_decided(consignment)
    wrong = []
    with transaction.atomic():
        for text in texts:
            try:
                device = canonical_imei(text)
            except ValidationError as no_imei:
                wrong += no_imei.messages
                continue
            Scanned.objects.get_or_create(consignment=consignment, device=device, defaults={"by": actor.user})
        Consignment.objects.filter(pk=consignment.pk).update(version=consignment.version + 1)
    return wrong


def compare(consignment: Consignment) -> list[Line]:
    """Every device of the consignment and what is the matter with it, the worst first."""
    declared = {one.device: one.model for one in consignment.declared.all()}
    scanned = {one.device for one in consignment.scanned.all()}
    devices = sorted({*declared, *scanned})
    answers = dict(zip(devices, register().check_many(devices, moment.now()), strict=True))
    lines = [_line(device, declared.get(device), device in scanned, answers[device]) for device in devices]
    order = ["reported", "no-number", "known", "model", "surplus", "missing", "matched"]
    return sorted(lines, key=lambda line: (order.index(line.outcome), line.device))


def decide(actor: Actor, consignment: Consignment, *, release: bool, grounds: str, seen_version: int) -> int:
    """Release what fits, or hold everything; how many devices were released.

    A release states an import of the devices that fit, and of no other: what is surplus, missing or reported stays out.
    Raises: CaseChanged; PortalError when nothing fits or no grounds are given; QuotaExceeded, StatementRefused.
    """
    with transaction.atomic():
        kept = Consignment.objects.select_for_update().get(pk=consignment.pk)
        if kept.version != seen_version:
            raise CaseChanged(_("Somebody scanned or decided since you opened this page; look at it again."))
        _refuse_decided(kept)
        lines = compare(kept)
        fitting = [line.device for line in lines if line.outcome == "matched"]
        if release and not fitting:
            raise PortalError(_("No device fits; nothing can be released."))
        if (not release or len(fitting) < len(lines)) and len(grounds.strip()) < 3:
            raise PortalError(_("Write why: something does not fit, or everything is held."))
        kept.state = Consignment.State.RELEASED if release else Consignment.State.HELD
        kept.decided_at, kept.decided_by, kept.grounds = moment.now(), actor.user, grounds
        kept.version += 1
        kept.save()
        subject = f"consignment-{kept.pk}"
        if any(line.outcome in {"reported", "known"} for line in lines):
            Alarm.objects.create(
                kind="consignment", office=actor.office, actor=actor.name,
                facts={"consignment": kept.pk, **_counts(lines)},
            )  # fmt: skip
        if not release:
            note(actor, "customs.hold", subject=subject, reason=grounds, count=len(lines))
            return 0
        imported = DeviceImported(devices=DeviceSet.of(fitting), consignment=kept.number, imported_on=moment.today())
        state(actor, [imported], verb="customs.release", subject=subject, reason=grounds, count=len(fitting))
        return len(fitting)


def _counts(lines: Iterable[Line]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for line in lines:
        counted[line.outcome] = counted.get(line.outcome, 0) + 1
    return counted


def _devices(rows: Iterable[Row]) -> tuple[dict[str, str], list[tuple[int, str]]]:
    devices: dict[str, str] = {}
    refused = []
    for row in rows:
        try:
            device = canonical_imei(row.cells["imei"])
        except ValidationError as wrong:
            refused.append((row.line, wrong.messages[0]))
            continue
        if device in devices:
            refused.append((row.line, _("the device stands in the manifest already")))
        else:
            devices[device] = row.cells.get("model", "")
    return devices, refused


def _line(device: str, declared: str | None, is_there: bool, answer: Answer | OpenceirError) -> Line:
    if isinstance(answer, OpenceirError):
        return Line(device, declared or "", "", "no-number", sentence_of_error(answer))
    model = answer.model or {}
    recorded = f"{model.get('brand') or model.get('manufacturer') or ''} {model.get('model') or ''}".strip()
    kinds = {str(reason.kind): reason for reason in answer.reasons}
    found = sorted(_REPORTED & kinds.keys())
    if found or answer.status is Status.BLOCKED:
        return Line(
            device, declared or "", recorded, "reported", sentence_of(kinds[found[0]]) if found else meaning_of(answer)
        )
    if is_known_non_unique(device):
        return Line(device, declared or "", recorded, "no-number")
    if known := sorted(_KNOWN & kinds.keys()):
        return Line(device, declared or "", recorded, "known", sentence_of(kinds[known[0]]))
    if declared is None:
        return Line(device, "", recorded, "surplus")
    if not is_there:
        return Line(device, declared, recorded, "missing")
    if declared and recorded and not _same_model(declared, recorded):
        return Line(device, declared, recorded, "model")
    return Line(device, declared, recorded, "matched")


def _same_model(declared: str, recorded: str) -> bool:
    """Whether the declared name is a part of the recorded one or holds it; case and signs do not count."""
    a, b = ("".join(c for c in name.casefold() if c.isalnum()) for name in (declared, recorded))
    return a in b or b in a


def _refuse_decided(consignment: Consignment) -> None:
    if consignment.state != Consignment.State.OPEN:
        raise PortalError(_("This consignment was decided already."))
