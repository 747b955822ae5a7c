"""Requests of a shape that was already checked are read by their shape.

A mobile network's requests differ in their identifiers and in a handful of values; everything else (the message's
own header, every AVP header with its flags and length, hosts, realms, application ids) comes again octet for octet.
So the first request of a shape is read and checked in full, and its *layout* is kept: where in the request the values
stood, and all the octets between them. A later request whose octets between the values are the same has the same AVPs,
for every header lies in those octets: it needs no second check, only its values need reading. Any other request takes
the full way.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Layouts", "Span"]

_MOST_LAYOUTS = 4096  # per link: a routing agent fans in the hosts of a country; a hostile peer costs 2 MiB
_MOST_WAYS = 16  # to cut one length, tried in turn; a Session-Id of another length is another way

Known = TypeVar("Known")


class Span(NamedTuple):
    """Where one value stands. Units: octets from the begin of the message, end not included."""

    start: int
    end: int


class Layouts(Generic[Known]):
    """The layouts that were seen on one link, each with what is known of every request of that shape."""

    def __init__(self) -> None:
        # For each length of request the ways it was cut, each with its own shapes: the same octets between values at
        # other places would prove nothing. An itemgetter of slices cuts in one step, in C. A reader goes through them
        # itself: `for cut, shapes in ways.get(len(message), ())`, then `shapes.get(cut(message))`.
        self.ways: dict[int, list[tuple[Callable[[bytes], Hashable], dict[Hashable, Known]]]] = {}
        self._places: dict[tuple[int, tuple[Span, ...]], dict[Hashable, Known]] = {}
        self._count = 0

    def learn(self, message: bytes, values: Sequence[Span], known: Known) -> None:
        """Keep the shape of a request that was read and checked in full; `values` are in order of place."""
        if self._count >= _MOST_LAYOUTS:
            self.ways.clear()
            self._places.clear()
            self._count = 0
        borders = [0, *(border for span in values for border in span), len(message)]
        cut = itemgetter(*[slice(start, end) for start, end in list(pairwise(borders))[::2]])
        places = (len(message), tuple(values))
        shapes = self._places.get(places)
        if shapes is None:
            shapes = self._places[places] = {}
            ways = self.ways.setdefault(len(message), [])
            ways.append((cut, shapes))
            if len(ways) > _MOST_WAYS:
                self._forget(ways.pop(0)[1])
        shapes[cut(message)] = known
        self._count += 1

    def _forget(self, shapes: dict[Hashable, Known]) -> None:
        self._places = {places: kept for places, kept in self._places.items() if kept is not shapes}
        self._count -= len(shapes)
