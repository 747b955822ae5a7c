"""A phone in the hands of the police: seized, and returned to its owner, or kept by order of a court."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, clockwork, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.flow import Flow, Move, open_flow
from openceir.portal.cases.models import Case
from openceir.portal.citizens.reports import REGULATOR, VERIFIED, confirm_recovery
from openceir.statements import DevicePaired, Pair

__all__ = ["SEIZURE", "give_back", "keep", "seize"]

SEIZURE = open_flow(
    Flow(
        kind="seizure",
        title=gettext_lazy("seized device"),
        start="seized",
        states={
            "seized": gettext_lazy("with the police"),
            "returned": gettext_lazy("returned to its owner"),
            "kept": gettext_lazy("kept by order of a court"),
        },
        moves=(
            Move(name="return", sources=("seized",), target="returned", closes=True, told=gettext_lazy("Returned")),
            Move(
                name="keep",
                sources=("seized",),
                target="kept",
                closes=True,
                told=gettext_lazy("Kept by order of a court"),
            ),
        ),
    )
)


def seize(actor: Actor, devices: Sequence[str], *, grounds: str, bearer: str) -> Case:
    """Take a device into custody. Shapes: devices are the 14 digits of every IMEI of the phone.

    `bearer` is whoever had it: personal data, which stays in the case.
    """
    running = Case.objects.filter(kind="seizure", devices__device__in=devices, closed_at=None).first()
    if running is not None:
        raise PortalError(_("This device is with the police already: %(reference)s.") % {"reference": running})
    with transaction.atomic():
        case, _secret = Case.open(
            "seizure", devices=devices, office=actor.office, assigned_to=actor.user, name=bearer,
            details={"grounds": grounds},
        )  # fmt: skip
        note(actor, "police.seize", subject=case.reference, reason=grounds, count=len(devices))
    return case


def give_back(actor: Actor, case: Case, *, text: str, imsi: str = "", seen_version: int | None = None) -> None:
    """Return the device: reports about it end as recovered, and the owner's card is paired with it when it is known.

    The pairing keeps the phone in the owner's service even where its number was copied to others.
    """
    devices = [one.device for one in case.devices.all()]
    with transaction.atomic():
        case.move("return", actor=actor.office, text=text, seen_version=seen_version)
        reports = Case.objects.filter(
            kind__in=("theft", "loss"), state__in=VERIFIED, devices__device__in=devices
        ).distinct()
        for report in reports:
            confirm_recovery(actor, report, text=_("The police returned the phone."))
        if imsi:
            pairs = tuple(Pair(imei=device, imsi=imsi) for device in devices)
            paired = DevicePaired(pairs=pairs, paired_at=moment.now())
            state(clockwork(REGULATOR), [paired], verb="police.pair-with-owner", subject=case.reference)


def keep(actor: Actor, case: Case, *, text: str, seen_version: int | None = None) -> None:
    """The device stays with the police by order of a court; reports about it stand as they are."""
    with transaction.atomic():
        case.move("keep", actor=actor.office, text=text, seen_version=seen_version)
        note(actor, "police.keep-seized", subject=case.reference, reason=text)
