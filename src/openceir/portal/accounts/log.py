"""The act log: who did or read what, when and why. A chain of digests that anybody can walk.

The digest of an entry, and the file that an auditor takes home: `act_chain.py`.

An entry is written in the transaction of what it tells of, so both stand or neither. Statements are named by the hash
of their leaf, which is fixed before they are submitted: an act whose leaves are not in the ledger did not happen.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from openceir.identity import keyed_digest
from openceir.portal import moment
from openceir.portal.accounts.act_chain import FIRST, act_digest, act_line
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.models import Act, ActChain

if TYPE_CHECKING:
    from openceir.portal.accounts.acts import Actor

__all__ = ["ChainBroken", "lines_of_acts", "note", "subject_of_device", "verify_acts"]


class ChainBroken(PortalError):
    """The act log is not as it was written."""

    code = "act-log-broken"
    http_status = 500


def subject_of_device(device: str) -> str:
    """How the act log names a device: by a digest under the portal's secret, never by its number."""
    return "device-" + keyed_digest(settings.SECRET_KEY.encode(), device[:14]).hex()


def note(
    actor: "Actor",
    verb: str,
    *,
    subject: str = "",
    reason: str = "",
    count: int = 1,
    statements: Iterable[bytes] = (),
) -> Act:
    """Add an entry. A read of personal data is noted before anything is shown."""
    with transaction.atomic():
        ActChain.objects.get_or_create(one=1)
        end = ActChain.objects.select_for_update().get(one=1)
        act = Act(
            number=end.number + 1,
            at=moment.now(),
            actor=actor.name,
            role=actor.role,
            office=actor.office,
            verb=verb,
            subject=subject,
            reason=reason[:400],
            count=count,
            statements=[leaf.hex() for leaf in statements],
            previous=end.digest,
        )
        act.digest = _digest_of(act)
        act.save(force_insert=True)
        end.number, end.digest = act.number, act.digest
        end.save()
    return act


def verify_acts(committed: Mapping[int, str] = MappingProxyType({})) -> tuple[int, str]:
    """Walk the whole chain; how many entries, and the digest of the last. `committed` are digests known from elsewhere.

    Raises: ChainBroken at the first entry that is not as it was written or committed, or when the end is missing.
    """
    number, digest = 0, FIRST
    for act in Act.objects.order_by("number").iterator(2000):
        if act.number != number + 1 or act.previous != digest or act.digest != _digest_of(act):
            raise ChainBroken(
                _("Entry %(number)d of the act log is missing or was changed; everything before it stands.")
                % {"number": number + 1}
            )
        number, digest = act.number, act.digest
        if committed.get(number, digest) != digest:
            raise ChainBroken(
                _("Entry %(number)d of the act log is not the one that the ledger was told of: the log was made anew.")
                % {"number": number}
            )
    lost = [entry for entry in committed if entry > number]
    if lost:
        raise ChainBroken(
            _("The act log ends at entry %(number)d, and the ledger was told of %(written)d.")
            % {"number": number, "written": max(lost)}
        )
    end = ActChain.objects.filter(one=1).first()
    if end is not None and (end.number, end.digest) != (number, digest):
        raise ChainBroken(
            _("The act log ends at entry %(number)d, and %(written)d were written.")
            % {"number": number, "written": end.number}
        )
    return number, digest


def lines_of_acts() -> Iterator[str]:
    """The whole log, a line of JSON an entry, for `openceir acts verify` to walk elsewhere."""
    for act in Act.objects.order_by("number").iterator(2000):
        yield act_line(_told(act), act.digest)


def _digest_of(act: Act) -> str:
    return act_digest(_told(act))


def _told(act: Act) -> list[object]:
    return [
        act.number,
        act.at.isoformat(),
        act.actor,
        act.role,
        act.office,
        act.verb,
        act.subject,
        act.reason,
        act.count,
        act.statements,
        act.previous,
    ]
