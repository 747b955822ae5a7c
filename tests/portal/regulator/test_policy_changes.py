"""A change of the policy: drafted with its law, simulated, agreed to by a second person, in force; or not at all."""

from datetime import date

from a_country import ALICE, ALICES_PHONE, BOB, MALLORY, SHARED
from openceir.portal.accounts.models import Act, Proposal
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.register import register
from openceir.portal.regulator import jobs
from openceir.portal.regulator.models import Draft

HOURS = "status.dispute_restores_after_hours"
CHANGE = {"value": "48", "since": "2027-07-01", "source": "Device Register Rules 2027, rule 9", "reason": "quicker"}


def hours_on(day):
    return register().policy.value(HOURS, date.fromisoformat(day))


def decide(client, proposal, decision="approve"):
    return client.post(f"/account/approvals/{proposal.pk}/", {"decision": decision, "because": "read and agreed"})


def test_a_limit_changes_from_its_day_on_once_two_persons_agreed(country, client_of):
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    before = hours_on("2027-08-01")
    assert rita.post(f"/regulator/policy/limits/{HOURS}/", CHANGE).status_code == 302
    [draft] = Draft.objects.all()
    page = f"/regulator/policy/drafts/{draft.pk}/"
    assert "look again" in rita.get(page).content.decode()
    assert rita.post(page).status_code == 409  # what it would do is not known yet
    jobs.simulate.func(draft.pk)
    assert "No rule is touched" in rita.get(page).content.decode()
    assert rita.post(page).status_code == 302
    [proposal] = Proposal.objects.all()
    assert hours_on("2027-08-01") == before
    assert decide(rita, proposal).status_code == 403  # she proposed it, and is no supervisor
    assert decide(sue, proposal).status_code == 302
    assert (hours_on("2027-06-30"), hours_on("2027-07-01")) == (before, 48)
    limit = register().policy.limit(HOURS, date(2027, 7, 1))
    assert (limit.source, limit.since) == ("Device Register Rules 2027, rule 9", date(2027, 7, 1))
    verbs = list(Act.objects.order_by("number").values_list("verb", "actor"))
    assert ("regulator.change-policy", "sue") in verbs


def test_an_earlier_change_of_the_same_limit_is_kept(country, client_of):
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    for value, since in (("48", "2027-07-01"), ("24", "2028-01-01")):
        rita.post(f"/regulator/policy/limits/{HOURS}/", {**CHANGE, "value": value, "since": since})
        draft = Draft.objects.first()
        jobs.simulate.func(draft.pk)
        rita.post(f"/regulator/policy/drafts/{draft.pk}/")
        decide(sue, Proposal.objects.get(outcome="waits"))
    assert [hours_on(day) for day in ("2027-06-01", "2027-07-01", "2028-01-01")] == [72, 48, 24]
    assert len(list((country.home / "policy" / "earlier").iterdir())) == 1


def test_a_rule_is_simulated_on_people_before_anybody_agrees(country, client_of):
    for day, who in (("2027-02-27", ALICE), ("2027-02-28", MALLORY)):
        country.sees("northtel", [(day, ALICES_PHONE, who)], "2027-03-01")
    country.sees("southtel", [("2027-02-28", ALICES_PHONE, BOB)], "2027-03-01")
    rita = client_of("rita", PortalRole.REGULATOR)
    told = {"text": SHARED.replace("threshold = 2", "threshold = 3"), "reason": "Rules 2027, rule 14"}
    assert rita.post("/regulator/policy/files/20-rules.toml/", told).status_code == 302
    draft = Draft.objects.get()
    jobs.simulate.func(draft.pk)
    draft.refresh_from_db()
    [effect] = draft.effects
    assert (effect["rule"], effect["hit_now"], effect["hit_then"], effect["people_newly_hit"]) == (
        "cloned_imei",
        0,
        1,
        3,
    )
    assert "cloned_imei" in rita.get(f"/regulator/policy/drafts/{draft.pk}/").content.decode()
    assert not (country.home / "policy" / "20-rules.toml").exists()


def test_what_is_no_policy_is_told_at_the_field_and_nothing_is_drafted(country, client_of):
    rita = client_of("rita", PortalRole.REGULATOR)
    for text, sentence in (("rule = 3", "rule"), ("[status]\nno_such = 1", "no_such"), ("= 1", "not TOML")):
        page = rita.post("/regulator/policy/files/20-rules.toml/", {"text": text, "reason": "because"})
        assert sentence in page.content.decode(), text
        assert page.status_code == 200
    bad = rita.post(f"/regulator/policy/limits/{HOURS}/", {**CHANGE, "value": "soon"})
    assert "same kind" in bad.content.decode()
    assert not Draft.objects.exists()


def test_a_file_outside_the_folder_cannot_be_named(country, client_of):
    rita = client_of("rita", PortalRole.REGULATOR)
    for name in ("..%2Fmembers.toml", "members", "a%00.toml"):
        told = rita.post(f"/regulator/policy/files/{name}/", {"text": "", "reason": "because"})
        assert told.status_code in {404, 409}, name


def test_a_draft_made_on_what_stood_before_somebody_elses_change_is_refused(country, client_of):
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    standing = (country.home / "policy" / "country.toml").read_text()
    told = {"text": standing + "\n# first\n", "reason": "because"}
    rita.post("/regulator/policy/files/country.toml/", told)
    draft = Draft.objects.get()
    jobs.simulate.func(draft.pk)
    rita.post(f"/regulator/policy/drafts/{draft.pk}/")
    (country.home / "policy" / "country.toml").write_text(standing + "\n# by hand\n")
    refused = decide(sue, Proposal.objects.get())
    assert "changed by somebody else" in refused.content.decode()
    assert Proposal.objects.get().outcome == "waits"
    assert "by hand" in (country.home / "policy" / "country.toml").read_text()


def test_who_refuses_leaves_everything_as_it_was(country, client_of):
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    rita.post(f"/regulator/policy/limits/{HOURS}/", CHANGE)
    draft = Draft.objects.get()
    jobs.simulate.func(draft.pk)
    rita.post(f"/regulator/policy/drafts/{draft.pk}/")
    decide(sue, Proposal.objects.get(), "refuse")
    assert hours_on("2027-08-01") == 72
    assert "not approved" not in rita.get("/account/approvals/").content.decode()
    assert "read and agreed" in rita.get(f"/regulator/policy/drafts/{draft.pk}/").content.decode()
