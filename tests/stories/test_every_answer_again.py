"""Every past run and answer can be given again, whatever was said since: told by an auditor who believes nobody."""

import random
from datetime import timedelta

import pytest

from a_country import ALICE, BOB, MALLORY, Storyland, day, days_from, noon
from openceir.detection import example_rules
from openceir.statements import (
    DeviceBlocked,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Withdrawn,
)

PHONES = [f"001001000001{n:02d}" for n in range(8)] + ["00000000000000"]
PEOPLE = [ALICE, BOB, MALLORY]


def something(chance, on):
    """What an office says on a day about some phones."""
    phones = DeviceSet.of(chance.sample(PHONES, 2))
    at = noon(on)
    return chance.choice(
        [
            (
                "police",
                DeviceStolen(devices=phones, stolen_at=at - timedelta(days=chance.randrange(4)), case_number="N"),
            ),
            ("police", DeviceRecovered(devices=phones, recovered_at=at, case_number="N")),
            ("regulator", DeviceRegistered(devices=phones, registered_on=on)),
            ("regulator", DeviceBlocked(devices=phones, blocked_at=at, grounds="Order 1")),
            ("regulator", DeviceTracked(devices=phones, tracked_at=at, grounds="Order 2")),
            ("regulator", DevicePermitted(devices=phones, permitted_at=at, until=at + timedelta(days=3), grounds="x")),
            ("regulator", Withdrawn(claim="blocked", devices=phones, withdrawn_at=at, grounds="x")),
        ]
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_all_runs_replay_and_all_past_answers_stay(tmp_path, seed):
    """A second run of a day judges touched devices alone; its replay judges all, and evidence is part of what is equal."""
    chance = random.Random(seed)
    country = Storyland(tmp_path / "home", example_rules().replace("threshold = 5, period_days = 120", "threshold = 3, period_days = 5"))  # fmt: skip
    register = country.register
    runs, told = [], {}
    for number, text in enumerate(days_from("2027-02-26", 6)):  # over the end of a month
        on = day(text)
        if number % 2 == 0:
            seen = [(text, chance.choice(PHONES), chance.choice(PEOPLE)) for _ in range(12)]
            country.sees(chance.choice(["northtel", "southtel"]), seen, text)
        for hour in range(2):
            at = noon(on) + timedelta(hours=2 * hour)
            who, said = something(chance, on)
            register.state([said], by=who, at=at)
            run = register.detect(as_of_on=on - timedelta(days=2) if chance.random() < 0.2 else None, at=at)
            runs.append(run.number)
            if chance.random() < 0.7:
                register.adopt(run.number, by="regulator", at=at)
        known = noon(on) + timedelta(hours=5)
        for imei in PHONES:
            told[imei, known] = register.check(imei, known, known_at=known)
    register.rebuild_claims()
    for number in runs[-9:]:
        assert register.replay(number).is_same, number
    for (imei, known), answer in told.items():
        again = register.check(imei, known, known_at=known)
        assert (again.status, again.rule, again.reasons, again.next_steps) == (
            answer.status, answer.rule, answer.reasons, answer.next_steps,
        )  # fmt: skip
