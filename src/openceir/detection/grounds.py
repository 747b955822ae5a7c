"""What a verdict rests on, fetched from the engine once the steps of a plan have run: one evidence row a device."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from openceir.detection.condition import condition_named, first_day_of_period
from openceir.detection.engine import Engine, Step
from openceir.detection.evidence import MOST_SUBSCRIBERS, canonical
from openceir.detection.plan import Plan
from openceir.detection.proposal import Devices, no_devices
from openceir.detection.rule import Rule
from openceir.detection.sql import render, window
from openceir.identity import format_subscriber, keyed_digest

__all__ = ["evidence_rows"]


def evidence_rows(
    engine: Engine, plan: Plan, concerned: Sequence[tuple[Rule, Devices]], as_of_on: date, evidence_key: bytes
) -> list[list[str]]:
    """For each rule one row a device, in the order of the devices given with it."""
    _show(engine, plan, concerned)
    digests = _Digests(engine, concerned, as_of_on, evidence_key)
    found: list[list[str]] = []
    for rule, devices in concerned:
        if not len(devices):
            found.append([])
            continue
        engine.take("concerned", pa.table({"device": devices}))
        parts = " || ',' || ".join(_facts(plan.shown[use.key]) for use in rule.uses)
        rows: list[str] = engine.fetch(
            f"SELECT '{{\"facts\":[' || {parts} || ']}}' AS row FROM concerned AS k"
            " LEFT JOIN shown ON shown.device = k.device ORDER BY k.device"
        )["row"].to_pylist()
        for device, hexes in digests.of(rule, devices).items():
            place = int(np.searchsorted(devices, device))
            rows[place] = f'{rows[place][:-1]},"subscribers":{canonical(hexes)}}}'
        found.append(rows)
    return found


def _facts(shown: Mapping[str, str]) -> str:
    """SQL of one condition's facts as a JSON object, keys sorted."""
    if not shown:
        return "'{}'"
    packed = ", ".join(f"{name} := shown.{column}" for name, column in sorted(shown.items()))
    return f"CAST(to_json(struct_pack({packed})) AS VARCHAR)"


def _show(engine: Engine, plan: Plan, concerned: Sequence[tuple[Rule, Devices]]) -> None:
    """Name `shown` the facts of all concerned devices. Those that nobody counted, since it decides nothing, are now."""
    asking = [d for rule, d in concerned if any(use.key in plan.counted_uses for use in rule.uses)]
    select = "SELECT device FROM asking WHERE device NOT IN (SELECT device FROM counted)"
    engine.take("asking", pa.table({"device": np.unique(np.concatenate([no_devices(), *asking]))}))
    engine.run(Step("lone", select if plan.counted_uses else "SELECT device FROM asking"))
    names = dict.fromkeys(["device", *(column for shown in plan.shown.values() for column in shown.values())])
    columns = ", ".join(names)
    told = f"SELECT {columns} FROM verdict WHERE device NOT IN (SELECT device FROM lone)"
    if engine.count("lone"):
        engine.run(Step("counted", "SELECT device FROM lone"))
        for step in plan.counting:
            engine.run(step)
        engine.run(Step("lone_shown", plan.showing))
        told += f" UNION ALL SELECT {columns} FROM lone_shown"
    engine.run(Step("shown", told))


class _Digests:
    """Keyed digests of the IMSIs of concerned devices."""

    def __init__(
        self, engine: Engine, concerned: Sequence[tuple[Rule, Devices]], as_of_on: date, evidence_key: bytes
    ) -> None:
        self._engine = engine
        self._as_of_on = as_of_on
        self._key = evidence_key
        self._known: dict[int, str] = {}
        asking = [devices for rule, devices in concerned if self._first_day(rule) is not None]
        if any(len(devices) for devices in asking):
            engine.take("asking", pa.table({"device": np.unique(np.concatenate(asking))}))
            select = "SELECT t.device AS device, t.month_on AS month_on, t.imsi AS imsi, t.day_mask AS day_mask"
            select += " FROM triplets AS t JOIN asking AS a ON a.device = t.device WHERE t.imsi IS NOT NULL"
            engine.run(Step("used_by", select))

    def of(self, rule: Rule, devices: Devices) -> dict[int, list[str]]:
        """By device, in the longest window of a condition that asks for them; `devices` are the relation `concerned`."""
        since = self._first_day(rule)
        if since is None:
            return {}
        found = self._engine.fetch(
            render(
                "SELECT device, imsi FROM ("
                "SELECT DISTINCT t.device AS device, t.imsi AS imsi FROM used_by AS t"
                " JOIN :window AS w ON w.month_on = t.month_on JOIN concerned AS k ON k.device = t.device"
                " WHERE (t.day_mask & w.mask) <> 0)"
                " QUALIFY ROW_NUMBER() OVER (PARTITION BY device ORDER BY imsi) <= :most",
                {"window": window(since, self._as_of_on), "most": MOST_SUBSCRIBERS},
            )
        )
        by_device: dict[int, list[str]] = {}
        for device, imsi in zip(found["device"].to_pylist(), found["imsi"].to_pylist(), strict=True):
            by_device.setdefault(device, []).append(self._digest(imsi))
        return {device: sorted(digests) for device, digests in by_device.items()}

    def _digest(self, imsi: int) -> str:
        if imsi not in self._known:
            self._known[imsi] = keyed_digest(self._key, format_subscriber(imsi), domain="imsi").hex()
        return self._known[imsi]

    def _first_day(self, rule: Rule) -> date | None:
        begins = [
            day
            for use in rule.uses
            if condition_named(use.name).subscribers
            and (day := first_day_of_period(self._as_of_on, use.limits)) is not None
        ]
        return min(begins, default=None)
