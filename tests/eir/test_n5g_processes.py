"""The processes that answer 5G cores: hostile and broken peers, crashes, overload, tokens, TLS and goodbyes."""

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hyperframe.frame import ContinuationFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, SettingsFrame

from openceir.eir import Decider, DecisionPolicy, EirError, InterfacePolicy, Overlay, open_index
from openceir.eir.n5g import N5gApplication, N5gOptions, TokenOptions, counters_of_n5g, priority_of, read_instance_id
from openceir.eir.n5g_processes import N5gProcesses, TlsFiles, listen
from openceir.wire import n5g_eir
from wire import an_nrf as nrf

from .conftest import ALICES_PHONE, BLOCKED, SIGNER, TRUSTED
from .running import LONGEST_S
from .test_n5g import PATH, imei, write_index
from .test_serve import Process, certificate, client_tls

US = UUID(nrf.US)
ASKED = f"{PATH}?pei={imei(ALICES_PHONE)}"


def noon() -> datetime:
    """The one moment that these processes know; it travels to them by name."""
    return nrf.NOW


def silent(event: str, **facts: object) -> None:
    """Logs nothing."""


class Running(N5gProcesses):
    """Processes, and a client of theirs."""

    client: httpx.AsyncClient
    url: str

    async def get(self, target: str = ASKED, **headers: str) -> httpx.Response:
        return await self.client.get(target, headers=headers)

    @property
    def resident_mb(self) -> float:
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@asynccontextmanager
async def running(
    folder: Path, *, tls: TlsFiles | None = None, log=silent, processes: int = 1, **options: Any
) -> AsyncIterator[Running]:
    index = open_index(write_index(folder / "list.idx"), TRUSTED)
    listener = listen("127.0.0.1", 0, tls)
    found = Running(
        N5gOptions(instance_id=US, **options), DecisionPolicy(), [listener], processes=processes, clock=noon, log=log
    )
    await found.start(index, SIGNER.public)
    found.url = f"http{'s' if tls else ''}://127.0.0.1:{listener.address[1]}"
    found.client = httpx.AsyncClient(http2=True, http1=False, base_url=found.url, timeout=LONGEST_S)
    try:
        async with found.client:
            yield found
    finally:
        await found.stop()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = LONGEST_S) -> None:
    by = monotonic() + seconds
    while not await holds():
        assert monotonic() < by


# ------------------------------------------------------------------------------------------------ hostile peers


class Hostile:
    """A connection that says what it likes; frames are made by `h2` and `hyperframe`, rules are kept by nobody."""

    def __init__(self, url: str) -> None:
        where = httpx.URL(url)
        self.socket = socket.create_connection((where.host, where.port))
        self.socket.settimeout(LONGEST_S)
        self.h2 = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def ask(self, stream: int, *, end: bool = True, more: list[tuple[str, str]] | None = None) -> None:
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "eir"), (":path", ASKED), *(more or [])]
        self.h2.send_headers(stream, head, end_stream=end)

    def frames(self, *, answers: int | None = None) -> list[Frame]:
        """All that the other side says until so many streams ended, or until it closes.

        `h2` takes a GOAWAY for the end of everything, so frames are read by hand.
        """
        said, frames = b"", []
        with suppress(ConnectionError):
            while sum("END_STREAM" in frame.flags for frame in frames) != answers:
                octets = self.socket.recv(1 << 16)
                if not octets:
                    break
                said += octets
                while len(said) >= 9 and len(said) >= 9 + int.from_bytes(said[:3], "big"):
                    frame, length = Frame.parse_frame_header(memoryview(said[:9]))
                    frame.parse_body(memoryview(said[9 : 9 + length]))
                    frames.append(frame)
                    said = said[9 + length :]
        self.socket.close()
        return frames

    def ends(self) -> bool:
        """Whether the other side closes; all that it still says is read."""
        with suppress(ConnectionError):
            while self.socket.recv(1 << 16):
                pass
        return True


def rapid_reset(peer: Hostile) -> None:
    """CVE-2023-44487: streams opened and reset at once, so that no limit of streams is ever met."""
    for number in range(20_000):
        peer.ask(2 * number + 1)
        peer.h2.reset_stream(2 * number + 1)
        if number % 100 == 99:
            peer.flush()


def continuation_flood(peer: Hostile) -> None:
    """CVE-2024-24549 and its kin: a header block that never ends."""
    peer.socket.sendall(HeadersFrame(1, data=b"\x00\x01a\x01b", flags=["END_STREAM"]).serialize())
    piece = ContinuationFrame(1, data=b"\x00\x01a\x01b" * 3000).serialize()
    for _ in range(5000):
        peer.socket.sendall(piece)


def huge_headers(peer: Hostile) -> None:
    """Headers of 160 kB in each of many streams; ten times what is taken."""
    for number in range(400):
        peer.ask(2 * number + 1, more=[(f"x-{each}", "y" * 8000) for each in range(20)])
        peer.flush()


def hpack_bomb(peer: Hostile) -> None:
    """One octet a header: a large value in the table, referred to again and again."""
    block = b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000 + b"\xbe" * 15_000
    for number in range(200):
        peer.socket.sendall(HeadersFrame(2 * number + 1, data=block[:16_000], flags=["END_HEADERS"]).serialize())


def control_frames(peer: Hostile) -> None:
    """PINGs and SETTINGS, each of which wants an answer, from somebody who reads none."""
    each = PingFrame(0, opaque_data=b"01234567").serialize() + SettingsFrame(0, settings={4: 1 << 20}).serialize()
    for _ in range(400):
        peer.socket.sendall(each * 500)


def too_many_streams(peer: Hostile) -> None:
    """Questions that never end, with bodies that never come."""
    for number in range(20_000):
        peer.ask(2 * number + 1, end=False)
        if number % 100 == 99:
            peer.flush()


def garbage(peer: Hostile) -> None:
    """Octets that are no frames."""
    peer.socket.sendall(bytes(range(256)) * 4000)


@pytest.mark.parametrize(
    "attack", [rapid_reset, continuation_flood, huge_headers, hpack_bomb, control_frames, too_many_streams, garbage]
)
def test_a_hostile_peer_costs_itself_its_connection_and_others_nothing(attack, shared: Running, run):
    """Memory stays within 24 MB of what it was, and a neighbour is answered while the attack runs and after it."""

    def attacked() -> None:
        peer = Hostile(shared.url)
        peer.socket.settimeout(5)
        try:
            with suppress(ConnectionError, TimeoutError):  # closed on while it still sends, or read from no more
                peer.h2.config.validate_inbound_headers = False
                attack(peer)
        finally:
            peer.socket.close()

    async def story() -> None:
        before = shared.resident_mb
        attacking = asyncio.create_task(asyncio.to_thread(attacked))
        answered = 0
        while not attacking.done() or answered < 20:
            assert (await shared.get()).json() == {"status": "BLACKLISTED"}
            answered += 1
        await attacking
        assert shared.resident_mb < before + 24
        assert shared.pids == shared.pids_at_first

    run(story())


@pytest.fixture(scope="module")
def run():
    """One loop for the module: the processes that tests share talk to it."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(scope="module")
def shared(run, tmp_path_factory):
    """One process that several tests ask."""
    opened = running(tmp_path_factory.mktemp("shared"))
    found = run(opened.__aenter__())
    found.pids_at_first = found.pids
    yield found
    run(opened.__aexit__(None, None, None))


def test_a_reset_rate_that_no_core_has_ends_the_connection(shared: Running):
    peer = Hostile(shared.url)
    with suppress(ConnectionError):
        rapid_reset(peer)
    assert peer.ends()
    peer.socket.close()


def test_header_octets_that_are_no_text_are_no_failure_of_ours(shared: Running, run):
    """Whoever could raise our alarm from outside could also hide a real one."""

    async def story() -> None:
        peer = Hostile(shared.url)
        for number, name in enumerate(("accept", "authorization", "3gpp-sbi-message-priority", "x")):
            peer.ask(2 * number + 1, more=[(name, b"\xff\xfe\x80")])
        peer.flush()
        frames = await asyncio.to_thread(peer.frames, answers=4)
        assert {frame.stream_id for frame in frames if "END_STREAM" in frame.flags} == {1, 3, 5, 7}
        await shared.refresh()
        assert shared.counters.failures == 0

    run(story())


def test_half_a_question_holds_nobody_up(shared: Running, run):
    """Five connections that send one octet and wait."""

    async def story() -> None:
        waiting = []
        for _ in range(5):
            one = socket.create_connection(("127.0.0.1", httpx.URL(shared.url).port))
            one.sendall(b"P")
            waiting.append(one)
        assert (await shared.get()).status_code == 200
        for one in waiting:
            one.close()

    run(story())


# ------------------------------------------------------------------------------------------------ crashes, lists, goodbyes


def test_counts_of_all_processes_are_told_as_one(shared: Running, run):
    async def story() -> None:
        await shared.refresh()
        before = shared.counters.of_outcomes()
        refused = shared.counters.refusals[400]
        for target in (ASKED, ASKED, f"{PATH}?pei=x", f"{PATH}?pei=imei-1", f"{PATH}?pei="):
            await shared.get(target)
        await shared.refresh()
        added = shared.counters.of_outcomes() - before
        assert added == {"blocked_not_in_pairs": 2, "unknown": 1, "malformed": 1}
        assert shared.counters.refusals[400] == refused + 1

    run(story())


def test_a_process_that_is_killed_is_replaced_and_no_connection_is_refused(tmp_path: Path):
    """The socket is the EIR's: whoever connects meanwhile waits, and what was counted is not lost."""

    async def story() -> None:
        async with running(tmp_path) as eir:
            await eir.get()
            await eir.refresh()
            [first] = eir.pids
            os.kill(first, signal.SIGKILL)
            async with httpx.AsyncClient(http2=True, http1=False, base_url=eir.url, timeout=LONGEST_S) as another:
                assert (await another.get(ASKED)).json() == {"status": "BLACKLISTED"}
            assert eir.pids != [first]
            await eir.refresh()
            assert eir.counters.links["process_lost"] == 1
            assert sum(eir.counters.decisions) == 2

    asyncio.run(story())


def test_a_list_that_is_not_the_one_that_was_named_is_refused_and_the_old_one_serves_on(tmp_path: Path):
    async def story() -> None:
        async with running(tmp_path) as eir:
            named = open_index(
                write_index(tmp_path / "next.idx", sequence=2, devices={ALICES_PHONE + 50: BLOCKED}), TRUSTED
            )
            write_index(tmp_path / "next.idx", sequence=3)
            eir.use(named, SIGNER.public)
            await eir.refresh()
            assert eir.counters.reloads == {"refused": 1}
            assert (await eir.get()).json() == {"status": "BLACKLISTED"}
            eir.use(open_index(tmp_path / "next.idx", TRUSTED), SIGNER.public)
            await eir.refresh()
            assert eir.counters.reloads == {"refused": 1, "done": 1}

    asyncio.run(story())


def test_a_question_that_came_before_the_end_is_answered_or_named_as_not_taken(tmp_path: Path):
    """RFC 9113 §6.8: a consumer asks elsewhere what lies above the last stream of a GOAWAY, and only that."""

    async def story() -> None:
        async with running(tmp_path) as eir:
            peer = Hostile(eir.url)
            for number in range(100):
                peer.ask(2 * number + 1)
            peer.flush()
            await eir.stop()
            frames = await asyncio.to_thread(peer.frames)
            answered = {frame.stream_id for frame in frames if "END_STREAM" in frame.flags}
            last = min((frame.last_stream_id for frame in frames if isinstance(frame, GoAwayFrame)), default=1 << 31)
            assert {stream for stream in range(1, 200, 2) if stream <= last} <= answered
            assert sum(eir.counters.decisions) == len(answered)
            with pytest.raises(httpx.HTTPError):
                await eir.get()

    asyncio.run(story())


def test_a_process_that_cannot_start_says_why(tmp_path: Path):
    async def story() -> None:
        async with running(tmp_path, tokens=TokenOptions(keys=(("nrf.pem", b"nonsense"),))):
            raise AssertionError("it started")

    with pytest.raises(EirError, match=r"nrf\.pem holds no public key"):
        asyncio.run(story())


def test_an_occupied_address_is_said_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(EirError, match="cannot listen"):
        listen(*taken.getsockname())


def test_an_instance_id_must_be_a_uuid():
    assert read_instance_id(nrf.US) == US
    with pytest.raises(EirError, match="UUID"):
        read_instance_id("eir-a")


# ------------------------------------------------------------------------------------------------ who may ask


def test_tokens_are_asked_for_and_told_apart_with_401_and_403(tmp_path: Path):
    key = ("nrf.pem", nrf.pem(nrf.EC_KEY))

    async def story() -> None:
        async with running(tmp_path, tokens=TokenOptions(keys=(key,), issuers=(nrf.NRF,)), api_prefix="/eir-a") as eir:
            target = f"/eir-a{ASKED}"

            async def answer(token: str | None) -> httpx.Response:
                return await eir.get(target, **({"authorization": f"Bearer {token}"} if token else {}))

            good = await answer(nrf.token())
            assert (good.status_code, good.json()) == (200, {"status": "BLACKLISTED"})
            for bad, error in (
                (None, None),
                (nrf.token(header={"alg": "none"}, sign=lambda _: b""), "invalid_token"),
                (nrf.token(exp=int(nrf.NOW.timestamp()) - 1), "invalid_token"),
                (nrf.token("RS256", nrf.rs256), "invalid_token"),
                (nrf.token(iss="somebody"), "invalid_token"),
            ):
                refused = await answer(bad)
                assert refused.status_code == 401
                challenge = refused.headers["www-authenticate"]
                assert challenge.startswith("Bearer realm=")
                assert ("error=" in challenge) == (error is not None)  # RFC 6750 §3: none when no token came
                assert error is None or f'error="{error}"' in challenge
            for wrong in (nrf.token(aud="AMF"), nrf.token(scope="namf-comm")):
                refused = await answer(wrong)
                assert (refused.status_code, refused.json()["cause"]) == (403, "ACCESS_TOKEN_DENIED")
                assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
            assert (await eir.get(ASKED)).status_code == 400  # without the prefix it is not our API

    asyncio.run(story())


def test_tokens_without_the_package_for_signatures_are_refused_at_the_start(tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openceir.wire.access_token", None)
    with pytest.raises(EirError, match="pip install"):
        application(tmp_path, tokens=TokenOptions(keys=()))


def test_over_tls_both_sides_show_a_certificate(tmp_path: Path):
    authority = certificate(tmp_path, "authority", is_authority=True)
    for name in ("eir.example", "amf.example"):
        certificate(tmp_path, name, authority)
    stranger = certificate(tmp_path, "stranger", is_authority=True)
    certificate(tmp_path, "mallory.example", stranger)
    tls = TlsFiles(
        certificate=tmp_path / "eir.example.pem",
        key=tmp_path / "eir.example.key",
        authorities=tmp_path / "authority.pem",
    )

    async def story() -> None:
        async with running(tmp_path, tls=tls) as eir:

            async def ask(name: str | None) -> httpx.Response:
                context = client_tls(tmp_path, name)
                async with httpx.AsyncClient(http2=True, verify=context, timeout=LONGEST_S) as client:
                    return await client.get(eir.url + ASKED, extensions={"sni_hostname": "eir.example"})

            answer = await ask("amf.example")
            assert (answer.http_version, answer.json()) == ("HTTP/2", {"status": "BLACKLISTED"})
            for name in (None, "mallory.example"):
                with pytest.raises((httpx.TransportError, ssl.SSLError)):
                    await ask(name)

    asyncio.run(story())


# ------------------------------------------------------------------------------------------------ overload and failures


class Asked:
    """One request as granian hands it over, and what became of it."""

    def __init__(self, query: str = f"pei={imei(ALICES_PHONE)}", **headers: str) -> None:
        self.method, self.path, self.query_string, self.client = "GET", PATH, query, "192.0.2.1:7"
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.status, self.answer_headers, self.body = 0, {}, ""

    def response_str(self, status: int, headers: list[tuple[str, str]], body: str) -> None:
        self.status, self.answer_headers, self.body = status, dict(headers), body


def application(tmp_path: Path, *, log=silent, **options: Any) -> N5gApplication:
    decider = Decider(open_index(write_index(tmp_path / "list.idx"), TRUSTED), Overlay(), DecisionPolicy())
    return N5gApplication(N5gOptions(instance_id=US, **options), decider, counters_of_n5g(), log, noon)


def asked_at_once(app: N5gApplication, questions: list[Asked]) -> list[int]:
    """All come in one turn of the loop, as they do when more come than are answered."""

    async def story() -> None:
        await asyncio.gather(*(app(each, each) for each in questions))

    asyncio.run(story())
    return [each.status for each in questions]


def test_past_the_bound_the_less_urgent_get_429_and_past_four_times_that_all_get_503(tmp_path: Path):
    app = application(tmp_path, most_waiting=10)
    usual, urgent, idle = {}, {"3gpp_sbi_message_priority": "2"}, {"3gpp_sbi_message_priority": "31"}
    questions = [Asked(**(usual, urgent, idle)[number % 3]) for number in range(60)]
    statuses = asked_at_once(app, questions)
    assert statuses[:10] == [200] * 10
    assert statuses[10:40] == [(429, 200, 429)[number % 3] for number in range(10, 40)]
    assert statuses[40:] == [503] * 20
    assert questions[11].answer_headers["retry-after"] == "1"
    assert json.loads(questions[11].body)["cause"] == "NF_CONGESTION_RISK"
    assert json.loads(questions[59].body)["cause"] == "NF_CONGESTION"
    assert app.counters.refusals == {429: 20, 503: 20}
    assert asked_at_once(app, [Asked()]) == [200], "the next turn begins anew"


@pytest.mark.parametrize(
    ("header", "priority"),
    [
        ("0", 0),
        ("16", 16),
        ("31", 31),
        ("99", 31),
        (None, 24),
        ("", 24),
        ("-1", 24),
        ("٣", 24),
        ("1" * 5000, 24),
        ("1.5", 24),
    ],
)
def test_a_priority_that_cannot_be_read_is_the_usual_one(header, priority):
    assert priority_of(header) == priority


@pytest.mark.parametrize(
    ("failure", "status", "body"),
    [("permitted", 200, "WHITELISTED"), ("error", 500, "SYSTEM_FAILURE"), ("unknown", 404, "ERROR_EQUIPMENT_UNKNOWN")],
)
def test_a_failure_of_ours_is_answered_as_the_operator_chose_and_is_an_alarm(tmp_path: Path, failure, status, body):
    said = []
    app = application(
        tmp_path, policy=InterfacePolicy(failure=failure), log=lambda event, **facts: said.append((event, facts))
    )
    app._decide = None  # as if the list had gone from under us
    questions = [Asked() for _ in range(5)]
    assert asked_at_once(app, questions) == [status] * 5
    assert body in questions[0].body
    assert app.counters.failures == 5
    assert [facts["count"] for event, facts in said if event == "alarm"] == [1, 2, 4]
    assert "00101" not in str(said)


@pytest.mark.parametrize(
    ("policy", "query", "status"),
    [
        (InterfacePolicy(unknown="permitted"), "pei=x", 200),
        (InterfacePolicy(unknown="blocked"), f"pei={imei(ALICES_PHONE + 9)}", 200),
        (InterfacePolicy(malformed="tracked"), "pei=imei-1", 200),
        (InterfacePolicy(), "pei=imei-1", 404),
    ],
)
def test_unknown_and_malformed_are_answered_as_the_operator_chose(tmp_path: Path, policy, query, status):
    question = Asked(query)
    assert asked_at_once(application(tmp_path, policy=policy), [question]) == [status]
    assert (
        status == 404
        or json.loads(question.body)["status"]
        == (
            {"permitted": "WHITELISTED", "blocked": "BLACKLISTED", "tracked": "GREYLISTED", "unknown": ""}[
                policy.unknown if policy.malformed == "error" else policy.malformed
            ]
        )
    )


def test_every_answer_bears_our_name(tmp_path: Path):
    questions = [Asked(), Asked("pei=x"), Asked(""), Asked(accept="text/html")]
    asked_at_once(application(tmp_path), questions)
    assert [each.status for each in questions] == [200, 404, 400, 406]
    assert {each.answer_headers["server"] for each in questions} == {f"5G_EIR-{nrf.US}"}
    assert n5g_eir.EQUIPMENT_UNKNOWN.headers == [("content-type", "application/problem+json")], (
        "the original is untouched"
    )


def test_an_eir_that_is_killed_leaves_no_process_behind(tmp_path: Path):
    """Its pipe ends with it; otherwise nobody could start another one on the same port."""
    index = write_index(tmp_path / "list.idx")
    command = [
        sys.executable, "-c", "from openceir.cli import main; main()", "--home", str(tmp_path), "eir", "serve",
        "--list", str(index), "--trust", SIGNER.public.format(), "--host", "eir.example", "--realm", "example",
        "--port", "0", "--pages", "off", "--n5g", "127.0.0.1:0",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        port = Process(process).wait_for("listening", transport="h2c")["port"]
        assert httpx.get(f"http://127.0.0.1:{port}{ASKED}", timeout=LONGEST_S).status_code == 200
        process.kill()

    async def nobody_listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return False
        return True

    asyncio.run(until(nobody_listens))


def test_a_process_that_answers_loads_nothing_that_it_does_not_use():
    """What each further process costs is measured in bench/eir_n5g.py; these would double it."""
    code = (
        "import sys, openceir.clock, openceir.eir.log, openceir.eir.n5g_processes as door;"
        "print(sorted({'pyarrow', 'duckdb', 'click', 'httpx', 'cryptography'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
