"""Every condition again, slowly and obviously, row by row in plain Python; it shares no code with openceir.detection."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tests.detection.small_world import EPOCH, World

from openceir.identity import G2, G3, G4, G5, NON_UNIQUE_KEYS

FOURTEEN = 10**14
HOME, COUNTRY = ("00101", "00102"), ("001",)


class Twin:
    """Answers for one world as of one day."""

    def __init__(self, world: World, as_of_on: date) -> None:
        self.as_of_on = as_of_on
        self.world = world
        self.rows = [row for row in world.sightings if row.day <= as_of_on and row.device is not None]
        self.seen = {row.device for row in self.rows}
        self.lists: Mapping[str, Any] = defaultdict(list, world.lists)

    def universe(self) -> set[int]:
        return self.seen | {device for (device,) in [*self.lists["stolen"], *self.lists["barred"]]}

    def matching(self, name: str, **params: Any) -> set[int]:
        condition: Callable[..., bool] = getattr(self, name)
        return {device for device in self.universe() if condition(device, **params)}

    def tac(self, device: int) -> int | None:
        return int(f"{device:014d}"[:8]) if device < FOURTEEN else None

    def days_back(self, period_days: int = 0, period_months: int = 0) -> date:
        if not period_months:
            return self.as_of_on - timedelta(days=period_days - 1)
        day = self.as_of_on + timedelta(days=1)
        for _ in range(period_months):
            last_of_earlier = day.replace(day=1) - timedelta(days=1)
            day = last_of_earlier.replace(day=min((self.as_of_on + timedelta(days=1)).day, last_of_earlier.day))
        return day

    def window(self, device: int, since: date) -> list[Any]:
        return [row for row in self.rows if row.device == device and row.day >= since]

    # -- lists ---------------------------------------------------------------------------------------------------

    def stolen_list(self, device: int) -> bool:
        return (device,) in self.lists["stolen"]

    def barred(self, device: int) -> bool:
        return (device,) in self.lists["barred"]

    def barred_tac(self, device: int) -> bool:
        return device in self.seen and (self.tac(device),) in self.lists["barred_tac"]

    def monitoring(self, device: int, monitored_days: int) -> bool:
        since = [EPOCH + timedelta(days=day) for listed, day in self.lists["monitored"] if listed == device]
        return device in self.seen and any(day + timedelta(days=monitored_days) <= self.as_of_on for day in since)

    def not_on_registration_list(self, device: int) -> bool:
        inside = any(lo <= device <= hi < FOURTEEN for lo, hi in self.lists["registered_range"] if device < FOURTEEN)
        return self._wanted(device) and (device,) not in self.lists["registered"] and not inside

    def not_on_association_list(self, device: int) -> bool:
        return self._wanted(device) and (device,) not in self.lists["associated"]

    def _wanted(self, device: int) -> bool:
        types = [row[3] for row in self.lists["tac"] if row[0] == self.tac(device)]
        return device in self.seen and "Module" not in types

    # -- the number ----------------------------------------------------------------------------------------------

    def malformed(self, device: int) -> bool:
        return device in self.seen and device >= FOURTEEN

    def test_tac(self, device: int) -> bool:
        text = f"{device:014d}"
        if device not in self.seen or len(text) != 14 or text[:2] != "00":
            return False
        return text[2:4] in {"44", "86", "91"} or (text[2:4] == "10" and "01" <= text[4:6] <= "17")

    def known_non_unique(self, device: int) -> bool:
        return device in self.seen and device in NON_UNIQUE_KEYS

    def gsma_not_found(self, device: int, delay_days: Mapping[str, int]) -> bool:
        tac = self.tac(device)
        if device not in self.seen or tac is None or any(row[0] == tac for row in self.lists["tac"]):
            return False
        first = min(row.day for row in self.rows if row.device == device)
        return first + timedelta(days=delay_days.get(f"{device:014d}"[:2], 0)) <= self.as_of_on

    def inconsistent_rat(self, device: int) -> bool:
        model = [row[1:3] for row in self.lists["tac"] if row[0] == self.tac(device)]
        if device not in self.seen or not model or not all(model[0]):
            return False
        able = [row[4] for row in self.lists["tac"] if row[1:3] == model[0]]
        if None in able:
            return False
        for row in self.rows:
            for bit, generation in enumerate((G2, G3, G4, G5)):
                if row.device == device and (row.rat or 0) & generation and not any(one >> bit & 1 for one in able):
                    return True
        return False

    # -- who used it ---------------------------------------------------------------------------------------------

    @staticmethod
    def _is_imsi(key: int | None) -> bool:
        return key is not None and len(str(key)) in {15, 16}

    def duplicate_threshold(
        self, device: int, threshold: int, use_msisdn: bool, period_days: int = 0, period_months: int = 0
    ) -> bool:
        rows = self.window(device, self.days_back(period_days, period_months))
        imsis = {row.imsi for row in rows if self._is_imsi(row.imsi)}
        msisdns = {row.msisdn for row in rows if row.msisdn is not None and len(str(row.msisdn)) > 5}
        counted = msisdns if use_msisdn else imsis
        return bool(counted) and len(counted) >= threshold

    def duplicate_daily_avg(self, device: int, threshold: float, period_days: int, min_seen_days: int) -> bool:
        by_day: dict[date, set[Any]] = defaultdict(set)
        for row in self.window(device, self.days_back(period_days)):
            if self._is_imsi(row.imsi):
                by_day[row.day].add(row.imsi)
        return self._average(by_day, by_day, threshold, min_seen_days)

    def daily_avg_uid(self, device: int, threshold: float, period_days: int, min_seen_days: int) -> bool:
        people: dict[date, set[Any]] = defaultdict(set)
        used: dict[date, set[Any]] = defaultdict(set)
        for row in self.window(device, self.days_back(period_days)):
            if self._is_imsi(row.imsi):
                used[row.day].add(row.imsi)
                people[row.day] |= {uid for imsi, uid in self.lists["subscriber"] if imsi == row.imsi}
        return any(people.values()) and self._average(people, used, threshold, min_seen_days)

    @staticmethod
    def _average(counted: Mapping[Any, set[Any]], days: Mapping[Any, Any], threshold: float, least: int) -> bool:
        total = sum(len(some) for some in counted.values())
        return len(days) > 0 and len(days) >= least and total >= threshold * len(days)

    def transient(self, device: int, period_days: int, num_msisdns: int) -> bool:
        rows = [
            row
            for row in self.window(device, self.days_back(period_days))
            if row.msisdn is not None and len(str(row.msisdn)) > 5
        ]
        numbers = sorted({row.msisdn for row in rows})
        gaps = {later - earlier for earlier, later in itertools.pairwise(numbers)}
        number_days = {(row.day, row.msisdn) for row in rows}
        one_operator = len({row.operator for row in rows}) == 1
        return len(numbers) >= 3 and len(gaps) == 1 and one_operator and len(number_days) >= num_msisdns * period_days

    def _imsis(self, device: int, period_days: int) -> set[str]:
        rows = self.window(device, self.days_back(period_days))
        return {str(row.imsi)[1:] for row in rows if self._is_imsi(row.imsi)}

    def used_by_subscriber(self, device: int, period_days: int) -> bool:
        return any(imsi.startswith(HOME) for imsi in self._imsis(device, period_days))

    def international_roamer(self, device: int, period_days: int) -> bool:
        return any(not imsi.startswith(COUNTRY) for imsi in self._imsis(device, period_days))

    def local_other_roamer(self, device: int, period_days: int) -> bool:
        return any(imsi.startswith(COUNTRY) and not imsi.startswith(HOME) for imsi in self._imsis(device, period_days))

    # -- where ---------------------------------------------------------------------------------------------------

    def conflicts(self, device: int) -> list[dict[str, Any]]:
        """Each pair of neighbours in time that no handset can have made, by place in the sorted list of sightings."""
        places = {cell: (lat, lon, radius) for cell, lat, lon, radius in self.world.cells}
        if device >= FOURTEEN:
            return []
        rows = sorted(
            (row for row in self.world.sightings if row.device == device and row.ts is not None and row.cell in places),
            key=lambda r: (r.ts, r.cell, nulls_last(r.imsi), r.operator, nulls_last(r.rat)),
        )
        found = []
        for number, (a, b) in enumerate(itertools.pairwise(rows)):
            (lat, lon, _), (lat2, lon2, _) = places[a.cell], places[b.cell]
            metres = great_circle_m(lat, lon, lat2, lon2)
            apart = max(0.0, metres - self._reach(a, places) - self._reach(b, places))
            skew = 60 if a.operator == b.operator else 120
            gap = b.ts - a.ts
            speed = apart * 3.6 / max(gap - skew, 1)
            if a.cell != b.cell and speed > 250:
                together = None not in (a.imsi, b.imsi) and a.imsi != b.imsi and gap <= skew
                day = EPOCH + timedelta(days=b.ts // 86_400)
                found.append({"number": number, "speed": speed, "together": together, "day": day})
        return found

    @staticmethod
    def _reach(row: Any, places: Mapping[int, Any]) -> float:
        radius = places[row.cell][2]
        if radius is not None:
            return float(radius)
        if row.rat is not None and row.rat & (G2 | G3):
            return 35_000
        return 15_000 if row.rat is not None and row.rat & (G4 | G5) else 100_000

    def time_distance(self, device: int, period_days: int, speed_kmh: float, conflicts: int, days: int) -> bool:
        return self._often(device, period_days, conflicts, days, lambda one: one["speed"] > speed_kmh)

    def simultaneous_use(self, device: int, period_days: int, conflicts: int, days: int) -> bool:
        return self._often(device, period_days, conflicts, days, lambda one: one["together"])

    def _often(self, device: int, period_days: int, least: int, days: int, counts: Callable[[Any], bool]) -> bool:
        independent, on = self._counted(device, period_days, counts)
        return independent > 0 and independent >= least and on >= days

    def _counted(self, device: int, period_days: int, counts: Callable[[Any], bool]) -> tuple[int, int]:
        """Conflicts that share no sighting, and days with any."""
        since = self.days_back(period_days)
        found = [one for one in self.conflicts(device) if since <= one["day"] <= self.as_of_on and counts(one)]
        independent, last = 0, -2
        for one in found:  # of a run of pairs that share sightings, every second one counts
            if one["number"] > last + 1:
                independent, last = independent + 1, one["number"]
        return independent, len({one["day"] for one in found})

    def numbers(self, name: str, device: int, period_days: int) -> tuple[int, ...] | None:
        """The numbers that a condition's evidence shows, in the test's order; None when there is nothing to count."""
        if name in {"time_distance", "simultaneous_use"}:
            fast = (lambda one: one["speed"] > 300) if name == "time_distance" else (lambda one: one["together"])
            counted = self._counted(device, period_days, fast)
            return counted if counted[0] else None
        rows = [row for row in self.window(device, self.days_back(period_days)) if self._is_imsi(row.imsi)]
        imsi_days, days = {(row.imsi, row.day) for row in rows}, {row.day for row in rows}
        if name == "daily_avg_uid":
            pairs = {(uid, row.day) for row in rows for imsi, uid in self.lists["subscriber"] if imsi == row.imsi}
            return (len({uid for uid, _ in pairs}), len(pairs), len(days)) if pairs else None
        imsis = len({imsi for imsi, _ in imsi_days})
        return (
            ((imsis, len(days)) if name == "duplicate_threshold" else (imsis, len(imsi_days), len(days)))
            if rows
            else None
        )


def nulls_last(value: int | None) -> float:
    """What to sort by where a missing value stands behind every other, as the measures say it does."""
    return math.inf if value is None else value


def great_circle_m(lat: float, lon: float, lat2: float, lon2: float) -> float:
    """The haversine formula, on the mean radius."""
    a, b, c, d = (math.radians(value) for value in (lat, lon, lat2, lon2))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(half))
