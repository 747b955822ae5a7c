"""Labels in photos: how many are read under each condition, and what one photo costs."""

from pathlib import Path

import numpy as np
from tests.scan.a_label import CONDITIONS, Condition, a_photo

from bench import Row, Scale, meter
from openceir.scan import find_imeis, read_grey

_PHOTOS = 40  # a condition
_LISTING = "Spark 10, 8/256, box and charger, IMEI 00 100100 000001 5, price 35000, call 0010000001"
_LISTINGS = 5_000


def measure(work: Path, scale: Scale) -> list[Row]:
    """Every condition, all of them together, and the texts of advertisements."""
    rows = [_row(condition) for condition in CONDITIONS]
    costs = sum(row.cpu_seconds for row in rows)
    photos = _PHOTOS * len(CONDITIONS)
    rows.append(
        Row(
            name=f"labels in {photos} photos, all conditions", measured=1000 * costs / photos, unit="ms/photo",
            cpu_seconds=costs, note=f"both IMEIs in {sum(row.measured for row in rows) / len(rows):.3f} of them",
        )
    )  # fmt: skip
    with meter() as reading:
        for _ in range(_LISTINGS):
            find_imeis(_LISTING)
    each = reading.cpu_seconds / _LISTINGS * 1e6
    rows.append(
        Row(
            name=f"IMEIs in texts of {len(_LISTING)} characters",
            measured=each,
            unit="us/text",
            cpu_seconds=reading.cpu_seconds,
        )
    )
    return rows


def _row(condition: Condition) -> Row:
    photos = [a_photo(condition, 1000 + seed) for seed in range(_PHOTOS)]
    both, wrong = 0, 0
    with meter() as reading:
        for label, image in photos:
            read = {each.canonical for each in read_grey(np.asarray(image))}
            both += read == set(label.imeis)
            wrong += len(read - set(label.imeis))
    return Row(
        name=f"both IMEIs read: {condition.name}", measured=both / _PHOTOS, unit="of photos",
        target=f">= {condition.floor}", cpu_seconds=reading.cpu_seconds,
        note=f"{1000 * reading.cpu_seconds / _PHOTOS:.0f} ms a photo; {wrong} false reads",
    )  # fmt: skip
