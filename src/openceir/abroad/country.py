"""A whole country on this machine, for the demo, the tests and the measured path from a theft to a block.

Everything is a process of its own, as it would be on machines of its own: the federation's door, the follower, the
operators' door with its list maker, and an EIR that follows it and answers over Diameter S13.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import sample
from typing import IO

from openceir import clock
from openceir.abroad.certificates import Certificates
from openceir.app import open_register
from openceir.eir.attributes import Status
from openceir.eir.probe import ProbeFailed, S13Probe
from openceir.federation import FederationError
from openceir.ledger import Entry
from openceir.statements import DeviceSet, DeviceStolen, ListApplied, Members, Role, SignedStatement
from openceir.storage.list_files import ListFiles
from openceir.wire.diameter.message import Identity

__all__ = ["Country", "founded_by", "wait_until"]

_SLOWEST_S = 300.0
_LOOK_EVERY_S = 0.05
_EIR, _REALM = "eir.epc.mnc001.mcc001.3gppnetwork.org", "epc.mnc001.mcc001.3gppnetwork.org"

_POLICY = """[country]
name = "{name}"
nation = "{code}"
mcc = ["001"]

[operators.{operator}]
name = "{operator}"
mcc_mnc = ["00101"]

[[foreign]]
name = "police reports of the federation count as our own"
nations = ["*"]
roles = ["police"]
claims = ["stolen", "lost"]
effect = "counts"
source = "Made-up treaty, article 4"
"""


class Country:
    """One country: its register, its offices, and the processes that serve it."""

    def __init__(self, folder: Path, code: str, name: str, certificates: Certificates) -> None:
        self.code, self.name, self.home = code, name, folder / code.lower()
        self._folder, self._certificates = folder, certificates
        self.regulator, self.police, self.operator = (
            f"{code.lower()}-{office}" for office in ("regulator", "police", "operator")
        )
        self.door_port, self._operators_port, self._s13_port = (_free_port() for _ in range(3))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []
        self._probe: S13Probe | None = None
        policy = self.home / "policy"
        policy.mkdir(parents=True, exist_ok=True)
        (policy / "country.toml").write_text(_POLICY.format(name=name, code=code, operator=self.operator))
        self.register = open_register(self.home)
        offices = ((self.regulator, Role.REGULATOR), (self.police, Role.POLICE), (self.operator, Role.OPERATOR))
        since = clock.now() - timedelta(days=1)
        for member, role in offices:
            self.register.new_key(member, member=member, roles=[role], valid_from=since)

    @property
    def address(self) -> str:
        """Where its door for other nations is."""
        return f"https://127.0.0.1:{self.door_port}"

    def card(self) -> Members:
        """What it brings into a federation."""
        return self.register.card(
            self.regulator, self.code, [self.police, self.operator], at=clock.now() - timedelta(days=1)
        )

    # -- its processes -----------------------------------------------------------------------------------------------

    def open_door(self, home: Path | None = None) -> None:
        """Open its door for other nations; `home` is another register in its place."""
        certificate, key = self._certificates.of(self.code.lower())
        self._start(
            "door", home or self.home, "serve", "--federation", "--port", str(self.door_port), "--tls-cert", str(certificate),
            "--tls-key", str(key), "--tls-ca", str(self._certificates.authority),
        )  # fmt: skip

    def follow(self, every_s: float = 0.3) -> None:
        """Follow the others."""
        certificate, key = self._certificates.of(self.code.lower())
        self._start(
            "follow", self.home, "federation", "follow", "--by", self.regulator, "--cert", str(certificate), "--key", str(key),
            "--ca", str(self._certificates.authority), "--every", str(every_s),
        )  # fmt: skip

    def serve_its_networks(self) -> None:
        """Open the operators' door, which makes lists by itself, and let an EIR follow it."""
        certificate, key = self._certificates.of(self.code.lower())
        at = clock.now()
        self.register.make_lists(on=at.date(), at=at)
        authority = str(self._certificates.authority)
        self._start(
            "operators", self.home, "serve", "--operators", "--port", str(self._operators_port), "--tls-cert", str(certificate),
            "--tls-key", str(key), "--tls-ca", authority,
        )  # fmt: skip
        token = self._folder / f"{self.operator}.token"
        token.touch(mode=0o600)
        token.write_text(
            self.register.tokens.make(
                self.operator,
                Role.OPERATOR,
                at=at,
                expires_at=at + timedelta(days=1),
                operator=self.operator,
                certificate="localhost",
            )
        )
        trust = self.register.list_signer().public.format()
        self._start(
            "eir", self._folder / f"{self.code.lower()}-eir", "eir", "serve", "--centre", f"https://127.0.0.1:{self._operators_port}",
            "--operator", self.operator, "--token-file", str(token), "--cert", str(certificate), "--key", str(key), "--ca", authority,
            "--trust", trust, "--host", _EIR, "--realm", _REALM, "--port", str(self._s13_port), "--pages", "off",
        )  # fmt: skip

    def stop(self, *names: str) -> None:
        """End these of its processes, or all, by their ids."""
        ending = [self._processes.pop(name) for name in names or tuple(self._processes) if name in self._processes]
        for process in ending:
            process.terminate()
        for process in ending:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self, name: str) -> None:
        """End one of its processes, and what it started, as a power cut would."""
        process = self._processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def begin_to_stop(self) -> None:
        """Tell everything of it to end, without waiting: several countries end together."""
        for process in self._processes.values():
            process.terminate()

    def close(self) -> None:
        """End everything of it."""
        if self._probe is not None:
            self._probe.close()
            self._probe = None
        self.stop()
        self.register.ledger.close()
        for log in self._logs:
            log.close()
        self._logs.clear()

    def _start(self, name: str, home: Path, *words: str) -> None:
        log = (self._folder / f"{self.code.lower()}-{name}.log").open("ab")
        self._logs.append(log)
        command = [sys.executable, "-m", "openceir", "--home", str(home), *words]
        self._processes[name] = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(os.environ), process_group=0
        )

    def broken(self) -> list[str]:
        """The names of its processes that ended by themselves."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    # -- what happens in it ------------------------------------------------------------------------------------------

    def steals(self, imei: str) -> Entry:
        """Its police state a theft; on return that is in its log, under a signed checkpoint."""
        at = clock.now()
        said = DeviceStolen(devices=DeviceSet.of(imei), stolen_at=at - timedelta(hours=2), case_number="N-7")
        [entry] = self.register.state([said], by=self.police, at=at)
        return entry

    def has_received(self, leaf_hash: bytes) -> bool:
        """Whether this statement of another nation has reached its claims."""
        found = self.register.federation_shelf.find(leaf_hash)
        return found is not None and found.why == "held" and found.landed == 1

    def lists(self, imei: str) -> bool:
        """Whether its operator's newest block list names this device."""
        newest = self.register.list_runs.newest(self.operator, "blocklist")
        if newest is None or not newest.kept:
            return False
        with suppress(OSError):  # the run is just being put in its place
            rows = self.register.list_runs.files_of(newest).rows.read_text(encoding="utf-8").splitlines()
            return any(row.startswith(f"{imei},") for row in rows)
        return False

    def network_says(self, imei: str) -> Status | None:
        """What its EIR answers a network; None while it does not answer."""
        try:
            if self._probe is None:
                identity = Identity(f"mme.{_REALM}", _REALM)
                self._probe = S13Probe("127.0.0.1", self._s13_port, identity, _REALM)
            return self._probe.ask(imei)
        except ProbeFailed:
            self._probe = None
            return None

    def operator_acknowledges(self) -> None:
        """Its operator states, for all members to read, that its EIRs answer by the newest block list."""
        newest = self.register.list_runs.newest(self.operator, "blocklist")
        assert newest is not None
        header = ListFiles.of(self.register.list_runs.files_of(newest).rows).read_header()
        at = clock.now()
        said = ListApplied(
            list_name="blocklist", sequence=header.sequence, digest=bytes.fromhex(header.sha256), log_size=header.ledger_size,
            made_at=clock.parse_moment(header.made_at), applied_at=at,
        )  # fmt: skip
        self.register.state([said], by=self.operator, at=at)


def founded_by(countries: Mapping[str, Country], name: str, quorum: int) -> SignedStatement:
    """Let the first of these countries found a federation and the others join it, each knowing all doors."""
    first = next(iter(countries.values()))
    members = Members(member for country in countries.values() for member in country.card())
    founding = first.register.found_federation(name, quorum, members, by=first.regulator, at=clock.now())
    for country in countries.values():
        doors = {other.regulator: other.address for other in countries.values() if other is not country}
        country.register.join_federation(founding, doors)
    return founding


def wait_until(holds: Callable[[], bool], what: str, *, countries: Mapping[str, Country]) -> float:
    """Wait until something holds, and give the seconds that took.

    Raises: FederationError when it takes too long, or a process that is needed has ended.
    """
    began = time.monotonic()
    while not holds():
        took = time.monotonic() - began
        if dead := [f"{country.code} {name}" for country in countries.values() for name in country.broken()]:
            raise FederationError(f"{what}: {', '.join(dead)} ended by itself; its log is beside the homes")
        if took > _SLOWEST_S:
            raise FederationError(f"{what} took longer than {_SLOWEST_S:.0f} s; is this machine very busy?")
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - began


def _free_port() -> int:
    """One below those that the system gives out by itself."""
    for port in sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise FederationError("a hundred ports of 127.0.0.1 are all taken")
