"""The log as tiles, its cosigned checkpoint, and what other people's code finds in them."""

import base64
import hashlib
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.ledger import (
    Checkpoint,
    LedgerError,
    MerkleLog,
    ProofRefused,
    Tile,
    WitnessKey,
    bundles_between,
    cosign,
    hash_leaf,
    read_bundle,
    read_tile,
    tile_octets,
    write_bundle,
)
from openceir.statements import SigningKey

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ORACLE = Path(__file__).parent / "tlog_oracle" / "tlog-oracle"
LOG, WITNESS = SigningKey("openceir/aa", bytes(range(32))), SigningKey("bb/witness", bytes(range(1, 33)))


def entries_of(size):
    return [f"entry {n}".encode() * (n % 5) for n in range(size)]


def tree_of(entries):
    tree = MerkleLog()
    tree.extend(map(hash_leaf, entries))
    return tree


def plain_root(hashes):
    """RFC 9162 §2.1.1, as it is written there."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + plain_root(hashes[:k]) + plain_root(hashes[k:])).digest()


def lay_out(folder, entries, tree):
    """Every tile and bundle of a log, as files."""
    size = len(entries)
    wanted = list(bundles_between(0, size))
    level = 0
    while size >> 8 * level:
        count = size >> 8 * level
        wanted += [Tile(level, n, min(256, count - 256 * n)) for n in range(-(-count // 256))]
        level += 1
    for tile in wanted:
        path = folder / tile.path()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile_octets(tree, size, tile, lambda first, end: entries[first:end]))


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(None, 0, 112), "tile/entries/000.p/112"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(1, 1000), "tile/1/x001/000"),
        (Tile(63, 999), "tile/63/999"),
    ],
)
def test_a_tile_has_the_path_that_the_document_gives_it(tile, path):
    """C2SP tlog-tiles: the example of index 1234067, the widths of a tree of 70,000 entries."""
    assert tile.path() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1", "tile/00/001", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/001.p/01", "tile/64/000", "tile/-1/000",
        "tile/0/x000/001", "tile/0/001/002", "tile/0/x001", "tile/data/000", "/tile/0/000", "tile/0/000/", "",
        "tile/0/\u0660\u0660\u0660", "tile/entries/" + "x001/" * 40 + "000",
    ],
)  # fmt: skip
def test_another_spelling_of_a_path_names_no_tile(path):
    with pytest.raises(LedgerError):
        Tile.parse(path)


@given(st.sampled_from([None, 0, 1, 5, 63]), st.integers(0, 10**12), st.integers(1, 256))
def test_every_tile_is_found_again_by_its_path(level, index, width):
    assert Tile.parse(Tile(level, index, width).path()) == Tile(level, index, width)


def test_a_tree_of_70000_has_the_tiles_that_the_document_counts():
    """C2SP tlog-tiles, "Partial Tiles": 273 full ones and one of 112; 1 and one of 17; one of 1."""
    tree = MerkleLog()
    tree.extend(hashlib.sha256(n.to_bytes(4)).digest() for n in range(70_000))
    leaves = [tree.leaf_hash(n) for n in range(70_000)]
    nothing = lambda first, end: []  # noqa: E731 - hashes only

    def at(tile):
        return read_tile(tile_octets(tree, 70_000, tile, nothing), tile)

    assert at(Tile(0, 273, 112)) == leaves[69_888:]
    assert at(Tile(1, 0)) == [plain_root(leaves[n << 8 : (n + 1) << 8]) for n in range(256)]
    assert at(Tile(1, 1, 17)) == [plain_root(leaves[n << 8 : (n + 1) << 8]) for n in range(256, 273)]
    assert at(Tile(2, 0, 1)) == [plain_root(leaves[: 1 << 16])]
    for missing in (Tile(0, 273), Tile(0, 273, 113), Tile(1, 1, 18), Tile(2, 0, 2), Tile(3, 0, 1)):
        with pytest.raises(LedgerError):
            at(missing)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_gives_its_entries_back(entries):
    assert read_bundle(write_bundle(entries), len(entries)) == entries


@pytest.mark.parametrize(("octets", "width"), [("0002ab", 1), ("00", 1), ("0001ab", 2), ("0001ab0001cd", 1), ("", 1)])
def test_a_bundle_that_is_cut_or_holds_another_number_is_refused(octets, width):
    with pytest.raises(ProofRefused):
        read_bundle(bytes.fromhex(octets), width)


def test_the_bundles_of_what_is_new_begin_where_the_old_ones_ended():
    assert [tile.path() for tile in bundles_between(300, 700)] == [
        "tile/entries/001", "tile/entries/002.p/188"
    ]  # fmt: skip
    assert list(bundles_between(512, 512)) == []


def test_a_cosignature_is_made_of_the_octets_that_the_document_names():
    """C2SP tlog-cosignature: key ID over type 4; time, then a signature over two lines and the note's text."""
    note = Checkpoint(LOG.name, 7, bytes(32)).sign(LOG)
    name, encoded = cosign(note, WITNESS, NOON).removeprefix("\u2014 ").split(" ")
    octets = base64.b64decode(encoded)
    seconds = int(NOON.timestamp())
    assert name == "bb/witness"
    assert octets[:4] == hashlib.sha256(b"bb/witness\n\x04" + WITNESS.public.octets).digest()[:4]
    assert octets[4:12] == seconds.to_bytes(8)
    assert WITNESS.public.has_signed(f"cosignature/v1\ntime {seconds}\n{note.text}".encode(), octets[12:])


def test_the_example_of_the_document_has_the_key_hash_of_no_other_type():
    key = WitnessKey.of(WITNESS.public)
    assert WitnessKey.parse(key.format()) == key
    assert key.note_hash != WITNESS.public.note_hash


def test_a_cosignature_over_another_checkpoint_or_by_another_key_counts_for_nothing():
    note, other = (Checkpoint(LOG.name, size, bytes(32)).sign(LOG) for size in (7, 8))
    key = WitnessKey.of(WITNESS.public)
    line = cosign(note, WITNESS, NOON)
    assert key.find(note.with_signatures([line])) == NOON
    assert key.find(note) is None
    assert key.find(other.with_signatures([line])) is None
    assert WitnessKey("bb/witness", LOG.public.octets).find(note.with_signatures([line])) is None
    with pytest.raises(ProofRefused):
        key.verify(other.with_signatures([line]))


@pytest.mark.skipif(not ORACLE.exists(), reason="scripts/install-tlog-oracle.sh could not build the Go reader")
@pytest.mark.parametrize(("size", "old"), [(1, 1), (256, 100), (257, 256), (700, 513)])
def test_other_implementations_read_our_tiles_and_make_the_same_proofs(tmp_path, size, old):
    """golang.org/x/mod/sumdb (tiles, notes, proofs) and transparency-dev/formats (cosignatures)."""
    entries = entries_of(size)
    tree = tree_of(entries)
    lay_out(tmp_path, entries, tree)
    note = Checkpoint(LOG.name, size, tree.root()).sign(LOG)
    note = note.with_signatures([cosign(note, WITNESS, NOON)])
    (tmp_path / "checkpoint").write_text(note.format(), encoding="utf-8")
    command = [ORACLE, tmp_path, LOG.public.format(), WitnessKey.of(WITNESS.public).format(), str(old)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["origin"], found["size"], found["cosigned_at"]) == (LOG.name, size, int(NOON.timestamp()))
    assert found["old_root"] == tree.root(old).hex()
    assert found["tree"] == [node.hex() for node in tree.consistency_proof(old)]
    assert found["records"] == {str(n): [node.hex() for node in tree.inclusion_proof(n)] for n in range(size)}
