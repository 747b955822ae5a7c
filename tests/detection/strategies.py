"""Random small worlds: few devices, numbers, days and cells, so that they meet often."""

import random
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.detection.small_world import Sighting, World, instant, key

from openceir.identity import rat_mask

FIRST_DAY = date(2026, 9, 28)  # so that windows cross the end of a month
DAYS = 10
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
DEVICES = [
    1_001_000_000_001, 1_001_000_000_002, 1_018_000_000_001, 440_000_000_001, 440_015_202_000,
    35_000_001_000_001, 35_000_002_000_002, 35_000_003_000_003, 86_000_001_000_001, 99_999_999_999_999,
    10**14 + 1, 10**14 + 2,
]  # fmt: skip
IMSIS: list[int] = [
    key(t) for t in ("001010000000001", "001010000000002", "00102000000003", "001990000000004", "310150000000005")
]
IMSIS += [key("0010112")]  # too short to be one
MSISDNS = [key(t) for t in ("999100000001", "999100000002", "999100000003", "999100000007", "1234")]
RATS = [None, *(rat_mask(code) for code in ("002", "001", "006", "051", "001|006", "003"))]
# Three towns: a and b are 160 km apart, c lies 1,100 km from both; the second cell of a town is near the first.
CELLS = (
    (1, 10.0, 20.0, 5_000.0), (2, 10.05, 20.05, 5_000.0), (3, 11.44, 20.0, 3_000.0), (4, 11.5, 20.0, None),
    (5, 20.0, 20.0, None),
)  # fmt: skip
TACS = sorted({device // 10**6 for device in DEVICES if device < 10**14})

devices = st.sampled_from(DEVICES)


def sightings_of(seed: int) -> tuple[Sighting, ...]:
    """Many sightings of few devices, or few of many; at times and places that meet often. One row has no device."""
    rng = random.Random(seed)
    among = rng.sample(DEVICES, rng.choice([1, 2, 3, len(DEVICES)]))
    cells = rng.choice([[1, 3], [1, 2, 3], [1, 4], [1, 2, 3, 4, 5, 99]])
    some_days = rng.sample(range(DAYS), rng.choice([1, 2, 4, DAYS]))
    numbers = rng.choice([MSISDNS[:3], MSISDNS])
    operators = rng.choice([["northtel"], ["northtel", "southtel"]])
    timed = rng.random() < 0.7
    found = [Sighting(day=FIRST_DAY, operator="northtel", device=None, imsi=IMSIS[0])]
    for _ in range(rng.choice([5, 30, 80])):
        day = FIRST_DAY + timedelta(days=rng.choice(some_days))
        hours = rng.choice([0.0, 0.01, 0.02, 0.4, 0.55, 6.0, 12.0, 12.0 + 61 / 3600, 12.03, 23.99]) if timed else None
        found.append(
            Sighting(
                day=day,
                operator=rng.choice(operators),
                device=rng.choice(among),
                imsi=rng.choice([*IMSIS, None]),
                msisdn=rng.choice([*numbers, None]),
                rat=rng.choice(RATS),
                ts=None if hours is None else instant(day, hours),
                cell=rng.choice(cells) if timed else None,
            )
        )
    return tuple(found)


AVERAGE = {
    "threshold": st.sampled_from([1.0, 1.5, 2.0]),
    "period_days": st.integers(1, 9),
    "min_seen_days": st.integers(0, 3),
}
LOOK = {"period_days": st.integers(1, 9)}
# Every condition with the limits it is tried with. A new condition must be added here: test_conditions.py says so.
LIMITS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "stolen_list": {}, "barred": {}, "barred_tac": {}, "malformed": {}, "test_tac": {}, "known_non_unique": {},
    "inconsistent_rat": {}, "not_on_registration_list": {}, "not_on_association_list": {},
    "monitoring": {"monitored_days": st.integers(0, 8)},
    "gsma_not_found": {"delay_days": st.dictionaries(st.sampled_from(["00", "01", "35", "86"]), st.integers(0, 9))},
    "duplicate_threshold": {"threshold": st.integers(1, 3), "use_msisdn": st.booleans(),
                            "period_days": st.integers(1, 9), "period_months": st.integers(0, 1)},
    "duplicate_daily_avg": AVERAGE,
    "daily_avg_uid": AVERAGE,
    "transient": {"period_days": st.integers(1, 4), "num_msisdns": st.integers(1, 2)},
    "used_by_subscriber": LOOK, "international_roamer": LOOK, "local_other_roamer": LOOK,
    "time_distance": {"period_days": st.integers(1, 9), "speed_kmh": st.sampled_from([250, 300, 1000]),
                      "conflicts": st.integers(1, 6), "days": st.integers(1, 2)},
    "simultaneous_use": {"period_days": st.integers(1, 9), "conflicts": st.integers(1, 2), "days": st.integers(1, 2)},
}  # fmt: skip
some_limits = st.fixed_dictionaries({name: st.fixed_dictionaries(limits) for name, limits in LIMITS.items()})


def rows(*columns: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(st.tuples(*columns), max_size=5, unique=True)


ranges = st.tuples(devices, devices).map(lambda pair: (min(pair), max(pair)))
names = st.sampled_from(["", "Maker", "Other"])
tac_rows = st.lists(
    st.tuples(
        st.sampled_from(TACS), st.sampled_from([None, "Maker", "Other"]), st.sampled_from(["", "One", "Two"]),
        st.sampled_from(["Module", "Smartphone", None]), st.sampled_from([None, 1, 3, 7, 15]),
    ),
    max_size=6, unique_by=lambda row: row[0],
)  # fmt: skip

lists = st.fixed_dictionaries(
    {
        "stolen": rows(devices),
        "barred": rows(devices),
        "barred_tac": rows(st.sampled_from(TACS)),
        "monitored": st.lists(st.tuples(devices, st.integers(20_720, 20_730)), max_size=3),
        "registered": rows(devices),
        "registered_range": st.lists(ranges, max_size=3),
        "associated": rows(devices),
        "subscriber": rows(st.sampled_from(IMSIS), st.sampled_from(["U1", "U2", "U3"])),
        "tac": tac_rows,
    }
)
worlds = st.builds(World, sightings=st.integers(0, 2**32).map(sightings_of), lists=lists, cells=st.just(CELLS))
