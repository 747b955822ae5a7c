"""What a receipt or a pair of checkpoints proves, in words. Nothing here believes the register: it computes."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.ledger import SignedCheckpoint, verify_consistency, verify_receipt
from openceir.portal.accounts.errors import PortalError
from openceir.portal.register import register
from openceir.statements import PublicKey, to_plain

__all__ = ["ShownReceipt", "compare_checkpoints", "show_receipt"]


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """What a receipt shows: pairs of a term and a value, and what the statement says if it is disclosed."""

    rows: list[tuple[str, Any]]
    said: list[tuple[str, Any]] | None
    is_signer_checked: bool


def show_receipt(octets: bytes, log_key: str) -> ShownReceipt:
    """What the receipt proves under this key, the register's own when empty. Raises: ProofRefused, KeyRefused."""
    book = register()
    key = PublicKey.parse(log_key.strip()) if log_key.strip() else book.ledger.log_key
    shown = verify_receipt(octets, key, book.members)
    rows = [
        (_("Log"), shown.receipt.origin),
        (_("Entry"), f"{shown.receipt.index} / {shown.receipt.size}"),
        (_("Kind of statement"), shown.header.kind),
        (_("Issued by"), shown.header.issuer),
        (_("Stated"), shown.header.stated_at),
        (_("Receipt made"), shown.receipt.made_at),
        (_("Root"), shown.root.hex()),
    ]
    said = None if shown.said is None else list(to_plain(shown.said).items())
    return ShownReceipt(rows, said, shown.signer_checked)


def compare_checkpoints(earlier: str, later: str) -> list[tuple[str, Any]]:
    """What two checkpoints of this log say of each other: that the later holds everything that the earlier held.

    Raises: ProofRefused when one is not signed by the log, or when the log was rewritten between them.
    """
    ledger = register().ledger
    ledger.refresh()
    now = ledger.checkpoint()
    old = _read(earlier).verify(ledger.log_key)
    new = (_read(later) if later.strip() else now).verify(ledger.log_key)
    if old.size > new.size:
        raise PortalError(_("The first checkpoint is the later one; exchange them."))
    if new.size > ledger.size:
        raise PortalError(
            _(
                "The register has fewer entries than this checkpoint says. Keep the checkpoint: it proves that entries were lost."
            )
        )
    verify_consistency(old.size, new.size, old.root, new.root, ledger.tree.consistency_proof(old.size, new.size))
    return [
        (_("Entries then"), old.size),
        (_("Entries later"), new.size),
        (_("Added in between"), new.size - old.size),
        (_("Changed or removed"), 0),
    ]


def _read(note: str) -> SignedCheckpoint:
    """The checkpoint in what somebody pasted: a form's line ends, and blank lines lost at its end."""
    text = note.replace("\r\n", "\n").strip("\n") + "\n"
    try:
        return SignedCheckpoint.parse(text)
    except OpenceirError as wrong:
        raise PortalError(_("This is no signed checkpoint: %(why)s") % {"why": wrong}) from wrong
