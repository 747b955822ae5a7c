"""What Django says to programs by itself, an address that is not there or a method that it does not take, as a problem too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from openceir.portal.api.problems import problem

__all__ = ["ProblemsForPrograms"]

_BELOW = "/api/v1/"


class ProblemsForPrograms:
    """Below /api/v1/ a page of Django's becomes a problem document; what the API itself said stays."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer."""
        response = self._answer(request)
        if response.status_code < 400 or not request.path.startswith(_BELOW) or _is_problem(response):
            return response
        if response.status_code == 404:
            return problem(
                request, 404, "no-such-path", "there is nothing at this path; /api/openapi.json lists what there is"
            )
        if response.status_code == 405:
            told = problem(request, 405, "method-not-allowed", f"this path takes {response['Allow']}")
            told["Allow"] = response["Allow"]
            return told
        return problem(request, response.status_code, "refused", "the request could not be read")


def _is_problem(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("application/problem+json")
