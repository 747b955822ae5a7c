"""The same SQL text on Apache Spark: measures, facts, conditions and rules, equal to DuckDB's answers."""

import shutil
from datetime import timedelta

import pyarrow as pa
import pytest
from tests.detection.small_world import SMALL, Sighting, World, instant, rule, rules, use
from tests.detection.strategies import CELLS, DEVICES, FIRST_DAY, IMSIS, MSISDNS

from openceir.detection import LISTS, Engine, example_rules, parse_rules
from openceir.detection.earlier import moved_steps
from openceir.detection.measuring import CellMap, TravelLimits, conflict_steps, month_steps
from openceir.detection.plan import country_tables, plan_rules
from openceir.detection.sql import epoch_day
from openceir.identity import rat_mask

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not on this machine"),
]
DAY = FIRST_DAY.replace(day=1) + timedelta(days=33)  # 2026-10-04: one month is enough here
RATS = [rat_mask(code) for code in ("002", "001", "006", "051")]
LAST = DAY + timedelta(days=5)


def sightings() -> list[Sighting]:
    """Four hundred, regular enough that every relation has rows and irregular enough that none has all."""
    return [
        Sighting(
            day=(day := DAY + timedelta(days=n * 7 % 6)),
            operator=("northtel", "southtel")[n % 2],
            device=None if n % 41 == 0 else DEVICES[n * n % len(DEVICES)],
            imsi=None if n % 13 == 0 else IMSIS[n * 5 % 7 % len(IMSIS)],
            msisdn=None if n % 11 == 0 else MSISDNS[n * 3 % 5],
            rat=None if n % 17 == 0 else RATS[n % 4],
            ts=instant(day, n * 1.37 % 24),
            cell=CELLS[n * 3 % 5][0],
        )
        for n in range(400)
    ]


def lists() -> dict[str, pa.Table]:
    return World(
        lists={
            "stolen": [(DEVICES[0],), (DEVICES[5],), (42,)], "barred": [(DEVICES[1],)], "barred_tac": [(35_000_002,)],
            "monitored": [(DEVICES[6], 20_700)], "registered": [(DEVICES[7],)],
            "registered_range": [(35_000_001_000_000, 86_000_001_000_001)], "associated": [(DEVICES[2],)],
            "subscriber": [(IMSIS[0], "1"), (IMSIS[1], "2"), (IMSIS[2], "2")],
            "tac": [(35_000_001, "Maker", "One", "Module", 1), (35_000_002, "Maker", "Two", "Phone", 3)],
        }
    ).tables()  # fmt: skip


def test_spark_answers_as_duckdb_from_the_same_text():
    from pyspark.sql import SparkSession

    extra = "".join(rule(name, use(name, period_days=6)) for name in ("international_roamer", "local_other_roamer"))
    extra += rule("series", use("transient", period_days=1, num_msisdns=1))
    extra += rule("fast", use("time_distance", conflicts=2, days=1)) + rule(
        "undeclared", use("not_on_association_list")
    )
    policy = rules(example_rules() + extra)
    rows = sightings()
    cells = CellMap.of(World(cells=CELLS).cell_table())
    raw = pa.table(
        {
            **{
                name: pa.array([getattr(row, name) for row in rows], pa.int64())
                for name in ("device", "imsi", "msisdn", "rat", "ts", "cell")
            },
            "operator": pa.array([("northtel", "southtel").index(row.operator) for row in rows], pa.int64()),
            "day_bit": pa.array([1 << (row.day.day - 1) for row in rows], pa.int64()),
        }
    )
    month_on = epoch_day(DAY.replace(day=1))
    plan = plan_rules(parse_rules(policy, LAST), LAST)
    conflict_days = [DAY + timedelta(days=n) for n in range(6)]
    given = {"sightings": raw, "cells": cells.table, **country_tables(policy, LAST)}
    given["shared_imsi"] = pa.table({"imsi": pa.array([IMSIS[1]], pa.int64())})
    given["kept"] = pa.table({"device": pa.array([DEVICES[3]], pa.int64())})
    given |= {name: schema.empty_table() for name, schema in LISTS.items()} | lists()
    given["subscriber"] = given["subscriber"].set_column(1, "uid", pa.array([1, 2, 2], pa.int64()))
    months = (
        ("triplets", f"SELECT CAST({month_on} AS BIGINT) AS month_on, t.* FROM month_triplets AS t"),
        ("devices", f"SELECT CAST({month_on} AS BIGINT) AS month_on, d.* FROM month_devices AS d"),
    )
    steps = [(step.name, step.sql) for step in month_steps()] + list(months)
    limits = TravelLimits.on(policy, DAY)
    for number, day in enumerate(conflict_days):
        steps += [(f"conflicts_{number}", step.sql) for step in conflict_steps(day, limits, cells.widest_m)]
    steps.append(("conflicts", " UNION ALL ".join(f"SELECT * FROM conflicts_{n}" for n in range(6))))
    steps += [(step.name, step.sql) for step in plan.steps]
    moved = moved_steps(parse_rules(policy, LAST), LAST - timedelta(days=2), LAST)
    steps += [(step.name, step.sql) for step in moved]
    compared = ["month_triplets", "month_devices", *(step.name for step in (*plan.steps, *moved))]
    travel = (
        "SELECT device, ts, cell, imsi, previous_ts, previous_cell, previous_imsi, apart_m, simultaneous FROM conflicts"
    )

    with Engine(SMALL) as engine:
        for name, table in given.items():
            engine.take(name, table)
        for name, sql in steps:
            engine.connection.execute(f"CREATE TEMP TABLE {name} AS {sql}")
        expected = {name: engine.fetch(f"SELECT * FROM {name}").to_pylist() for name in compared}
        expected["conflicts"] = engine.fetch(travel).to_pylist()

    spark = (
        SparkSession.builder.master("local[1]")
        .appName("openceir-tests")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.codegen.wholeStage", "false")  # compiling each step costs more than so few rows
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.ui.showConsoleProgress", "false")
        # The JVM ends before compiling its code thoroughly would pay.
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .getOrCreate()
    )
    found = {}
    try:
        spark.sparkContext.setLogLevel("OFF")
        for name, table in given.items():
            spark.createDataFrame(table).createOrReplaceTempView(name)
        for name, sql in steps:
            table = spark.sql(sql).toArrow()  # each step is carried out once, and the next one's plan stays small
            spark.createDataFrame(table).createOrReplaceTempView(name)
            if name in compared:
                found[name] = table.to_pylist()
        found["conflicts"] = spark.sql(travel).toArrow().to_pylist()
    finally:
        spark.stop()

    for name, table in expected.items():
        assert sorted(map(repr, found[name])) == sorted(map(repr, table)), name
    matched = {name for row in expected["verdict"] for name, holds in row.items() if name.startswith("rule_") and holds}
    assert len(matched) >= 12, "too few rules matched to compare anything"
    assert expected["conflicts"]
