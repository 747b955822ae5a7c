"""A synthetic nation of any size: what its operators and authorities would send, and the same as a Parquet lake.

Made for speed measurements, not for judging accuracy (that is the demo's country). What it holds, in shares that national
dumps were reported or measured to have:

- four operators with 40, 30, 20 and 10 % of the lines, thirty days and one day more;
- IMEIs written as each operator writes them: 14 digits, 15 with the check digit, 15 with a spare 0, 16 with a software version;
- 0.4 % malformed in nine kinds: letter, short, 13 digits, 17 digits, inner space, trailing tab, `null`, empty, other script;
- 50,000 TACs in Zipf's proportions, 2 % of the devices on TACs that nobody allocated;
- two-SIM devices, SIM swaps, clones of 2 to 300 copies, two hot IMEIs on 0.15 % of the lines, and planted pairs of
  sightings that no journey connects.

Every TAC starts with 77, a reporting body that does not exist: no number here is a real device's.

Units: `rows` counts sightings of the thirty days; the further day adds a thirtieth. Times are UTC.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

__all__ = ["FIRST_DAY", "OPERATORS", "Nation", "make"]

FIRST_DAY = date(2026, 10, 1)
DAYS = 30
OPERATORS = {"northtel": 0.4, "southtel": 0.3, "easttel": 0.2, "westtel": 0.1}
COUNTRY_CODE = 999
LINES_PER_ROW = 1 / 12  # a line is one subscriber in one device: about twelve sightings a month
PARTS = 4  # files an operator sends of a month, so that two cores have work

# RAT codes of operators' dumps (TS 29.061 §16.4.7.2 and operators' use): GERAN, UTRAN, E-UTRAN, NR.
RAT_CODES = ("002", "001", "006", "051")
BANDS = ("GSM 900, GSM 1800", "WCDMA FDD Band I", "LTE FDD BAND 3", "NR n78")
RAT_SHARES = (0.05, 0.1, 0.65, 0.2)

TOWNS = 200
CELLS_PER_TOWN = 25
_SPAN_KM = (900.0, 700.0)
_KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class Nation:
    """The files of one synthetic nation in one folder, and its sightings as arrays.

    Equal `rows` and `seed` give equal files.
    """

    folder: Path
    rows: int
    seed: int

    @property
    def dumps(self) -> list[Path]:
        """The month as the operators sent it: `<operator>_<first day>_<last day>.csv.gz`, PARTS files each."""
        return sorted((self.folder / "month").glob("*.csv.gz"))

    @property
    def further_day(self) -> list[Path]:
        """One file an operator of the day after the month."""
        return sorted((self.folder / "further-day").glob("*.csv.gz"))

    @property
    def cells(self) -> list[Path]:
        """One file an operator: `cell,lat,lon,radius_m`."""
        return sorted((self.folder / "cells").glob("*.csv"))

    def list_file(self, name: str) -> Path:
        """One authority's list: tac, registration, stolen, stolen-delta, pairing, association, subscribers, barred,
        barred-tac, monitoring or golden."""
        return self.folder / "lists" / (f"{name}.txt" if name == "tac" else f"{name}.csv")

    @property
    def policy(self) -> Path:
        """The country and its operators, as an overlay of the packaged policy."""
        return self.folder / "policy.toml"

    def write_dumps(self) -> None:
        """Write the month and the further day as CSV.gz, where absent."""
        spans = np.array_split(np.arange(DAYS), PARTS)
        for number, operator in enumerate(OPERATORS):
            for span in spans:
                days = [int(day) for day in span]
                self._write_dump(self.folder / "month", operator, number, days)
            self._write_dump(self.folder / "further-day", operator, number, [DAYS])

    def _write_dump(self, folder: Path, operator: str, number: int, days: list[int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        first, last = (FIRST_DAY + timedelta(days=day) for day in (days[0], days[-1]))
        path = folder / f"{operator}_{first:%Y%m%d}_{last:%Y%m%d}.csv.gz"
        if path.exists():
            return
        fresh = path.with_suffix(".new")
        with igzip.open(fresh, "wb", compresslevel=2) as out:
            out.write(b"Date,IMEI,IMSI,MSISDN,RAT,Time,Cell\r\n")
            for day in days:
                out.write(_csv_rows(number, day, self.sightings(number, day)))
        fresh.replace(path)

    def lake(self, *, further_day: bool = False) -> list[Path]:
        """The same sightings as lake files, `lake/sightings/day=…/<operator>~bench.parquet`; written when absent.

        The malformed stand under keys from 10^14 up, as docs/architecture.md §2 says; `identifiers.parquet` beside
        the days has (key, text).
        """
        root = self.folder / "lake"
        days = range(DAYS, DAYS + 1) if further_day else range(DAYS)
        texts: dict[str, int] = {}
        files = []
        for day in days:
            folder = root / "sightings" / f"day={FIRST_DAY + timedelta(days=day)}"
            folder.mkdir(parents=True, exist_ok=True)
            for number, operator in enumerate(OPERATORS):
                path = folder / f"{operator}~bench.parquet"
                files.append(path)
                if not path.exists():
                    table = _lake_table(number, day, self.sightings(number, day), texts)
                    fresh = path.with_suffix(".new")
                    pq.write_table(table, fresh, compression="zstd", compression_level=3)
                    fresh.replace(path)
        if texts:
            name = "identifiers-further-day.parquet" if further_day else "identifiers.parquet"
            pq.write_table(pa.table({"key": list(texts.values()), "text": list(texts)}), root / name)
        return files

    @cached_property
    def people(self) -> "_People":
        """Who uses which device with which number, where and when."""
        return _People.make(self.rows, self.seed)

    def sightings(self, operator: int, day: int) -> "_Sightings":
        """What one operator saw on one day (0 = the first)."""
        return self.people.seen(operator, day)


def make(work: Path, *, rows: int, seed: int = 7, dumps: bool = True) -> Nation:
    """The nation of `rows` sightings a month under `work`, made when absent.

    `dumps=False` leaves the CSV.gz files out, for benchmarks that only need the lake and the lists.
    """
    nation = Nation(folder=work / f"nation-{rows}-{seed}", rows=rows, seed=seed)
    nation.folder.mkdir(parents=True, exist_ok=True)
    if not nation.policy.exists():
        nation.people.write_lists(nation)
        nation.policy.write_text(_policy_text(), encoding="utf-8")  # last: says that the lists are whole
    if dumps:
        nation.write_dumps()
    return nation


@dataclass(frozen=True)
class _Sightings:
    """Columns of one operator's day; all of one length.

    Units: `imei` 14 digits as a number; `second` of the day; `cell` row of the cell table; `oddity` 0, or the
    malformed kind that the row is to be written as.
    """

    imei: np.ndarray
    imsi: np.ndarray
    msisdn: np.ndarray
    rat: np.ndarray
    second: np.ndarray
    cell: np.ndarray
    oddity: np.ndarray


@dataclass(frozen=True)
class _People:
    """One row a line: a subscriber who uses a device from a day to a day in a town."""

    rows: int
    seed: int
    imei: np.ndarray
    imsi: np.ndarray
    msisdn: np.ndarray
    operator: np.ndarray
    town: np.ndarray
    capability: np.ndarray  # how many of the four generations the model speaks, 1..4
    first_day: np.ndarray
    last_day: np.ndarray
    tacs: np.ndarray
    tac_generations: np.ndarray
    tac_allocated: np.ndarray

    @classmethod
    def make(cls, rows: int, seed: int) -> "_People":
        rng = np.random.default_rng((seed, rows))
        lines = max(int(rows * LINES_PER_ROW), 2_000)
        tacs = 77_000_000 + np.sort(rng.choice(1_000_000, 50_000, replace=False))
        weights = 1 / np.arange(1, len(tacs) + 1)
        order = rng.permutation(len(tacs))
        allocated = rng.random(len(tacs)) > 0.02
        generations = rng.choice([2, 3, 4], len(tacs), p=[0.15, 0.5, 0.35])

        popular = order[rng.choice(len(tacs), lines, p=weights / weights.sum())]
        # Half of a model's units come from runs that were sold together, half from anywhere in the range.
        serial = np.where(
            rng.random(lines) < 0.5,
            rng.integers(0, 20_000, lines) + (popular % 40) * 20_000,
            rng.integers(0, 1_000_000, lines),
        )
        imei = tacs[popular] * 1_000_000 + serial
        town = rng.integers(0, TOWNS, lines)
        operator = rng.choice(len(OPERATORS), lines, p=list(OPERATORS.values()))
        first_day = np.zeros(lines, dtype=np.int8)
        last_day = np.full(lines, DAYS, dtype=np.int8)

        def of(count: int) -> np.ndarray:
            return rng.choice(lines, count, replace=False)

        # A two-SIM device: two lines, two neighbouring IMEIs, one town.
        pairs = of(lines // 5 * 2).reshape(2, -1)
        imei[pairs[1]] = imei[pairs[0]] + 1 - 2 * (imei[pairs[0]] % 1_000_000 == 999_999)
        town[pairs[1]] = town[pairs[0]]
        # A SIM swap: the same device goes on under another subscriber.
        swaps = of(lines // 50 * 2).reshape(2, -1)
        imei[swaps[1]], town[swaps[1]] = imei[swaps[0]], town[swaps[0]]
        last_day[swaps[0]] = rng.integers(4, 26, swaps.shape[1])
        first_day[swaps[1]] = last_day[swaps[0]] + 1
        # Clones: one IMEI in several towns at once; most groups are small, a few have 300 copies.
        sizes = np.minimum(300, 2 + rng.pareto(1.1, max(lines // 400, 4)).astype(np.int64))
        copies = of(min(int(sizes.sum()), lines // 20))
        group = np.repeat(np.arange(len(sizes)), sizes)[: len(copies)]
        imei[copies] = imei[copies[np.searchsorted(group, group)]]
        # Two hot numbers, as counterfeit batches and empty memories show them.
        hot = of(max(lines * 15 // 10_000, 4))
        imei[hot] = np.where(np.arange(len(hot)) % 2, 77_000_000_000_000, 0)

        popular = np.searchsorted(tacs, imei // 1_000_000).clip(0, len(tacs) - 1)
        number = rng.permutation(lines)
        return cls(
            rows=rows,
            seed=seed,
            imei=imei,
            imsi=(10_100 + operator + 1 - 10_000) * 10_000_000_000 + number,  # 001 01 … 001 04
            msisdn=COUNTRY_CODE * 1_000_000_000 + 100_000_000 + number,
            operator=operator.astype(np.int8),
            town=town,
            capability=generations[popular].astype(np.int8),
            first_day=first_day,
            last_day=last_day,
            tacs=tacs,
            tac_generations=generations,
            tac_allocated=allocated,
        )

    def seen(self, operator: int, day: int) -> _Sightings:
        """One operator's day: its active lines, each seen where it lives; planted pairs included."""
        rng = np.random.default_rng((self.seed, self.rows, operator, day))
        active = np.flatnonzero((self.operator == operator) & (self.first_day <= day) & (self.last_day >= day))
        count = _share(self.rows, operator, day)
        line = active[rng.integers(0, len(active), count)]
        cell = self.town[line] * CELLS_PER_TOWN + rng.integers(0, CELLS_PER_TOWN, count)
        second = rng.integers(0, 86_400, count)
        rat = np.minimum(rng.choice(4, count, p=RAT_SHARES), self.capability[line] - 1)
        # Now and then a model answers on a generation that it does not speak: a copy.
        odd_radio = rng.random(count) < 0.0002
        rat[odd_radio] = 3
        # A planted pair: the row after says that the same line was in a distant town four minutes later.
        planted = np.arange(max(count // 25_000, 1)) * 2
        line[planted + 1] = line[planted]
        second[planted + 1] = np.minimum(second[planted] + 240, 86_399)
        cell[planted + 1] = (cell[planted] + TOWNS // 2 * CELLS_PER_TOWN) % (TOWNS * CELLS_PER_TOWN)
        oddity = np.where(rng.random(count) < 0.004, rng.integers(1, len(_ODDITIES) + 1, count), 0)
        return _Sightings(
            imei=self.imei[line],
            imsi=self.imsi[line],
            msisdn=self.msisdn[line],
            rat=rat.astype(np.int8),
            second=second,
            cell=cell,
            oddity=oddity.astype(np.int8),
        )

    def write_lists(self, nation: Nation) -> None:
        """The authorities' lists, in the shares that the peer was measured with."""
        rng = np.random.default_rng((self.seed, self.rows, 1))
        folder = nation.folder / "lists"
        folder.mkdir(parents=True, exist_ok=True)
        (nation.folder / "cells").mkdir(exist_ok=True)
        devices = np.unique(self.imei[self.imei > 77_000_000_000_000])
        shuffled = rng.permutation(devices)
        stolen = max(len(devices) // 128, 10)
        delta = max(len(devices) // 1_000, 5)

        rows = ["TAC|Manufacturer|Brand Name|Model Name|Bands|Allocation Date|Device Type"]
        for place in np.flatnonzero(self.tac_allocated):
            bands = ", ".join(BANDS[: self.tac_generations[place]])
            kind = "Module" if place % 25 == 0 else "Smartphone"
            rows.append(
                f"{self.tacs[place]}|Maker {place % 300}|Brand {place % 300}|M{place}|{bands}|01-Jan-2019|{kind}"
            )
        _write(nation.list_file("tac"), rows)

        # Nine in ten registered: whole blocks of a model as ranges, the rest one by one.
        registered = shuffled[: len(shuffled) * 9 // 10]
        _write(nation.list_file("registration"), ["approved_imei,make,model,status,device_type"], registered, ",,,,")
        _write(nation.list_file("stolen"), ["imei,reporting_date,status"], shuffled[:stolen], ",20261015,")
        later = np.concatenate([shuffled[stolen : stolen + delta * 3 // 4], shuffled[: delta - delta * 3 // 4]])
        changes = np.where(np.arange(delta) < delta * 3 // 4, "add", "remove")
        _write(
            nation.list_file("stolen-delta"),
            ["imei,reporting_date,status,change_type"],
            [f"{imei:014d},20261030,,{change}" for imei, change in zip(later, changes, strict=True)],
        )
        some = rng.choice(len(self.imei), max(len(devices) // 325, 5), replace=False)
        _write(nation.list_file("pairing"), ["imei,imsi,msisdn"], [self._triplet(place) for place in some])
        known = np.flatnonzero(rng.random(len(self.imei)) < 0.56)
        _write(
            nation.list_file("association"),
            ["uid,imei"],
            [f"P{place:09d},{self.imei[place]:014d}" for place in known],
        )
        known = np.flatnonzero(rng.random(len(self.imei)) < 0.9)
        _write(
            nation.list_file("subscribers"),
            ["uid,imsi"],
            [f"P{place:09d},{self.imsi[place]:015d}" for place in known],
        )
        few = max(len(devices) // 5_000, 5)
        _write(nation.list_file("barred"), ["imei"], shuffled[-few:])
        _write(nation.list_file("monitoring"), ["imei"], shuffled[-2 * few : -few])
        _write(nation.list_file("golden"), ["golden_imei"], shuffled[-3 * few : -2 * few])
        _write(nation.list_file("barred-tac"), ["tac", *(str(tac) for tac in self.tacs[-5:])])

        lat, lon = _places(self.seed)
        for operator in OPERATORS:
            _write(
                nation.folder / "cells" / f"{operator}.csv",
                ["cell,lat,lon,radius_m"],
                [
                    f"c{place:05d},{lat[place]:.5f},{lon[place]:.5f},{1500 + 500 * (place % 8)}"
                    for place in range(len(lat))
                ],
            )

    def _triplet(self, place: int) -> str:
        return f"{self.imei[place]:014d},{self.imsi[place]:015d},{self.msisdn[place]}"


def _places(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of every cell: towns on a plain, cells within 4 km of their town."""
    rng = np.random.default_rng(seed)
    # A jittered grid keeps every two towns at least 25 km apart, so that no bus ride reads as a conflict.
    across = int(np.ceil(np.sqrt(TOWNS)))
    grid = np.stack(np.divmod(rng.permutation(across * across)[:TOWNS], across), axis=1)
    km = (grid + rng.uniform(-0.2, 0.2, grid.shape)) * np.array(_SPAN_KM) / across
    cells = np.repeat(km, CELLS_PER_TOWN, axis=0) + rng.uniform(-3, 3, (TOWNS * CELLS_PER_TOWN, 2))
    lat = 5.0 + cells[:, 0] / _KM_PER_DEGREE
    return lat, -30.0 + cells[:, 1] / (_KM_PER_DEGREE * np.cos(np.radians(lat)))


def _share(rows: int, operator: int, day: int) -> int:
    """How many of `rows` fall to one operator and day; the thirty days of all add up to `rows` exactly."""
    bounds = np.concatenate([[0.0], np.cumsum(list(OPERATORS.values()))])
    part = np.rint(bounds * rows).astype(np.int64)
    of_operator = int(part[operator + 1] - part[operator])
    day = day % DAYS
    return of_operator * (day + 1) // DAYS - of_operator * day // DAYS


def _write(path: Path, rows: list[str], imeis: Any = (), rest: str = "") -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{row}\n" for row in rows)
        if isinstance(imeis, list):
            out.writelines(f"{row}\n" for row in imeis)
        else:
            out.writelines(f"{imei:014d}{rest}\n" for imei in imeis)


def _policy_text() -> str:
    text = '[country]\nname = "a synthetic nation"\nmcc = ["001"]\ncountry_codes = ["999"]\n'
    for number, operator in enumerate(OPERATORS):
        text += f'\n[operators.{operator}]\nname = "{operator.title()}"\nmcc_mnc = ["0010{number + 1}"]\n'
    return text


# ---- the octets of a dump ----------------------------------------------------------------------------------------


def _letter(digits: str) -> str:
    return digits[:6] + "A" + digits[7:]


def _spaced(digits: str) -> str:
    return digits[:8] + " " + digits[8:]


def _other_script(digits: str) -> str:
    return "".join(chr(0x0660 + int(digit)) for digit in digits)  # ARABIC-INDIC DIGIT ZERO and on


_ODDITIES: tuple[Any, ...] = (
    _letter,
    lambda digits: digits[:9],
    lambda digits: digits[:13],
    lambda digits: digits + "000",
    _spaced,
    lambda digits: digits + "\t",
    lambda digits: "null",
    lambda digits: "",
    _other_script,
)
_KEEPS_ITS_NUMBER = 6  # a trailing tab is trimmed
_EMPTY = 8
_WIDTH = 32  # octets kept for an IMEI field: fifteen digits of another script and some


def _digits(values: np.ndarray, width: int) -> np.ndarray:
    """`values` as ASCII digits with leading zeros.

    Shapes: n in, n x width octets out.
    """
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = values.astype(np.int64)
    for place in range(width - 1, -1, -1):
        tens = rest // 10
        out[:, place] = rest - tens * 10 + 48
        rest = tens
    return out


def _check_digits(digits: np.ndarray) -> np.ndarray:
    """The Luhn digit of 14 ASCII digits a row (TS 23.003 Annex B)."""
    values = digits.astype(np.int64) - 48
    doubled = values[:, 1::2] * 2
    total = values[:, 0::2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    return (-total % 10 + 48).astype(np.uint8)


def _imei_octets(operator: int, seen: _Sightings) -> np.ndarray:
    """IMEI fields as this operator writes them, filled up with NUL.

    Shapes: n x _WIDTH.
    """
    out = np.zeros((len(seen.imei), _WIDTH), dtype=np.uint8)
    out[:, :14] = _digits(seen.imei, 14)
    match operator:
        case 0:
            out[:, 14] = _check_digits(out[:, :14])
        case 1:
            pass
        case 2:
            out[:, 14] = 48
        case _:
            out[:, 14], out[:, 15] = 48, 49 + seen.imei % 9  # software versions 01 to 09
    for row in np.flatnonzero(seen.oddity):
        octets = _odd_text(seen, row).encode()
        out[row] = 0
        out[row, : len(octets)] = np.frombuffer(octets, dtype=np.uint8)
    return out


def _odd_text(seen: _Sightings, row: int) -> str:
    text: str = _ODDITIES[seen.oddity[row] - 1](f"{seen.imei[row]:014d}")
    return text


def _csv_rows(operator: int, day: int, seen: _Sightings) -> bytes:
    """One operator's day as CSV rows: every field in its own columns, unused octets NUL, and the NULs dropped."""
    count = len(seen.imei)

    def fixed(text: str) -> np.ndarray:
        octets = np.frombuffer(text.encode(), dtype=np.uint8)
        return np.broadcast_to(octets, (count, len(octets)))

    rat = np.frombuffer("".join(RAT_CODES).encode(), dtype=np.uint8).reshape(-1, 3)
    hours, minutes, seconds = seen.second // 3600, seen.second // 60 % 60, seen.second % 60
    columns = [
        fixed(f"{FIRST_DAY + timedelta(days=day):%Y%m%d},"),
        _imei_octets(operator, seen),
        fixed(","),
        _digits(seen.imsi, 15),
        fixed(","),
        _digits(seen.msisdn, 12),
        fixed(","),
        rat[seen.rat],
        fixed(","),
        _digits(hours, 2),
        fixed(":"),
        _digits(minutes, 2),
        fixed(":"),
        _digits(seconds, 2),
        fixed(",c"),
        _digits(seen.cell, 5),
        fixed("\r\n"),
    ]
    octets = np.concatenate(columns, axis=1).ravel()
    return octets[octets != 0].tobytes()


def _lake_table(operator: int, day: int, seen: _Sightings, texts: dict[str, int]) -> pa.Table:
    """One operator's day as the lake holds it (docs/architecture.md §3), sorted by device."""
    from openceir.identity import rat_mask

    device = seen.imei.copy()
    empty = seen.oddity == _EMPTY
    for row in np.flatnonzero((seen.oddity != 0) & (seen.oddity != _KEEPS_ITS_NUMBER) & ~empty):
        text = _odd_text(seen, row).strip(" \t").upper()
        device[row] = texts.setdefault(text, 10**14 + 1 + len(texts))
    masks = np.array([rat_mask(code) for code in RAT_CODES], dtype=np.int64)
    order = np.argsort(np.where(empty, np.iinfo(np.int64).max, device), kind="stable")
    midnight = (FIRST_DAY - date(1970, 1, 1)).days * 86_400 + day * 86_400

    def column(values: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
        return pa.array(values[order].astype(np.int64), mask=None if missing is None else missing[order])

    return pa.table(
        {
            "device": column(device, empty),
            "imsi": column(seen.imsi + 10**15),
            "msisdn": column(seen.msisdn + 10**12),
            "rat": column(masks[seen.rat]),
            "ts": column(seen.second + midnight),
            "cell": column(seen.cell + 1 + operator * TOWNS * CELLS_PER_TOWN),
        }
    )


def main(arguments: list[str]) -> None:
    """`python -m bench.nation ROWS`: make the nation in bench-work/ and say what is there."""
    nation = make(Path("bench-work"), rows=int(arguments[0]))
    for path in sorted(nation.folder.rglob("*.*")):
        print(f"{path.stat().st_size:>14,}  {path}")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
