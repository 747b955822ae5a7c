"""The doors for gateways: `/sms/kannel` and `/ussd`. Plain text in the gateways' own manner, for machines only.

By Kannel's design a GET carries the sender's number and the IMEI in its URL (docs/trust.md). Nothing of ours writes it
down: the log has the route only, and an error's message never goes there. POST carries both in the body instead.
"""

import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from urllib.parse import parse_qs

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from openceir.portal.channels.desk import answer_sms, answer_ussd
from openceir.portal.channels.errors import ChannelError, MessageRefused
from openceir.portal.channels.gateway import admit
from openceir.portal.channels.replies import format_apology
from openceir.wire.gsm_text import septets

__all__ = ["kannel", "ussd"]

View = Callable[[HttpRequest], HttpResponse]
_LONGEST_BODY = 16_384  # octets
_CHARSETS = {
    "utf-8": "utf-8", "utf8": "utf-8", "utf-16be": "utf-16-be", "ucs-2": "utf-16-be", "iso-8859-1": "latin-1",
    "windows-1252": "cp1252", "gsm": "utf-8", "us-ascii": "ascii",
}  # fmt: skip


def for_gateways(view: View) -> View:
    """Refusals as plain text with their status, and nothing of a fault but its kind and place in the log."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except ChannelError as refused:
            return _text(str(refused), status=refused.http_status)
        except Exception as fault:
            frame = traceback.extract_tb(fault.__traceback__)[-1]
            print(
                f"openceir: fault {type(fault).__name__} at {Path(frame.filename).name}:{frame.lineno}", file=sys.stderr
            )
            # A gateway sends a 503 again later; what it shows the sender meanwhile is its own words.
            return _text(format_apology(settings.LANGUAGE_CODE), status=503)

    return answer


@for_gateways
@require_http_methods(["GET", "POST"])
def kannel(request: HttpRequest) -> HttpResponse:
    """One short message: `from`, `to`, `text`, `id`; as a query, a form, or Kannel's own POST with X-Kannel-From and others."""
    gateway = admit(request)
    message = _message_of(request)
    for name in ("from", "id"):
        if not message.get(name):
            raise MessageRefused(f"the message has no {name!r}; Kannel's %p and %I give from and id")
    answer = answer_sms(
        gateway=gateway, message_id=message["id"], number=message["from"], text=message.get("text", "")
    )  # fmt: skip
    response = _text(answer)
    # Kannel takes the coding of its answer from here: 0 the alphabet of GSM, 2 UCS-2.
    response["X-Kannel-Coding"] = "0" if septets(answer) is not None else "2"
    response["X-Kannel-Charset"] = "UTF-8"
    return response


@for_gateways
@require_http_methods(["POST"])
def ussd(request: HttpRequest) -> HttpResponse:
    """One step of a USSD session: form fields `sessionId`, `phoneNumber`, `text`; `CON …` goes on, `END …` ends."""
    gateway = admit(request)
    form = _fields(_body(request).decode("utf-8", "replace"), "utf-8")
    for name in ("sessionId", "phoneNumber"):
        if not form.get(name):
            raise MessageRefused(f"the form has no {name}")
    said = answer_ussd(
        gateway=gateway, session_id=form["sessionId"], number=form["phoneNumber"], text=form.get("text", "")
    )
    return _text(f"{'CON' if said.goes_on else 'END'} {said}")


def _message_of(request: HttpRequest) -> Mapping[str, str]:
    if request.method == "GET":
        return _in_its_charset(request.META.get("QUERY_STRING", ""))
    body = _body(request)
    if "X-Kannel-From" in request.headers:
        named = {name: request.headers.get(f"X-Kannel-{name.title()}", "") for name in ("from", "to")}
        charset = request.content_params.get("charset", "utf-8") if request.content_params else "utf-8"
        text = body.decode(_CHARSETS.get(charset.lower(), "utf-8"), "replace")
        return {**named, "id": request.headers.get("X-Kannel-ID", ""), "text": text}
    return _in_its_charset(body.decode("ascii", "replace"))


def _in_its_charset(query: str) -> Mapping[str, str]:
    """The fields, decoded as the field `charset` (Kannel's %C) says."""
    charset = _fields(query, "latin-1").get("charset", "utf-8")
    return _fields(query, _CHARSETS.get(charset.lower(), "utf-8"))


def _fields(query: str, encoding: str) -> dict[str, str]:
    """Each field's first value. Only the text is in the message's own charset; ASCII fields read alike in all but UTF-16."""
    try:
        ascii_fields = parse_qs(query, keep_blank_values=True, max_num_fields=20, encoding="utf-8", errors="replace")
        fields = {name: values[0] for name, values in ascii_fields.items()}
        if encoding != "utf-8" and "text" in fields:
            fields["text"] = parse_qs(query, keep_blank_values=True, encoding=encoding, errors="replace")["text"][0]
    except ValueError:
        raise MessageRefused("the request has more than 20 fields") from None
    return fields


def _body(request: HttpRequest) -> bytes:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > _LONGEST_BODY:
        raise MessageRefused(f"the body is longer than {_LONGEST_BODY:,} octets")
    return bytes(request.body)


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
