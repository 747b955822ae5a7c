"""One key that signs, and the shortest way from a few facts to an opened index."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from openceir.eir import Contents, Pairs, Ranges, Status, attribute, build, open_index
from openceir.statements import SigningKey

ISSUED_AT = datetime(2027, 3, 1, tzinfo=UTC)
SIGNER = SigningKey("centre", b"a test key and no other purpose!")
TRUSTED = [SIGNER.public]

ALICES_PHONE = 100_100_000_001  # 00100100 000001: TAC 00100100, a test TAC, without its leading zeros
ALICE, BOB, MALLORY = (1_001_010_000_000_001 + n for n in range(3))  # 001-01, with the leading 1

BLOCKED, TRACKED, PERMITTED = (attribute(status) for status in (Status.BLOCKED, Status.TRACKED, Status.PERMITTED))


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def octets(*values: int) -> np.ndarray:
    return np.array(values, np.uint8)


def ranges(*rows: tuple[int, int, int]) -> Ranges:
    low, high, said = zip(*rows, strict=True) if rows else ((), (), ())
    return Ranges(keys(*low), keys(*high), octets(*said))


def pairs(*rows: tuple[int, int, int]) -> Pairs:
    device, imsi, said = zip(*rows, strict=True) if rows else ((), (), ())
    return Pairs(keys(*device), keys(*imsi), octets(*said))


@pytest.fixture
def made(tmp_path: Path):
    """Build and open an index of these contents."""

    def make(sequence: int = 1, name: str = "list.idx", **parts):
        devices = parts.pop("devices", {})
        contents = Contents(device=keys(*devices), attribute=octets(*devices.values()), **parts)
        build(tmp_path / name, contents, sequence=sequence, issued_at=ISSUED_AT, source="test", key=SIGNER)
        return open_index(tmp_path / name, TRUSTED)

    return make
