"""Precision and recall are counted as a person would count them with a pencil."""

from pathlib import Path

import pytest

from openceir.demo.cast import Fact, Handset, Line, Stint
from openceir.demo.country import Country
from openceir.demo.score import QUESTIONS, Question, score
from openceir.detection import example_rules
from openceir.policy import policy_from_text


def handset(number: int, imei: str, *facts: str, story: str = "a story", device: int | None = None) -> Handset:
    return Handset(
        number=number, device=number if device is None else device, imei=imei, model=None, story=story, facts=set(facts)
    )


ALICES = "00100100000001"  # copied by Mallory onto two handsets
BOBS = "00100100000002"  # honest, two radios
BOBS_OTHER = "00100100000003"
CAROLS = "00100100000004"  # copied once, unnoticed
IN_STOCK = "00100100000005"


@pytest.fixture
def country() -> Country:
    handsets = [
        handset(0, ALICES, Fact.ORIGINAL, story="owner"),
        handset(1, ALICES, Fact.COPY),
        handset(2, ALICES, Fact.COPY),
        handset(3, BOBS, story="honest"),
        handset(4, BOBS_OTHER, story="honest", device=3),
        handset(5, CAROLS, Fact.ORIGINAL, story="owner"),
        handset(6, CAROLS, Fact.COPY),
        handset(7, IN_STOCK),
    ]
    lines = [Line(imsi=f"00101000000000{n}", msisdn=f"99900000000{n}", operator=0, person=f"P{n}") for n in range(7)]
    stints = [Stint(handset=one, line=line, town=0, network=0) for one, line in zip(handsets, lines, strict=False)]
    return Country(Path("nowhere"), 1, handsets, lines, stints, sightings=0)


COPIED = Question(says="copied", rules=(), is_so=lambda imei, carriers: len({h.device for h in carriers}) > 1)
STOLEN = Question(says="stolen", rules=(), is_so=lambda imei, carriers: any(Fact.STOLEN in h.facts for h in carriers))


def test_a_rule_that_hits_a_copied_and_an_honest_number_is_half_right(country):
    judged = score(country, COPIED, {ALICES, BOBS})
    assert (judged.right, judged.wrong, judged.missed) == (1, 1, 1)
    assert (judged.precision, judged.recall) == (0.5, 0.5)


def test_the_owner_of_a_copied_number_is_counted_as_innocent(country):
    judged = score(country, COPIED, {ALICES})
    assert (judged.handsets, judged.innocent, dict(judged.wronged)) == (3, 1, {"owner": 1})


def test_two_radios_of_one_handset_are_one_handset(country):
    judged = score(country, COPIED, {BOBS, BOBS_OTHER})
    assert (judged.handsets, judged.innocent) == (1, 1)


def test_where_nothing_is_so_there_is_no_recall(country):
    judged = score(country, STOLEN, {ALICES})
    assert (judged.right, judged.wrong, judged.missed) == (0, 1, 0)
    assert judged.precision == 0.0
    assert judged.recall is None


def test_every_rule_of_the_example_but_a_mere_watch_list_is_judged():
    """A rule without a question would be a rule whose mistakes nobody counts."""
    labels = [table["label"] for table in policy_from_text(("rules", example_rules())).tables("rule")]
    judged = [label for question in QUESTIONS for label in question.rules]
    assert sorted(judged) == sorted(set(labels) - {"watched"})
