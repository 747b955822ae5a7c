"""What the worker does for SMS and USSD."""

from datetime import datetime

from openceir.portal.channels.desk import forget_old
from openceir.portal.clockwork import every

__all__: list[str] = []


@every(seconds=3600, name="channels.forget")
def _forget(now: datetime) -> None:
    forget_old()
