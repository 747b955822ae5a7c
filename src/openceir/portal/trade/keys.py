"""A company's stock key: made once, exchanged for a new one while it is at hand, given up when it is lost.

Exchanged: every device that is not sold is opened with the old key and sealed again with the new one, all of them or
none. Given up: nobody can open what the old key sealed, and nobody pretends to. Those devices are marked as lost, count
in no quota, and are declared anew from the company's own files under a new key.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Alarm
from openceir.portal.trade.models import StockKey, Unit
from openceir.portal.trade.sealing import SealingKey, StockKeyRefused

__all__ = ["Exchanged", "company_of", "exchange_key", "give_up_key", "make_key", "needs_own"]

_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Exchanged:
    """The new key, told this once, and how many devices were sealed again or lost."""

    key: SealingKey
    devices: int


def make_key(actor: Actor) -> SealingKey:
    """The company's stock key, told this once. Raises: PortalError when it has one."""
    assert actor.user is not None
    key = SealingKey.fresh()
    with transaction.atomic():
        _kept, is_new = StockKey.objects.get_or_create(
            office=actor.office, defaults={"check_value": key.check_value, "made_by": actor.user}
        )
        if not is_new:
            raise PortalError(
                _("Your company has a stock key already; it was shown once and is kept by whoever made it.")
            )
        note(actor, "trade.make-stock-key")
    return key


def company_of(key: SealingKey) -> str:
    """Whose key it is. Raises: StockKeyRefused."""
    kept = StockKey.objects.filter(check_value=key.check_value).first()
    if kept is None:
        raise StockKeyRefused(_("Nobody's stock key is this."))
    return kept.office


def needs_own(actor: Actor, key: SealingKey) -> None:
    """Raises: StockKeyRefused, unless it is the key of the actor's company."""
    if company_of(key) != actor.office:
        raise StockKeyRefused(_("That is not your company's stock key."))


def exchange_key(actor: Actor, old: SealingKey) -> Exchanged:
    """A new key in the place of one that is at hand, because somebody has it who should not. Raises: StockKeyRefused."""
    new = SealingKey.fresh()
    with transaction.atomic():
        needs_own(actor, old)
        kept = StockKey.objects.select_for_update().get(office=actor.office)
        if kept.check_value != old.check_value:
            raise StockKeyRefused(_("Nobody's stock key is this."))
        count = 0
        waiting = Unit.objects.filter(office=actor.office, sold_at=None, lost_at=None).order_by("pk")
        for unit in waiting.iterator(_AT_ONCE):
            told = old.open(bytes(unit.sealed))
            unit.finder, unit.sealed = new.finder(told["imei"]), new.seal(told)
            unit.second_finder = new.finder(told["imei2"]) if told.get("imei2") else None
            unit.save(update_fields=["finder", "second_finder", "sealed"])
            count += 1
        _replace(kept, actor, new)
        note(actor, "trade.exchange-stock-key", count=count)
    return Exchanged(new, count)


def give_up_key(actor: Actor) -> Exchanged:
    """A new key in the place of one that is lost; what it sealed is lost with it. Raises: PortalError without a key."""
    new = SealingKey.fresh()
    with transaction.atomic():
        kept = StockKey.objects.select_for_update().filter(office=actor.office).first()
        if kept is None:
            raise PortalError(_("Your company has no stock key yet."))
        waiting = Unit.objects.filter(office=actor.office, sold_at=None, lost_at=None)
        count = waiting.update(lost_at=moment.now())
        _replace(kept, actor, new)
        note(actor, "trade.give-up-stock-key", count=count)
        Alarm.objects.create(
            kind="stock-key-lost",
            office="regulator",
            actor=actor.name,
            facts={"office": actor.office, "devices": count},
        )
    return Exchanged(new, count)


def _replace(kept: StockKey, actor: Actor, new: SealingKey) -> None:
    assert actor.user is not None
    kept.check_value, kept.made_at, kept.made_by = new.check_value, moment.now(), actor.user
    kept.save()
