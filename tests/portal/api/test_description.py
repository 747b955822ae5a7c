"""Requests made from the description, valid ones and broken ones: every answer is one that the description allows."""

import pytest
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings

from openceir.portal.accounts.roles import PortalRole

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    negative_data_rejection,
]  # fmt: skip
HELD_BY = {"type-approvals": PortalRole.IMPORTER, "stock": PortalRole.IMPORTER, "dumps": PortalRole.OPERATOR,
           "lists": PortalRole.OPERATOR}  # fmt: skip
SCOPE_OF = {
    "check": "check", "listings:screen": "screen", "scan": "scan", "reports": "reports", "appeals": "appeals",
    "registrations": "registrations", "type-approvals": "type-approvals", "stock": "stock", "dumps": "dumps",
    "lists": "lists", "imei-fraud-check": "check",
}  # fmt: skip


def operations(path):
    """The operations of a description, as the portal gives it."""
    found = schemathesis.openapi.from_wsgi(path, get_wsgi_application(), headers={"Host": "localhost"})
    return [one.ok() for one in found.get_all_operations()]


def conforms(operation, headers, tried):
    """Try it with some requests. Raises: what the first check found."""

    @settings(
        max_examples=12, deadline=None, database=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def try_it(case):
        reply = case.call_and_validate(headers=headers, checks=CHECKS)
        tried.setdefault(operation.label, set()).add(reply.status_code)

    try_it()


@pytest.mark.parametrize("description", ["/api/openapi.json", "/api/imei-fraud-check/vwip/openapi.json"])
def test_no_answer_is_one_that_the_description_does_not_allow(country, program, description):
    tried = {}
    keys = {}
    for operation in operations(description):
        word = next((part for part in operation.path.split("/") if part in SCOPE_OF), "")
        scope = SCOPE_OF.get(word, "check")
        if scope not in keys:
            keys[scope] = program(scope, of=HELD_BY.get(scope, PortalRole.REGULATOR), per_day=100_000)
        conforms(operation, {"Host": "localhost", "Accept-Encoding": "identity", **keys[scope].authorization}, tried)
    assert len(tried) >= (1 if "vwip" in description else 20)
