"""Declared against scanned: only what fits is let in."""

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from a_country import ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, noon
from openceir.portal.accounts.models import Act, Alarm
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.customs.models import Consignment
from openceir.portal.register import register
from openceir.statements import DeviceImported, DeviceSet, DeviceStolen

SURPLUS, KNOWN = "00100100000004", "00100100000005"


def declare(client, text, number="D-1"):
    told = {"number": number, "importer": "iva", "port": "Harbour", "file": SimpleUploadedFile("m.csv", text.encode())}
    return client.post("/customs/consignments/new/", told)


def outcomes(client, url):
    page = client.get(url)
    return {line.device: line.outcome for line in page.context["page"]}


def test_only_what_fits_enters_and_the_rest_is_said(country, client_of, clock):
    theft = DeviceStolen(devices=DeviceSet.of(BOBS_PHONE), stolen_at=noon("2027-02-01"), case_number="N-7")
    country.says("police", theft, "2027-02-01")
    known = DeviceImported(devices=DeviceSet.of(KNOWN), consignment="D-0", imported_on=noon("2027-02-01").date())
    country.says("customs", known, "2027-02-01")
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    manifest = f"imei,model\n{ALICES_PHONE},A1\n{BOBS_PHONE},A1\n{SPARE_PHONE},\n{KNOWN},\n{ALICES_PHONE},\nrubbish,\n"
    url = declare(cas, manifest).url
    cas.post(f"{url}scan/", {"numbers": f"{ALICES_PHONE}\n{BOBS_PHONE}\n{SURPLUS}\n{KNOWN}"})
    assert outcomes(cas, url) == {
        ALICES_PHONE: "matched", BOBS_PHONE: "reported", SPARE_PHONE: "missing", KNOWN: "known", SURPLUS: "surplus",
    }  # fmt: skip
    kept = Consignment.objects.get()
    without = cas.post(url, {"decision": "release", "grounds": "", "version": kept.version})
    assert "Write why" in without.content.decode()
    told = {"decision": "release", "grounds": "the rest is being looked into", "version": kept.version}
    assert cas.post(url, told).status_code == 302
    later = clock.at + timedelta(minutes=1)
    statuses = {
        imei: str(register().check(imei, later).status) for imei in (ALICES_PHONE, BOBS_PHONE, SPARE_PHONE, SURPLUS)
    }
    assert statuses == {ALICES_PHONE: "permitted", BOBS_PHONE: "blocked", SPARE_PHONE: "unknown", SURPLUS: "unknown"}
    assert Alarm.objects.get(kind="consignment").facts["reported"] == 1
    assert Act.objects.get(verb="customs.release").count == 1
    assert cas.post(url, {**told, "version": kept.version + 1}).status_code == 200  # decided already: told, not done


def test_who_decides_after_a_colleague_scanned_looks_again(country, client_of):
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    url = declare(cas, f"imei\n{ALICES_PHONE}\n").url
    seen = Consignment.objects.get().version
    client_of("cid", PortalRole.CUSTOMS_OFFICER).post(f"{url}scan/", {"numbers": ALICES_PHONE})
    page = cas.post(url, {"decision": "hold", "grounds": "why not", "version": seen}).content.decode()
    assert "scanned or decided since" in page
    assert Consignment.objects.get().state == "open"


def test_everything_can_be_held_and_nothing_is_stated_then(country, client_of):
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    url = declare(cas, f"imei\n{ALICES_PHONE}\n").url
    before = register().ledger.size
    cas.post(url, {"decision": "hold", "grounds": "forged papers", "version": Consignment.objects.get().version})
    assert Consignment.objects.get().state == "held"
    register().catch_up()
    assert register().ledger.size == before
    assert "Harbour" in cas.get("/customs/ports/").content.decode()


def test_a_consignment_is_declared_once_and_needs_an_imei(country, client_of):
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    declare(cas, f"imei\n{ALICES_PHONE}\n")
    assert "declared already" in declare(cas, f"imei\n{BOBS_PHONE}\n").content.decode()
    assert "No line of the manifest" in declare(cas, "imei\nrubbish\n", "D-2").content.decode()
    assert Consignment.objects.count() == 1


def test_an_importer_cannot_look_into_others_consignments(country, client_of):
    url = declare(client_of("cas", PortalRole.CUSTOMS_OFFICER), f"imei\n{ALICES_PHONE}\n").url
    assert client_of("iva", PortalRole.IMPORTER).get(url).status_code == 403
