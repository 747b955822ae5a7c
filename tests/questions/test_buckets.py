"""The files: every listed device is found by its output and by nothing else; whatever is altered is refused."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.questions import (
    Bucket,
    BucketRefused,
    KeyGroup,
    Layer,
    Manifest,
    ManifestRefused,
    ManifestStale,
    NoAnswer,
    QuestionKey,
    RestrictedRange,
    Word,
    bucket_number,
    bucket_path,
    format_ranges,
    make_layer,
    range_word,
    read_ranges,
    rows_of,
    signer_of,
    word_in,
)
from openceir.statements import SigningKey

MARCH = datetime(2027, 3, 1, tzinfo=UTC)
SIGNER = SigningKey("openceir/test", bytes(range(32)))
GROUP = KeyGroup.of_one(QuestionKey.of_seed("2027", bytes(32)))


def outputs(count: int, seed: int = 1) -> list[bytes]:
    chance = np.random.default_rng(seed)
    return [chance.bytes(64) for _ in range(count)]


def layer_of(found: list[bytes], words: list[int], name: str = "base") -> tuple[Layer, dict[int, bytes]]:
    layer, files = make_layer(name, rows_of(found), np.array(words, dtype=np.uint8), b"k" * 32)
    return layer, dict(files)


def look_up(output: bytes, layer: Layer, files: dict[int, bytes]) -> Word | None:
    number = bucket_number(output, layer.prefix_bits)
    return word_in(output, Bucket.read(files[number], layer, number))


@given(st.sampled_from([0, 1, 2, 31, 511, 600, 2100]), st.integers(0, 5))
def test_every_entry_is_found_with_its_word_and_nothing_else_is(count, seed):
    found = outputs(count, seed)
    words = [1 + place % 3 for place in range(count)]
    layer, files = layer_of(found, words)
    assert [look_up(output, layer, files) for output in found] == [Word(word) for word in words]
    assert [look_up(output, layer, files) for output in outputs(50, seed + 100)] == [None] * 50


def test_all_files_of_a_layer_are_of_one_size_and_the_filling_looks_like_entries():
    layer, files = layer_of(outputs(5000), [1] * 5000)
    assert len(files) == layer.buckets == 16
    assert len({len(octets) for octets in files.values()}) == 1
    for octets in files.values():
        entries = [octets[12 + at : 21 + at] for at in range(0, 9 * layer.count, 9)]
        assert entries == sorted(entries), "the order would tell entries from filling"
        assert len(set(entries)) == layer.count


def test_the_same_list_makes_the_same_files_whatever_the_order():
    found = outputs(1500)
    words = [1 + place % 2 for place in range(1500)]
    assert layer_of(found, words) == layer_of(found[::-1], words[::-1])


def test_a_bucket_that_was_altered_anywhere_is_refused():
    layer, files = layer_of(outputs(1500), [1] * 1500)
    octets = files[2]
    Bucket.read(octets, layer, 2)
    for at in [*range(40), *range(40, len(octets), 97), len(octets) - 1]:
        with pytest.raises(BucketRefused):
            Bucket.read(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :], layer, 2)
    for wrong in (b"", octets[:-1], octets + b"\0", octets[:-32], octets + bytes(32), octets[:12]):
        with pytest.raises(BucketRefused):
            Bucket.read(wrong, layer, 2)


def test_a_bucket_stands_for_no_other_place_and_no_other_layer():
    layer, files = layer_of(outputs(1500), [1] * 1500)
    other, _ = layer_of(outputs(1500, seed=2), [1] * 1500)
    with pytest.raises(BucketRefused):
        Bucket.read(files[2], layer, 3)
    with pytest.raises(BucketRefused):
        Bucket.read(files[2], replace(other, count=layer.count), 2)


def test_paths_keep_folders_small():
    layer = Layer("base", "a" * 32, 18, 672, bytes(32))
    assert bucket_path(layer, 0) == f"{'a' * 32}/0000/00.bin"
    assert bucket_path(layer, 2**18 - 1) == f"{'a' * 32}/03ff/ff.bin"


# ------------------------------------------------------------------------------------------------------ the manifest


def manifest_of(**changed: object) -> Manifest:
    layer, _ = layer_of(outputs(3), [1, 2, 3])
    ranges = format_ranges([])
    usual = {
        "group": GROUP, "made_at": MARCH, "stale_at": MARCH + timedelta(days=8), "ledger_size": 0, "checkpoint": "", "log_key": None,
        "layers": (layer,), "ranges_sha256": hashlib.sha256(ranges).hexdigest(),
    }  # fmt: skip
    return Manifest(**{**usual, **changed})  # type: ignore[arg-type]


def test_a_manifest_is_read_as_it_was_signed():
    manifest = manifest_of()
    assert Manifest.read(manifest.sign(SIGNER), SIGNER.public) == manifest
    assert signer_of(manifest.sign(SIGNER)) == SIGNER.public


def test_a_manifest_signed_by_another_or_altered_is_refused():
    octets = manifest_of().sign(SIGNER)
    stranger = SigningKey("openceir/test", bytes(32))
    with pytest.raises(ManifestRefused, match="not signed by"):
        Manifest.read(manifest_of().sign(stranger), SIGNER.public)
    envelope = json.loads(octets)
    said = json.loads(envelope["signed"])
    for name, value in {"stale_at": "2099-01-01T00:00:00Z", "ledger_size": 5}.items():
        forged = {**envelope, "signed": json.dumps({**said, name: value})}
        with pytest.raises(ManifestRefused, match="not signed by"):
            Manifest.read(json.dumps(forged).encode(), SIGNER.public)
    for wrong in (b"", b"{}", b"[]", b"\xff", json.dumps({**envelope, "signature": "zz"}).encode(), b"[" * 100_000):
        with pytest.raises(ManifestRefused):
            Manifest.read(wrong, SIGNER.public)


def test_a_manifest_that_says_something_impossible_is_refused_even_when_it_is_signed():
    layer = manifest_of().layers[0]
    for changed in (
        {"layers": ()},
        {"layers": (replace(layer, tree="../../etc/passwd"),)},
        {"layers": (replace(layer, prefix_bits=25),)},
        {"layers": (replace(layer, count=0),)},
        {"layers": (replace(layer, name="other"),)},
        {"ranges_sha256": "zz"},
        {"ledger_size": 4, "checkpoint": ""},
        {"checkpoint": "origin\n5\n"},
        {"group": replace(GROUP, public=QuestionKey.of_seed("2027", bytes([1] * 32)).public)},
    ):
        with pytest.raises(NoAnswer):
            Manifest.read(manifest_of(**changed).sign(SIGNER), SIGNER.public)


def test_nobody_believes_files_that_are_past_their_day():
    manifest = manifest_of()
    manifest.verify_fresh(MARCH + timedelta(days=8, seconds=-1))
    with pytest.raises(ManifestStale, match="2027-03-09"):
        manifest.verify_fresh(MARCH + timedelta(days=8))


def test_ranges_answer_for_numbers_inside_them_and_are_bound_by_the_manifest():
    ranges = [
        RestrictedRange("00100100000000", "00100100999999", Word.TRACKED),
        RestrictedRange("00100100500000", "00100100599999", Word.BLOCKED),
    ]
    octets = format_ranges(ranges)
    manifest = manifest_of(ranges_sha256=hashlib.sha256(octets).hexdigest())
    assert read_ranges(octets, manifest) == ranges
    assert range_word(b"00100100000001", ranges) is Word.TRACKED
    assert range_word(b"00100100500001", ranges) is Word.BLOCKED
    assert range_word(b"00100101000000", ranges) is None
    assert range_word(b"eid:00100100000001", ranges) is None
    with pytest.raises(BucketRefused, match="not the one"):
        read_ranges(format_ranges(ranges[:1]), manifest)
