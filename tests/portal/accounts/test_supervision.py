"""Appointments by two persons, alarms for supervisors, and what waits for a second word."""

from openceir.portal.accounts.models import Act, Alarm, Appointment, Proposal, User
from openceir.portal.accounts.roles import PortalRole

ASKED = {"username": "ann", "role": "police-officer", "office": "police", "until": "", "reason": "joined the force"}


def test_an_appointment_needs_two_persons(country, client_of, people):
    people("ann")
    sue, tom = client_of("sue", PortalRole.REGULATOR_SUPERVISOR), client_of("tom", PortalRole.ADMINISTRATOR)
    assert sue.post("/account/people/appoint/", ASKED).status_code == 302
    assert not Appointment.objects.filter(user__username="ann").exists()
    [proposal] = Proposal.objects.all()
    word = {"decision": "approve", "because": "checked with the force"}
    assert sue.post(f"/account/approvals/{proposal.pk}/", word).status_code == 403
    assert "ann: police-officer, police" in tom.get("/account/approvals/").content.decode()
    assert tom.post(f"/account/approvals/{proposal.pk}/", word).status_code == 302
    assert User.objects.get(username="ann").appointment_as(PortalRole.POLICE_OFFICER).appointed_by == "sue, tom"
    assert "joined the force" in Act.objects.get(verb="accounts.appointment:propose").reason


def test_nobody_is_appointed_twice_or_without_an_account(country, client_of, people):
    people("ann", PortalRole.POLICE_OFFICER)
    sue = client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    assert "holds this appointment already" in sue.post("/account/people/appoint/", ASKED).content.decode()
    told = sue.post("/account/people/appoint/", {**ASKED, "username": "nobody"}).content.decode()
    assert "Nobody has an account of this name" in told
    assert not Proposal.objects.exists()


def test_one_person_ends_an_appointment_with_a_reason(country, client_of, people):
    ann = people("ann", PortalRole.POLICE_OFFICER)
    tom = client_of("tom", PortalRole.ADMINISTRATOR)
    kept = Appointment.objects.get(user=ann)
    assert tom.post(f"/account/people/{kept.pk}/end/", {"reason": ""}).status_code == 200
    assert tom.post(f"/account/people/{kept.pk}/end/", {"reason": "left the force"}).status_code == 302
    assert User.objects.get(username="ann").appointments_now == []
    assert "ann" not in tom.get("/account/people/").content.decode().split("<main")[1]


def test_alarms_are_seen_by_supervisors_of_their_office_alone(country, client_of):
    alarm = Alarm.objects.create(kind="quota-exceeded", office="police", actor="ann", facts={"limit": 200})
    chief = client_of("chief", PortalRole.POLICE_SUPERVISOR)
    assert "quota-exceeded" in chief.get("/account/alarms/").content.decode()
    assert chief.post(f"/account/alarms/{alarm.pk}/seen/").status_code == 302
    alarm.refresh_from_db()
    assert alarm.seen_by == "chief"
    customs = client_of("carl", PortalRole.CUSTOMS_SUPERVISOR)
    assert "quota-exceeded" not in customs.get("/account/alarms/").content.decode()
    assert customs.post(f"/account/alarms/{alarm.pk}/seen/").status_code == 404
    assert client_of("ann", PortalRole.POLICE_OFFICER).get("/account/alarms/").status_code == 403
