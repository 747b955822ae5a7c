"""Dumps that arrive in parts, over lines that are cut, and what becomes of them.

Theory. The row says how many octets are on the disk for certain; a part is written behind them, made durable, and only
then counted. So whatever dies in between, the row never counts octets that are not there, and what stands behind its
count is cut off before the next part is written. One connection writes a dump at a time (a lock on its file, which the
kernel takes back from whoever dies). When the last octet is there the worker takes over: it digests the whole, compares
that with what the sender said, imports it, and erases the file. An import that was killed changed nothing and is done
again; one whose end was not noted is known to the register by its digest.

Memory: one piece of 256 KiB, whatever the size of the dump.
"""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.intake import IntakeError, name_dump
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.operators.models import Dump
from openceir.portal.register import register
from openceir.storage.files import StorageError, fsync_folder

__all__ = ["DumpRefused", "OffsetDiffers", "begin", "drop_old", "give_up", "import_dump", "rejects_of", "take"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,110}\.(csv|csv\.gz|zip|parquet)", re.IGNORECASE)
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_PIECE_OCTETS = 256 << 10
_MOST_AT_ONCE = 8  # dumps of one operator that are still arriving
_KEPT_FREE_OCTETS = 1 << 30  # of the disk, for the register itself
_FORGOTTEN_AFTER = timedelta(days=7)


class DumpRefused(PortalError):
    """The dump, or a part of it, cannot be taken."""

    code = "dump-refused"


class OffsetDiffers(DumpRefused):
    """The part does not begin where the last one ended."""

    code = "dump-offset-differs"


class Source(Protocol):
    """What octets come out of."""

    def read(self, size: int = ..., /) -> bytes:
        """At most so many octets; none at the end."""


def begin(
    actor: Actor,
    *,
    name: str,
    size_octets: int,
    sha256: str = "",
    mark: str = "",
    since: date | None = None,
    until: date | None = None,
) -> Dump:
    """The dump to send octets to: a new one, or the one of that name and size that was begun and not finished.

    Raises: DumpRefused; IntakeError when the name tells no days and none are given.
    """
    assert actor.user is not None
    if not _NAME.fullmatch(name):
        raise DumpRefused(_("The name of a dump is letters, digits, _ . and -, and ends in .csv, .csv.gz or .zip."))
    if sha256 and not _HEX_DIGEST.fullmatch(sha256):
        raise DumpRefused(_("A SHA-256 is 64 digits of 0 to 9 and a to f, as sha256sum prints it."))
    if size_octets < 1:
        raise DumpRefused(_("The file is empty."))
    told = name_dump(Path(name), actor.office, since, until)
    if told.since is None or told.until is None:
        raise IntakeError("intake-file-name", _("Say from which day to which day the dump is."))
    arriving = Dump.objects.filter(operator=actor.office, state=Dump.State.ARRIVING)
    begun = arriving.filter(name=name, size_octets=size_octets, mark=mark, stated_sha256=sha256).first()
    if begun is not None and (begun.since_on, begun.until_on) == (told.since, told.until):
        return begun
    if arriving.count() >= _MOST_AT_ONCE:
        raise DumpRefused(_("Eight dumps are arriving already. Finish one, or give it up."))
    folder = _folder()
    if shutil.disk_usage(folder).free < size_octets + _KEPT_FREE_OCTETS:
        raise DumpRefused(_("The register has no room for a file of this size; ask its keeper."))
    made = Dump.objects.create(
        operator=actor.office, name=name, mark=mark, size_octets=size_octets, stated_sha256=sha256,
        since_on=told.since, until_on=told.until, begun_by=actor.user,
    )  # fmt: skip
    note(actor, "operators.begin-dump", subject=f"dump-{made.pk}")
    return made


def take(dump: Dump, offset: int, source: Source) -> int:
    """Write what comes out of `source` behind the first `offset` octets; how many there are then.

    A source that breaks off loses nothing that it gave: what came is kept, and the error goes on.
    Raises: OffsetDiffers; DumpRefused for more than the dump holds, for one that is not arriving, or while another
    connection sends it; StorageError.
    """
    with _alone(dump) as file:
        if not dump.is_arriving:
            raise DumpRefused(_("This dump has arrived already, or was given up."))
        if offset != dump.received_octets:
            raise OffsetDiffers(
                _("%(here)d octets are here, and the part begins at %(there)d.")
                % {"here": dump.received_octets, "there": offset}
            )
        file.truncate(offset)  # what a part that died left behind the count
        file.seek(offset)
        try:
            while piece := source.read(_PIECE_OCTETS):
                if file.tell() + len(piece) > dump.size_octets:
                    raise DumpRefused(_("More octets came than the file was said to have."))
                _write(file, piece)
        finally:
            _count(dump, file)
    return dump.received_octets


def give_up(actor: Actor, dump: Dump) -> None:
    """Forget a dump that is still arriving. Raises: DumpRefused when it has arrived, or a part is being written."""
    with _alone(dump):
        if not dump.is_arriving:
            raise DumpRefused(_("This dump has arrived already, or was given up."))
        _end(dump, Dump.State.DROPPED)
    note(actor, "operators.give-up-dump", subject=f"dump-{dump.pk}")


def drop_old(now: datetime) -> int:
    """Forget what nobody went on sending for a week: it names subscribers. How many that were."""
    old = list(Dump.objects.filter(state=Dump.State.ARRIVING, touched_at__lt=now - _FORGOTTEN_AFTER))
    for dump in old:
        with _alone(dump):
            if dump.is_arriving:
                _end(dump, Dump.State.DROPPED)
    return len(old)


def import_dump(dump: Dump) -> None:
    """Bring a dump that has arrived into the lake, or note why it was refused; either way its file is gone then.

    Raises: DumpRefused while another process does it.
    """
    with _alone(dump) as file:
        if dump.state != Dump.State.ARRIVED:
            return
        try:
            dump.found_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if dump.stated_sha256 not in {"", dump.found_sha256}:
                raise DumpRefused(_("What arrived has another SHA-256 than you said; send the file again."))
            report = register().import_sightings(
                _path(dump), operator=dump.operator, since=dump.since_on, until=dump.until_on, at=moment.now()
            )
        except StorageError:  # the register's trouble, not the dump's: it is tried again
            raise
        except OpenceirError as refused:
            dump.failure = str(refused)
            _end(dump, Dump.State.REFUSED)
        else:
            dump.report = {
                "rows": report.rows, "accepted": report.accepted, "import": report.import_id,
                "already": report.already, "quarantine": report.quarantine,
                "sentences": [*report.rejects.sentences(), *(str(figure) for figure in report.figures), *report.says],
            }  # fmt: skip
            _end(dump, Dump.State.IMPORTED)


def rejects_of(dump: Dump) -> Path | None:
    """The reject report of a dump: gzip CSV; None when no row was set aside, or when it was pruned with its sightings."""
    told = (dump.report or {}).get("quarantine")
    path = Path(settings.OPENCEIR_HOME, told) if told else None
    return path if path is not None and path.is_file() else None


def _end(dump: Dump, state: Dump.State) -> None:
    dump.state, dump.done_at = state, moment.now()
    dump.save()
    shutil.rmtree(_path(dump).parent, ignore_errors=True)


def _count(dump: Dump, file: FileIO) -> None:
    """From here on the octets are in the dump, whatever dies."""
    os.fsync(file.fileno())
    dump.received_octets, dump.touched_at = file.tell(), moment.now()
    if dump.received_octets == dump.size_octets:
        dump.state = Dump.State.ARRIVED
    dump.save(update_fields=["received_octets", "touched_at", "state"])


def _write(file: FileIO, piece: bytes) -> None:
    try:
        while piece:
            piece = piece[file.write(piece) :]
    except OSError as wrong:
        raise StorageError(f"the dump cannot be written: {wrong.strerror}; what came before is kept") from wrong


@contextmanager
def _alone(dump: Dump) -> Iterator[FileIO]:
    """The dump's file, locked, with the row read anew. Raises: DumpRefused when another connection has it, or none."""
    path = _path(dump)
    dump.refresh_from_db()
    if dump.done_at is not None:
        raise DumpRefused(_("This dump has arrived already, or was given up."))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileIO(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DumpRefused(_("Another connection is sending this dump; wait until it ends.")) from None
        fsync_folder(path.parent)
        dump.refresh_from_db()
        yield file


def _path(dump: Dump) -> Path:
    return _folder() / str(dump.pk) / dump.name


def _folder() -> Path:
    folder: Path = settings.OPENCEIR_HOME / "portal" / "dumps"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
