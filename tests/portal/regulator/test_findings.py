"""Findings bite only once a second person signed them."""

from a_country import ALICE, ALICES_PHONE, BOB, MALLORY, SHARED, noon
from openceir.portal.accounts.models import Act, Proposal
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register


def a_run(country):
    country.change_policy(SHARED)
    country.sees("northtel", [("2027-02-27", ALICES_PHONE, ALICE), ("2027-02-28", ALICES_PHONE, MALLORY)], "2027-03-01")
    country.sees("southtel", [("2027-02-28", ALICES_PHONE, BOB)], "2027-03-01")
    return register().detect(at=noon("2027-03-01"))


def test_findings_are_adopted_by_two_persons_and_signed_by_their_office(country, client_of):
    run = a_run(country)
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    page = rita.get(f"/regulator/findings/{run.number}/").content.decode()
    assert "cloned_imei" in page
    assert rita.post(f"/regulator/findings/{run.number}/", {"reason": "looked at ten of them"}).status_code == 302
    assert country.status(ALICES_PHONE, "2027-03-02") == "unknown"
    [proposal] = Proposal.objects.all()
    assert proposal.payload["devices"] == 1
    again = rita.post(f"/regulator/findings/{run.number}/", {"reason": "once more"})
    assert again.status_code == 409
    sue.post(f"/account/approvals/{proposal.pk}/", {"decision": "approve", "because": "so did I"})
    register().catch_up()
    assert str(register().check(ALICES_PHONE, noon("2027-03-02")).status) == "tracked"
    assert Act.objects.filter(verb="regulator.adopt-findings", actor="sue").exists()
    assert register().detection_runs.run(run.number).adopted_at is not None


def test_an_auditor_reads_findings_and_adopts_none(country, client_of):
    run = a_run(country)
    otto = client_of("otto", PortalRole.AUDITOR)
    assert "cloned_imei" in otto.get(f"/regulator/findings/{run.number}/").content.decode()
    assert otto.post(f"/regulator/findings/{run.number}/", {"reason": "because"}).status_code == 403
    assert not Proposal.objects.exists()
