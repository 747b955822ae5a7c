"""Bodies that are too large, cut, or not what they say: refused by code, never a fault of ours."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from openceir.portal.cases.models import Case

NUMBER = "001001000000015"


@pytest.fixture
def partner(country, program):
    return program("check", "screen", "scan", "reports")


def refused(reply, status, code):
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, "application/problem+json"), reply.content
    assert reply.json()["code"] == code


def test_more_than_a_megabyte_of_json_is_not_read(partner):
    body = json.dumps({"identifiers": [NUMBER], "more": "x" * (2 << 20)})
    refused(partner.post("/api/v1/check", body, content_type="application/json"), 413, "too-large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"identifiers": [NaN]}', b"[" * 20_000, b"null"])
def test_what_is_no_object_of_json_is_refused(partner, body):
    reply = partner.post("/api/v1/check", body, content_type="application/json")
    assert reply.status_code in {400, 422}, reply.content
    assert reply.json()["code"] in {"request-unreadable", "request-invalid"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--x\r\nnot a part", "multipart/form-data; boundary=x"),
        (b"", "multipart/form-data"),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=" + "x" * 300),
        (b"{}", "application/json"),
        (b"imeis=1", "application/x-www-form-urlencoded"),
        (b"\xff\xff", "text/plain"),
    ],
)
def test_a_form_that_is_none_opens_no_case(partner, body, content_type):
    reply = partner.post("/api/v1/reports", body, content_type=content_type)
    assert reply.status_code in {400, 422}, reply.content
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert not Case.objects.exists()


def test_too_many_fields_or_files_are_refused(partner):
    refused(partner.post("/api/v1/reports", {f"f{n}": "x" for n in range(300)}), 413, "too-large")
    files = {f"f{n}": SimpleUploadedFile("a.png", b"x") for n in range(20)}
    refused(partner.post("/api/v1/reports", files), 413, "too-large")


def test_a_picture_of_nine_megabytes_is_not_read_to_its_end(partner):
    refused(partner.post("/api/v1/scan", bytes(9 << 20), content_type="image/png"), 413, "too-large")


def test_a_path_or_method_that_is_not_there_is_no_fault(partner):
    refused(partner.get("/api/v1/nonesuch"), 404, "no-such-path")
    other = partner.delete("/api/v1/check")
    refused(other, 405, "method-not-allowed")
    assert other.headers["Allow"] == "POST"
    assert partner.get(f"/api/v1/reports/{'x' * 5000}", headers={"Case-Secret": "x"}).status_code == 422


@pytest.mark.parametrize("text", ["", "Bearer", "Bearer ", "Basic eDp5", "Bearer \u00e9", "Bearer " + "x" * 10_000])
def test_what_is_no_key_opens_nothing(country, text):
    reply = Client().post("/api/v1/check", "{}", content_type="application/json", headers={"Authorization": text})
    refused(reply, 401, "token-required")


def test_camara_is_told_in_its_own_words_too(partner):
    body = json.dumps({"imei": "x" * (2 << 20)})
    reply = partner.post("/api/imei-fraud-check/vwip/check-status", body, content_type="application/json")
    assert (reply.status_code, reply.json()["code"]) == (400, "INVALID_ARGUMENT")
