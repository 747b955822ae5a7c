"""`openceir sms serve` against two message centres that others wrote; and its link when things stand still."""

import asyncio
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a_country import Storyland
from openceir.identity import format_imei
from openceir.portal.channels.deliver import cut_ussd
from openceir.portal.channels.smpp import Centre as At
from openceir.portal.channels.smpp import Link, Times
from openceir.statements import DeviceSet, DeviceStolen
from portal.channels.a_centre import KINDS, LONGEST_S, Centre, bound_service, running_centre

FULL = format_imei("00100100000001")
STOLEN = format_imei("00100100000002")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A country in which one phone is stolen."""
    land = Storyland(tmp_path_factory.mktemp("sms") / "home")
    theft = DeviceStolen(
        devices=DeviceSet.of(STOLEN[:14]), stolen_at=datetime(2026, 2, 1, tzinfo=UTC), case_number="N-7"
    )
    land.says("police", theft, "2026-02-02")
    land.register.ledger.close()
    land.register.database.close()
    return land.home


@pytest.fixture(scope="module", params=KINDS)
def bound(request: pytest.FixtureRequest, home: Path) -> Iterator[tuple[Centre, list[str]]]:
    """A centre with the service bound to it, and what the service logs."""
    lines: list[str] = []
    with running_centre(request.param) as centre, bound_service(home, centre, lines.append):
        yield centre, lines


def test_a_message_is_answered_and_then_acknowledged(bound: tuple[Centre, list[str]]):
    centre, _ = bound
    centre.deliver(f"KYM {FULL}")
    text, event = centre.answer()
    assert text.startswith("NOT REGISTERED")
    assert (event["source"], event["destination"], event["coding"]) == ("8484", "15550100077", 0)
    assert centre.wait_for("acknowledged")


def test_an_answer_in_arabic_is_one_message_of_ucs2(bound: tuple[Centre, list[str]]):
    centre, _ = bound
    centre.deliver(f"فحص {STOLEN}")
    text, event = centre.answer()
    assert text.startswith("محظور")
    assert event["coding"] == 8
    assert len(bytes.fromhex(event["submitted"])) <= 140
    centre.wait_for("acknowledged")


def test_many_messages_get_one_answer_each(bound: tuple[Centre, list[str]]):
    centre, _ = bound
    senders = {f"1555010{count:04d}" for count in range(100)}
    for sender in senders:
        centre.deliver(FULL, sender)
    answers = [centre.answer()[1]["destination"] for _ in senders]
    assert sorted(answers) == sorted(senders)
    assert {centre.wait_for("acknowledged")["acknowledged"] for _ in senders} == senders


@pytest.mark.parametrize("session", ["0502", "ff02", "8000"])
def test_a_session_of_ussd_goes_through_its_menus(bound: tuple[Centre, list[str]], session: str):
    """Session numbers above 127 and octets of nought too, which the library alone would refuse or lose."""
    centre, _ = bound
    centre.deliver("*8484#", operation=1, session=session, service="USSD")
    text, event = centre.answer()
    assert text.startswith("1 Check a phone")
    assert (event["operation"], event["session"], event["service"]) == ("02", session, "USSD")
    centre.deliver("1", operation=18, session=session, service="USSD")
    assert "IMEI" in centre.answer()[0]
    centre.deliver(STOLEN, operation=18, session=session, service="USSD")
    text, event = centre.answer()
    assert text.startswith("BLOCKED")
    assert event["operation"] == "11", "17, PSSR response: the session ends"
    assert int(event["session"], 16) == int(session, 16) | 1
    for _ in range(3):
        centre.wait_for("acknowledged")


def test_a_number_dialled_with_the_code_is_checked_at_once(bound: tuple[Centre, list[str]]):
    centre, _ = bound
    centre.deliver(f"*8484*{STOLEN}#", operation=1, session="0702", service="USSD")
    text, event = centre.answer()
    assert text.startswith("BLOCKED")
    assert event["operation"] == "11"
    centre.wait_for("acknowledged")


def test_a_lost_link_is_bound_again_and_nothing_of_a_person_is_logged(bound: tuple[Centre, list[str]]):
    centre, lines = bound
    centre.tell(drop=True)
    centre.wait_for("bound")
    centre.deliver(FULL)
    assert centre.answer()[0].startswith("NOT REGISTERED")
    centre.wait_for("acknowledged")
    log = "".join(lines)
    assert "bound to the message centre" in log or "binds to" in log
    for told in (FULL, STOLEN, FULL[:14], "15550100077", "KYM"):
        assert told not in log


# ------------------------------------------------------------------------------------------------------------ standing still


class Scripted:
    """Answers that a test chooses."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)

    def sms(self, *, message_id: str, number: str, text: str) -> str:
        if self.faults:
            raise self.faults.pop()
        return f"heard {text}"

    def ussd(self, *, session_id: str, number: str, text: str) -> tuple[str, bool]:
        return f"{session_id[:0]}typed {text}", text.count("*") < 1

    def apology(self) -> str:
        return "sorry"


def against(centre: Centre, answers: Scripted, body, times: Times | None = None) -> list[str]:
    """Run `body(link)` beside a link to the centre; what the link said."""
    said: list[str] = []

    async def run() -> None:
        at = At(host="127.0.0.1", port=centre.port, system_id="test", password="secret")
        link = Link(at, answers, times=times, say=said.append)
        running = asyncio.create_task(link.run())
        try:
            await asyncio.wait_for(body(link), LONGEST_S)
        finally:
            link.stop()
            await asyncio.wait_for(running, LONGEST_S)

    asyncio.run(run())
    return said


async def event(centre: Centre, name: str) -> dict[str, object]:
    """The next event of the centre, without holding the loop up."""
    return await asyncio.to_thread(centre.wait_for, name)


def test_a_fault_while_answering_is_an_apology_and_names_nothing():
    with running_centre("smpp34") as centre:

        async def body(link: Link) -> None:
            await event(centre, "bound")
            centre.deliver(f"KYM {FULL}")
            assert bytes.fromhex(str((await event(centre, "submitted"))["submitted"])) == b"sorry"
            await event(centre, "acknowledged")
            centre.deliver("again")
            assert bytes.fromhex(str((await event(centre, "submitted"))["submitted"])) == b"heard again"

        said = against(centre, Scripted(RuntimeError(FULL)), body)
    assert [line for line in said if "fault RuntimeError" in line]
    assert FULL not in "".join(said)


def test_a_sender_that_stands_still_costs_the_link_and_not_the_message():
    """The library's known fault: its sender ends and its receiver goes on. What waits is delivered again by the centre."""
    quick = Times(probe_s=0.2, patience_s=1.0, restart_s=0.1)
    with running_centre("smpp34") as centre:

        async def body(link: Link) -> None:
            await event(centre, "bound")
            while not link.is_bound:
                await asyncio.sleep(0.02)
            assert link._esme is not None
            link._esme.broker.dequeue = asyncio.Event().wait  # from here on its sender takes nothing from the queue
            await event(centre, "bound")
            centre.deliver("after")
            assert bytes.fromhex(str((await event(centre, "submitted"))["submitted"])) == b"heard after"
            assert link.restarts >= 1

        said = against(centre, Scripted(), body, quick)
    assert any("made anew" in line for line in said)


def test_a_session_that_is_not_known_any_more_is_left_alone():
    with running_centre("smpp34") as centre:

        async def body(link: Link) -> None:
            await event(centre, "bound")
            centre.deliver("1", operation=18, session="0902", service="USSD")
            await event(centre, "acknowledged")
            assert not [each for each in centre.passed if "submitted" in each]
            centre.deliver("*8484#", operation=1, session="0902", service="USSD")
            assert bytes.fromhex(str((await event(centre, "submitted"))["submitted"])) == b"typed "

        against(centre, Scripted(), body)


# ------------------------------------------------------------------------------------------------------------ octets


def a_deliver(text: bytes, *tlvs: tuple[int, bytes]) -> bytes:
    """A deliver_sm laid out by hand after SMPP 3.4 §4.6.1."""
    body = b"USSD\0" + b"\1\1" + b"15550100077\0" + b"\0\0" + b"8484\0" + b"\0\0\0" + b"\0\0" + b"\0\0\0\0"
    body += bytes([len(text)]) + text + b"".join(struct.pack("!HH", tag, len(value)) + value for tag, value in tlvs)
    return struct.pack("!IIII", 16 + len(body), 5, 0, 7) + body


def test_the_tlvs_of_ussd_are_cut_out_and_others_stay():
    other = (0x0204, b"\0\1")
    pdu = a_deliver(b"*1#", (0x0501, b"\1"), other, (0x1383, b"\xff\0"))
    assert cut_ussd(pdu) == (a_deliver(b"*1#", other)[:0] + pdu[:16] + a_deliver(b"*1#", other)[16:], 1, b"\xff\0")


@given(st.binary(max_size=300))
def test_any_octets_are_cut_or_refused(octets: bytes):
    with suppress(ValueError, IndexError, struct.error):
        kept, _, _ = cut_ussd(bytes(16) + octets)
        assert len(kept) <= 16 + len(octets)
