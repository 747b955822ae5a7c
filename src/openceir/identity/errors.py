"""What this room says when something is no identifier."""

from openceir.errors import OpenceirError

__all__ = ["IdentityError", "InvalidImei", "InvalidSubscriber"]


class IdentityError(OpenceirError):
    """A value is not the identifier it was said to be."""

    code = "invalid-identifier"


class InvalidImei(IdentityError):
    """A value holds no IMEI: too few or too many digits, or something other than ASCII digits."""

    code = "invalid-imei"


class InvalidSubscriber(IdentityError):
    """A subscriber number cannot be read. Never repeats it: it is a person's."""

    code = "invalid-subscriber"
