"""One message in, one answer out: what SMS and USSD do alike, whatever gateway or link brought the question.

The sender's number is a person's. It is turned into a keyed digest before anything else is done, serves to count how
often it asked, and goes nowhere else: the answer returns by the gateway's own knowledge of where it came from.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import override
from nacl.secret import SecretBox

from openceir.identity import format_imei, keyed_digest
from openceir.portal import moment
from openceir.portal.cases.models import Case
from openceir.portal.cases.references import format_code
from openceir.portal.cases.signals import tell_checked
from openceir.portal.channels.models import AnsweredMessage, AskedInHour
from openceir.portal.channels.question import Asked, parse_question
from openceir.portal.channels.replies import MOST_NUMBERS, format_help, format_limit, format_reply
from openceir.portal.channels.ussd import AskCase, Check, Report, Screen, walk
from openceir.portal.channels.verdicts import Told, tell, tell_fault
from openceir.portal.citizens.reports import open_report
from openceir.portal.register import register
from openceir.wire.gsm_text import SMS, USSD, in_gsm_alphabet

__all__ = ["KEPT_FOR", "Said", "answer_sms", "answer_ussd", "forget_old"]

KEPT_FOR = timedelta(days=1)  # gateways give up sending a message again long before
_MOST_AN_HOUR = 30  # questions of one number; a buyer in a market asks five


def answer_sms(*, gateway: str, message_id: str, number: str, text: str) -> str:
    """The one answer to a message. The same message, by `message_id` of its `gateway`, always gets the same.

    Takes any text; the answer fits one message.
    """
    question = parse_question(text)
    language = question.language or settings.LANGUAGE_CODE

    def make() -> str:
        if not _may_ask(number):
            return format_limit(language)
        if not question.numbers:
            return format_help(language)
        return format_reply(_look_up(question.numbers[: MOST_NUMBERS + 1], "sms"), language, SMS)

    return _once(("message", gateway, message_id), make)


class Said(str):
    """The text of a USSD screen, and whether the session goes on."""

    goes_on: bool

    def __new__(cls, text: str, goes_on: bool) -> "Said":
        """The text."""
        said = super().__new__(cls, text)
        said.goes_on = goes_on
        return said


def answer_ussd(*, gateway: str, session_id: str, number: str, text: str) -> Said:
    """The screen that follows what was typed in a session so far (inputs joined by `*`)."""
    place = walk(text, settings.LANGUAGE_CODE)
    if isinstance(place, Screen):
        return Said(place.text, goes_on=True)

    def make() -> str:
        if not _may_ask(number):
            return format_limit(place.language)
        with override(place.language):
            match place:
                case Check():
                    return format_reply(_look_up([place.number], "ussd"), place.language, USSD)
                case Report():
                    return _report(place)
                case AskCase():
                    return _state_of(place)

    return Said(_once(("session", gateway, session_id, text), make), goes_on=False)


def _look_up(asked: Sequence[Asked], channel: str) -> list[Told]:
    """The verdict on each number; who wants to hear that it was asked about (the police, of a stolen one) is told."""
    now = moment.now()
    told = [
        tell_fault(each.fault) if each.fault is not None else tell(register().check(format_imei(each.digits), now))
        for each in asked
    ]
    tell_checked([each.digits for each in asked if each.fault is None], channel)
    return told


def _report(asked: Report) -> str:
    """Open the case. It waits for proof and blocks nothing: whoever knows an IMEI could else have it blocked."""
    case, secret = open_report(asked.imei, is_theft=asked.is_theft, channel="ussd", language=asked.language)
    text = _(
        "Case %(reference)s\nCode %(secret)s\nKeep both. Now bring your proof to the police: only then is the phone blocked."
    ) % {"reference": format_code(case.reference), "secret": format_code(secret)}
    return in_gsm_alphabet(text)


def _state_of(asked: AskCase) -> str:
    case = Case.find(asked.reference, asked.secret)
    if case is None:
        return in_gsm_alphabet(_("No case opens with these two. Look at both again."))
    return in_gsm_alphabet(_("Your case: %(state)s") % {"state": case.state_text})


# ------------------------------------------------------------------------------------------------------------ what is kept


def _once(question: tuple[str, ...], make: Callable[[], str]) -> str:
    """The answer that was given to this question before; else what `make` says and does, in one transaction with keeping it.

    So a message that comes twice at once opens one case: the second transaction is taken back and reads the first's answer.
    """
    digest, box = _digest(*question), _box(question)

    def kept() -> str | None:
        found = AnsweredMessage.objects.filter(digest=digest).first()
        return box.decrypt(bytes(found.sealed)).decode() if found is not None else None

    answer = kept()
    if answer is not None:
        return answer
    try:
        with transaction.atomic():
            answer = make()
            AnsweredMessage.objects.create(digest=digest, sealed=bytes(box.encrypt(answer.encode())), at=moment.now())
    except IntegrityError:
        answer = kept()
        if answer is None:
            raise
    return answer


def _digest(domain: str, *parts: str) -> bytes:
    """A digest under the portal's secret. Nobody who lacks it can try all numbers of a country."""
    return keyed_digest(settings.SECRET_KEY.encode(), _joined(parts), domain=f"channels {domain}")


def _box(question: tuple[str, ...]) -> SecretBox:
    """What seals an answer: whoever reads the database knows neither the portal's secret nor the gateway's id."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"channels answer\0" + _joined(question).encode(), hashlib.sha256)
    return SecretBox(key)


def _joined(parts: tuple[str, ...]) -> str:
    """Parts as one text that no other parts give; a part of any length costs the same."""
    return "".join(hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest() for part in parts)


def _may_ask(number: str) -> bool:
    """Count a question of this number; whether it is one too many. A number that is not told counts as one sender."""
    hour = moment.now().replace(minute=0, second=0)
    digest = _digest("number", number, hour.isoformat())
    asked, _made = AskedInHour.objects.get_or_create(digest=digest, defaults={"hour_at": hour})
    AskedInHour.objects.filter(pk=asked.pk).update(count=models.F("count") + 1)
    return asked.count < _MOST_AN_HOUR


def forget_old() -> int:
    """Delete what is older than KEPT_FOR; how many rows. The worker of the portal does so every hour."""
    before = moment.now() - KEPT_FOR
    answered, _by_kind = AnsweredMessage.objects.filter(at__lt=before).delete()
    asked, _by_kind = AskedInHour.objects.filter(hour_at__lt=before).delete()
    return answered + asked
