"""Who is in the country: handsets, lines, and which handset used which line, where and when. Ground truth is kept here.

A **handset** is a thing one can hold; what it says its IMEI is may be true or not. A **line** is a SIM: IMSI and number.
A **stint** is one handset with one line in one town from a moment to a moment; sightings are drawn from stints.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from openceir.demo.models import MODELS, Model
from openceir.demo.places import OPERATORS, TOWNS

__all__ = ["DAYS", "WRONG_CLOCK", "Cast", "Fact", "Handset", "Line", "Stint"]

DAYS = 31  # the month's thirty days of data and the further day


@dataclass(frozen=True, slots=True)
class WrongClock:
    """One network's records of one day, written in local time. Units: seconds ahead of UTC."""

    network: int
    day: int
    ahead_s: int


WRONG_CLOCK = WrongClock(network=3, day=17, ahead_s=7200)


class Fact:
    """What is really so about a handset. The strings stand in truth.csv."""

    COPY = "copy"  # carries another handset's number
    ORIGINAL = "original"  # its number was copied onto others; the owner did nothing
    STOLEN = "stolen"
    UNALLOCATED = "unallocated"  # reprogrammed to a TAC that nobody was given
    GARBLED = "garbled"  # reprogrammed to something that is no IMEI
    TEST_UNIT = "test-unit"  # a development unit sold in a shop
    UNREGISTERED = "unregistered"  # imported past customs
    WRONG_RADIO = "wrong-radio"  # speaks a generation that the model it claims to be does not
    SIM_BOX = "sim-box"  # a port of a machine that turns calls from abroad into local ones
    BARRED = "barred"  # by a court
    RECALLED = "recalled"  # its whole model is barred
    VISITOR = "visitor"

    OFFENCES = frozenset({COPY, STOLEN, UNALLOCATED, GARBLED, TEST_UNIT, UNREGISTERED, SIM_BOX, BARRED, RECALLED})


@dataclass(slots=True)
class Handset:
    """One thing one can hold.

    `imei` is what it says of itself: 14 digits, or something else; `sibling` is the handset's other radio, which is
    the same thing in the hand (`device` is equal).
    """

    number: int
    device: int
    imei: str
    model: Model | None
    story: str
    facts: set[str] = field(default_factory=set)
    generation: int = 4  # what it really speaks
    is_registered: bool = True
    stolen_on: int | None = None  # day of the month, from 0
    reported_imei: str | None = None  # what reaches the network's records when a system garbles the number

    @property
    def is_offender(self) -> bool:
        """Whether the law would keep this thing off the networks, or its copied number."""
        return bool(self.facts & Fact.OFFENCES)


@dataclass(slots=True)
class Line:
    """One SIM. `operator` is its home network's place in OPERATORS, or None for a visitor's foreign one."""

    imsi: str
    msisdn: str
    operator: int | None
    person: str


@dataclass(slots=True)
class Stint:
    """One handset with one line in one town.

    Units: days from 0; hours of the first and the last day; `chance` of being seen on a day; `sightings` a day it is seen.
    """

    handset: Handset
    line: Line
    town: int
    network: int
    first_day: int = 0
    last_day: int = DAYS - 1
    first_hour: float = 0.0
    last_hour: float = 24.0
    chance: float = 0.85
    sightings: float = 1.4
    trips: dict[int, int] = field(default_factory=dict)  # day -> the other town


class Cast:
    """The country while it is being peopled. Everything random comes from the one seeded generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.handsets: list[Handset] = []
        self.lines: list[Line] = []
        self.stints: list[Stint] = []
        self._serials: dict[str, int] = {}
        self._models = [model for model in MODELS if model.share]
        shares = np.array([model.share for model in self._models])
        self._shares = shares / shares.sum()
        self._towns = np.array([town.share for town in TOWNS])
        self._operators = np.array([operator.share for operator in OPERATORS])
        self._people = 0

    def model(self, at_least: int = 2) -> Model:
        """A model as people buy them, speaking at least a generation."""
        while True:
            chosen = self._models[self.rng.choice(len(self._models), p=self._shares)]
            if chosen.generation >= at_least:
                return chosen

    def imei(self, tac: str) -> str:
        """The next unused serial number of a TAC; runs with gaps, as sold goods are."""
        serial = self._serials.get(tac, 100_000) + int(self.rng.integers(2, 9))
        self._serials[tac] = serial
        return f"{tac}{serial:06d}"

    def handset(self, story: str, *, model: Model | None = None, imei: str | None = None, **more: object) -> Handset:
        """A new handset; without `imei`, a lawful one of `model` or of any model."""
        if imei is None:
            model = model or self.model()
            imei = self.imei(model.tac)
        made = Handset(
            number=len(self.handsets),
            device=len(self.handsets),
            imei=imei,
            model=model,
            story=story,
            generation=model.generation if model else 4,
        )
        for name, value in more.items():
            setattr(made, name, value)
        self.handsets.append(made)
        return made

    def sibling(self, of: Handset) -> Handset:
        """The other radio of a two-SIM handset: the next number of the same model, the same thing in the hand."""
        assert of.model is not None
        made = self.handset(of.story, model=of.model, imei=f"{int(of.imei) + 1:014d}")
        made.device = of.device
        return made

    def line(self, operator: int | None = None, *, person: str | None = None, msisdn: str | None = None) -> Line:
        """A new SIM of a network; of any, in the networks' shares, when none is named."""
        if operator is None:
            operator = int(self.rng.choice(len(OPERATORS), p=self._operators))
        count = len(self.lines)
        made = Line(
            imsi=f"{OPERATORS[operator].mcc_mnc}{1_000_000_000 + count * 7:010d}",
            msisdn=msisdn or f"999{600_000_000 + count * 13:09d}",
            operator=operator,
            person=person or self.person(),
        )
        self.lines.append(made)
        return made

    def visitor_line(self) -> Line:
        """A SIM of a country that does not exist (MCC 099, country code 210 is not assigned)."""
        count = len(self.lines)
        made = Line(
            imsi=f"09901{2_000_000_000 + count * 7:010d}", msisdn=f"210{count:09d}", operator=None, person=self.person()
        )
        self.lines.append(made)
        return made

    def person(self) -> str:
        """A new person's reference; nobody here has a name."""
        self._people += 1
        return f"P{self._people:06d}"

    def town(self) -> int:
        """A town, in the towns' shares."""
        return int(self.rng.choice(len(TOWNS), p=self._towns))

    def days(self, low: int, high: int) -> int:
        """A day from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def stint(self, handset: Handset, line: Line, town: int | None = None, **more: object) -> Stint:
        """Let a handset use a line; whoever lives in a town now and then travels to another by day."""
        town = self.town() if town is None else town
        network = (
            line.operator if line.operator is not None else int(self.rng.choice(len(OPERATORS), p=self._operators))
        )
        made = Stint(handset=handset, line=line, town=town, network=network)
        for name, value in more.items():
            setattr(made, name, value)
        self.stints.append(made)
        return made

    def hand_over(
        self, handset: Handset, lines: Iterable[Line], days: Iterable[int], town: int, **more: object
    ) -> None:
        """One handset, one line after another: at noon of each day in `days` the next line goes in."""
        first_day, first_hour = 0, 0.0
        lines = list(lines)
        for line, day in zip(lines, [*days, None], strict=True):
            last_day, last_hour = (DAYS - 1, 24.0) if day is None else (day, 11.0)
            self.stint(
                handset,
                line,
                town,
                first_day=first_day,
                first_hour=first_hour,
                last_day=last_day,
                last_hour=last_hour,
                **more,
            )
            first_day, first_hour = last_day, 13.0
