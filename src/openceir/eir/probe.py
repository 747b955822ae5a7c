"""Asking an EIR from outside, as a network does: over S13, or over HTTP as a 5G core. For auditors.

Both answer with our word for what the EIR said, or None when it gave no status. Neither logs what it asks.
"""

import json
import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from openceir.eir.answers import N5G_OF_STATUS, S13_OF_STATUS
from openceir.eir.attributes import Status
from openceir.eir.errors import EirError
from openceir.identity import luhn_check_digit
from openceir.wire.diameter.errors import DiameterError
from openceir.wire.diameter.message import CAPABILITIES_EXCHANGE, Identity
from openceir.wire.n5g_eir import RESOURCE
from openceir.wire.s13 import COMMAND, Verdict
from openceir.wire.s13_questions import EQUIPMENT_UNKNOWN, Questions, Told, answer_to, message_end, read_told

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpProbe", "Probe", "ProbeFailed", "S13Probe"]

_SLOWEST_S = 10.0
_SUCCESS = 2001
_OF_VERDICT = {verdict: status for status, verdict in S13_OF_STATUS.items()}
_OF_WORD = {
    json.loads(answer.body)["status"]: status
    for status, answer in N5G_OF_STATUS.items()
    if status is not Status.UNKNOWN
}


class ProbeFailed(EirError):
    """The EIR could not be asked."""

    code = "eir-probe-failed"


class Probe(Protocol):
    """One way to ask an EIR."""

    name: str

    def ask(self, imei: str, imsi: str = "") -> Status | None:
        """What it says of 14 digits, with a subscriber; None when it gave no status. Raises: ProbeFailed."""
        ...

    def close(self) -> None:
        """Say goodbye."""
        ...


class S13Probe:
    """One Diameter link. Q.5053's "status of one IMEI" and its probing through the network side both go over it."""

    def __init__(
        self,
        host: str,
        port: int,
        identity: Identity,
        realm: str,
        to_host: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.name = f"s13 {host}:{port}"
        self._identity, self._questions = identity, Questions(identity, realm, to_host)
        self._octets, self._number = b"", 1 << 32
        try:
            link = socket.create_connection((host, port), _SLOWEST_S)
            self._link = tls.wrap_socket(link, server_hostname=host) if tls is not None else link
            address = ip_address(self._link.getsockname()[0].partition("%")[0])
            self._link.sendall(self._questions.introduction(address))
        except OSError as wrong:
            raise ProbeFailed(f"the EIR at {host}:{port} cannot be reached: {wrong}") from None
        told = self._read(lambda told: told.command == CAPABILITIES_EXCHANGE)
        if told.result != _SUCCESS:
            raise ProbeFailed(f"the EIR at {host}:{port} does not take us as a peer (Result-Code {told.result})")

    def ask(self, imei: str, imsi: str = "") -> Status | None:
        """As Probe."""
        self._number += 1
        number = self._number
        self._send(self._questions.question(number, imei, imsi))
        told = self._read(lambda told: told.command == COMMAND and told.ids == number)
        if told.status is not None:
            return _OF_VERDICT[Verdict.of(told.status)]
        return Status.UNKNOWN if told.result == EQUIPMENT_UNKNOWN else None

    def close(self) -> None:
        """As Probe."""
        try:
            self._link.sendall(self._questions.farewell())
        except OSError:
            pass  # it was gone first
        finally:
            self._link.close()

    def _send(self, octets: bytes) -> None:
        try:
            self._link.sendall(octets)
        except OSError as wrong:
            raise ProbeFailed(f"{self.name} broke off: {wrong}") from None

    def _read(self, is_it: Callable[[Told], bool]) -> Told:
        """The answer that is waited for; what the EIR asks meanwhile is answered."""
        while True:
            try:
                end = message_end(self._octets)
                if not end:
                    piece = self._link.recv(65536)
                    if not piece:
                        raise ProbeFailed(f"{self.name} closed the link")
                    self._octets += piece
                    continue
                message, self._octets = self._octets[:end], self._octets[end:]
                told = read_told(message)
            except (OSError, DiameterError) as wrong:
                raise ProbeFailed(f"{self.name} gave no answer that can be read: {wrong}") from None
            if told is None:
                self._send(answer_to(message, self._identity))
            elif is_it(told):
                return told


class HttpProbe:
    """N5g-eir over HTTP/2: the status resource that an EIR has anyway. Q.5053's "status over HTTP"."""

    def __init__(self, address: str, *, tls: ssl.SSLContext | None = None, token: str = "") -> None:
        import httpx  # the extra `eir`

        self.name = f"http {address}"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=address, http1=False, http2=True, verify=tls if tls is not None else True, headers=headers,
            timeout=_SLOWEST_S, trust_env=False,
        )  # fmt: skip

    def ask(self, imei: str, imsi: str = "") -> Status | None:
        """As Probe."""
        import httpx

        asked = {"pei": f"imei-{imei}{luhn_check_digit(imei)}", **({"supi": f"imsi-{imsi}"} if imsi else {})}
        try:
            answer = self._client.get(RESOURCE, params=asked)
        except httpx.HTTPError as wrong:
            raise ProbeFailed(f"{self.name} cannot be asked ({type(wrong).__name__})") from None
        return _read_http(answer)

    def close(self) -> None:
        """As Probe."""
        self._client.close()


def _read_http(answer: "httpx.Response") -> Status | None:
    try:
        said = answer.json()
        if answer.status_code == 200:
            return _OF_WORD.get(said["status"])
        if answer.status_code == 404 and said["cause"] == "ERROR_EQUIPMENT_UNKNOWN":
            return Status.UNKNOWN
    except (ValueError, KeyError, TypeError):
        return None
    return None
