"""Figures and proofs, which need no key; and the register in CAMARA's words."""

import base64
import csv
import hashlib
import io
import json

import pytest
from django.test import Client

from a_country import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE
from openceir.identity import format_imei
from openceir.ledger import SignedCheckpoint, verify_receipt
from openceir.statements import DeviceLost, DeviceRegistered, DeviceSet, DeviceStolen

ALICES, BOBS, SPARE = (format_imei(one) for one in (ALICES_PHONE, BOBS_PHONE, SPARE_PHONE))


@pytest.fixture
def told(country, clock):
    """Alice's phone is stolen, Bob's registered."""
    for by, said in (
        ("police", DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=clock.at, case_number="N-7")),
        ("regulator", DeviceRegistered(devices=DeviceSet.of(BOBS_PHONE), registered_on=clock.at.date())),
        ("police", DeviceLost(devices=DeviceSet.of("00100100000009"), lost_at=clock.at, case_number="N-8")),
    ):
        country.register.state([said], by=by, at=clock.at)
        country.register.ledger.hand_over()


def test_the_figures_are_the_pages_and_are_sent_again_only_when_they_changed(told):
    found = Client().get("/api/v1/stats")
    figures = {one["name"]: one["value"] for one in found.json()["figures"]}
    assert (figures["devices_blocked"], figures["devices_stolen"]) == (2, 1)
    rows = list(csv.DictReader(io.StringIO(Client().get("/api/v1/stats.csv").content.decode())))
    assert {row["name"]: int(row["value"]) for row in rows} == figures
    assert Client().get("/api/v1/stats", headers={"If-None-Match": found.headers["ETag"]}).status_code == 304


def parent(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def holds(first, second, first_root, second_root, proof):
    """RFC 9162 §2.1.4.2, step by step, written anew from the text."""
    if first == second:
        return not proof and first_root == second_root
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = parent(c, fr), parent(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = parent(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


def test_a_stranger_verifies_that_nothing_was_removed(told, country):
    ledger = country.register.ledger
    note = Client().get("/api/v1/proofs/checkpoint").content.decode()
    checkpoint = SignedCheckpoint.parse(note).verify(ledger.log_key)
    for first in range(1, checkpoint.size + 1):
        said = Client().get(f"/api/v1/proofs/consistency?from_size={first}").json()
        roots = [base64.b64decode(said[name]) for name in ("from_root", "to_root")]
        assert roots[1] == checkpoint.root
        proof = [base64.b64decode(one) for one in said["proof"]]
        assert holds(first, checkpoint.size, *roots, proof)
        assert not holds(first, checkpoint.size, hashlib.sha256(b"other").digest(), roots[1], proof)
    assert Client().get("/api/v1/proofs/consistency?from_size=99999").status_code == 404
    assert Client().get("/api/v1/proofs/consistency?from_size=2&to_size=1").status_code == 404


def test_a_receipt_is_verified_offline_and_names_no_device(told, country):
    reply = Client().get("/api/v1/proofs/receipts/0")
    shown = verify_receipt(reply.content, country.register.ledger.log_key, country.register.members)
    assert (shown.receipt.index, shown.said) == (0, None)
    assert Client().get("/api/v1/proofs/receipts/99999").json()["code"] == "no-such-thing"


# -- CAMARA --------------------------------------------------------------------------------------------------------------


def check_status(client, body, **headers):
    return client.post(
        "/api/imei-fraud-check/vwip/check-status", json.dumps(body), content_type="application/json", headers=headers
    )


def test_camaras_words_for_what_is_known(told, program):
    partner = program("check")
    stolen = check_status(partner, {"imei": ALICES})
    assert stolen.json() == {
        "lastChecked": "2027-03-01T12:00:00Z", "imei": ALICES, "operationalStatus": "prohibited",
        "prohibitedReason": "stolen", "reportedDate": "2027-03-01T12:00:00Z",
    }  # fmt: skip
    assert check_status(partner, {"imei": BOBS}).json()["operationalStatus"] == "allowed"
    assert check_status(partner, {"imei": SPARE}).json() == {
        "lastChecked": "2027-03-01T12:00:00Z", "imei": SPARE, "operationalStatus": "unknown",
    }  # fmt: skip
    assert check_status(partner, {"imei": format_imei("00100100000009")}).json()["prohibitedReason"] == "lost"


def test_camaras_errors_and_correlator(told, program):
    partner = program("check", per_day=2)
    asked = check_status(partner, {"imei": ALICES}, **{"x-correlator": "b4333c46"})
    assert asked.headers["x-correlator"] == "b4333c46"
    assert "RateLimit" in asked.headers
    assert "x-correlator" not in check_status(partner, {"imei": ALICES}, **{"x-correlator": "ü"}).headers
    for client, body, status, code in (
        (Client(), {"imei": ALICES}, 401, "UNAUTHENTICATED"),
        (program("scan"), {"imei": ALICES}, 403, "PERMISSION_DENIED"),
        (program("check"), {"imei": "12"}, 400, "INVALID_ARGUMENT"),
        (program("check"), {}, 400, "INVALID_ARGUMENT"),
        (program("check"), {"imei": ALICES[:14] + "9"}, 422, "SERVICE_NOT_APPLICABLE"),
        (partner, {"imei": ALICES}, 429, "QUOTA_EXCEEDED"),
    ):
        reply = check_status(client, body)
        assert (reply.status_code, reply.json()["code"], reply.json()["status"]) == (status, code, status)
        assert reply.json()["message"]
