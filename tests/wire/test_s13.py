"""ME-Identity-Check as TS 29.272 has it; python-diameter is the judge of what we write."""

import pytest
from diameter.message import Message
from diameter.message.commands.me_identity_check import MeIdentityCheckAnswer
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.wire import s13
from openceir.wire.diameter.errors import DiameterError
from openceir.wire.s13 import Verdict

from . import an_mme as mme
from .conftest import ANSWERS, US, new_link, serve

RESULT_CODE, FAILED_AVP = 268, 279


def ask(*extra: bytes, **of_ecr) -> s13.EquipmentCheck:
    return s13.CheckReader(US).read(mme.ecr(*extra, **of_ecr))


def answered(link, octets: bytes, verdict: Verdict = Verdict.BLACKLISTED):
    [message] = mme.read(serve(link, octets, verdict=verdict))
    return message


# ------------------------------------------------------------------------------------------------------- the question


@pytest.mark.parametrize(
    ("imei", "device"),
    [
        ("00100100000001", 100_100_000_001),
        ("001001000000010", 100_100_000_001),  # the spare digit, sent as 0
        ("001001000000015", 100_100_000_001),  # a check digit: not looked at
        ("0010010000000105", 100_100_000_001),  # an IMEISV
        ("00100100000001F", 100_100_000_001),  # a filler: what follows the 14 digits does not matter
        ("0010010000000", -1),  # 13
        ("00100100000000105", -1),  # 17
        ("0010010000000A", -1),
        ("", -1),
        ("٠٠١٠٠١٠", -1),  # Arabic digits, 14 octets of UTF-8
        ("0010 010000001", -1),
    ],
)
def test_the_first_fourteen_ascii_digits_are_the_device(imei: str, device: int):
    assert ask(imei=imei).device == device


@pytest.mark.parametrize(
    ("svn", "read"), [("05", 5), ("99", 99), (None, -1), ("5", -1), ("A5", -1), ("005", -1), ("", -1)]
)
def test_the_software_version_is_two_digits_or_absent(svn: str | None, read: int):
    assert ask(svn=svn).svn == read


@pytest.mark.parametrize(
    ("imsi", "read"),
    [
        ("001010000000001", 1_001_010_000_000_001),
        ("00101000000001", 100_101_000_000_001),
        (None, 0),
        ("alice@example", 0),
    ],
)
def test_the_imsi_keeps_its_length_and_may_be_absent(imsi: str | None, read: int):
    assert ask(imsi=imsi).imsi == read


def test_avps_may_come_in_any_order_behind_the_session_id():
    parts = list(mme.ecr_parts().values())
    octets = mme.message(0xC0, 324, mme.S13, parts[0], *reversed(parts[1:]))
    [asked] = (link := opened()).receive(octets, 0.0)
    assert (asked.device, asked.imsi, asked.svn) == (100_100_000_001, 1_001_010_000_000_001, 5)
    assert link.bytes_to_send() == b""


def opened():
    link = new_link()
    link.receive(mme.cer(), 0.0)
    link.admit(0.0)
    link.bytes_to_send()
    return link


@pytest.mark.parametrize("name", ["vsai", "to_host", "imsi"])
def test_what_is_optional_may_be_absent(name: str):
    assert ask(without=name).device == 100_100_000_001


def test_unknown_avps_without_the_m_bit_are_passed_over():
    assert ask(mme.avp(99999, b"x", m=False), mme.avp(7, b"x", vendor=12345, m=False)).device == 100_100_000_001


def test_a_priority_is_read_and_is_10_when_absent():
    """RFC 7944 §8."""
    assert ask(mme.avp(301, 3, m=False)).priority == 3
    assert ask().priority == 10


def test_a_priority_is_copied_into_the_answer_and_none_is_made_up(link):
    """RFC 7944 §5: agents on the way back serve the answer as its question; without DRMP it has its question's."""
    drmp, proxy = mme.avp(301, 3, m=False), mme.avp(284, mme.avp(280, "dra.example") + mme.avp(33, b"state"))
    for octets in (mme.ecr(drmp, proxy), mme.ecr(proxy, drmp), mme.ecr(drmp, proxy)):  # the third by its known layout
        *_, avps = answered(link, octets)
        assert [(code, data) for _, code, data in avps if code in {301, 284}] == [
            (301, bytes([0, 0, 0, 3])),
            (284, proxy[8:]),
        ]
    *_, avps = answered(link, mme.ecr())
    assert 301 not in [code for _, code, _ in avps]
    busy = ANSWERS.write_too_busy(ask(drmp))
    [(*_, avps)] = mme.read(busy)
    assert [data for _, code, data in avps if code == 301] == [bytes([0, 0, 0, 3])]


def test_realms_are_compared_as_domain_names():
    octets = mme.ecr().replace(mme.EIR_REALM.encode(), mme.EIR_REALM.upper().encode())
    assert s13.CheckReader(US).read(octets).device == 100_100_000_001


# -------------------------------------------------------------------------------------------------------- the answer


@pytest.mark.parametrize(
    ("verdict", "status"), [(Verdict.WHITELISTED, 0), (Verdict.BLACKLISTED, 1), (Verdict.GREYLISTED, 2)]
)
def test_another_implementation_reads_the_status(link, verdict: Verdict, status: int):
    octets = serve(link, mme.ecr(session="mme;1;42", ids=0x0000002A_0000002B), verdict=verdict)
    answer = Message.from_bytes(octets)
    assert isinstance(answer, MeIdentityCheckAnswer)
    assert (answer.result_code, answer.equipment_status, answer.auth_session_state) == (2001, status, 1)
    assert answer.session_id == "mme;1;42"
    assert (answer.origin_host, answer.origin_realm) == (mme.EIR.encode(), mme.EIR_REALM.encode())
    assert (answer.header.hop_by_hop_identifier, answer.header.end_to_end_identifier) == (0x2A, 0x2B)
    assert (answer.header.command_flags, answer.header.application_id) == (0x40, 16777252)


def test_unknown_equipment_is_an_experimental_result_and_then_there_is_no_result_code(link):
    """TS 29.272 §7.4.3."""
    answer = Message.from_bytes(serve(link, mme.ecr(), verdict=Verdict.EQUIPMENT_UNKNOWN))
    assert (answer.experimental_result.vendor_id, answer.experimental_result.experimental_result_code) == (10415, 5422)
    assert answer.result_code is None
    assert answer.equipment_status is None


def test_equipment_status_octets():
    """TS 29.272 §7.3.51: 1445, V and M, Enumerated 1."""
    assert bytes.fromhex("000005a5 c0000010 000028af 00000001") in ANSWERS.tail(Verdict.BLACKLISTED)


def test_proxy_info_comes_back_unchanged_and_in_order_and_route_record_does_not(link):
    """RFC 6733 §6.2."""
    proxies = [mme.avp(284, mme.avp(280, f"dra{n}.example") + mme.avp(33, bytes([n]) * 5)) for n in (1, 2)]
    octets = mme.ecr(proxies[0], mme.avp(282, "mme.example"), proxies[1])
    for _ in range(2):  # once in full, once by its layout
        _, _, _, _, avps = answered(link, octets)
        assert [data for _, code, data in avps if code == 284] == [proxy[8:] for proxy in proxies]
        assert 282 not in {code for _, code, _ in avps}


@pytest.mark.parametrize(("flags", "expected"), [(0xC0, 0x40), (0xD0, 0x40), (0x80, 0)])
def test_the_answer_keeps_the_p_bit_and_clears_r_and_t(link, flags: int, expected: int):
    assert answered(link, mme.ecr(flags=flags))[0] == expected


def test_questions_that_differ_in_flags_and_identifiers_are_told_apart_by_a_reader_that_knows_them():
    reader = s13.CheckReader(US)
    for flags, ids in [(0xC0, 1), (0xD0, 2), (0xC0, 0x11111111_22222222), (0x80, 0), (0xD0, 2**64 - 1)] * 2:
        asked = reader.read(mme.ecr(flags=flags, ids=ids))
        assert (asked.ids, asked.is_repeated, asked.shape.flags) == (ids, flags == 0xD0, flags)
        [(answered, *_, back, _)] = mme.read(ANSWERS.write(asked, ANSWERS.tail(Verdict.WHITELISTED)))
        assert (answered, back) == (flags & 0x40, ids)


def test_known_questions_are_read_as_far_as_they_stand_whole_behind_each_other():
    """And no further: to the first of another shape, to the first that is cut, to an octet that stands for a length of 0."""
    reader = s13.CheckReader(US)
    known = mme.ecr()
    reader.read(known)
    for rest in (b"", mme.ecr(svn=None), known[:-1], known[:3], bytes(40), mme.dwr() + known):
        read: list[s13.EquipmentCheck] = []
        assert reader.read_known(b"???" + known * 3 + rest, 3, read) == 3 + 3 * len(known)
        assert [asked.device for asked in read] == [100_100_000_001] * 3


def test_the_oldest_way_to_cut_a_length_makes_room_and_is_learnt_again():
    """Two AVPs whose lengths change against each other: one length of message, forty ways to cut it."""
    reader = s13.CheckReader(US)
    for n in [*range(40)] * 2:
        octets = mme.ecr(mme.avp(99999, bytes(4 * n), m=False), session="s" * (4 * (40 - n)))
        assert len(octets) == len(mme.ecr(mme.avp(99999, b"", m=False), session="s" * 160))
        assert reader.read(octets).device == 100_100_000_001


def test_session_ids_of_every_length_are_read_by_a_reader_that_knows_others():
    reader = s13.CheckReader(US)
    for length in [*range(1, 40)] * 2:
        asked = reader.read(mme.ecr(session="s" * length))
        assert asked.device == 100_100_000_001
        answer = Message.from_bytes(ANSWERS.write(asked, ANSWERS.tail(Verdict.WHITELISTED)))
        assert answer.session_id == "s" * length


def test_a_repeated_question_is_answered_again_and_says_that_it_is_one():
    """RFC 6733 §3, the T bit."""
    assert ask(flags=0xD0).is_repeated
    assert not ask().is_repeated


# -------------------------------------------------------------------------------------------------- what is refused

BAD_GROUP = mme.avp(1401, bytes.fromhex("0000057a c00000ff 000028af 30303130"), vendor=mme.TGPP)


@pytest.mark.parametrize(
    ("octets", "result_code", "failed"),
    [
        (mme.ecr(mme.avp(99999, b"xyz")), 5001, mme.avp(99999, b"xyz")),
        (mme.ecr(mme.avp(1402, b"x", vendor=0)), 5001, mme.avp(1402, b"x")),  # V forgotten: another AVP
        (mme.ecr(without="terminal"), 5005, mme.avp(1401, b"", vendor=mme.TGPP)),
        (mme.ecr(imei=None), 5005, mme.avp(1401, mme.avp(1402, bytes(14), vendor=mme.TGPP), vendor=mme.TGPP)),
        (mme.ecr(without="state"), 5005, mme.avp(277, 0)),
        (mme.ecr(without="session"), 5005, mme.avp(263, b"")),
        (mme.ecr(without="to_realm"), 5005, mme.avp(283, b"\0")),
        (mme.ecr(mme.avp(277, 1)), 5009, mme.avp(277, 1)),
        (mme.ecr(mme.terminal()), 5009, mme.terminal()),
        (mme.ecr(mme.avp(301, 16, m=False)), 5004, mme.avp(301, 16, m=False)),
        (mme.ecr(mme.avp(278, b"\0\0\0")), 5014, mme.avp(278, 0)),
        (mme.ecr(mme.avp(1, b"x", flags=0x41), without="imsi"), 3009, mme.avp(1, b"x", flags=0x41)),
    ],
)  # fmt: skip
def test_each_fault_gets_its_result_code_and_shows_the_avp(link, octets: bytes, result_code: int, failed: bytes):
    """RFC 6733 §7.1.3, §7.1.5, §7.5."""
    flags, _, _, _, avps = answered(link, octets)
    assert mme.number(avps, RESULT_CODE) == result_code
    assert flags == (0x60 if 3000 <= result_code < 4000 else 0x40)
    shown = mme.value(avps, FAILED_AVP)
    assert shown == failed
    if result_code >= 5000:
        assert mme.number(avps, 277) == 1  # the ECA's own grammar wants Auth-Session-State


def test_a_cut_avp_within_the_group_is_shown_within_its_group(link):
    _, _, _, _, avps = answered(link, mme.ecr(BAD_GROUP, without="terminal"))
    assert mme.number(avps, RESULT_CODE) == 5014
    [(_, code, inner)] = mme.read_avps(mme.value(avps, FAILED_AVP))
    assert (code, [c for _, c, _ in mme.read_avps(inner)]) == (1401, [1402])


@pytest.mark.parametrize("length", range(8))
def test_an_avp_length_that_cannot_be_is_answered_and_the_link_lives(link, length: int):
    octets = bytearray(mme.ecr())
    at = octets.index(bytes.fromhex("00000115"))
    octets[at + 5 : at + 8] = length.to_bytes(3, "big")
    assert mme.number(answered(link, bytes(octets))[4], RESULT_CODE) == 5014
    assert mme.number(answered(link, mme.ecr())[4], RESULT_CODE) == 2001


def test_another_realm_and_another_host_are_protocol_errors(link):
    """RFC 6733 §7.1.3: 3003 REALM_NOT_SERVED, 3002 UNABLE_TO_DELIVER."""
    elsewhere = mme.ecr(mme.avp(283, "elsewhere.example"), without="to_realm")
    flags, _, _, _, avps = answered(link, elsewhere)
    assert (flags, mme.number(avps, RESULT_CODE)) == (0x60, 3003)
    flags, _, _, _, avps = answered(link, mme.ecr(mme.avp(293, "hss.example"), without="to_host"))
    assert (flags, mme.number(avps, RESULT_CODE)) == (0x60, 3002)
    assert mme.value(avps, 263) == b"mme;1;1"


def test_a_malformed_imei_is_shown_where_the_operator_wants_an_error(link):
    [asked] = link.receive(mme.ecr(imei="0010010000000"), 0.0)
    [(flags, _, _, _, avps)] = mme.read(ANSWERS.write(asked, ANSWERS.tail_for_invalid_imei(asked)))
    assert (flags, mme.number(avps, RESULT_CODE)) == (0x40, 5004)
    assert mme.value(avps, FAILED_AVP) == mme.avp(
        1401, mme.avp(1402, "0010010000000", vendor=mme.TGPP), vendor=mme.TGPP
    )


def test_too_busy_is_a_protocol_error(link):
    """RFC 6733 §7.1.3: 3004 has the E bit, and the grammar of an answer-message."""
    proxy = mme.avp(284, mme.avp(280, "dra.example") + mme.avp(33, b"x"))
    [asked] = link.receive(mme.ecr(proxy), 0.0)
    [(flags, _, _, _, avps)] = mme.read(ANSWERS.write_too_busy(asked))
    assert (flags, mme.number(avps, RESULT_CODE)) == (0x60, 3004)
    assert [code for _, code, _ in avps] == [263, 268, 264, 296, 284]


def test_no_subscriber_and_no_device_stands_in_an_error_message(link):
    for octets in (mme.ecr(mme.avp(99999, b"x")), mme.ecr(imei=None), mme.ecr(mme.terminal())):
        message = mme.value(answered(link, octets)[4], 281)
        assert message
        assert b"00100" not in message
        assert b"00101" not in message


# ------------------------------------------------------------------------------------------------- layouts are no lie

pieces = {
    "session": st.text("ab;1", max_size=9),
    "imei": st.text("0123456789A", min_size=11, max_size=18),
    "svn": st.one_of(st.none(), st.text("0123456789", max_size=3)),
    "imsi": st.one_of(st.none(), st.text("0123456789", min_size=4, max_size=16)),
}


def meant(imei: str, svn: str | None, imsi: str | None, **_: str) -> tuple[int, int, int]:
    """What a question asks, from what it was made of."""
    return (
        int(imei[:14]) if 14 <= len(imei) <= 16 and imei[:14].isdigit() else -1,
        int("1" + imsi) if imsi and 6 <= len(imsi) <= 15 else 0,
        int(svn) if svn and len(svn) == 2 else -1,
    )


def read_by(reader: s13.CheckReader, octets: bytes):
    try:
        asked = reader.read(octets)
    except DiameterError as refused:
        return refused.result_code, refused.failed_avp
    return asked


@settings(max_examples=150, deadline=None)
@given(
    questions=st.lists(st.fixed_dictionaries(pieces), min_size=1, max_size=4),
    proxied=st.lists(st.binary(max_size=3), max_size=2),
    flips=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=3),
)
def test_a_reader_that_knows_layouts_reads_what_a_fresh_one_reads(questions, proxied, flips):
    """The fast way against the full way, over questions that resemble each other and have octets changed."""
    seasoned = s13.CheckReader(US)
    for question in questions * 2:
        proxies = [mme.avp(284, mme.avp(280, "dra.example") + mme.avp(33, state)) for state in proxied]
        octets = mme.ecr(*proxies, **question)
        asked = read_by(seasoned, octets)
        assert asked == read_by(s13.CheckReader(US), octets)
        assert asked[:3] == meant(**question)
        assert asked.echoed == b"".join(proxies)
        altered = bytearray(octets)
        for at, octet in flips:  # version, length and command are looked at before a reader is given anything
            altered[12 + at % (len(octets) - 12)] = octet
        assert read_by(seasoned, bytes(altered)) == read_by(s13.CheckReader(US), bytes(altered))
