"""Word to people before anything is done, and when something changed.

Who asked "tell me if this changes", and who has a device under their name, hears of a change of its verdict; and
before a device is blocked on a day to come, on each of the days that the policy names (`[portal.notices]`), in time.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from openceir.portal import moment
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify, notify_person
from openceir.portal.cases.wordings import Worded, wording
from openceir.portal.citizens.models import Holding
from openceir.portal.citizens.words import word_of
from openceir.portal.device_check import VERDICT_OF
from openceir.portal.register import register
from openceir.status import Answer

__all__ = ["tell_of_changes", "warn_before_blocks"]

_AT_ONCE = 500
Tell = Callable[[Worded, str], object]  # text, what must not be told twice

_CHANGED = wording(
    "verdict-changed",
    _("The verdict on the device that you watch has changed. It is now: %(verdict)s."),
    verdict=lambda: word_of("blocked"),
)
_BLOCK_TO_COME = wording(
    "block-to-come",
    _("A device under your watch will be blocked on %(day)s. Its page says why, and how to appeal."),
    day=lambda: date_format(moment.today(), "DATE_FORMAT"),
)


def _answers(devices: list[str], now: datetime) -> Iterable[Answer | None]:
    for start in range(0, len(devices), _AT_ONCE):
        for found in register().check_many(devices[start : start + _AT_ONCE], now):
            yield found if isinstance(found, Answer) else None


def tell_of_changes(now: datetime) -> int:
    """Tell everybody who watches a device whose verdict is another one than the last that was told; how many."""
    watches = list(Case.objects.filter(kind="watch", state="watching").prefetch_related("devices"))
    devices = [case.devices.all()[0].device for case in watches]
    changed = 0
    for case, answer in zip(watches, _answers(devices, now), strict=True):
        if answer is None or VERDICT_OF[answer.status] == case.details["last"]:
            continue
        changed += _tell_once(case.pk, VERDICT_OF[answer.status])
    return changed


def _tell_once(pk: int, verdict: str) -> bool:
    """Note a verdict as told and tell it, both or neither; False when another worker did, or the watch has ended."""
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=pk)
        if case.state != "watching" or case.details["last"] == verdict:
            return False
        case.details["last"] = verdict
        case.save()
        with translation.override(case.language):
            notify(case, _CHANGED.filled(verdict=word_of(verdict)))
    return True


def warn_before_blocks(now: datetime) -> int:
    """Warn of blocks to come, each person once for each day of the schedule; how many were warned."""
    schedule = sorted(int(days) for days in register().policy.value("portal.notices.days_before", now.date()))
    concerned: list[tuple[str, str, Tell]] = []
    for holding in Holding.objects.filter(until=None).select_related("user"):
        user = holding.user
        concerned.append(
            (holding.device, user.language, lambda text, once, user=user: notify_person(user, text, once=once))  # type: ignore[misc]
        )
    for case in Case.objects.filter(kind="watch", state="watching").prefetch_related("devices"):
        concerned.append(
            (
                case.devices.all()[0].device,
                case.language,
                lambda text, once, case=case: notify(case, text, once=once),  # type: ignore[misc]
            )
        )
    warned = 0
    for (_device, language, tell), answer in zip(concerned, _answers([one[0] for one in concerned], now), strict=True):
        for block_on, statement in _blocks_to_come(answer, now.date()):
            days = (block_on - now.date()).days
            step = next((one for one in schedule if days <= one), None)
            if step is None:
                continue
            with translation.override(language):
                text = _BLOCK_TO_COME.filled(day=date_format(block_on, "DATE_FORMAT"))
            warned += bool(tell(text, f"block-{statement}-{step}"))
    return warned


def _blocks_to_come(answer: Answer | None, today: date) -> list[tuple[date, int]]:
    if answer is None:
        return []
    return [
        (reason.block_on, reason.statement)
        for reason in answer.reasons
        if reason.decides and reason.block_on is not None and reason.block_on > today
    ]
