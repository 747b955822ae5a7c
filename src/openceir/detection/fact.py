"""The facts that conditions may name: which text of facts/ measures each, and under which names it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["DEVICE_COLUMNS", "FACTS", "Fact"]

# Of facts/device.sql: every condition has them.
DEVICE_COLUMNS = ("device", "seen", "first_seen_on", "last_seen_on", "generations", "tac", "rbi")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact: a row a device (or a TAC), which not every device has."""

    text: str  # the file in facts/
    columns: Mapping[str, str]  # what a condition calls it -> the text's own column
    key: str = "device"  # the column that finds a device's row
    before: tuple[str, ...] = ()  # files in facts/ whose relation, of the same name, the text reads
    values: Mapping[str, object] = field(default_factory=dict)  # placeholders that are no limits
    # What moves it from one day to the next: a text of moves/, or "" for lists alone. None: nobody knows, and every device
    # is asked again.
    moves: str | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it leaves out devices that facts/counted.sql leaves out."""
        return "counted" in self.before


def _fact(text: str, *columns: str, key: str = "device", before: tuple[str, ...] = (), moves: str | None = "") -> Fact:
    return Fact(text=text, columns={name: name for name in columns}, key=key, before=before, moves=moves)


_CONFLICT = ("independent", "days", "widest_m", "fastest_kmh")

FACTS: Mapping[str, Fact] = {
    "stolen": _fact("stolen", "stolen"),
    "barred": _fact("barred", "barred"),
    "monitored": _fact("monitored", "monitored_since_on"),
    "known_non_unique": _fact("known_non_unique", "known_non_unique"),
    "associated": _fact("associated", "associated"),
    "registered": _fact("registered", "registered", before=("range_of_tacs",)),
    "model": _fact(
        "model", "tac_known", "tac_barred", "exempt", "manufacturer", "model", "device_type", "model_generations",
        key="tac", before=("model_capability",),
    ),
    "subscribers": _fact("subscribers", "imsis", "imsi_days", "days_seen", before=("counted", "pairs"), moves="users"),
    "numbers": _fact("numbers", "msisdns", before=("counted",), moves="users"),
    "series": _fact("series", "series_msisdns", "msisdn_days", "steps", "number_operators", before=("counted",), moves="users"),
    "people": _fact("people", "uids", "uid_days", "days_used", before=("counted", "pairs"), moves="users"),
    "networks": _fact("networks", "used_at_home", "used_by_foreigner", "used_by_other_local", moves="networks"),
    "conflicts": Fact(
        text="conflicts",
        columns=dict(zip(
            ("independent_conflicts", "conflict_days", "widest_conflict_m", "fastest_conflict_kmh"), _CONFLICT,
            strict=True,
        )),
        values={"meetings": False},
        moves="conflicts",
    ),
    "simultaneous": Fact(
        text="conflicts",
        columns=dict(zip(
            ("independent_meetings", "meeting_days", "widest_meeting_m", "fastest_meeting_kmh"), _CONFLICT, strict=True
        )),
        values={"meetings": True, "speed_kmh": 0},
        moves="conflicts",
    ),
}  # fmt: skip
