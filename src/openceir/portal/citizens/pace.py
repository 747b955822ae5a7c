"""How much one network may ask without a name in an hour before its browsers are asked for a proof of work.

The first question of an hour is never held up, and up to `portal.free_per_hour` (devices and forms counted together)
none is. Beyond it a browser computes for a moment (`work.py`) each time; one without scripts has to wait until the hour
is over, and is told so. People who signed in are not counted. Nobody is shown a picture to guess.

Counts are kept in the memory of each process, under a digest whose key is drawn anew every hour: nothing of who asked
is written anywhere, and a restart forgives everybody. Several processes share the allowance between them.
"""

import hashlib
import hmac
import json
import secrets
import threading
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

from openceir.http.request import network_of
from openceir.portal import moment
from openceir.portal.citizens.solution import WorkRefused
from openceir.portal.citizens.work import new_challenge, spend

__all__ = ["Work", "ahead", "forget", "let_in"]

_HOUR_S = 3600
_MOST_NETWORKS = 200_000  # beyond it, those that come new are counted as one


@dataclass(frozen=True, slots=True)
class Work:
    """What a browser is asked to do."""

    challenge: dict[str, str | int]
    seconds_left: int  # of the hour

    @property
    def as_json(self) -> str:
        """For the page."""
        return json.dumps(self.challenge)

    @property
    def minutes(self) -> int:
        """For those whose browser cannot do it."""
        return max(-(-self.seconds_left // 60), 1)


class _Hour:
    """What was asked in this hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = -1
        self._key = b""
        self._counts: dict[bytes, int] = {}

    def count(self, network: str, more: int, most: int, number: int) -> bool:
        """Whether so many more may be asked in this hour; then they are counted. Nothing more only looks."""
        with self._lock:
            if number != self._number:
                self._number, self._key, self._counts = number, secrets.token_bytes(32), {}
            name = hmac.digest(self._key, network.encode(), hashlib.sha256)[:16]
            if name not in self._counts and len(self._counts) >= _MOST_NETWORKS:
                name = b"others"
            asked = self._counts.get(name, 0)
            if asked and asked + max(more, 1) > most:
                return False
            if more:
                self._counts[name] = asked + more
            return True

    def forget(self) -> None:
        with self._lock:
            self._number = -1


_hour = _Hour()


def let_in(request: HttpRequest, *, cost: int = 1) -> Work | None:
    """Nothing when this may be answered, and then it is counted; else what the browser must do first."""
    if _may(request, cost):
        return None
    sent = request.POST.get("altcha", "")
    if sent:
        try:
            spend(sent, moment.now())
        except WorkRefused:
            return _work()
        return None
    return _work()


def ahead(request: HttpRequest) -> Work | None:
    """What the browser had better do while somebody fills the form; nothing when the next question is free."""
    return None if _may(request, 0) else _work()


def forget() -> None:
    """Forgive everybody."""
    _hour.forget()


def _may(request: HttpRequest, cost: int) -> bool:
    if request.user.is_authenticated:
        return True
    told = settings.OPENCEIR
    network = network_of(request.META, told.questions_proxy)
    most = max(told.portal_free_per_hour // told.http_workers, 1)
    return _hour.count(network, cost, most, int(moment.now().timestamp()) // _HOUR_S)


def _work() -> Work:
    now = moment.now()
    return Work(new_challenge(now), _HOUR_S - int(now.timestamp()) % _HOUR_S)
