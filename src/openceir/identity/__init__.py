"""The numbers and their catalogue: IMEI, TAC, PEI, MEID, EID, IMSI, MSISDN and the rest; one value or a whole column."""

from openceir.identity.checks import luhn_check_digit
from openceir.identity.errors import IdentityError, InvalidImei, InvalidSubscriber
from openceir.identity.finding import Finding
from openceir.identity.imei import (
    ODD_DEVICE_BASE,
    Imei,
    device_key_of_imei,
    format_device_key,
    format_imei,
    imei_digits,
    malformed_text,
)
from openceir.identity.subscriber import (
    format_subscriber,
    is_valid_imsi,
    subscriber_digits,
    subscriber_key,
)

__all__ = [
    # one IMEI
    "Imei", "imei_digits", "malformed_text", "format_imei", "luhn_check_digit",
    # device keys
    "ODD_DEVICE_BASE", "device_key_of_imei", "format_device_key",
    # subscribers
    "subscriber_digits", "subscriber_key", "format_subscriber", "is_valid_imsi",
    # words
    "Finding", "IdentityError", "InvalidImei", "InvalidSubscriber",
]  # fmt: skip
