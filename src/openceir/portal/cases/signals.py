"""What other apps may want to know of: sent by whoever does it, heard by whoever cares."""

from collections.abc import Iterable

from django.dispatch import Signal

from openceir.identity import parse
from openceir.portal.counted import CHECKS

__all__ = ["device_checked", "tell_checked"]

# somebody asked about devices: `devices` (14 digits each), `channel` (web, sms, ussd, api, police)
device_checked = Signal()


def tell_checked(values: Iterable[str], channel: str) -> None:
    """Tell that somebody asked about these; those that are no IMEI are passed over."""
    devices = [imei for value in values if (imei := _imei_of(value)) is not None]
    if devices:
        CHECKS.labels(channel).inc(len(devices))
        device_checked.send(None, devices=devices, channel=channel)


def _imei_of(value: str) -> str | None:
    # 14 or 15 digits are an IMEI to every reader: of a thousand nearly all need no look at the others
    if len(value) in {14, 15} and value.isascii() and value.isdigit():
        return value[:14]
    return parse(value).imei
