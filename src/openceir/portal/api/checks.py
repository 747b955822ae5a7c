"""What is known of devices: one by one, many at once, on a photo, in a marketplace's listings."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from openceir.errors import OpenceirError
from openceir.portal import moment
from openceir.portal.api.callers import Key, caller_of, take, with_rest
from openceir.portal.api.describing import answers_with
from openceir.portal.api.listed import is_cheap, offered_by_others, remember_devices, remember_price
from openceir.portal.api.problems import PROBLEMS, Problem
from openceir.portal.api.screening import findings_of, mentions_in
from openceir.portal.cases.signals import tell_checked
from openceir.portal.citizens.labels import found_on_label
from openceir.portal.device_check import because_of, checked, full_check
from openceir.portal.register import register

__all__ = ["checks"]

_MOST = 1000
_MOST_PICTURE_OCTETS = 8 << 20
_PIECE = 200

Text = Annotated[str, Field(max_length=64)]

checks = Router()


class Checked(Schema):
    """What is known of one device. Never that it is safe: a register knows too little."""

    imei: str
    verdict: Literal["blocked", "watched", "not-registered", "no-restriction-known"]
    because: list[str]
    at: str
    log_size: int
    details: str


class Batch(Schema):
    """Identifiers to check."""

    identifiers: list[Text] = Field(min_length=1, max_length=_MOST)


class Listing(Schema):
    """An offer, as the marketplace shows it. No address is ever fetched."""

    id: Text
    title: str = Field(default="", max_length=500)
    text: str = Field(default="", max_length=20_000)
    brand: Text = ""
    model: Text = ""
    seller: Text = ""  # a pseudonym; without it the listing is held against no other seller's
    price: float | None = Field(default=None, ge=0, le=1e12)
    currency: str = Field(default="", pattern="^([A-Z]{3})?$")


class Listings(Schema):
    """Offers to screen."""

    listings: list[Listing] = Field(min_length=1, max_length=100)


class Evidence(Schema):
    """Where in title, line feed, text the number stands. Units: characters, end exclusive."""

    identifier: str
    shown: str
    span: list[int]


class Finding(Schema):
    """One thing found; level 1 is the strongest evidence, 5 a mere hint."""

    level: int
    kind: Literal["reported", "invalid", "repeated", "unregistered", "hint"]
    detail: str
    evidence: Evidence | None
    verdict: str | None
    confidence: Literal["high", "low"]
    next_step: str


class Screened(Schema):
    """The findings of one listing, strongest first."""

    id: str
    at: str
    findings: list[Finding]


class Label(Schema):
    """What a photo of a label shows."""

    identifiers: list[dict[str, str]]


@checks.get("/check/{imei}", response={200: Checked, 400: Problem, 404: Problem}, operation_id="checkDevice")
def check(request: HttpRequest, imei: str) -> Any:
    """Whether anything is known against one device. Open to everybody."""
    answer = full_check(register(), imei, moment.now())
    if answer is None:
        raise HttpError(404, "this is another kind of identifier; ask /v1/identifiers/ about it")
    tell_checked([imei], "api")
    return answer


@checks.post(
    "/check", auth=Key("check"), response={200: None, **PROBLEMS}, operation_id="checkDevices",
    openapi_extra=answers_with("application/x-ndjson"),
)  # fmt: skip
def check_many(request: HttpRequest, batch: Batch) -> HttpResponseBase:
    """Up to a thousand devices: one line of JSON each, in their order, sent as they are found (application/x-ndjson)."""
    take(request, len(batch.identifiers))
    tell_checked(batch.identifiers, "api")
    response = StreamingHttpResponse(_lines(batch.identifiers), content_type="application/x-ndjson")
    return with_rest(request, response)


def _lines(values: list[str]) -> Iterator[bytes]:
    at = moment.now()
    for start in range(0, len(values), _PIECE):
        piece = values[start : start + _PIECE]
        lines = []
        for value, answer in zip(piece, register().check_many(piece, at), strict=True):
            said: dict[str, Any]
            if isinstance(answer, OpenceirError):
                said = {"value": value, "code": answer.code, "detail": str(answer)}
            elif answer.scheme != "imei":
                said = {"value": value, "code": "no-imei", "detail": "ask /v1/identifiers/ about this identifier"}
            else:
                rests_on = because_of((reason.kind, reason.label) for reason in answer.reasons if reason.decides)
                said = {"value": value} | checked(answer.canonical[:14], answer.status, rests_on, at, answer.log_size)
            lines.append(json.dumps(said, ensure_ascii=False))
        yield ("\n".join(lines) + "\n").encode()


@checks.post(
    "/listings:screen", auth=Key("screen"), response={200: list[Screened], **PROBLEMS}, operation_id="screenListings"
)
def screen(request: HttpRequest, asked: Listings) -> Any:
    """What is found in offers of phones: findings with their evidence, never a verdict on the offer."""
    take(request, len(asked.listings))
    at, book, caller = moment.now(), register(), caller_of(request).counted_as
    named = [mentions_in(book, f"{one.title}\n{one.text}") for one in asked.listings]
    offers = [
        (one.seller, mention.imei[:14]) for one, found in zip(asked.listings, named, strict=True) for mention in found
    ]
    # First all are noted, then each is judged: of two in one request either knows of the other.
    with transaction.atomic():
        remember_devices(caller, offers, at.date())
        for one in asked.listings:
            if _model_of(one) and one.price is not None:
                remember_price(caller, one.id, _model_of(one), one.price, at.date())
    return [
        {
            "id": one.id,
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "findings": findings_of(
                book, found, one.brand, one.model, at,
                others=offered_by_others(caller, one.seller, [mention.imei[:14] for mention in found], at.date()),
                is_cheap=bool(_model_of(one)) and one.price is not None
                and is_cheap(caller, _model_of(one), one.price, at.date()),
            ),
        }
        for one, found in zip(asked.listings, named, strict=True)
    ]  # fmt: skip


def _model_of(one: Listing) -> str:
    """What prices are compared under; empty when the listing does not say it."""
    return f"{one.brand}\0{one.model}\0{one.currency}" if one.brand and one.model and one.currency else ""


@checks.post(
    "/scan",
    auth=Key("scan"),
    response={200: Label, **PROBLEMS},
    operation_id="scanLabel",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"image/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def scan(request: HttpRequest) -> Any:
    """The identifiers on a photo of a label, sent as it is; it is read and not kept."""
    take(request, 1)
    octets = request.read(_MOST_PICTURE_OCTETS + 1)
    if len(octets) > _MOST_PICTURE_OCTETS:
        raise HttpError(413, "the picture is larger than 8 MB; send a smaller one")
    found = found_on_label(octets)
    return {
        "identifiers": [
            {"scheme": one.scheme, "value": one.canonical, "read_from": str(one.read_from)} for one in found
        ]
    }
