"""What a company's programs send for it: types, stock, dumps; and the lists that an operator fetches."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from a_country import ALICE, ALICES_PHONE, noon
from openceir.lists import verify_signature
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.api.models import ApiKey
from openceir.portal.cases.models import Case
from openceir.portal.operators.chores import import_arrived
from openceir.portal.operators.models import Dump
from openceir.portal.register import register
from openceir.portal.trade.keys import make_key
from openceir.portal.trade.models import Unit
from openceir.statements import DeviceSet, DeviceStolen
from portal.a_document import a_picture
from portal.trade.a_company import APPLICATION, TAC, accept, review, verified
from portal.trade.test_trade import ONE, TWO

NAME = "northtel_20270201_20270201.csv"
ROWS = (f"date,imei,imsi,msisdn,rat\n20270201,{ALICES_PHONE},{ALICE[0]},{ALICE[1]},006\n").encode()


@pytest.fixture
def importer(country, program):
    return program("type-approvals", "stock", of=PortalRole.IMPORTER)


@pytest.fixture
def northtel(country, program):
    return program("dumps", "lists", of=PortalRole.OPERATOR)


def apply(client):
    return client.fill(
        "type-approvals", {**APPLICATION, "certificate_file": a_picture(), "report_file": a_picture("b")}
    )


def test_a_type_is_applied_for_reviewed_and_stock_of_it_declared(country, importer, client_of, actor_as):
    verified()
    made = apply(importer)
    assert made.status_code == 201, made.content
    reference = made.json()["reference"]
    assert apply(importer).status_code == 409  # there is an application for this TAC already
    reg = client_of("reg", PortalRole.REGULATOR)
    review(reg, Case.objects.get(kind="type-approval"), "approve")
    shown = importer.get(f"/api/v1/type-approvals/{reference}")
    assert shown.json()["state"] == "approved"
    key = make_key(actor_as("a-importer", PortalRole.IMPORTER)).format()
    file = SimpleUploadedFile("stock.csv", f"imei\n{ONE}\n{TWO}\n{ONE}\n".encode())
    declared = importer.fill("stock", {"consignment": "S-1", "file": file, "key": key})
    assert declared.status_code == 201, declared.content
    assert (declared.json()["declared"], declared.json()["per_tac"]) == (2, {TAC: 2})
    assert [one["line"] for one in declared.json()["set_aside"]] == [4]
    assert Unit.objects.count() == 2
    accept(reg)
    assert importer.get(f"/api/v1/stock/{declared.json()['number']}").json()["state"] == "accepted"
    assert Act.objects.filter(actor="a-importer/program-1", verb="trade.declare-stock").exists()


def test_another_company_sees_neither_and_a_foreign_stock_key_is_refused(country, importer, program, actor_as, people):
    reference = apply(importer).json()["reference"]
    maker = program("type-approvals", "stock", of=PortalRole.MAKER)
    assert maker.get(f"/api/v1/type-approvals/{reference}").status_code == 404
    key = make_key(actor_as("a-importer", PortalRole.IMPORTER)).format()
    file = SimpleUploadedFile("stock.csv", f"imei\n{ONE}\n".encode())
    refused = maker.fill("stock", {"consignment": "S-1", "file": file, "key": key})
    assert (refused.status_code, refused.json()["code"]) == (409, "stock-key-refused")
    assert key not in refused.content.decode()


def test_a_dump_arrives_in_parts_and_tells_what_became_of_it(country, northtel):
    begun = northtel.send("dumps", {"name": NAME, "size": len(ROWS)})
    assert (begun.status_code, begun.json()["offset"]) == (201, 0)
    address = begun.headers["Location"]

    def part(octets, offset):
        headers = {"Upload-Offset": str(offset)}
        return northtel.patch(address, octets, content_type="application/octet-stream", headers=headers)

    assert part(ROWS[:40], 0).headers["Upload-Offset"] == "40"
    assert (
        northtel.send("dumps", {"name": NAME, "size": len(ROWS)}).json()["offset"] == 40
    )  # goes on, is not begun twice
    elsewhere = part(ROWS[50:], 50)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "dump-offset-differs")
    assert elsewhere.headers["Upload-Offset"] == "40"
    headers = {"Upload-Offset": "40", "Transfer-Encoding": "chunked"}
    chunked = northtel.patch(
        address, ROWS[40:], content_type="application/octet-stream", headers=headers, CONTENT_LENGTH=""
    )
    assert (chunked.status_code, chunked.json()["code"]) == (411, "length-required")
    assert part(ROWS[40:], 40).status_code == 204
    assert import_arrived() == 1
    shown = northtel.get(address).json()
    assert (shown["state"], shown["report"]["rows"]) == ("imported", 1)
    assert "imsi" not in shown["report"]


def test_a_dump_of_another_operator_is_not_there(country, northtel, actor_as):
    address = northtel.send("dumps", {"name": NAME, "size": 10}).headers["Location"]
    Dump.objects.update(operator="southtel")
    assert northtel.get(address).status_code == 404
    headers = {"Upload-Offset": "0"}
    assert northtel.patch(address, b"x", content_type="application/octet-stream", headers=headers).status_code == 404


def test_a_name_that_tells_no_days_is_refused_with_what_to_do(country, northtel):
    refused = northtel.send("dumps", {"name": "dump.csv", "size": 10})
    assert refused.status_code == 400
    assert "day" in refused.json()["detail"]


@pytest.fixture
def with_lists(country):
    for at, phone in (("2027-02-01", ALICES_PHONE), ("2027-02-03", "00100100000009")):
        theft = DeviceStolen(devices=DeviceSet.of(phone), stolen_at=noon(at), case_number=f"N-{at}")
        country.says("police", theft, at)
        country.makes_lists(at)
    register().ledger.hand_over()


def octets_of(reply):
    return b"".join(reply.streaming_content) if reply.streaming else reply.content


def test_a_list_comes_signed_whole_in_parts_or_not_again(with_lists, northtel):
    whole = northtel.get("/api/v1/lists/northtel/full?kind=blocklist")
    rows = octets_of(whole)
    assert ALICES_PHONE.encode() in rows
    header, signature = (base64.b64decode(whole.headers[f"Openceir-List-{name}"]) for name in ("Header", "Signature"))
    verify_signature(header, signature, register().list_signer().public, "the header")
    assert f'"{sha256_of(rows)}"' == whole.headers["ETag"]
    again = northtel.get("/api/v1/lists/northtel/full", headers={"If-None-Match": whole.headers["ETag"]})
    assert (again.status_code, octets_of(again)) == (304, b"")
    part = northtel.get("/api/v1/lists/northtel/full", headers={"Range": "bytes=10-19"})
    assert (part.status_code, octets_of(part)) == (206, rows[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(rows)}"
    assert "gzip" not in northtel.get("/api/v1/lists/northtel/full", headers={"Accept-Encoding": "gzip"}).headers.get(
        "Content-Encoding", ""
    )
    beyond = northtel.get("/api/v1/lists/northtel/full", headers={"Range": f"bytes={len(rows)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(rows)}")


def sha256_of(octets):
    import hashlib

    return hashlib.sha256(octets).hexdigest()


def test_a_delta_leads_from_the_number_that_is_held(with_lists, northtel):
    delta = octets_of(northtel.get("/api/v1/lists/northtel/delta?base=1"))
    assert b"00100100000009" in delta
    assert ALICES_PHONE.encode() not in delta
    assert northtel.get("/api/v1/lists/northtel/delta?base=77").json()["status"] == 404
    assert northtel.get("/api/v1/lists/northtel/delta").status_code == 422


def test_anothers_lists_and_those_that_name_subscribers_are_not_opened_by_a_key(with_lists, northtel):
    other = northtel.get("/api/v1/lists/southtel/full")
    assert (other.status_code, other.json()["code"]) == (403, "not-allowed")
    for kind in ("notifications", "exceptions", "pairblocks"):
        refused = northtel.get(f"/api/v1/lists/northtel/full?kind={kind}")
        assert (refused.status_code, refused.json()["code"]) == (403, "operators-door-only"), kind
    assert ApiKey.objects.count() == 1
