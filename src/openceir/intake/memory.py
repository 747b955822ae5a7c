"""Memory that one block of rows frees is kept for the next.

A block of 8 MiB needs some fifty megabytes while it is checked. The C library gives most of that back to the system when
the block is done and takes it again for the next one, a page fault for every 4 KiB: a tenth of the CPU of an import.
"""

import ctypes
from functools import cache

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as glibc's malloc.h names them
_KEPT_OCTETS = 64 << 20
_LARGEST_ON_HEAP = 32 << 20  # what is larger comes and goes by itself


@cache
def keep_freed_memory() -> bool:
    """Let this process keep up to 64 MiB that it has freed. False where the C library has no such wish (musl, macOS)."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    wishes = ((_MMAP_THRESHOLD, _LARGEST_ON_HEAP), (_TRIM_THRESHOLD, _KEPT_OCTETS))
    return all(library.mallopt(ctypes.c_int(name), ctypes.c_int(octets)) == 1 for name, octets in wishes)
