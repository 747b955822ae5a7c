"""How many acts of one kind one person may do in a day: what stops an insider who sells registrations.

The limits are dated policy, `[portal.quotas]`: the act's verb, else `default`. At four fifths of one an alarm goes to
the supervisors of the office; past it the act is refused, and that is an alarm too.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Sum
from django.utils.translation import gettext as _

from openceir.portal.accounts.errors import QuotaExceeded
from openceir.portal.accounts.models import Act, Alarm
from openceir.portal.register import register

if TYPE_CHECKING:
    from openceir.portal.accounts.acts import Actor

__all__ = ["raise_alarm", "take"]


def take(actor: "Actor", verb: str, count: int, now: datetime) -> None:
    """Count an act that is about to be done, which `log.note` then writes down. Raises: QuotaExceeded."""
    if actor.user is None:  # the clock does what the law says, however often
        return
    limits = register().policy.section("portal.quotas", now.date())
    limit = int(limits.get(verb, limits["default"]).value)
    done = (
        Act.objects.filter(actor=actor.name, verb=verb, at__gt=now - timedelta(days=1)).aggregate(all=Sum("count"))[
            "all"
        ]
        or 0
    )
    if done + count > limit:
        raise QuotaExceeded(
            _(
                "%(done)d of %(limit)d such acts a day are used and this one counts %(count)d; ask your supervisor to raise the limit."
            )
            % {"done": done, "limit": limit, "count": count},
            office=actor.office,
            actor=actor.name,
            facts={"verb": verb, "used": done, "asked": count, "limit": limit},
        )
    if done < limit * 0.8 <= done + count:
        Alarm.objects.create(
            at=now, kind="quota-nearly-used", office=actor.office, actor=actor.name,
            facts={"verb": verb, "used": done + count, "limit": limit},
        )  # fmt: skip


def raise_alarm(refused: QuotaExceeded) -> None:
    """Tell the supervisors of a refusal. A door calls it once the transaction of the refused act was rolled back."""
    Alarm.objects.create(kind="quota-exceeded", office=refused.office, actor=refused.actor, facts=refused.facts)
