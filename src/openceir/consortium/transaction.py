"""What is handed to the engine to be ordered: one signed statement, and of public kinds what it says.

transaction = [1, signed octets]  /  [1, signed octets, salt, payload]        in canonical CBOR, at most 64 KiB
"""

from typing import Final

from openceir.ledger import Disclosed
from openceir.statements import (
    PUBLIC_KINDS,
    Refusal,
    SignedStatement,
    StatementRefused,
    read_canonical,
    write_canonical,
)

__all__ = ["MOST_OCTETS", "read_transaction", "write_transaction"]

MOST_OCTETS: Final = 64 << 10
_VERSION: Final = 1


def write_transaction(signed: SignedStatement) -> bytes:
    """The transaction of a statement; what it says goes along only when its kind is public.

    Raises: StatementRefused when it is too large for the order.
    """
    parts: list[object] = [_VERSION, signed.octets]
    if signed.header.kind in PUBLIC_KINDS:
        parts += [signed.salt, signed.payload]
    octets = write_canonical(parts)
    if len(octets) > MOST_OCTETS:
        raise StatementRefused(
            f"the transaction has {len(octets)} octets, the most is {MOST_OCTETS}", Refusal.TOO_LARGE
        )
    return octets


def read_transaction(octets: bytes) -> tuple[bytes, Disclosed]:
    """The signed octets of a transaction, and salt and payload when they are in it.

    Raises: StatementRefused for anything else, with the number that every node gives alike.
    """
    if len(octets) > MOST_OCTETS:
        raise StatementRefused(f"a transaction has at most {MOST_OCTETS} octets", Refusal.TOO_LARGE)
    match read_canonical(octets, "the transaction"):
        case [1, bytes(signed)]:
            return signed, None
        case [1, bytes(signed), bytes(salt), bytes(payload)]:
            return signed, (salt, payload)
    raise StatementRefused("a transaction is [1, signed octets] or [1, signed octets, salt, payload]")
