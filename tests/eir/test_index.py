"""The index finds what was put in and nothing else, and refuses every file that is not the one that was signed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openceir.eir import Check, Contents, IndexRefused, Overlay, Status, attribute, build, folded, open_index
from openceir.eir.index import flattened
from openceir.statements import SigningKey

from .conftest import (
    ALICE,
    ALICES_PHONE,
    BLOCKED,
    BOB,
    ISSUED_AT,
    PERMITTED,
    SIGNER,
    TRACKED,
    TRUSTED,
    keys,
    octets,
    pairs,
    ranges,
)

TESTED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# Few TACs and few serials, at the borders of the buckets, so that examples meet each other.
serials = st.sampled_from([0, 1, 2, 65535, 65536, 65537, 131071, 983039, 983040, 999998, 999999])
devices = st.builds(lambda tac, serial: tac * 1_000_000 + serial, st.sampled_from([0, 1, 100100, 99999999]), serials)
statuses = st.sampled_from([PERMITTED, TRACKED, BLOCKED])


def test_a_listed_device_is_found_with_its_reason_and_its_neighbours_are_not(made):
    index = made(devices={ALICES_PHONE: attribute(Status.BLOCKED, 7)})
    assert index.lookup(ALICES_PHONE) == (Status.BLOCKED, 7, False)
    assert index.lookup(ALICES_PHONE + 1) == (Status.UNKNOWN, 0, False)
    assert index.lookup(ALICES_PHONE - 1) == (Status.UNKNOWN, 0, False)


@TESTED
@given(listed=st.dictionaries(devices, statuses, max_size=40), asked=st.lists(devices, max_size=40))
def test_the_index_agrees_with_a_dictionary(made, listed, asked):
    index = made(devices=listed)
    assert [index.entry(device) for device in asked] == [listed.get(device, 0) for device in asked]
    assert index.lookup_many(keys(*asked)).tolist() == [listed.get(device, 0) for device in asked]
    assert len(index) == len(listed)


def test_a_large_random_index_agrees_with_a_set_one_by_one_and_in_a_batch(made, tmp_path: Path):
    random = np.random.default_rng(7)
    listed = np.unique(random.integers(100_100, 100_140, 200_000) * 1_000_000 + random.integers(0, 1_000_000, 200_000))
    contents = Contents(device=random.permutation(listed), attribute=np.full(len(listed), BLOCKED, np.uint8))
    build(tmp_path / "big.idx", contents, sequence=1, issued_at=ISSUED_AT, source="test", key=SIGNER)
    index = open_index(tmp_path / "big.idx", TRUSTED)
    asked = np.concatenate([random.choice(listed, 5000), random.choice(listed, 5000) + 1])
    known = set(listed.tolist())
    expected = [BLOCKED if device in known else 0 for device in asked.tolist()]
    assert [index.entry(device) for device in asked.tolist()] == expected
    assert index.lookup_many(asked).tolist() == expected


def test_of_two_entries_for_one_device_the_stricter_stays(tmp_path: Path):
    contents = Contents(
        device=keys(ALICES_PHONE, ALICES_PHONE, ALICES_PHONE), attribute=octets(TRACKED, BLOCKED, PERMITTED)
    )
    build(tmp_path / "x", contents, sequence=1, issued_at=ISSUED_AT, source="test", key=SIGNER)
    assert open_index(tmp_path / "x", TRUSTED).lookup(ALICES_PHONE).status is Status.BLOCKED


spans = st.tuples(st.integers(0, 60), st.integers(0, 30), statuses).map(lambda r: (r[0], r[0] + r[1], r[2]))


@given(rows=st.lists(spans, max_size=12))
def test_of_overlapping_ranges_the_narrower_decides_and_of_equal_ones_the_stricter(rows):
    flat = flattened(ranges(*rows))
    said = {
        key: octet
        for low, high, octet in zip(flat.low.tolist(), flat.high.tolist(), flat.attribute.tolist(), strict=True)
        for key in range(low, high + 1)
    }
    assert sum(flat.high - flat.low + 1) == len(said), "pieces overlap"
    for key in range(100):
        over = [(high - low, -octet, octet) for low, high, octet in rows if low <= key <= high]
        assert said.get(key, 0) == (min(over)[2] if over else 0)


def test_a_range_within_a_tac_goes_before_the_tac_and_the_tac_before_a_wider_range(made):
    tac = 100_100 * 1_000_000
    index = made(
        ranges=ranges((tac, tac + 999_999, PERMITTED), (tac + 10, tac + 19, BLOCKED), (0, 99_999_999_999_999, TRACKED))
    )
    assert [index.range_attribute(tac + serial) for serial in (9, 10, 19, 20)] == [
        PERMITTED,
        BLOCKED,
        BLOCKED,
        PERMITTED,
    ]
    assert index.range_attribute(tac + 1_000_000) == TRACKED


def test_pairs_are_found_by_both_and_a_paired_device_needs_no_entry_of_its_own(made):
    index = made(pairs=pairs((ALICES_PHONE, ALICE, PERMITTED), (ALICES_PHONE, BOB, BLOCKED)))
    assert index.pair_attribute(ALICES_PHONE, ALICE) == PERMITTED
    assert index.pair_attribute(ALICES_PHONE, BOB) == BLOCKED
    assert index.pair_attribute(ALICES_PHONE + 1, BOB) == 0
    assert index.lookup(ALICES_PHONE) == (Status.UNKNOWN, 0, True)


def test_identities_that_are_no_imei_keep_their_own_table(made):
    assert made(others={"mac-00-00-5E-00-53-01": BLOCKED}).others == {"mac-00-00-5E-00-53-01": BLOCKED}


@TESTED
@given(
    listed=st.dictionaries(devices, statuses, max_size=20),
    changes=st.dictionaries(devices, st.one_of(st.just(0), statuses), max_size=20),
    paired=st.dictionaries(st.tuples(devices, st.sampled_from([ALICE, BOB])), statuses, max_size=6),
    repaired=st.dictionaries(
        st.tuples(devices, st.sampled_from([ALICE, BOB])), st.one_of(st.just(0), statuses), max_size=6
    ),
)
def test_a_folded_overlay_says_what_index_and_overlay_said(made, tmp_path, listed, changes, paired, repaired):
    index = made(devices=listed, pairs=pairs(*((*pair, octet) for pair, octet in paired.items())))
    overlay = Overlay()
    overlay.devices, overlay.pairs = changes, repaired
    build(tmp_path / "next", folded(index, overlay), sequence=2, issued_at=ISSUED_AT, source="test", key=SIGNER)
    after = open_index(tmp_path / "next", TRUSTED)
    listed_after = {device: octet for device, octet in {**listed, **changes}.items() if octet}
    paired_after = {pair: octet for pair, octet in {**paired, **repaired}.items() if octet}
    everything = {*listed, *changes, *(device for device, _ in {*paired, *repaired})}
    for device in everything:
        assert after.lookup(device).status == listed_after.get(device, 0) >> 6
        for subscriber in (ALICE, BOB):
            assert after.pair_attribute(device, subscriber) == paired_after.get((device, subscriber), 0)
    assert len(after) == len({*listed_after, *(device for device, _ in paired_after)})


def test_folding_keeps_ranges_software_versions_and_other_identities(made, tmp_path):
    tac = 100_100 * 1_000_000
    parts = {
        "ranges": ranges((tac, tac + 999_999, PERMITTED), (tac + 10, tac + 19, BLOCKED), (0, 10**14 - 1, TRACKED)),
        "imsi_ranges": ranges((ALICE, BOB, TRACKED)),
        "software_versions": {(100_100, 5): BLOCKED},
        "others": {"mac-00-00-5E-00-53-01": BLOCKED},
    }
    index = made(**parts)
    build(tmp_path / "next", folded(index, Overlay()), sequence=2, issued_at=ISSUED_AT, source="test", key=SIGNER)
    after = open_index(tmp_path / "next", TRUSTED)
    assert [after.range_attribute(tac + n) for n in (0, 10, 1_000_000)] == [PERMITTED, BLOCKED, TRACKED]
    assert (after.imsi_attribute(ALICE), after.imsi_attribute(BOB + 1)) == (TRACKED, 0)
    assert after.software_versions == index.software_versions
    assert after.others == index.others


# ----------------------------------------------------------------------------------------------- files that are refused


@pytest.fixture
def file(made, tmp_path: Path) -> Path:
    made(devices={ALICES_PHONE + n: BLOCKED for n in range(100)}, pairs=pairs((ALICES_PHONE, ALICE, PERMITTED)))
    return tmp_path / "list.idx"


def test_every_changed_octet_is_noticed(file: Path):
    """Flip each octet that is not padding between arrays: nothing altered is ever served."""
    index = open_index(file, TRUSTED)
    sound = file.read_bytes()
    covered = set(range(16 + int.from_bytes(sound[12:16], "little") + 96))
    for section in index.file.sections.values():
        covered |= set(range(section.at, section.at + section.length))
    for at in sorted(covered):
        altered = bytearray(sound)
        altered[at] ^= 0x40
        file.write_bytes(altered)
        with pytest.raises(IndexRefused):
            open_index(file, TRUSTED)


def test_every_cut_file_is_refused(file: Path):
    sound = file.read_bytes()
    for length in [*range(300), *range(300, len(sound), 97)]:
        file.write_bytes(sound[:length])
        with pytest.raises(IndexRefused):
            open_index(file, TRUSTED)


def test_a_file_signed_by_a_stranger_is_refused(file: Path):
    with pytest.raises(IndexRefused, match="not a key this EIR trusts"):
        open_index(file, [SigningKey("stranger", bytes(32)).public])


def test_an_unsigned_file_is_refused_unless_that_is_accepted_knowingly(tmp_path: Path):
    build(tmp_path / "x", Contents(), sequence=1, issued_at=ISSUED_AT, source="test")
    with pytest.raises(IndexRefused, match="not signed"):
        open_index(tmp_path / "x", TRUSTED)
    assert open_index(tmp_path / "x", accept_unsigned=True).sequence == 1


def test_a_file_of_another_format_version_is_refused(file: Path):
    sound = file.read_bytes()
    file.write_bytes(sound[:8] + b"\2\0\0\0" + sound[12:])
    with pytest.raises(IndexRefused, match="index format 2"):
        open_index(file, TRUSTED)


def test_a_large_array_may_be_checked_after_the_opening_and_its_fault_is_found_then(tmp_path: Path):
    listed = np.arange(3_000_000, dtype=np.int64) + ALICES_PHONE
    contents = Contents(device=listed, attribute=np.full(len(listed), BLOCKED, np.uint8))
    build(tmp_path / "x", contents, sequence=1, issued_at=ISSUED_AT, source="test", key=SIGNER)
    place = open_index(tmp_path / "x", TRUSTED).file.sections["low"]
    with (tmp_path / "x").open("r+b") as file:
        file.seek(place.at + place.length - 1)
        file.write(b"\xff")
    late = open_index(tmp_path / "x", TRUSTED, check=Check.LATER)
    with pytest.raises(IndexRefused, match="`low`"):
        list(late.verify_rest())
    with pytest.raises(IndexRefused, match="`low`"):
        open_index(tmp_path / "x", TRUSTED, check=Check.NOW)


def test_a_key_of_more_than_14_digits_is_refused_before_anything_is_written(tmp_path: Path):
    contents = Contents(device=keys(10**14), attribute=octets(BLOCKED))
    with pytest.raises(IndexRefused, match="14 digits"):
        build(tmp_path / "x", contents, sequence=1, issued_at=ISSUED_AT, source="test", key=SIGNER)
    assert list(tmp_path.iterdir()) == []
