"""How right the rules were, against the country's truth.

A rule's sentence is about a number ("this number is on several handsets"); whoever suffers from it holds a handset. So both
are counted: numbers of which the sentence is so, hit and missed; and handsets behind the hits whose holders did nothing.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from openceir.demo.cast import Fact, Handset
from openceir.demo.country import Country
from openceir.identity import imei_digits, is_known_non_unique

__all__ = ["QUESTIONS", "Question", "Score", "score"]

Carriers = Sequence[Handset]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What some rules claim of a number, asked of those who really carry it."""

    says: str
    rules: tuple[str, ...]  # labels of detection/example_rules.toml
    is_so: Callable[[str, Carriers], bool]


def _some(*facts: str) -> Callable[[str, Carriers], bool]:
    return lambda imei, carriers: any(handset.facts & set(facts) for handset in carriers)


def _several(imei: str, carriers: Carriers) -> bool:
    return len({handset.device for handset in carriers}) > 1


def _many_hands(imei: str, carriers: Carriers) -> bool:
    """On several handsets, or in a machine that takes a new SIM every few hours."""
    return _several(imei, carriers) or _some(Fact.SIM_BOX)(imei, carriers)


def _known(imei: str, carriers: Carriers) -> bool:
    return imei_digits(imei) is not None and is_known_non_unique(imei)


def _undeclared(imei: str, carriers: Carriers) -> bool:
    """Nobody registered it, and it is no visitor's; what is no IMEI is another rule's business."""
    return imei_digits(imei) is not None and any(
        not h.is_registered and h.is_offender and Fact.VISITOR not in h.facts for h in carriers
    )


QUESTIONS = (
    Question(says="reported stolen", rules=("stolen", "stolen_and_duplicated"), is_so=_some(Fact.STOLEN)),
    Question(says="barred by a court", rules=("barred",), is_so=_some(Fact.BARRED)),
    Question(says="of a barred model", rules=("barred_model",), is_so=_some(Fact.RECALLED)),
    Question(says="no IMEI at all", rules=("malformed",), is_so=_some(Fact.GARBLED)),
    Question(says="a test number", rules=("test_number",), is_so=_some(Fact.TEST_UNIT)),
    Question(says="known to be on many handsets", rules=("number_of_many",), is_so=_known),
    Question(says="a model nobody was given", rules=("unknown_model",), is_so=_some(Fact.UNALLOCATED)),
    Question(says="not registered", rules=("unregistered",), is_so=_undeclared),
    Question(says="radio beyond its model", rules=("radio_beyond_model",), is_so=_some(Fact.WRONG_RADIO)),
    Question(says="a SIM box", rules=("series_of_numbers",), is_so=_some(Fact.SIM_BOX)),
    Question(says="too many subscriptions", rules=("many_subscriptions",), is_so=_many_hands),
    Question(says="too many SIMs a day", rules=("many_subscriptions_a_day",), is_so=_many_hands),
    Question(says="too many persons a day", rules=("many_persons_a_day",), is_so=_many_hands),
    Question(says="faster than travel", rules=("faster_than_travel",), is_so=_several),
    Question(says="at two places at once", rules=("two_places_at_once",), is_so=_several),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One question against the truth.

    Units: `right`, `wrong` and `missed` count numbers; `handsets` and `innocent` count things in hands.
    """

    right: int
    wrong: int
    missed: int
    handsets: int
    innocent: int
    nobodys: int  # numbers hit that no handset in use bears
    wronged: Mapping[str, int]  # of the innocent handsets: how many of each story

    @property
    def precision(self) -> float | None:
        """Of the numbers hit, the share of which the sentence is so."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Of the numbers of which it is so, the share hit."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def score(country: Country, question: Question, hits: Collection[str]) -> Score:
    """Judge the numbers that the question's rules hit.

    Only numbers that networks saw can be hit or missed: stock in a warehouse is neither.
    """
    in_use = country.lines_of_handset
    carriers = {
        imei: found
        for imei, found in country.handsets_of_imei.items()
        if any(handset.number in in_use for handset in found)
    }
    so = {imei for imei, found in carriers.items() if question.is_so(imei, found)}
    behind = {
        handset.device: handset for imei in hits for handset in carriers.get(imei, ()) if handset.number in in_use
    }
    innocent = [handset for handset in behind.values() if not handset.is_offender]
    return Score(
        right=len(so & set(hits)),
        wrong=len(set(hits) - so),
        missed=len(so - set(hits)),
        handsets=len(behind),
        innocent=len(innocent),
        nobodys=len(set(hits) - carriers.keys()),
        wronged=Counter(handset.story for handset in innocent),
    )
