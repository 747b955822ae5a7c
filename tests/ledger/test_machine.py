from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.ledger import Duplicate, LedgerBroken, Machine, MerkleLog, hash_leaf
from openceir.statements import (
    DeviceSet,
    DeviceStolen,
    MemberKey,
    Members,
    Role,
    SignedStatement,
    SigningKey,
    StatementRefused,
    sign,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey("police-1", bytes(range(32)))
MEMBERS = Members().with_key("cc-police", MemberKey(KEY.public, NOON), [Role.POLICE])
SIGNED = [
    sign(
        DeviceStolen(devices=DeviceSet.of(keys=[n]), stolen_at=NOON, case_number="N"),
        KEY, issuer="cc-police", stated_at=NOON, salt=n.to_bytes(16),
    )
    for n in range(12)
]  # fmt: skip


def machine():
    return Machine(MEMBERS, MerkleLog())


def apply(state, signed):
    return state.apply(state.height, NOON, [state.check(one, NOON) for one in signed]).root


@given(st.lists(st.integers(1, 4), max_size=4))
def test_the_root_depends_on_the_entries_and_not_on_the_blocks(cuts):
    """Whatever engine cut the blocks, the same order gives the same root: that of the plain tree."""
    state, at = machine(), 0
    for length in [*cuts, 12]:
        part = SIGNED[at : at + length]
        if part:
            root = apply(state, part)
        at += length
    plain = MerkleLog()
    plain.extend(hash_leaf(one.octets) for one in SIGNED)
    assert root == plain.root()


def test_checking_changes_nothing():
    state = machine()
    apply(state, SIGNED[:3])
    root = state.tree.root()
    state.check(SIGNED[5], NOON)
    with pytest.raises(Duplicate):
        state.check(SIGNED[1], NOON)
    assert (state.tree.root(), state.height) == (root, 1)


def test_what_stands_in_the_log_is_found_and_not_taken_twice():
    state = machine()
    apply(state, SIGNED[:3])
    assert [state.find(hash_leaf(one.octets)) for one in SIGNED[:4]] == [0, 1, 2, None]
    with pytest.raises(Duplicate, match="entry 2"):
        state.check(SIGNED[2], NOON)


def test_a_statement_with_another_s_payload_is_refused():
    with pytest.raises(StatementRefused, match="not the one"):
        machine().check(SignedStatement(SIGNED[0].octets, SIGNED[1].salt, SIGNED[1].payload), NOON)


def test_a_block_that_does_not_follow_changes_nothing():
    state = machine()
    apply(state, SIGNED[:2])
    checked = [state.check(one, NOON) for one in SIGNED[2:4]]
    for height, time, statements in [
        (0, NOON, checked),
        (2, NOON, checked),
        (1, NOON - timedelta(seconds=1), checked),
        (1, NOON, []),
        (1, NOON, [checked[0], checked[0]]),
    ]:
        with pytest.raises(LedgerBroken):
            state.apply(height, time, statements)
    assert (state.tree.size, state.height) == (2, 1)


def test_a_block_taken_back_leaves_the_state_of_before():
    state = machine()
    apply(state, SIGNED[:2])
    root, mark = state.tree.root(), state.mark()
    apply(state, SIGNED[2:9])
    state.take_back(mark)
    assert (state.tree.root(), state.height, state.find(hash_leaf(SIGNED[5].octets))) == (root, 1, None)
    apply(state, SIGNED[2:4])
    assert state.find(hash_leaf(SIGNED[3].octets)) == 3


def test_two_leaves_that_begin_alike_are_told_apart():
    """The sorted column compares eight octets first; a collision made on purpose must not hide or invent a duplicate."""
    tree = MerkleLog()
    tree.extend([b"same....".ljust(32, b"a"), b"same....".ljust(32, b"b"), b"other".ljust(32, b"c")])
    state = Machine(MEMBERS, tree)
    assert state.find(b"same....".ljust(32, b"b")) == 1
    assert state.find(b"same....".ljust(32, b"a")) == 0
    assert state.find(b"same....".ljust(32, b"x")) is None


def test_a_large_log_is_searched_like_a_small_one():
    tree = MerkleLog()
    leaves = [hash_leaf(n.to_bytes(4)) for n in range(3000)]
    tree.extend(leaves)
    state = Machine(MEMBERS, tree)
    assert [state.find(leaf) for leaf in leaves] == list(range(3000))
