"""The pages that belong to no audience."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from openceir.portal.site.kept import forget, kept_for

__all__ = ["kept_form", "set_language"]


@require_http_methods(["GET", "HEAD", "POST"])
def kept_form(request: HttpRequest) -> HttpResponse:
    """A form that was sent with a session that had ended: to be sent on, or thrown away (a post)."""
    if request.method == "POST":
        forget(request)
        return HttpResponseRedirect(reverse("home"))
    form = kept_for(request)
    if form is None:
        forget(request)
    return render(request, "site/kept.html", {"kept": form}, status=200 if form else 404)


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember a language and go back to the page that it was chosen on."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) or not back.startswith("/"):
        back = reverse("home")
    response = HttpResponseRedirect(back)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=31_536_000,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response
