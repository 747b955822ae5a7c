"""Documents of cases: bounded, typed by their contents, kept outside of everything that is served, never executed.

A file is taken when it begins and ends as its kind does; it is handed out as an attachment under that kind, with
`nosniff` and a policy that lets it do nothing. Files lie in the home's `portal/evidence/`, mode 0600, under random
names; the row in the database is written in one transaction with the event, after the file is on the disk, so a crash
leaves at most a file that no row names, which `sweep` removes.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.cases.errors import EvidenceRefused
from openceir.portal.cases.models import Case, Evidence
from openceir.portal.register import register
from openceir.storage.files import replace_file

__all__ = ["MOST_OCTETS", "Upload", "add_evidence", "erase_old", "kind_of", "path_of", "sweep"]

MOST_OCTETS = 8 << 20
_MOST_FILES = 20
_KINDS = (
    # begins with, must appear within the last octets, media type
    (b"\xff\xd8\xff", b"\xff\xd9", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82", "image/png"),
    (b"%PDF-1.", b"%%EOF", "application/pdf"),
)
_TAIL = 1024


class Upload(Protocol):
    """What a form hands over: Django's uploaded file, or anything with these."""

    name: str | None
    size: int | None

    def read(self, size: int = ..., /) -> bytes: ...


def kind_of(octets: bytes) -> str | None:
    """The media type that the contents have; None for anything that is not taken.

    A page or an archive that begins as a picture does is still served as that picture and nothing else.
    """
    for head, tail, media_type in _KINDS:
        if octets.startswith(head) and tail in octets[-_TAIL:]:
            return media_type
    return None


def add_evidence(case: Case, upload: Upload, *, actor: str = "") -> Evidence:
    """Keep a document of the case; the same document twice is kept once.

    Raises: EvidenceRefused with a sentence for the person who sent it.
    """
    if upload.size is not None and upload.size > MOST_OCTETS:
        raise EvidenceRefused(_("The file is larger than 8 MB. Send a smaller photo or scan."))
    octets = upload.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise EvidenceRefused(_("The file is larger than 8 MB. Send a smaller photo or scan."))
    media_type = kind_of(octets)
    if media_type is None:
        raise EvidenceRefused(
            _("The file is not a whole JPEG or PNG picture or PDF document. Save it as one of these.")
        )
    digest = hashlib.sha256(octets).hexdigest()
    known = case.evidence.filter(sha256=digest).first()
    if known is not None:
        return known
    if case.evidence.count() >= _MOST_FILES:
        raise EvidenceRefused(
            _("This case has 20 documents already. Ask the office that decides it before you send more.")
        )
    name = secrets.token_hex(16)
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(folder / name, octets, 0o600)
    with transaction.atomic():
        kept = Evidence.objects.create(
            case=case,
            name=_clean(upload.name or ""),
            media_type=media_type,
            size_octets=len(octets),
            sha256=digest,
            file_name=name,
            added_at=moment.now(),
            added_by=actor,
        )
        case.tell("evidence", actor=actor, text=kept.name)
    return kept


def path_of(evidence: Evidence) -> Path:
    """Where the octets lie."""
    return _folder() / evidence.file_name


def erase_old(now: datetime) -> int:
    """Erase documents, names and ways of contact of cases that were closed long ago (`[portal] evidence_months`); how many.

    What was decided and when stays, and so does what stands on the ledger, which names nobody.
    """
    months = int(register().policy.value("portal.evidence_months", now.date()))
    before = now - timedelta(days=round(months * 30.44))
    old = list(Case.objects.filter(closed_at__lt=before).exclude(name="", email="", phone="", evidence=None))
    for case in old:
        paths = [path_of(one) for one in case.evidence.all()]
        with transaction.atomic():
            case.evidence.all().delete()
            case.notices.all().delete()
            case.events.filter(kind__in=("answer", "note", "evidence", "notice")).update(text="")
            case.name = case.email = case.phone = ""
            case.details.pop("place", None)
            case.save()
        for path in paths:
            path.unlink(missing_ok=True)
    return len(old)


def sweep() -> int:
    """Remove files that no row names and that are older than an hour; how many."""
    if not _folder().exists():
        return 0
    named = set(Evidence.objects.values_list("file_name", flat=True))
    before = moment.now().timestamp() - 3600
    gone = [path for path in _folder().iterdir() if path.name not in named and path.stat().st_mtime < before]
    for path in gone:
        path.unlink()
    return len(gone)


def _folder() -> Path:
    folder: Path = settings.OPENCEIR_HOME / "portal" / "evidence"
    return folder


def _clean(name: str) -> str:
    """The last part of a name, without what a path or a header could be broken with."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable() and c not in '<>:"|?*;')[-120:].strip() or "document"
