"""A dated, signed receipt of a check: what the register said of a device at a moment, for its holder to show to anybody.

    openceir check receipt 1
    imei 001001000000015
    verdict no-restriction-known
    because registered
    at 2027-03-01T12:00:00Z
    statements 4711
    root q83vEjRWeJC…=

    — openceir/1a2b3c4d Az3gr…

A C2SP signed note under a key of its own, so that no receipt can be taken for a checkpoint. The root is the ledger's
over that many statements: who keeps the ledger cannot deny later what it was.
"""

import base64
import binascii
from dataclasses import astuple, dataclass, fields
from typing import Self

from openceir.ledger.checkpoint import signature_line, split_signature
from openceir.ledger.errors import ProofRefused
from openceir.statements import PublicKey, SigningKey

__all__ = ["CheckReceipt"]

_TITLE = "openceir check receipt 1"
_MOST_OCTETS = 4096
_MOST_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReceipt:
    """What a receipt says, line by line."""

    imei: str
    verdict: str
    because: str
    at: str
    statements: str
    root: str

    @property
    def size(self) -> int:
        """How many statements the ledger held."""
        return int(self.statements)

    @property
    def root_octets(self) -> bytes:
        """The ledger's root over them."""
        return base64.b64decode(self.root)

    def signed(self, key: SigningKey) -> str:
        """The note."""
        names = (field.name for field in fields(self))
        lines = (_TITLE, *(f"{name} {value}" for name, value in zip(names, astuple(self), strict=True)))
        text = "".join(f"{line}\n" for line in lines)
        return f"{text}\n{signature_line(key.name, key.public.note_hash + key.sign(text.encode()))}\n"

    @classmethod
    def verify(cls, note: str, key: PublicKey) -> Self:
        """What a note says, if `key` signed it. Raises: ProofRefused."""
        note = note.replace("\r\n", "\n").strip() + "\n"
        text, blank, rest = note.rpartition("\n\n")
        lines = text.split("\n")
        names = [field.name for field in fields(cls)]
        if len(note) > _MOST_OCTETS or not blank or lines[0] != _TITLE or len(lines) != 1 + len(names):
            raise ProofRefused("this is no receipt of a check; take the whole file as you got it")
        name, octets = split_signature(rest.rstrip("\n"))
        try:
            is_signed = (
                name == key.name and octets[:4] == key.note_hash and key.has_signed(f"{text}\n".encode(), octets[4:])
            )
        except UnicodeEncodeError:
            is_signed = False
        if not is_signed:
            raise ProofRefused("this register did not sign this: it was changed, or comes from elsewhere")
        values = {}
        for wanted, line in zip(names, lines[1:], strict=True):
            found, _, value = line.partition(" ")
            if found != wanted:
                raise ProofRefused(f"the receipt has no line {wanted}")
            values[wanted] = value
        said = cls(**values)
        try:
            is_whole = (
                said.statements.isdigit()
                and len(said.statements) <= _MOST_DIGITS
                and len(base64.b64decode(said.root, validate=True)) == 32
            )
        except (binascii.Error, ValueError):
            is_whole = False
        if not is_whole:
            raise ProofRefused("the receipt names no root of a ledger")
        return said
