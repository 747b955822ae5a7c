"""The link to a message centre: SMPP 3.4 by aiosmpplib, watched over.

A message is answered before it is acknowledged, and acknowledged only when its answer went out to the socket: whatever
dies in between, the centre delivers the message again. So at worst a sender reads the same answer twice, and never none.

    deliver_sm ─▶ answer (own thread) ─▶ queue ─▶ sender ─▶ submit_sm ─▶ written? ─▶ deliver_sm_resp

The library's three tasks may stop without a word (its sender, at an error it does not expect). Hence the watch: every
PROBE_S a probe goes through the same queue as the answers, and one that was not written within PATIENCE_S, or a link whose
task ended with an error, costs the link, which is made anew. While the centre is away the library binds again itself,
after 1, 2, 4 … 32 seconds.
Not here: TLS, which SMPP lacks; more than one link a process.
"""

import asyncio
import contextlib
import logging
import sys
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from aiosmpplib import ESME, AbstractHook, EnquireLink, PhoneNumber, SmppMessage, SmppSessionState, SubmitSm

from openceir.portal.channels.deliver import ITS_SESSION_INFO, USSD_SERVICE_OP, OctetsParam, TakenMessage, install

__all__ = ["Answers", "Centre", "Link", "Times"]

_SILENT = logging.CRITICAL + 1  # the library would log messages with number and text
_TASKS = {"Receiver", "Sender", "Connection keeper"}  # its names for them
_BEGINS, _REQUEST, _ENDS, _CONTINUES = 1, 2, 17, 18  # PSSR indication, USSR request, PSSR response, USSR confirm
_MOST_SESSIONS = 10_000
T = TypeVar("T")


class Answers(Protocol):
    """Who answers; called in a thread of its own, one message at a time."""

    def sms(self, *, message_id: str, number: str, text: str) -> str:
        """The answer to a short message."""

    def ussd(self, *, session_id: str, number: str, text: str) -> tuple[str, bool]:
        """The next screen of a session, and whether it goes on; `text` is all that was typed, joined by asterisks."""

    def apology(self) -> str:
        """What is said when there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """The message centre and how it knows us."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long things may take. Units: seconds."""

    probe_s: float = 20.0
    patience_s: float = 15.0
    enquire_link_s: float = 30.0
    session_s: float = 180.0  # a USSD session; networks end it sooner
    restart_s: float = 2.0


@dataclass(slots=True)
class _Session:
    session_id: str
    inputs: list[str]
    until: float


class Link:
    """One bound link: `run` until `stop`."""

    def __init__(
        self, centre: Centre, answers: Answers, *, times: Times | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        install()
        self._centre, self._answers, self._times = centre, answers, times or Times()
        self._say = say or (lambda line: print(line, file=sys.stderr))
        self._thread = ThreadPoolExecutor(1, "answers")  # one, so that one register and one database stay open
        self._written: dict[int, asyncio.Future[None]] = {}
        self._sessions: dict[tuple[str, int], _Session] = {}
        self._stopping = asyncio.Event()
        self._esme: ESME | None = None
        self.answered = self.failed = self.restarts = 0

    @property
    def is_bound(self) -> bool:
        """Whether the centre takes and gives messages now."""
        return self._esme is not None and self._esme.session_state is SmppSessionState.BOUND_TRX

    async def run(self) -> None:
        """Keep the link until `stop`."""
        while not self._stopping.is_set():
            esme = self._esme = self._new_esme()
            link = asyncio.create_task(esme.start(), name="link")
            watch = asyncio.create_task(self._watch(esme), name="watch")
            stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
            await asyncio.wait({link, watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stopping.is_set():
                self.restarts += 1
                why = "its sender stands still" if watch.done() else "it ended"
                self._say(f"openceir: the link to the message centre is made anew: {why}")
            watch.cancel()
            stopping.cancel()
            await self._end(esme, link)
            if not self._stopping.is_set():
                await asyncio.sleep(self._times.restart_s)
        self._thread.shutdown(wait=True)

    def stop(self) -> None:
        """Unbind and let `run` return."""
        self._stopping.set()

    def _new_esme(self) -> ESME:
        return ESME(
            smsc_host=self._centre.host, smsc_port=self._centre.port, system_id=self._centre.system_id,
            password=self._centre.password, system_type=self._centre.system_type,
            enquire_link_interval=self._times.enquire_link_s, socket_timeout=self._times.patience_s,
            log_level=_SILENT, log_handler=logging.NullHandler(), hook=_Hook(self),
        )  # fmt: skip

    async def _end(self, esme: ESME, link: "asyncio.Task[None]") -> None:
        """Unbind if that goes, and leave none of its tasks and sockets behind."""
        writer = esme._writer  # it forgets to close it
        with contextlib.suppress(Exception):  # it is being thrown away, whatever state it is in
            await asyncio.wait_for(esme.stop(), self._times.patience_s)
        left = [task for task in asyncio.all_tasks() if task.get_name() in _TASKS] + [link]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        for written in self._written.values():
            written.cancel()
        self._written.clear()

    async def _watch(self, esme: ESME) -> None:
        """Return when a probe was not written in time."""
        was_bound = False
        while True:
            await asyncio.sleep(self._times.probe_s if self.is_bound else min(1.0, self._times.probe_s))
            if self.is_bound is not was_bound:
                was_bound = not was_bound
                self._say(f"openceir: {'bound to' if was_bound else 'lost'} the message centre")
            if was_bound and not await self._is_written(esme, EnquireLink()) and self.is_bound:
                return

    async def _is_written(self, esme: ESME, message: SmppMessage) -> bool:
        """Queue a message; whether it was written to the socket in time."""
        written = self._written[id(message)] = asyncio.get_running_loop().create_future()
        try:
            await esme.broker.enqueue(message)
            await asyncio.wait_for(written, self._times.patience_s)
        except TimeoutError:
            return False
        finally:
            self._written.pop(id(message), None)
        return True

    def wrote(self, message: SmppMessage) -> None:
        """The library wrote a message."""
        written = self._written.get(id(message))
        if written is not None and not written.done():
            written.set_result(None)

    async def take(self, message: TakenMessage) -> None:
        """Answer a message. Raises: ConnectionError when the answer could not be sent: the centre shall send it again."""
        assert self._esme is not None
        is_ussd = message.ussd_service_op is not None or message.service_type == "USSD"
        answer = await (self._ussd(message) if is_ussd else self._sms(message))
        if answer is None:
            return
        if not await self._is_written(self._esme, answer):
            self.failed += 1
            raise ConnectionError("an answer could not be sent")
        self.answered += 1

    async def _sms(self, message: TakenMessage) -> SubmitSm:
        text = message.short_message or message.message_payload
        answer = await self._ask(
            # deliver_sm has no id of its own; one that is delivered again is answered again
            lambda: self._answers.sms(message_id=uuid.uuid4().hex, number=message.source.number, text=text)
        )
        return _back(message, answer if answer is not None else self._answers.apology())

    async def _ussd(self, message: TakenMessage) -> SubmitSm | None:
        session = self._session_of(message)
        if session is None:
            return None  # a notice was read, or a session is older than we know
        said = await self._ask(
            lambda: self._answers.ussd(
                session_id=session.session_id, number=message.source.number, text="*".join(session.inputs)
            )
        )
        text, goes_on = said if said is not None else (self._answers.apology(), False)
        if not goes_on:
            self._sessions.pop(_key(message), None)
        return _back(message, text, operation=_REQUEST if goes_on else _ENDS)

    def _session_of(self, message: TakenMessage) -> _Session | None:
        """The session with this input added; None when it does not belong to one."""
        now = asyncio.get_running_loop().time()
        text = (message.short_message or message.message_payload).strip()
        if message.ussd_service_op in {_BEGINS, None}:
            if len(self._sessions) >= _MOST_SESSIONS:
                self._sessions = {key: each for key, each in self._sessions.items() if each.until > now}
                while len(self._sessions) >= _MOST_SESSIONS:
                    self._sessions.pop(next(iter(self._sessions)))
            # *8484*001001000000015# : what stands behind the service code was typed already
            typed = text.strip("*#").split("*")[1:] if text.startswith("*") else []
            session = _Session(uuid.uuid4().hex, typed, now + self._times.session_s)
            self._sessions[_key(message)] = session
            return session
        found = self._sessions.get(_key(message))
        if message.ussd_service_op != _CONTINUES or found is None or found.until < now:
            return None
        found.inputs.append(text.replace("*", " "))
        return found

    async def _ask(self, question: Callable[[], T]) -> T | None:
        """What the thread of answers says; None when it failed, which is told without what its error says."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        except Exception as fault:
            self.failed += 1
            self._say(f"openceir: fault {type(fault).__name__} while answering a message")
            return None


class _Hook(AbstractHook):  # type: ignore[misc]
    """Where the library tells what it does."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def sending(self, smpp_message: SmppMessage, pdu: bytes, client_id: str) -> None:
        """About to be written; what is queued behind it is not."""
        self._link.wrote(smpp_message)

    async def received(self, smpp_message: SmppMessage | None, pdu: bytes, client_id: str) -> None:
        """Answer before the library acknowledges."""
        if isinstance(smpp_message, TakenMessage) and not smpp_message.is_receipt():
            await self._link.take(smpp_message)

    async def send_error(self, smpp_message: SmppMessage, error: Exception, client_id: str) -> None:
        """The watch and `take` notice by themselves that it was not written."""


def _key(message: TakenMessage) -> tuple[str, int]:
    return message.source.number, message.its_session_info[0] if message.its_session_info else -1


def _back(message: TakenMessage, text: str, operation: int | None = None) -> SubmitSm:
    """An answer to whoever sent the message, from the number that it was sent to; no receipt asked."""
    params = []
    if operation is not None:
        params.append(OctetsParam(USSD_SERVICE_OP, bytes([operation])))
        if message.its_session_info:
            session, sequence = message.its_session_info
            # the last bit says that the session ends with this
            sequence = sequence | 1 if operation == _ENDS else sequence & ~1
            params.append(OctetsParam(ITS_SESSION_INFO, bytes([session, sequence])))
    return SubmitSm(
        short_message=text,
        source=PhoneNumber(message.destination.number, message.destination.ton, message.destination.npi),
        destination=PhoneNumber(message.source.number, message.source.ton, message.source.npi),
        service_type=message.service_type if operation is None else "USSD", registered_delivery=0,
        optional_params=list(params), log_id=uuid.uuid4().hex,
    )  # fmt: skip
