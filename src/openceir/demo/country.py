"""Exampleland: a small made-up country with ground truth, written as the very files that a regulator receives.

Everything follows from one seed. The operators' dumps hold some wrong rows on purpose, as real ones do. What is really so
stands in `truth.csv`, which no part of the register reads.
"""

import csv
import gzip
import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from openceir.demo.cast import DAYS, WRONG_CLOCK, Cast, Fact, Handset, Line, Stint
from openceir.demo.models import MODELS, RECALLED, STOCK, STOCK_FIRST, Model, tac_rows
from openceir.demo.places import CELLS_PER_TOWN, OPERATORS, TOWNS, Cell, make_cells
from openceir.demo.stories import STORIES
from openceir.identity import luhn_check_digit

__all__ = ["FIRST_DAY", "LAST_DAY", "SEED", "Country", "write_country"]

FIRST_DAY = date(2026, 10, 1)
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 2)  # of the month; the further day is the next
SEED = 20261001

# RAT codes of operators' dumps, by generation: GERAN, UTRAN, E-UTRAN, NR.
_RAT = {2: "002", 3: "001", 4: "006", 5: "051"}
# How a handset of a generation spreads over them: the upper bounds of all but its newest.
_USE = {2: (), 3: (0.3,), 4: (0.05, 0.2), 5: (0.03, 0.1, 0.55)}

_NOTICE = """\
These files are the demo country of openceir. Nobody in them exists.

Every device model begins with 77 (a reporting body that does not exist) or lies in ranges kept for tests; networks are
001-01 to 001-04 (test), country code 999 is not assigned. truth.csv says what is really so about every handset; the
register never reads it, only the demo does, to count what was found, what was missed and who was accused wrongly.
"""


@dataclass(frozen=True)
class Country:
    """Where the files are. `handsets`, `lines` and `stints` are the truth behind them.

    Equal seeds give equal files, octet for octet.
    """

    folder: Path
    seed: int
    handsets: Sequence[Handset]
    lines: Sequence[Line]
    stints: Sequence[Stint]
    sightings: int

    def dump(self, operator: str, *, further_day: bool = False) -> Path:
        """One operator's month, or its further day."""
        first, last = (LAST_DAY + timedelta(days=1),) * 2 if further_day else (FIRST_DAY, LAST_DAY)
        return self.folder / "operators" / f"{operator}_{first:%Y%m%d}_{last:%Y%m%d}.csv.gz"

    def cells(self, operator: str) -> Path:
        """One operator's cells: where they stand and how far they reach."""
        return self.folder / "operators" / f"{operator}_cells.csv"

    def list_file(self, name: str) -> Path:
        """One list of an authority, e.g. stolen, stolen-delta, registration, tac."""
        return self.folder / "authorities" / (f"{name}.txt" if name == "tac" else f"{name}.csv")

    @property
    def policy(self) -> Path:
        """The country's own policy: its codes and operators."""
        return self.folder / "policy.toml"

    @property
    def truth(self) -> Path:
        """What is really so, one row a handset."""
        return self.folder / "truth.csv"

    @cached_property
    def handsets_of_imei(self) -> dict[str, list[Handset]]:
        """Who carries a number, by the number as the networks' records have it."""
        found: dict[str, list[Handset]] = {}
        for handset in self.handsets:
            found.setdefault(seen_as(handset), []).append(handset)
        return found

    @cached_property
    def lines_of_handset(self) -> dict[int, list[Line]]:
        """The SIMs that were in a handset, in the order in which they went in."""
        found: dict[int, list[Line]] = {}
        for stint in self.stints:
            lines = found.setdefault(stint.handset.number, [])
            if stint.line not in lines:
                lines.append(stint.line)
        return found


def seen_as(handset: Handset) -> str:
    """The number under which the networks' records know a handset: 14 digits, or the text as it came."""
    if handset.reported_imei is not None:
        return f"{handset.reported_imei}0"[:14]
    return handset.imei


def write_country(folder: Path, *, seed: int = SEED) -> Country:
    """Make the country and write its files into `folder`.

    Shapes: about 6,700 handsets and 230,000 sightings; see truth.csv for what is true of each handset.
    """
    rng = np.random.default_rng(seed)
    cells = make_cells(rng)
    cast = Cast(rng)
    for story in STORIES:
        story(cast)
    rows = _Sightings.draw(cast)
    country = Country(folder, seed, cast.handsets, cast.lines, cast.stints, sightings=len(rows.stint))
    (folder / "operators").mkdir(parents=True, exist_ok=True)
    (folder / "authorities").mkdir(exist_ok=True)
    (folder / "READ-ME-FIRST.txt").write_text(_NOTICE, encoding="utf-8")
    for number, operator in enumerate(OPERATORS):
        _write_dump(country.dump(operator.id), cells, cast, rows.of(number, 0, DAYS - 2), wrong_rows=True)
        _write_dump(country.dump(operator.id, further_day=True), cells, cast, rows.of(number, DAYS - 1, DAYS - 1))
        _write_cells(country.cells(operator.id), [cell for cell in cells if cell.operator == operator.id])
    _write_lists(country, rng)
    _write_truth(country)
    country.policy.write_text(_policy_text(), encoding="utf-8")
    return country


@dataclass(frozen=True)
class _Sightings:
    """Columns, one entry a sighting, in the order of time."""

    stint: np.ndarray
    network: np.ndarray
    day: np.ndarray
    second: np.ndarray
    town: np.ndarray
    corner: np.ndarray
    chance: np.ndarray  # one draw in [0, 1) a sighting, for what else must be chosen

    @classmethod
    def draw(cls, cast: Cast) -> "_Sightings":
        """What the networks see of all stints."""
        rng = cast.rng
        parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []
        for number, stint in enumerate(cast.stints):
            days = np.arange(stint.first_day, stint.last_day + 1)
            seen = days[rng.random(len(days)) < stint.chance]
            day = np.repeat(seen, 1 + rng.poisson(stint.sightings - 1, len(seen)))
            towns = np.array([stint.trips.get(at, stint.town) for at in range(DAYS + 1)])
            low = np.where(day == stint.first_day, stint.first_hour, 0.0)
            high = np.where(day == stint.last_day, stint.last_hour, 24.0)
            # Whoever changes town does it between six in the evening and noon.
            low = np.where(towns[day] != towns[np.maximum(day - 1, 0)], np.maximum(low, 12.0), low)
            high = np.where(towns[day] != towns[day + 1], np.minimum(high, 18.0), high)
            second = ((low + rng.random(len(day)) * np.maximum(high - low, 0.01)) * 3600).astype(np.int64)
            parts.append((np.full(len(day), number), day, second, towns[day]))
        of_stint, day, second, town = (np.concatenate(column) for column in zip(*parts, strict=True))
        network = np.array([stint.network for stint in cast.stints])[of_stint]
        ahead = (network == WRONG_CLOCK.network) & (day == WRONG_CLOCK.day)
        second = np.minimum(second + ahead * WRONG_CLOCK.ahead_s, 86_399)
        order = np.lexsort((of_stint, second, day))
        corner = rng.integers(0, CELLS_PER_TOWN, len(order))
        return cls(
            stint=of_stint[order],
            network=network[order],
            day=day[order],
            second=second[order],
            town=town[order],
            corner=corner,
            chance=rng.random(len(order)),
        )

    def of(self, network: int, first_day: int, last_day: int) -> "_Sightings":
        """Those of one network and some days."""
        kept = (self.network == network) & (self.day >= first_day) & (self.day <= last_day)
        columns = (self.stint, self.network, self.day, self.second, self.town, self.corner, self.chance)
        return _Sightings(*(column[kept] for column in columns))


def _as_written(handset: Handset, style: str, count: int) -> str:
    """An IMEI as one operator's billing system writes it."""
    if handset.reported_imei is not None and style == "spare-zero":
        return f"{handset.reported_imei}0"
    if Fact.GARBLED in handset.facts:
        return handset.imei
    match style:
        case "luhn":
            return handset.imei + luhn_check_digit(handset.imei)
        case "spare-zero":
            return f"{handset.imei}0"
        case "software-version":
            return f"{handset.imei}{1 + count % 7:02d}"
        case _:
            return handset.imei


def _write_dump(path: Path, cells: Sequence[Cell], cast: Cast, rows: _Sightings, *, wrong_rows: bool = False) -> None:
    out = ["Date,IMEI,IMSI,MSISDN,RAT,Time,Cell"]
    days = [f"{FIRST_DAY + timedelta(days=day):%Y%m%d}" for day in range(DAYS)]
    for at in range(len(rows.stint)):
        stint = cast.stints[rows.stint[at]]
        operator = OPERATORS[stint.network]
        cell = cells[(stint.network * len(TOWNS) + int(rows.town[at])) * CELLS_PER_TOWN + int(rows.corner[at])]
        chance = float(rows.chance[at])
        rat = _RAT[2 + bisect_right(_USE[stint.handset.generation], chance)]
        # One record in eighty lost its number on the way; that is no fault of the one who made the call.
        msisdn = "" if int(chance * 1_000_000) % 80 == 0 else stint.line.msisdn
        second = int(rows.second[at])
        out.append(
            f"{days[rows.day[at]]},{_as_written(stint.handset, operator.imei_style, at)},{stint.line.imsi},{msisdn},{rat},"
            f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d},{cell.name}"
        )
    if wrong_rows:
        for number, row in enumerate(_WRONG_ROWS):
            out.insert(10 + number * 97, row)
    _write_gz(path, out)


# Rows that no register can use; each must be set aside with its reason, and the file must go on.
_WRONG_ROWS = (
    "20261399,77100101000001,001011000000007,999600000013,006,10:00:00,N000",  # there is no 13th month
    "20271001,77100101000001,001011000000007,999600000013,006,10:00:00,N000",  # the future
    "20261005,77100101000001,00101100000000X,999600000013,006,10:00:00,N000",  # an IMSI with a letter
    "20261005,77100101000001,001011000000007",  # the line breaks off
    "20261005,77100101000001,001011000000007,999600000013,006,25:61:00,N000",  # no such time of day
    "20261005,77100101000001,001011000000007,999600000013,006,10:00:00,N000,what,is,this",  # too many fields
)


def _write_gz(path: Path, rows: Iterable[str]) -> None:
    octets = "\r\n".join(rows).encode() + b"\r\n"
    # mtime 0 and no name: equal rows give equal files.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=5) as out:
        out.write(octets)


def _write_rows(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    text.write(f"{header}\n")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="")


def _write_cells(path: Path, cells: Sequence[Cell]) -> None:
    _write_rows(
        path,
        "cell,lat,lon,radius_m",
        [(cell.name, f"{cell.lat:.5f}", f"{cell.lon:.5f}", cell.radius_m) for cell in cells],
    )


def _printed(imei: str) -> str:
    """An IMEI as it stands on a label: with its check digit."""
    return imei + luhn_check_digit(imei)


def _write_lists(country: Country, rng: np.random.Generator) -> None:
    """The authorities' lists, a few wrong rows among them."""
    country.list_file("tac").write_text("\n".join(tac_rows()) + "\n", encoding="utf-8")
    _write_registration(country)
    _write_stolen(country)
    seen = [handset for handset in country.handsets if handset.number in country.lines_of_handset]
    quiet = [handset for handset in seen if handset.story == "ordinary"]

    # Rightful owners who came to the counter with their invoice: their number and SIM belong together.
    owners = [h for h in seen if Fact.ORIGINAL in h.facts and Fact.STOLEN not in h.facts][::3]
    _write_rows(
        country.list_file("pairing"),
        "imei,imsi,msisdn",
        [(_printed(h.imei), line.imsi, line.msisdn) for h in owners for line in country.lines_of_handset[h.number][:1]],
    )
    known = [(h, country.lines_of_handset[h.number][0]) for h in seen if h.is_registered and rng.random() < 0.7]
    _write_rows(country.list_file("association"), "uid,imei", [(line.person, h.imei) for h, line in known])
    _write_rows(
        country.list_file("subscribers"),
        "uid,imsi",
        [(line.person, line.imsi) for line in country.lines if line.operator is not None],
    )
    _write_rows(
        country.list_file("barred"), "imei", [(_printed(h.imei),) for h in seen if h.story == "barred by a court"]
    )
    _write_rows(country.list_file("barred-tac"), "tac", [(RECALLED,)])
    _write_rows(country.list_file("monitoring"), "imei", [(_printed(h.imei),) for h in quiet[100:108]])
    _write_rows(country.list_file("golden"), "golden_imei", [(h.imei,) for h in quiet[200:210]])


def _write_registration(country: Country) -> None:
    """What was registered: singles, all numbers of one handset under one device_id, a consignment as one range."""
    rows: list[Sequence[object]] = []
    for handset in country.handsets:
        if not handset.is_registered or Fact.COPY in handset.facts or handset.model is None:
            continue
        if handset.story != "in stock":
            device = f"D{handset.device:06d}"
            serial = f"TS8X{handset.device:06d}" if handset.model.device_type == "Tablet" else ""
            rows.append(_registered(_printed(handset.imei), handset.model, device, serial))
    stock = next(model for model in MODELS if model.tac == STOCK_FIRST[:8])
    rows.append(_registered(f"{STOCK_FIRST}-{int(STOCK_FIRST) + STOCK - 1:014d}", stock, "", ""))
    rows.append(_registered("7710010110017x", MODELS[0], "DWRONG1", ""))  # a letter that no IMEI has
    rows.append(_registered(_printed("77100101000002"), MODELS[0], "D-WRONG", ""))  # a sign that no device_id has
    header = (
        "approved_imei,make,model,status,model_number,brand_name,device_type,radio_interface,device_id,serial_number"
    )
    _write_rows(country.list_file("registration"), header, rows)


def _registered(imei: str, model: Model, device: str, serial: str) -> tuple[str, ...]:
    return (imei, model.brand, model.name, "", model.name, model.brand, model.device_type, "", device, serial)


def _write_stolen(country: Country) -> None:
    """The police list at the end of the month, and the delta that comes a day later: six new thefts, five recoveries."""
    reported = [h for h in country.handsets if h.stolen_on is not None]
    gone = [h for h in reported if h.story == "stolen"]
    late, given_back = gone[-6:], [h for h in reported if h.story == "stolen and given back"]

    def row(handset: Handset) -> tuple[str, str, str]:
        assert handset.stolen_on is not None
        # Two in three are reported on the day of the theft, the others on the next.
        day = FIRST_DAY + timedelta(days=min(handset.stolen_on + (handset.number % 3 == 0), DAYS - 2))
        return _printed(handset.imei), f"{day:%Y%m%d}", ""

    rows: list[Sequence[object]] = [row(handset) for handset in reported if handset not in late]
    rows.append(("77100101100999x", "20261011", ""))  # its 15th character is no digit: the 14 before it decide
    rows.append(("771001011009998", "20261350", ""))  # no such day
    _write_rows(country.list_file("stolen"), "imei,reporting_date,status", rows)
    _write_rows(
        country.list_file("stolen-delta"),
        "imei,reporting_date,status,change_type",
        [(*row(handset), "add") for handset in late] + [(*row(handset), "remove") for handset in given_back],
    )


def _write_truth(country: Country) -> None:
    _write_rows(
        country.truth,
        "handset,device,seen_as,imei,brand,model,story,facts,stolen_on",
        [
            (
                h.number,
                h.device,
                seen_as(h),
                h.imei,
                h.model.brand if h.model else "",
                h.model.name if h.model else "",
                h.story,
                "|".join(sorted(h.facts)),
                FIRST_DAY + timedelta(days=h.stolen_on) if h.stolen_on is not None else "",
            )
            for h in country.handsets
        ],
    )


def _policy_text() -> str:
    text = '[country]\nname = "Exampleland"\nmcc = ["001"]\ncountry_codes = ["999"]\nexempt_device_types = ["Module"]\n'
    for operator in OPERATORS:
        text += f'\n[operators.{operator.id}]\nname = "{operator.name}"\nmcc_mnc = ["{operator.mcc_mnc}"]\n'
    return text
