"""Runs one benchmark by name: a function that a fresh process can import."""

from importlib import import_module
from pathlib import Path

from bench._row import Row, Scale

__all__ = ["measure_named"]


def measure_named(name: str, work: Path, scale: Scale) -> list[Row]:
    """The rows of `bench/<name>.py`."""
    rows: list[Row] = import_module(f"bench.{name}").measure(work, scale)
    return rows
