"""Being known to a 5G core: registration at its NRF, kept alive, taken back at the end.

    ABSENT ──PUT 200/201──▶ REGISTERED ──PATCH 200/204──▶ REGISTERED        every heartbeat
      ▲                        │ │
      │        PATCH 404       │ └── PATCH fails otherwise: tried again at the next beat, for the NRF may be away
      └────────────────────────┘
      └─ PUT fails: tried again after 1, 2, 4 … 60 s, jittered, so that a hundred NFs do not come back in one second

Cores that know us by configuration go on asking whether an NRF answers or not: nothing here touches the answers.
Source: TS 29.510 §5.2.2.2 to §5.2.2.4, §6.1.6.2.2 (not read; as networks' open implementations agree on it).
"""

import asyncio
import contextlib
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from openceir.eir.errors import EirError
from openceir.eir.log import Log
from openceir.eir.n5g import NF_TYPE
from openceir.eir.n5g_processes import TlsFiles
from openceir.wire import n5g_eir

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "NfProfile", "NrfRegistration"]

_FULL_API_VERSION = "1.4.0"  # TS 29.511 Release 19; only additive since 1.0.3
_USUAL_HEARTBEAT_S = 10
_SHORTEST_HEARTBEAT_S, _LONGEST_HEARTBEAT_S = 1, 3600
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where consumers reach us. `host` is an address or a name."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NfProfile:
    """What an NRF is told of us."""

    instance_id: UUID
    endpoints: tuple[Endpoint, ...]  # one a scheme
    fqdn: str = ""
    plmns: tuple[tuple[str, str], ...] = ()  # (MCC, MNC)
    api_prefix: str = ""
    needs_token: bool = False

    def document(self) -> dict[str, Any]:
        """The NFProfile, as JSON."""
        addresses = _addresses(list(dict.fromkeys(each.host for each in self.endpoints)))
        profile: dict[str, Any] = {
            "nfInstanceId": str(self.instance_id),
            "nfType": NF_TYPE,
            "nfStatus": "REGISTERED",
            "heartBeatTimer": _USUAL_HEARTBEAT_S,
            **({"fqdn": self.fqdn} if self.fqdn else {}),
            **addresses,
            "nfServices": [self._service(each) for each in self.endpoints],
        }
        if self.plmns:
            profile["plmnList"] = [{"mcc": mcc, "mnc": mnc} for mcc, mnc in self.plmns]
        return profile

    def _service(self, endpoint: Endpoint) -> dict[str, Any]:
        kinds = [kind.removesuffix("es") for kind in _addresses([endpoint.host])]  # ipv4Address or ipv6Address
        return {
            # The same id after a restart, so that the NRF replaces the service rather than adds one.
            "serviceInstanceId": str(uuid5(self.instance_id, f"{n5g_eir.API_NAME}/{endpoint.scheme}")),
            "serviceName": n5g_eir.API_NAME,
            "versions": [{"apiVersionInUri": n5g_eir.API_VERSION, "apiFullVersion": _FULL_API_VERSION}],
            "scheme": endpoint.scheme,
            "nfServiceStatus": "REGISTERED",
            **({"fqdn": self.fqdn} if self.fqdn else {}),
            "ipEndPoints": [{**dict.fromkeys(kinds, endpoint.host), "transport": "TCP", "port": endpoint.port}],
            **({"apiPrefix": self.api_prefix} if self.api_prefix else {}),
            "allowedNfTypes": ["AMF"],
            "oauth2Required": self.needs_token,
        }


def _addresses(hosts: Sequence[str]) -> dict[str, list[str]]:
    """Hosts by the NFProfile's name for their kind.

    Names of hosts are the fqdn's business, and nobody can be sent to "any address of ours": neither is here.
    """
    found: dict[str, list[str]] = {}
    for host in hosts:
        with contextlib.suppress(ValueError):
            address = ip_address(host)
            if not address.is_unspecified:
                kind = "ipv4Addresses" if isinstance(address, IPv4Address) else "ipv6Addresses"
                found.setdefault(kind, []).append(host)
    return found


class NrfRegistration:
    """Keeps us registered until told to stop.

    Towards an NRF over https we show the certificate of `tls`, and believe one that `authorities` (or those of the
    system) signed. `wait` returns after so many seconds, or earlier when `stop` was called; a test gives its own.
    """

    def __init__(
        self,
        nrf: str,
        profile: NfProfile,
        log: Log,
        *,
        authorities: Path | None = None,
        tls: TlsFiles | None = None,
        wait: Callable[[float], Awaitable[None]] | None = None,
        jitter: Callable[[float], float] = lambda seconds: random.uniform(0.5, 1) * seconds,  # noqa: S311
    ) -> None:
        if not nrf.startswith(("http://", "https://")):
            raise EirError(f"the NRF's address {nrf[:80]!r} must begin with http:// or https://")
        if not (profile.fqdn or _addresses([each.host for each in profile.endpoints])):
            raise EirError("an NRF wants an address or an FQDN to send consumers to; name one with --n5g-fqdn")
        self.profile = profile
        self.is_registered = False
        self._at = f"{nrf.rstrip('/')}/nnrf-nfm/v1/nf-instances/{profile.instance_id}"
        self._authorities, self._tls = authorities, tls
        self._log, self._jitter = log, jitter
        self._stopped = asyncio.Event()
        self._wait = wait or self._until
        self._heartbeat_s: float = _USUAL_HEARTBEAT_S
        self._failures = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to register.

        Raises: EirError when no HTTP/2 client is installed.
        """
        try:
            import h2  # noqa: F401
            import httpx
        except ImportError:
            raise EirError("talking to an NRF needs an HTTP/2 client: pip install 'openceir[eir]'") from None
        try:
            httpx.URL(self._at)
        except httpx.InvalidURL as wrong:
            raise EirError(f"the NRF's address is no URL: {wrong}") from None
        client = httpx.AsyncClient(
            http2=True,
            http1=False,  # HTTP/2 with prior knowledge in cleartext, as TS 29.500 §5.2 asks
            verify=self._context() if self._at.startswith("https://") else False,
            timeout=_PATIENCE_S,
            follow_redirects=True,
            max_redirects=3,
        )
        self._task = asyncio.create_task(self._keep(client))

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self._authorities)
            if self._tls is not None:
                context.load_cert_chain(self._tls.certificate, self._tls.key)
        except (OSError, ssl.SSLError) as wrong:
            raise EirError(f"the TLS files for the NRF cannot be used: {wrong}; give them in PEM") from None
        return context

    async def stop(self) -> None:
        """Take the registration back; an NRF that is away finds out by our silence."""
        self._stopped.set()
        if self._task is not None:
            await self._task

    async def _keep(self, client: "httpx.AsyncClient") -> None:
        async with client:
            while not self._stopped.is_set():
                await self._wait(await (self._beat(client) if self.is_registered else self._register(client)))
            if self.is_registered:
                status, _ = await self._ask(client, "DELETE")
                self.is_registered = False
                self._log("nrf", what="deregistered" if status in {200, 204, 404} else "deregistration failed")

    async def _register(self, client: "httpx.AsyncClient") -> float:
        """Seconds until the next step."""
        status, document = await self._ask(client, "PUT", json=self.profile.document())
        if status not in {200, 201}:
            self._failures += 1
            seconds = min(_FIRST_WAIT_S * 2 ** min(self._failures - 1, 10), _LONGEST_WAIT_S)
            if self._failures == 1:
                self._log("alarm", what="the NRF did not register us; it is asked again until it does", status=status)
            return self._jitter(seconds)
        self.is_registered, self._failures = True, 0
        self._heartbeat_s = _heartbeat_of(document)
        self._log("nrf", what="registered", heartbeat_s=self._heartbeat_s)
        return self._heartbeat_s

    async def _beat(self, client: "httpx.AsyncClient") -> float:
        """Seconds until the next step."""
        status, document = await self._ask(
            client,
            "PATCH",
            json=[{"op": "replace", "path": "/nfStatus", "value": "REGISTERED"}],
            headers={"content-type": "application/json-patch+json"},
        )
        if status == 404:
            self._log("nrf", what="the NRF has forgotten us; registering anew")
            self.is_registered = False
            return 0.0
        if status not in {200, 204}:
            self._failures += 1
            if self._failures == 1:
                self._log("alarm", what="the NRF does not answer our heartbeat", status=status)
            return self._heartbeat_s
        if self._failures:
            self._log("nrf", what="the NRF answers our heartbeat again")
            self._failures = 0
        if document:
            self._heartbeat_s = _heartbeat_of(document)
        return self._heartbeat_s

    async def _ask(self, client: "httpx.AsyncClient", method: str, **what: Any) -> tuple[int, Mapping[str, Any]]:
        """Status and JSON object of the answer; status 0 when there was none."""
        import httpx

        try:
            answer = await client.request(method, self._at, **what)
        except (httpx.HTTPError, httpx.InvalidURL, OSError):  # a redirection may lead anywhere
            return 0, {}
        try:
            document = answer.json() if answer.content else {}
        except ValueError:
            document = {}
        return answer.status_code, document if isinstance(document, dict) else {}

    async def _until(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)


def _heartbeat_of(profile: Mapping[str, Any]) -> float:
    """The NRF's choice, which goes before ours (TS 29.510 §5.2.2.2.2); nonsense is taken for none."""
    said = profile.get("heartBeatTimer")
    if isinstance(said, bool) or not isinstance(said, int):
        return _USUAL_HEARTBEAT_S
    return float(min(max(said, _SHORTEST_HEARTBEAT_S), _LONGEST_HEARTBEAT_S))
