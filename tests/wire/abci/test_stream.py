"""The stream between engine and application: any cutting reads the same, and nothing makes memory grow without bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.wire.abci import AbciError, Request, Requests, Response, Responses, write_message

ECHO = Request()
ECHO.echo.message = "hello"


def test_lengths_are_plain_varints():
    """spec/abci: "varint"; the engine before 0.37 wrote signed ones, in which 9 would be 18."""
    assert write_message(ECHO) == bytes.fromhex("09 0a07 0a05 68656c6c6f")


def test_a_length_of_two_octets():
    asked = Request()
    asked.check_tx.tx = bytes(200)
    octets = write_message(asked)
    assert octets[:2] == bytes([len(octets) - 2 & 0x7F | 0x80, 1])
    assert list(Requests().receive(octets)) == [asked]


@given(
    sizes=st.lists(st.integers(0, 300), max_size=20), cuts=st.lists(st.integers(1, 50), min_size=1, max_size=200)
)  # fmt: skip
def test_a_stream_cut_anywhere_reads_the_same(sizes, cuts):
    asked = []
    for size in sizes:
        one = Request()
        one.check_tx.tx = bytes(size)
        asked.append(one)
    stream = b"".join(map(write_message, asked))
    requests, read, at = Requests(), [], 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        read += requests.receive(stream[at : at + size])
        at += size
    assert read == asked


@given(st.binary(max_size=400))
def test_any_octets_are_messages_or_refused(octets):
    for kind in (Requests, Responses):
        try:
            for read in kind().receive(octets):
                assert isinstance(read, (Request, Response))
        except AbciError:
            pass


def test_a_message_that_is_too_long_is_refused_before_it_is_there():
    with pytest.raises(AbciError, match="the most is 1000"):
        list(Requests(most_octets=1000).receive(b"\xe9\x07"))


def test_a_length_without_end_is_refused():
    with pytest.raises(AbciError, match="more than 5"):
        list(Requests().receive(b"\xff" * 5))


def test_octets_that_are_no_message_are_refused():
    with pytest.raises(AbciError, match="no message"):
        list(Requests().receive(b"\x02\x0a\x7f"))


def test_an_empty_message_names_nothing():
    [nothing] = Requests().receive(b"\x00")
    assert nothing.WhichOneof("value") is None
