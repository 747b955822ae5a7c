"""What happens to phones in Exampleland: one function a story, lawful ones first.

Each knows what is really so and writes it down as facts of the handsets; nothing in this file knows how detection works.
"""

from collections.abc import Callable

from openceir.demo.cast import DAYS, WRONG_CLOCK, Cast, Fact, Handset
from openceir.demo.models import (
    HUB_MODULE,
    MODELS,
    RECALLED,
    STOCK,
    STOCK_FIRST,
    TEST_TAC,
    UNALLOCATED_TACS,
    ZERO_MODEL,
    Model,
)
from openceir.demo.places import TOWNS, distance_km

__all__ = ["STORIES"]

_EASTTEL = 2
_BY_TAC = {model.tac: model for model in MODELS}


def _model(tac: str) -> Model:
    return _BY_TAC[tac]


def _far_from(cast: Cast, town: int, km: float = 150.0) -> int:
    """Another town, at least `km` away."""
    others = [place for place in range(len(TOWNS)) if distance_km(TOWNS[town], TOWNS[place]) >= km]
    return int(cast.rng.choice(others))


def _nearest(town: int) -> int:
    """The town closest to another."""
    others = [place for place in range(len(TOWNS)) if place != town]
    return min(others, key=lambda place: distance_km(TOWNS[town], TOWNS[place]))


def ordinary_people(cast: Cast) -> None:
    """One person, one phone, one SIM; one in seven travels for some days."""
    for _ in range(3600):
        home = cast.town()
        stint = cast.stint(cast.handset("ordinary"), cast.line(), home)
        if cast.rng.random() < 0.15:
            away, first = cast.town(), cast.days(2, 25)
            stint.trips = dict.fromkeys(range(first, first + cast.days(1, 5)), away)


def two_sim_phones(cast: Cast) -> None:
    """One phone with two radios: two IMEIs, two SIMs, often of two networks, one thing in the hand."""
    for _ in range(420):
        first = cast.handset("two SIMs")
        second = cast.sibling(first)
        person, town = cast.person(), cast.town()
        cast.stint(first, cast.line(person=person), town)
        cast.stint(second, cast.line(person=person), town, chance=0.6)


def replaced_sims(cast: Cast) -> None:
    """A lost or damaged SIM is replaced: same phone, same number, new IMSI."""
    for _ in range(160):
        old = cast.line()
        new = cast.line(old.operator, person=old.person, msisdn=old.msisdn)
        cast.hand_over(cast.handset("SIM replaced"), [old, new], [cast.days(3, 26)], cast.town())


def ported_numbers(cast: Cast) -> None:
    """A number moves to another network: same phone, same number, new SIM and network."""
    for _ in range(110):
        old = cast.line()
        assert old.operator is not None
        new = cast.line((old.operator + cast.days(1, 3)) % 4, person=old.person, msisdn=old.msisdn)
        cast.hand_over(cast.handset("number ported"), [old, new], [cast.days(3, 26)], cast.town())


def resales(cast: Cast) -> None:
    """A phone is sold on, perhaps twice: its users follow one another."""
    for _ in range(150):
        times = cast.days(1, 2)
        days = sorted(cast.days(3, 26) for _ in range(times))
        if len(set(days)) < times:
            continue
        cast.hand_over(cast.handset("resold"), [cast.line() for _ in range(times + 1)], days, cast.town())


def family_swaps(cast: Cast) -> None:
    """A family's SIMs go round in the family's phones, every week."""
    for _ in range(45):
        size, town = cast.days(2, 3), cast.town()
        phones = [cast.handset("shared in a family") for _ in range(size)]
        lines = [cast.line() for _ in range(size)]
        weeks = [6, 13, 20, 27]
        for place, phone in enumerate(phones):
            cast.hand_over(phone, [lines[(place + week) % size] for week in range(5)], weeks, town)


def workshops(cast: Cast) -> None:
    """A repairer tries customers' phones with the workshop's own SIM for two hours."""
    for _ in range(8):
        town, bench = cast.town(), cast.line()
        for day in cast.rng.choice(range(2, 29), 14, replace=False):
            phone, own = cast.handset("repaired"), cast.line()
            cast.stint(phone, own, town, last_day=int(day), last_hour=9.0)
            cast.stint(
                phone, bench, town, first_day=int(day), last_day=int(day), first_hour=10.0, last_hour=12.0, chance=1.0
            )
            cast.stint(phone, own, town, first_day=int(day), first_hour=15.0)


def visitors(cast: Cast) -> None:
    """Roamers: foreign SIMs in phones that no list of this country knows; some buy a local SIM on arrival."""
    for number in range(220):
        phone = cast.handset("visitor", is_registered=False, facts={Fact.VISITOR})
        first = cast.days(0, 24)
        last = min(first + cast.days(2, 12), DAYS - 1)
        town = cast.town()
        if number % 5:
            cast.stint(phone, cast.visitor_line(), town, first_day=first, last_day=last)
        else:
            middle = (first + last) // 2
            cast.stint(phone, cast.visitor_line(), town, first_day=first, last_day=middle, last_hour=11.0)
            cast.stint(phone, cast.line(), town, first_day=middle, first_hour=13.0, last_day=last)


def modules(cast: Cast) -> None:
    """Meters and vending machines; and travel hubs that lawfully change their SIM profile every few days."""
    for tac, story, count in (("77700700", "meter", 90), ("77700701", "vending machine", 50)):
        for _ in range(count):
            cast.stint(cast.handset(story, model=_model(tac)), cast.line(), cast.town(), chance=1.0, sightings=1.0)
    for _ in range(4):
        hub = cast.handset("SIM-changing hub", model=_model(HUB_MODULE))
        cast.hand_over(hub, [cast.line() for _ in range(8)], [3, 7, 11, 15, 19, 23, 27], cast.town(), chance=1.0)


def lost_zeros(cast: Cast) -> None:
    """Easttel's billing writes IMEIs as numbers: what starts with 0 loses it and reads as another number."""
    for _ in range(22):
        phone = cast.handset("leading zero lost", model=_model(ZERO_MODEL))
        phone.reported_imei = str(int(phone.imei))  # 13 digits, then Easttel's spare zero: 14, and wrong
        cast.stint(phone, cast.line(_EASTTEL), cast.town())
    for _ in range(18):
        cast.stint(cast.handset("leading zero kept", model=_model(ZERO_MODEL)), cast.line(0), cast.town())


def wrong_clock(cast: Cast) -> None:
    """For a day Westtel sends local time as UTC; whoever left Westtel and the town that day seems to be in two places."""
    for _ in range(15):
        phone, town, day = cast.handset("under a wrong clock"), cast.town(), WRONG_CLOCK.day
        old, new = cast.line(WRONG_CLOCK.network), cast.line(0)
        cast.stint(phone, old, town, last_day=day, last_hour=11.0, chance=1.0, sightings=3.0)
        # A drive of two hours and more to the nearest town, honestly made.
        cast.stint(phone, new, _nearest(town), first_day=day, first_hour=13.2, last_day=day, last_hour=16.0, chance=1.0)
        cast.stint(phone, new, town, first_day=day + 1, first_hour=6.0)


def unregistered_imports(cast: Cast) -> None:
    """Good phones that came past customs: nothing is wrong with them but that nobody declared them."""
    for _ in range(130):
        cast.stint(
            cast.handset("unregistered import", is_registered=False, facts={Fact.UNREGISTERED}),
            cast.line(),
            cast.town(),
        )


def mass_clone(cast: Cast) -> None:
    """A workshop abroad wrote one number into everything it sold: 240 handsets, one of them the rightful one."""
    original = cast.handset("mass clone: the original", model=cast.model(4), facts={Fact.ORIGINAL})
    cast.stint(original, cast.line(), cast.town())
    for _ in range(240):
        copy = cast.handset("mass clone", imei=original.imei, model=original.model, facts={Fact.COPY})
        cast.stint(copy, cast.line(), cast.town())


def serial_clones(cast: Cast) -> None:
    """A seller copies a run of good numbers, each onto a few handsets; most rightful owners live here."""
    for _ in range(70):
        town = cast.town()
        original = cast.handset("cloned: the original", model=cast.model(4), facts={Fact.ORIGINAL})
        if cast.rng.random() < 0.8:
            cast.stint(original, cast.line(), town)
        for _ in range(int(cast.rng.choice([1, 2, 3, 5], p=[0.4, 0.25, 0.2, 0.15]))):
            copy = cast.handset("cloned", imei=original.imei, model=original.model, facts={Fact.COPY})
            cast.stint(copy, cast.line(), cast.town() if cast.rng.random() < 0.4 else _far_from(cast, town))


def clones_before_sale(cast: Cast) -> None:
    """Numbers leaked from a warehouse: the copies are on air before the rightful phone is sold."""
    for _ in range(14):
        original = cast.handset("cloned before sale: the original", facts={Fact.ORIGINAL})
        town = cast.town()
        cast.stint(original, cast.line(), town, first_day=cast.days(13, 18), first_hour=12.0)
        for _ in range(cast.days(1, 3)):
            copy = cast.handset("cloned before sale", imei=original.imei, model=original.model, facts={Fact.COPY})
            cast.stint(copy, cast.line(), _far_from(cast, town))


def wrong_radio_copies(cast: Cast) -> None:
    """Smartphones that say they are old feature phones; the rightful ones were sold abroad."""
    for _ in range(28):
        claimed = _model("77500500" if cast.rng.random() < 0.5 else "77500501")
        copy = cast.handset("feature phone's number", model=claimed, facts={Fact.COPY, Fact.WRONG_RADIO})
        copy.is_registered = False
        copy.generation = 5 if cast.rng.random() < 0.3 else 4
        cast.stint(copy, cast.line(), cast.town())


def thefts(cast: Cast) -> None:
    """Taken phones: gone for good, used on with another SIM, or given back. The police list has them all."""

    def stolen() -> tuple[Handset, int, int]:
        phone, day, town = cast.handset("stolen", facts={Fact.STOLEN}), cast.days(5, 22), cast.town()
        phone.stolen_on = day
        cast.stint(phone, cast.line(), town, last_day=day, last_hour=20.0)
        return phone, day, town

    for number in range(24):
        phone, _, town = stolen()
        if number < 5:
            phone.story = "stolen and given back"  # the later delta says so, and the owner switches it on
            phone.facts.clear()
            cast.stint(phone, cast.line(), town, first_day=DAYS - 1, chance=1.0)
    for _ in range(30):
        phone, day, town = stolen()
        phone.story = "stolen, used with another SIM"
        first = min(day + cast.days(1, 4), DAYS - 3)
        cast.stint(phone, cast.line(), _far_from(cast, town, 50), first_day=first)


def stolen_and_cloned(cast: Cast) -> None:
    """A stolen phone whose number is on other handsets as well: blocking the number would cut the others off."""
    for _ in range(9):
        phone = cast.handset("stolen and cloned", facts={Fact.STOLEN, Fact.ORIGINAL})
        day, town = cast.days(6, 14), cast.town()
        phone.stolen_on = day
        cast.stint(phone, cast.line(), town, last_day=day, last_hour=20.0)
        cast.stint(phone, cast.line(), _far_from(cast, town, 50), first_day=day + 1)
        for _ in range(cast.days(2, 5)):
            copy = cast.handset("copy of a stolen phone", imei=phone.imei, model=phone.model, facts={Fact.COPY})
            cast.stint(copy, cast.line(), _far_from(cast, town))


def reprogrammed(cast: Cast) -> None:
    """Numbers made up by whoever reprogrammed the handset: models nobody was given, letters, zeros."""
    for number in range(64):
        tac = UNALLOCATED_TACS[number % len(UNALLOCATED_TACS)]
        cast.stint(
            cast.handset("made-up number", imei=cast.imei(tac), is_registered=False, facts={Fact.UNALLOCATED}),
            cast.line(),
            cast.town(),
        )
    garbled = ["PWIUYTRWQLKJHM", "DEABFCDE2ABFEC", "7710010112345", "77100101#*1234", "7720011700A113"]
    for number in range(20):
        text = garbled[number] if number < len(garbled) else f"7799{cast.days(0, 10**8):08d}Z"
        cast.stint(
            cast.handset("no IMEI at all", imei=text, is_registered=False, facts={Fact.GARBLED}),
            cast.line(),
            cast.town(),
        )
    for text, count in (("00000000000000", 26), ("12345678901234", 9)):
        for _ in range(count):
            cast.stint(
                cast.handset("a number on many handsets", imei=text, is_registered=False, facts={Fact.COPY}),
                cast.line(),
                cast.town(),
            )


def test_units(cast: Cast) -> None:
    """Development units that were sold over the counter."""
    for _ in range(12):
        cast.stint(
            cast.handset("development unit", imei=cast.imei(TEST_TAC), is_registered=False, facts={Fact.TEST_UNIT}),
            cast.line(),
            cast.town(),
        )


def sim_boxes(cast: Cast) -> None:
    """Three machines of sixteen ports; every port goes through a bought series of SIMs, four a day."""
    for _ in range(3):
        town, operator = cast.town(), cast.days(0, 3)
        start = len(cast.lines)
        series = []
        for step in range(16 * 10):
            line = cast.line(operator)
            line.msisdn = f"999{800_000_000 + start * 100 + step:09d}"
            series.append(line)
        for port in range(16):
            box = cast.handset("SIM box port", model=_model("77700701"), is_registered=False, facts={Fact.SIM_BOX})
            mine = series[port * 10 : port * 10 + 10]
            for day in range(DAYS):
                for turn in range(4):
                    cast.stint(
                        box,
                        mine[(day * 4 + turn) % len(mine)],
                        town,
                        network=operator,
                        first_day=day,
                        last_day=day,
                        first_hour=turn * 6.0,
                        last_hour=turn * 6.0 + 6.0,
                        chance=1.0,
                        sightings=1.0,
                    )


def barred(cast: Cast) -> None:
    """A model recalled because its battery burns, and single handsets that a court took from the market."""
    for handset in cast.handsets:
        if handset.model is not None and handset.model.tac == RECALLED:
            handset.facts.add(Fact.RECALLED)
    for _ in range(10):
        cast.stint(cast.handset("barred by a court", facts={Fact.BARRED}), cast.line(), cast.town())


def in_stock(cast: Cast) -> None:
    """Registered as one range of numbers and not sold yet."""
    for number in range(STOCK):
        cast.handset("in stock", model=_model(STOCK_FIRST[:8]), imei=f"{int(STOCK_FIRST) + number:014d}")


STORIES: tuple[Callable[[Cast], None], ...] = (
    ordinary_people,
    two_sim_phones,
    replaced_sims,
    ported_numbers,
    resales,
    family_swaps,
    workshops,
    visitors,
    modules,
    lost_zeros,
    wrong_clock,
    unregistered_imports,
    mass_clone,
    serial_clones,
    clones_before_sale,
    wrong_radio_copies,
    thefts,
    stolen_and_cloned,
    reprogrammed,
    test_units,
    sim_boxes,
    in_stock,
    barred,
)
