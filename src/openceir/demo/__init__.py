"""Exampleland: a made-up country with ground truth, and the whole register run on it from files to verdicts."""

from openceir.demo.country import FIRST_DAY, LAST_DAY, SEED, Country, write_country

__all__ = ["FIRST_DAY", "LAST_DAY", "SEED", "Country", "write_country"]
