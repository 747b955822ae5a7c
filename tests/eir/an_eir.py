"""An EIR that follows a centre, as the command starts it: what it logs, and what it answers over Diameter."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

from wire import an_mme as mme

from .a_centre import ACentre, Certificates, ended

__all__ = ["BLACKLISTED", "EQUIPMENT_UNKNOWN", "SLOWEST_S", "AnEirProcess"]

BLACKLISTED, EQUIPMENT_UNKNOWN = 1, None
SLOWEST_S = 60


class AnEirProcess:
    """`openceir eir serve --centre …`, with what it logs."""

    def __init__(self, home: Path, centre: ACentre, certificates: Certificates, centre_port: int, *more: str) -> None:
        token = home.parent / f"{home.name}.token"
        token.write_text(centre.token())
        certificate, key = certificates.of("northtel")
        self.home, self.records = home, home.parent / f"{home.name}.records"
        command = [sys.executable, "-m", "openceir", "--home", str(home), "eir", "serve"]
        command += [
            "--centre",
            f"https://127.0.0.1:{centre_port}",
            "--operator",
            "northtel",
            "--token-file",
            str(token),
        ]
        command += ["--cert", str(certificate), "--key", str(key), "--ca", str(certificates.authority)]
        command += ["--trust", centre.trust.format(), "--records", str(self.records), "--send-every", "1"]
        command += ["--host", mme.EIR, "--realm", mme.EIR_REALM, "--port", "0", "--pages", "off", *more]
        self.command = command
        self.start()

    def start(self) -> None:
        self.events: list[dict] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stderr:
            with self._said:
                self.events.append(json.loads(line) if line.startswith("{") else {"event": line})
                self._said.notify_all()

    def says(self, event: str, after: int = 0, **facts) -> dict:
        """Wait until it has logged this, and give that line."""
        deadline = monotonic() + SLOWEST_S
        with self._said:
            while True:
                for line in self.events[after:]:
                    if line["event"] == event and facts.items() <= line.items():
                        return line
                assert self._said.wait(deadline - monotonic()), (event, facts, self.events)

    def answers(self, *imeis: str) -> list[int | None]:
        """The Equipment-Status of each, over one connection."""
        with socket.create_connection(
            ("127.0.0.1", self.says("listening", transport="tcp")["port"]), SLOWEST_S
        ) as link:
            found = []
            for octets in (mme.cer(), *(mme.ecr(imei=imei) for imei in imeis)):
                link.sendall(octets)
                head = _exactly(link, 20)
                [message] = mme.read(head + _exactly(link, int.from_bytes(head[1:4], "big") - 20))
                found.append(mme.number(message[4], 1445, mme.TGPP))
            return found[1:]

    def end(self) -> None:
        ended(self.process)
        self._reader.join(20)
        self.process.stderr.close()


def _exactly(link: socket.socket, size: int) -> bytes:
    octets = b""
    while len(octets) < size:
        piece = link.recv(size - len(octets))
        assert piece
        octets += piece
    return octets
