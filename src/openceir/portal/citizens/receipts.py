"""Receipts of checks (`ledger.check_receipt`), signed with a key of the portal's own.

The key is `keys/checks.key`, its public half at `/receipts/key` and in `portal/checks.vkey`.
"""

import base64
from pathlib import Path

from django.conf import settings

from openceir.ledger import CheckReceipt
from openceir.portal.accounts.errors import PortalError
from openceir.portal.citizens.words import Told
from openceir.portal.register import register
from openceir.statements import PublicKey
from openceir.status.answer import moment_text
from openceir.storage.key_files import LogKeyFiles

__all__ = ["ReceiptRefused", "make_receipt", "receipt_key"]


class ReceiptRefused(PortalError):
    """A receipt is asked for of a verdict that no page showed lately."""

    code = "receipt-refused"
    http_status = 400


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
    receipt = CheckReceipt(
        imei=told.value, verdict=told.verdict, because=because or "-", at=moment_text(told.at), statements=str(size),
        root=base64.b64encode(tree.root(size)).decode(),
    )  # fmt: skip
    return receipt.signed(_key().private())
