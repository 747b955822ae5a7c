"""Registration at an NRF: what is told it, when it is told again, and what happens when it forgets or is away."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from openceir.eir import EirError
from openceir.eir.nrf import Endpoint, NfProfile, NrfRegistration

from .an_nrf import Nrf, an_nrf, check_profile
from .conftest import SIGNER
from .running import LONGEST_S
from .test_n5g import PATH, imei, write_index
from .test_serve import served

US = UUID("4947a69a-f61b-4bc1-b9da-47c9c5d14b64")
PROFILE = NfProfile(
    instance_id=US, endpoints=(Endpoint(scheme="http", host="192.0.2.7", port=7777),), plmns=(("001", "01"),)
)


class Story:
    """A registration whose waiting is told to the test, which says what happens meanwhile."""

    def __init__(self, address: str, steps: list[Callable[[], None]]) -> None:
        self.waited: list[float] = []
        self.said: list[tuple[str, dict]] = []
        self._steps = iter(steps)
        self._over, self._ended = asyncio.Event(), asyncio.Event()
        self.registration = NrfRegistration(
            address,
            PROFILE,
            lambda event, **facts: self.said.append((event, facts)),
            wait=self._wait,
            jitter=lambda s: s,
        )

    async def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        step = next(self._steps, None)
        if step is None:
            self._over.set()
            await self._ended.wait()
        else:
            step()

    async def told(self) -> "Story":
        self.registration.start()
        await self._over.wait()
        self._ended.set()
        await self.registration.stop()
        return self


def run(
    steps: Callable[[Nrf], list[Callable[[], None]]], *, heartbeat_s: object = 7, failing: int = 0
) -> tuple[Nrf, Story]:
    async def story() -> tuple[Nrf, Story]:
        async with an_nrf(heartbeat_s) as nrf:
            nrf.failing = failing
            return nrf, await Story(f"http://127.0.0.1:{nrf.port}/", steps(nrf)).told()

    return asyncio.run(story())


def nothing() -> None:
    """Time passes."""


def test_we_register_are_heard_at_every_heartbeat_and_leave():
    nrf, story = run(lambda nrf: [nothing, nothing])
    assert nrf.asked == [("PUT", 201), ("PATCH", 204), ("PATCH", 204), ("DELETE", 204)]
    assert story.waited == [7, 7, 7], "the NRF's choice of a heartbeat goes before ours"
    assert nrf.profiles == {}
    assert [facts["what"] for _, facts in story.said] == ["registered", "deregistered"]


def test_an_nrf_that_forgot_us_is_told_anew_at_once():
    nrf, story = run(lambda nrf: [nrf.profiles.clear, nothing])
    assert nrf.asked == [("PUT", 201), ("PATCH", 404), ("PUT", 201), ("DELETE", 204)]
    assert story.waited == [7, 0, 7]


def test_an_nrf_that_refuses_is_asked_less_and_less_often():
    nrf, story = run(lambda nrf: [nothing] * 8, failing=8)
    assert nrf.asked == [("PUT", 503)] * 8 + [("PUT", 201), ("DELETE", 204)]
    assert story.waited == [1, 2, 4, 8, 16, 32, 60, 60, 7]
    assert [event for event, _ in story.said].count("alarm") == 1, "one alarm, not one an attempt"


def test_a_heartbeat_that_fails_does_not_end_the_registration():
    nrf, story = run(lambda nrf: [lambda: setattr(nrf, "failing", 2), nothing, nothing])
    assert nrf.asked == [("PUT", 201), ("PATCH", 503), ("PATCH", 503), ("PATCH", 204), ("DELETE", 204)]
    assert story.waited == [7, 7, 7, 7]
    assert [facts["what"] for _, facts in story.said][1:3] == [
        "the NRF does not answer our heartbeat",
        "the NRF answers our heartbeat again",
    ]


@pytest.mark.parametrize(
    ("said", "kept"), [(None, 10), ("soon", 10), (True, 10), (0, 1), (-5, 1), (10**9, 3600), (1.5, 10)]
)
def test_a_heartbeat_that_makes_no_sense_is_bounded(said, kept):
    _, story = run(lambda nrf: [], heartbeat_s=said)
    assert story.waited == [kept]


def test_an_nrf_that_is_away_is_waited_for():
    async def story() -> Story:
        async with an_nrf() as nrf:
            address = f"http://127.0.0.1:{nrf.port}"
        return await Story(address, [nothing, nothing]).told()  # nobody listens there any more

    told = asyncio.run(story())
    assert told.waited == [1, 2, 4]
    assert told.said == [
        ("alarm", {"what": "the NRF did not register us; it is asked again until it does", "status": 0})
    ]


def test_a_profile_names_every_way_to_us():
    """TS 29.510 §6.1.6.2.2; the stand-in's checks are the standard's."""
    profile = NfProfile(
        instance_id=US,
        endpoints=(
            Endpoint(scheme="http", host="0.0.0.0", port=80),
            Endpoint(scheme="https", host="2001:db8::7", port=443),
        ),
        fqdn="eir.5gc.mnc001.mcc001.3gppnetwork.org",
        api_prefix="/eir-a",
        needs_token=True,
    )
    document = profile.document()
    check_profile(document, US)
    assert "ipv4Addresses" not in document, "nobody can be sent to 0.0.0.0"
    assert document["ipv6Addresses"] == ["2001:db8::7"]
    clear, secure = document["nfServices"]
    assert clear["ipEndPoints"] == [{"transport": "TCP", "port": 80}]
    assert secure["ipEndPoints"] == [{"ipv6Address": "2001:db8::7", "transport": "TCP", "port": 443}]
    assert {service["oauth2Required"] for service in (clear, secure)} == {True}
    assert {service["apiPrefix"] for service in (clear, secure)} == {"/eir-a"}
    assert profile.document() == document, "the same ids after a restart"


@pytest.mark.parametrize(
    ("address", "host", "says"),
    [
        ("nrf.example:8000", "192.0.2.7", "http://"),
        ("http://nrf.example", "0.0.0.0", "FQDN"),
        ("http://nrf.example", "::", "FQDN"),
    ],
)
def test_what_no_nrf_could_take_is_said_at_the_start(address, host, says):
    profile = NfProfile(instance_id=US, endpoints=(Endpoint(scheme="http", host=host, port=80),))
    with pytest.raises(EirError, match=says):
        NrfRegistration(address, profile, lambda event, **facts: None)


def test_an_address_that_is_no_url_is_said_at_the_start():
    async def story() -> None:
        NrfRegistration("http://nrf.example:eighty", PROFILE, lambda event, **facts: None).start()

    with pytest.raises(EirError, match="no URL"):
        asyncio.run(story())


def test_an_eir_that_is_served_registers_answers_and_leaves(tmp_path: Path):
    """The whole of it, as an operator types it."""
    index = write_index(tmp_path / "list.idx")

    def operate(port: int) -> str:
        with served(
            tmp_path, "--list", str(index), "--trust", SIGNER.public.format(), "--n5g", "127.0.0.1:0",
            "--nrf", f"http://127.0.0.1:{port}", "--plmn", "001-01",
        ) as eir:  # fmt: skip
            ours = eir.wait_for("listening", transport="h2c")["port"]
            eir.wait_for("nrf", what="registered")
            answer = httpx.get(f"http://127.0.0.1:{ours}{PATH}?pei={imei(1)}", timeout=LONGEST_S)
            assert answer.status_code == 404
            return answer.headers["server"]

    async def story() -> None:
        async with an_nrf() as nrf:
            server = await asyncio.to_thread(operate, nrf.port)
            assert nrf.asked == [("PUT", 201), ("DELETE", 204)]
            kept = (tmp_path / "eir" / "n5g-instance").read_text().strip()
            assert server == f"5G_EIR-{kept}"

    asyncio.run(story())
