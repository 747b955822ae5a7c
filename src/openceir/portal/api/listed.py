"""What a marketplace listed before: who else offered a number there, and what others ask for a model.

Each marketplace is held against its own listings alone, and nobody can be read from what is kept: digests under the
portal's secret and the marketplace's name, of the number, the seller's pseudonym and the listing. After ninety days they
are forgotten.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from django.conf import settings

from openceir.portal.api.models import AskedPrice, ListedDevice

__all__ = ["forget_listed", "is_cheap", "offered_by_others", "remember_devices", "remember_price"]

_KEPT = timedelta(days=90)
_FEWEST_PRICES = 40  # below it a twentieth is one offer or two, and says nothing


def remember_devices(caller: str, offers: Iterable[tuple[str, str]], on: date) -> None:
    """Note which seller offers which device (14 digits); without a seller's pseudonym nothing is noted."""
    rows = [
        ListedDevice(
            caller=caller, device=_name(caller, "device", device), seller=_name(caller, "seller", seller), on=on
        )
        for seller, device in dict.fromkeys(offers)  # a row twice in one statement is an error of PostgreSQL
        if seller
    ]
    ListedDevice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["caller", "device", "seller"], update_fields=["on"]
    )


def offered_by_others(caller: str, seller: str, devices: Iterable[str], on: date) -> Mapping[str, int]:
    """Of these devices, those that other sellers offered, and how many sellers; nothing for a seller without a name."""
    if not seller:
        return {}
    named = {_name(caller, "device", device): device for device in devices}
    found: dict[str, int] = {}
    rows = ListedDevice.objects.filter(caller=caller, device__in=named, on__gt=on - _KEPT)
    for name in rows.exclude(seller=_name(caller, "seller", seller)).values_list("device", flat=True):
        found[named[name]] = found.get(named[name], 0) + 1
    return found


def remember_price(caller: str, listing: str, model: str, amount: float, on: date) -> None:
    """Note what a listing asks for a model; asked again, the newest price counts."""
    AskedPrice.objects.update_or_create(
        caller=caller, listing=_name(caller, "listing", listing),
        defaults={"model": _name(caller, "model", model.casefold()), "amount": amount, "on": on},
    )  # fmt: skip


def is_cheap(caller: str, model: str, amount: float, on: date) -> bool:
    """Whether 19 of 20 offers of the model ask more; never while there are few."""
    rows = AskedPrice.objects.filter(caller=caller, model=_name(caller, "model", model.casefold()), on__gt=on - _KEPT)
    count = rows.count()
    return count >= _FEWEST_PRICES and rows.filter(amount__lte=amount).count() <= count // 20


def forget_listed(now: datetime) -> int:
    """Forget what is older than ninety days; how many rows."""
    before = (now - _KEPT).date()
    return sum(kept.objects.filter(on__lt=before).delete()[0] for kept in (ListedDevice, AskedPrice))


def _name(caller: str, of: str, text: str) -> str:
    return hmac.digest(settings.SECRET_KEY.encode(), f"listed\0{caller}\0{of}\0{text}".encode(), hashlib.sha256).hex()
