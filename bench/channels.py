"""SMS and USSD: what one answer costs, from text to text."""

import os
from pathlib import Path

from bench import Row, Scale, meter

_PARSED = 20_000
_ANSWERED = 2_000


def measure(work: Path, scale: Scale) -> list[Row]:
    """Reading a message and writing an answer alone; and the whole way through register and database."""
    home = work / "channels"
    home.mkdir(parents=True, exist_ok=True)
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    from openceir.portal.prepare import prepare

    prepare(home)
    return [_pure(), _walked(), _whole()]


def _pure() -> Row:
    from openceir import clock
    from openceir.portal.channels.question import LANGUAGES, parse_question
    from openceir.portal.channels.replies import format_reply
    from openceir.portal.channels.verdicts import Told, Verdict

    told = Told(verdict=Verdict.STOLEN, reference="S1234567", at=clock.now())
    with meter() as reading:
        for count in range(_PARSED):
            parse_question("KYM 00-100100-000001-5 please")
            format_reply([told], LANGUAGES[count % len(LANGUAGES)])
    return Row(
        name=f"{_PARSED:,} SMS read and answers written, six languages", measured=_PARSED / reading.cpu_seconds,
        unit="messages/CPU-s", cpu_seconds=reading.cpu_seconds,
    )  # fmt: skip


def _walked() -> Row:
    from openceir.portal.channels.ussd import walk

    with meter() as reading:
        for _ in range(_PARSED):
            walk("4*3*2*2*001001000000015", "en")
    return Row(
        name=f"{_PARSED:,} USSD menus walked, five inputs each", measured=_PARSED / reading.cpu_seconds,
        unit="screens/CPU-s", cpu_seconds=reading.cpu_seconds,
    )  # fmt: skip


def _whole() -> Row:
    from openceir.portal.channels.desk import answer_sms
    from openceir.portal.channels.models import AnsweredMessage, AskedInHour

    AnsweredMessage.objects.all().delete()
    AskedInHour.objects.all().delete()
    with meter() as reading:
        for count in range(_ANSWERED):
            imei = f"00100100{count:06d}"
            answer_sms(gateway="bench", message_id=str(count), number=f"1555010{count % 997:04d}", text=imei)
    return Row(
        name=f"{_ANSWERED:,} SMS answered: counted, looked up, sealed, kept on SQLite",
        measured=_ANSWERED / reading.cpu_seconds, unit="messages/CPU-s", cpu_seconds=reading.cpu_seconds,
        note=f"{_ANSWERED / reading.wall_seconds:,.0f} a second by the wall; each is on the disk when it is answered",
    )  # fmt: skip
