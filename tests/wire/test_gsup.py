"""GSUP: Check-IMEI is taken out of the stream and answered, everything else passes octet for octet."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.wire.gsup import GsupError, Splitter, Verdict, read_check, write_answer, write_frame

# As a real osmo-msc 1.9.0 asks, with a test IMEI in it: IMSI 001010000000001, the IMEI's length once more before it, class 1.
CAPTURED = bytes.fromhex("30 01 08 00010100000000f1 50 08 07 00011000000010 0a 01 01")
PING = bytes.fromhex("0001fe00")
LOCATION = write_frame(bytes.fromhex("04 01 08 00010100000000f1"))


def test_the_question_of_a_real_msc_is_read():
    check = read_check(CAPTURED)
    assert (check.device, check.imsi, check.svn) == (100_100_000_001, 1_001_010_000_000_001, -1)


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [
        (Verdict.ACK, "32 01 08 00010100000000f1 51 01 00 0a 01 01"),
        (Verdict.NACK, "32 01 08 00010100000000f1 51 01 01 0a 01 01"),
        (Verdict.FAILURE, "31 01 08 00010100000000f1 02 01 11 0a 01 01"),
        (Verdict.INVALID_IMEI, "31 01 08 00010100000000f1 02 01 60 0a 01 01"),
    ],
)
def test_the_answer_names_subscriber_result_and_class(verdict: Verdict, answer: str):
    octets = bytes.fromhex(answer)
    assert write_answer(read_check(CAPTURED), verdict) == bytes([0, len(octets) + 1, 0xEE, 5]) + octets


def test_the_name_of_who_asked_leads_the_answer_home():
    named = CAPTURED + b"\x60\x06MSC-1\0"
    assert write_answer(read_check(named), Verdict.ACK).endswith(b"\x61\x06MSC-1\0")


@pytest.mark.parametrize(
    ("imei", "device", "svn"),
    [
        ("50 08 00 01 10 00 00 00 10 f0", 100_100_000_001, -1),  # without the length of its own
        ("50 09 08 00 01 10 00 00 00 10 70", 100_100_000_001, 7),  # an IMEISV
        ("50 02 01 00", -1, -1),
        ("", -1, -1),
    ],
)
def test_an_identity_is_read_however_its_length_is_written(imei: str, device: int, svn: int):
    check = read_check(CAPTURED[:11] + bytes.fromhex(imei))
    assert (check.device, check.svn) == (device, svn)


def test_only_checks_are_taken_out():
    stream = PING + write_frame(CAPTURED) + LOCATION + write_frame(CAPTURED) + PING
    passes, asked = Splitter().receive(stream)
    assert (passes, asked) == (PING + LOCATION + PING, [CAPTURED, CAPTURED])
    assert Splitter(takes_checks=False).receive(stream) == (stream, [])


@given(st.lists(st.sampled_from([PING, LOCATION, write_frame(CAPTURED), b"\0\0\xee", b"\0\1\xee\5"]) | st.binary(max_size=9)),
       st.data())  # fmt: skip
def test_however_the_octets_come_what_passes_and_what_is_asked_is_the_same(frames: list[bytes], data):
    stream = b"".join(frames)
    whole_passes, whole_asked = Splitter().receive(stream)
    splitter, passes, asked, at = Splitter(), b"", [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, 40))
        some, more = splitter.receive(stream[at : at + size])
        passes, asked, at = passes + some, asked + more, at + size
    assert (passes, asked) == (whole_passes, whole_asked)
    assert len(splitter._rest) < 65_538
    # Nothing is lost: what neither passed nor was asked is the unfinished frame.
    assert len(passes) + sum(len(each) + 4 for each in asked) + len(splitter._rest) == len(stream)


@given(st.binary(max_size=60))
def test_octets_of_chance_are_read_or_refused(octets: bytes):
    for message in (b"\x30" + octets, CAPTURED + octets):
        with contextlib.suppress(GsupError):
            assert write_answer(read_check(message), Verdict.ACK)[:4][2:] == b"\xee\x05"


def test_every_cut_of_a_question_is_read_or_refused():
    refused = 0
    for at in range(1, len(CAPTURED)):
        try:
            read_check(CAPTURED[:at])
        except GsupError:
            refused += 1
    assert refused == len(CAPTURED) - 3  # but after the IMSI, and after the IMEI
