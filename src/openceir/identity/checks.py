"""Check digits. All catch typing errors; none is a protection against a forger."""

__all__ = [
    "gs1_check_digit",
    "luhn_check_digit",
    "luhn_check_digit_hex",
    "vin_check_digit",
]

_HEX = "0123456789ABCDEF"
# the octet of a digit -> the digit sum of its double
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))


def luhn_check_digit(digits: str) -> str:
    """The digit that makes `digits` and it pass the Luhn test.

    Finds every single wrong digit; 09 typed as 90 escapes it.
    Source: ISO/IEC 7812-1 Annex B; 3GPP TS 23.003 Annex B.2.
    """
    # Summed as octets, because lists print a million of them: the doubled places through a table that is free of the
    # 48 of ASCII, the others with their 48 taken off.
    octets = digits.encode("ascii")
    others = octets[-2::-2]
    total = sum(octets[::-2].translate(_DOUBLED)) + sum(others) - 48 * len(others)
    return str(-total % 10)


def luhn_check_digit_hex(digits: str) -> str:
    """The same in base 16, for a hexadecimal MEID.

    Source: 3GPP2 S.R0048 §3.
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit, 16)
        if place % 2 == 0:  # the digit beside the check digit is doubled first
            high, low = divmod(2 * value, 16)
            value = high + low
        total += value
    return _HEX[-total % 16]


def gs1_check_digit(digits: str) -> str:
    """The last digit of a GTIN or GRAI: weights 3, 1, 3 … from the right.

    Source: GS1 General Specifications §7.9.1.
    """
    return str(-sum(int(d) * (3, 1)[place % 2] for place, d in enumerate(reversed(digits))) % 10)


_VIN_VALUES = {letter: value for value, letters in enumerate(
    ["", "AJ", "BKS", "CLT", "DMU", "ENV", "FW", "GPX", "HY", "RZ"]
) for letter in letters}  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def vin_check_digit(vin: str) -> str:
    """What position 9 of a North American VIN must hold: 0-9 or X.

    Source: 49 CFR §565.15(c).
    """
    raise_to = sum(
        weight * (int(character) if character.isdecimal() else _VIN_VALUES[character])
        for character, weight in zip(vin, _VIN_WEIGHTS, strict=True)
    )
    return "0123456789X"[raise_to % 11]
