"""The words of notices: changed by two persons from a day on, in one language, with the notice's own placeholders."""

from datetime import timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from a_country import ALICES_PHONE
from openceir.portal.accounts.models import Act, Proposal
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.cases.models import Case, Notice
from openceir.portal.cases.notices import notify
from openceir.portal.cases.wordings import WORDINGS, placeholders_in
from openceir.portal.regulator.models import NoticeText
from openceir.portal.regulator.texts import text_in_force

PAGE = "/regulator/notices/block-to-come/en/"
CHANGE = {"text": "Heads up: blocked on %(day)s.", "since": "2027-03-02", "reason": "Rules 2027, rule 3"}


@pytest.fixture
def two(client_of):
    return client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)


def agree(client, decision="approve"):
    proposal = Proposal.objects.get(outcome="waits")
    return client.post(f"/account/approvals/{proposal.pk}/", {"decision": decision, "because": "read and agreed"})


def said(language="en", **values):
    case, _ = Case.open("watch", devices=[ALICES_PHONE], language=language)
    notify(case, WORDINGS["block-to-come"].filled(**values))
    return Notice.objects.get(case=case, channel="page").text


def test_words_change_on_their_day_once_a_second_person_agreed_and_only_in_their_language(two, client_of, clock):
    rita, _ = two
    program = said(day="4 May")
    assert rita.post(PAGE, CHANGE).status_code == 302
    assert agree(rita).status_code == 403
    clock.at += timedelta(days=1)
    assert said(day="4 May") == program  # nobody agreed yet
    sue = client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    assert agree(sue).status_code == 302
    assert said(day="4 May") == "Heads up: blocked on 4 May."
    assert said("fr", day="4 mai").startswith("Un ")
    assert ("regulator.change-notice", "sue") in Act.objects.values_list("verb", "actor")


def test_before_their_day_the_old_words_stand_and_what_stood_is_kept(two, client_of, clock):
    rita, sue = two
    rita.post(PAGE, CHANGE)
    agree(sue)
    assert text_in_force("block-to-come", "en") is None
    clock.at += timedelta(days=1)
    assert text_in_force("block-to-come", "en") == CHANGE["text"]
    rita, sue = client_of("rita", PortalRole.REGULATOR), client_of("sue", PortalRole.REGULATOR_SUPERVISOR)
    rita.post(PAGE, {**CHANGE, "text": "", "since": "2027-03-03"})
    agree(sue)
    clock.at += timedelta(days=1)
    assert said(day="4 May").startswith("A device under your watch")
    page = client_of("rita", PortalRole.REGULATOR).get(PAGE).content.decode()
    assert "Heads up: blocked on" in page
    assert NoticeText.objects.count() == 2


def test_a_refused_text_never_counts(two, clock):
    rita, sue = two
    rita.post(PAGE, CHANGE)
    agree(sue, "refuse")
    clock.at += timedelta(days=5)
    assert text_in_force("block-to-come", "en") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("blocked soon", "exactly these placeholders"), ("%(day)s %(imei)s", "exactly these placeholders"),
        ("100 % sure, %(day)s", "percent sign"), ("%(day)d", "percent sign"), ("%(day", "percent sign"),
    ],
)  # fmt: skip
def test_placeholders_must_fit_and_the_field_says_so(two, text, sentence):
    page = two[0].post(PAGE, {**CHANGE, "text": text})
    assert sentence in page.content.decode()
    assert 'aria-invalid="true"' in page.content.decode()
    assert not NoticeText.objects.exists()


def test_a_preview_shows_the_filled_text_and_changes_nothing(two):
    page = two[0].post(PAGE, {**CHANGE, "preview": "1"}).content.decode()
    assert "Heads up: blocked on March 1, 2027." in page
    assert not NoticeText.objects.exists()


def test_the_past_and_what_stands_already_are_refused(two):
    rita, _ = two
    assert "cannot be changed" in rita.post(PAGE, {**CHANGE, "since": "2027-02-01"}).content.decode()
    assert "nothing would change" in rita.post(PAGE, {**CHANGE, "text": ""}).content.decode()


def test_where_policy_wants_no_second_person_one_is_enough(country, client_of, clock):
    country.change_policy("[portal.two_persons]\nchange_notice = false\n")
    client_of("rita", PortalRole.REGULATOR).post(PAGE, {**CHANGE, "since": "2027-03-01"})
    assert text_in_force("block-to-come", "en") == CHANGE["text"]
    assert not Proposal.objects.exists()


def test_who_may_not_change_words_reads_them(client_of):
    otto = client_of("otto", PortalRole.AUDITOR)
    assert otto.get("/regulator/notices/").status_code == 200
    assert "<textarea" not in otto.get(PAGE).content.decode()
    assert otto.post(PAGE, CHANGE).status_code == 403
    assert client_of("ann", PortalRole.POLICE_OFFICER).get(PAGE).status_code == 403
    assert otto.get("/regulator/notices/no-such/en/").status_code == 404


def test_every_notice_of_the_program_has_exactly_its_samples_in_every_language():
    for name, wording in WORDINGS.items():
        for language in ("en", "fr", "ar", "es", "pt", "hi"):
            text = wording.own_text(language)
            assert placeholders_in(text) == set(wording.samples), (name, language)
            with translation.override("en"):
                assert wording.preview(language, text)


@given(st.text(max_size=60))
def test_a_text_whose_placeholders_were_read_can_be_filled_or_is_refused(text):
    """The reader of placeholders against Python's own formatting."""
    try:
        names = placeholders_in(text)
    except ValueError:
        return
    assert text % dict.fromkeys(names, "x") is not None
