"""Reports of audits of operators' equipment registers: taken in once their signature is that of a member of this register."""

import hashlib
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from openceir.eir.audit import AuditRefused, read_audit
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.operators.models import EirAudit
from openceir.portal.register import register
from openceir.portal.site.tables import Upload
from openceir.statements import KeyRefused, PublicKey

__all__ = ["AuditNotTaken", "file_audit"]

_MOST_OCTETS = 16 << 20


class AuditNotTaken(PortalError):
    """The file is no report of an audit that a member of this register signed."""

    code = "audit-not-taken"


def file_audit(actor: Actor, upload: Upload) -> EirAudit:
    """Keep a report and let its operator see what it found; the same file once. Raises: AuditNotTaken."""
    assert actor.user is not None
    octets = upload.read(_MOST_OCTETS + 1)
    if len(octets) > _MOST_OCTETS:
        raise AuditNotTaken(_("The file is larger than 16 MB; a report is not."))
    report, auditor = _verified(octets)
    digest = hashlib.sha256(octets).hexdigest()
    with transaction.atomic():
        kept, is_new = EirAudit.objects.get_or_create(
            sha256=digest,
            defaults={
                "operator": report["operator"],
                "made_at": datetime.fromisoformat(report["made_at"]),
                "auditor": auditor,
                "report": report,
                "filed_by": actor.user,
            },
        )
        if is_new:
            note(actor, "operators.file-audit", subject=f"audit-{kept.pk}")
    return kept


def _verified(octets: bytes) -> tuple[dict[str, Any], str]:
    """The report and the member who signed it."""
    try:
        key = PublicKey.parse(str(json.loads(octets)["signed_by"]))
    except (ValueError, KeyError, TypeError, RecursionError, KeyRefused):
        raise AuditNotTaken(_("This is no report of an audit.")) from None
    found = register().members.find_key(key.kid)
    if found is None or found[1].public != key:
        raise AuditNotTaken(_("The key that signed this report is no member's of this register."))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.json"
        path.write_bytes(octets)
        try:
            report = read_audit(path, key)
        except AuditRefused as refused:
            raise AuditNotTaken(str(refused)) from refused
    if not _is_whole(report):
        raise AuditNotTaken(_("This is no report of an audit."))
    return report, found[0].id


def _is_whole(report: dict[str, Any]) -> bool:
    """Whether a page can show it: signed by a member, it may still be of another form."""
    try:
        datetime.fromisoformat(report["made_at"])
        return (
            isinstance(report["operator"], str)
            and len(report["operator"]) <= 64
            and all(isinstance(one["drifts"], dict) and isinstance(one["examples"], list) for one in report["found"])
        )
    except (KeyError, TypeError, ValueError):
        return False
