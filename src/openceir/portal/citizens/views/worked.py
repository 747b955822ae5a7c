"""A form that came too soon after many others: shown again as it was filled, with what the browser must do first."""

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from openceir.portal.citizens.pace import Work

__all__ = ["asked_to_work"]


def asked_to_work(request: HttpRequest, template: str, form: Form, work: Work) -> HttpResponse:
    """The page (429), with all that was typed; files have to be chosen again."""
    form.add_error(
        None, _("Many questions came from your network, so this one was not answered yet. Below stands what to do.")
    )
    told = {"form": form, "has_errors": True, "work": work}
    response = render(request, template, told, status=429)
    response["Retry-After"] = str(work.seconds_left)
    return response
