"""What an operator was given, what it says its registers answer by, and whether the two are the same."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from openceir.lists import KINDS, ListError, ListHeader, verify_signature
from openceir.portal.register import register
from openceir.storage.list_drift import drifts
from openceir.storage.list_runs import KeptFile

__all__ = ["ListStatus", "list_statuses"]


@dataclass(frozen=True, slots=True)
class ListStatus:
    """One list of an operator, as it stands."""

    kind: str
    newest: KeptFile
    header: ListHeader | None  # None when its files were pruned or cannot be read
    is_signed: bool
    fetched: int | None  # the newest that was handed to one of its registers, or fetched on a page
    fetched_at: str
    held: int | None  # the sequence number that the operator acknowledged
    held_at: str
    differs: bool
    is_behind: bool

    @property
    def tone(self) -> str:
        """The colour of its tag."""
        if self.differs or not self.is_signed:
            return "red"
        return "yellow" if self.held is None or self.is_behind else "green"

    @property
    def words(self) -> str:
        """What is to be said of it."""
        if self.held is None:
            return _("not acknowledged yet")
        if self.differs:
            return _("you hold other rows than were delivered: load the full list")
        return _("behind") if self.is_behind else _("applied")


def list_statuses(operator: str) -> list[ListStatus]:
    """Each list that was delivered to this operator."""
    book = register()
    runs, key = book.list_runs, book.list_signer().public
    held = {one.kind: one for one in drifts(runs, operator)}
    received = runs.received.newest(operator)
    found = []
    for kind in KINDS:
        newest = runs.newest(operator, kind)
        if newest is None:
            continue
        header, is_signed = None, False
        files = runs.files_of(newest)
        if newest.kept:
            try:
                octets = files.read_header_octets()
                header = files.read_header()
                signature = files.signature.read_bytes()
                verify_signature(octets, signature, key, files.header.name)
                is_signed = header.sha256 == newest.sha256
            except (ListError, OSError):
                is_signed = False
        mine, got = held.get(kind), received.get(kind)
        found.append(
            ListStatus(
                kind=kind,
                newest=newest,
                header=header,
                is_signed=is_signed,
                fetched=got.sequence if got else None,
                fetched_at=(got and got.fetched_at) or "",
                held=mine.sequence if mine else None,
                held_at=mine.acknowledged_at if mine else "",
                differs=bool(mine and mine.differs),
                is_behind=bool(mine and mine.is_behind),
            )
        )  # fmt: skip
    return found
