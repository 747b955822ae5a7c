"""IMSI and MSISDN: a person's numbers. They are kept only as long as the law says and stand in no message.

In columns a number is a BIGINT with a 1 before its digits, so that length and leading zeros survive:
001010000000001 is 1001010000000001. A prefix test is `CAST(imsi AS VARCHAR) LIKE '100101%'`.
"""

import re

from openceir.identity.errors import InvalidSubscriber

__all__ = [
    "VALID_IMSI_KEYS",
    "format_subscriber",
    "is_valid_imsi",
    "subscriber_digits",
    "subscriber_key",
]

_DIGITS = re.compile(r"[0-9]{1,15}")  # ITU-T E.212 §6 and E.164 §6: at most 15

# Key ranges [low, high) of numbers of 14 and 15 digits: the same rule for whole columns.
VALID_IMSI_KEYS = ((10**14, 2 * 10**14), (10**15, 2 * 10**15))


def subscriber_digits(text: str) -> str | None:
    """The digits of an IMSI or MSISDN field of a file; None when it is empty or holds something else.

    The field, trimmed of spaces and tabs, and of one leading "+", is 1 to 15 ASCII digits.
    """
    digits = text.strip(" \t").removeprefix("+")
    return digits if _DIGITS.fullmatch(digits) else None


def subscriber_key(digits: str) -> int:
    """The column key of 1 to 15 digits.

    Raises: InvalidSubscriber, without the number in its message.
    """
    if not _DIGITS.fullmatch(digits):
        raise InvalidSubscriber("a subscriber number must be 1 to 15 ASCII digits; this one is not and was not stored")
    return int("1" + digits)


def format_subscriber(key: int) -> str:
    """The digits of a column key.

    Raises: InvalidSubscriber when no such key can have been made.
    """
    text = str(key)
    if key < 10 or text[0] != "1" or len(text) > 16:
        raise InvalidSubscriber("this is not the key of a subscriber number: a key is a 1 followed by 1 to 15 digits")
    return text[1:]


def is_valid_imsi(text: str) -> bool:
    """Whether `text` is 14 or 15 ASCII digits, the only lengths networks have given out.

    Source: ITU-T E.212 §6.1 allows fewer; operators' own practice does not.
    """
    return 14 <= len(text) <= 15 and _DIGITS.fullmatch(text) is not None
