"""How long cases wait, and the words of notices."""

from datetime import timedelta

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.accounts.acts import actor_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.roles import may
from openceir.portal.cases.flow import FLOWS
from openceir.portal.cases.wordings import WORDINGS
from openceir.portal.regulator.forms import NoticeTextForm
from openceir.portal.regulator.models import NoticeText
from openceir.portal.regulator.rules import CHANGE_NOTICES, READ_FIGURES, READ_NOTICES
from openceir.portal.regulator.texts import (
    TextRefused,
    change_text,
    check_text,
    needs_two,
    text_in_force,
    texts_in_force,
)
from openceir.portal.regulator.waiting import allowed_hours, decided_between, overdue, waits_of
from openceir.portal.site.pages import form_page
from openceir.portal.site.refusals import sentence_of_error

__all__ = ["notice_text", "notice_texts", "waiting"]

_LOOK_BACK = timedelta(days=30)


@needs(READ_FIGURES)
def waiting(request: HttpRequest) -> HttpResponse:
    """Of each kind of case and office: how many waited how long, against policy's hours; and those that are late now."""
    now = moment.now()
    titles = {kind: flow.title for kind, flow in FLOWS.items()}
    rows = [(titles[one.kind], one) for one in waits_of(decided_between(now - _LOOK_BACK, now), now)]
    page = Paginator(overdue(now), 50).get_page(request.GET.get("page"))
    late = [(titles[case.kind], case, case.since_at + timedelta(hours=allowed_hours(case.kind, now))) for case in page]
    return render(request, "regulator/waiting.html", {"rows": rows, "page": page, "late": late})


@needs(READ_NOTICES)
def notice_texts(request: HttpRequest) -> HttpResponse:
    """Every notice, and in which languages the regulator has words of its own."""
    own = texts_in_force()
    rows = [
        (wording, [(language, title, (name, language) in own) for language, title in settings.LANGUAGES])
        for name, wording in sorted(WORDINGS.items())
    ]
    return render(request, "regulator/notice_texts.html", {"rows": rows})


@needs(READ_NOTICES)
def notice_text(request: HttpRequest, name: str, language: str) -> HttpResponse:
    """One notice in one language: the words that stand, those that stood, and the form for others."""
    wording = WORDINGS.get(name)
    if wording is None or language not in dict(settings.LANGUAGES):
        raise Http404
    own = wording.own_text(language)
    form = NoticeTextForm(request.POST or None, initial={"text": text_in_force(name, language) or own})
    preview = ""
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        actor = actor_of(request, CHANGE_NOTICES)
        try:
            check_text(wording, told["text"].strip())
            if "preview" in request.POST:
                preview = wording.preview(language, told["text"].strip() or own)
            else:
                change_text(actor, name=name, language=language, **told)
                return redirect("approvals" if needs_two() else "notice_texts")
        except TextRefused as refused:
            form.add_error("text", sentence_of_error(refused))
        except OpenceirError as refused:
            form.add_error(None, sentence_of_error(refused))
    told = {
        "wording": wording,
        "language": language,
        "language_name": _(dict(settings.LANGUAGES)[language]),
        "own": own,
        "stands": text_in_force(name, language),
        "preview": preview,
        "kept": NoticeText.objects.filter(name=name, language=language).select_related("author", "proposal"),
        "may_change": may(request.user, CHANGE_NOTICES),
    }
    return form_page(request, "regulator/notice_text.html", form, told)
