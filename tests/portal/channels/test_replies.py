"""Every sentence in every language fits one message, with the longest values it can have."""

from datetime import UTC, date, datetime

import pytest
from aiosmpplib import GSM7BitCodec

from openceir.portal.channels.question import LANGUAGES
from openceir.portal.channels.replies import MOST_NUMBERS, format_apology, format_help, format_limit, format_reply
from openceir.portal.channels.verdicts import Told, Verdict
from openceir.wire.gsm_text import SMS, USSD, fits, septets

NOON = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
FAULTS = {Verdict.WRONG_COUNT, Verdict.WRONG_DIGIT}


def told(verdict: Verdict, model: str = "") -> Told:
    """A verdict with the longest values: a billion statements, a far day."""
    if verdict in FAULTS:
        return Told(verdict=verdict)
    return Told(verdict=verdict, reference="N999999999", at=NOON, block_on=date(2027, 12, 31), model=model)


def is_one_message(text: str) -> bool:
    """By another implementation: aiosmpplib's codec packs the text into 160 septets, or UTF-16 into 140 octets."""
    if GSM7BitCodec.is_gsm_text(text):
        return len(GSM7BitCodec().encode(text)[0]) <= 160
    return len(text.encode("utf-16-be")) <= 140


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_verdict_is_one_message(verdict: Verdict, language: str):
    text = format_reply([told(verdict)], language)
    assert is_one_message(text), len(text)
    assert fits(text, SMS)
    assert "%" not in text
    if verdict not in FAULTS:
        assert "N999999999" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_many_verdicts_are_one_message(verdict: Verdict, language: str):
    for count in (2, MOST_NUMBERS, MOST_NUMBERS + 1):
        text = format_reply([told(verdict)] * count, language)
        assert is_one_message(text), text
        assert text.startswith("1: ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [format_help, format_limit, format_apology])
def test_what_is_said_beside_verdicts_is_one_message(make, language: str):
    assert is_one_message(make(language))


@pytest.mark.parametrize("language", ["en", "fr", "es", "pt"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_latin_languages_are_written_in_the_alphabet_of_gsm(verdict: Verdict, language: str):
    """Else every accent that it lacks would leave room for 70 characters."""
    assert septets(format_reply([told(verdict)], language)) is not None


def test_every_language_has_its_own_words():
    """A catalogue that is missing would leave English, which always fits."""
    for verdict in Verdict:
        texts = {format_reply([told(verdict)], language) for language in LANGUAGES}
        assert len(texts) == len(LANGUAGES), verdict


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_model_on_record_is_told_where_there_is_room_and_left_out_whole(language: str):
    short = format_reply([told(Verdict.NO_RESTRICTION, "Acme One")], language)
    long = format_reply([told(Verdict.NO_RESTRICTION, "Acme " + "One " * 40)], language)
    assert is_one_message(short)
    assert is_one_message(long)
    assert "Acme" not in long
    if language in {"en", "fr", "es", "pt"}:
        assert "Acme One" in short
    assert "Acme One" in format_reply([told(Verdict.NO_RESTRICTION, "Acme One")], "en", USSD)


def test_no_answer_promises_anything():
    """Contract of the portal: up to now nothing is known is the most that is said."""
    for verdict in Verdict:
        assert "safe" not in format_reply([told(verdict)], "en").lower()
