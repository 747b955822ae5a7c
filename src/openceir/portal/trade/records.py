"""What speaks against a number being that of a new device: something on record, or a network that saw it already."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.models import Alarm
from openceir.portal.register import register
from openceir.portal.site.refusals import sentence_of_error
from openceir.portal.trade.models import Batch
from openceir.status import Status

__all__ = ["on_record", "raise_in_use", "seen_already", "speaks_against"]

_KNOWN = {"registered", "imported", "stolen", "lost", "blocked"}


def on_record(imeis: Sequence[str]) -> dict[str, str]:
    """Of these, those of which something is on record that a new device cannot have, and what."""
    found = {}
    for imei, answer in zip(imeis, register().check_many(imeis, moment.now()), strict=True):
        if isinstance(answer, OpenceirError):
            found[imei] = sentence_of_error(answer)
        elif answer.status is Status.BLOCKED or _KNOWN & {str(reason.kind) for reason in answer.reasons}:
            found[imei] = _("the number is on record already: registered, imported or reported")
    return found


def seen_already(imeis: Sequence[str]) -> dict[str, str]:
    """Of these, those that networks saw, and a sentence about it. No subscriber is read."""
    seen = register().subscribers.last_seen({int(imei) for imei in imeis})
    return {imei: _("a network saw the number in use already, before its sale") for imei in imeis if int(imei) in seen}


def speaks_against(imeis: Sequence[str]) -> dict[str, str]:
    """Of these, those that no new device can have, and why."""
    return {**seen_already(imeis), **on_record(imeis)}


def raise_in_use(actor: Actor, *, batch: Batch | None, when: str, count: int) -> None:
    """Tell the regulator that stock is in use before its sale: copied, sold past the register, or reported."""
    facts = {"office": actor.office, "when": when, "devices": count}
    if batch is not None:
        facts |= {"batch": batch.pk, "consignment": batch.consignment}
    Alarm.objects.create(kind="stock-in-use", office="regulator", actor=actor.name, facts=facts)
