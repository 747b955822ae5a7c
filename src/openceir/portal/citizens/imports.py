"""Somebody brought a device into the country and wants it registered; customs decide."""

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor, state
from openceir.portal.accounts.errors import PortalError
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import wording
from openceir.portal.citizens.holdings import hold
from openceir.portal.register import register
from openceir.statements import DeviceImported, DeviceSet

__all__ = ["accept_import", "reject_import"]

_REGISTERED = wording("import-registered", _("Customs registered your device. Nothing else is to be done."))
_NOT_REGISTERED = wording(
    "import-not-registered", _("Customs did not register your device. The reasons are on its page.")
)


def accept_import(actor: Actor, case: Case, *, seen_version: int | None = None, text: str = "") -> None:
    """Customs let the devices in, duties settled; they stand under the person's name when that is known.

    Raises: IllegalMove, CaseChanged, QuotaExceeded, StatementRefused; PortalError beyond what policy allows a person.
    """
    devices = [one.device for one in case.devices.all()]
    _within_allowance(case)
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


def _within_allowance(case: Case) -> None:
    """Raises: PortalError when the person has registered as many devices this year as policy allows (dual SIM: one)."""
    if case.person is None:
        return
    on = moment.today()
    allowed = register().policy.limit("portal.devices_a_person_a_year", on)
    used = Case.objects.filter(kind="import", person=case.person, state="accepted", closed_at__year=on.year).count()
    if used >= int(allowed.value):
        raise PortalError(
            gettext("%(used)d devices were registered for this person in %(year)s; %(limit)d are allowed (%(source)s).")
            % {"used": used, "year": on.year, "limit": allowed.value, "source": allowed.source or gettext("policy")}
        )


def reject_import(actor: Actor, case: Case, *, reasons: str, seen_version: int | None = None) -> None:
    """Customs do not register it, and say why."""
    with transaction.atomic():
        case.move("reject", actor=actor.office, text=reasons, seen_version=seen_version)
        notify(case, _NOT_REGISTERED)
