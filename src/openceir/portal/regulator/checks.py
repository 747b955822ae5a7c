"""How often people asked, by channel and language. Counted without a device, a person or an address.

What was counted lies in the process until ten seconds have passed, so that a check costs no write of its own; a process
that is killed forgets as much. What programs ask of the fast check before Django is in the metrics and not here.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.utils.translation import get_language

from openceir.portal import moment
from openceir.portal.cases.signals import device_checked
from openceir.portal.regulator.models import CheckCount

__all__ = ["write_counts"]

_KEEP_S = 10.0


class _Pending:
    """Counts of this process that no table holds yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[date, str, str]] = Counter()
        self._written_at = time.monotonic()

    def add(self, key: tuple[date, str, str], count: int) -> bool:
        """Count; whether it is time to write."""
        with self._lock:
            self._counts[key] += count
            return time.monotonic() - self._written_at >= _KEEP_S

    def take(self) -> Counter[tuple[date, str, str]]:
        """All that is pending, which is nobody's from here on."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
            self._written_at = time.monotonic()
            return taken


_pending = _Pending()


@receiver(device_checked)
def _count(sender: object, *, devices: Sequence[str], channel: str, **more: Any) -> None:
    key = (moment.today(), channel, (get_language() or "en").partition("-")[0])
    if _pending.add(key, len(devices)):
        write_counts()


def write_counts() -> None:
    """Add what is pending to the table."""
    for (on, channel, language), count in _pending.take().items():
        with transaction.atomic():
            kept, is_new = CheckCount.objects.get_or_create(
                on=on, channel=channel, language=language, defaults={"devices": count}
            )
            if not is_new:
                CheckCount.objects.filter(pk=kept.pk).update(devices=F("devices") + count)
