"""What the description says beside what ninja reads off the functions: headers, media types of answers and problems."""

from typing import Any

__all__ = ["ONCE", "answers_with", "as_on_the_line"]

ONCE: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": "Idempotency-Key",
            "required": False,
            "description": "1 to 255 printable characters, new for each request: sent again with it, the request is done "
            "once and answered alike. Remembered for a day.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
        }
    ]
}


def answers_with(media_type: str, *statuses: int) -> dict[str, Any]:
    """For `openapi_extra`: that these answers (200 when none is named) are of another type than JSON."""
    content = {media_type: {"schema": {"type": "string"}}}
    return {"responses": {status: {"content": content} for status in statuses or (200,)}}


def as_on_the_line(description: dict[str, Any], scopes: dict[str | None, str]) -> dict[str, Any]:
    """The description, whose refusals are `application/problem+json` and whose operations name the scope they need."""
    for operations in description["paths"].values():
        for operation in operations.values():
            if (scope := scopes.get(operation["operationId"])) is not None:
                operation["security"] = [{name: [scope] for name in asked} for asked in operation["security"]]
            for response in operation["responses"].values():
                content = response.get("content", {})
                schema = content.get("application/json", {}).get("schema", {})
                if schema.get("$ref", "").endswith("/Problem"):
                    content["application/problem+json"] = content.pop("application/json")
    return description
