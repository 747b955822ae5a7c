"""Whether an index file's head and arrays fit each other, so that whoever looks into it afterwards needs no doubt.

The signature says that nobody altered the file since; this says that it is one. A file that is taken unsigned is only
this.
"""

from datetime import datetime
from typing import Any

import cbor2

from openceir.eir._index_file import SectionFile

__all__ = ["BUCKETS", "has_parts_that_fit"]

BUCKETS = 16  # of a TAC
_MOST_REASONS = 32
_TYPES = {
    "tac": "u4", "tac_rule": "u2", "offs": "u4", "low": "u2", "attr": "u1",
    **{f"{name}_{part}": kind for name in ("narrow", "wide", "imsi") for part, kind in (("low", "u8"), ("high", "u8"), ("attr", "u1"))},
    "svn_key": "u8", "svn_attr": "u1", "pair_device": "u8", "pair_imsi": "u8", "pair_attr": "u1", "others": "u1",
}  # fmt: skip


def has_parts_that_fit(file: SectionFile) -> bool:
    """Whether every array is there, of its type, and as long as the others say; the large ones are not read."""
    if any(name not in file.sections or file.sections[name].type != kind for name, kind in _TYPES.items()):
        return False
    size = {name: len(file.view(name)) for name in _TYPES}
    offs, tac = file.array("offs"), file.array("tac")
    return (
        _is_head(file.head)
        and size["offs"] == BUCKETS * size["tac"] + 1
        and size["tac_rule"] == size["tac"]
        and bool((tac[1:] > tac[:-1]).all())
        and bool((offs[1:] >= offs[:-1]).all())
        and int(offs[-1]) == size["low"] == size["attr"]
        and all(
            size[f"{name}_low"] == size[f"{name}_high"] == size[f"{name}_attr"] for name in ("narrow", "wide", "imsi")
        )
        and size["svn_key"] == size["svn_attr"]
        and size["pair_device"] == size["pair_imsi"] == size["pair_attr"]
        and _are_others(bytes(file.view("others")))
    )


def _is_head(head: Any) -> bool:
    sequence, reasons = head.get("sequence"), head.get("reasons")
    try:
        datetime.fromisoformat(head.get("issued_at"))
    except (ValueError, TypeError):
        return False
    return (
        type(sequence) is int
        and 0 <= sequence < 1 << 63
        and isinstance(head.get("source"), str)
        and isinstance(reasons, list)
        and len(reasons) <= _MOST_REASONS
        and all(isinstance(reason, str) for reason in reasons)
    )


def _are_others(octets: bytes) -> bool:
    try:
        others = cbor2.loads(octets)
    except (cbor2.CBORDecodeError, ValueError, RecursionError):
        return False
    return isinstance(others, dict) and all(
        isinstance(pei, str) and type(octet) is int and 0 <= octet < 256 for pei, octet in others.items()
    )
