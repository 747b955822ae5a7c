import hashlib
from functools import cache

import pytest
import scitt_cose
from hypothesis import given
from hypothesis import strategies as st

from openceir.ledger import (
    EMPTY_ROOT,
    LedgerError,
    MerkleLog,
    ProofRefused,
    hash_leaf,
    root_of_inclusion,
    verify_consistency,
    verify_inclusion,
)

# The test vectors of Certificate Transparency (google/certificate-transparency, merkle_tree_test): eight entries and
# the root after each of them.
ENTRIES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [bytes.fromhex(h) for h in (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)]  # fmt: skip
LARGEST = 70
LEAVES = tuple(hash_leaf(bytes([n])) for n in range(LARGEST))


# -- the plain recursive definition, RFC 9162 §2.1 ----------------------------------------------------------------------


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


@cache
def plain_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:])).digest()


def plain_path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*plain_path(m, leaves[:k]), plain_root(leaves[k:])]
    return [*plain_path(m - k, leaves[k:]), plain_root(leaves[:k])]


def plain_consistency(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [plain_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*plain_consistency(m, leaves[:k], whole), plain_root(leaves[k:])]
    return [*plain_consistency(m - k, leaves[k:], False), plain_root(leaves[:k])]


@pytest.fixture(scope="module")
def tree():
    log = MerkleLog()
    log.extend(LEAVES)
    return log


def test_the_published_roots_are_reached():
    log = MerkleLog()
    assert log.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        log.append(hash_leaf(entry))
        assert log.root() == root


def test_the_published_consistency_proofs_are_made():
    log = MerkleLog()
    log.extend(map(hash_leaf, ENTRIES))
    assert [node.hex() for node in log.consistency_proof(6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [node.hex() for node in log.consistency_proof(2, 5)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_every_root_and_inclusion_proof_is_that_of_the_plain_definition(tree):
    for size in range(1, LARGEST + 1):
        root = plain_root(LEAVES[:size])
        assert tree.root(size) == root
        for index in range(size):
            path = tree.inclusion_proof(index, size)
            assert path == plain_path(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, path, root)


def test_every_consistency_proof_is_that_of_the_plain_definition(tree):
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            proof = tree.consistency_proof(old, new)
            assert proof == plain_consistency(old, LEAVES[:new])
            verify_consistency(old, new, plain_root(LEAVES[:old]), plain_root(LEAVES[:new]), proof)


def test_another_implementation_agrees(tree):
    entries = [bytes([n]).hex() for n in range(LARGEST)]
    for size in (1, 2, 3, 7, 8, 33, 64, 65, 70):
        assert tree.root(size).hex() == scitt_cose.merkle_root(entries[:size])
        for index in {0, size // 2, size - 1}:
            path = [node.hex() for node in tree.inclusion_proof(index, size)]
            assert scitt_cose.verify_inclusion(entries[index], index, size, path, tree.root(size).hex())
        proof = [node.hex() for node in tree.consistency_proof(size, LARGEST)]
        assert scitt_cose.verify_consistency(tree.root(size).hex(), tree.root().hex(), size, LARGEST, proof)


@given(st.integers(2, LARGEST), st.data())
def test_a_false_inclusion_proof_is_refused(size, data):
    tree = MerkleLog()
    tree.extend(LEAVES[:size])
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_proof(index)
    changed = list(path)
    what = data.draw(st.sampled_from(["flip", "drop", "add", "swap leaf", "root"]))
    leaf, root = LEAVES[index], tree.root()
    if what == "flip":
        at = data.draw(st.integers(0, len(path) - 1))
        changed[at] = bytes([changed[at][0] ^ 1]) + changed[at][1:]
    elif what == "drop":
        changed.pop(data.draw(st.integers(0, len(path) - 1)))
    elif what == "add":
        changed.insert(data.draw(st.integers(0, len(path))), bytes(32))
    elif what == "swap leaf":
        leaf = LEAVES[(index + 1) % size]
    else:
        root = bytes(32)
    with pytest.raises(ProofRefused):
        verify_inclusion(leaf, index, size, changed, root)


@given(st.integers(1, LARGEST), st.integers(1, LARGEST), st.data())
def test_a_rewritten_log_has_no_consistency_proof(one, other, data):
    old, new = min(one, other), max(one, other)
    altered = data.draw(st.integers(0, old - 1))
    rewritten = MerkleLog()
    rewritten.extend(bytes(32) if n == altered else leaf for n, leaf in enumerate(LEAVES[:new]))
    with pytest.raises(ProofRefused):
        verify_consistency(old, new, plain_root(LEAVES[:old]), rewritten.root(), rewritten.consistency_proof(old, new))


def test_a_log_is_consistent_with_nothing_and_with_itself(tree):
    verify_consistency(0, 5, EMPTY_ROOT, tree.root(5), [])
    verify_consistency(5, 5, tree.root(5), tree.root(5), [])
    for arguments in [
        (0, 5, tree.root(5), tree.root(5), []),
        (5, 5, tree.root(5), tree.root(4), []),
        (5, 5, tree.root(5), tree.root(5), [bytes(32)]),
        (3, 5, tree.root(3), tree.root(5), []),
        (6, 5, tree.root(6), tree.root(5), []),
        (3, 5, tree.root(3), tree.root(5), [b"short"]),
    ]:
        with pytest.raises(ProofRefused):
            verify_consistency(*arguments)


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_cutting_a_tree_gives_the_tree_of_before(size, more):
    tree, cut = MerkleLog(), MerkleLog()
    tree.extend(LEAVES[:size])
    cut.extend(LEAVES[: max(size, more)])
    cut.truncate(size)
    assert cut.nodes() == tree.nodes()
    assert cut.root() == tree.root()


@given(st.integers(0, LARGEST), st.integers(0, LARGEST))
def test_the_node_array_of_an_earlier_tree_is_a_prefix(one, other):
    old, new = min(one, other), max(one, other)
    tree = MerkleLog()
    tree.extend(LEAVES[:new])
    earlier = MerkleLog(tree.nodes(), old)
    assert earlier.root() == plain_root(LEAVES[:old])
    assert earlier.nodes() + tree.nodes(since=old) == tree.nodes()


@pytest.mark.parametrize("index", [-1, 70, 10**9])
def test_there_is_no_proof_for_an_entry_that_is_not_there(tree, index):
    with pytest.raises(LedgerError):
        tree.inclusion_proof(index)
    with pytest.raises(LedgerError):
        tree.leaf_hash(index)
    with pytest.raises(ProofRefused):
        root_of_inclusion(LEAVES[0], index, LARGEST, [])
