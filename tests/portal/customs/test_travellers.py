"""A traveller's device: registered by customs, or refused in words."""

from datetime import timedelta

from a_country import ALICES_PHONE
from openceir.portal.accounts.models import Act
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case
from openceir.portal.register import register


def a_case():
    case, _ = Case.open(
        "import", devices=[ALICES_PHONE], office="customs", name="Alice",
        details={"duty_reference": "T-9", "arrived_on": "2027-02-20", "reason": "my own"},
    )  # fmt: skip
    return case


def test_an_accepted_device_may_be_used(country, client_of, clock):
    case = a_case()
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    assert "T-9" in cas.get(f"/customs/travellers/{case.pk}/").content.decode()
    told = {"decision": "accept", "text": "", "version": case.version}
    assert cas.post(f"/customs/travellers/{case.pk}/", told).status_code == 302
    assert str(register().check(ALICES_PHONE, clock.at + timedelta(minutes=1)).status) == "permitted"
    assert Act.objects.filter(verb="customs.read-import", subject=case.reference).exists()


def test_a_refusal_says_why(country, client_of):
    case = a_case()
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)
    url = f"/customs/travellers/{case.pk}/"
    assert "Write your question" in cas.post(url, {"decision": "reject", "text": "", "version": 1}).content.decode()
    cas.post(url, {"decision": "reject", "text": "The duty was not paid.", "version": case.version})
    case.refresh_from_db()
    assert (case.state, case.events.get(kind="reject").text) == ("rejected", "The duty was not paid.")


def test_what_is_beyond_a_persons_allowance_is_refused_with_its_law(country, client_of, people, clock):
    country.change_policy(
        '[portal]\ndevices_a_person_a_year = { from."2027-01-01" = 1, source = "Travellers Order 2027, item 4" }\n'
    )
    alice = people("alice")
    cas = client_of("cas", PortalRole.CUSTOMS_OFFICER)

    def decide(device):
        case, _ = Case.open(
            "import", devices=[device], office="customs", person=alice, details={"duty_reference": "T-9"}
        )
        told = {"decision": "accept", "text": "", "version": case.version}
        return cas.post(f"/customs/travellers/{case.pk}/", told)

    assert decide(ALICES_PHONE).status_code == 302
    refused = decide("00100100000068").context["form"].errors["text"][0]
    assert "1 devices were registered for this person in 2027; 1 are allowed (Travellers Order 2027, item 4)" in refused
    clock.at = clock.at.replace(year=2028)
    assert decide("00100100000068").status_code == 302
