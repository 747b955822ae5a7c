"""The words of notices as the regulator has them: per language, from a day on, agreed to by a second person.

Every text that ever stood is kept. An empty one puts the program's own back.
"""

from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.approvals import approvable, propose
from openceir.portal.accounts.errors import PortalError
from openceir.portal.accounts.log import note
from openceir.portal.accounts.models import Proposal
from openceir.portal.cases.wordings import WORDINGS, Wording, placeholders_in, use_texts
from openceir.portal.register import register
from openceir.portal.regulator.models import NoticeText
from openceir.portal.regulator.rules import APPROVE_NOTICES

__all__ = ["TextRefused", "change_text", "check_text", "needs_two", "text_in_force", "texts_in_force"]


class TextRefused(PortalError):
    """The text has other placeholders than the notice has values, or changes nothing."""

    code = "notice-text-refused"


def text_in_force(name: str, language: str) -> str | None:
    """The regulator's own text of today; None where the program's stands."""
    return texts_in_force(name=name, language=language).get((name, language))


def texts_in_force(**only: str) -> dict[tuple[str, str], str]:
    """The regulator's own texts of today by name and language."""
    agreed = NoticeText.objects.filter(since__lte=moment.today(), **only).exclude(agreed_at=None)
    latest = {
        (name, language): text
        for name, language, text in agreed.order_by("since", "agreed_at", "pk").values_list("name", "language", "text")
    }
    return {key: text for key, text in latest.items() if text}


def needs_two() -> bool:
    """Whether policy wants a second person before words change."""
    return bool(register().policy.value("portal.two_persons.change_notice", moment.today()))


def check_text(wording: Wording, text: str) -> None:
    """Raises: TextRefused for a text that could not be said with the notice's values."""
    try:
        found = placeholders_in(text)
    except ValueError:
        raise TextRefused(_("Write a percent sign twice: %%") % ()) from None
    wanted = set(wording.samples)
    if text and found != wanted:
        names = ", ".join(f"%({name})s" for name in sorted(wanted)) or _("none")
        raise TextRefused(_("The text must have exactly these placeholders: %(names)s") % {"names": names})


def change_text(actor: Actor, *, name: str, language: str, text: str, since: date, reason: str) -> NoticeText:
    """Other words for a notice from a day on: put before a second person, or in force where policy asks for none.

    Raises: TextRefused, PortalError.
    """
    assert actor.user is not None
    if name not in WORDINGS or language not in dict(settings.LANGUAGES):
        raise TextRefused(_("There is no such notice or language."))
    text = text.strip()
    check_text(WORDINGS[name], text)
    if since < moment.today():
        raise TextRefused(_("What was sent in the past cannot be changed: choose today or a later day."))
    if text == (text_in_force(name, language) or ""):
        raise TextRefused(_("This is what stands there already; nothing would change."))
    with transaction.atomic():
        made = NoticeText.objects.create(
            name=name, language=language, text=text, since=since, reason=reason, author=actor.user
        )
        note(actor, "regulator.draft-notice", subject=f"{name}-{language}", reason=reason)
        if needs_two():
            made.proposal = propose(
                actor, _CHANGE, payload={"text": made.pk}, summary=f"{name}, {language}: {text[:120]}", reason=reason,
                subject=f"{name}-{language}",
            )  # fmt: skip
        else:
            _put_in_force(actor, made)
        made.save()
    return made


def _put_in_force(actor: Actor, text: NoticeText) -> None:
    note(actor, "regulator.change-notice", subject=f"{text.name}-{text.language}", reason=text.reason)
    text.agreed_at = moment.now()


def _carry_out(actor: Actor, proposal: Proposal) -> None:
    text = NoticeText.objects.get(pk=proposal.payload["text"])
    check_text(WORDINGS[text.name], text.text)
    _put_in_force(actor, text)
    text.save()


_CHANGE = approvable("regulator.change-notice", approve=APPROVE_NOTICES, carry_out=_carry_out)
use_texts(text_in_force)
