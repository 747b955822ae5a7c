import struct
from itertools import pairwise

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from openceir.errors import OpenceirError
from openceir.statements import MOST_DEVICES, DeviceSet, StatementRefused

keys = st.integers(0, 10**14 - 1)
ranges = st.tuples(keys, keys).map(lambda pair: tuple(f"{key:014d}" for key in sorted(pair)))
others = st.tuples(st.sampled_from(["eid", "serial", "mac"]), st.text("ABCDEF0123456789", min_size=1, max_size=32))


@st.composite
def device_sets(draw):
    near = draw(st.lists(st.integers(10**12, 10**12 + 200_000), max_size=80))
    return DeviceSet.of(
        keys=draw(st.lists(keys, max_size=40)) + near,
        ranges=draw(st.lists(ranges, max_size=4)),
        others=draw(st.lists(others, max_size=4)),
    )


@given(device_sets())
def test_a_set_is_read_as_it_was_written(devices):
    octets = devices.encode()
    again = DeviceSet.decode(octets)
    assert again == devices
    assert again.encode() == octets


@given(st.lists(keys, max_size=50), st.lists(ranges, max_size=4), keys)
def test_membership_is_that_of_a_plain_search(singles, spans, probe):
    devices = DeviceSet.of(keys=singles, ranges=spans)
    for key in [*singles, probe, *(int(lo) for lo, _ in spans), *(int(hi) for _, hi in spans)]:
        plainly = key in singles or any(int(lo) <= key <= int(hi) for lo, hi in spans)
        assert (key in devices) == plainly
        assert (f"{key:014d}" in devices) == plainly


@given(st.lists(ranges, max_size=6))
def test_ranges_are_counted_without_being_expanded(spans):
    """The slow twin marks every boundary and counts what lies between."""
    edges = sorted({int(lo) for lo, _ in spans} | {int(hi) + 1 for _, hi in spans})
    plainly = sum(end - start for start, end in pairwise(edges) if any(int(lo) <= start <= int(hi) for lo, hi in spans))
    assert DeviceSet.of(ranges=spans).count == plainly


def test_a_few_imeis_can_be_read_by_eye_and_many_are_a_bitmap():
    assert cbor2.loads(DeviceSet.of(["00100100000002", "00100100000001"]).encode()) == {
        "imeis": ["00100100000001", "00100100000002"]
    }
    many = cbor2.loads(DeviceSet.of(keys=range(1000, 2000)).encode())
    assert set(BitMap64.deserialize(many["bitmap"])) == set(range(1000, 2000))


def test_a_hundred_thousand_imeis_of_one_production_run_are_tiny():
    assert len(DeviceSet.of(keys=np.arange(35_123_456_000_000, 35_123_456_100_000)).encode()) < 100


def test_a_bitmap_of_another_writer_keeps_its_own_spelling():
    """The same set without run containers: other octets, and a digest over them must stay true."""
    foreign = bitmap_of(struct.pack("<IHHI", 1, 0, 3999, 16) + struct.pack("<4000H", *range(5000, 9000)))
    assert DeviceSet.decode(cbor2.dumps({"bitmap": foreign}, canonical=True)) == DeviceSet.of(keys=range(5000, 9000))
    octets = cbor2.dumps({"bitmap": foreign}, canonical=True)
    assert foreign not in DeviceSet.of(keys=range(5000, 9000)).encode()
    assert DeviceSet.decode(octets).encode() == octets


def test_leading_zeros_survive():
    assert list(DeviceSet.of("00100100000001")) == ["00100100000001"]


@pytest.mark.parametrize(
    "text", ["1234567890123", "001001000000015", "0010010000000a", "٠٠١٠٠١٠٠٠٠٠٠٠١", "", " 0100100000001"]
)
def test_what_is_not_fourteen_ascii_digits_is_no_device(text):
    with pytest.raises(StatementRefused, match="14 digits"):
        DeviceSet.of(text) if text else DeviceSet.of([text])
    assert text not in DeviceSet.of("00100100000001")


def test_a_set_does_not_show_its_devices_in_a_traceback():
    assert "00100100000001" not in repr(DeviceSet.of("00100100000001"))


# -- hostile bitmaps --------------------------------------------------------------------------------------------------


def bitmap_of(*containers: bytes, cookie: bytes = struct.pack("<I", 12346)) -> bytes:
    return struct.pack("<Q", 1) + struct.pack("<I", 0) + cookie + b"".join(containers)


def refused(bitmap: bytes, why: str) -> None:
    with pytest.raises(StatementRefused, match=why):
        DeviceSet.decode(cbor2.dumps({"bitmap": bitmap}, canonical=True))


def test_a_bitset_that_holds_more_than_it_announces_is_refused_before_the_library_expands_it():
    """CRoaring would write 65,536 values into room for 5,000."""
    lying = struct.pack("<I", 1) + struct.pack("<HH", 0, 4999) + struct.pack("<I", 16) + b"\xff" * 8192
    refused(bitmap_of(lying), "another number")


def test_a_run_that_leaves_its_container_is_refused():
    cookie = struct.pack("<HH", 12347, 0)
    refused(bitmap_of(b"\x01", struct.pack("<HH", 0, 9), struct.pack("<HHH", 1, 65000, 1000), cookie=cookie), "run")
    refused(bitmap_of(b"\x01", struct.pack("<HH", 0, 9), struct.pack("<H", 0), cookie=cookie), "run")


def test_a_small_bitmap_of_more_devices_than_allowed_is_not_expanded():
    """A few octets a container of 65,536: 62 full containers pass the limit and weigh 1 kB."""
    bomb = BitMap64()
    bomb.add_range(0, MOST_DEVICES + 1)
    bomb.run_optimize()
    octets = bomb.serialize()
    assert len(octets) < 2000
    refused(octets, "send several")


def test_an_unsorted_array_is_refused():
    unsorted = struct.pack("<I", 1) + struct.pack("<HH", 0, 2) + struct.pack("<I", 16) + struct.pack("<HHH", 9, 5, 7)
    refused(bitmap_of(unsorted), "out of order|cannot be read")


def test_octets_after_the_bitmap_are_refused():
    refused(BitMap64(range(100)).serialize() + b"\x00", "belong to nothing")


def test_a_number_of_fifteen_digits_is_no_device_key():
    refused(BitMap64([10**14]).serialize(), "14 digits")


@given(st.binary(max_size=300))
def test_no_octets_make_the_decoder_fail_in_another_way(octets):
    for wrapped in (octets, cbor2.dumps({"bitmap": octets}, canonical=True)):
        try:
            DeviceSet.decode(wrapped)
        except OpenceirError:
            continue


@settings(max_examples=300)
@given(st.data())
def test_no_changed_bitmap_makes_the_decoder_fail_in_another_way(data):
    good = bytearray(
        BitMap64([*range(100, 9000, 2), *range(70_000, 80_000), 2**33, 2**40]).serialize()
        if data.draw(st.booleans())
        else DeviceSet.of(keys=[*range(100, 9000), 2**20, 2**33]).to_cbor()["bitmap"]
    )
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, min(len(good) - 1, 80)))] = data.draw(st.integers(0, 255))
    try:
        DeviceSet.from_cbor({"bitmap": bytes(good)})
    except OpenceirError:
        return


@pytest.mark.parametrize(
    "parts",
    [
        {"imeis": []},
        {"imeis": ["00100100000002", "00100100000001"]},
        {"imeis": ["00100100000001", "00100100000001"]},
        {"imeis": ["00100100000001"], "bitmap": b""},
        {"imeis": "00100100000001"},
        {"ranges": [["00100100000002", "00100100000001"]]},
        {"ranges": [["00100100000001", "00100100000002"], ["00100100000003", "00100100000004"]]},
        {"ranges": [["00100100000001"]]},
        {"others": [["serial", "B"], ["serial", "A"]]},
        {"others": [["Serial", "A"]]},
        {"others": [["serial", ""]]},
        {"others": [["serial", "a\nb"]]},
        {"others": [["serial", 7]]},
        {"more": []},
        {"bitmap": None},
        {"bitmap": b""},
        {"bitmap": bytes(8)},
        {"ranges": []},
        {"others": []},
        [],
        7,
    ],
)
def test_a_second_spelling_of_a_set_is_refused(parts):
    with pytest.raises(StatementRefused):
        DeviceSet.decode(cbor2.dumps(parts, canonical=True))
