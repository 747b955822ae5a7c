"""The description says what the door does: it is valid, names every route, and real answers conform to it."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from http_story import ALICES_PHONE, BOBS_IMSI, BOBS_PHONE
from openapi_spec_validator import validate

from openceir.http import openapi, openapi_page
from openceir.http.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http.md"


def test_the_description_is_valid_openapi():
    validate(openapi())


def test_the_description_names_every_route_and_no_other(public):
    described = {(method.upper(), path) for path, of in openapi()["paths"].items() for method in of}
    assert described == {(route.method, route.template) for route in ROUTES}
    assert public("GET", "/openapi.json").json == openapi()


def test_the_page_is_made_from_the_description():
    """`python -m openceir.http` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == openapi_page()


BLINDED = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"  # RFC 9497 §A.1.2.1
CALLS: list[tuple[str, str, str, Any]] = [
    ("/v1/identifiers/{value}", f"/v1/identifiers/{ALICES_PHONE}", "at=2027-03-02", None),
    ("/v1/identifiers/{value}", f"/v1/identifiers/{BOBS_PHONE}", "at=2027-03-02&known_at=2027-03-02", None),
    ("/v1/identifiers/{value}", "/v1/identifiers/001001000000013", "", None),
    ("/v1/identifiers/{value}/history", f"/v1/identifiers/{BOBS_PHONE}/history", "", None),
    ("/v1/identifiers/{value}/subscribers", f"/v1/identifiers/{BOBS_PHONE}/subscribers", "purpose=N-7", None),
    ("/v1/checks", "/v1/checks", "", {"identifier": BOBS_PHONE, "imsi": BOBS_IMSI, "at": "2027-07-01"}),
    ("/v1/checks", "/v1/checks", "", {"identifier": BOBS_PHONE, "imsi": "5"}),
    ("/v1/checks:batch", "/v1/checks:batch", "", {"identifiers": [ALICES_PHONE, BOBS_PHONE, "?"], "at": "now"}),
    ("/v1/statements/{index}", "/v1/statements/0", "", None),
    ("/v1/statements/{index}", "/v1/statements/3", "", None),
    ("/v1/statements/{index}", "/v1/statements/77", "", None),
    ("/v1/questions/key", "/v1/questions/key", "", None),
    ("/v1/questions:evaluate", "/v1/questions:evaluate", "", {"epoch": "2027", "elements": [BLINDED]}),
    ("/v1/questions:evaluate", "/v1/questions:evaluate", "", {"epoch": "2028", "elements": [BLINDED]}),
    ("/v1/questions:evaluate", "/v1/questions:evaluate", "", {"epoch": "2027", "elements": ["0" * 64]}),
    ("/v1/questions:tokens", "/v1/questions:tokens", "", {"elements": [BLINDED]}),
    ("/v1/questions:tokens", "/v1/questions:tokens", "", {"elements": [BLINDED] * 11}),
    ("/v1/policy", "/v1/policy", "", None),
    ("/openapi.json", "/openapi.json", "", None),
    ("/health", "/health", "", None),
    ("/ready", "/ready", "", None),
]


@pytest.mark.parametrize(("template", "path", "query", "body"), CALLS)
def test_a_real_answer_conforms(police, template, path, query, body):
    reply = police("GET" if body is None else "POST", path, query, body)
    described = openapi()
    operation = described["paths"][template]["get" if body is None else "post"]
    content = operation["responses"][str(reply.status)]["content"]
    schema = content[reply.headers["Content-Type"]]["schema"]
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "components": described["components"],
    }
    jsonschema.Draft202012Validator(document, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        reply.json
    )
    if body is not None and reply.status == 200:
        asked = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.Draft202012Validator({**asked, "components": described["components"]}).validate(body)


def test_every_json_route_has_a_real_answer_above():
    called = {template for template, *_ in CALLS}
    assert called == {route.template for route in ROUTES if route.media == "application/json"}
