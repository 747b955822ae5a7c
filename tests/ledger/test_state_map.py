"""The state map is held against the plain definition of its tree, written here once more by recursion."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.ledger import LedgerError, ProofRefused
from openceir.ledger.state_map import BucketProof, StateMap


def sha(octets):
    return hashlib.sha256(octets).digest()


def token(number, bucket=None):
    made = sha(number.to_bytes(4))
    return made if bucket is None else bucket.to_bytes(2) + made[2:]


def value(number):
    return sha(b"v" + number.to_bytes(4))


def plain_root(entries, level=16, first=0):
    """The root over the buckets [first, first + 2^level), as the page says it."""
    inside = {one: of for one, of in entries.items() if first <= int.from_bytes(one[:2]) < first + (1 << level)}
    if not inside:
        return EMPTY[level]
    if level == 0:
        ordered = sorted((one[2:18], of) for one, of in inside.items())
        return sha(b"\0" + sha(b"".join(key for key, _ in ordered)) + sha(b"".join(of for _, of in ordered)))
    half = 1 << level - 1
    return sha(b"\1" + plain_root(inside, level - 1, first) + plain_root(inside, level - 1, first + half))


EMPTY = [sha(b"\0" + sha(b"") + sha(b""))]
for _ in range(16):
    EMPTY.append(sha(b"\1" + EMPTY[-1] * 2))

# few buckets, so that some are full, neighbours and far apart
TOKENS = st.builds(token, st.integers(0, 40), st.sampled_from([0, 1, 2, 300, 0xFFFF]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(TOKENS, st.one_of(st.none(), st.builds(value, st.integers(0, 9))), max_size=8), max_size=5
    ),
    TOKENS,
)
def test_whatever_the_way_to_it_the_root_is_that_of_what_the_map_holds(updates, asked):
    held, made = {}, StateMap()
    for changes in updates:
        made.update(changes)
        for one, of in changes.items():
            held.pop(one, None)
            if of is not None:
                held[one] = of
    assert made.root() == plain_root(held) == StateMap(held.items()).root()
    assert made.size == len(held)
    assert dict(made) == {one[:18]: of for one, of in held.items()}
    proof = made.prove(asked)
    assert proof.verify(asked, made.root()) == held.get(asked) == made.find(asked)


def test_an_empty_map_has_the_root_over_nothing_and_proves_absence_in_a_hundred_octets():
    made = StateMap()
    assert made.root() == EMPTY[16]
    proof = made.prove(token(1))
    assert (proof.tokens, proof.path, proof.mask) == (b"", (), 0)
    assert proof.verify(token(1), made.root()) is None


@pytest.fixture(scope="module")
def full():
    return StateMap((token(n), value(n)) for n in range(30_000))


def test_each_entry_is_proved_present_and_its_neighbour_absent(full):
    for number in range(0, 30_000, 500):
        assert full.prove(token(number)).verify(token(number), full.root()) == value(number)
        assert full.prove(token(number + 40_000)).verify(token(number + 40_000), full.root()) is None


def test_a_proof_of_absence_is_about_half_a_kilobyte_at_thirty_thousand_entries(full):
    proof = full.prove(token(40_000))
    assert len(proof.tokens) + len(proof.values) + 32 * len(proof.path) < 700


def test_a_proof_shows_nothing_once_anything_of_it_was_changed(full):
    asked = token(7)
    proof = full.prove(asked)
    wrong = [
        replace(proof, tokens=b"", values=sha(proof.values)),  # hiding the token
        replace(proof, values=bytes(len(proof.values))),
        replace(proof, values=sha(proof.values)),
        replace(proof, tokens=proof.tokens + proof.tokens[-16:], values=proof.values + proof.values[-16:]),
        replace(proof, tokens=proof.tokens[:-1]),
        replace(proof, mask=proof.mask ^ 1),
        replace(proof, mask=proof.mask | 1 << 16),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, bytes(32))),
        replace(proof, path=(bytes(31), *proof.path[1:])),
    ]
    for changed in wrong:
        with pytest.raises(ProofRefused):
            changed.verify(asked, full.root())
    with pytest.raises(ProofRefused):
        proof.verify(asked, bytes(32))
    with pytest.raises(ProofRefused):
        proof.verify(token(8), full.root())


def test_values_and_tokens_have_their_length():
    with pytest.raises(LedgerError):
        StateMap([(token(1), b"short")])
    with pytest.raises(LedgerError):
        StateMap([(b"short", value(1))])


def test_a_proof_written_by_hand_is_verified():
    """One entry in bucket 0, and only empty parts beside it: the sixteen nodes are computed here by hand."""
    one, of = bytes(2) + b"k" * 16, b"v" * 32
    node = sha(b"\0" + sha(b"k" * 16) + sha(b"v" * 32))
    for level in range(16):
        node = sha(b"\1" + node + EMPTY[level])
    assert BucketProof(b"k" * 16, b"v" * 32, 0, ()).verify(one, node) == of
    assert StateMap([(one, of)]).root() == node
