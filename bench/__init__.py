"""The benchmark harness: what each `bench/<name>.py` is given, what it gives back, and how it measures.

Read `bench/README.md` first. Nothing here is imported by the product.
"""

from bench._meter import Reading, meter, read_apart
from bench._row import SCALES, Beside, Row, Scale

__all__ = ["SCALES", "Beside", "Reading", "Row", "Scale", "meter", "read_apart"]
