"""Alerts to the officer of a case: somebody asked about the reported device, or a network saw it again.

A check tells the time and the channel, never who asked: people must be able to ask without fear.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from openceir.portal import moment
from openceir.portal.cases.models import Case, CaseDevice
from openceir.portal.cases.signals import device_checked
from openceir.portal.citizens.reports import VERIFIED
from openceir.portal.clockwork import every
from openceir.portal.police.models import Hit
from openceir.portal.register import register

__all__ = ["look_for_seen", "note_check"]

_known: dict[str, str] = {}  # home -> the measures that were looked through


def _reports() -> Any:
    return Case.objects.filter(kind__in=("theft", "loss"), state__in=VERIFIED)


@receiver(device_checked)
def note_check(sender: object, devices: Sequence[str], channel: str, **_more: Any) -> None:
    """Tell the officers of every report about one of these devices."""
    # one plain query first: of nearly every device that somebody asks about there is no case at all
    named = list(CaseDevice.objects.filter(device__in=devices).values_list("case_id", "device"))
    reported = set(_reports().filter(pk__in=[case for case, _ in named]).values_list("pk", flat=True)) if named else ()
    for case, device in named:
        if case in reported:
            Hit.objects.get_or_create(case_id=case, device=device, kind="checked", source=channel, on=moment.today())


@every(seconds=300, name="police.hits")
def look_for_seen(now: datetime) -> None:
    """Tell the officers of reports whose devices networks saw after the report; looked for when new data were measured."""
    book = register()
    if not (book.home / "lake" / "measures").exists():
        return
    digest = f"{book.measures.measured().digest.hex()} {_reports().count()}"
    if _known.get(str(book.home)) == digest:
        return
    reports = list(_reports().prefetch_related("devices"))
    devices = {one.device for case in reports for one in case.devices.all() if one.device.isdigit()}
    seen = book.subscribers.last_seen({int(device) for device in devices})
    for case in reports:
        since = datetime.fromisoformat(case.details["happened_at"]).date()
        for one in case.devices.all():
            at = seen.get(int(one.device), {}) if one.device in devices else {}
            for operator, on in at.items():
                if on > since:
                    Hit.objects.get_or_create(case=case, device=one.device, kind="seen", source=operator, on=on)
    _known[str(book.home)] = digest
