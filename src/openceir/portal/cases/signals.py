"""What other apps may want to know of: sent by whoever does it, heard by whoever cares."""

from django.dispatch import Signal

__all__ = ["device_checked"]

# somebody asked about devices: `devices` (14 digits each), `channel` (web, sms, ussd, api, police)
device_checked = Signal()
