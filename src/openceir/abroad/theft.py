"""The measured path: a theft stated at one nation's desk, until the networks of every nation answer by it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from openceir.abroad.country import Country, wait_until
from openceir.eir.attributes import Status

__all__ = ["Theft", "follow_theft"]


@dataclass(slots=True)
class Theft:
    """Seconds since the report was handed in at the desk, on one clock. In the order in which things happen."""

    logged_s: float  # signed, in the nation's own log, under a signed checkpoint on the disk
    received_s: dict[str, float] = field(default_factory=dict)  # by nation: verified, and in the national claims
    listed_s: dict[str, float] = field(default_factory=dict)  # on the operator's signed block list
    blocked_s: dict[str, float] = field(
        default_factory=dict
    )  # a network that asks its EIR over S13 is told BLACKLISTED


def follow_theft(countries: Mapping[str, Country], at_desk_of: str, imei: str) -> Theft:
    """State the theft of this device in one country and watch it arrive in all of them.

    Raises: FederationError when it does not, in five minutes.
    """
    began = time.monotonic()
    entry = countries[at_desk_of].steals(imei)
    theft = Theft(time.monotonic() - began)
    others = [code for code in countries if code != at_desk_of]
    steps: list[tuple[dict[str, float], str, list[str], Callable[[Country], bool]]] = [
        (theft.received_s, "the statement to be received", others, lambda country: country.has_received(entry.leaf_hash)),
        (theft.listed_s, "the device to be on the list", [*countries], lambda country: country.lists(imei)),
        (theft.blocked_s, "the network to be told", [*countries], lambda country: country.network_says(imei) is Status.BLOCKED),
    ]  # fmt: skip

    def look() -> bool:
        for times, _, codes, holds in steps:
            for code in codes:
                if code not in times and holds(countries[code]):
                    times[code] = time.monotonic() - began
        return len(theft.blocked_s) == len(countries)

    wait_until(look, "a theft to be blocked everywhere", countries=countries)
    return theft
