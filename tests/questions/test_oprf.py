"""The function is RFC 9497's: its vectors, the Rust library, and what a hostile peer may send."""

import json
from pathlib import Path

import pytest
import rbcl
from hypothesis import given, settings
from hypothesis import strategies as st
from voprf import ristretto

from openceir.questions import (
    OPRF,
    ORDER,
    VOPRF,
    ElementRefused,
    ProofFalse,
    QuestionError,
    QuestionKey,
    read_element,
    read_scalar,
)
from openceir.questions.oprf import MOST_IN_BATCH, times, times_base

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "oprf" / "oprf_vectors.json"

# RFC 9497 appendix A.1.2, test vector 1: the same in every checkout
SEED, INFO = bytes.fromhex("a3" * 32), b"test key"
PUBLIC = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e"
BLIND = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"
NONCE = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e"
BLINDED = "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"
EVALUATED = "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"
PROOF = (
    "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
    "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"
)
OUTPUT = (
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
    "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
)


def octets(text: str) -> list[bytes]:
    return [bytes.fromhex(part) for part in text.split(",")]


def test_the_first_vector_of_the_appendix_holds():
    """RFC 9497 §A.1.2.1."""
    key = VOPRF.derive_key(SEED, INFO)
    assert times_base(key).hex() == PUBLIC
    blinded = VOPRF.blind(b"\0", bytes.fromhex(BLIND))
    assert blinded.element.hex() == BLINDED
    evaluated = times(key, blinded.element)
    assert evaluated.hex() == EVALUATED
    proof = VOPRF.prove(key, bytes.fromhex(PUBLIC), [blinded.element], [evaluated], bytes.fromhex(NONCE))
    assert proof.hex() == PROOF
    VOPRF.verify(bytes.fromhex(PUBLIC), [blinded.element], [evaluated], proof)
    assert VOPRF.finalize(blinded, evaluated).hex() == OUTPUT
    assert VOPRF.evaluate(key, b"\0").hex() == OUTPUT


@pytest.mark.skipif(
    not VECTORS.exists(), reason="../shared/data/oprf is not beside this checkout: no vectors of the RFC"
)
@pytest.mark.parametrize("mode", [OPRF, VOPRF], ids=["OPRF", "VOPRF"])
def test_every_vector_of_the_ciphersuite_holds(mode):
    """RFC 9497 appendix A.1, from the authors' own file: one input and batches of two."""
    [suite] = [
        suite
        for suite in json.loads(VECTORS.read_text())
        if suite["identifier"] == "ristretto255-SHA512" and suite["mode"] == [OPRF, VOPRF].index(mode)
    ]
    key = mode.derive_key(bytes.fromhex(suite["seed"]), bytes.fromhex(suite["keyInfo"]))
    assert key.hex() == suite["skSm"]
    assert suite.get("pkSm", times_base(key).hex()) == times_base(key).hex()
    for vector in suite["vectors"]:
        inputs, blinds, outputs = (octets(vector[name]) for name in ("Input", "Blind", "Output"))
        blinded = [mode.blind(message, scalar) for message, scalar in zip(inputs, blinds, strict=True)]
        assert [one.element for one in blinded] == octets(vector["BlindedElement"])
        evaluated = [times(key, one.element) for one in blinded]
        assert evaluated == octets(vector["EvaluationElement"])
        assert [mode.finalize(one, element) for one, element in zip(blinded, evaluated, strict=True)] == outputs
        assert [mode.evaluate(key, message) for message in inputs] == outputs
        if mode is VOPRF:
            elements, public = [one.element for one in blinded], bytes.fromhex(suite["pkSm"])
            proof = mode.prove(key, public, elements, evaluated, bytes.fromhex(vector["Proof"]["r"]))
            assert proof.hex() == vector["Proof"]["proof"]
            mode.verify(public, elements, evaluated, proof)


@given(st.binary(min_size=1, max_size=100), st.binary(min_size=32, max_size=32))
@settings(max_examples=20, deadline=None)
def test_another_implementation_agrees(message, seed):
    """The Rust library, in both roles."""
    key = QuestionKey.of_seed("2027", seed)
    theirs = ristretto.Evaluator.from_seed(seed, b"openceir-questions/2027")
    assert theirs.public_key.serialize() == key.public
    assert theirs.evaluate_known_input(message) == VOPRF.evaluate(key.scalar, message)
    client, blinded = ristretto.Client.blind(message)
    [evaluated], proof = key.answer([blinded.serialize()])
    output = ristretto.VerifiableOutput.deserialize(proof + evaluated)
    assert client.finalize(output, ristretto.PublicKey.deserialize(key.public)) == theirs.evaluate_known_input(message)


def test_a_list_is_the_same_with_and_without_the_quick_library():
    key = QuestionKey.of_seed("2027", bytes(range(32)))
    subjects = [b"%014d" % number for number in range(5)]
    assert key.is_quick
    assert key.evaluate(subjects) == QuestionKey("2027", 1, key.scalar).evaluate(subjects)


@given(
    st.sampled_from([b"00100100000001", b"eid:89034011560010000000000000000121"]), st.binary(min_size=1, max_size=80)
)
@settings(max_examples=20, deadline=None)
def test_the_blind_alone_decides_what_is_sent(one, other):
    """Whatever was asked, the same two octet strings could have been sent: element · r'/r is again a blinding of it.

    Unblinded with its own scalar an element gives the input's point, and with any other scalar another point.
    """
    first, second = VOPRF.blind(one), VOPRF.blind(one)
    assert first.element != second.element, "the same question never travels twice in the same octets"
    ratio = rbcl.crypto_core_ristretto255_scalar_mul(
        second.scalar, rbcl.crypto_core_ristretto255_scalar_invert(first.scalar)
    )
    assert times(ratio, first.element) == second.element, "one is the other under a scalar nobody else has"
    different = VOPRF.blind(other)
    assert len(different.element) == len(first.element), "the length of the input does not show"


@pytest.mark.parametrize(
    ("element", "because"),
    [
        (bytes(32), "identity"),
        (b"", "32 octets"),
        (bytes(31), "32 octets"),
        (bytes(33), "32 octets"),
        (b"\xff" * 32, "canonical"),
        (b"\x01" + bytes(31), "canonical"),  # a negative field element
        ((2**255 - 19 + 2).to_bytes(32, "little"), "canonical"),  # above the field's prime
        (
            bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
            "canonical",
        ),  # RFC 9496 §A.2
    ],
)
def test_octets_that_are_no_usable_element_are_refused(element, because):
    with pytest.raises(ElementRefused, match=because):
        read_element(element)
    with pytest.raises(ElementRefused, match=because):
        QuestionKey.of_seed("2027", bytes(32)).answer([element])


def test_a_scalar_at_or_above_the_order_is_refused():
    assert read_scalar((ORDER - 1).to_bytes(32, "little"))
    for value in (ORDER, ORDER + 1, 2**256 - 1):
        with pytest.raises(ElementRefused):
            read_scalar(value.to_bytes(32, "little"))


def test_a_proof_fails_for_another_key_element_or_octet():
    key, other = (QuestionKey.of_seed("2027", bytes([n]) * 32) for n in (1, 2))
    blinded = [VOPRF.blind(b"%014d" % n).element for n in range(3)]
    evaluated, proof = key.answer(blinded)
    VOPRF.verify(key.public, blinded, evaluated, proof)
    wrong = [
        (other.public, blinded, evaluated, proof),
        (key.public, blinded, other.answer(blinded)[0], proof),
        (key.public, blinded[::-1], evaluated, proof),
        (key.public, blinded[:2], evaluated[:2], proof),
        (key.public, blinded, [evaluated[0], evaluated[1], evaluated[1]], proof),
        (key.public, blinded, evaluated[:2], proof),
        (key.public, blinded, evaluated, proof[:63]),
        (key.public, blinded, evaluated, bytes(64)),
        (key.public, blinded, evaluated, proof[:32] + bytes(32)),
        *(
            (key.public, blinded, evaluated, proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :])
            for at in (0, 31, 32, 63)
        ),
    ]
    for public, asked, answered, shown in wrong:
        with pytest.raises((ProofFalse, ElementRefused)):
            VOPRF.verify(public, asked, answered, shown)


def test_a_batch_has_a_largest_size():
    key = QuestionKey.of_seed("2027", bytes(32))
    element = VOPRF.blind(b"00100100000001").element
    for count in (0, MOST_IN_BATCH + 1):
        with pytest.raises(QuestionError, match="1 to 1000"):
            key.answer([element] * count)


def test_a_key_never_shows_itself():
    key = QuestionKey.of_seed("2027", bytes(range(32)))
    for shown in (repr(key), repr(VOPRF.blind(b"00100100000001"))):
        assert key.scalar.hex() not in shown
        assert "00100100000001" not in shown
        assert "1e1f" not in shown
    assert QuestionKey.parse(key.format()) == key
    share = QuestionKey("2027", 2, key.scalar)
    assert QuestionKey.parse(share.format()) == share
