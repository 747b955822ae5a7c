"""The regulator's figures: an overview, the months, each figure drawn, as a table and as CSV. All from what is kept."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe

from openceir.portal.accounts.acts import actor_of
from openceir.portal.accounts.doors import needs
from openceir.portal.accounts.models import User
from openceir.portal.accounts.roles import may
from openceir.portal.cases.areas import areas_now
from openceir.portal.register import register
from openceir.portal.regulator import jobs
from openceir.portal.regulator import trends as kept_months
from openceir.portal.regulator.dashboard import counters
from openceir.portal.regulator.desk_figures import AREAS, desk_figures
from openceir.portal.regulator.forms import MonthForm
from openceir.portal.regulator.models import Job
from openceir.portal.regulator.rules import MAKE_FIGURES, READ_FIGURES
from openceir.portal.site.pages import form_page
from openceir.reports import Figure, csv_text, draw, draw_areas

__all__ = ["dashboard", "figure_csv", "figures", "report", "trends"]

_ON_OVERVIEW = ("report_to_effect", AREAS, "waiting_times")
_FOLDED_FROM = 12  # rows


@needs(READ_FIGURES)
def dashboard(request: HttpRequest) -> HttpResponse:
    """The newest month at a glance."""
    month = kept_months.newest_month()
    if month is None:
        return render(request, "regulator/dashboard.html", {"month": None})
    figures = kept_months.figures_of(month)
    told = {
        "month": month,
        "made_at": _found(month, "").made_at,
        "groups": counters(figures),
        "shown": _shown(figures[name] for name in _ON_OVERVIEW if name in figures),
    }
    return render(request, "regulator/dashboard.html", told)


@needs(READ_FIGURES)
def figures(request: HttpRequest) -> HttpResponse:
    """Which months have figures; a form to let them be made."""
    form = MonthForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actor_of(request, MAKE_FIGURES)
        assert isinstance(request.user, User)
        jobs.ask(Job(kind="figures", asked=form.cleaned_data["month"], asked_by=request.user))
        return redirect("regulator_figures")
    told = {
        "kept": sorted(register().reports.kept().items(), reverse=True),
        "jobs": Job.objects.filter(kind="figures")[:5],
        "form": form if may(request.user, MAKE_FIGURES) else None,
    }
    return form_page(request, "regulator/figures.html", form, told)


@needs(READ_FIGURES)
def report(request: HttpRequest, month: str) -> HttpResponse:
    """The figures of a month, of the country or of one operator: each drawn, as a table and as CSV."""
    operator = request.GET.get("operator", "")
    found = _found(month, operator)
    told = {
        "report": found,
        "shown": _shown([*found.figures, *([] if operator else desk_figures(month))]),
        "operators": [one for one in register().reports.kept()[month] if one],
    }
    return render(request, "regulator/report.html", told)


@needs(READ_FIGURES)
def trends(request: HttpRequest, month: str) -> HttpResponse:
    """The months up to this one, as lines."""
    operator = request.GET.get("operator", "")
    _found(month, operator)
    told = {"month": month, "operator": operator, "shown": _shown(kept_months.trends(month, operator))}
    return render(request, "regulator/trends.html", told)


@needs(READ_FIGURES)
def figure_csv(request: HttpRequest, month: str, name: str) -> HttpResponse:
    """One figure as CSV."""
    operator = request.GET.get("operator", "")
    _found(month, operator)
    figure = kept_months.figures_of(month, operator).get(name) or next(
        (one for one in kept_months.trends(month, operator) if one.name == name), None
    )
    if figure is None:
        raise Http404
    response = HttpResponse(csv_text(figure), content_type="text/csv; charset=utf-8")
    whose = f"{operator}-" if operator else ""
    response["Content-Disposition"] = f'attachment; filename="{month}-{whose}{figure.name}.csv"'
    return response


def _shown(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [
        {"figure": figure, "drawing": mark_safe(_drawn(figure)), "is_long": len(figure.rows) > _FOLDED_FROM}  # noqa: S308 - our own, escaped
        for figure in figures
    ]


def _drawn(figure: Figure) -> str:
    return draw_areas(figure, "per_100000", areas_now()) if figure.name == AREAS else draw(figure)


def _found(month: str, operator: str) -> Any:
    found = register().reports.find(month, operator)
    if found is None:
        raise Http404
    return found
