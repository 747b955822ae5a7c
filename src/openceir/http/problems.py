"""Every refusal as a problem document, with a code that stays the same when its sentence is reworded.

Source: RFC 9457.
"""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from openceir.errors import OpenceirError

__all__ = ["Problem", "problem_of"]


@dataclass(eq=False)
class Problem(Exception):
    """A request that is answered with an error."""

    status: int
    code: str
    detail: str
    headers: list[tuple[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "type": f"urn:openceir:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }


def problem_of(error: OpenceirError) -> Problem:
    """What an error of a room is in this door's language."""
    return Problem(error.http_status, error.code, str(error))
