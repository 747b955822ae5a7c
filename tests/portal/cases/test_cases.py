"""Cases: references, the course of a case, documents, deadlines and notices."""

import io
from datetime import timedelta

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from a_country import ALICES_PHONE
from openceir.portal.cases.deadlines import keep_deadlines, on_deadline
from openceir.portal.cases.errors import CaseChanged, EvidenceRefused, IllegalMove
from openceir.portal.cases.evidence import add_evidence, kind_of, path_of, sweep
from openceir.portal.cases.flow import FLOWS, Flow, Move, open_flow
from openceir.portal.cases.models import Case
from openceir.portal.cases.notices import notify, send_due
from openceir.portal.cases.references import format_code, new_reference, parse_code
from openceir.portal.cases.wordings import Wording

if "tests" not in FLOWS:
    open_flow(
        Flow(
            kind="tests",
            title="a trial",
            start="received",
            states={"received": "received", "done": "done"},
            moves=(Move(name="finish", sources=("received",), target="done", told="It is done.", closes=True),),
        )
    )

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 60 + b"IEND\xaeB`\x82"


class Sent(io.BytesIO):
    def __init__(self, octets: bytes, name: str = "bill.png") -> None:
        super().__init__(octets)
        self.name, self.size = name, len(octets)


@given(st.integers(0, 9), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_reference_with_one_wrong_character_is_noticed(place, other):
    right = new_reference()
    wrong = right[:place] + other + right[place + 1 :]
    assert parse_code(wrong) == (right if wrong == right else None)


def test_a_reference_is_read_however_it_was_typed():
    right = new_reference()
    assert parse_code(f" {format_code(right).lower().replace('0', 'o').replace('1', 'l')} ") == right


def test_a_case_opens_only_with_its_reference_and_its_secret(country):
    case, secret = Case.open("tests", devices=[ALICES_PHONE], name="Alice")
    other, other_secret = Case.open("tests")
    assert Case.find(format_code(case.reference), format_code(secret)) == case
    assert Case.find(case.reference, other_secret) is None
    assert Case.find(other.reference, secret) is None
    assert secret not in repr(vars(case))


def test_a_move_from_another_state_or_an_old_page_is_refused(country):
    case, _ = Case.open("tests")
    with pytest.raises(CaseChanged):
        case.move("finish", actor="police", seen_version=case.version - 1)
    case.move("finish", actor="police", seen_version=case.version)
    assert (case.state, case.is_open) == ("done", False)
    with pytest.raises(IllegalMove):
        case.move("finish", actor="police")
    assert [event.told for event in case.events.all()] == ["Received", "It is done."]


def test_a_document_is_typed_by_its_contents_and_kept_once(country):
    case, _ = Case.open("tests")
    kept = add_evidence(case, Sent(PNG, '../../etc/"bill".exe'))
    assert (kept.media_type, kept.name) == ("image/png", "bill.exe")
    assert add_evidence(case, Sent(PNG)) == kept
    assert path_of(kept).read_bytes() == PNG
    assert path_of(kept).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "octets", [b"", b"<html>", b"MZ" + b"\0" * 99, PNG[:40], b"GIF89a" + b"\0" * 99, b"%PDF-1.4 cut"]
)
def test_what_is_no_whole_picture_or_document_is_not_taken(country, octets):
    case, _ = Case.open("tests")
    assert kind_of(octets) is None
    with pytest.raises(EvidenceRefused):
        add_evidence(case, Sent(octets))


def test_a_document_of_nine_megabytes_is_not_read_to_its_end(country):
    case, _ = Case.open("tests")
    sent = Sent(PNG + b"\0" * (9 << 20))
    sent.size = None
    with pytest.raises(EvidenceRefused, match="8 MB"):
        add_evidence(case, sent)
    assert sent.tell() == (8 << 20) + 1


def test_a_file_that_no_row_names_goes_after_an_hour(country, clock):
    case, _ = Case.open("tests")
    kept = add_evidence(case, Sent(PNG))
    (settings.OPENCEIR_HOME / "portal" / "evidence" / "stray").write_bytes(b"x")
    assert sweep() == 1
    assert path_of(kept).exists()


def test_a_deadline_comes_once_and_not_for_a_closed_case(country, clock):
    came = []
    on_deadline("tests")(lambda case, deadline: came.append(case.pk))
    open_case, _ = Case.open("tests")
    closed, _ = Case.open("tests")
    for case in (open_case, closed):
        case.due("tests", clock.at + timedelta(hours=72))
    closed.move("finish", actor="police")
    assert keep_deadlines(clock.at + timedelta(hours=71)) == 0
    assert keep_deadlines(clock.at + timedelta(hours=72)) == 1
    assert keep_deadlines(clock.at + timedelta(hours=73)) == 0
    assert came == [open_case.pk]


def test_a_deadline_that_fails_is_tried_again(country, clock):
    tries = []

    def happens(case, deadline):
        tries.append(case.pk)
        if len(tries) == 1:
            raise RuntimeError("a fault")

    on_deadline("tests")(happens)
    case, _ = Case.open("tests")
    case.due("tests", clock.at)
    assert (keep_deadlines(clock.at), keep_deadlines(clock.at), len(tries)) == (0, 1, 2)


def test_a_notice_stands_on_the_page_of_its_case_once(country, clock):
    case, _ = Case.open("tests", language="fr")
    for _ in range(2):
        notify(case, Wording("warning", "Your phone will be blocked."), once="block-75")
    assert send_due(clock.at) == 1
    assert send_due(clock.at) == 0
    assert [event.text for event in case.events.filter(kind="notice")] == ["Your phone will be blocked."]
