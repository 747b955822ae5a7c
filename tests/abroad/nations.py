"""Nations with registers that follow each other: in one process through their doors' functions, or over real TLS."""

from datetime import datetime, timedelta
from pathlib import Path

import httpx

from openceir import clock
from openceir.abroad.follow import Follower, Round
from openceir.abroad.peer import Peer
from openceir.app import open_register
from openceir.http import make_federation_application
from openceir.settings import Settings
from openceir.statements import (
    Approved,
    DeviceRecovered,
    DeviceSet,
    DeviceStolen,
    FederationFounded,
    MembershipProposed,
    Role,
)

ALICES_PHONE, BOBS_PHONE = "00100100000001", "00100100000019"
NAME = "northern-federation"


class Nation:
    """One nation's register: a regulator that votes, a police force, an operator."""

    def __init__(self, home: Path, code: str) -> None:
        self.code, self.id, self.home = code, f"{code.lower()}-regulator", home
        self.register = open_register(home)
        since = clock.now() - timedelta(days=365)
        for office, role in (("regulator", Role.REGULATOR), ("police", Role.POLICE), ("operator", Role.OPERATOR)):
            name = f"{code.lower()}-{office}"
            self.register.new_key(name, member=name, roles=[role], valid_from=since)
        self.since = since

    @property
    def door(self):
        return make_federation_application(self.home, Settings())

    def card(self):
        others = [f"{self.code.lower()}-{office}" for office in ("police", "operator")]
        return self.register.card(self.id, self.code, others, at=self.since)

    def state(self, *said, by="police", at: datetime | None = None):
        return self.register.state(said, by=f"{self.code.lower()}-{by}", at=at or clock.now())

    def steals(self, *phones: str, at: datetime | None = None):
        at = at or clock.now()
        said = DeviceStolen(devices=DeviceSet.of(phones), stolen_at=at - timedelta(days=1), case_number="N-7")
        return self.state(said, at=at)

    def finds(self, *phones: str):
        at = clock.now()
        return self.state(DeviceRecovered(devices=DeviceSet.of(phones), recovered_at=at, case_number="N-7"), at=at)

    def proposes(self, action: str, **what) -> bytes:
        said = MembershipProposed(action=action, until=clock.now() + timedelta(days=7), grounds="rule 3", **what)
        [entry] = self.state(said, by="regulator")
        return entry.leaf_hash

    def approves(self, target: bytes) -> None:
        self.state(Approved(target=target), by="regulator")

    def follower(self, peers: dict[str, Peer], now=clock.now) -> Follower:
        return Follower(self.register, peers, self.id, now)


class Federation:
    """Three nations that have founded a federation; each asks the others' doors within this process."""

    def __init__(self, folder: Path, codes=("XA", "XB", "XC"), quorum: int = 2) -> None:
        self.folder = folder
        self.nations = {code: Nation(folder / code, code) for code in codes}
        first = next(iter(self.nations.values()))
        members = tuple(member for nation in self.nations.values() for member in nation.card())
        at = clock.now()
        said = FederationFounded(name=NAME, quorum=quorum, members=members)
        self.founding = first.register.sign(said, by=first.id, at=at)
        self.tampered = {}  # member -> a WSGI function in place of its door
        for nation in self.nations.values():
            nation.register.join_federation(self.founding, {})
        self.doors = {nation.id: nation.door for nation in self.nations.values()}

    def __getitem__(self, code: str) -> Nation:
        return self.nations[code]

    def peer(self, member: str, transport: httpx.BaseTransport | None = None) -> Peer:
        transport = transport or httpx.WSGITransport(lambda *asked: self.doors[member](*asked))
        return Peer(httpx.Client(base_url=f"https://{member}.example", transport=transport), member)

    def round(self, code: str, now=clock.now) -> Round:
        """One round of this nation's follower."""
        nation = self.nations[code]
        peers = {other.id: self.peer(other.id) for other in self.nations.values() if other is not nation}
        return nation.follower(peers, now).round()

    def rounds(self, times: int = 2) -> list[Round]:
        return [self.round(code) for _ in range(times) for code in self.nations]

    def roots(self) -> set[bytes]:
        return {nation.register.federation().root() for nation in self.nations.values()}
