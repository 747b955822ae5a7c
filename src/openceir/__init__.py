"""openceir: a national register of devices whose verdicts are signed, explained and appealable.

The rooms and what each may import are drawn in docs/where.md; tests/test_house.py holds the house to it.
"""

__version__ = "0.1.0"
