"""What a witness answers, whom a log policy believes, and proofs as text."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.ledger import (
    AddCheckpoint,
    Checkpoint,
    LedgerError,
    LogPolicy,
    LogProof,
    MerkleLog,
    ProofRefused,
    WitnessKey,
    cosign,
    hash_leaf,
    judge,
)
from openceir.statements import SigningKey

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOG, STRANGER = SigningKey("openceir/aa", bytes(range(32))), SigningKey("openceir/aa", bytes(range(5, 37)))
WITNESSES = [SigningKey(f"{name}/witness", bytes([n + 1] * 32)) for n, name in enumerate(("aa", "bb", "cc"))]


def a_log(size, flavour="a"):
    tree = MerkleLog()
    tree.extend(hash_leaf(f"{flavour}{n}".encode()) for n in range(size))
    return tree


def note(tree, size, key=LOG):
    return Checkpoint(key.name, size, tree.root(size)).sign(key)


def ask(tree, old, new, key=LOG):
    return AddCheckpoint(old, tuple(tree.consistency_proof(old, new)), note(tree, new, key))


def answer(asked, last, keys=(LOG.public,)):
    return judge(asked, keys, last, WITNESSES[0], NOON)


def test_a_grown_log_is_cosigned_and_remembered():
    tree = a_log(20)
    said = answer(ask(tree, 7, 20), note(tree, 7).checkpoint)
    assert (said.status, said.body[:12]) == (200, "\u2014 aa/witness")
    assert said.seen.checkpoint == Checkpoint(LOG.name, 20, tree.root())
    assert WitnessKey.of(WITNESSES[0].public).find(said.seen) == NOON
    assert said.seen.verify(LOG.public)


def test_a_log_seen_for_the_first_time_starts_from_nothing():
    tree = a_log(3)
    assert answer(ask(tree, 0, 3), None).status == 200


def test_the_same_checkpoint_is_cosigned_again():
    tree = a_log(3)
    assert answer(ask(tree, 3, 3), note(tree, 3).checkpoint).status == 200


@pytest.mark.parametrize(
    ("status", "body", "asked", "last", "keys"),
    [
        (404, None, (0, 3), None, ()),
        (403, None, (0, 3), None, (STRANGER.public,)),
        (409, "5\n", (3, 7), 5, (LOG.public,)),
        (409, "0\n", (3, 7), None, (LOG.public,)),
        (409, "7\n", (0, 3), 7, (LOG.public,)),
    ],
)
def test_a_witness_refuses_as_the_document_says(status, body, asked, last, keys):
    """C2SP tlog-witness, "add-checkpoint"; a conflict names the size that was seen."""
    tree = a_log(20)
    said = answer(ask(tree, *asked), note(tree, last).checkpoint if last else None, keys)
    assert (said.status, said.seen) == (status, None)
    if body is not None:
        assert (said.body, said.content_type) == (body, "text/x.tlog.size")


def test_an_old_size_above_the_new_one_is_a_bad_request():
    tree = a_log(9)
    assert answer(AddCheckpoint(9, (), note(tree, 5)), note(tree, 9).checkpoint).status == 400


def test_another_root_of_the_same_size_is_a_conflict():
    """The one thing that a log can never take back: two checkpoints of one size."""
    assert answer(ask(a_log(9, "b"), 9, 9), note(a_log(9), 9).checkpoint).status == 409


def test_a_log_that_forked_gets_no_cosignature():
    """Its own proof is true for its own past, which is not the one that the witness saw."""
    assert answer(ask(a_log(20, "b"), 7, 20), note(a_log(7), 7).checkpoint).status == 422


@given(st.integers(0, 60), st.integers(0, 60))
def test_whatever_sizes_are_asked_a_witness_cosigns_growth_only(old, new):
    tree, other = a_log(60), a_log(60, "b")
    old, new = min(old, new), max(old, new)
    last = note(tree, old).checkpoint
    assert answer(ask(tree, old, new), last).status == 200
    if old:
        assert answer(ask(other, old, new), last).status in {409, 422}


def test_a_request_is_read_as_it_was_written():
    asked = ask(a_log(20), 7, 20)
    assert AddCheckpoint.parse(asked.format()) == asked


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("old 7", "old 07"), lambda text: text.replace("old 7", "old -7"),
        lambda text: text.replace("old 7", "new 7"), lambda text: text.replace("\n\n", "\n", 1),
        lambda text: "old 7\n" + "A" * 44 + "\n" + text.partition("\n")[2],
        lambda text: "old 7\n" + "\n".join(["AAAA"] * 3) + "\n\n" + text.partition("\n\n")[2],
        lambda text: "old 7\n" + "x\n" * 70 + text.partition("\n")[2], lambda text: text[:-9], lambda text: "",
    ],
)  # fmt: skip
def test_a_request_of_another_shape_is_refused(change):
    with pytest.raises(ProofRefused):
        AddCheckpoint.parse(change(ask(a_log(20), 7, 20).format()))


# -- whom to believe ---------------------------------------------------------------------------------------------------

NAMED = {key.name.partition("/")[0]: WitnessKey.of(key.public) for key in WITNESSES}


def cosigned(by, tree=None):
    signed = note(tree or a_log(9), 9)
    return signed.with_signatures([cosign(signed, key, NOON) for key in by])


@pytest.mark.parametrize(("by", "enough"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_checkpoint_is_believed_from_the_quorum_on(by, enough):
    policy = LogPolicy.of([LOG.public], NAMED, 2)
    policy = LogPolicy.parse(policy.format())
    if enough:
        assert policy.verify(cosigned(WITNESSES[:by])).size == 9
    else:
        with pytest.raises(ProofRefused, match="too few"):
            policy.verify(cosigned(WITNESSES[:by]))


def test_one_witness_that_signs_twice_counts_once():
    signed = note(a_log(9), 9)
    later = NOON.replace(hour=13)
    twice = signed.with_signatures([cosign(signed, WITNESSES[0], NOON), cosign(signed, WITNESSES[0], later)])
    with pytest.raises(ProofRefused):
        LogPolicy.of([LOG.public], NAMED, 2).verify(twice)


def test_groups_of_groups_are_counted_as_the_document_says():
    """C2SP tlog-policy, its example: two of the X and any of the Y."""
    lines = [f"log {LOG.public.format()} https://aa.example/", "# a remark", "", *(
        f"witness\t{name} {key.format()}" for name, key in NAMED.items()
    ), "group X 2 aa bb", "group Y any cc", "  group both all X Y  ", "quorum both"]  # fmt: skip
    policy = LogPolicy.parse("\n".join(lines) + "\n")
    assert policy.verify(cosigned(WITNESSES)).size == 9
    for too_few in (WITNESSES[:2], WITNESSES[1:]):
        with pytest.raises(ProofRefused):
            policy.verify(cosigned(too_few))


def test_without_a_quorum_the_logs_own_word_is_enough_and_a_strangers_is_not():
    policy = LogPolicy.parse(f"log {LOG.public.format()}\nquorum none\n")
    assert policy.verify(note(a_log(9), 9)).size == 9
    with pytest.raises(ProofRefused):
        policy.verify(note(a_log(9), 9, STRANGER))
    with pytest.raises(ProofRefused, match="no log of this policy"):
        policy.verify(note(a_log(9), 9, SigningKey("openceir/zz", bytes(32))))


AA, BB = (f"witness {name} {NAMED[name].format()}\n" for name in ("aa", "bb"))


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum aa\n", AA + "quorum aa\nquorum aa\n", "group g 1 aa\n" + AA + "quorum g\n",
        AA + "group g 2 aa\nquorum g\n", AA + "group g 0 aa\nquorum g\n", AA + "group g any\nquorum g\n",
        AA + "group g 1 aa aa\nquorum g\n", AA + AA + "quorum aa\n", AA + AA.replace(" aa ", " zz ") + "quorum aa\n",
        AA.replace(" aa ", " none ") + "quorum none\n", AA + "group aa 1 aa\nquorum aa\n", "log x\nquorum none\n",
        f"witness aa {LOG.public.format()}\nquorum none\n", "quorum none\x00\n", "what none\nquorum none\n",
        AA + "group g \u0661 aa\nquorum g\n",
    ],
)  # fmt: skip
def test_a_policy_that_could_be_read_two_ways_is_refused(text):
    with pytest.raises(LedgerError):
        LogPolicy.parse(text)


def test_a_proof_as_text_says_what_a_receipt_says():
    tree = a_log(9)
    proof = LogProof.make(tree, 4, cosigned(WITNESSES[:2], tree))
    read = LogProof.parse(proof.format())
    assert read == proof
    policy = LogPolicy.of([LOG.public], NAMED, 2)
    read.verify(tree.leaf_hash(4), policy)
    for wrong in (tree.leaf_hash(5), bytes(32)):
        with pytest.raises(ProofRefused):
            read.verify(wrong, policy)
    with pytest.raises(ProofRefused):
        LogProof.make(tree, 4, cosigned(WITNESSES[:1], tree)).verify(tree.leaf_hash(4), policy)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("@v1", "@v2"), lambda text: text.replace("index 4", "index 04"),
        lambda text: text.replace("index 4", "place 4"), lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("index 4\n", "index 4\nnot base64\n"),
        lambda text: text.replace("index 4", "extra !\nindex 4"), lambda text: text.split("\n")[0] + "\n\n",
    ],
)  # fmt: skip
def test_a_proof_of_another_shape_is_refused(change):
    with pytest.raises(ProofRefused):
        LogProof.parse(change(LogProof.make(a_log(9), 4, note(a_log(9), 9)).format()))


def test_extra_data_of_a_proof_is_carried_and_believed_by_nobody():
    proof = LogProof(4, (), note(a_log(9), 9), extra=b"\x00\x01")
    assert LogProof.parse(proof.format()).extra == b"\x00\x01"
