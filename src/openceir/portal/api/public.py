"""What everybody may have: the country's figures, and proofs from the ledger."""

import base64
import csv
import io
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from openceir.ledger import LedgerError
from openceir.portal import moment
from openceir.portal.api.describing import answers_with
from openceir.portal.api.etags import tagged
from openceir.portal.api.problems import NoSuch, Problem
from openceir.portal.citizens.figures import public_figures
from openceir.portal.register import register
from openceir.status.answer import moment_text

__all__ = ["public"]

public = Router()

Size = Annotated[int, Field(ge=0, lt=1 << 53)]


class Figure(Schema):
    """One figure."""

    name: str
    text: str  # in the language of the request
    value: int


class Figures(Schema):
    """All of them, as they were counted within the last hour or so."""

    at: str
    figures: list[Figure]


class Consistency(Schema):
    """That the log with `to` entries only adds to the one with `from` (RFC 9162 §2.1.4). Hashes are base64."""

    from_size: int
    to_size: int
    from_root: str
    to_root: str
    proof: list[str]


@public.get("/stats", response={200: Figures, 304: None}, operation_id="getStats")
def stats(request: HttpRequest) -> HttpResponse:
    """The country's figures, open to everybody."""
    found = public_figures()
    body = {
        "at": moment_text(found.at),
        "figures": [{"name": one.name, "text": str(one.text), "value": one.value} for one in found.figures],
    }
    return tagged(request, body)


@public.get(
    "/stats.csv", response={200: None, 304: None}, operation_id="getStatsCsv", openapi_extra=answers_with("text/csv")
)
def stats_csv(request: HttpRequest) -> HttpResponse:
    """The same as CSV: name, text, value, at."""
    found = public_figures()
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    rows.writerow(["name", "text", "value", "at"])
    rows.writerows([one.name, str(one.text), one.value, moment_text(found.at)] for one in found.figures)
    return tagged(request, text.getvalue().encode(), "text/csv; charset=utf-8")


@public.get(
    "/proofs/checkpoint", response={200: None, 304: None, 404: Problem}, operation_id="getCheckpoint",
    openapi_extra=answers_with("text/plain"),
)  # fmt: skip
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The log's signed checkpoint (C2SP tlog-checkpoint)."""
    ledger = register().ledger
    ledger.refresh()
    try:
        note = ledger.checkpoint().format()
    except LedgerError as empty:
        raise NoSuch(str(empty)) from empty
    return tagged(request, note.encode(), "text/plain; charset=utf-8")


@public.get(
    "/proofs/receipts/{index}", response={200: None, 404: Problem, 422: Problem}, operation_id="getReceipt",
    openapi_extra=answers_with("application/cose"),
)  # fmt: skip
def receipt(request: HttpRequest, index: Size) -> HttpResponse:
    """The log's signed proof of one statement, verified offline with `openceir receipt verify`. It names no device."""
    ledger = register().ledger
    ledger.refresh()
    if index >= ledger.size:
        raise NoSuch(f"there is no statement {index}; the log has {ledger.size}")
    octets = ledger.receipt(index, at=moment.now(), disclose=False)
    return HttpResponse(octets, content_type="application/cose")


@public.get(
    "/proofs/consistency", response={200: Consistency, 304: None, 404: Problem, 422: Problem},
    operation_id="getConsistency",
)  # fmt: skip
def consistency(
    request: HttpRequest, from_size: Annotated[int, Query(ge=0, lt=1 << 53)],
    to_size: Annotated[int | None, Query(ge=0, lt=1 << 53)] = None,
) -> HttpResponse:  # fmt: skip
    """That nothing was changed or removed between two sizes of the log; `to_size` left out is the size now."""
    ledger = register().ledger
    ledger.refresh()
    end = ledger.size if to_size is None else to_size
    if not from_size <= end <= ledger.size:
        raise NoSuch(f"the log has {ledger.size} entries; name two sizes up to it, the smaller first")
    body: dict[str, Any] = {
        "from_size": from_size,
        "to_size": end,
        "from_root": _text(ledger.tree.root(from_size)),
        "to_root": _text(ledger.tree.root(end)),
        "proof": [_text(one) for one in ledger.tree.consistency_proof(from_size, end)],
    }
    return tagged(request, body)


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
