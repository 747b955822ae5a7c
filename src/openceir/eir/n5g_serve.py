"""The 5G side of an EIR that runs: its sockets, its processes and its registration, opened and closed as one.

`serve.py` opens it beside Diameter, hands it every new list and asks it for its counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from openceir.eir.counters import Counters
from openceir.eir.decision import Decider
from openceir.eir.errors import EirError
from openceir.eir.log import Log
from openceir.eir.n5g import N5gOptions
from openceir.eir.n5g_processes import N5gProcesses, TlsFiles, listen
from openceir.eir.nrf import Endpoint, NfProfile, NrfRegistration
from openceir.statements import PublicKey

__all__ = ["N5gDoor", "N5gServing", "NrfOptions", "open_n5g"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NrfOptions:
    """Where to register, and what to tell it that the addresses do not."""

    address: str  # such as http://nrf.5gc.example:8000
    fqdn: str = ""
    plmns: tuple[tuple[str, str], ...] = ()  # (MCC, MNC)
    authorities: Path | None = None  # who signed the NRF's certificate; None: those the system trusts


@dataclass(frozen=True, slots=True, kw_only=True)
class N5gServing:
    """What is served to 5G cores. A port of 0 takes any free one and logs it; None serves nothing there."""

    options: N5gOptions
    clear: tuple[str, int] | None
    encrypted: tuple[str, int] | None
    tls: TlsFiles | None = None
    processes: int = 1
    nrf: NrfOptions | None = None


class N5gDoor:
    """The 5G side, open."""

    def __init__(self, processes: N5gProcesses, nrf: NrfRegistration | None) -> None:
        self._processes, self._nrf = processes, nrf

    @property
    def is_ready(self) -> bool:
        """Whether it may be asked."""
        return self._processes.is_ready

    @property
    def counters(self) -> Counters:
        """Its counts."""
        return self._processes.counters

    @property
    def gauges(self) -> dict[str, float]:
        """What stands on the page of metrics beside the counts."""
        known = {} if self._nrf is None else {"n5g_registered": float(self._nrf.is_registered)}
        return {"n5g_processes": float(len(self._processes.pids)), **known}

    def use(self, decider: Decider, trust: PublicKey | None) -> None:
        """Answer from this list, and from the changes beside it, from now on."""
        self._processes.use(decider.index, trust, has_changes=bool(decider.overlay))

    async def close(self) -> None:
        """Leave the NRF first, so that no core is sent here any more; then answer what was asked, and end."""
        try:
            if self._nrf is not None:
                await self._nrf.stop()
        finally:
            await self._processes.stop()


async def open_n5g(
    serving: N5gServing,
    decider: Decider,
    trust: PublicKey | None,
    *,
    clock: Callable[[], datetime],
    log: Log,
    records: Path | None = None,
) -> N5gDoor:
    """Begin to serve from this decider's files. `trust` is None when the index needs no signature.

    Raises: EirError when an address is taken, a key cannot be read, or a process does not start.
    """
    listeners = []
    if serving.clear is not None:
        listeners.append(listen(*serving.clear))
    if serving.encrypted is not None:
        if serving.tls is None:
            raise EirError("N5g-eir over TLS needs a certificate, its key and the authorities of its consumers")
        listeners.append(listen(*serving.encrypted, serving.tls))
    nrf = None
    if serving.nrf is not None:
        endpoints = tuple(
            Endpoint(scheme="https" if each.tls else "http", host=each.address[0], port=each.address[1])
            for each in listeners
        )
        profile = NfProfile(
            instance_id=serving.options.instance_id,
            endpoints=endpoints,
            fqdn=serving.nrf.fqdn,
            plmns=serving.nrf.plmns,
            api_prefix=serving.options.api_prefix,
            needs_token=serving.options.tokens is not None,
        )
        nrf = NrfRegistration(serving.nrf.address, profile, log, authorities=serving.nrf.authorities, tls=serving.tls)
    processes = N5gProcesses(
        serving.options, decider.policy, listeners, processes=serving.processes, clock=clock, log=log, records=records
    )
    await processes.start(decider.index, trust, has_changes=bool(decider.overlay))
    for each in listeners:
        host, port = each.address
        log("listening", transport="h2 over tls" if each.tls else "h2c", host=host, port=port, interface="n5g")
    if nrf is not None:
        try:
            nrf.start()
        except EirError:
            await processes.stop()
            raise
    return N5gDoor(processes, nrf)
