"""N5g-eir_EquipmentIdentityCheck: a 5G core asks its equipment identity register about one piece of equipment.

    GET {apiRoot}/n5g-eir-eic/v1/equipment-status?pei=…[&supi=…][&gpsi=…][&supported-features=…]

    200 {"status": "WHITELISTED" | "BLACKLISTED" | "GREYLISTED"}
    404 problem+json, cause ERROR_EQUIPMENT_UNKNOWN

A core compares that cause letter by letter and takes every other answer for a failed register, so the answers are
made once and handed out as they are. A PEI may be any text that is not empty (TS 29.571 ends its pattern with `|.+`):
what is no IMEI is looked up as what it is, and what nobody knows is unknown; only its absence is an error. The first
14 digits of an IMEI decide, and nothing is Luhn-checked here (TS 23.003 §6.2).

No answer repeats what was asked: a PEI or SUPI in an error text would end in somebody's log.
Source: TS 29.511 §6.1 (versions 1.0 to 1.4 agree), TS 29.500 table 5.2.7.2-1 for causes.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "API_NAME", "API_VERSION", "RESOURCE", "Answer", "EquipmentQuestion", "Refused",
    "CONGESTED", "CONGESTION_RISK", "EQUIPMENT_UNKNOWN", "NOT_ACCEPTABLE", "SYSTEM_FAILURE",
    "accepts_json", "answers_of", "insufficient_scope", "invalid_token", "parse_query", "problem", "refusal_of_target",
    "status_answer",
]  # fmt: skip

API_NAME = "n5g-eir-eic"
API_VERSION = "v1"
RESOURCE = f"/{API_NAME}/{API_VERSION}/equipment-status"
LONGEST_QUERY_CHARACTERS = 4096  # the longest honest question, a SUPI of a NAI included, has some 400

NO_DEVICE = -1
NO_SVN = -1

_JSON = "application/json"
_PROBLEM = "application/problem+json"

_DIGITS = "[0-9]"  # \d would take the digits of other scripts
_IMEI = re.compile(rf"imei-({_DIGITS}{{14}}){_DIGITS}{{0,2}}")
_IMEISV = re.compile(rf"imeisv-({_DIGITS}{{14}})({_DIGITS}{{2}})")
_IMSI = re.compile(rf"imsi-({_DIGITS}{{5,15}})")
_USUAL = re.compile(  # what cores send, read in one step; `_read` gives the same and takes all the rest
    rf"pei=imei(?:-({_DIGITS}{{14}}){_DIGITS}{{0,2}}|sv-({_DIGITS}{{14}})({_DIGITS}{{2}}))(?:&supi=imsi-({_DIGITS}{{5,15}}))?"
)
_MAC = re.compile(r"mac((?:-[0-9a-fA-F]{2}){6})(?:-untrusted)?")
_EUI64 = re.compile(r"eui((?:-[0-9a-fA-F]{2}){8})")
_FEATURES = re.compile(r"[0-9a-fA-F]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_ESCAPES = re.compile(r"(?:%[0-9a-fA-F]{2})+")


class Answer(NamedTuple):
    """One whole HTTP answer; `headers` has lower-case names."""

    status: int
    headers: list[tuple[str, str]]
    body: str

    def with_headers(self, *more: tuple[str, str]) -> "Answer":
        """The same answer with further headers."""
        return Answer(self.status, [*self.headers, *more], self.body)


class Refused(Exception):
    """The question cannot be answered; `answer` says so on the wire."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}")
        self.answer = answer


class EquipmentQuestion(NamedTuple):
    """One question.

    Units: `device` is the 14-digit key, NO_DEVICE when the PEI is no IMEI; `imsi` has a leading 1 before its digits
    and is 0 when absent; `svn` is NO_SVN when absent. `other` is the PEI in canonical form when it is no IMEI, and
    empty when it claims to be an IMEI and is none.
    """

    device: int
    imsi: int
    svn: int
    other: str


def problem(
    status: int,
    title: str,
    cause: str = "",
    *,
    detail: str = "",
    invalid_params: Mapping[str, str] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """A problem document. `invalid_params` maps names such as `query pei` to what is wrong with them.

    Source: RFC 9457; TS 29.571 ProblemDetails and InvalidParam.
    """
    document: dict[str, object] = {"title": title, "status": status}
    if detail:
        document["detail"] = detail
    if cause:
        document["cause"] = cause
    if invalid_params:
        document["invalidParams"] = [{"param": name, "reason": reason} for name, reason in invalid_params.items()]
    return Answer(status, [("content-type", _PROBLEM), *headers], json.dumps(document, separators=(",", ":")))


def status_answer(word: str) -> Answer:
    """200 with WHITELISTED, BLACKLISTED or GREYLISTED. Source: TS 29.511 §6.1.6.2.2."""
    return Answer(200, [("content-type", _JSON)], json.dumps({"status": word}, separators=(",", ":")))


EQUIPMENT_UNKNOWN = problem(404, "Equipment unknown", "ERROR_EQUIPMENT_UNKNOWN")  # TS 29.511 §6.1.7.3
WRONG_API = problem(400, "Not this API", "INVALID_API", detail=f"served here is {API_NAME} {API_VERSION}")
NO_SUCH_RESOURCE = problem(
    404, "No such resource", "RESOURCE_URI_STRUCTURE_NOT_FOUND", detail="the API has one resource: equipment-status"
)
WRONG_METHOD = problem(405, "Method not allowed", detail="the resource takes GET", headers=(("allow", "GET"),))
NOT_ACCEPTABLE = problem(406, "Not acceptable", detail=f"answers are {_JSON}, errors are {_PROBLEM}")
TOO_LONG = problem(414, "URI too long", detail=f"a query has at most {LONGEST_QUERY_CHARACTERS} characters")
SYSTEM_FAILURE = problem(500, "Failed to answer", "SYSTEM_FAILURE")
_RETRY = (("retry-after", "1"),)
CONGESTION_RISK = problem(429, "Too many requests", "NF_CONGESTION_RISK", headers=_RETRY)
CONGESTED = problem(503, "Congested", "NF_CONGESTION", headers=_RETRY)


def invalid_token(why: str = "") -> Answer:
    """401: no token came, or none that can be trusted. Source: RFC 6750 §3, TS 33.501 §13.4.1."""
    challenge = f'Bearer realm="{API_NAME}"' + (f', error="invalid_token", error_description="{why}"' if why else "")
    return problem(401, "Unauthorized", detail=why, headers=(("www-authenticate", challenge),))


def insufficient_scope(why: str) -> Answer:
    """403: the token is sound and is not for this service. Source: RFC 6750 §3.1, TS 29.500 table 5.2.7.2-1."""
    challenge = f'Bearer realm="{API_NAME}", error="insufficient_scope", scope="{API_NAME}"'
    return problem(403, "Forbidden", "ACCESS_TOKEN_DENIED", detail=why, headers=(("www-authenticate", challenge),))


def refusal_of_target(path: str, resource: str = RESOURCE) -> Answer:
    """What to answer when method and path are not GET and `resource`."""
    if path == resource:
        return WRONG_METHOD
    api = resource.removesuffix("equipment-status")
    return NO_SUCH_RESOURCE if path.startswith(api) else WRONG_API


def parse_query(query: str) -> EquipmentQuestion:
    """What is asked for.

    Raises: Refused with 414, or with 400 and the parameters that are wrong.
    """
    usual = _USUAL.fullmatch(query)
    if usual is None:
        return _read(query)
    imei, imeisv, svn, imsi = usual.groups()
    # As EquipmentQuestion(…) does it, without the three calls between; measured at a tenth of a question's cost.
    return _as_tuple(
        EquipmentQuestion, (int(imei or imeisv), int("1" + imsi) if imsi else 0, int(svn) if svn else NO_SVN, "")
    )


_as_tuple = tuple.__new__


def _read(query: str) -> EquipmentQuestion:
    if len(query) > LONGEST_QUERY_CHARACTERS:
        raise Refused(TOO_LONG)
    pei = supi = None
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if "%" in name:
            name = _name_of(name)
        if name == "pei":
            pei = value if pei is None else _refuse_twice("pei")
        elif name == "supi":
            supi = value if supi is None else _refuse_twice("supi")
        elif name in _CHECKED:
            _check_other(name, value)
    if not pei:
        raise Refused(_MISSING_PEI)
    if "%" in pei:
        pei = _decoded(pei, "pei")
    imsi = 0
    if supi is not None:
        if "%" in supi:
            supi = _decoded(supi, "supi")
        if not supi:
            raise Refused(_incorrect("supi", "is empty"))
        found = _IMSI.fullmatch(supi)
        if found:
            imsi = int("1" + found[1])
    found = _IMEI.fullmatch(pei)
    if found:
        return EquipmentQuestion(int(found[1]), imsi, NO_SVN, "")
    return _other_question(pei, imsi)


def _other_question(pei: str, imsi: int) -> EquipmentQuestion:
    found = _IMEISV.fullmatch(pei)
    if found:
        return EquipmentQuestion(int(found[1]), imsi, int(found[2]), "")
    # A MAC address that the core cannot vouch for is looked up all the same: the answer says nothing of the core's trust.
    found = _MAC.fullmatch(pei)
    if found:
        return EquipmentQuestion(NO_DEVICE, imsi, NO_SVN, "mac" + found[1].upper())
    found = _EUI64.fullmatch(pei)
    if found:
        return EquipmentQuestion(NO_DEVICE, imsi, NO_SVN, "eui" + found[1].upper())
    return EquipmentQuestion(NO_DEVICE, imsi, NO_SVN, "" if pei.startswith(("imei-", "imeisv-")) else pei)


_CHECKED = {"gpsi", "supported-features"}
_MISSING_PEI = problem(
    400,
    "Query parameter missing",
    "MANDATORY_QUERY_PARAM_MISSING",
    invalid_params={"query pei": "is missing or empty"},
)


def _incorrect(name: str, reason: str) -> Answer:
    cause = "MANDATORY_QUERY_PARAM_INCORRECT" if name == "pei" else "OPTIONAL_QUERY_PARAM_INCORRECT"
    return problem(400, "Query parameter incorrect", cause, invalid_params={f"query {name}": reason})


def _refuse_twice(name: str) -> str:
    """Two identities in one question: whoever forwards it may have read the other one, so neither is answered."""
    raise Refused(_incorrect(name, "stands there twice"))


def _check_other(name: str, value: str) -> None:
    """Parameters that decide nothing are still held to their form."""
    if name == "gpsi" and not _decoded(value, name):
        raise Refused(_incorrect(name, "is empty"))
    if name == "supported-features" and not _FEATURES.fullmatch(_decoded(value, name)):
        raise Refused(_incorrect(name, "is not hexadecimal"))


def _name_of(escaped: str) -> str:
    """A parameter's name without escapes; one that cannot be read is none of ours, and those are ignored."""
    try:
        return _decoded(escaped, "")
    except Refused:
        return ""


def _decoded(text: str, name: str) -> str:
    """The text without escapes; `+` stands for itself, as RFC 3986 says.

    Raises: Refused at a cut escape, and at octets that are no UTF-8.
    """
    if _BAD_ESCAPE.search(text):
        raise Refused(_incorrect(name, "holds a % that begins no escape"))
    try:
        return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8"), text)
    except UnicodeDecodeError:
        raise Refused(_incorrect(name, "is not UTF-8 when its escapes are read")) from None


@lru_cache(64)  # consumers are few, and each sends the same header with every question
def accepts_json(accept: str) -> bool:
    """Whether an Accept header admits application/json. Source: RFC 9110 §12.5.1; the most precise range decides."""
    best, admitted = -1, False
    for each in accept.split(","):
        media, *parameters = (part.strip().lower() for part in each.split(";"))
        precision = {"*/*": 0, "application/*": 1, _JSON: 2}.get(media, -1)
        if precision < 0:
            continue
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        refused = re.fullmatch(r"0(\.0{0,3})?", weight) is not None
        if precision > best:
            best, admitted = precision, not refused
        elif precision == best:
            admitted = admitted or not refused
    return admitted or not accept.strip()


def answers_of(server: str, answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The same answers under our Server header. Source: TS 29.500 §5.2.2.2: NF type and instance."""
    return tuple(answer.with_headers(("server", server)) for answer in answers)
