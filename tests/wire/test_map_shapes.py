"""The fast way against the full way, over dialogues that resemble each other and have octets changed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.wire import sccp
from openceir.wire.map_check_imei import CheckImei, Dialogues, Opened, Verdict
from openceir.wire.map_shapes import KnownShapes
from openceir.wire.tcap import TcapError, read_message

from . import an_msc as msc

IMSI_TAG = 0x87
IMSI = bytes((IMSI_TAG, 8)) + msc.tbcd("001010000000001")


def verdict_of(asked) -> Verdict:
    """Any answer will do that depends on all that is asked."""
    return list(Verdict)[(asked.device + asked.imsi + asked.svn) % len(Verdict)]


def in_full(user: bytes, known: KnownShapes | None = None) -> bytes | None:
    """What the full way answers; the shape is learnt where a reader is given."""
    dialogues = Dialogues(7, IMSI_TAG)
    try:
        datagram = sccp.read_datagram(user)
        opened = dialogues.open(read_message(datagram.data))
        if not isinstance(opened, Opened):
            return None
        if known is not None:
            known.learn(user, datagram, opened)
        verdicts = [verdict_of(each) for each in opened.asked if isinstance(each, CheckImei)]
        return sccp.write_answer(datagram, dialogues.answer(opened, verdicts))
    except (sccp.SccpError, TcapError):
        return None


def by_shape(known: KnownShapes, user: bytes) -> bytes | None:
    found = known.find(user)
    return None if found is None else found.answer(verdict_of(found))


def with_imsi(user_data: bytes) -> bytes:
    """A maker's IMSI behind what the standard's question of version 3 ends with."""
    wanted = bytes.fromhex("03020680")
    grown = user_data.replace(wanted, wanted + IMSI)
    return grown if grown == user_data else lengthened(grown, user_data, len(IMSI))


def lengthened(grown: bytes, before: bytes, by: int) -> bytes:
    octets = bytearray(grown)
    at = before.index(b"\x6c")
    sequence = before.rindex(b"\x30\x0e\x04\x08")
    for place in (1, at + 1, at + 3, sequence + 1):
        octets[place] += by
    return bytes(octets)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("wrap", [msc.udt, msc.xudt])
def test_a_shape_that_was_read_once_is_known_with_other_values(version: int, wrap):
    known = KnownShapes(Dialogues(7))
    first = wrap(msc.question(version))
    assert by_shape(known, first) is None
    in_full(first, known)
    for imei, otid in (
        ("001001000000020", b"\0\0\0\0"),
        ("0010010000000905", b"\xff\xfe\xfd\xfc"),
        ("123456789012347", b"abcd"),
    ):
        other = wrap(msc.question(version, imei, otid=otid))
        if len(other) != len(first):
            continue
        assert by_shape(known, other) == in_full(other)
        assert by_shape(known, other) is not None
    called, calling, answer = msc.read_udt(by_shape(known, first))
    assert (called, calling) == (msc.MSC_GT, msc.EIR_GT)
    kind, said = msc.decode(answer)
    assert (kind, said["dtid"]) == ("end", msc.OTID)


def test_an_imsi_that_a_maker_adds_is_one_of_the_values():
    known = KnownShapes(Dialogues(7, IMSI_TAG))
    first = msc.udt(with_imsi(msc.question(3)))
    assert in_full(first, known) is not None
    other = first.replace(msc.tbcd("001010000000001"), msc.tbcd("001019999999998"))
    found = known.find(other)
    assert found is not None
    assert (found.imsi, found.device) == (1_001_019_999_999_998, 100_100_000_001)
    assert by_shape(known, other) == in_full(other)


def test_an_invoke_id_that_is_the_number_of_the_operation_is_told_apart_from_it():
    known = KnownShapes(Dialogues(7))
    for invoke_id in (43, 1, -128, 127, 43):
        asked = msc.udt(msc.begin(3, msc.invoke(msc.argument(3), invoke_id=invoke_id)))
        fast = by_shape(known, asked)
        assert fast in (None, in_full(asked))
        in_full(asked, known)
    assert fast is not None


def test_what_asks_twice_or_nothing_is_never_a_shape():
    known = KnownShapes(Dialogues(7))
    twice = msc.begin(3, msc.invoke(msc.argument(3)), msc.invoke(msc.argument(3), invoke_id=2))
    for user in (msc.udt(twice), msc.udt(msc.begin(3)), msc.udt(msc.begin(3, msc.invoke(None))), msc.udt(b"\x62\0")):
        in_full(user, known)
        assert known.find(user) is None


@settings(max_examples=60, deadline=None)
@given(
    questions=st.lists(
        st.tuples(
            st.sampled_from([1, 2, 3]),
            st.text("0123456789", min_size=15, max_size=16),
            st.binary(min_size=1, max_size=4),
            st.integers(-128, 127),
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
    flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3),
)
def test_a_reader_that_knows_shapes_answers_what_the_full_way_answers(questions, flips):
    known = KnownShapes(Dialogues(7, IMSI_TAG))
    for version, imei, otid, invoke_id, has_imsi in questions * 2:
        asked = msc.begin(version, msc.invoke(msc.argument(version, imei), invoke_id=invoke_id), otid=otid)
        user = msc.udt(with_imsi(asked) if has_imsi else asked)
        altered = bytearray(user)
        for at, octet in flips:
            altered[at % len(altered)] = octet
        for each in (user, bytes(altered)):
            fast = by_shape(known, each)
            assert fast in (None, in_full(each))
            in_full(each, known)
    assert by_shape(known, user) is not None
