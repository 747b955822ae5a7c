"""What a verdict rests on: one header a rule and run, one row a device, bound by a digest that a statement carries.

A row is JSON text: `facts` holds one object a condition of the rule, in the rule's order; `subscribers` the keyed
digests of the IMSIs that used the device in the longest window, at most MOST_SUBSCRIBERS. No IMSI, number or name.

    row digest       SHA-256(row salt ‖ device key, 8 octets big-endian ‖ row)
    row salt         HMAC-SHA-256(salt, device key), so that one row can be shown without the others
    evidence digest  SHA-256(label ‖ SHA-256(salt ‖ header) ‖ row digests, by device)

The salt keeps a stranger from guessing rows until one fits the digest in the public log.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from openceir.detection.rule import Rule
from openceir.policy import Limit

__all__ = [
    "MOST_SUBSCRIBERS", "Evidence", "EvidenceRow", "evidence_digest", "evidence_header", "evidence_salt", "row_digest",
]  # fmt: skip

MOST_SUBSCRIBERS = 20
_LABEL = b"openceir evidence 1\0"


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """What one device's verdict rests on, ready to be explained."""

    device: int
    header: Mapping[str, Any]
    row: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence of one rule in one run.

    Shapes: `devices` ascending, `rows` as many texts.
    """

    header: str
    salt: bytes
    devices: npt.NDArray[np.int64]
    rows: Sequence[str]

    @cached_property
    def digest(self) -> bytes:
        """What the statement carries. Made once: the outcome, the shelf and the statements all ask for it."""
        return evidence_digest(self.header, self.salt, self.devices, self.rows)

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of the rule by name, `not` before an inverted one."""
        used = json.loads(self.header)["conditions"]
        return tuple(f"not {one['name']}" if one["invert"] else one["name"] for one in used)

    def of(self, device: int) -> EvidenceRow | None:
        """One device's evidence; None when the rule has nothing on it."""
        at = int(np.searchsorted(self.devices, device))
        if at == len(self.devices) or self.devices[at] != device:
            return None
        return EvidenceRow(device, json.loads(self.header), json.loads(self.rows[at]))


def evidence_header(rule: Rule, policy_digest: bytes, as_of_on: date) -> str:
    """What all hits of a rule in a run share: its conditions and the limits they were held against."""
    return canonical(
        {
            "rule": rule.label,
            "reason": rule.reason,
            "as_of_on": as_of_on.isoformat(),
            "policy_digest": policy_digest.hex(),
            "conditions": [
                {
                    "name": use.name,
                    "invert": use.invert,
                    "limits": {name: _limit(limit) for name, limit in use.limits.items()},
                }
                for use in rule.uses
            ],
        }
    )


def _limit(limit: Limit) -> dict[str, Any]:
    return {
        "value": limit.value,
        "unit": limit.unit,
        "source": limit.source,
        "since": limit.since and limit.since.isoformat(),
    }


def canonical(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def evidence_salt(key: bytes, header: str) -> bytes:
    """The salt of a rule's evidence: nobody without the evidence key can make it, and a replay makes it again."""
    return hmac.digest(key, b"openceir evidence salt 1\0" + header.encode(), hashlib.sha256)


def row_digest(salt: bytes, device: int, row: str) -> bytes:
    """The digest of one device's row."""
    [digest] = _row_digests(salt, [device], [row])
    return digest


def evidence_digest(header: str, salt: bytes, devices: npt.NDArray[np.int64], rows: Sequence[str]) -> bytes:
    """The digest over header and rows."""
    whole = hashlib.sha256(_LABEL + hashlib.sha256(salt + header.encode()).digest())
    for digest in _row_digests(salt, devices.tolist(), rows):
        whole.update(digest)
    return whole.digest()


def _row_digests(salt: bytes, devices: Sequence[int], rows: Sequence[str]) -> Iterator[bytes]:
    """HMAC is written out (RFC 2104, a key of at most 64 octets): OpenSSL's call takes thrice as long for so few octets."""
    sha256 = hashlib.sha256
    inner, outer = (bytes(octet ^ pad for octet in salt.ljust(64, b"\0")) for pad in (0x36, 0x5C))
    for device, row in zip(devices, rows, strict=True):
        name = device.to_bytes(8, "big")
        row_salt = sha256(outer + sha256(inner + name).digest()).digest()
        yield sha256(row_salt + name + row.encode()).digest()
