"""The OpenAPI 3.1 description, made from the routes, and the page of the manual made from it."""

from typing import Any

from openceir import __version__
from openceir.http.permissions import ALLOWED, Capability
from openceir.http.routes import ROUTES, Route
from openceir.status import ClaimKind, Status

__all__ = ["openapi", "openapi_page"]

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}
_DAY = {"type": "string", "format": "date"}
_COUNT = {"type": "integer", "minimum": 0}
_ELEMENTS = {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
_PROOF = {"type": "string", "pattern": "^[0-9a-f]{128}$"}
_HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _some(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _optional(schema: dict[str, Any], *names: str) -> dict[str, Any]:
    return {**schema, "required": [name for name in schema["required"] if name not in names]}


_IDENTIFIER = _object(value=_TEXT, scheme=_TEXT, canonical=_TEXT)
_STATUS = {"type": "string", "enum": [status.value for status in Status]}
_KIND = {"type": "string", "enum": [kind.value for kind in ClaimKind]}

_SCHEMAS: dict[str, dict[str, Any]] = {
    "Answer": _object(
        identifier=_IDENTIFIER,
        status={**_STATUS, "description": "ITU-T Q.5055's words, and unknown."},
        for_pair={"type": "boolean", "description": "The answer holds for the asked subscriber only."},
        headline={**_TEXT, "description": "The answer in one sentence."},
        at=_MOMENT,
        known_at=_or_null(_MOMENT),
        rule={**_TEXT, "description": "The step of docs/architecture.md §6 that decided."},
        reasons=_some(_ref("Reason")),
        next_steps=_some(_TEXT),
        findings=_some(_object(code=_TEXT, sentence=_TEXT)),
        other_identifiers=_some(_object(scheme=_TEXT, value=_TEXT)),
        model=_or_null({"type": "object"}),
        log_size={**_COUNT, "description": "Statements of the log that were counted."},
    ),
    "Reason": _object(
        kind=_KIND,
        label=_or_null({**_TEXT, "description": "The rule of a classification."}),
        sentence=_TEXT,
        since=_MOMENT,
        until=_or_null(_MOMENT),
        block_on=_or_null(_DAY),
        issuer=_TEXT,
        nation=_or_null({**_TEXT, "description": "Of the issuer, when it is another nation's."}),
        counted=_or_null(
            _object(
                effect={**_TEXT, "enum": ["shown", "tracks", "counts"]},
                since=_or_null(_MOMENT),
                rule=_or_null({**_TEXT, "description": "The [[foreign]] table of the policy that says so."}),
                source=_or_null(_TEXT),
            )
        ),
        decides={"type": "boolean", "description": "The status rests on it."},
        disputed={"type": "boolean"},
        statement=_object(
            index=_COUNT,
            leaf_hash=_HASH,
            logged_at=_MOMENT,
            receipt=_or_null(_TEXT),
            log=_or_null({**_TEXT, "description": "Whose log it stands in, when it is another authority's."}),
        ),
        evidence=_or_null({"type": "object"}),
    ),
    "History": _object(
        identifier=_IDENTIFIER,
        statements=_some(
            _object(
                kind=_KIND,
                sentence=_TEXT,
                effective_at=_MOMENT,
                logged_at=_MOMENT,
                issuer=_TEXT,
                statement=_object(index=_COUNT, leaf_hash=_HASH, receipt=_TEXT),
            )
        ),
        periods=_some(
            _object(
                since=_or_null(_MOMENT),
                until=_or_null(_MOMENT),
                status=_STATUS,
                headline=_TEXT,
                statements=_some(_COUNT),
            )
        ),
    ),
    "Check": _optional(
        _object(
            identifier={**_TEXT, "maxLength": 20_000},
            imsi=_or_null({"type": "string", "pattern": "^[0-9]{14,15}$"}),
            at=_or_null(_TEXT),
            known_at=_or_null(_TEXT),
        ),
        "imsi", "at", "known_at",
    ),
    "Batch": _optional(
        _object(
            identifiers={"type": "array", "maxItems": 1000, "items": {**_TEXT, "maxLength": 20_000}},
            at=_or_null(_TEXT),
            known_at=_or_null(_TEXT),
        ),
        "at", "known_at",
    ),
    "BatchAnswer": _object(answers=_some({"anyOf": [_ref("Answer"), _ref("Problem")]})),
    "Subscribers": _object(
        total=_COUNT,
        offset=_COUNT,
        subscribers=_some(
            _object(
                imsi=_or_null(_TEXT),
                msisdn=_or_null(_TEXT),
                operator=_TEXT,
                first_seen_on=_DAY,
                last_seen_on=_DAY,
                days_seen=_COUNT,
            )
        ),
    ),
    "Statement": _object(
        index=_COUNT,
        kind=_TEXT,
        issuer=_TEXT,
        stated_at=_MOMENT,
        logged_at=_MOMENT,
        leaf_hash=_HASH,
        said=_or_null({"type": "object"}),
        withheld=_or_null(
            {"type": "string", "enum": ["erased", "names-subscribers", "token-required", "too-many-devices"]}
        ),
        receipt=_TEXT,
    ),
    "SignedDocument": _object(
        signed={**_TEXT, "description": "The document, one line of JSON; verify before reading (docs/reference/questions.md)."},
        signature={**_TEXT, "pattern": "^[0-9a-f]{128}$"},
        signed_by=_TEXT,
    ),
    "Questions": _optional(
        _object(
            epoch={**_TEXT, "description": "Of the manifest's group."},
            elements={**_ELEMENTS, "description": "Blinded elements, RFC 9497."},
            tokens={**_some(_TEXT), "description": "One anonymous token an element, unless an access token is shown."},
        ),
        "tokens",
    ),
    "Evaluation": _object(
        epoch=_TEXT, index={**_COUNT, "description": "Which member of the group evaluated."}, elements=_ELEMENTS, proof=_PROOF
    ),
    "BlindedNonces": _object(elements=_ELEMENTS),
    "IssuedTokens": _object(day=_DAY, elements=_ELEMENTS, proof=_PROOF),
    "Policy": _object(name=_TEXT, version=_TEXT, digest=_HASH, mode=_TEXT, tree={"type": "object"}),
    "Health": _object(status={"const": "ok"}),
    "Ready": _object(status={"const": "ready"}, log_size=_COUNT, applied_size=_COUNT),
    "Problem": _object(
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        code={**_TEXT, "description": "Stable across releases; the sentence may be reworded."},
        detail=_TEXT,
    ),
    "Anything": {"type": "object"},
}  # fmt: skip

_PROBLEM_WORDS = {
    400: "The request cannot be answered as asked.",
    401: "It needs a token, or the token is refused.",
    403: "The token's role may not.",
    404: "There is no such thing.",
    409: "It was done before.",
    413: "The body is too long.",
    415: "The body is not JSON.",
    429: "The day's share is used up.",
    503: "The register cannot be opened.",
}


def openapi() -> dict[str, Any]:
    """The description as JSON takes it."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "openceir",
            "version": __version__,
            "summary": "A national register of devices whose verdicts are signed, explained and appealable.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    media = route.media.partition(";")[0]
    schema = _ref(route.answer) if route.answer else {"type": "string"}
    if media == "application/cose":
        schema = {"type": "string", "contentEncoding": "binary"}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": {
            "200": {"description": "The answer.", "content": {media: {"schema": schema}}},
            **{
                str(status): {
                    "description": _PROBLEM_WORDS[status],
                    "content": {"application/problem+json": {"schema": _ref("Problem")}},
                }
                for status in route.problems
            },
        },
        # a token is optional where the public may ask, and then only shows more
        "security": [{"token": []}] if _needs_token(route) else [{}, {"token": []}],
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": route.body}}}
    return operation


def _needs_token(route: Route) -> bool:
    return route.needs not in {None, Capability.CHECK}


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if "{" in route.template:
        name = route.template.partition("{")[2].partition("}")[0]
        found.append({"name": name, "in": "path", "required": True, "schema": _TEXT})
    for name, meaning in (route.query or {}).items():
        found.append(
            {
                "name": name,
                "in": "query",
                "required": meaning.endswith("Required."),
                "description": meaning,
                "schema": _TEXT,
            }
        )
    return found


def openapi_page() -> str:
    """docs/reference/http.md."""
    lines = [
        "# The HTTP interface",
        "",
        "Made from the description at `/openapi.json`; a test compares. How to start: [start/api.md](../start/api.md).",
        "Errors are problem documents (RFC 9457) whose `code` is stable.",
        "",
    ]
    for route in ROUTES:
        lines += [f"## `{route.method} {route.template}`", "", route.summary, ""]
        if route.needs is None:
            lines += ["Open to everybody.", ""]
        else:
            roles = ", ".join(sorted(ALLOWED[route.needs]))
            public = " Without a token too, unless `http.public_checks` is false." if not _needs_token(route) else ""
            lines += [f"Token roles: {roles}.{public}", ""]
        lines += [f"- query `{name}`: {meaning}" for name, meaning in (route.query or {}).items()]
        if route.body is not None:
            schema = _SCHEMAS[route.body["$ref"].rpartition("/")[2]]
            names = [
                f"`{name}`" + ("" if name in schema["required"] else " (optional)") for name in schema["properties"]
            ]
            lines += [f"- body: JSON object of {', '.join(names)}"]
        if route.problems:
            lines += ["- problems: " + ", ".join(str(status) for status in route.problems)]
        if route.answer in {None, "Anything"}:
            lines += [f"- answer: `{route.media}`", ""]
        else:
            lines += [f"- answer: [`{route.answer}`](#{route.answer.lower() if route.answer else ''})", ""]
    lines += ["# What the answers hold", ""]
    for name, schema in _SCHEMAS.items():
        if "properties" in schema:
            lines += [f"## {name}", "", "| field | type | |", "|---|---|---|"]
            lines += [
                f"| `{field}` | {_type_words(of)} | {of.get('description', '')} |"
                for field, of in schema["properties"].items()
            ]
            lines.append("")
    return "\n".join(lines)


def _type_words(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type_words(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema["type"] == "array":
        return f"array of {_type_words(schema['items'])}"
    if schema["type"] == "object" and "properties" in schema:
        return "object of " + ", ".join(f"`{name}`" for name in schema["properties"])
    return str(schema.get("format", schema["type"]))
