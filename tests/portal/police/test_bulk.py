"""Many at once: bad rows are told with their line, the rest waits for a supervisor."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from a_country import ALICES_PHONE, BOBS_PHONE
from openceir.portal.accounts.models import Proposal
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register

LIST = (
    "Case_Number,IMEI,stolen_on,shop\n"
    f"N-1,{ALICES_PHONE},2027-02-01,x\n"
    f"N-2,{BOBS_PHONE},2027-02-02,\n"
    "N-3,12345,2027-02-02,\n"
    f"N-4,{ALICES_PHONE},2027-02-02,\n"
    "N-5,00100100000003,2027-13-02,\n"
    "N-6,00100100000003,2027-04-02,\n"
    ",00100100000003,2027-02-02,\n"
    "\n"
)


def upload(octets, name="list.csv"):
    return SimpleUploadedFile(name, octets)


def send(client, octets, name="list.csv"):
    return client.post("/police/bulk/", {"file": upload(octets, name), "reason": "insurers' list"}).content.decode()


def test_good_rows_wait_for_a_supervisor_and_bad_ones_are_told(country, client_of, clock):
    ann, chief = client_of("ann", PortalRole.POLICE_OFFICER), client_of("chief", PortalRole.POLICE_SUPERVISOR)
    page = send(ann, LIST.encode())
    assert "2 devices wait" in page
    for line in (4, 5, 6, 7, 8):
        assert f'<bdi dir="ltr">{line}</bdi>' in page, line
    proposal = Proposal.objects.get()
    assert ann.get(f"/account/approvals/{proposal.pk}/").status_code == 403
    chief.post(f"/account/approvals/{proposal.pk}/", {"decision": "approve", "because": "compared ten"})
    for imei in (ALICES_PHONE, BOBS_PHONE):
        assert str(register().check(imei, clock.at + timedelta(minutes=1)).status) == "blocked"


def test_a_workbook_reads_as_its_csv(country, client_of):
    book = Workbook()
    for line in LIST.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        book.active.append([float(cell) if cell.isdigit() and len(cell) == 5 else cell for cell in cells])
    packed = io.BytesIO()
    book.save(packed)
    assert "2 devices wait" in send(client_of("ann", PortalRole.POLICE_OFFICER), packed.getvalue(), "list.xlsx")


@pytest.mark.parametrize(
    ("octets", "sentence"),
    [
        (b"\n\n", "is missing"),
        (b"imei\n1\n", "is missing"),
        (b"imei,imei,stolen_on,case_number\n", "stands twice"),
        (b"%PDF-1.7 binary \xff\xfe", "neither a CSV"),
        (b"imei,stolen_on,case_number\n\0", "neither a CSV"),
        (b'imei,stolen_on,case_number\n"unclosed', "cannot be read"),
        (b"PK\x03\x04 not a zip", "cannot be read"),
        (b"imei,stolen_on,case_number\n" + b"1,2,3\n" * 10_001, "more than 10000 rows"),
    ],
    ids=["empty", "columns", "twice", "pdf", "nul", "quote", "zip", "long"],
)
def test_what_is_no_table_is_told_at_its_field(country, client_of, octets, sentence):
    page = send(client_of("ann", PortalRole.POLICE_OFFICER), octets)
    assert sentence in page
    assert not Proposal.objects.exists()
