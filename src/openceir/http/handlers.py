"""What each operation does: read the request, ask the register, say it as JSON. No handler knows WSGI."""

from dataclasses import dataclass
from typing import Any

from openceir.app import Register
from openceir.http.permissions import ALLOWED, Capability
from openceir.http.problems import Problem, problem_of
from openceir.http.request import Request, fields_of, moment_in, text_in
from openceir.identity import format_subscriber
from openceir.ledger import LedgerError
from openceir.statements import DevicePaired, Role, to_plain
from openceir.status import Answer

__all__ = ["Reply", "require"]

_MOST_DEVICES_SHOWN = 10_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer: JSON unless `octets` are given with their media type."""

    json: Any = None
    octets: bytes | None = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()  # each in place of the door's own of that name
    media: str = ""  # in place of the route's


def require(request: Request, capability: Capability) -> None:
    """Raises: Problem 401 or 403 unless the request's token has the capability."""
    if not request.role:
        raise Problem(
            401,
            "token-required",
            "this needs an access token: send Authorization: Bearer …; `openceir token new` makes one",
            [("WWW-Authenticate", "Bearer")],
        )
    if Role(request.role) not in ALLOWED[capability]:
        roles = ", ".join(sorted(ALLOWED[capability]))
        raise Problem(
            403, "role-may-not", f"a token with the role {request.role} may not do this; roles that may: {roles}"
        )


def check_in_path(register: Register, request: Request) -> Reply:
    """GET /v1/identifiers/{value}."""
    at, known_at = moment_in(request.query, "at"), moment_in(request.query, "known_at")
    return Reply(register.check(request.named["value"], at or request.now, known_at=known_at).as_json())


def check_in_body(register: Register, request: Request) -> Reply:
    """POST /v1/checks."""
    asked = fields_of(request.body, frozenset({"identifier"}), frozenset({"imsi", "at", "known_at"}))
    imsi = None
    if asked.get("imsi") is not None:
        require(request, Capability.CHECK_PAIR)
        imsi = text_in(asked, "imsi")
    at, known_at = moment_in(asked, "at"), moment_in(asked, "known_at")
    value = text_in(asked, "identifier")
    return Reply(register.check(value, at or request.now, imsi=imsi, known_at=known_at).as_json())


def check_many(register: Register, request: Request) -> Reply:
    """POST /v1/checks:batch."""
    asked = fields_of(request.body, frozenset({"identifiers"}), frozenset({"at", "known_at"}))
    values = asked["identifiers"]
    most = register.settings.http_max_batch
    if not isinstance(values, list) or len(values) > most:
        raise Problem(
            400, "body-refused", f"identifiers must be an array of at most {most} texts; send several requests"
        )
    texts = [text_in({f"identifiers[{place}]": value}, f"identifiers[{place}]") for place, value in enumerate(values)]
    at, known_at = moment_in(asked, "at"), moment_in(asked, "known_at")
    answers = register.check_many(texts, at or request.now, known_at=known_at)
    told: dict[int, list[dict[str, Any]]] = {}
    return Reply(
        {
            "answers": [
                answer.as_json(told) if isinstance(answer, Answer) else problem_of(answer).as_json()
                for answer in answers
            ]
        }
    )


def history(register: Register, request: Request) -> Reply:
    """GET /v1/identifiers/{value}/history."""
    known_at = moment_in(request.query, "known_at")
    return Reply(register.history(request.named["value"], known_at=known_at).as_json())


def subscribers(register: Register, request: Request) -> Reply:
    """GET /v1/identifiers/{value}/subscribers. The read is on record before anything is shown."""
    purpose = request.query.get("purpose", "").strip()
    if not 3 <= len(purpose) <= 200 or not purpose.isprintable():
        raise Problem(400, "purpose-required", "say why with ?purpose=, a case number or order of 3 to 200 characters")
    offset = _number(request.query, "offset", 0, 0, 10**9)
    limit = _number(request.query, "limit", 100, 1, 1000)
    device = register.inquiries.device_key(request.named["value"])
    found = []
    if device is not None:
        register.read_audit.record(
            at=request.now, reader=request.reader, role=request.role, device=device, purpose=purpose
        )
        found = register.subscribers.of(device)
    return Reply(
        {
            "total": len(found),
            "offset": offset,
            "subscribers": [
                {
                    "imsi": format_subscriber(one.imsi) if one.imsi else None,
                    "msisdn": format_subscriber(one.msisdn) if one.msisdn else None,
                    "operator": one.operator,
                    "first_seen_on": one.first_seen_on.isoformat(),
                    "last_seen_on": one.last_seen_on.isoformat(),
                    "days_seen": one.days_seen,
                }
                for one in found[offset : offset + limit]
            ],
        }
    )


def _number(query: Any, name: str, default: int, least: int, most: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise Problem(400, "query-refused", f"{name} must be a whole number from {least} to {most}")
    return int(text)


def statement(register: Register, request: Request) -> Reply:
    """GET /v1/statements/{index}."""
    entry = register.ledger.entry(_index(register, request))
    header = entry.header
    said: dict[str, Any] | None = None
    withheld = None
    if entry.said is None:
        withheld = "erased"
    elif isinstance(entry.said, DevicePaired):
        withheld = "names-subscribers"
    elif not request.role or Role(request.role) not in ALLOWED[Capability.STATEMENT_CONTENT]:
        withheld = "token-required"
    else:
        sets = (getattr(entry.said, name, None) for name in ("devices", "matched", "cleared", "identifiers"))
        if (
            sum(len(named.keys) + len(named.others) + len(named.ranges) for named in sets if named)
            > _MOST_DEVICES_SHOWN
        ):
            withheld = "too-many-devices"
        else:
            said = to_plain(entry.said)
    return Reply(
        {
            "index": entry.index,
            "kind": header.kind,
            "issuer": header.issuer,
            "stated_at": f"{header.stated_at:%Y-%m-%dT%H:%M:%SZ}",
            "logged_at": f"{entry.logged_at:%Y-%m-%dT%H:%M:%SZ}",
            "leaf_hash": entry.leaf_hash.hex(),
            "said": said,
            "withheld": withheld,
            "receipt": f"/v1/statements/{entry.index}/receipt",
        }
    )


def receipt(register: Register, request: Request) -> Reply:
    """GET /v1/statements/{index}/receipt. What was said is in it only for those who may see it."""
    index = _index(register, request)
    may_see = bool(request.role) and Role(request.role) in ALLOWED[Capability.STATEMENT_CONTENT]
    disclose = may_see and not isinstance(register.ledger.entry(index).said, DevicePaired)
    return Reply(octets=register.ledger.receipt(index, at=request.now, disclose=disclose))


def _index(register: Register, request: Request) -> int:
    text = request.named["index"]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem(400, "index-refused", "a statement is named by its index in the log, a whole number from 0")
    if int(text) >= register.ledger.size:
        register.ledger.refresh()
    if int(text) >= register.ledger.size:
        raise Problem(
            404, "no-such-statement", f"there is no statement {int(text)}; the log has {register.ledger.size}"
        )
    return int(text)


def checkpoint(register: Register, request: Request) -> Reply:
    """GET /v1/checkpoint."""
    try:
        return Reply(octets=register.ledger.checkpoint().format().encode())
    except LedgerError as empty:
        raise Problem(404, "ledger-empty", str(empty)) from empty


def policy(register: Register, request: Request) -> Reply:
    """GET /v1/policy."""
    in_force = register.policy
    return Reply(
        {
            "name": in_force.name,
            "version": in_force.version,
            "digest": in_force.digest.hex(),
            "mode": in_force.value("policy.mode", request.now.date()),
            "tree": in_force.tree,
        }
    )


def description(register: Register, request: Request) -> Reply:
    """GET /openapi.json."""
    from openceir.http.openapi import openapi  # the description is made from the routes, which name this function

    return Reply(openapi())


def health(register: Register, request: Request) -> Reply:
    """GET /health."""
    return Reply({"status": "ok"})


def ready(register: Register, request: Request) -> Reply:
    """GET /ready."""
    register.catch_up()
    return Reply({"status": "ready", "log_size": register.ledger.size, "applied_size": register.claims.applied_size})
