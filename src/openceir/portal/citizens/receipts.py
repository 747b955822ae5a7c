"""A dated, signed receipt of a check: what the register said at a moment, which its holder can show to anybody.

    openceir check receipt 1
    imei 001001000000015
    verdict no-restriction-known
    because registered
    at 2027-03-01T12:00:00Z
    statements 4711
    root q83vEjRWeJC…=

    — openceir/1a2b3c4d Az3gr…

A C2SP signed note under a key of its own (`keys/checks.key`, its public half at `/receipts/key`), so that no receipt
can be taken for a checkpoint. The root is the ledger's over that many statements: who keeps the ledger cannot deny
later what it was.
"""

import base64
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from openceir.ledger import ProofRefused
from openceir.ledger.checkpoint import signature_line, split_signature
from openceir.portal.accounts.errors import PortalError
from openceir.portal.citizens.words import Told
from openceir.portal.register import register
from openceir.statements import PublicKey
from openceir.status.answer import moment_text
from openceir.storage.key_files import LogKeyFiles

__all__ = ["CheckReceipt", "ReceiptRefused", "make_receipt", "receipt_key", "verify_receipt"]

_TITLE = "openceir check receipt 1"
_FIELDS = ("imei", "verdict", "because", "at", "statements", "root")
_MOST_OCTETS = 4096


class ReceiptRefused(PortalError):
    """A text is no receipt of this register, or was changed."""

    code = "receipt-refused"
    http_status = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReceipt:
    """What a receipt says."""

    imei: str
    verdict: str
    because: str
    at: str
    statements: str
    root: str


def _key() -> LogKeyFiles:
    home: Path = settings.OPENCEIR_HOME
    return LogKeyFiles(home / "keys" / "checks.key", home / "portal" / "checks.vkey")


def receipt_key() -> PublicKey:
    """The key that receipts of checks are verified with."""
    return _key().private().public


def make_receipt(told: Told, because: str) -> str:
    """The signed note about a verdict."""
    tree = register().ledger.tree
    size = min(told.log_size, tree.size)
    values = (
        told.value,
        told.verdict,
        because or "-",
        moment_text(told.at),
        str(size),
        base64.b64encode(tree.root(size)).decode(),
    )
    lines = (_TITLE, *(f"{name} {value}" for name, value in zip(_FIELDS, values, strict=True)))
    text = "".join(f"{line}\n" for line in lines)
    key = _key().private()
    return f"{text}\n{signature_line(key.name, key.public.note_hash + key.sign(text.encode()))}\n"


def verify_receipt(note: str, key: PublicKey) -> CheckReceipt:
    """What a receipt says, if `key` signed it. Raises: ReceiptRefused."""
    note = note.replace("\r\n", "\n").strip() + "\n"
    text, blank, rest = note.rpartition("\n\n")
    lines = [*text.split("\n")]
    if len(note) > _MOST_OCTETS or not blank or lines[0] != _TITLE or len(lines) != 1 + len(_FIELDS):
        raise ReceiptRefused("this is no receipt of a check; take the whole file as you got it")
    try:
        name, octets = split_signature(rest.rstrip("\n"))
    except ProofRefused as wrong:
        raise ReceiptRefused("the last line of the receipt is not a signature; take the whole file") from wrong
    if name != key.name or octets[:4] != key.note_hash or not key.has_signed(f"{text}\n".encode(), octets[4:]):
        raise ReceiptRefused("this register did not sign this: it was changed, or comes from elsewhere")
    values = {}
    for wanted, line in zip(_FIELDS, lines[1:], strict=True):
        found, _, value = line.partition(" ")
        if found != wanted:
            raise ReceiptRefused(f"the receipt has no line {wanted}")
        values[wanted] = value
    return CheckReceipt(**values)
