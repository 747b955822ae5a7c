"""The index as a file: a signed head, then flat arrays that are mapped and never parsed.

    octets 0-7     magic "OCEIR-IX"
    octets 8-11    format version, u32 little-endian
    octets 12-15   N, length of the head, u32 little-endian
    16 .. 16+N     the head: CBOR map {sequence, issued_at, source, reasons, size, sections}
    then           32 octets Ed25519 public key and 64 octets signature over all that stands before the signature;
                   both zero when the file is unsigned
    sections       each begins on a 64-octet boundary; the head holds for each its place, its number type and the
                   SHA-256 of every CHUNK octets of it

What the signature covers is the head, and the head covers every octet of every section: a reader may check the small
sections at once and the two large ones piece by piece while it already serves.
"""

import hashlib
import mmap
import struct
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cbor2
import numpy as np

from openceir.eir.errors import IndexRefused
from openceir.statements import PublicKey, SigningKey
from openceir.storage.files import write_beside

__all__ = ["CHUNK", "Section", "SectionFile", "read_sections", "write_sections"]

MAGIC = b"OCEIR-IX"
FORMAT_VERSION = 1
CHUNK = 4 << 20
_FIXED = struct.Struct("<8sII")
_LARGEST_HEAD = 16 << 20
_ALIGNMENT = 64
_UNSIGNED_KEY = bytes(32)


class Section(NamedTuple):
    """One array's place in the file. Units: octets from the file's begin; one SHA-256 a CHUNK."""

    at: int
    length: int
    type: str
    digests: bytes

    def fits(self, size: int) -> bool:
        """Whether it lies within a file of this size and has a digest for each of its pieces."""
        return (
            self.at >= 0
            and 0 <= self.length <= size - self.at
            and self.type in {"u1", "u2", "u4", "u8"}
            and self.length % int(self.type[1]) == 0
            and len(self.digests) == 32 * -(-self.length // CHUNK)
        )


class SectionFile:
    """An opened index file: its head and its mapped octets."""

    def __init__(
        self, path: Path, head: Mapping[str, Any], digest: bytes, signed_by: bytes | None, octets: mmap.mmap
    ) -> None:
        self.path = path
        self.head = head
        self.digest = digest
        self.signed_by = signed_by
        self.sections = {name: Section(*place) for name, place in head["sections"].items()}
        self._octets = octets

    def view(self, name: str) -> memoryview:
        """The section as a memoryview of its own numbers, not copied."""
        section = self.sections[name]
        octets = memoryview(self._octets)[section.at : section.at + section.length]
        match section.type:
            case "u1":
                return octets
            case "u2":
                return octets.cast("H")
            case "u4":
                return octets.cast("I")
            case _:
                return octets.cast("Q")

    def array(self, name: str) -> "np.ndarray[Any, Any]":
        """The section as a numpy array, not copied."""
        section = self.sections[name]
        kind = np.dtype(f"<{section.type}")
        return np.frombuffer(self._octets, dtype=kind, count=section.length // kind.itemsize, offset=section.at)

    def verify(self, names: Collection[str]) -> Iterator[str]:
        """Check these sections against the head, yielding a section's name after each CHUNK that agrees.

        Raises: IndexRefused at the first CHUNK that does not agree.
        """
        for name in names:
            section = self.sections[name]
            for number, start in enumerate(range(0, section.length, CHUNK)):
                piece = memoryview(self._octets)[section.at + start : section.at + min(start + CHUNK, section.length)]
                if hashlib.sha256(piece).digest() != section.digests[32 * number : 32 * number + 32]:
                    raise IndexRefused(
                        f"{self.path}: octets {section.at + start} and after (array `{name}`) are not those that were "
                        "signed; the file was altered or the disk is failing; fetch it again"
                    )
                yield name


def write_sections(
    path: Path, head: Mapping[str, Any], arrays: "Mapping[str, np.ndarray[Any, Any]]", key: SigningKey | None
) -> None:
    """Write an index file in one atomic step.

    Raises: StorageError when the disk refuses; the old file is still there then.
    """
    sections: dict[str, list[Any]] = {}
    views: dict[str, memoryview] = {}
    for name, array in arrays.items():
        views[name] = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
        octets = views[name]
        digests = [hashlib.sha256(octets[start : start + CHUNK]).digest() for start in range(0, len(octets), CHUNK)]
        sections[name] = [0, len(octets), array.dtype.str.lstrip("<|="), b"".join(digests)]
    # A place written as 2**40 takes the same octets of CBOR as any real one would with a fixed width; we
    # therefore give places from a fixed start that leaves room for the head, whatever its exact length.
    room = 16 + len(cbor2.dumps({**head, "size": 2**40, "sections": sections}, canonical=True)) + 9 * len(sections) + 96
    at = room + -room % 4096
    for name, octets in views.items():
        sections[name][0] = at
        at += len(octets)
        at += -at % _ALIGNMENT
    encoded = cbor2.dumps({**head, "size": at, "sections": sections}, canonical=True)
    begin = _FIXED.pack(MAGIC, FORMAT_VERSION, len(encoded)) + encoded
    begin += key.public.octets if key else _UNSIGNED_KEY
    begin += key.sign(begin) if key else bytes(64)
    with write_beside(path) as fresh, fresh.open("wb") as out:
        out.write(begin)
        for name, octets in views.items():
            out.seek(sections[name][0])
            out.write(octets)
        out.truncate(at)


def read_sections(path: Path, trusted: Collection[PublicKey], *, accept_unsigned: bool = False) -> SectionFile:
    """Open and map an index file; its head is verified, its sections are not yet.

    Raises: IndexRefused when it is not such a file, is cut short, or nobody in `trusted` signed it.
    """
    try:
        with path.open("rb") as file:
            octets = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as wrong:
        raise IndexRefused(
            f"{path} cannot be read: {wrong}; name the file that `openceir eir build-index` wrote"
        ) from None
    if len(octets) < _FIXED.size or octets[:8] != MAGIC:
        raise IndexRefused(f"{path} is not an index of openceir: it does not begin with {MAGIC.decode()}")
    _, version, length = _FIXED.unpack_from(octets)
    if version != FORMAT_VERSION:
        raise IndexRefused(f"{path} has index format {version}, this openceir reads {FORMAT_VERSION}; build it anew")
    end = _FIXED.size + length
    if length > _LARGEST_HEAD or end + 96 > len(octets):
        raise IndexRefused(f"{path} is cut short: its head says {length} octets; fetch it again")
    key, signature = octets[end : end + 32], octets[end + 32 : end + 96]
    signed_by = None if key == _UNSIGNED_KEY else key
    if signed_by is None and not accept_unsigned:
        raise IndexRefused(f"{path} is not signed; build it with a key, or accept unsigned files knowingly")
    if signed_by is not None:
        # Who believes files as they lie there still wants to know that nobody altered them since they were signed.
        believed = [PublicKey("anybody", signed_by)] if accept_unsigned and not trusted else trusted
        _verify_signature(path, octets[: end + 32], signed_by, signature, believed)
    try:
        head = cbor2.loads(octets[_FIXED.size : end])
        found = SectionFile(path, head, hashlib.sha256(octets[: end + 32]).digest(), signed_by, octets)
        fits = all(section.fits(head["size"]) for section in found.sections.values())
    except (cbor2.CBORDecodeError, KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise IndexRefused(f"{path} has a head that cannot be read ({type(wrong).__name__}); fetch it again") from None
    if not fits or head["size"] != len(octets):
        raise IndexRefused(f"{path} is cut short: {len(octets)} octets of {head['size']}; fetch it again")
    return found


def _verify_signature(path: Path, signed: bytes, key: bytes, signature: bytes, trusted: Collection[PublicKey]) -> None:
    signer = next((each for each in trusted if each.octets == key), None)
    if signer is None:
        raise IndexRefused(f"{path} is signed by {key.hex()[:16]}…, which is not a key this EIR trusts")
    if not signer.has_signed(signed, signature):
        raise IndexRefused(f"{path}: the signature does not fit its head; the file was altered; fetch it again")
