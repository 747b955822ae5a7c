"""Somebody brought a device into the country and wants it registered; customs decide."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.citizens.holdings import hold
from openceir.statements import DeviceImported, DeviceSet

__all__ = ["accept_import", "reject_import"]

_REGISTERED = wording("import-registered", _("Customs registered your device. Nothing else is to be done."))
_NOT_REGISTERED = wording(
    "import-not-registered", _("Customs did not register your device. The reasons are on its page.")
)


def accept_import(actor: Actor, case: Case, *, seen_version: int | None = None, text: str = "") -> None:
    """Customs let the devices in, duties settled; they stand under the person's name when that is known.

    Raises: IllegalMove, CaseChanged, QuotaExceeded, StatementRefused.
    """
    devices = [one.device for one in case.devices.all()]
    with transaction.atomic():
        case.move("accept", actor=actor.office, text=text, seen_version=seen_version)
        notify(case, _REGISTERED)
        if case.person is not None:
            for device in devices:
                hold(case.person, device, how="imported", case=case)
        imported = DeviceImported(
            devices=DeviceSet.of(devices),
            consignment=case.details.get("duty_reference") or case.reference,
            imported_on=moment.today(),
        )
        state(actor, [imported], verb="customs.accept-import", subject=case.reference, count=len(devices))


def reject_import(actor: Actor, case: Case, *, reasons: str, seen_version: int | None = None) -> None:
    """Customs do not register it, and say why."""
    with transaction.atomic():
        case.move("reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _NOT_REGISTERED)
