import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.errors import OpenceirError
from openceir.ledger import Checkpoint, ProofRefused, SignedCheckpoint
from openceir.ledger.checkpoint import signature_line
from openceir.statements import PublicKey, SigningKey

# golang.org/x/mod/sumdb/note: example key and signed note. Ed25519 is deterministic, so our line must be theirs.
GO_KEY = SigningKey.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
# The example of the C2SP signed-note document.
C2SP_KEY = PublicKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
C2SP_LINE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="

KEY = SigningKey("openceir/test", bytes(range(32)))
HEAD = Checkpoint("openceir/test", 4711, bytes(range(32)))


def test_the_signature_of_a_note_is_the_one_that_go_makes():
    signed = GO_KEY.public.note_hash + GO_KEY.sign(GO_TEXT.encode())
    assert signature_line(GO_KEY.name, signed) == GO_LINE


def test_the_example_of_the_signed_note_document_verifies():
    import base64

    octets = base64.b64decode(C2SP_LINE)
    assert octets[:4] == C2SP_KEY.note_hash
    assert C2SP_KEY.has_signed(b"This is an example message.\n", octets[4:])


def test_a_checkpoint_is_three_lines_and_a_signature():
    """C2SP tlog-checkpoint: origin, size in decimal, root in base64; then a blank line and the signatures."""
    lines = HEAD.sign(KEY).format().split("\n")
    assert lines[:4] == ["openceir/test", "4711", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith("— openceir/test ")
    assert lines[5:] == [""]


def test_a_checkpoint_is_read_as_it_was_signed():
    assert SignedCheckpoint.parse(HEAD.sign(KEY).format()).verify(KEY.public) == HEAD


def test_no_octet_of_a_checkpoint_can_change():
    good = HEAD.sign(KEY).format().encode()
    for at in range(len(good)):
        for bit in (1, 4, 32):
            changed = bytearray(good)
            changed[at] ^= bit
            with pytest.raises((ProofRefused, UnicodeDecodeError)):
                SignedCheckpoint.parse(changed.decode()).verify(KEY.public)


def test_a_witness_s_line_beside_ours_is_kept_and_passed_over():
    witness = SigningKey("witness.example", bytes(32))
    ours = HEAD.sign(KEY)
    both = ours.format() + HEAD.sign(witness).signatures[0] + "\n"
    read = SignedCheckpoint.parse(both)
    assert read.verify(KEY.public) == HEAD
    assert read.format() == both
    with pytest.raises(ProofRefused, match="is of the log"):
        read.verify(witness.public)


def test_an_extension_line_is_signed_too():
    extended = Checkpoint(HEAD.origin, HEAD.size, HEAD.root, ("more",)).sign(KEY)
    assert SignedCheckpoint.parse(extended.format()).verify(KEY.public).extensions == ("more",)
    with pytest.raises(ProofRefused, match="false"):
        SignedCheckpoint.parse(extended.format().replace("more\n", "")).verify(KEY.public)


def test_another_key_of_the_same_name_is_refused():
    with pytest.raises(ProofRefused, match="no signature"):
        SignedCheckpoint.parse(HEAD.sign(KEY).format()).verify(SigningKey("openceir/test", bytes(32)).public)


@pytest.mark.parametrize(
    "text",
    ["", "o\n", "o\n1\n", "o\n01\nAA==\n", "o\n-1\nAA==\n", "o\n1\nAA==\n", "o\n١\n" + "A" * 43 + "=\n", "o\n1\n" + "A" * 43 + "=", "o\n\n1\n"],
)  # fmt: skip
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(ProofRefused):
        Checkpoint.parse(text)


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_in_another_way(text):
    for note in (text, HEAD.format() + "\n" + text, HEAD.format() + "\n— " + text + "\n"):
        try:
            SignedCheckpoint.parse(note).verify(KEY.public)
        except OpenceirError:
            continue


def test_a_note_that_has_no_utf_8_is_refused_when_it_is_read():
    """Found by the fuzzer: half a surrogate pair came as far as the signature, which is over octets."""
    with pytest.raises(ProofRefused, match="UTF-8"):
        SignedCheckpoint.parse("log\ud800\n0\n" + "A" * 43 + "=\n\n\u2014 log AAAAAAA=\n")
