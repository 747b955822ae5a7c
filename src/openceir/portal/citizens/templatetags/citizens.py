"""What templates that tell verdicts have beside the portal's tags."""

from django import template

from openceir.portal.citizens.words import Told, sentence_of, told, word_of
from openceir.portal.device_check import VERDICT_OF
from openceir.portal.register import register as book
from openceir.status import Answer, Reason

register = template.Library()


@register.filter
def verdict_word(verdict: str) -> str:
    """A verdict's word in the reader's language; a word that is none of ours as it stands."""
    return word_of(verdict) if verdict in VERDICT_OF.values() else verdict


@register.filter
def in_words(answer: Answer) -> Told:
    """An answer as a citizen reads it: its word, what it means, the model on record."""
    return told(answer, book().policy)


@register.filter
def because(reason: Reason) -> str:
    """A reason of an answer."""
    return sentence_of(reason)
