"""The manifest: which key, which layers of buckets, built from which head of the log, and until when to believe it."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openceir.ledger import LedgerError, SignedCheckpoint
from openceir.questions.bucket import MOST_PREFIX_BITS, Layer, Word
from openceir.questions.errors import BucketRefused, ElementRefused, ManifestRefused, ManifestStale
from openceir.questions.keys import KeyGroup
from openceir.questions.signed import sign_document, verify_document
from openceir.statements import KeyRefused, PublicKey, SigningKey

__all__ = ["MANIFEST_KIND", "Manifest", "RestrictedRange", "format_ranges", "read_ranges"]

MANIFEST_KIND = "openceir-questions/1"
_HEX32 = re.compile(r"[0-9a-f]{32}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_IMEI = re.compile(r"[0-9]{14}")
LARGEST_RANGES = 8 << 20


@dataclass(frozen=True, slots=True)
class RestrictedRange:
    """A whole range of numbers that is restricted; it names no single device, so it is published in clear."""

    first: str  # 14 digits, inclusive
    last: str
    word: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the signed file at the head of the bucket files says. Units: instants UTC, whole seconds."""

    group: KeyGroup
    made_at: datetime
    stale_at: datetime  # nobody should believe it from then on
    ledger_size: int
    checkpoint: str  # the log's signed note; empty for an empty log
    log_key: PublicKey | None  # whose signature the note bears; None for an empty log
    layers: tuple[Layer, ...]
    ranges_sha256: str

    def sign(self, key: SigningKey) -> bytes:
        """The file manifest.json."""
        document = {
            "group": self.group.as_json(),
            "made_at": _text(self.made_at),
            "stale_at": _text(self.stale_at),
            "ledger_size": self.ledger_size,
            "checkpoint": self.checkpoint,
            "log_key": self.log_key.format() if self.log_key is not None else "",
            "layers": [
                {
                    "name": layer.name, "tree": layer.tree, "prefix_bits": layer.prefix_bits,
                    "count": layer.count, "root": layer.root.hex(),
                }
                for layer in self.layers
            ],
            "ranges_sha256": self.ranges_sha256,
        }  # fmt: skip
        return sign_document(MANIFEST_KIND, document, key)

    @classmethod
    def read(cls, octets: bytes, key: PublicKey) -> "Manifest":
        """The manifest, if `key` signed it and it can be true. Raises: ManifestRefused, KeyGroupRefused."""
        said = verify_document(MANIFEST_KIND, octets, key)
        try:
            manifest = cls(
                group=KeyGroup.from_json(said["group"]),
                made_at=_moment(said["made_at"]),
                stale_at=_moment(said["stale_at"]),
                ledger_size=said["ledger_size"],
                checkpoint=said["checkpoint"],
                log_key=PublicKey.parse(said["log_key"]) if said["log_key"] else None,
                layers=tuple(_layer(row) for row in said["layers"]),
                ranges_sha256=said["ranges_sha256"],
            )
            if type(manifest.ledger_size) is not int or manifest.ledger_size < 0 or not 1 <= len(manifest.layers) <= 8:
                raise ValueError
            if not _HEX64.fullmatch(manifest.ranges_sha256):
                raise ValueError
            if manifest.checkpoint:
                if manifest.log_key is None:
                    raise ValueError
                checkpoint = SignedCheckpoint.parse(manifest.checkpoint).verify(manifest.log_key)
                if checkpoint.size != manifest.ledger_size:
                    raise ValueError
            elif manifest.ledger_size or manifest.log_key is not None:
                raise ValueError
        except (KeyError, TypeError, ValueError, AttributeError, LedgerError, KeyRefused, ElementRefused):
            raise ManifestRefused(
                "the manifest says something impossible; docs/reference/questions.md has its form"
            ) from None
        return manifest

    def verify_log(self, key: PublicKey) -> None:
        """Return when the files were made from the log that `key` signs. Raises: ManifestRefused."""
        if self.log_key is not None and (self.log_key.name, self.log_key.octets) != (key.name, key.octets):
            raise ManifestRefused(
                f"the bucket files were made from the log {self.log_key.name}, whose key is not that of {key.name}"
            )

    def verify_fresh(self, now: datetime) -> None:
        """Return when it may be believed at `now`. Raises: ManifestStale."""
        if now >= self.stale_at:
            raise ManifestStale(
                f"the bucket files are of {_text(self.made_at)} and were to be replaced by {_text(self.stale_at)}; "
                "nothing can be said of what was reported since. Ask the register to build them"
            )


def format_ranges(ranges: list[RestrictedRange]) -> bytes:
    """The file of restricted ranges, one form for equal contents."""
    rows = [[one.first, one.last, one.word.name.lower()] for one in ranges]
    return json.dumps({"ranges": rows}, separators=(",", ":")).encode() + b"\n"


def read_ranges(octets: bytes, manifest: Manifest) -> list[RestrictedRange]:
    """The ranges of the file that the manifest names. Raises: BucketRefused."""
    if len(octets) > LARGEST_RANGES or hashlib.sha256(octets).hexdigest() != manifest.ranges_sha256:
        raise BucketRefused("the file of restricted ranges is not the one that the manifest names")
    try:
        rows = json.loads(octets)["ranges"]
        found = [RestrictedRange(first, last, Word[word.upper()]) for first, last, word in rows]
        if not all(_IMEI.fullmatch(one.first) and _IMEI.fullmatch(one.last) for one in found):
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise BucketRefused("the file of restricted ranges cannot be read by this version; use a newer one") from None
    return found


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _layer(row: Any) -> Layer:
    layer = Layer(row["name"], row["tree"], row["prefix_bits"], row["count"], bytes.fromhex(row["root"]))
    whole = type(layer.prefix_bits) is int and type(layer.count) is int
    if not whole or not 0 <= layer.prefix_bits <= MOST_PREFIX_BITS or not 0 < layer.count < 1 << 16:
        raise ValueError
    # it becomes part of an address: nothing in it may climb
    if not _HEX32.fullmatch(layer.tree) or len(layer.root) != 32 or layer.name not in {"base", "additions"}:
        raise ValueError
    return layer
