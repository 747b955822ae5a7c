"""Blocked ranges: rows apart from one another that hold exactly the blocked numbers."""

import itertools
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from openceir.lists import RangeBlock, blocked_ranges

DAYS = [date(2027, 3, 1), date(2027, 3, 2)]


def pieces_of(cuts, kinds):
    """Neighbouring stretches between cuts, each blocked in one of two ways or not at all."""
    for (lo, after), kind in zip(itertools.pairwise(cuts), kinds, strict=False):
        if kind is not None:
            yield RangeBlock(lo, after - 1, DAYS[kind], "unallocated")


@given(
    st.lists(st.integers(0, 60), unique=True, max_size=10).map(sorted),
    st.lists(st.sampled_from([None, 0, 1]), min_size=10, max_size=10),
    st.sets(st.integers(0, 60)).map(sorted),
)
def test_ranges_hold_exactly_the_blocked_numbers_and_none_that_is_spared(cuts, kinds, spared):
    pieces = list(pieces_of(cuts, kinds))
    expected = {
        number: piece.block_on
        for piece in pieces
        for number in range(piece.lo, piece.hi + 1)
        if number not in set(spared)
    }
    found = list(blocked_ranges(pieces, spared))
    assert {number: row.block_on for row in found for number in range(row.lo, row.hi + 1)} == expected
    assert all(before.hi < after.lo for before, after in itertools.pairwise(found))


def test_a_million_numbers_are_one_row():
    halves = [
        RangeBlock(77000000000000, 77000000499999, DAYS[0], "x"),
        RangeBlock(77000000500000, 77000000999999, DAYS[0], "x"),
    ]
    assert list(blocked_ranges(halves, [])) == [RangeBlock(77000000000000, 77000000999999, DAYS[0], "x")]
