"""Which language a page is in: the one chosen (a cookie), else the browser's, else the setting's. No path carries it."""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

__all__ = ["LanguageMiddleware"]


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, but for one thing: `?language=ar` counts too, so that a link can be in somebody's language."""

    def process_request(self, request: HttpRequest) -> None:
        """Turn the language on for this request."""
        asked = request.GET.get("language", "")
        if asked in dict(settings.LANGUAGES):
            translation.activate(asked)
            request.LANGUAGE_CODE = asked
            return
        super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say the language, and that answers differ by it; remember the one that a link asked for."""
        response.headers.setdefault("Content-Language", translation.get_language())
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        asked = request.GET.get("language", "")
        if asked in dict(settings.LANGUAGES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                asked,
                max_age=31_536_000,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
        return response
