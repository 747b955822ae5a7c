"""What the worker does for the API."""

from datetime import datetime

from openceir.portal.api.listed import forget_listed
from openceir.portal.api.once import forget_old
from openceir.portal.clockwork import every

__all__: list[str] = []


@every(seconds=3600, name="api.forget-answers")
def _forget(now: datetime) -> None:
    forget_old(now)


@every(seconds=3600, name="api.forget-listed")
def _forget_listed(now: datetime) -> None:
    forget_listed(now)
