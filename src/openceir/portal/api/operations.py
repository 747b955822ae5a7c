"""The API, put together from its parts; `docs/reference/api.json` is made from it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from openceir import __version__
from openceir.portal.api.callers import with_rest
from openceir.portal.api.checks import checks
from openceir.portal.api.describing import with_problems_as_such
from openceir.portal.api.matters import matters
from openceir.portal.api.operator_files import operator_files
from openceir.portal.api.problems import answer_problems
from openceir.portal.api.public import public
from openceir.portal.api.trade import trade

__all__ = ["api"]


class Api(NinjaAPI):
    """NinjaAPI whose answers say what is left of the key's day."""

    def create_response(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        """As NinjaAPI's, with the headers."""
        response = super().create_response(request, *args, **named)
        with_rest(request, response)
        return response

    def get_openapi_schema(self, **named: Any) -> Any:
        """As NinjaAPI's, with the media types that are on the line."""
        return with_problems_as_such(super().get_openapi_schema(**named))


api = Api(
    title="openceir",
    version=__version__,
    description="For programs. Every refusal is a problem document (RFC 9457) with a stable code.",
    urls_namespace="api",
    docs_url=None,
)
answer_problems(api)
for _router in (checks, matters, trade, operator_files, public):
    api.add_router("/v1", _router)
