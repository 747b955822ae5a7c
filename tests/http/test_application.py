"""What the HTTP door answers, and what it refuses, exactly."""

import json

import pytest
from http_story import ALICES_PHONE, BOBS_IMSI, BOBS_PHONE, Client

from openceir import clock
from openceir.app import open_register
from openceir.http import make_application
from openceir.identity import format_imei
from openceir.ledger import verify_receipt
from openceir.settings import Settings

ALICES_LABEL = "001001000000015"  # with its Luhn digit, 3GPP TS 23.003 Annex B


def test_the_answer_names_its_statement_and_the_receipt_proves_it(public, police, home):
    assert format_imei(ALICES_PHONE) == ALICES_LABEL
    answer = public("GET", f"/v1/identifiers/{ALICES_LABEL}", "at=2027-03-02").json
    [reason] = answer["reasons"]
    assert (answer["status"], reason["kind"], reason["issuer"]) == ("blocked", "stolen", "police")
    receipt = police("GET", reason["statement"]["receipt"])
    shown = verify_receipt(receipt.body, open_register(home).ledger.log_key, open_register(home).members)
    assert shown.said.case_number == "N-7"
    assert public("GET", "/v1/statements/0").json["leaf_hash"] == reason["statement"]["leaf_hash"]


def test_the_instant_asked_about_decides(public):
    path = f"/v1/identifiers/{ALICES_PHONE}"
    assert public("GET", path, "at=2027-02-28").json["status"] == "unknown"
    assert public("GET", path, "at=2027-03-02").json["status"] == "blocked"
    assert public("GET", path, "at=2027-03-02&known_at=2027-02-01").json["status"] == "unknown"


def test_one_device_has_several_identifiers(public):
    answer = public("GET", f"/v1/identifiers/{BOBS_PHONE}", "at=2027-03-02").json
    assert answer["other_identifiers"] == [{"scheme": "eid", "value": "89049032003008882600002962345624"}]


def test_a_batch_answers_each_in_order_and_a_bad_one_alone_is_refused(police):
    body = {"identifiers": [ALICES_PHONE, "001001000000013", BOBS_PHONE, "?"], "at": "2027-03-02"}
    answers = police("POST", "/v1/checks:batch", body=body).json["answers"]
    assert [answer.get("status") if "headline" in answer else answer["code"] for answer in answers] == [
        "blocked",
        "identifier-probably-mistyped",
        "tracked",
        "identifier-not-recognised",
    ]


def test_a_mistyped_number_is_not_answered_about_a_stranger(public):
    reply = public("GET", "/v1/identifiers/001001000000013")
    assert (reply.status, reply.json["code"]) == (400, "identifier-probably-mistyped")
    assert "5 would fit" in reply.json["detail"]


def test_a_pair_is_asked_in_the_body_with_a_token_and_is_not_said_back(public, police):
    body = {"identifier": BOBS_PHONE, "imsi": BOBS_IMSI, "at": "2027-07-01"}
    assert public("POST", "/v1/checks", body=body).status == 401
    reply = police("POST", "/v1/checks", body=body)
    assert (reply.json["status"], reply.json["for_pair"]) == ("permitted", True)
    assert BOBS_IMSI.encode() not in reply.body
    bad = police("POST", "/v1/checks", body={**body, "imsi": "00101"})
    assert (bad.status, bad.json["code"], "00101" in bad.json["detail"]) == (400, "imsi-refused", False)


def test_no_subscriber_stands_in_what_is_open_to_the_public(public):
    for path in (f"/v1/identifiers/{BOBS_PHONE}", "/v1/statements/3", "/v1/statements/3/receipt"):
        reply = public("GET", path)
        assert reply.status == 200
        assert BOBS_IMSI.encode() not in reply.body


@pytest.mark.parametrize("role", ["regulator", "police", "court"])
def test_what_a_statement_says_is_for_tokens_and_pairs_are_for_nobody(new_client, public, role):
    client = new_client(role)
    assert public("GET", "/v1/statements/0").json["withheld"] == "token-required"
    assert client("GET", "/v1/statements/0").json["said"]["case_number"] == "N-7"
    assert client("GET", "/v1/statements/3").json["withheld"] == "names-subscribers"
    assert BOBS_IMSI.encode() not in client("GET", "/v1/statements/3/receipt").body


def test_each_look_at_subscribers_is_on_record_before_it_is_answered(new_client, home):
    client = new_client("court")
    path = f"/v1/identifiers/{BOBS_PHONE}/subscribers"
    assert client("GET", path).json["code"] == "purpose-required"
    before = len(list(open_register(home).read_audit.reads(int(BOBS_PHONE))))
    first = client("GET", path, "purpose=ruling%204&limit=1").json
    second = client("GET", path, "purpose=ruling%204&limit=1&offset=1").json
    assert (first["total"], second["offset"]) == (2, 1)
    assert first["subscribers"][0] == {
        "imsi": "001010000000066",
        "msisdn": None,
        "operator": "northtel",
        "first_seen_on": "2027-03-03",
        "last_seen_on": "2027-03-03",
        "days_seen": 1,
    }
    assert second["subscribers"][0]["days_seen"] == 2
    reads = list(open_register(home).read_audit.reads(int(BOBS_PHONE)))[before:]
    assert [(read.role, read.purpose) for read in reads] == [("court", "ruling 4")] * 2


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("", f"/v1/identifiers/{BOBS_PHONE}/subscribers", 401),
        ("operator", f"/v1/identifiers/{BOBS_PHONE}/subscribers", 403),
        ("customs", f"/v1/identifiers/{BOBS_PHONE}/subscribers", 403),
        ("", f"/v1/identifiers/{BOBS_PHONE}/history", 401),
        ("maker", f"/v1/identifiers/{BOBS_PHONE}/history", 403),
        ("operator", f"/v1/identifiers/{BOBS_PHONE}/history", 200),
    ],
)
def test_a_role_opens_what_its_row_says(new_client, role, path, status):
    assert new_client(role)("GET", path, "purpose=N-7" if "subs" in path else "").status == status


def test_a_closed_register_answers_the_public_nothing(new_client):
    closed = new_client(http_public_checks=False)
    assert closed("GET", f"/v1/identifiers/{ALICES_PHONE}").status == 401
    assert closed("POST", "/v1/checks", body={"identifier": ALICES_PHONE}).status == 401


def test_a_wrong_or_revoked_token_is_never_treated_as_none(new_client, home):
    client = new_client("police")
    path = f"/v1/identifiers/{ALICES_PHONE}"
    assert client("GET", path).status == 200
    tokens = open_register(home).tokens
    [name] = [one.name for one in tokens.list_all() if tokens.find(client.token, at=clock.now()) == one]
    tokens.revoke(name, at=clock.now())
    reply = client("GET", path)
    assert (reply.status, reply.json["code"]) == (401, "token-refused")
    assert reply.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert Client(client.application, "nonsense")("GET", path).status == 401
    assert client("GET", path, HTTP_AUTHORIZATION="Basic eDp5").status == 401


CHECKS = "/v1/checks"
BAD_REQUESTS = [
    ("GET", "/nope", "", None, {}, 404, "no-such-path"),
    ("GET", "/v1/identifiers/", "", None, {}, 404, "no-such-path"),
    ("DELETE", "/v1/checks", "", None, {}, 405, "method-not-allowed"),
    ("POST", "/v1/policy", "", {}, {}, 405, "method-not-allowed"),
    ("BREW", "/health", "", None, {}, 405, "method-not-allowed"),
    ("GET", "/v1/identifiers/x", "att=now", None, {}, 400, "query-refused"),
    ("GET", "/v1/identifiers/x", "at=now&at=now", None, {}, 400, "query-refused"),
    ("GET", "/v1/identifiers/x", "at", None, {}, 400, "query-refused"),
    ("GET", "/v1/identifiers/x", "at=%FF", None, {}, 400, "query-refused"),
    ("GET", "/v1/identifiers/x", "at=" + "9" * 5000, None, {}, 414, "query-too-long"),
    ("GET", "/v1/identifiers/00100100000001", "at=yesterday", None, {}, 400, "moment-refused"),
    ("GET", "/v1/identifiers/00100100000001", "at=0001-01-01T00:00:00%2B23:00", None, {}, 400, "moment-refused"),
    ("GET", "/x", "", None, {"PATH_INFO": "/v1/identifiers/\xff"}, 400, "path-not-utf8"),
    ("GET", "/v1/statements/x", "", None, {}, 400, "index-refused"),
    ("GET", "/v1/statements/-1", "", None, {}, 400, "index-refused"),
    ("GET", "/v1/statements/٣", "", None, {}, 400, "index-refused"),
    ("GET", "/v1/statements/99", "", None, {}, 404, "no-such-statement"),
    ("POST", CHECKS, "", None, {}, 415, "body-not-json"),
    ("POST", CHECKS, "", {}, {"CONTENT_TYPE": "text/plain"}, 415, "body-not-json"),
    ("POST", CHECKS, "", b"{", {}, 400, "body-not-json"),
    ("POST", CHECKS, "", b'{"identifier": NaN}', {}, 400, "body-not-json"),
    ("POST", CHECKS, "", b'{"identifier": "a", "identifier": "b"}', {}, 400, "body-not-json"),
    ("POST", CHECKS, "", b"[" * 100_000, {}, 400, "body-not-json"),
    ("POST", CHECKS, "", b"\xff", {}, 400, "body-not-utf8"),
    ("POST", CHECKS, "", b"\xef\xbb\xbf{}", {}, 400, "body-not-json"),
    ("POST", CHECKS, "", [], {}, 400, "body-refused"),
    ("POST", CHECKS, "", {}, {}, 400, "body-refused"),
    ("POST", CHECKS, "", {"identifier": 352099001761481}, {}, 400, "body-refused"),
    ("POST", CHECKS, "", {"identifier": "x", "imei": "y"}, {}, 400, "body-refused"),
    ("POST", CHECKS, "", b'{"identifier": "\\ud800"}', {}, 400, "body-refused"),
    ("POST", CHECKS, "", {"identifier": "00100100000001", "at": 5}, {}, 400, "moment-refused"),
    ("POST", CHECKS, "", b" " * 300_000, {}, 413, "body-too-long"),
    ("POST", CHECKS, "", b" " * 300_000, {"CONTENT_LENGTH": ""}, 413, "body-too-long"),
    ("POST", CHECKS, "", {}, {"CONTENT_LENGTH": "-5"}, 400, "length-refused"),
    ("POST", CHECKS, "", {}, {"CONTENT_LENGTH": "9" * 40}, 413, "body-too-long"),
    ("POST", CHECKS, "", {}, {"CONTENT_LENGTH": "50"}, 400, "body-cut"),
    ("POST", "/v1/checks:batch", "", {"identifiers": "x"}, {}, 400, "body-refused"),
    ("POST", "/v1/checks:batch", "", {"identifiers": [1]}, {}, 400, "body-refused"),
    ("POST", "/v1/checks:batch", "", {"identifiers": ["x"] * 1001}, {}, 400, "body-refused"),
]


@pytest.mark.parametrize(("method", "path", "query", "body", "environ", "status", "code"), BAD_REQUESTS)
def test_a_bad_request_gets_its_own_status_and_code(police, method, path, query, body, environ, status, code):
    reply = police(method, path, query, body, **environ)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json["status"] == status
    assert reply.json["detail"]


def test_a_path_says_which_methods_it_takes(public):
    assert public("DELETE", "/v1/checks").headers["Allow"] == "POST"
    assert public("POST", "/v1/identifiers/x", body={}).headers["Allow"] == "GET, HEAD"


def test_head_gives_the_headers_and_no_body(public):
    head, get = public("HEAD", "/health"), public("GET", "/health")
    assert (head.body, head.headers) == (b"", get.headers)


def test_the_log_has_templates_and_no_identifier(home):
    lines: list[str] = []
    for form in ("text", "json"):
        client = Client(make_application(home, Settings(log_format=form), log=lines.append))
        client("GET", f"/v1/identifiers/{ALICES_PHONE}")
        client("GET", f"/{ALICES_PHONE}")
        client(f"X{ALICES_PHONE}", "/health")
    assert lines[0].startswith("GET /v1/identifiers/{value} 200 ")
    assert json.loads(lines[3])["route"] == "/v1/identifiers/{value}"
    assert ALICES_PHONE not in "".join(lines)


def test_a_fault_of_ours_says_nothing_of_what_was_asked(home, capsys, monkeypatch):
    def fail(self, *asked, **more):
        raise RuntimeError(ALICES_PHONE)

    monkeypatch.setattr("openceir.app.Register.check", fail)
    reply = Client(make_application(home, Settings()))("GET", f"/v1/identifiers/{ALICES_PHONE}")
    assert (reply.status, reply.json["code"]) == (500, "internal-error")
    said = capsys.readouterr().err
    assert "RuntimeError at test_application.py" in said
    assert ALICES_PHONE not in said + reply.body.decode()


def test_a_new_register_answers_without_any_file(tmp_path):
    client = Client(make_application(tmp_path / "new", Settings()))
    assert client("GET", f"/v1/identifiers/{ALICES_PHONE}").json["status"] == "unknown"
    assert client("GET", "/ready").json == {"status": "ready", "log_size": 0, "applied_size": 0}
    assert client("GET", "/v1/checkpoint").json["code"] == "ledger-empty"


def test_what_another_process_stated_is_seen_at_once(home, tmp_path):
    from http_story import fill

    client = Client(make_application(tmp_path, Settings()))
    path = f"/v1/identifiers/{ALICES_PHONE}"
    assert client("GET", path, "at=2027-03-02").json["status"] == "unknown"
    fill(open_register(tmp_path))
    assert client("GET", path, "at=2027-03-02").json["status"] == "blocked"
