"""Figures on the regulator's pages: the same numbers as the report, for those who may see them."""

from a_country import ALICE, ALICES_PHONE
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Job


def test_a_month_is_asked_for_counted_by_the_worker_and_shown(country, client_of):
    country.sees("northtel", [("2027-02-01", ALICES_PHONE, ALICE)], "2027-02-02")
    rita = client_of("rita", PortalRole.REGULATOR)
    assert rita.post("/regulator/figures/", {"month": "2027-02"}).status_code == 302
    [job] = Job.objects.all()
    assert (job.kind, job.asked, job.done_at) == ("figures", "2027-02", None)
    assert "look again" in rita.get("/regulator/figures/").content.decode()
    jobs.do.func(job.pk)  # what the worker calls
    page = rita.get("/regulator/figures/2027-02/").content.decode()
    assert page.count("<svg") >= 2
    assert 'id="compliance"' in page
    told = rita.get("/regulator/figures/2027-02/seen_a_day.csv?operator=northtel")
    assert told["Content-Type"].startswith("text/csv")
    assert told.content == b"day,devices,imsis,msisdns\r\n2027-02-01,1,1,1\r\n"


def test_a_job_that_waits_is_not_asked_for_twice_and_a_refusal_is_told(country, client_of):
    rita = client_of("rita", PortalRole.REGULATOR)
    for _ in range(2):
        rita.post("/regulator/figures/", {"month": "2027-12"})
    [job] = Job.objects.all()
    jobs.do.func(job.pk)
    assert "has not begun" in rita.get("/regulator/figures/").content.decode()


def test_a_wrong_month_is_told_in_its_field(country, client_of):
    page = client_of("rita", PortalRole.REGULATOR).post("/regulator/figures/", {"month": "2027-13"}).content.decode()
    assert "Write the month like 2026-10." in page
    assert 'aria-invalid="true"' in page


def test_an_auditor_sees_figures_and_lets_none_be_made(country, client_of):
    otto = client_of("otto", PortalRole.AUDITOR)
    assert "<form" not in otto.get("/regulator/figures/").content.decode().split("<main")[1]
    assert otto.post("/regulator/figures/", {"month": "2027-02"}).status_code == 403
    assert not Job.objects.exists()


def test_others_see_nothing(country, client_of, anybody):
    assert anybody.get("/regulator/figures/").status_code == 302
    ann = client_of("ann", PortalRole.POLICE_OFFICER)
    for page in ("figures", "figures/2027-02", "policy", "findings", "appeals"):
        assert ann.get(f"/regulator/{page}/").status_code == 403, page


def test_what_was_never_counted_is_not_there(country, client_of):
    rita = client_of("rita", PortalRole.REGULATOR)
    assert rita.get("/regulator/figures/2027-02/").status_code == 404
    assert rita.get("/regulator/figures/2027-02/compliance.csv").status_code == 404
