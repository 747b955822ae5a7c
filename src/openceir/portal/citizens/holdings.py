"""Which devices are under whose name, and how one passes to somebody else."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openceir.portal import moment
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.models import Alarm, User
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.citizens.models import Holding
from openceir.portal.register import register
from openceir.status import Status

__all__ = ["CannotPass", "disown", "hold", "holds", "offer", "take"]


class CannotPass(PortalError):
    """A device cannot change its owner as it stands."""

    code = "cannot-pass"


_TAKEN = wording(
    "transfer-taken", gettext_lazy("The new owner entered the code. The device is no longer under your name.")
)


def hold(user: User, device: str, *, how: str, case: Case | None = None) -> Holding:
    """Put a device under a name; once is enough."""
    kept, _new = Holding.objects.get_or_create(
        user=user, device=device, until=None, defaults={"how": how, "case": case}
    )
    return kept


def holds(user: Any, device: str) -> bool:
    """Whether a device is under this name, other than by the person's own word."""
    if not isinstance(user, User):
        return False
    return Holding.objects.filter(user=user, device=device, until=None).exclude(how="declared").exists()


def disown(user: User, holding: Holding) -> Case:
    """Take a device off a name at once, and have the regulator look into how it came there."""
    with transaction.atomic():
        holding.until = moment.now()
        holding.save()
        case, _secret = Case.open(
            "not-mine",
            devices=[holding.device],
            person=user,
            language=user.language,
            email=user.email,
            office="regulator",
            details={"how": holding.how, "since": holding.since.isoformat()},
        )
        Alarm.objects.create(kind="identity-misused", office="regulator", facts={"case": case.reference})
    return case


def offer(user: User, holding: Holding) -> tuple[Case, str]:
    """A code with which somebody else takes the device over. Raises: CannotPass while it is blocked or reported."""
    _refuse_blocked([holding.device])
    return Case.open("transfer", devices=[holding.device], person=user, language=user.language, email=user.email)


def take(user: User, case: Case) -> Holding:
    """Take over what was offered. Raises: CannotPass."""
    if case.kind != "transfer" or case.state != "offered":
        raise CannotPass(_("This offer was taken or withdrawn already."))
    if case.person is None or case.person == user:
        raise CannotPass(_("This device is yours already."))
    devices = [one.device for one in case.devices.all()]
    _refuse_blocked(devices)
    with transaction.atomic():
        case.move("take", actor="")
        for device in devices:
            Holding.objects.filter(user=case.person, device=device, until=None).update(until=moment.now())
            kept = hold(user, device, how="transferred", case=case)
        notify(case, _TAKEN)
    return kept


def _refuse_blocked(devices: Iterable[str]) -> None:
    for device in devices:
        if register().check(device, moment.now()).status is Status.BLOCKED:
            raise CannotPass(
                _("This device is blocked, so it cannot change its owner. Its page says why and what to do.")
            )
