"""Among nations: a member's log caught up with, its entries judged; a theft on its way to every network."""

import shutil
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench import Beside, Row, Scale, meter
from openceir import clock
from openceir.abroad.certificates import Certificates
from openceir.abroad.country import Country, founded_by, wait_until
from openceir.abroad.follow import Follower, Round
from openceir.abroad.peer import Peer, tls_to_peers
from openceir.abroad.theft import follow_theft
from openceir.eir.attributes import Status
from openceir.statements import DeviceSet, DeviceStolen

BLOCK = 5_000
PHONE = "00100100000001"
STATEMENTS, EACH = 10, 100_000


def measure(work: Path, scale: Scale) -> list[Row]:
    """A log of a fiftieth of the month's rows over TLS from its real door; four nations with a process for everything."""
    return [*_catching_up(work / "federation-log", scale.month // 50), *_among_four(work / "federation-theft")]


def _catching_up(folder: Path, entries: int) -> list[Row]:
    shutil.rmtree(folder, ignore_errors=True)
    certificates = Certificates(folder / "certificates", clock.now())
    countries = {code: Country(folder, code, code, certificates) for code in ("XA", "XB")}
    xa, xb = countries.values()
    with ExitStack() as closing:
        for country in countries.values():
            closing.callback(country.close)
        founded_by(countries, "bench", quorum=2)
        for first in range(0, entries, BLOCK):
            at = clock.now()
            said = [
                DeviceStolen(devices=DeviceSet.of(keys=[number]), stolen_at=at - timedelta(days=1), case_number="N")
                for number in range(first, first + BLOCK)
            ]
            xa.register.state(said, by=xa.police, at=at)
        xa.open_door()
        certificate, key = certificates.of("xb")
        peer = Peer.at(xa.address, xa.regulator, tls_to_peers(certificate, key, certificates.authority))
        closing.callback(peer.close)
        wait_until(lambda: _answers(peer), "the door to answer", countries=countries)
        register = xb.register
        follower = Follower(register, {xa.regulator: peer}, xb.regulator, clock.now)
        governance = register.federation()
        [member] = register.others(governance)
        with meter() as fetching:
            follower.take(Round(), governance, member)
        assert register.mirror(member.id).covered == entries
        with meter() as reading:
            done = Round()
            follower.read_up(done, governance, member)
        assert (done.judged[member.id], done.received[member.id]) == (entries, entries)
    return [
        Row(
            name=f"a member's log of {entries:,} entries fetched over TLS, held against its checkpoint, cosigned",
            measured=entries / fetching.cpu_seconds, unit="entries/CPU-s", target=">= 20000",
            cpu_seconds=fetching.cpu_seconds, note=f"{entries / fetching.wall_seconds:,.0f} entries/s wall",
        ),
        Row(
            name="after that: signature, role and time of each judged, payload received, verified, in the claims",
            measured=entries / reading.cpu_seconds, unit="entries/CPU-s", cpu_seconds=reading.cpu_seconds,
        ),
    ]  # fmt: skip


def _answers(peer: Peer) -> bool:
    from openceir.federation import FederationError

    try:
        return peer.checkpoint() is not None
    except FederationError:
        return False


def _among_four(folder: Path) -> list[Row]:
    shutil.rmtree(folder, ignore_errors=True)
    certificates = Certificates(folder / "certificates", clock.now())
    countries = {code: Country(folder, code, code, certificates) for code in ("XA", "XB", "XC", "XD")}
    with ExitStack() as closing:
        for country in countries.values():
            closing.callback(country.close)
        for country in countries.values():
            closing.callback(country.begin_to_stop)
        founded_by(countries, "bench", quorum=3)
        for country in countries.values():
            country.open_door()
            country.serve_its_networks()
            country.follow()
        wait_until(
            lambda: all(country.network_says(PHONE) is Status.UNKNOWN for country in countries.values()),
            "the countries to be up", countries=countries,
        )  # fmt: skip
        with meter() as watching:
            theft = follow_theft(countries, "XA", PHONE)
        with meter() as spreading:
            everywhere_s = _a_million(countries)
    last = {step: max(getattr(theft, step).values()) for step in ("received_s", "listed_s", "blocked_s")}
    one = Row(
        name="a theft stated at one nation's desk, until the networks of four nations block (all on one machine)",
        measured=last["blocked_s"], unit="s", cpu_seconds=watching.cpu_seconds,
        beside=(
            Beside(what="signed and in its log", measured=theft.logged_s),
            Beside(what="received by three others", measured=last["received_s"]),
            Beside(what="on all four lists", measured=last["listed_s"]),
        ),
        note="followers ask every 0.3 s; the last of each step",
    )  # fmt: skip
    million = Row(
        name=f"{STATEMENTS * EACH:,} identifiers in {STATEMENTS} statements of one nation, until the EIRs of four nations answer by all",
        measured=everywhere_s, unit="s", target="<= 60", cpu_seconds=spreading.cpu_seconds,
        note="wall time on one machine: payloads fetched and verified, in the claims, on the lists, folded or beside the index",
    )  # fmt: skip
    return [one, million]


def _a_million(countries: dict[str, Country]) -> float:
    """Seconds from ten batch reports at one desk until the networks of all four nations are told of the last of each."""
    xa = countries["XA"]
    made = np.unique(
        np.random.default_rng(5).integers(35_000_000_000_000, 35_002_000_000_000, STATEMENTS * EACH * 11 // 10)
    )
    keys = np.random.default_rng(6).permutation(made)[: STATEMENTS * EACH].reshape(STATEMENTS, EACH)
    began, at = time.monotonic(), clock.now()
    said = [
        DeviceStolen(
            devices=DeviceSet.of(keys=part.tolist()), stolen_at=at - timedelta(days=1), case_number=f"N-{number}"
        )
        for number, part in enumerate(keys)
    ]
    xa.register.state(said, by=xa.police, at=at)
    asked = [(country, f"{key:014d}") for country in countries.values() for key in keys[:, -1].tolist()]

    def look() -> bool:
        while asked and asked[-1][0].network_says(asked[-1][1]) is Status.BLOCKED:
            asked.pop()
        return not asked

    wait_until(look, "a million devices to be blocked everywhere", countries=countries)
    return time.monotonic() - began
