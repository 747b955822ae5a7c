"""The responder's side of the peer state machine: RFC 6733 §5, RFC 3539 §3.4."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.wire.diameter.errors import UnknownPeer
from openceir.wire.diameter.peer import Introduced, Limits, State
from openceir.wire.s13 import EquipmentCheck

from .. import an_mme as mme
from ..conftest import new_link, serve

RESULT_CODE, FAILED_AVP, HOP = 268, 279, 0x0000000A_0000000B


def only(octets: bytes):
    [message] = mme.read(octets)
    return message


# ------------------------------------------------------------------------------------------------ capabilities exchange


def test_a_cer_is_answered_with_everything_the_grammar_wants():
    """RFC 6733 §5.3.2."""
    link = new_link()
    [introduced] = link.receive(mme.cer(), 0.0)
    assert introduced == Introduced(mme.HOST, mme.REALM, None)
    assert link.bytes_to_send() == b""
    link.admit(0.0)
    flags, command, application, ids, avps = only(link.bytes_to_send())
    assert (flags, command, application, ids) == (0, 257, 0, HOP)
    assert mme.number(avps, RESULT_CODE) == 2001
    assert (mme.value(avps, 264), mme.value(avps, 296)) == (mme.EIR.encode(), mme.EIR_REALM.encode())
    assert mme.value(avps, 257) == b"\0\1\x7f\0\0\1"
    assert {266, 269, 278, 265, 260} <= {code for _, code, _ in avps}
    assert mme.read_avps(mme.value(avps, 260)) == [
        (0, 266, (10415).to_bytes(4, "big")), (0, 258, (16777252).to_bytes(4, "big"))
    ]  # fmt: skip
    assert link.state is State.R_OPEN


def test_a_request_right_behind_the_cer_is_answered_after_the_cea():
    """No pause may be needed between them."""
    link = new_link()
    [introduced] = link.receive(mme.cer() + mme.ecr() + mme.ecr()[:30], 0.0)
    assert isinstance(introduced, Introduced)
    [asked] = link.admit(0.0)
    assert isinstance(asked, EquipmentCheck)
    assert len(link.receive(mme.ecr()[30:], 0.0)) == 1


@pytest.mark.parametrize("octets", [mme.ecr(), mme.dwr(), mme.dpr(), mme.message(0, 257, 0), mme.cer(version=2)])
def test_anything_but_a_cer_ends_a_new_connection_without_a_word(octets: bytes):
    """RFC 6733 §5.6.1."""
    link = new_link()
    assert link.receive(octets, 0.0) == []
    assert (link.wants_close, link.bytes_to_send()) == (True, b"")


def test_a_connection_without_a_cer_is_closed_in_time():
    link = new_link(limits=Limits(cer_within_s=10))
    link.tick(9.9)
    assert not link.wants_close
    link.tick(10.0)
    assert link.wants_close


def test_a_peer_without_our_application_is_told_so():
    """RFC 6733 §5.3: DIAMETER_NO_COMMON_APPLICATION; S6a is 16777251."""
    link = new_link()
    assert link.receive(mme.cer(application=16777251), 0.0) == []
    flags, _, _, _, avps = only(link.bytes_to_send())
    assert (flags, mme.number(avps, RESULT_CODE), link.wants_close) == (0, 5010, True)
    assert {257, 266, 269} <= {code for _, code, _ in avps}


def test_a_relay_has_every_application():
    """RFC 6733 §2.4."""
    assert len(new_link().receive(mme.cer(application=0xFFFFFFFF), 0.0)) == 1


def test_the_application_may_stand_outside_the_vendor_specific_avp():
    octets = mme.message(
        0x80, 257, 0, mme.avp(264, mme.HOST), mme.avp(296, mme.REALM), mme.avp(257, b"\0\1\x7f\0\0\1"),
        mme.avp(266, 10415), mme.avp(269, "x", m=False), mme.avp(258, 16777252),
    )  # fmt: skip
    assert len(new_link().receive(octets, 0.0)) == 1


def test_a_peer_that_wants_tls_inside_the_link_only_is_told_so():
    """RFC 6733 §5.3: DIAMETER_NO_COMMON_SECURITY; §6.10: 0 is NO_INBAND_SECURITY, 1 is TLS."""
    link = new_link()
    link.receive(mme.cer(mme.avp(299, 1)), 0.0)
    assert mme.number(only(link.bytes_to_send())[4], RESULT_CODE) == 5017
    assert len(new_link().receive(mme.cer(mme.avp(299, 1), mme.avp(299, 0)), 0.0)) == 1


def test_an_unknown_peer_gets_3010_with_the_error_bit_and_the_link_ends():
    link = new_link()
    link.receive(mme.cer(), 0.0)
    link.refuse(UnknownPeer("this EIR does not know that peer"))
    flags, _, _, _, avps = only(link.bytes_to_send())
    assert (flags, mme.number(avps, RESULT_CODE), link.wants_close) == (0x20, 3010, True)


def test_a_cer_without_origin_realm_gets_5005_with_an_example():
    link = new_link()
    octets = mme.message(
        0x80,
        257,
        0,
        mme.avp(264, mme.HOST),
        mme.avp(257, b"\0\1\x7f\0\0\1"),
        mme.avp(266, 0),
        mme.avp(269, "x", m=False),
    )
    link.receive(octets, 0.0)
    avps = only(link.bytes_to_send())[4]
    assert mme.number(avps, RESULT_CODE) == 5005
    [(_, code, data)] = mme.read_avps(mme.value(avps, FAILED_AVP))
    assert (code, set(data)) == (296, {0})


# ------------------------------------------------------------------------------------------------------ an open link


def test_a_watchdog_request_is_answered_at_once(link):
    flags, command, _, ids, avps = only(serve(link, mme.dwr()))
    assert (flags, command, ids, mme.number(avps, RESULT_CODE)) == (0, 280, HOP, 2001)
    assert mme.number(avps, 278) == 7


def test_a_disconnect_is_answered_and_the_other_side_closes(link):
    flags, command, _, _, avps = only(serve(link, mme.dpr()))
    assert (flags, command, mme.number(avps, RESULT_CODE)) == (0, 282, 2001)
    assert (link.state, link.wants_close) == (State.CLOSING, False)
    link.tick(5.0)
    assert link.wants_close


def test_a_link_that_is_stopped_says_so_and_waits_for_the_answer(link):
    """RFC 6733 §5.4: Disconnect-Cause REBOOTING is 0."""
    link.stop(0.0)
    flags, command, _, ids, avps = only(link.bytes_to_send())
    assert (flags, command, mme.number(avps, 273)) == (0x80, 282, 0)
    assert not link.wants_close
    link.receive(
        mme.message(0, 282, 0, mme.avp(268, 2001), mme.avp(264, mme.HOST), mme.avp(296, mme.REALM), ids=ids), 0.1
    )
    assert link.wants_close


def test_a_second_cer_on_an_open_link_is_an_error_and_the_link_lives(link):
    flags, _, _, _, avps = only(serve(link, mme.cer()))
    assert (flags, mme.number(avps, RESULT_CODE), link.state) == (0x20, 3001, State.R_OPEN)


@pytest.mark.parametrize(
    ("octets", "result_code", "flags"),
    [
        (mme.message(0xC0, 999, mme.S13, mme.avp(263, "s")), 3001, 0x60),
        (mme.message(0xC0, 316, 16777251, mme.avp(263, "s")), 3007, 0x60),
        (mme.message(0xC0, 324, 16777251, mme.avp(263, "s")), 3007, 0x60),
        (mme.message(0xC0, 324, 0, mme.avp(263, "s")), 3007, 0x60),
        (mme.ecr(flags=0xE0), 3008, 0x60),
        (mme.message(0xC0, 280, 0, mme.avp(264, "h"), mme.avp(296, "r")), 3008, 0x60),
        (mme.ecr(flags=0xC1), 5013, 0x40),
        (mme.ecr(version=2), 5011, 0x40),
        (mme.message(0x80, 280, 0, mme.avp(264, "h")), 5005, 0),
    ],
)  # fmt: skip
def test_faulty_requests_get_their_result_code_and_the_link_lives(link, octets: bytes, result_code: int, flags: int):
    """RFC 6733 §7.1.3: 3xxx with the E bit; §7.1.5: 5xxx without; the P bit stays as it came."""
    answer = only(serve(link, octets))
    assert (answer[0], mme.number(answer[4], RESULT_CODE), answer[3]) == (flags, result_code, HOP)
    assert (link.state, link.wants_close) == (State.R_OPEN, False)
    assert len(mme.read(serve(link, mme.ecr()))) == 1


@pytest.mark.parametrize("length", [0, 4, 16, 19, 21, 22, 23, 250, 16388, 0xFFFFFC, 0xFFFFFF])
def test_a_message_length_that_cannot_be_is_answered_and_ends_the_link(link, length: int):
    """5015; after it nobody knows where the next message begins."""
    octets = b"\x01" + length.to_bytes(3, "big") + mme.ecr()[4:]
    answer = only(serve(link, octets + mme.dwr()))
    assert mme.number(answer[4], RESULT_CODE) == 5015
    assert link.wants_close


def test_unasked_answers_are_dropped(link):
    """RFC 6733 §6.2.1; an answer is never answered (§7.2)."""
    assert serve(link, mme.message(0x40, 324, mme.S13) + mme.message(0, 280, 0) + mme.message(0x20, 1, 5)) == b""
    assert link.state is State.R_OPEN


def test_octets_may_come_one_at_a_time(link):
    octets = mme.dwr(ids=1) + mme.ecr(ids=2) + mme.ecr(ids=3)
    got = b"".join(serve(link, octets[at : at + 1]) for at in range(len(octets)))
    assert [ids for _, _, _, ids, _ in mme.read(got)] == [1, 2, 3]


def test_five_hundred_requests_in_one_read_are_answered_in_order(link):
    got = mme.read(serve(link, b"".join(mme.ecr(session=f"s;{n}", ids=n) for n in range(500))))
    assert [ids for _, _, _, ids, _ in got] == list(range(500))


def test_a_message_that_never_ends_is_given_up(link):
    for second in range(10):
        assert serve(link, mme.ecr()[second : second + 1], float(second)) == b""
        link.tick(float(second))
    assert not link.wants_close
    link.tick(10.0)
    assert link.wants_close


def test_a_link_that_closes_keeps_no_octets(link):
    serve(link, b"\x01\xff\xff\xff" + bytes(16))
    assert link.receive(mme.ecr() * 100, 0.0) == []
    assert link.bytes_to_send() == b""


# -------------------------------------------------------------------------------------------------------- the watchdog


def test_a_silent_peer_is_asked_suspected_and_given_up():
    """RFC 3539 §3.4.1: Tw 30 s; DWR, then SUSPECT, then closed."""
    link = new_link(jitter=2.0)
    link.receive(mme.cer(), 0.0)
    link.admit(0.0)
    link.bytes_to_send()
    assert link.next_deadline == 32.0
    link.tick(31.9)
    assert link.bytes_to_send() == b""
    link.tick(32.0)
    assert only(link.bytes_to_send())[:2] == (0x80, 280)
    link.tick(64.0)
    assert (link.bytes_to_send(), link.wants_close) == (b"", False)
    link.tick(96.0)
    assert link.wants_close


def test_any_message_resets_the_watchdog(link):
    serve(link, mme.ecr(), 29.0)
    link.tick(30.0)
    assert link.bytes_to_send() == b""
    assert link.next_deadline == 59.0


def test_a_dwa_ends_the_doubt(link):
    link.tick(30.0)
    ids = only(link.bytes_to_send())[3]
    link.tick(60.0)
    link.receive(
        mme.message(0, 280, 0, mme.avp(268, 2001), mme.avp(264, mme.HOST), mme.avp(296, mme.REALM), ids=ids), 61.0
    )
    link.tick(91.0)
    assert only(link.bytes_to_send())[:2] == (0x80, 280)


def test_half_a_message_is_no_sign_of_life(link):
    serve(link, mme.ecr()[:100], 29.0)
    assert link.next_deadline == 30.0


def test_tw_below_six_seconds_is_refused():
    """RFC 3539 §3.4.1: "it MUST NOT be set lower than this"."""
    with pytest.raises(ValueError, match="6 s"):
        Limits(watchdog_s=5)


# ---------------------------------------------------------------------------------------------------------- any octets


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_octets_leave_a_link_that_answers_in_readable_messages_or_closes(data):
    link = new_link()
    link.receive(mme.cer(), 0.0)
    link.admit(0.0)
    link.bytes_to_send()
    octets = bytearray(data.draw(st.sampled_from([mme.ecr(), mme.ecr() + mme.dwr(), mme.dpr(), mme.cer(), mme.dwr()])))
    for _ in range(data.draw(st.integers(0, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets = bytes(octets[: data.draw(st.integers(0, len(octets)))]) + data.draw(st.binary(max_size=30))
    cut = data.draw(st.integers(0, len(octets)))
    mme.read(serve(link, octets[:cut]) + serve(link, octets[cut:]))
    link.tick(1000.0)
    mme.read(link.bytes_to_send())
