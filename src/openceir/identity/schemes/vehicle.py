"""The vehicle that a telematics unit sits in."""

import re

from openceir.identity.checks import vin_check_digit
from openceir.identity.finding import Finding
from openceir.identity.identifier import Check, Identifier

__all__ = ["read_vin"]

# Letters only where a digit is not required: an all-decimal text of 17 is a mistyped number, not a vehicle.
_VIN = re.compile(r"(?=[0-9]*[A-Z])[0-9A-HJ-NPR-Z]{17}")


def read_vin(text: str) -> Identifier | None:
    """A VIN of 17 characters."""
    vin = re.sub(r"[ \t\-]+", "", text).upper()
    if not text.isascii() or not _VIN.fullmatch(vin):  # upper() turns ſ into S
        return None
    parts = {
        "maker": vin[:3],
        "description": vin[3:8],
        "check_digit": vin[8],
        "model_year": vin[9],
        "plant": vin[10],
        "sequence": vin[11:],
    }
    fitting = vin_check_digit(vin)
    if vin[8] == fitting:
        return Identifier(scheme="vin", canonical=vin, written_as="vin", parts=parts, check=Check.PASSED)
    # The first character 1 to 5 is North America's, where position 9 must be a check digit.
    if vin[0] in "12345":
        finding = Finding(
            "check-digit-failed", f"a typing finding: position 9 is {vin[8]}, but {fitting} would fit the others"
        )
        return Identifier(
            scheme="vin", canonical=vin, written_as="vin", parts=parts, check=Check.FAILED, findings=(finding,)
        )
    return Identifier(scheme="vin", canonical=vin, written_as="vin", parts=parts, check=Check.ABSENT)
