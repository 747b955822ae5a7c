"""The consensus engine's binary: where it is, whether it is one that we know, and how it is run beside us."""

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from openceir.consortium.errors import EngineMissing, NodeRefused

__all__ = ["ENGINE_VERSION", "find_engine", "relay", "start_engine", "stop_engine"]

ENGINE_VERSION: Final = "0.38.26"  # tested; 0.40.0 is tested beside it
_KNOWN: Final = re.compile(r"v?0\.(38|39|40)\.(\d+)")
_SAFE_38: Final = 21  # earlier 0.38 can be brought to a halt or to false times by a single node (CSA-2026-001)
_INSTALL: Final = f"go install github.com/cometbft/cometbft/cmd/cometbft@v{ENGINE_VERSION}"
_STOP_SECONDS: Final = 15
_FAILURE: Final = b"CONSENSUS FAILURE"
_BEHIND: Final = b"is too far in the future"  # of a block's time, by this machine's clock
_LONGEST_LINE: Final = 1 << 20  # of the engine's log; a panic's stack is in one


def find_engine(given: str = "") -> Path:
    """The engine: `given`, or the first `cometbft` on PATH or in Go's folders.

    Raises: EngineMissing when there is none, or one of a release that we do not speak to.
    """
    if given:
        path = Path(given).expanduser()
        if not os.access(path, os.X_OK) or path.is_dir():
            raise EngineMissing(f"{path} is no program; give the path of cometbft, or install it: {_INSTALL}")
        return _known(path)
    found = shutil.which("cometbft")
    places = [Path(found)] if found else []
    places += [
        Path(folder) / "cometbft" for folder in (os.environ.get("GOBIN", ""), Path.home() / "go" / "bin") if folder
    ]
    for place in places:
        if os.access(place, os.X_OK):
            return _known(place)
    raise EngineMissing(
        f"the consensus engine cometbft is not on PATH; install it with Go 1.22 or newer: {_INSTALL}; "
        "or name its file with --engine or consortium.engine in openceir.toml"
    )


def _known(path: Path) -> Path:
    try:
        asked = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603 - the deployer names it
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise EngineMissing(f"{path} cannot be run: {wrong}") from wrong
    version = asked.stdout.strip()
    match = _KNOWN.match(version)
    if match is None or (match[1] == "38" and int(match[2]) < _SAFE_38):
        raise EngineMissing(
            f"{path} says it is {version[:40] or 'nothing'}; 0.38.{_SAFE_38} or newer of 0.38, 0.39 or 0.40 is needed"
        )
    return path


async def start_engine(
    engine: Path, folder: Path, socket: str, *, held: tuple[int, ...] = ()
) -> asyncio.subprocess.Process:
    """The engine, running on the node in `folder` against the application at `socket`; what it says is to be read.

    It dies with this process, however that ends; `held` are files (the node's lock) that it keeps open until then.
    """
    return await asyncio.create_subprocess_exec(
        engine, "start", "--home", str(folder), "--proxy_app", socket,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=held,
        start_new_session=True, limit=_LONGEST_LINE, preexec_fn=_dying_with(os.getpid()),
    )  # fmt: skip


async def relay(process: asyncio.subprocess.Process, output: int) -> None:
    """Write what the engine says to `output`; returns when the engine ended, or when its consensus did.

    After "CONSENSUS FAILURE" (this node came to another state than everybody else, or its disk failed) the engine takes
    no further part and does not end by itself: whoever runs it must.
    Raises: NodeRefused then.
    """
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            continue  # longer than a line that could matter; what was read of it is gone
        if not line:
            return
        with contextlib.suppress(OSError):  # a full disk must not stop the node for its log's sake
            os.write(output, line)
        if _FAILURE in line and _BEHIND in line:
            raise NodeRefused(
                "the engine stopped: blocks that the others agreed on lie more than a minute ahead of this machine's "
                "clock; set this machine's clock right (NTP) and start the node again, nothing is lost"
            )
        if _FAILURE in line:
            raise NodeRefused(
                "the engine stopped taking part: this node comes to another state than the others, or cannot go on; "
                "`openceir consortium verify` says whether its book is whole, its engine's log what was the matter"
            )


def _dying_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_the_kernel() -> None:
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask_the_kernel


async def stop_engine(process: asyncio.subprocess.Process) -> None:
    """Ask the engine to end, and make it after fifteen seconds."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), _STOP_SECONDS)  # it must not wait for us to read
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
