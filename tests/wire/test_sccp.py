"""SCCP: datagrams in the two forms that carry MAP, and what comes back, as pycrate reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrate_mobile.SCCP import parse_SCCP

from openceir.wire import sccp

from . import an_msc as msc

EIR_BY_PC, MSC_BY_PC = bytes.fromhex("43020009"), bytes.fromhex("43010008")  # route on SSN; point codes 2 and 1


def test_title_and_point_code_addresses_are_read_and_handed_back_as_they_came():
    for called, calling in ((msc.EIR_GT, msc.MSC_GT), (EIR_BY_PC, MSC_BY_PC)):
        asked = sccp.read_datagram(msc.udt(b"question", called=called, calling=calling, protocol_class=0x81))
        assert (asked.called_ssn, asked.data, asked.wants_return, asked.is_segmented) == (9, b"question", True, False)
        answer = sccp.write_answer(asked, b"answer")
        assert msc.read_udt(answer) == (calling, called, b"answer")
        assert answer[:2] == b"\x09\x01"  # the class as asked, without the wish to have it back


def test_pycrate_reads_an_answer_and_a_returned_datagram():
    asked = sccp.read_datagram(msc.udt(b"question"))
    for octets, name in (
        (sccp.write_answer(asked, b"answer"), "SCCPUnitData"),
        (sccp.write_returned(asked, sccp.ReturnCause.UNEQUIPPED_USER), "SCCPUnitDataService"),
    ):
        message, error = parse_SCCP(octets)
        assert error == 0
        assert message._name == name
        assert message.to_bytes() == octets


def test_a_question_that_pycrate_wrote_again_is_the_same():
    octets = msc.udt(msc.question(3))
    message, error = parse_SCCP(octets)
    assert (error, message.to_bytes()) == (0, octets)


@pytest.mark.parametrize(
    ("options", "is_segmented"),
    [
        (b"", False),
        (bytes.fromhex("120103 00"), False),  # importance
        (bytes.fromhex("1004 80aabbcc 00"), False),  # one segment, none remain
        (bytes.fromhex("1004 81aabbcc 00"), True),
        (bytes.fromhex("120103 1004 00aabbcc 00"), True),
    ],
)
def test_an_extended_datagram_is_read_and_its_parts_noticed(options: bytes, is_segmented: bool):
    asked = sccp.read_datagram(msc.xudt(b"question", options))
    assert (asked.data, asked.called_ssn, asked.is_segmented) == (b"question", 9, is_segmented)
    assert msc.read_udt(sccp.write_answer(asked, b"a")) == (msc.MSC_GT, msc.EIR_GT, b"a")


def test_what_came_back_is_never_answered():
    """Two ends that return each other's returned datagrams would never stop."""
    asked = sccp.read_datagram(msc.udt(b"question"))
    with pytest.raises(sccp.SccpError):
        sccp.read_datagram(sccp.write_returned(asked, sccp.ReturnCause.UNEQUIPPED_USER))


def test_management_is_told_that_the_eir_is_there():
    """Q.713 §5: SST 03, subsystem 9, point code 2, multiplicity 0; answered SSA 01."""
    assert sccp.answer_management(bytes.fromhex("0309020000")) == bytes.fromhex("0109020000")
    assert sccp.answer_management(bytes.fromhex("0308020000")) is None  # another's subsystem
    assert sccp.answer_management(bytes.fromhex("0109020000")) is None
    assert sccp.answer_management(b"") is None


def test_every_cut_and_every_octet_is_read_or_refused():
    for whole in (msc.udt(b"question"), msc.xudt(b"question", bytes.fromhex("100480aabbcc00"))):
        for at in range(len(whole)):
            for octets in (whole[:at], *(whole[:at] + bytes([octet]) + whole[at + 1 :] for octet in range(0, 256, 5))):
                read_or_refuse(octets)


@given(st.binary(max_size=80) | st.binary(min_size=250, max_size=700), st.sampled_from([b"", b"\x09", b"\x11"]))
def test_octets_of_chance_are_read_or_refused(octets: bytes, kind: bytes):
    read_or_refuse(kind + octets)


def test_an_address_beyond_all_measure_is_refused():
    """Its pointers would not fit an answer, and one sender must not end the link that carries all others."""
    for called, calling in ((200, 10), (10, 200), (120, 120)):
        parts = bytes([called]) + b"\x42\x09" + bytes(called - 2) + bytes([calling]) + b"\x42\x08" + bytes(calling - 2)
        octets = bytes([9, 0x80, 3, 3 + called, min(255, 3 + called + calling)]) + parts + b"\x01q" + bytes(300)
        with pytest.raises(sccp.SccpError):
            sccp.read_datagram(octets)


def read_or_refuse(octets: bytes) -> None:
    try:
        asked = sccp.read_datagram(octets)
    except sccp.SccpError:
        return
    assert sccp.write_answer(asked, b"answer")
    assert sccp.write_returned(asked, sccp.ReturnCause.UNEQUIPPED_USER)[0] == 0x0A
