"""A company's answer to what the regulator asked about an application of any kind."""

from django.db import transaction

from openceir.portal.accounts.acts import Actor
from openceir.portal.cases.evidence import Upload, add_evidence
from openceir.portal.cases.models import Case

__all__ = ["answer"]


@transaction.atomic
def answer(actor: Actor, case: Case, *, text: str, document: Upload | None = None) -> None:
    """Put the answer and its document into the case, or neither. Raises: PortalError that says why not."""
    if document:
        add_evidence(case, document, actor=actor.office)
    case.move("answer", actor=actor.office, text=text)
