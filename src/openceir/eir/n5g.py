"""N5g-eir over HTTP/2: the application that a server calls, one question at a time.

Like Diameter's, it waits for nothing between question and answer: the list is mapped, answers lie ready, a verified
token is remembered. What can queue are questions that came in while others were answered. The loop hands them over in
turns; the first question of a turn opens its count and the loop itself closes it, so that at any moment the count says
how many came before this one and had not been answered when the turn began. Past `most_waiting` of them, questions of
low priority get 429 at once; past four times that, all get 503 (TS 29.500 §6.4, §6.8).

`n5g_processes.py` runs it; both are the 5G part of the counter and know nothing of Diameter.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from time import monotonic
from typing import Any
from uuid import UUID

from openceir.eir.answers import n5g_answers
from openceir.eir.counters import Counters
from openceir.eir.decision import FAILURE, MALFORMED, Decider, InterfacePolicy
from openceir.eir.errors import EirError
from openceir.eir.log import Log
from openceir.eir.records import RECORD, RecordFile
from openceir.wire import n5g_eir
from openceir.wire.n5g_eir import Answer, Refused, accepts_json, parse_query

__all__ = ["NF_TYPE", "N5gApplication", "N5gOptions", "TokenOptions", "counters_of_n5g", "read_instance_id"]

NF_TYPE = "5G_EIR"  # TS 29.510 §6.1.6.3.3
_LEAST_URGENT = 31
_USUAL_PRIORITY = (
    24  # what 5G cores send for ordinary signalling; TS 29.500 leaves the value of its absence to the operator
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """Whose tokens to take. `keys` are PEM texts with the name of their file, for messages."""

    keys: tuple[tuple[str, bytes], ...]
    issuers: tuple[str, ...] = ()  # NRF instances; empty: whoever holds one of the keys


@dataclass(frozen=True, slots=True, kw_only=True)
class N5gOptions:
    """How the interface answers."""

    instance_id: UUID
    policy: InterfacePolicy = field(default_factory=InterfacePolicy)
    api_prefix: str = ""  # what stands between the authority and the API's name; begins with a slash
    tokens: TokenOptions | None = None  # None: whoever reaches us may ask
    most_waiting: int = 1000  # some 15 ms of work
    busy_from_priority: int = 16  # 3gpp-Sbi-Message-Priority from which on a busy EIR refuses; 0 is the most urgent


def read_instance_id(text: str) -> UUID:
    """An NF instance id.

    Raises: EirError when it is no UUID.
    """
    try:
        return UUID(text)
    except ValueError:
        raise EirError(
            f"{text[:60]!r} is no NF instance id; a UUID is expected, such as one that uuidgen prints"
        ) from None


def counters_of_n5g() -> Counters:
    """Counts of this interface, from zero; its error answers are told apart by HTTP status."""
    return Counters("n5g", "status")


class N5gApplication:
    """What granian calls with each request (RSGI)."""

    def __init__(
        self,
        options: N5gOptions,
        decider: Decider,
        counters: Counters,
        log: Log,
        clock: Callable[[], datetime],
        records: RecordFile | None = None,
    ) -> None:
        self.options, self.counters, self.log, self.clock, self.records = options, counters, log, clock, records
        self.resource = options.api_prefix + n5g_eir.RESOURCE
        self.server = f"{NF_TYPE}-{options.instance_id}"
        self._answers = n5g_eir.answers_of(self.server, n5g_answers(options.policy))
        self._most_at_all = 4 * options.most_waiting
        self._in_turn, self._turn_began = 0, 0.0
        self._counts = counters.decisions
        self._admit = _admission(options, clock) if options.tokens is not None else None
        self.use(decider)

    def use(self, decider: Decider) -> None:
        """Answer from this from now on."""
        self.decider = decider
        self._decide = decider.decide

    async def __call__(self, scope: Any, proto: Any) -> None:
        """The hot path: nothing in it waits."""
        if not self._in_turn:
            self._turn_began = monotonic()
            asyncio.get_running_loop().call_soon(self._end_turn)
        self._in_turn += 1
        try:
            answer = self._answer(scope)
        except Refused as refused:
            answer = self._refusal(refused.answer)
            if scope.method == "HEAD":  # RFC 9110 §9.3.2: an answer to it has no body, and granian would send one
                proto.response_empty(answer.status, answer.headers)
                return
        except Exception as wrong:
            self._failed(wrong, "a question failed outside the lists")
            answer = self._refusal(n5g_eir.SYSTEM_FAILURE)
        proto.response_str(answer.status, answer.headers, answer.body)

    def _answer(self, scope: Any) -> Answer:
        if scope.path != self.resource or scope.method != "GET":
            raise Refused(n5g_eir.refusal_of_target(scope.path, self.resource))
        headers = scope.headers
        if self._in_turn > self.options.most_waiting:
            self._shed(headers)
        asking = self._admit(headers) if self._admit is not None else ""
        # Whether it is there costs a tenth of taking it. Octets that are no text are there and are not given: no header.
        if "accept" in headers:
            accept = headers.get("accept")
            if accept is not None and not accepts_json(accept):
                raise Refused(n5g_eir.NOT_ACCEPTABLE)
        question = parse_query(scope.query_string)
        device, imsi, svn, other = question
        try:
            number = self._decide(device, imsi, svn) if device >= 0 else self._of_other(other)
        except Exception as wrong:
            self._failed(wrong, "a decision failed and was answered by policy")
            number = FAILURE
        self._counts[number] += 1
        if self.records is not None:
            self._record(question, number, asking or scope.client.rpartition(":")[0])
        return self._answers[number]

    def _of_other(self, pei: str) -> int:
        return self.decider.decide_other(pei) if pei else MALFORMED

    def _failed(self, wrong: Exception, what: str) -> None:
        """Raise the alarm; when everything fails the first, second, fourth … is logged, the counter has all."""
        self.counters.failures += 1
        count = self.counters.failures
        if count & (count - 1) == 0:
            self.log("alarm", what=what, error=type(wrong).__name__, count=count)

    def _shed(self, headers: Any) -> None:
        """Raises: Refused when this question must make room for those that are more urgent."""
        if self._in_turn > self._most_at_all:
            raise Refused(n5g_eir.CONGESTED)
        if priority_of(headers.get("3gpp-sbi-message-priority")) >= self.options.busy_from_priority:
            raise Refused(n5g_eir.CONGESTION_RISK)

    def _record(self, question: n5g_eir.EquipmentQuestion, number: int, asking: str) -> None:
        assert self.records is not None
        origin = int.from_bytes(blake2b(asking.encode("utf-8", "replace"), digest_size=4).digest(), "big") >> 1
        at = int(self.clock().timestamp())
        self.records.pending.append(RECORD.pack(at, origin, question.device, question.imsi, number, question.svn, 0))

    def _refusal(self, answer: Answer) -> Answer:
        self.counters.refusals[answer.status] += 1
        return answer.with_headers(("server", self.server))

    def _end_turn(self) -> None:
        """What came in before this turn began is answered: its records are written, and the next turn may open."""
        self.counters.took(monotonic() - self._turn_began, self._in_turn)
        self._in_turn = 0
        if self.records is not None and (lost := self.records.flush()):
            if not self.counters.records_lost:
                self.log("alarm", what="check records cannot be written; answers go on without them")
            self.counters.records_lost += lost


def priority_of(header: str | None) -> int:
    """How urgent a question is, 0 the most. One that says nothing readable is as urgent as signalling usually is."""
    if header is None or not (header.isascii() and header.isdigit() and len(header) <= 2):
        return _USUAL_PRIORITY
    return min(int(header), _LEAST_URGENT)


def _admission(options: N5gOptions, clock: Callable[[], datetime]) -> Callable[[Any], str]:
    """Tells from a request's headers who asks, and raises Refused with 401 or 403 for those who may not."""
    # Only here: an EIR that takes questions without tokens needs no cryptography installed.
    try:
        from openceir.wire.access_token import ScopeInsufficient, TokenInvalid, TokenVerifier, read_key
    except ImportError:
        raise EirError("verifying access tokens needs a package more: pip install 'openceir[eir]'") from None

    assert options.tokens is not None
    verifier = TokenVerifier(
        [read_key(pem, origin) for origin, pem in options.tokens.keys],
        service=n5g_eir.API_NAME,
        audience=NF_TYPE,
        instance_id=str(options.instance_id),
        issuers=options.tokens.issuers,
    )

    def admit(headers: Any) -> str:
        try:
            return verifier.verify_authorization(headers.get("authorization"), clock()).subject
        except TokenInvalid as wrong:
            raise Refused(n5g_eir.invalid_token(str(wrong))) from None
        except ScopeInsufficient as wrong:
            raise Refused(n5g_eir.insufficient_scope(str(wrong))) from None

    return admit
