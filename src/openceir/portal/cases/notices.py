"""Notices to people: kept in an outbox with their case, sent by whichever channel there is, told once.

    notify(case, VERIFIED)                    # a `Wording`: on the case's page, and by e-mail if one is known
    notify(case, WARNING.filled(day=...), due_at=..., once=f"block-{index}-75")

A notice always stands on the case's page, whatever a channel does: a telephone that was stolen receives nothing.
A channel is a function that takes a notice and raises when it could not send it.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from openceir.portal import moment
from openceir.portal.accounts.models import User
from openceir.portal.cases.models import Case, Notice
from openceir.portal.cases.wordings import Worded, Wording

__all__ = ["notify", "notify_person", "open_channel", "send_due"]

Channel = Callable[[Notice], None]
Text = Wording | Worded

_CHANNELS: dict[str, Channel] = {}
_MOST_FAILURES = 8
_TAKEN_FOR = timedelta(minutes=10)  # far longer than a message centre or mail server may take


def open_channel(name: str, send: Channel) -> None:
    """Let notices of this channel be sent by `send`."""
    _CHANNELS[name] = send


def notify(case: Case, text: Text, *, due_at: datetime | None = None, once: str = "") -> list[Notice]:
    """Put a notice to the person of a case into the outbox, in that person's language."""
    key = once and f"{case.reference}:{once}"
    return _put(
        text,
        _ways(case.email, case.phone),
        case=case,
        person=case.person,
        language=case.language,
        due_at=due_at,
        once=key,
    )


def notify_person(user: User, text: Text, *, once: str = "") -> list[Notice]:
    """Put a notice into the outbox of somebody with an account; it stands among the devices under that name."""
    key = once and f"user-{user.pk}:{once}"
    return _put(
        text, _ways(user.email, user.phone), case=None, person=user, language=user.language, due_at=None, once=key
    )


def _ways(email: str, phone: str) -> list[tuple[str, str]]:
    ways = [("page", "")]
    if email and settings.OPENCEIR.portal_mail_from:
        ways.append(("email", email))
    if phone and "sms" in _CHANNELS:
        ways.append(("sms", phone))
    return ways


def _put(
    text: Text,
    ways: list[tuple[str, str]],
    *,
    case: Case | None,
    person: User | None,
    language: str,
    due_at: datetime | None,
    once: str,
) -> list[Notice]:
    said = (text.filled() if isinstance(text, Wording) else text).said_in(language)
    made = []
    with transaction.atomic():
        for channel, address in ways:
            told = {
                "case": case,
                "person": person,
                "language": language,
                "text": said,
                "due_at": due_at or moment.now(),
            }
            if once:  # the database lets one of two in that come at the same time
                notice, is_new = Notice.objects.get_or_create(told, once=once, channel=channel, address=address)
            else:
                notice, is_new = Notice.objects.create(channel=channel, address=address, **told), True
            if is_new:
                made.append(notice)
    return made


def send_due(now: datetime) -> int:
    """Send what is due; how many went. A failure is tried again after 1, 2, 4 … minutes, eight times.

    A worker takes a notice by moving its instant ahead, which one of several can; what a worker that was killed had
    taken is sent by the next after ten minutes.
    """
    sent = 0
    for notice in Notice.objects.filter(sent_at=None, due_at__lte=now, failures__lt=_MOST_FAILURES)[:500]:
        send = _CHANNELS.get(notice.channel)
        as_seen = Notice.objects.filter(pk=notice.pk, sent_at=None, due_at=notice.due_at)
        if send is None or not as_seen.update(due_at=now + _TAKEN_FOR):
            continue
        try:
            send(notice)
        except Exception as failure:
            notice.failures += 1
            notice.due_at = now + timedelta(minutes=2 ** (notice.failures - 1))
            print(f"openceir: a notice by {notice.channel} was not sent: {type(failure).__name__}", file=sys.stderr)
        else:
            notice.sent_at = now
            sent += 1
        notice.save()
    return sent


def _to_page(notice: Notice) -> None:
    """It stands on the page from now on."""
    if notice.case is not None:
        notice.case.tell("notice", actor="clock", text=notice.text)


def _by_email(notice: Notice) -> None:
    with translation.override(notice.language):
        subject = _("Message from %(portal)s") % {"portal": settings.OPENCEIR.portal_name}
    EmailMessage(subject, notice.text, settings.DEFAULT_FROM_EMAIL, [notice.address]).send()


open_channel("page", _to_page)
open_channel("email", _by_email)
