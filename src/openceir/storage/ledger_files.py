"""The log on plain files: blocks one after another, the checkpoint, and the tree's nodes beside them.

    ledger/log          the blocks                         append-only
    ledger/checkpoint   the last signed checkpoint         replaced whole
    ledger/tree         nodes of the Merkle tree, SHA-256  rebuildable
    ledger/lock         held by the one writer             says which process

    log   = "openceir ledger 1\\n" block*
    block = "ocb1" u64 height, u64 seconds, u64 first, u32 count, u32 length of body, root[32], previous digest[32]
            body: count x (u16 length, entry)
            digest[32] = SHA-256 of all of the block before it                        (numbers are big-endian)

Each block carries the digest of the one before, so that a block cannot be cut out or exchanged unnoticed even before
the tree is looked at. What a dying writer leaves is always at the end of the file: a block that is shorter than it
says, or whose digest is wrong. It is passed over, and the next writer cuts it. A wrong block with a right one after
it was not left by a crash: that is LedgerBroken.
"""

import contextlib
import fcntl
import hashlib
import mmap
import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from openceir.ledger import Block, BlockHead, LedgerBroken, LedgerBusy, hash_leaf
from openceir.storage.files import StorageError, fsync_folder, replace_file

__all__ = ["LedgerFiles", "leaves_of"]

_MAGIC: Final = b"openceir ledger 1\n"
_BLOCK: Final = b"ocb1"
_HEAD: Final = struct.Struct(">4sQQQII32s32s")
_LENGTH: Final = struct.Struct(">H")
_DIGEST_OCTETS: Final = 32
_NOTHING_BEFORE: Final = bytes(_DIGEST_OCTETS)


class LedgerFiles:
    """A BlockShelf in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder / "log"
        self._heads: list[BlockHead] = []
        self._starts: list[int] = []  # where each block begins
        self._end = len(_MAGIC)  # where the last whole block ends
        self._last_digest = _NOTHING_BEFORE
        self._unfinished = 0
        self._lock: int | None = None
        self._out: int | None = None
        self._in: int | None = None
        self._cached: tuple[int, tuple[bytes, ...]] = (-1, ())
        self._tree = hashlib.sha256()  # over the nodes up to `_tree_end`
        self._tree_end = 0

    # -- reading -------------------------------------------------------------------------------------------------

    def read_checkpoint(self) -> str | None:
        """The last checkpoint written, None before the first."""
        try:
            return (self.folder / "checkpoint").read_bytes().decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as wrong:
            raise LedgerBroken("ledger/checkpoint is not a text; restore it from a copy") from wrong
        except OSError as wrong:
            raise StorageError(f"{self.folder / 'checkpoint'} cannot be read: {wrong.strerror}") from wrong

    def refresh(self) -> list[BlockHead]:
        """The heads of whole blocks added since the last call, digests checked; raises LedgerBroken."""
        try:
            size = self._log.stat().st_size
        except FileNotFoundError:
            size = 0
        if size < self._end:
            if self._heads or size > len(_MAGIC):
                raise LedgerBroken(f"{self._log} became shorter while it was open; another program changed it")
            self._unfinished = size  # a writer died before the first line was whole
            return []
        known = len(self._heads)
        handle = self._reader()
        if os.pread(handle, len(_MAGIC), 0) != _MAGIC:
            raise LedgerBroken(f"{self._log} does not begin like a log; restore it from a copy")
        if size > self._end:
            with mmap.mmap(handle, size, access=mmap.ACCESS_READ) as octets:
                while self._scan(octets, size):
                    pass
                self._refuse_damage(octets, size)
        self._unfinished = size - self._end
        return self._heads[known:]

    def unfinished_octets(self) -> int:
        """How much follows the last whole block, as seen at the last `refresh`."""
        return self._unfinished

    def entries(self, block: BlockHead) -> tuple[bytes, ...]:
        """The entries of a block that `refresh` or `append` has told of."""
        if self._cached[0] != block.height:
            at = self._starts[block.height] + _HEAD.size
            end = self._starts[block.height + 1] if block.height + 1 < len(self._starts) else self._end
            body = os.pread(self._reader(), end - at - _DIGEST_OCTETS, at)
            self._cached = (block.height, _split(body, block.count))
        return self._cached[1]

    def holding(self, words: Sequence[bytes], *, since: int) -> list[BlockHead]:
        """The blocks from height `since` on in which one of these words stands anywhere, in order."""
        if since >= len(self._heads):
            return []
        found: set[int] = set()
        with mmap.mmap(self._reader(), self._end, access=mmap.ACCESS_READ) as octets:
            for word in words:
                at = octets.find(word, self._starts[since])
                while at != -1:
                    height = bisect_right(self._starts, at) - 1
                    found.add(height)
                    after = self._starts[height + 1] if height + 1 < len(self._starts) else self._end
                    at = octets.find(word, after)
        return [self._heads[height] for height in sorted(found)]

    def read_nodes(self) -> bytes:
        """The tree's nodes as last written, nothing when they are not whole."""
        try:
            octets = (self.folder / "tree").read_bytes()
        except OSError:
            return b""
        nodes = octets[:-_DIGEST_OCTETS]
        self._tree = hashlib.sha256(nodes)
        self._tree_end = len(nodes)
        if self._tree.digest() != octets[-_DIGEST_OCTETS:]:
            self._tree_end = 0
            return b""
        return nodes

    # -- writing -------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Become the writer, until `close` or the end of the process, however it ends.

        Raises: LedgerBusy when another process is.
        """
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as wrong:
            raise StorageError(f"{self.folder} cannot be written: {wrong.strerror}; nothing was changed") from wrong
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
            os.close(handle)
            raise LedgerBusy(
                f"another process (number {process}) writes to {self.folder}; let it finish or stop it, then try again"
            ) from None
        self._lock = handle
        with contextlib.suppress(OSError):  # on a full disk the lock still holds, only its owner stays unnamed
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def unlock(self) -> None:
        """Let another process be the writer."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def cut_unfinished(self) -> int:
        """Remove what follows the last whole block; the number of octets removed."""
        self._unfinished, cut = 0, self._unfinished
        if cut or not self._log.exists() or self._log.stat().st_size < self._end:
            self._cut_to(self._end)
        return cut

    def append(self, block: Block) -> None:
        """Add a block, fsynced. When it raises StorageError, the log holds what it held before."""
        octets = _write(block, self._last_digest)
        try:
            _write_all(self._writer(), octets, self._end)
            os.fsync(self._writer())
        except OSError as wrong:
            self._cut_to(self._end)
            raise StorageError(f"{self._log} could not be written: {wrong.strerror}; nothing was logged") from wrong
        self._heads.append(block.head)
        self._starts.append(self._end)
        self._end += len(octets)
        self._last_digest = octets[-_DIGEST_OCTETS:]

    def truncate(self, height: int) -> None:
        """Take back the blocks from `height` on, and what an interrupted `append` may have left."""
        if height >= len(self._heads):
            self._cut_to(self._end)
            return
        end = self._starts[height]
        self._cut_to(end)
        del self._heads[height:], self._starts[height:]
        self._end = end
        self._cached = (-1, ())
        self._last_digest = (
            os.pread(self._reader(), _DIGEST_OCTETS, end - _DIGEST_OCTETS) if height else _NOTHING_BEFORE
        )

    def write_checkpoint(self, note: str) -> None:
        """Replace the checkpoint, atomically and durably."""
        replace_file(self.folder / "checkpoint", note.encode())

    def write_nodes(self, at: int, nodes: bytes) -> None:
        """Put nodes at octet `at` and end there; what cannot be written is rebuilt when the ledger is next opened.

        Not fsynced: the digest at the end tells a copy that a crash left half-written.
        """
        try:
            handle = os.open(self.folder / "tree", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                if at != self._tree_end:
                    self._tree = hashlib.sha256(os.pread(handle, at, 0))
                self._tree.update(nodes)
                self._tree_end = at + len(nodes)
                os.ftruncate(handle, at)
                _write_all(handle, nodes + self._tree.digest(), at)
            finally:
                os.close(handle)
        except OSError:
            self._tree_end = -1

    def close(self) -> None:
        """Let go of files and lock."""
        for handle in (self._in, self._out, self._lock):
            if handle is not None:
                os.close(handle)
        self._in = self._out = self._lock = None

    def __del__(self) -> None:
        """A shelf that was dropped must not hold the lock for as long as the process lives."""
        self.close()

    # -- inside --------------------------------------------------------------------------------------------------

    def _reader(self) -> int:
        if self._in is None:
            try:
                self._in = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as wrong:
                raise StorageError(f"{self._log} cannot be read: {wrong.strerror}") from wrong
        return self._in

    def _writer(self) -> int:
        if self._out is None:
            self._out = os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._out

    def _cut_to(self, end: int) -> None:
        """Make the log exactly `end` octets long; a log that is not there yet gets its first line."""
        try:
            handle = self._writer()
            if end == len(_MAGIC):
                _write_all(handle, _MAGIC, 0)
            os.ftruncate(handle, end)
            os.fsync(handle)
            fsync_folder(self.folder)
        except OSError as wrong:
            raise StorageError(f"{self._log} cannot be written: {wrong.strerror}; nothing was logged") from wrong

    def _scan(self, octets: mmap.mmap, size: int) -> bool:
        """Take in the block at `_end`; False when there is no whole one."""
        read = _read_head(octets, self._end, size)
        if read is None:
            return False
        head, previous, end = read
        body_end = end - _DIGEST_OCTETS
        digest = octets[body_end:end]
        if hashlib.sha256(memoryview(octets)[self._end : body_end]).digest() != digest:
            return False
        first = self._heads[-1].end if self._heads else 0
        if previous != self._last_digest or head.height != len(self._heads) or head.first != first:
            raise LedgerBroken(f"{self._log}: block {len(self._heads)} does not follow the one before; restore the log")
        self._heads.append(head)
        self._starts.append(self._end)
        self._end, self._last_digest = end, digest
        return True

    def _refuse_damage(self, octets: mmap.mmap, size: int) -> None:
        """Raise LedgerBroken when a later block continues the log: then what lies between was damaged, not unfinished."""
        at = octets.find(_BLOCK, self._end + 1)
        while at != -1:
            read = _read_head(octets, at, size)
            if (
                read is not None
                and hashlib.sha256(octets[at : read[2] - 32]).digest() == octets[read[2] - 32 : read[2]]
            ):
                raise LedgerBroken(
                    f"{self._log}: block {len(self._heads)}, at octet {self._end}, was altered: "
                    "a whole block stands after it; restore the log from a copy"
                )
            at = octets.find(_BLOCK, at + 1)


def leaves_of(folder: Path) -> Iterator[bytes]:
    """The leaf hashes of a copy of a log in order, computed from its entries. Raises: LedgerBroken, StorageError."""
    if not (folder / "log").is_file():
        raise StorageError(f"{folder} holds no log; give the folder `ledger` of a register, or a copy of it")
    files = LedgerFiles(folder)
    try:
        for head in files.refresh():
            yield from (hash_leaf(entry) for entry in files.entries(head))
    finally:
        files.close()


def _read_head(octets: mmap.mmap, at: int, size: int) -> tuple[BlockHead, bytes, int] | None:
    """Head, previous digest and end of the block at `at`, or None when no whole block can stand there."""
    if at + _HEAD.size > size:
        return None
    mark, height, seconds, first, count, length, root, previous = _HEAD.unpack_from(octets, at)
    end = at + _HEAD.size + length + _DIGEST_OCTETS
    if mark != _BLOCK or end > size or seconds >= 1 << 37:
        return None
    return BlockHead(height, datetime.fromtimestamp(seconds, UTC), first, count, root), previous, end


def _write(block: Block, previous: bytes) -> bytes:
    """The octets of a block."""
    body = b"".join(_LENGTH.pack(len(entry)) + entry for entry in block.entries)
    head = block.head
    start = _HEAD.pack(
        _BLOCK, head.height, int(head.time.timestamp()), head.first, head.count, len(body), head.root, previous
    )
    return start + body + hashlib.sha256(start + body).digest()


def _split(body: bytes, count: int) -> tuple[bytes, ...]:
    """The entries of a block's body."""
    entries = []
    at = 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        entries.append(body[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(body) or len(entries) != count:
        raise LedgerBroken("a block holds another number of entries than it says; restore the log from a copy")
    return tuple(entries)


def _write_all(handle: int, octets: bytes, at: int) -> None:
    """Write everything: a disk that is nearly full takes a part and says so only when asked for the rest."""
    view = memoryview(octets)
    while view:
        written = os.pwrite(handle, view, at)
        view, at = view[written:], at + written
