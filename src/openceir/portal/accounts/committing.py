"""The end of the act log goes into the ledger once a day, so that it cannot be made anew as a whole without that showing.

What stands in the portal's database of these commitments only says where they are: what is compared is read from the
ledger. One that was taken out of the database is found there again, if it is younger than the last that was left.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from openceir.portal.accounts.acts import clockwork, state
from openceir.portal.accounts.log import verify_acts
from openceir.portal.accounts.models import ActChain, CommittedHead
from openceir.portal.clockwork import every
from openceir.portal.register import register
from openceir.statements import ActsCommitted

__all__ = ["VerifiedActs", "commit_acts", "verify_committed"]

_OFFICE = "regulator"
_AGAIN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class VerifiedActs:
    """A log of acts that is whole, and how far the ledger vouches for it; `committed` None: not at all yet."""

    count: int
    digest: str
    committed: int | None
    committed_at: datetime | None


@every(seconds=600, name="accounts.commit-acts")
def commit_acts(now: datetime) -> None:
    """State how far the log goes, unless that was done within a day, or nothing was ever done."""
    with transaction.atomic():
        end = ActChain.objects.select_for_update().filter(one=1).first()  # of several workers one is let in
        last = CommittedHead.objects.order_by("-entry").first()
        if end is None or end.number == 0 or (last is not None and now - last.at < _AGAIN_AFTER):
            return
        said = ActsCommitted(number=end.number, digest=bytes.fromhex(end.digest), as_of_at=now)
        kept = CommittedHead(number=end.number, at=now)
        [entry] = state(clockwork(_OFFICE), [said], verb="accounts.commit-acts")
        kept.entry = entry.index
        kept.save(force_insert=True)


def verify_committed() -> VerifiedActs:
    """Walk the whole log, and hold it against every commitment. Raises: ChainBroken."""
    ledger = register().ledger
    ledger.refresh()
    known = list(CommittedHead.objects.order_by("entry").values_list("entry", flat=True))
    found = [ledger.entry(index) for index in known if index < ledger.size]
    found += ledger.entries(known[-1] + 1 if known else 0)
    said = [one.said for one in found if isinstance(one.said, ActsCommitted) and one.header.issuer == _OFFICE]
    count, digest = verify_acts({one.number: one.digest.hex() for one in said})
    last = max(said, key=lambda one: one.number, default=None)
    return VerifiedActs(count, digest, last.number if last else None, last.as_of_at if last else None)
