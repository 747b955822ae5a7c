"""How right each rule was, against the country's truth.

A rule's sentence is about a number ("this number is on several handsets"); whoever suffers from it holds a handset. So both
are counted: numbers of which the sentence is so, hit and missed; and handsets behind the hits whose holders did nothing.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from openceir.demo.cast import Fact, Handset
from openceir.demo.country import Country

__all__ = ["CLAIMS", "Score", "score"]

Carriers = Sequence[Handset]


def _some(fact: str) -> Callable[[Carriers], bool]:
    return lambda carriers: any(fact in handset.facts for handset in carriers)


def _several(carriers: Carriers) -> bool:
    return len({handset.device for handset in carriers}) > 1


def _undeclared(carriers: Carriers) -> bool:
    return any(not handset.is_registered and handset.is_offender for handset in carriers)


# What a condition claims of a number, asked of those who really carry it.
CLAIMS: Mapping[str, Callable[[Carriers], bool]] = {
    "stolen_list": _some(Fact.STOLEN),
    "barred": _some(Fact.BARRED),
    "barred_tac": _some(Fact.BARRED),
    "gsma_not_found": _some(Fact.UNALLOCATED),
    "malformed": _some(Fact.GARBLED),
    "test_tac": _some(Fact.TEST_UNIT),
    "inconsistent_rat": _some(Fact.WRONG_RADIO),
    "transient": _some(Fact.SIM_BOX),
    "not_on_registration_list": _undeclared,
    "known_non_unique": _several,
    "duplicate_threshold": _several,
    "duplicate_daily_avg": _several,
    "daily_avg_uid": _several,
    "time_distance": _several,
    "simultaneous_use": _several,
    "international_roamer": _some(Fact.VISITOR),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One rule against the truth.

    Units: `right`, `wrong` and `missed` count numbers; `handsets` and `innocent` count things in hands.
    """

    rule: str
    right: int
    wrong: int
    missed: int
    handsets: int
    innocent: int
    wronged: Mapping[str, int]  # of the innocent handsets: how many of each story

    @property
    def precision(self) -> float | None:
        """Of the numbers hit, the share of which the sentence is so."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """Of the numbers of which it is so, the share hit."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None


def score(country: Country, rule: str, uses: Iterable[tuple[str, bool]], hits: Collection[str]) -> Score | None:
    """Judge the numbers that `rule` hit; None when its sentence is true by being said ("on the monitoring list").

    `uses` are its conditions, each with whether it is inverted. Only numbers that networks saw can be hit or missed:
    stock in a warehouse is neither.
    """
    claims = [(CLAIMS[name], inverted) for name, inverted in uses if name in CLAIMS]
    if all(inverted for _, inverted in claims):
        return None
    carriers = {imei: found for imei, found in country.handsets_of_imei.items() if _is_about(country, found)}
    so = {imei for imei, found in carriers.items() if all(claim(found) is not inverted for claim, inverted in claims)}
    behind = {
        handset.device: handset
        for imei in hits
        for handset in carriers.get(imei, ())
        if handset.number in country.lines_of_handset
    }
    innocent = [handset for handset in behind.values() if not handset.is_offender]
    return Score(
        rule=rule,
        right=len(so & set(hits)),
        wrong=len(set(hits) - so),
        missed=len(so - set(hits)),
        handsets=len(behind),
        innocent=len(innocent),
        wronged=Counter(handset.story for handset in innocent),
    )


def _is_about(country: Country, carriers: Carriers) -> bool:
    return any(handset.number in country.lines_of_handset for handset in carriers)
