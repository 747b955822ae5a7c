"""An EIR that runs: its list watched and swapped, its links, its pages, its signals.

The list is either one index file, which is opened again when another one takes its place, or lists of the central
register, which a process beside this one makes into an index whenever they change and when a new day begins (a block
may begin with the day). Changes that stand beside an index (`changes.py`) are answered from at once. Whatever is wrong with a new list, the last good one serves on and the reason is logged.
"""

import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from time import monotonic

from openceir.eir.changes import changes_beside, changes_over
from openceir.eir.counters import Counters, page_of
from openceir.eir.decision import Decider, DecisionPolicy
from openceir.eir.diameter import DiameterServer, ServerOptions
from openceir.eir.errors import EirError, IndexRefused
from openceir.eir.index import Index, Overlay, open_index
from openceir.eir.log import Log, log_to_stderr
from openceir.eir.map_gsup_serve import MapGsupDoor, MapGsupServing, open_map_gsup
from openceir.eir.n5g_serve import N5gDoor, N5gServing, open_n5g
from openceir.eir.pages import serve_pages
from openceir.eir.records import RecordFile
from openceir.eir.source import build_from_lists, is_index
from openceir.errors import OpenceirError
from openceir.statements import PublicKey
from openceir.storage.list_files import ListFiles

__all__ = ["Addresses", "ListSource", "serve"]

_LOOK_EVERY_S = 0.02  # a handful of stat calls
_TRY_AGAIN_AFTER_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSource:
    """What to answer from. Either one index file, or several lists."""

    files: tuple[Path, ...]
    trust: PublicKey | None  # None: whatever lies there is believed
    cache: Path  # where an index made of lists is kept

    @property
    def is_one_index(self) -> bool:
        """Whether the files are one index rather than lists."""
        return len(self.files) == 1 and is_index(self.files[0])

    def fingerprint(self, today: object) -> tuple[object, ...]:
        """Changes when a file was replaced or altered, and, for lists, with the day. First the mark of what stands beside.

        It is looked at first: what was taken away from beside an index is in the index that is looked at then.
        """
        paths = [file for path in self.files for file in (path, ListFiles.of(path).signature)]
        marks = [_mark(file) for file in (changes_beside(self.files[0]), *paths)]
        return (*marks, None if self.is_one_index else today)

    def build(self, now: datetime) -> Path:
        """The index file to open, made anew when the source is lists."""
        if self.is_one_index:
            return self.files[0]
        # What lies in the cache is ours and was made from what was verified: it needs no signature.
        build_from_lists(self.files, self.cache, trust=self.trust, key=None, as_of_on=now.date(), issued_at=now)
        return self.cache

    def open(self, path: Path) -> Index:
        """Open what `build` made."""
        trust = self.trust_in(path)
        return open_index(path, [trust] if trust else [], accept_unsigned=trust is None)

    def changes(self, index: Index) -> Overlay:
        """What stands beside an index of this source; never beside one that needs a signature.

        Raises: IndexRefused when it is torn.
        """
        return changes_over(index) if self.trust_in(index.file.path) is None else Overlay()

    def trust_in(self, path: Path) -> PublicKey | None:
        """Whose signature the index file needs; None when it needs none."""
        return None if path == self.cache else self.trust


def _mark(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where to listen. A port of 0 takes any free one and logs it."""

    host: str = "127.0.0.1"
    port: int = 3868
    sctp: bool = False
    tls: ssl.SSLContext | None = None
    tls_port: int = 5658
    pages_host: str = "127.0.0.1"
    pages_port: int | None = 9868


async def serve(
    source: ListSource,
    policy: DecisionPolicy,
    options: ServerOptions,
    addresses: Addresses,
    clock: Callable[[], datetime],
    *,
    records: Path | None = None,
    n5g: N5gServing | None = None,
    map_gsup: MapGsupServing | None = None,
    log: Log = log_to_stderr,
) -> None:
    """Serve until SIGTERM or SIGINT, then say goodbye to every peer. SIGHUP looks at the list at once.

    Raises: OpenceirError when the list cannot be used at the start, or an address is taken.
    """
    loop = asyncio.get_running_loop()
    index = source.open(source.build(clock()))
    server = DiameterServer(options, Decider(index, _changes_if_whole(source, index, log), policy), Counters(), log)
    server.epoch_s = clock().timestamp() - monotonic()
    server.records = RecordFile(records) if records else None
    _log_list(log, "list in use", index)

    # Nothing here makes cycles while it serves; a collector that walks the list's tables would only hold up answers.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    # A new list is opened in a thread beside; when an answer is due it must not wait the usual 5 ms for its turn.
    sys.setswitchinterval(0.0005)
    stopped, looked = asyncio.Event(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.add_signal_handler(signal.SIGINT, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, looked.set)
    pages = None
    door: N5gDoor | None = None
    older: MapGsupDoor | None = None
    try:
        port = await server.listen_tcp(addresses.host, addresses.port)
        log("listening", transport="tcp", host=addresses.host, port=port)
        if addresses.sctp:
            log("listening", transport="sctp", port=await server.listen_sctp(addresses.host, addresses.port))
        if addresses.tls is not None:
            tls_port = await server.listen_tcp(addresses.host, addresses.tls_port, addresses.tls)
            log("listening", transport="tls", host=addresses.host, port=tls_port)
        if n5g is not None:
            trust = source.trust_in(index.file.path)
            door = await open_n5g(n5g, server.decider, trust, clock=clock, log=log, records=records)
        if map_gsup is not None:
            older = await open_map_gsup(map_gsup, server.decider, clock=clock, log=log, records=server.records)
        if addresses.pages_port is not None:
            pages, pages_port = await serve_pages(
                addresses.pages_host,
                addresses.pages_port,
                lambda: _metrics(server, door, older),
                lambda: not server.is_draining and (door is None or door.is_ready),
            )
            log(
                "listening",
                transport="http",
                host=addresses.pages_host,
                port=pages_port,
                pages="/metrics /healthz /readyz",
            )
        watch = asyncio.create_task(_watch(source, policy, server, door, older, clock, looked, log))
        await stopped.wait()
        watch.cancel()
    finally:
        if door is not None:
            await door.close()
        if older is not None:
            await older.close()
        await server.drain()
        if pages is not None:
            pages.close()
        if server.records is not None:
            server.records.close()
    log("stopped", checks=sum(sum(each.decisions) for each in _interfaces(server, door, older)))


async def _watch(
    source: ListSource,
    policy: DecisionPolicy,
    server: DiameterServer,
    door: N5gDoor | None,
    older: MapGsupDoor | None,
    clock: Callable[[], datetime],
    looked: asyncio.Event,
    log: Log,
) -> None:
    """Swap the list whenever the files behind it change. Building happens in another process: it would hold up answers."""
    loop = asyncio.get_running_loop()
    seen, try_again_at = source.fingerprint(clock().date()), 0.0
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        asked, found = looked.is_set(), source.fingerprint(clock().date())
        looked.clear()
        if found == seen and not asked and not 0 < try_again_at < monotonic():
            continue
        moved = found[1:] != seen[1:] or try_again_at > 0
        seen, try_again_at = found, 0.0
        try:
            index = server.decider.index
            if asked or moved:
                index = await loop.run_in_executor(None, _opened_anew, source, clock())
                _check_newer(index, server.decider.index)
                overlay = _changes_if_whole(source, index, log)
            else:
                overlay = await loop.run_in_executor(None, source.changes, index)
        except Exception as wrong:
            server.counters.reloads["refused"] += 1
            code = wrong.code if isinstance(wrong, OpenceirError) else type(wrong).__name__
            log("alarm", what="a new list was refused; the last good one serves on", code=code, why=str(wrong))
            try_again_at = monotonic() + _TRY_AGAIN_AFTER_S
            continue
        old = server.decider
        if index is old.index and not overlay and not old.overlay:
            continue  # what stood beside another index was taken away
        server.use(Decider(index, overlay, policy))
        if older is not None:
            older.use(server.decider)
        if door is not None:
            door.use(server.decider, source.trust_in(index.file.path))
        old.retire()
        server.counters.reloads["done"] += 1
        if index is not old.index:
            _log_list(log, "list swapped", index)
        if overlay:
            log("changes in use", sequence=overlay.sequence, devices=len(overlay))


def _changes_if_whole(source: ListSource, index: Index, log: Log) -> Overlay:
    """What stands beside an index that was just opened; nothing when it is torn: who follows the centre has it still."""
    try:
        return source.changes(index)
    except IndexRefused as wrong:
        log("alarm", what="changes beside the list were refused; it serves without them", why=str(wrong))
        return Overlay()


def _opened_anew(source: ListSource, now: datetime) -> Index:
    """Build in another process, for that would hold up answers; open here, in a thread."""
    if source.is_one_index:
        return source.open(source.files[0])
    with ProcessPoolExecutor(1, get_context("spawn")) as builder:
        return source.open(builder.submit(source.build, now).result())


def _check_newer(new: Index, old: Index) -> None:
    """Raises: IndexRefused when an older list is laid in the place of a newer one; a restart takes it knowingly."""
    if new.sequence < old.sequence:
        raise IndexRefused(
            f"{new.file.path.name} has sequence {new.sequence}, older than the {old.sequence} in use; "
            "restart the EIR if the older list is meant"
        )


def _log_list(log: Log, event: str, index: Index) -> None:
    log(
        event,
        sequence=index.sequence,
        devices=len(index),
        ranges=index.range_count,
        pairs=index.pair_count,
        source=index.source,
        digest=index.digest.hex(),
    )


def _interfaces(server: DiameterServer, door: N5gDoor | None, older: MapGsupDoor | None) -> list[Counters]:
    return [server.counters, *([] if door is None else [door.counters]), *([] if older is None else older.counters)]


def _metrics(server: DiameterServer, door: N5gDoor | None, older: MapGsupDoor | None) -> str:
    gauges = _gauges(server) | ({} if door is None else door.gauges) | ({} if older is None else older.gauges)
    return page_of(_interfaces(server, door, older), gauges)


def _gauges(server: DiameterServer) -> dict[str, float]:
    index = server.decider.index
    return {
        "links": len(server.links),
        "busy": server.is_busy,
        "list_sequence": max(index.sequence, server.decider.overlay.sequence),
        "list_changes": len(server.decider.overlay),
        "list_devices": len(index),
        "list_ranges": index.range_count,
        "list_pairs": index.pair_count,
        "list_issued_timestamp_seconds": datetime.fromisoformat(index.issued_at).timestamp(),
    }


def check_files(files: tuple[Path, ...]) -> None:
    """Raises: EirError when an index is given together with other files."""
    if len(files) > 1 and any(is_index(path) for path in files):
        raise EirError("give either one index file or several lists, not both")
