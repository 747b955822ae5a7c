"""One request, read with suspicion: every limit is checked before anything is believed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl

from openceir.clock import parse_moment
from openceir.http.problems import Problem

__all__ = ["Request", "fields_of", "moment_in", "network_of", "octets_of", "text_in"]

_LONGEST_QUERY = 4096
_LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Request:
    """What a handler is given. `named` are the parts of the path that its template names."""

    environ: Mapping[str, Any]
    named: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    now: datetime
    reader: str  # name of the token, empty for the public
    role: str  # of the token, empty for the public


def path_of(environ: Mapping[str, Any]) -> str:
    """The path, percent-decoded. Raises: Problem 400 when it is not UTF-8."""
    raw: str = environ.get("PATH_INFO", "") or "/"
    if raw.isascii():
        return raw
    try:
        return raw.encode("latin-1").decode("utf-8")  # PEP 3333: octets dressed as Latin-1
    except UnicodeError:
        raise Problem(
            400, "path-not-utf8", "the path is not UTF-8; encode it as UTF-8 and then with percent signs"
        ) from None


def query_of(environ: Mapping[str, Any], allowed: frozenset[str]) -> dict[str, str]:
    """The query's parameters. Raises: Problem 400 for one that is unknown, doubled or not UTF-8."""
    text: str = environ.get("QUERY_STRING", "")
    if not text:
        return {}
    if len(text) > _LONGEST_QUERY:
        raise Problem(414, "query-too-long", f"the query has {len(text)} characters, at most {_LONGEST_QUERY} are read")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=20)
    except (ValueError, UnicodeError):
        raise Problem(
            400, "query-refused", "the query cannot be read; write it as name=value&name=value, UTF-8"
        ) from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise Problem(400, "query-refused", f"the query has a parameter that is not known here; known: {known}")
        if name in found:
            raise Problem(400, "query-refused", f"the query has {name} twice; give it once")
        found[name] = value
    return found


def body_of(environ: Mapping[str, Any], most: int) -> Any:
    """The JSON of the body. Raises: Problem 400, 413 or 415, saying which limit or form was missed."""
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "body-not-json", "the body must be JSON; send it with Content-Type: application/json")
    octets = octets_of(environ, most)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise Problem(
            400, "body-not-utf8", f"the body is not UTF-8 at octet {wrong.start}; send JSON in UTF-8"
        ) from None
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as wrong:
        where = f" at character {wrong.pos}" if isinstance(wrong, json.JSONDecodeError) else ""
        raise Problem(400, "body-not-json", f"the body is not JSON that can be read{where}; nothing was done") from None


def octets_of(environ: Mapping[str, Any], most: int) -> bytes:
    """The body as it came. Raises: Problem 400 when it was cut, 413 when it is longer than `most`."""
    announced = environ.get("CONTENT_LENGTH") or ""
    if announced and not (announced.isascii() and announced.isdigit()):
        raise Problem(400, "length-refused", "Content-Length is not a number of octets")
    stream = environ.get("wsgi.input")
    if stream is None:
        octets = b""
    elif announced and (len(announced) > 18 or int(announced) > most):
        raise _too_long(stream, most)
    else:
        # a sender that chunks announces nothing: one octet more than allowed is enough to know
        octets = stream.read(int(announced) if announced else most + 1)
    if len(octets) > most:
        raise _too_long(stream, most)
    if announced and len(octets) < int(announced):
        raise Problem(
            400, "body-cut", "the body is shorter than its Content-Length; it was cut on its way, send it again"
        )
    return octets


_DRAINED_OCTETS = 16 << 20
_DRAINED_AT_ONCE = 64 << 10


def _too_long(stream: Any, most: int) -> Problem:
    """The refusal, after taking what is still coming: a client that is cut off while it sends reads no answer.

    Past a bound it is cut off all the same.
    """
    for _ in range(_DRAINED_OCTETS // _DRAINED_AT_ONCE):
        if not stream.read(_DRAINED_AT_ONCE):
            break
    return Problem(413, "body-too-long", f"the body is longer than {most} octets; send it in several requests")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def fields_of(body: Any, required: frozenset[str], optional: frozenset[str]) -> dict[str, Any]:
    """The body as an object of these fields. Raises: Problem 400."""
    if not isinstance(body, dict):
        raise Problem(400, "body-refused", "the body must be a JSON object")
    missing = required - body.keys()
    if missing:
        raise Problem(400, "body-refused", f"the field {min(missing)} is missing")
    if body.keys() - required - optional:
        known = ", ".join(sorted(required | optional))
        raise Problem(400, "body-refused", f"the body has a field that is not known here; known: {known}")
    return body


def text_in(values: Mapping[str, Any], name: str) -> str:
    """A text. Raises: Problem 400 when it is something else or endless."""
    value = values[name]
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise Problem(400, "body-refused", f"{name} must be a text of at most {_LONGEST_TEXT} characters")
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape
        raise Problem(400, "body-refused", f"{name} is not text that can be written as UTF-8") from None
    return value


def moment_in(values: Mapping[str, Any], name: str) -> datetime | None:
    """An instant, None when absent. Raises: Problem 400 when the text names none."""
    value = values.get(name)
    if value is None:
        return None
    refusal = Problem(400, "moment-refused", f"{name} is no moment; write now, 2027-03-01 or 2027-03-01T12:00:00Z")
    if not isinstance(value, str):
        raise refusal
    try:
        moment = parse_moment(value)
    except (ValueError, OverflowError):
        raise refusal from None
    if moment.year < 1970 or moment.year > 9000:
        raise refusal
    return moment


def network_of(environ: Mapping[str, Any], proxy: str) -> str:
    """Who asks without a name: an address, or the /64 network that one subscriber has in IPv6; `unknown` together."""
    text = environ.get("REMOTE_ADDR", "")
    if proxy and text == proxy:
        text = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()  # the last is what our proxy saw
    try:
        address = ip_address(text)
    except ValueError:
        return "unknown"
    return str(address) if address.version == 4 else str(ip_network(f"{address}/64", strict=False))
