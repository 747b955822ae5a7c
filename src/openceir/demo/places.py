"""Exampleland on the map: an island in the open Atlantic with a dozen towns, and four networks' cells in them."""

from dataclasses import dataclass
from math import asin, cos, radians, sqrt

import numpy as np

__all__ = ["CELLS_PER_TOWN", "OPERATORS", "TOWNS", "Cell", "Operator", "Town", "distance_km", "make_cells"]

CELLS_PER_TOWN = 6


@dataclass(frozen=True, slots=True)
class Operator:
    """One network. `imei_style` is how its billing system writes an IMEI."""

    id: str
    name: str
    mcc_mnc: str
    share: float
    imei_style: str  # luhn | bare | spare-zero | software-version


OPERATORS = (
    Operator("northtel", "Northtel", "00101", 0.38, "luhn"),
    Operator("southtel", "Southtel", "00102", 0.30, "bare"),
    Operator("easttel", "Easttel", "00103", 0.20, "spare-zero"),
    Operator("westtel", "Westtel", "00104", 0.12, "software-version"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """Where people live. Units: degrees; `share` of the people."""

    name: str
    lat: float
    lon: float
    share: float


TOWNS = (
    Town("Capital", 1.00, -28.00, 0.30),
    Town("Portside", 0.20, -29.60, 0.14),
    Town("Northgate", 3.60, -28.40, 0.10),
    Town("Eastbridge", 1.30, -25.20, 0.09),
    Town("Southfield", -1.90, -27.70, 0.08),
    Town("Westhaven", 1.50, -31.00, 0.07),
    Town("Millbrook", 2.10, -27.10, 0.06),
    Town("Stonecross", -0.60, -26.30, 0.05),
    Town("Lakeside", 2.60, -30.10, 0.04),
    Town("Highmoor", 3.00, -26.20, 0.03),
    Town("Saltmarsh", -1.40, -30.00, 0.02),
    Town("Farpoint", 4.30, -25.00, 0.02),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of one network. Units: degrees, metres."""

    operator: str
    name: str
    lat: float
    lon: float
    radius_m: int


def make_cells(rng: np.random.Generator) -> list[Cell]:
    """CELLS_PER_TOWN cells in every town for every network, in the order operator, town, number."""
    cells = []
    for operator in OPERATORS:
        for place, town in enumerate(TOWNS):
            for number in range(CELLS_PER_TOWN):
                north, east = rng.uniform(-0.03, 0.03, 2)
                radius_m = int(rng.choice([1500, 3000, 6000]))
                name = f"{operator.id[0].upper()}{place:02d}{number}"
                cells.append(Cell(operator.id, name, round(town.lat + north, 5), round(town.lon + east, 5), radius_m))
    return cells


def distance_km(one: Town, other: Town) -> float:
    """Great-circle distance on a sphere of 6,371 km."""
    half_lat, half_lon = radians(other.lat - one.lat) / 2, radians(other.lon - one.lon) / 2
    chord = _sin2(half_lat) + cos(radians(one.lat)) * cos(radians(other.lat)) * _sin2(half_lon)
    return 2 * 6371.0 * asin(sqrt(chord))


def _sin2(angle: float) -> float:
    return (1 - cos(2 * angle)) / 2
