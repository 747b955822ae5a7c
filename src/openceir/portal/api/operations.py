"""The API, put together from its parts; `docs/reference/api.json` is made from it."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.operation import Operation

from openceir import __version__
from openceir.portal.api.callers import Key, with_rest
from openceir.portal.api.checks import checks
from openceir.portal.api.describing import as_on_the_line
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
        """As NinjaAPI's, with the media types that are on the line, and the scopes."""
        scopes = {operation.operation_id: guard.scope for operation, guard in self.guarded()}
        return as_on_the_line(super().get_openapi_schema(**named), scopes)

    def guarded(self) -> Iterator[tuple[Operation, Key]]:
        """Each operation that needs a key, and what lets it in."""
        for _prefix, router in self._routers:
            for view in router.path_operations.values():
                for operation in view.operations:
                    for guard in operation.auth_callbacks:
                        if isinstance(guard, Key):
                            yield operation, guard


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
