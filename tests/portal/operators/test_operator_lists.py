"""What an operator holds against what it was given, and the notices it confirms."""

import pytest

from a_country import ALICES_PHONE, noon
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.operators.lists import list_statuses
from openceir.portal.operators.models import NoticesSent
from openceir.portal.register import register
from openceir.statements import DeviceSet, DeviceStolen
from openceir.storage.list_runs import Acknowledgement


@pytest.fixture
def ole(country, client_of):
    theft = DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=noon("2027-02-01"), case_number="N-7")
    country.says("police", theft, "2027-02-01")
    country.makes_lists("2027-02-02")
    register().ledger.hand_over()
    return client_of("ole", PortalRole.OPERATOR)


def of(kind):
    return next(one for one in list_statuses("northtel") if one.kind == kind)


def acknowledge(sequence, sha256):
    said = Acknowledgement("northtel", "blocklist", sequence, sha256, "2027-02-02T13:00:00Z")
    register().list_runs.acknowledge([said])


def test_a_list_is_applied_behind_or_not_what_was_delivered(country, ole):
    assert (of("blocklist").held, of("blocklist").tone, of("blocklist").is_signed) == (None, "yellow", True)
    acknowledge(1, of("blocklist").newest.sha256)
    assert (of("blocklist").held, of("blocklist").tone) == (1, "green")
    country.makes_lists("2027-02-03")
    assert (of("blocklist").is_behind, of("blocklist").tone) == (True, "yellow")
    acknowledge(2, "0" * 64)
    assert (of("blocklist").differs, of("blocklist").tone) == (True, "red")
    assert "load the full list" in ole.get("/operators/lists/").content.decode()


def test_an_altered_header_is_told(ole):
    files = register().list_runs.files_of(of("blocklist").newest)
    files.header.chmod(0o600)
    files.header.write_bytes(files.header.read_bytes().replace(b"northtel", b"southtel"))
    assert not of("blocklist").is_signed
    assert "do not load it" in ole.get("/operators/lists/").content.decode()


def test_notices_are_fetched_on_record_and_confirmed_once(ole):
    answer = ole.get("/operators/lists/notices/?file")
    assert b"imei,imsi,msisdn" in b"".join(answer.streaming_content)
    answer.close()
    assert (of("notifications").fetched, of("notifications").fetched_at) == (1, "2027-03-01T12:00:00Z")
    assert of("blocklist").fetched is None
    assert Act.objects.filter(verb="operators.read-notices").exists()
    more_lost = ole.post("/operators/lists/notices/", {"sent": 3, "not_reached": 4})
    assert "more than you sent" in more_lost.content.decode()
    for _ in range(2):  # a double click
        ole.post("/operators/lists/notices/", {"sent": 3, "not_reached": 1, "remark": "by SMS"})
    kept = NoticesSent.objects.get()
    assert (kept.operator, kept.sequence, kept.sent, kept.not_reached) == ("northtel", 1, 3, 1)
    assert Act.objects.filter(verb="operators.confirm-notices").count() == 1


def test_lists_are_shown_to_their_operator_only(ole, client_of):
    assert (
        "No list was made"
        in client_of("eve", PortalRole.OPERATOR, office="easttel").get("/operators/lists/").content.decode()
    )
    assert client_of("iva", PortalRole.IMPORTER).get("/operators/lists/").status_code == 403
