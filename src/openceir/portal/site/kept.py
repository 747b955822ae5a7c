"""What somebody typed into a form that could not be taken, because the session had ended: kept, and offered again.

A form that meets a lost session is put into the new session of the same browser, for a quarter of an hour; after
signing in its person sees it and sends it on with one press, to the same address and by the same checks as ever.
Whoever else signs in there does not. Files and secrets are not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse

from openceir.portal import moment

__all__ = ["KeptForm", "fields_of", "forget", "keep", "kept_for", "way_back"]

_NAME = "kept-form"
_MOST_CHARACTERS = 64_000
_FOR_S = 900
_SECRET = ("csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code", "secret", "login")


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form as it was typed: where it goes, its fields in order, and whether it had files, which are chosen again."""

    path: str
    fields: Sequence[tuple[str, str]]
    had_files: bool

    @property
    def shown(self) -> list[tuple[str, str]]:
        """The fields that a person typed, as the page shows them: not the numbers that forms carry hidden."""
        return [
            (name.replace("_", " "), value) for name, value in self.fields if value and name not in {"once", "version"}
        ]


def fields_of(request: HttpRequest) -> KeptForm | None:
    """The form of this request; None when it is none, or too large to be kept."""
    if request.method != "POST":
        return None
    fields = [(name, value) for name, values in request.POST.lists() for value in values if name not in _SECRET]
    if (
        not any(value for _, value in fields)
        or sum(len(name) + len(value) for name, value in fields) > _MOST_CHARACTERS
    ):
        return None
    return KeptForm(request.get_full_path(), fields, bool(request.FILES))


def keep(request: HttpRequest, person: int | None) -> bool:
    """Keep the form of this request for a person, by account number; None: for who signs in next in this browser."""
    form = fields_of(request)
    if form is None:
        return False
    request.session[_NAME] = {
        "person": person, "path": form.path, "fields": list(form.fields), "had_files": form.had_files,
        "until": moment.now().timestamp() + _FOR_S,
    }  # fmt: skip
    return True


def kept_for(request: HttpRequest) -> KeptForm | None:
    """What is kept for the person of this request."""
    told: Mapping[str, Any] | None = request.session.get(_NAME)
    if told is None or told["person"] not in {None, request.user.pk} or told["until"] < moment.now().timestamp():
        return None
    return KeptForm(told["path"], [(name, value) for name, value in told["fields"]], told["had_files"])


def forget(request: HttpRequest) -> None:
    """Throw away what is kept, whosever it is."""
    request.session.pop(_NAME, None)


def way_back(request: HttpRequest, person: int | None) -> str:
    """Where one goes on after signing in: to the same page, or to the form that was kept of a post."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    return reverse("kept_form") if keep(request, person) else urlsplit(request.get_full_path()).path
