"""A company of the trade: verified, with a type that was approved."""

from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.models import User
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.trade.models import Batch
from openceir.portal.trade.standing import apply_for_standing, verify
from portal.a_document import a_picture

TAC = "00100100"
STEPS = ["description", "identifiers", "registration", "quota", "documents"]
APPLICATION = {
    "tac": TAC, "brand": "Example", "model": "A1", "sims": 2,
    "certificate_number": "C-1", "certificate_issuer": "Body 1", "certificate_standard": "EN 301 511",
    "certificate_issued_on": "2026-01-01", "certificate_expires_on": "2028-12-31",
    "report_number": "R-7", "report_issuer": "Lab 7", "report_standard": "IEC 62209-1528",
    "report_issued_on": "2025-12-01", "report_result": "SAR 0.9 W/kg",
    "audit_number": "A-3", "audit_issuer": "Auditor 3", "audit_standard": "ISO 9001:2015",
    "audit_issued_on": "2026-06-01", "audit_expires_on": "2029-06-01",
}  # fmt: skip
COMPANY = {
    "legal_name": "Example Imports Ltd", "registration_number": "HR-1", "registry": "Court of Harbour",
    "address": "1 Quay",
}  # fmt: skip


def actor(name, role, office):
    user, _ = User.objects.get_or_create(username=name)
    return Actor(name=name, role=role, office=office, signs_with=office, user=user)


def regulator():
    return actor("reg", PortalRole.REGULATOR, "regulator")


def verified(office="importer", role=PortalRole.IMPORTER):
    """The company is in good standing."""
    case = apply_for_standing(actor("of-" + office, role, office), COMPANY, a_picture("extract"), None)
    verify(regulator(), case, reasons="Looked at the extract.", seen_version=case.version)
    return case


def an_application(client, **more):
    files = {"certificate_file": a_picture(), "report_file": a_picture("b")}
    return client.post("/trade/types/new/", {**APPLICATION, **files, **more})


def review(client, case, decision, steps=STEPS, text="We looked at all of it."):
    told = {"decision": decision, "steps": steps, "text": text, "version": Case.objects.get(pk=case.pk).version}
    return client.post(f"/trade/review/types/{case.pk}/", told)


def the_approved(iva, reg, **more):
    """A verified company whose type is approved."""
    if not Case.objects.filter(kind="standing", details__applicant="importer").exists():
        verified()
    an_application(iva, **more)
    case = Case.objects.filter(kind="type-approval").latest("pk")
    reply = review(reg, case, "approve")
    assert reply.status_code == 302, reply.content.decode()
    return case


def a_key(client):
    return key_on(client.post("/trade/stock/key/"))


def key_on(reply):
    page = reply.content.decode()
    return page.split("<strong>")[1].split("</strong>")[0].replace('<bdi dir="ltr">', "").replace("</bdi>", "")


def declare(client, key, text, consignment="S-1"):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile("stock.csv", text.encode())
    return client.post("/trade/stock/", {"consignment": consignment, "file": file, "key": key})


def accept(client, decision="accept", reasons="", batch=None):
    number = (batch or Batch.objects.get()).pk
    return client.post(f"/trade/review/stock/{number}/", {"decision": decision, "reasons": reasons})


def sell(client, key, *imeis):
    return client.post("/trade/sales/", {"numbers": "\n".join(imeis), "key": key}, follow=True).content.decode()
