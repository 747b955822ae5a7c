"""The proof that a log showed two histories: it cannot be made of an honest log, and holds for any two sizes of a false one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.federation import ForkProof, ProofOfForkRefused
from openceir.ledger import Checkpoint, MerkleLog, hash_leaf
from openceir.statements import SigningKey

LOG, OTHER = SigningKey("openceir/aa", bytes(range(32))), SigningKey("openceir/aa", bytes(32))


def a_log(size, common=0):
    """A log whose first `common` entries are those of every log here."""
    tree = MerkleLog()
    tree.extend(hash_leaf(f"{'same' if n < common else size}-{n}".encode()) for n in range(size))
    return tree


def note(tree, size=None, key=LOG):
    size = tree.size if size is None else size
    return Checkpoint(key.name, size, tree.root(size)).sign(key)


def proof_between(small, large):
    """What a member that holds `large` finds when it is shown `small`."""
    return ForkProof.find([LOG.public], note(small), note(large), large)


@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 39))
def test_two_histories_are_proved_for_any_two_sizes(size, more, common):
    small, large = a_log(size, min(common, size - 1)), a_log(size + more + 100, min(common, size - 1))
    proof = proof_between(small, large)
    assert proof is not None
    ForkProof.parse(proof.format()).verify([LOG.public])


@given(st.integers(1, 60), st.integers(0, 60))
def test_a_log_that_only_grew_is_never_accused(size, more):
    tree = a_log(size + more)
    assert ForkProof.find([LOG.public], note(tree, size), note(tree), tree) is None
    honest = ForkProof(
        (LOG.public,), note(tree, size), note(tree), tree.root(size), tuple(tree.consistency_proof(size))
    )
    with pytest.raises(ProofOfForkRefused, match="only grew"):
        honest.verify()


def test_two_roots_of_one_size_need_no_proof_between_them():
    proof = proof_between(a_log(7), a_log(7, common=3))
    assert proof.proof == ()
    proof.verify([LOG.public])


PROOF = proof_between(a_log(5), a_log(9, common=4))


def changed(**fields):
    said = json.loads(PROOF.format())
    return json.dumps(said | fields)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", "null", PROOF.format()[:-9], changed(form="openceir-fork/2"), changed(more=1), changed(log_keys=[]),
        changed(older=3), changed(prefix_root="AA"), changed(proof=["!"]), changed(proof=[None]), changed(newer="x" * 300_000),
        "[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_proof_is_refused_in_words(text):
    with pytest.raises(ProofOfForkRefused):
        ForkProof.parse(text).verify()


@pytest.mark.parametrize(
    "false",
    [
        ForkProof((OTHER.public,), PROOF.older, PROOF.newer, PROOF.prefix_root, PROOF.proof),
        ForkProof(PROOF.log_keys, note(a_log(5), key=OTHER), PROOF.newer, PROOF.prefix_root, PROOF.proof),
        ForkProof(PROOF.log_keys, PROOF.newer, PROOF.older, PROOF.prefix_root, PROOF.proof),
        ForkProof(PROOF.log_keys, PROOF.older, PROOF.newer, bytes(32), PROOF.proof),
        ForkProof(PROOF.log_keys, PROOF.older, PROOF.newer, PROOF.prefix_root, PROOF.proof[:-1]),
        ForkProof(PROOF.log_keys, note(MerkleLog()), PROOF.newer, bytes(32), ()),
    ],
)
def test_a_proof_that_is_not_signed_or_does_not_connect_accuses_nobody(false):
    with pytest.raises(ProofOfForkRefused):
        false.verify([LOG.public])


def test_a_reader_who_knows_the_key_is_not_deceived_by_another():
    theirs = ForkProof(
        (OTHER.public,), note(a_log(5), key=OTHER), note(a_log(9, 4), key=OTHER), PROOF.prefix_root, PROOF.proof
    )
    theirs.verify()  # it is a proof against that other key
    with pytest.raises(ProofOfForkRefused, match="not the log's"):
        theirs.verify([LOG.public])


def test_the_file_has_a_name_that_any_disk_takes():
    assert PROOF.name == "openceir-aa-5-9.fork"
