"""tshark, which nobody here wrote, reads our M3UA, SCCP, TCAP and MAP, and finds nothing to complain of."""

import shutil
import subprocess
from pathlib import Path

import pytest

from openceir.wire import sccp
from openceir.wire.m3ua import Asp, AspState
from openceir.wire.map_check_imei import Dialogues, Verdict
from openceir.wire.tcap import BadTransaction, read_message

from . import an_msc as msc

pytestmark = pytest.mark.skipif(
    not (shutil.which("tshark") and shutil.which("text2pcap")), reason="tshark is not installed"
)
FIELDS = [
    "m3ua.message_type",
    "gsm_old.localValue",
    "gsm_map.ms.equipmentStatus",
    "_ws.expert.message",
    "_ws.malformed",
]


def judged(folder: Path, *messages: bytes) -> list[list[str]]:
    """What tshark reads in each message, as if it had come over SCTP with M3UA's identifier."""
    dump = "".join(f"000000 {message.hex(' ')}\n" for message in messages)
    (folder / "octets.txt").write_text(dump)
    capture = folder / "octets.pcap"
    subprocess.run(
        ["text2pcap", "-q", "-S", "2905,2905,3", folder / "octets.txt", capture], check=True, capture_output=True
    )
    words = [word for name in FIELDS for word in ("-e", name)]
    read = subprocess.run(
        ["tshark", "-r", capture, "-o", "sctp.checksum:FALSE", "-T", "fields", "-E", "separator=|", *words],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [line.split("|") for line in read.stdout.splitlines()]


def through(asp: Asp, tcap: bytes, *verdicts: Verdict) -> bytes:
    """One question brought by the gateway, and the message that goes back."""
    [brought] = asp.receive(msc.data(msc.udt(tcap)), 1.0)
    asked, dialogues = sccp.read_datagram(brought.user), Dialogues(0)
    try:
        opened = dialogues.open(read_message(asked.data))
        said = opened if isinstance(opened, bytes) else dialogues.answer(opened, verdicts)
    except BadTransaction as wrong:
        said = wrong.answer
    asp.answer(brought, sccp.write_answer(asked, said))
    [message] = asp.messages_to_send()
    return message


def test_tshark_reads_every_kind_of_message_of_ours(tmp_path: Path):
    asp = Asp(0.0, routing_context=7, asp_identifier=3)
    messages = asp.messages_to_send()
    for acknowledged in (0x0304, 0x0403):
        asp.receive(msc.m3ua(acknowledged), 0.0)
        messages += asp.messages_to_send()
    assert asp.state is AspState.ACTIVE
    management = len(messages)
    expected = []
    for version in (1, 2, 3):
        for verdict in Verdict:
            messages.append(through(asp, msc.question(version), verdict))
            expected.append(["1", "43", str(verdict.value)] if verdict.value < 3 else ["1", str(verdict.value), ""])
    others = [
        msc.begin(4, msc.invoke(msc.argument(3))),
        msc.begin(3),
        msc.begin(2, msc.invoke(msc.argument(2), operation=2)),
        b"\x62\x08\x48\x04" + msc.OTID + b"\x6c\x7f",
    ]
    messages += [through(asp, tcap) for tcap in others]
    [brought] = asp.receive(msc.data(msc.udt(b"nobody's")), 1.0)
    returned = sccp.write_returned(sccp.read_datagram(brought.user), sccp.ReturnCause.UNEQUIPPED_USER)
    asp.answer(brought, returned)
    asp.receive(msc.m3ua(0x0303, msc.parameter(9, b"beat")), 1.0)
    asp.tick(31.0)
    asp.receive(msc.m3ua(0x0900), 31.0)
    asp.stop(31.0)
    messages += asp.messages_to_send()
    read = judged(tmp_path, *messages)
    assert len(read) == len(messages)
    assert [row[:3] for row in read[management : management + len(expected)]] == expected
    complaints = {complaint for row in read for complaint in row[3:]}
    assert complaints == {""}


def test_the_judge_would_complain(tmp_path: Path):
    """A judge that accepts everything proves nothing: a component one octet too long is noticed."""
    asp = Asp(0.0)
    asp.receive(msc.m3ua(0x0304) + msc.m3ua(0x0403), 0.0)
    asp.messages_to_send()
    sound = through(asp, msc.question(2), Verdict.BLACKLISTED)
    at = sound.index(bytes.fromhex("0a0101"))
    [read] = judged(tmp_path, sound[: at + 1] + b"\x09" + sound[at + 2 :])
    assert any(read[3:])
