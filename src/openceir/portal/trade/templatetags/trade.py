"""What pages about the trade say: days that a case keeps as text, and questions that were asked from a case."""

from datetime import date
from typing import Any

from django import template
from django.utils.safestring import SafeString

from openceir.portal.accounts.roles import may
from openceir.portal.site.templatetags.portal import day
from openceir.portal.trade.questions import ANSWERS
from openceir.portal.trade.rules import ASK_COMPANY

register = template.Library()


@register.filter
def iso_day(text: str) -> SafeString | str:
    """A day that is kept as text, in the words of the reader's language; text that is none as it stands."""
    try:
        return day(date.fromisoformat(str(text)[:10]))
    except ValueError:
        return text


@register.filter
def answer_in_words(word: str) -> Any:
    """What a company answered."""
    return ANSWERS.get(word, word)


@register.inclusion_tag("trade/parts/questions.html", takes_context=True)
def questions_about(context: dict[str, Any], case: Any) -> dict[str, Any]:
    """What companies were asked from a case and what they answered, and the way to ask; nothing for who may not."""
    may_ask = may(context["request"].user, ASK_COMPANY, case)
    questions = case.children.filter(kind="clone-question").order_by("opened_at") if may_ask else ()
    return {"case": case, "questions": questions, "may_ask": may_ask}
