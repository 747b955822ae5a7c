"""What templates of the citizens' pages have beside the portal's tags."""

from django import template

from openceir.portal.citizens.words import word_of
from openceir.portal.device_check import VERDICT_OF

register = template.Library()


@register.filter
def verdict_word(verdict: str) -> str:
    """A verdict's word in the reader's language; a word that is none of ours as it stands."""
    return word_of(verdict) if verdict in VERDICT_OF.values() else verdict
