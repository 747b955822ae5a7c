"""What policy charges for and how many devices it lets in: dated data with a legal source, shown where it bites.

`[trade.fees]` sets an amount for each item; its `unit` names the currency. What is charged is fixed on the day: a fee
that changes later changes nothing that was applied for before. Until an officer marks it as paid, with the number of
the receipt, what it is for is not decided. `[trade.quotas]` sets how many devices a company may declare in a year.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.cases.models import Case
from openceir.portal.register import register
from openceir.portal.trade.models import Batch, Fee, Unit

__all__ = ["FeeRefused", "QuotaFull", "Quota", "charge", "mark_paid", "need_paid", "need_quota", "price_of", "quota_of"]


class FeeRefused(PortalError):
    """A fee is not paid, was paid before, or its receipt stands with another one."""

    code = "fee-refused"


class QuotaFull(PortalError):
    """More devices than policy lets this company declare in this year."""

    code = "quota-full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a company may declare in a calendar year and what it has declared of it."""

    limit: int
    used: int
    year: int
    source: str

    @property
    def left(self) -> int:
        """How many more."""
        return max(self.limit - self.used, 0)


def price_of(item: str, quantity: int, on: date) -> tuple[Decimal, str, str]:
    """Amount, currency and legal source of an item on a day; the amount is 0 where policy charges nothing."""
    limit = register().policy.limit(f"trade.fees.{item}", on)
    amount = (Decimal(str(limit.value)) * quantity).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return amount, limit.unit or "", limit.source or ""


def charge(
    office: str, item: str, *, quantity: int = 1, case: Case | None = None, batch: Batch | None = None
) -> Fee | None:
    """The fee that policy sets for this today; None where it sets none."""
    on = moment.today()
    amount, currency, source = price_of(item, quantity, on)
    if not amount:
        return None
    return Fee.objects.create(
        office=office, item=item, case=case, batch=batch, quantity=quantity, amount=amount, currency=currency,
        source=source, charged_on=on,
    )  # fmt: skip


def need_paid(**of: Any) -> None:
    """Raises: FeeRefused when the fee of this case or batch is not marked as paid."""
    unpaid = Fee.objects.filter(paid_on=None, **of).first()
    if unpaid is not None:
        raise FeeRefused(
            _("The fee of %(amount)s %(currency)s is not marked as paid.")
            % {"amount": unpaid.amount, "currency": unpaid.currency}
        )


def mark_paid(actor: Actor, fee: Fee, *, receipt: str) -> None:
    """An officer saw that it was paid. Raises: FeeRefused when it was marked before, or the receipt is another fee's."""
    with transaction.atomic():
        kept = Fee.objects.select_for_update().get(pk=fee.pk)
        if kept.paid_on is not None:
            raise FeeRefused(
                _("This fee was marked as paid already, with receipt %(receipt)s.") % {"receipt": kept.receipt}
            )
        kept.paid_on, kept.receipt, kept.marked_by = moment.today(), receipt, actor.user
        try:
            with transaction.atomic():
                kept.save()
        except IntegrityError:
            raise FeeRefused(_("This receipt stands with another fee already.")) from None
        note(actor, "trade.mark-paid", subject=f"fee-{kept.pk}", reason=receipt)


def quota_of(office: str) -> Quota:
    """A company's quota of this year. Refused stock and stock whose key was lost do not count."""
    on = moment.today()
    limits = register().policy.section("trade.quotas", on)
    limit = limits.get(office, limits["default"])
    of_year = Batch.objects.filter(office=office, opened_at__year=on.year).exclude(state=Batch.State.REFUSED)
    declared = of_year.aggregate(all=Sum("declared"))["all"] or 0
    lost = Unit.objects.filter(batch__in=of_year, lost_at__isnull=False).count()
    return Quota(limit=int(limit.value), used=declared - lost, year=on.year, source=limit.source or "")


def need_quota(office: str, count: int) -> None:
    """Raises: QuotaFull when a company may not declare so many more this year."""
    quota = quota_of(office)
    if count > quota.left:
        raise QuotaFull(
            _(
                "Your company may declare %(limit)d devices in %(year)s (%(source)s): %(used)d are declared, this file holds %(count)d."
            )
            % {
                "limit": quota.limit,
                "year": quota.year,
                "used": quota.used,
                "count": count,
                "source": quota.source or _("policy"),
            }
        )
