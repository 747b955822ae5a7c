"""A page with a form on it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

__all__ = ["form_page"]


def form_page(request: HttpRequest, template: str, form: forms.Form, told: Mapping[str, Any]) -> HttpResponse:
    """The page, whose title says so when the form has errors. What is told goes before: `form` None shows none."""
    return render(request, template, {"form": form, **told, "has_errors": bool(form.errors)})
