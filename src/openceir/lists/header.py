"""The header document that stands beside every list and delta, and the signature that stands beside the header.

Three files travel together: `X.csv` (the rows), `X.json` (the header: one line of JSON, keys sorted, no spaces, no
floats, so that equal headers are equal octets), `X.sig` (64 octets: Ed25519 over the octets of `X.json`). The header
binds the rows by SHA-256, so one signature covers both, and `openssl pkeyutl -verify -rawin` checks it without us.

A delta's header names the base it applies to and the full list that results, with the signature of that full list's
own header. Ed25519 is deterministic, so whoever applies the delta holds all three files of the new full list exactly
as they were delivered to others, and can prove what he holds without asking.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from openceir.lists.errors import NotAList, WrongListKey
from openceir.lists.kinds import kind_named
from openceir.statements import KeyRefused, PublicKey

__all__ = ["Base", "ListHeader", "Outcome", "is_operator_name", "read_header", "verify_signature"]

_FORMAT = "openceir-list/1"
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_OPERATOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_HEX_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True)
class Base:
    """The full list a delta applies to."""

    sequence: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The full list that results from applying a delta, and the signature of its header."""

    rows: int
    octets: int
    sha256: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHeader:
    """What a list or delta says of itself.

    Units: `octets` and `sha256` of the CSV file as it stands; `made_at` UTC, whole seconds.
    """

    kind: str
    operator: str
    sequence: int  # one run of the dispatch desk, the same number for all its lists
    made_at: str
    as_of_on: str  # the lists say what holds on this day
    columns: tuple[str, ...]
    rows: int
    octets: int
    sha256: str
    policy_sha256: str
    ledger_size: int  # the checkpoint that the lists were made from
    ledger_root: str
    signed_by: str  # the public key in one line, name+hash+base64: which key to look for; trust comes from elsewhere
    base: Base | None = None
    result: Outcome | None = None

    @property
    def is_delta(self) -> bool:
        """Whether this header stands beside a delta."""
        return self.base is not None

    @property
    def file_stem(self) -> str:
        """The name that the three files share, without their endings."""
        stem = f"{self.operator}_{self.kind}_{self.sequence:06d}"
        return f"{stem}_from_{self.base.sequence:06d}" if self.base else stem

    def to_octets(self) -> bytes:
        """The header file, octet for octet."""
        fields = {"format": _FORMAT, **asdict(self)}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    def of_result(self) -> "ListHeader":
        """The header of the full list that this delta leads to, as it was delivered to who took the full list."""
        assert self.result is not None
        return replace(
            self,
            columns=kind_named(self.kind).columns,
            rows=self.result.rows,
            octets=self.result.octets,
            sha256=self.result.sha256,
            base=None,
            result=None,
        )


def read_header(octets: bytes, name: str) -> ListHeader:
    """The header that stands in `octets`; `name` is what to call the file in an error.

    Raises: NotAList when it is not a header of this format, or says something impossible.
    """
    try:
        fields = json.loads(octets)
    except (ValueError, RecursionError) as wrong:
        raise NotAList(f"{name} is not a list header: it is not JSON") from wrong
    if not isinstance(fields, dict) or fields.pop("format", None) != _FORMAT:
        raise NotAList(f"{name} is not a list header: it does not say format {_FORMAT}")
    try:
        header = _from_fields(fields)
    except (TypeError, ValueError) as wrong:
        raise NotAList(f"{name} is not a list header: {wrong}") from wrong
    if header.to_octets() != octets:
        raise NotAList(f"{name} is not written in the one form a header has; fetch it again")
    return header


def _from_fields(fields: Mapping[str, Any]) -> ListHeader:
    values = dict(fields)
    if values.get("base") is not None:
        values["base"] = Base(**values["base"])
    if values.get("result") is not None:
        values["result"] = Outcome(**values["result"])
    values["columns"] = tuple(values.get("columns", ()))
    header = ListHeader(**values)
    _check(header)
    return header


def _check(header: ListHeader) -> None:
    kind = kind_named(header.kind)
    if (header.base is None) != (header.result is None):
        raise ValueError("a delta names both its base and its result")
    if header.columns != (kind.delta_columns if header.is_delta else kind.columns):
        raise ValueError(f"its columns are not those of {kind.name}")
    counts: list[Any] = [header.sequence, header.rows, header.octets, header.ledger_size]
    digests = [header.sha256, header.policy_sha256, header.ledger_root]
    if header.base and header.result:
        counts += [header.base.sequence, header.result.rows, header.result.octets]
        digests += [header.base.sha256, header.result.sha256]
        if header.base.sequence >= header.sequence:
            raise ValueError("its base is not older than itself")
        if not _HEX_SIGNATURE.fullmatch(header.result.signature):
            raise ValueError("its result has no signature")
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("a count or sequence number is not a whole number")
    if not all(isinstance(digest, str) and _HEX_DIGEST.fullmatch(digest) for digest in digests):
        raise ValueError("a digest is not 64 hexadecimal digits")
    try:
        PublicKey.parse(header.signed_by)
    except (KeyRefused, AttributeError) as wrong:
        raise ValueError("signed_by is not a public key") from wrong
    if not is_operator_name(header.operator):
        raise ValueError("its operator is not a name")


def is_operator_name(text: object) -> bool:
    """Whether `text` can be an operator's id: it becomes a file name, and nothing in it may climb out of a folder."""
    return isinstance(text, str) and _OPERATOR.fullmatch(text) is not None


def verify_signature(header_octets: bytes, signature: bytes, key: PublicKey, name: str) -> None:
    """Return when `signature` is `key`'s over these octets.

    Raises: WrongListKey otherwise.
    """
    if not key.has_signed(header_octets, signature):
        raise WrongListKey(
            f"{name} is not signed by the key of {key.name} ({key.note_hash.hex()}): it was altered, or another key "
            "signed it; ask the register which key signs its lists"
        )
