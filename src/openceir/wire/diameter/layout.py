"""Requests of a shape that was already checked are read by their shape.

A mobile network's requests differ in their Session-Id and in a handful of values; everything else (every AVP header
with its flags and length, hosts, realms, application ids) comes again octet for octet. So the first request of a
shape is read and checked in full, and its *layout* is kept: where in the request, counted from the end of the
Session-Id, the values stood, and all the octets between them. A later request whose octets between the values are
the same has the same AVPs, for every AVP header lies in those octets: it needs no second check, only its values need
reading. Any other request takes the full way.

The Session-Id is the first AVP and may have any length; its header is checked each time.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Layouts", "Span"]

_MOST_LAYOUTS = 4096  # per link: a routing agent fans in the hosts of a country; a hostile peer costs 2 MiB
_MOST_CUTS = 4  # ways to cut one length that are tried in turn

Known = TypeVar("Known")


class Span(NamedTuple):
    """Where one value stands. Units: octets from the end of the Session-Id AVP, end not included."""

    start: int
    end: int


class Layouts(Generic[Known]):
    """The layouts that were seen on one link, each with what is known of every request of that shape."""

    def __init__(self) -> None:
        # For each length of request the ways it was cut, each with its own shapes: the same octets between values at
        # other places would prove nothing. An itemgetter of slices cuts in one step, in C.
        self._cuts: dict[int, list[tuple[Callable[[bytes], Hashable], dict[Hashable, Known]]]] = {}
        self._places: dict[tuple[int, tuple[Span, ...]], dict[Hashable, Known]] = {}
        self._count = 0

    def find(self, tail: bytes) -> Known | None:
        """What is known of a request with this tail, None when its shape is new."""
        for cut, shapes in self._cuts.get(len(tail), ()):
            known = shapes.get(cut(tail))
            if known is not None:
                return known
        return None

    def learn(self, tail: bytes, values: Sequence[Span], known: Known) -> None:
        """Keep the shape of a request that was read and checked in full; `values` are in order of place."""
        if self._count >= _MOST_LAYOUTS:
            self._cuts.clear()
            self._places.clear()
            self._count = 0
        cuts = self._cuts.setdefault(len(tail), [])
        borders = [0, *(border for span in values for border in span), len(tail)]
        cut = itemgetter(*[slice(start, end) for start, end in list(pairwise(borders))[::2]])
        places = (len(tail), tuple(values))
        shapes = self._places.get(places)
        if shapes is None:
            if len(cuts) >= _MOST_CUTS:
                return
            shapes = self._places[places] = {}
            cuts.append((cut, shapes))
        shapes[cut(tail)] = known
        self._count += 1
