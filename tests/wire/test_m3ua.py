"""M3UA: an ASP comes up, stays up, carries user data and leaves, whatever its gateway says."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrate_mobile.SIGTRAN import SIGTRAN

from openceir.wire.m3ua import Asp, AspLimits, AspState, M3uaError, Type, read_parameters

from . import an_msc as msc

DATA, ERR, NTFY = 0x0101, 0x0000, 0x0001
UP, DOWN, BEAT, UP_ACK, DOWN_ACK, BEAT_ACK = 0x0301, 0x0302, 0x0303, 0x0304, 0x0305, 0x0306
ACTIVE, INACTIVE, ACTIVE_ACK, INACTIVE_ACK = 0x0401, 0x0402, 0x0403, 0x0404


def sent(asp: Asp) -> list[tuple[int, dict[int, bytes]]]:
    messages = asp.messages_to_send()
    for each in messages:
        assert len(msc.read_m3ua(each)) == 1  # one message of SCTP is one of M3UA
        theirs = SIGTRAN()
        theirs.from_bytes(each)
        assert theirs.to_bytes() == each
    return msc.read_m3ua(b"".join(messages))


def kinds(asp: Asp) -> list[int]:
    return [kind for kind, _ in sent(asp)]


def active(**how) -> Asp:
    asp = Asp(0.0, routing_context=7, **how)
    asp.receive(msc.m3ua(UP_ACK) + msc.m3ua(ACTIVE_ACK), 0.0)
    asp.messages_to_send()
    return asp


def test_it_comes_up_step_by_step():
    """RFC 4666 §4.3.4.1, §4.3.4.3."""
    asp = Asp(0.0, routing_context=7, asp_identifier=3)
    assert sent(asp) == [(UP, {0x0011: b"\0\0\0\3"})]
    asp.receive(msc.m3ua(ACTIVE_ACK), 0.1)
    assert (asp.state, kinds(asp)) == (AspState.DOWN, [])  # not asked for yet
    asp.receive(msc.m3ua(UP_ACK), 0.2)
    assert sent(asp) == [(ACTIVE, {0x000B: b"\0\0\0\2", 0x0006: b"\0\0\0\7"})]
    asp.receive(msc.m3ua(NTFY, msc.parameter(0x000D, bytes.fromhex("00010003"))), 0.3)
    asp.receive(msc.m3ua(ACTIVE_ACK, msc.parameter(0x0006, 7)), 0.3)
    assert (asp.state, kinds(asp), asp.notices) == (AspState.ACTIVE, [], ["NTFY 00010003"])


def test_what_is_not_acknowledged_is_said_again():
    asp = Asp(0.0)
    assert kinds(asp) == [UP]
    asp.tick(1.9)
    assert kinds(asp) == []
    asp.tick(2.0)
    assert kinds(asp) == [UP]
    asp.receive(msc.m3ua(UP_ACK), 3.0)
    assert kinds(asp) == [ACTIVE]
    asp.tick(5.0)
    assert kinds(asp) == [ACTIVE]


def test_user_data_go_back_to_where_they_came_from():
    asp = active()
    octets = msc.data(b"question", opc=0x123456, dpc=2, sls=9)
    [brought] = asp.receive(octets, 1.0)
    assert brought.user == b"question"
    asp.answer(brought, b"answer!")
    [(kind, parameters)] = sent(asp)
    assert (kind, parameters[0x0006]) == (DATA, b"\0\0\0\7")
    assert parameters[0x0210] == bytes.fromhex("00000002 00123456 03020009") + b"answer!"


def test_octets_come_as_they_please():
    whole = msc.data(b"one") + msc.data(b"three") + msc.m3ua(BEAT, msc.parameter(9, b"x")) + msc.data(b"two")
    at_once, slowly = active(), active()
    expected = [each.user for each in at_once.receive(whole, 1.0)]
    assert expected == [b"one", b"three", b"two"]
    assert [each.user for octet in whole for each in slowly.receive(bytes([octet]), 1.0)] == expected
    assert kinds(slowly) == [BEAT_ACK]


def test_a_length_without_the_last_padding_is_taken_too():
    """RFC 4666 §3.1.4: a receiver should accept the message whether or not the final padding is counted."""
    padded = msc.data(b"seven..")
    length = len(padded) - 1
    uncounted = padded[:4] + length.to_bytes(4, "big") + padded[8:]
    without = uncounted[:length]
    for octets in (uncounted + msc.data(b"next"), without + msc.data(b"next")):
        assert [each.user for each in active().receive(octets, 1.0)] == [b"seven..", b"next"]


def test_a_beat_is_answered_with_what_it_brought_and_silence_is_noticed():
    asp = active(limits=AspLimits(beat_s=30))
    asp.receive(msc.m3ua(BEAT, msc.parameter(9, b"their data")), 1.0)
    assert sent(asp) == [(BEAT_ACK, {9: b"their data"})]
    asp.tick(30.9)
    assert kinds(asp) == []
    asp.tick(31.0)
    assert kinds(asp) == [BEAT]
    asp.tick(60.9)
    assert not asp.wants_close
    asp.tick(61.0)
    assert asp.wants_close
    kept = active()
    kept.tick(30.0)
    kept.receive(msc.m3ua(BEAT_ACK), 31.0)
    kept.tick(60.5)
    assert not kept.wants_close


def test_the_gateway_may_take_us_down_and_we_come_again():
    """RFC 4666 §4.3.4.2, §4.3.4.4: an acknowledgement nobody asked for."""
    asp = active()
    asp.receive(msc.m3ua(INACTIVE_ACK), 1.0)
    assert (asp.state, kinds(asp)) == (AspState.INACTIVE, [ACTIVE])
    asp.receive(msc.m3ua(DOWN_ACK), 2.0)
    assert (asp.state, kinds(asp)) == (AspState.DOWN, [UP])


def test_it_leaves_when_that_was_acknowledged_or_its_patience_ends():
    asp = active()
    [pending] = asp.receive(msc.data(b"q"), 1.0)
    asp.stop(1.0)
    assert kinds(asp) == [INACTIVE, DOWN]
    asp.answer(pending, b"late")
    assert kinds(asp) == []
    asp.receive(msc.m3ua(INACTIVE_ACK), 1.1)
    assert not asp.wants_close
    asp.receive(msc.m3ua(DOWN_ACK), 1.2)
    assert asp.wants_close
    silent = active()
    silent.stop(1.0)
    silent.tick(3.0)
    assert silent.wants_close


def test_point_codes_that_are_away_are_remembered_within_bounds():
    asp = active(limits=AspLimits(most_unavailable=2))
    for code in (1, 2, 3):
        asp.receive(msc.m3ua(0x0201, msc.parameter(0x0012, code)), 1.0)
    assert asp.unavailable == {1, 2}
    asp.receive(msc.m3ua(0x0202, msc.parameter(0x0012, 2)), 1.0)
    assert asp.unavailable == {1}


@pytest.mark.parametrize(
    ("octets", "code", "ends"),
    [
        (msc.m3ua(UP_ACK, version=2), 0x01, True),
        (msc.m3ua(0x0900), 0x03, False),
        (msc.m3ua(0x0307), 0x04, False),
        (msc.m3ua(DATA, msc.parameter(0x0006, 7)), 0x16, False),
        (msc.data(b"q", context=8), 0x19, False),
        (msc.m3ua(BEAT, b"\0\x09\0\x03"), 0x12, False),
        (msc.m3ua(DATA, b"\0\x06\0\x09\0\0\0\0"), 0x12, False),
        (b"\1\0\1\1\0\0\0\7", 0x07, True),
        (b"\1\0\1\1\xff\xff\xff\xff", 0x07, True),
    ],
)
def test_a_fault_is_answered_with_its_code_and_ends_the_link_only_when_borders_are_lost(octets, code, ends):
    asp = active()
    assert asp.receive(octets, 1.0) == []
    assert sent(asp) == [(ERR, {0x000C: code.to_bytes(4, "big")})]
    assert (asp.wants_close, asp.counts[code]) == (ends, 1)
    if not ends:
        assert [each.user for each in asp.receive(msc.data(b"still"), 1.0)] == [b"still"]


def test_user_data_before_the_link_is_active_are_unexpected():
    asp = Asp(0.0)
    asp.messages_to_send()
    assert asp.receive(msc.data(b"q"), 0.0) == []
    assert sent(asp) == [(ERR, {0x000C: b"\0\0\0\6"})]


def test_an_error_is_never_answered_with_an_error():
    asp = active()
    asp.receive(msc.m3ua(ERR, msc.parameter(0x000C, 0x19)), 1.0)
    assert (kinds(asp), asp.notices) == ([], ["ERR 00000019"])


def test_user_parts_other_than_sccp_are_passed_over():
    assert active().receive(msc.data(b"isup", service=5), 1.0) == []


@given(st.lists(st.binary(max_size=40) | st.sampled_from([msc.data(b"q"), msc.m3ua(BEAT)]), max_size=8))
def test_octets_of_chance_hold_no_memory_beyond_a_message(pieces: list[bytes]):
    asp = active()
    for piece in pieces:
        for brought in asp.receive(piece, 1.0):
            asp.answer(brought, b"answer")
        assert len(asp._rest) < AspLimits().message_octets
        assert len(sent(asp)) <= len(piece)


@given(st.binary(max_size=60))
def test_parameters_of_chance_are_read_or_refused(body: bytes):
    with contextlib.suppress(M3uaError):
        assert sum(4 + len(value) for _, value in read_parameters(body)) <= len(body)


def test_types_bear_their_class():
    assert (Type.ASPUP, Type.ASPAC_ACK, Type.DAVA) == (UP, ACTIVE_ACK, 0x0202)
