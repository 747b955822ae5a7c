"""The 2G and 3G side of an EIR that runs: MAP towards gateways, GSUP before an HLR, opened and closed as one.

Both run in the process that serves Diameter and ask the same list; `serve.py` hands them every new one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from openceir.eir.counters import Counters
from openceir.eir.decision import Decider
from openceir.eir.desk import Desk
from openceir.eir.gsup import GsupOptions, GsupProxy
from openceir.eir.log import Log
from openceir.eir.m3ua import MapOptions, MapSide
from openceir.eir.records import RecordFile

__all__ = ["MapGsupDoor", "MapGsupServing", "open_map_gsup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapGsupServing:
    """What is served to 2G and 3G networks; None serves nothing there."""

    map: MapOptions | None = None
    gsup: GsupOptions | None = None


class MapGsupDoor:
    """The 2G and 3G side, open."""

    def __init__(self, map_side: MapSide | None, proxy: GsupProxy | None) -> None:
        self._map, self._gsup = map_side, proxy
        self._desks = [each.desk for each in (map_side, proxy) if each is not None]

    @property
    def counters(self) -> list[Counters]:
        """The counts of each interface."""
        return [desk.counters for desk in self._desks]

    @property
    def gauges(self) -> dict[str, float]:
        """What stands on the page of metrics beside the counts."""
        of_map = {} if self._map is None else {"map_links_active": float(self._map.active)}
        return of_map if self._gsup is None else {**of_map, "gsup_networks": float(len(self._gsup.networks))}

    def use(self, decider: Decider) -> None:
        """Answer from this from now on."""
        for desk in self._desks:
            desk.use(decider)

    async def close(self) -> None:
        """Leave the gateways, let the networks go."""
        if self._map is not None:
            await self._map.close()
        if self._gsup is not None:
            await self._gsup.close()


async def open_map_gsup(
    serving: MapGsupServing,
    decider: Decider,
    *,
    clock: Callable[[], datetime],
    log: Log,
    records: RecordFile | None = None,
) -> MapGsupDoor:
    """Begin to serve; records are those of Diameter, which writes them ten times a second.

    Raises: EirError when the address of the proxy is taken.
    """

    def desk_of(interface: str, code_label: str) -> Desk:
        epoch_s = clock().timestamp() - monotonic()
        return Desk(decider, Counters(interface, code_label), log, records=records, epoch_s=epoch_s)

    proxy = None
    if serving.gsup is not None:
        proxy = GsupProxy(serving.gsup, desk_of("gsup", "cause"))
        port = await proxy.listen()
        log("listening", transport="tcp", host=serving.gsup.listen[0], port=port, interface="gsup")
    side = None
    if serving.map is not None:
        side = MapSide(serving.map, desk_of("map", "m3ua_error"))
        side.start()
    return MapGsupDoor(side, proxy)
