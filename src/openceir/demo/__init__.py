"""Exampleland: a made-up country with ground truth, and the whole register run on it from files to verdicts."""

from openceir.demo.country import FIRST_DAY, LAST_DAY, SEED, Country, write_country
from openceir.demo.run import DemoRefused, run_demo

__all__ = ["FIRST_DAY", "LAST_DAY", "SEED", "Country", "DemoRefused", "run_demo", "write_country"]
