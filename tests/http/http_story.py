"""One small register for all HTTP tests: Alice's phone was stolen, Bob's is registered and cloned by Mallory."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openceir.app import Register
from openceir.http import WSGI
from openceir.statements import (
    DeviceBound,
    DeviceClassified,
    DevicePaired,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    Pair,
    Role,
)

ALICES_PHONE, BOBS_PHONE = "00100100000001", "00100100000002"
BOBS_IMSI = "001010000000002"
MARCH = datetime(2027, 3, 1, tzinfo=UTC)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Calls the WSGI function as a server would."""

    application: WSGI
    token: str = ""

    def __call__(self, method: str, path: str, query: str = "", body: Any = None, **environ: Any) -> Reply:
        octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        called: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": "application/json" if body is not None else "",
            "CONTENT_LENGTH": str(len(octets)) if body is not None else "",
            "wsgi.input": io.BytesIO(octets),
        }
        if self.token:
            called["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        called |= environ
        seen: list[tuple[str, list[tuple[str, str]]]] = []
        chunks = b"".join(self.application(called, lambda status, headers: seen.append((status, headers))))
        [(line, headers)] = seen
        return Reply(int(line.split()[0]), dict(headers), chunks)


def fill(register: Register) -> None:
    """State the story; the clock's own day is not in it."""
    for name, role in (("regulator", Role.REGULATOR), ("police", Role.POLICE)):
        register.new_key(name, member=name, roles=[role], valid_from=MARCH)
    alices, bobs = DeviceSet.of(ALICES_PHONE), DeviceSet.of(BOBS_PHONE)
    register.state([DeviceStolen(devices=alices, stolen_at=MARCH, case_number="N-7")], by="police", at=MARCH)
    register.state(
        [
            DeviceRegistered(devices=bobs, registered_on=MARCH.date()),
            DeviceBound(identifiers=DeviceSet.of(BOBS_PHONE, others=[("eid", "89049032003008882600002962345624")])),
            DevicePaired(pairs=(Pair(BOBS_PHONE, BOBS_IMSI),), paired_at=MARCH),
            DeviceClassified(
                rule="duplicate", conditions=("duplicate_threshold",), blocking=True, marks_duplicate=True,
                policy_digest=bytes(32), as_of_on=MARCH.date(), evidence_digest=bytes(32),
                block_on=date(2027, 6, 1), matched=bobs,
            ),
        ],
        by="regulator",
        at=MARCH,
    )  # fmt: skip
    register.new_question_key("2027")
    folder = register.home / "lake" / "measures"
    triplets = folder / "triplets" / "month=2027-03" / "000001.parquet"
    triplets.parent.mkdir(parents=True)
    rows = [(BOBS_IMSI, 0b11), ("001010000000066", 0b100)]
    columns = {
        "month_on": [20878] * 2,  # 2027-03-01
        "device": [int(BOBS_PHONE)] * 2,
        "operator": ["northtel"] * 2,
        "imsi": [int("1" + imsi) for imsi, _ in rows],
        "msisdn": [199900000001, None],
        "rat": [1, 1],
        "day_mask": [mask for _, mask in rows],
    }
    pq.write_table(pa.table(columns), triplets)


class MeasuredOnce:
    """Stands where the measures' manifest would name the file."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __call__(self) -> list[Path]:
        return sorted(self._home.glob("lake/measures/triplets/*/*.parquet"))
