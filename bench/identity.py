"""Reading columns of identifiers: text to device keys, subscriber keys and RAT masks."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench import Beside, Row, Scale, meter
from openceir.identity.columns import Column, imei_column, rat_column, subscriber_column


def measure(work: Path, scale: Scale) -> list[Row]:
    """A month's worth of values of each kind; IMEIs as operators mix them: 14, 15 and 16 digits."""
    rows = scale.month
    dice = np.random.default_rng(7)
    units = pc.utf8_lpad(pa.array(dice.integers(0, 10**6, rows)).cast(pa.string()), 6, "0")
    tails = pa.array(dice.choice(["", "0", "7", "12"], rows))
    imeis = pc.binary_join_element_wise("00100100", units, tails, "")
    imsis = pc.binary_join_element_wise("001010000", units, "")
    rats = pa.array(dice.choice(["001", "002", "006", "001|006", "051|006"], rows))
    bare = _bare_engine(imeis)
    return [
        _row("IMEI", imei_column, imeis, (Beside(what="DuckDB, CAST of the first 14", measured=bare),), "<= 150"),
        _row("IMSI", subscriber_column, imsis),
        _row("RAT list", rat_column, rats),
    ]


def _row(
    what: str, read: Callable[[pa.Array], Column], texts: pa.Array, beside: tuple[Beside, ...] = (), target: str = ""
) -> Row:
    with meter() as reading:
        read(texts)
    each = reading.cpu_seconds / len(texts) * 1e9
    return Row(
        name=f"{what} column of {len(texts):,} texts to keys", measured=each, unit="ns/value", target=target,
        cpu_seconds=reading.cpu_seconds, peak_mb=reading.peak_mb, beside=beside,
    )  # fmt: skip


def _bare_engine(texts: pa.Array) -> float:
    """The same keys without any rule: what an engine needs to cut and cast."""
    with duckdb.connect() as engine:
        engine.register("field", pa.table({"x": texts}))
        with meter() as reading:
            engine.execute("SELECT bit_xor(CAST(left(x, 14) AS BIGINT)) FROM field").fetchall()
    return reading.cpu_seconds / len(texts) * 1e9
