import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.errors import OpenceirError
from openceir.statements import KeyRefused, PublicKey, SigningKey

# golang.org/x/mod/sumdb/note, note.go: the example key of the package's documentation.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
# RFC 8032 §7.1, test 2.
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_key_of_the_go_implementation_is_read_and_written():
    key = SigningKey.parse(GO_PRIVATE)
    assert key.public == PublicKey.parse(GO_PUBLIC)
    assert key.public.format() == GO_PUBLIC
    assert key.format() == GO_PRIVATE


def test_the_signature_is_that_of_rfc_8032():
    key = SigningKey("rfc", RFC_SEED)
    assert key.public.octets == RFC_PUBLIC
    assert key.sign(b"\x72") == RFC_SIGNATURE
    assert key.public.has_signed(b"\x72", RFC_SIGNATURE)
    assert not key.public.has_signed(b"\x73", RFC_SIGNATURE)
    assert not key.public.has_signed(b"\x72", RFC_SIGNATURE[:-1])


def test_a_second_spelling_of_a_signature_is_false():
    """RFC 8032 §5.1.7: S must be below the group's order L; S + L would verify with a careless check."""
    order = 2**252 + 27742317777372353535851937790883648493
    larger = int.from_bytes(RFC_SIGNATURE[32:], "little") + order
    assert not PublicKey("rfc", RFC_PUBLIC).has_signed(b"\x72", RFC_SIGNATURE[:32] + larger.to_bytes(32, "little"))


def test_the_key_id_is_the_cose_thumbprint():
    """RFC 9679 §3: SHA-256 over the deterministic encoding of kty, crv and x alone."""
    import hashlib

    plainly = bytes.fromhex("a3010120062158 20".replace(" ", "")) + RFC_PUBLIC
    assert cbor2.loads(plainly) == {1: 1, -1: 6, -2: RFC_PUBLIC}
    assert PublicKey("any", RFC_PUBLIC).kid == hashlib.sha256(plainly).digest()


def test_a_private_key_never_shows_itself():
    key = SigningKey.parse(GO_PRIVATE)
    assert key.seed.hex() not in repr(key)
    assert "AYEKF" not in repr(key)
    with pytest.raises(KeyRefused) as refused:
        SigningKey.parse(GO_PRIVATE.replace("c74f20a3", "c74f20a4"))
    assert "AYEKF" not in str(refused.value)


@pytest.mark.parametrize("line", [GO_PRIVATE, GO_PUBLIC])
def test_a_mistyped_key_is_noticed(line):
    reader = SigningKey.parse if line == GO_PRIVATE else PublicKey.parse
    for at in range(len(line)):
        if line[at] in "=":
            continue
        wrong = line[:at] + ("B" if line[at] != "B" else "C") + line[at + 1 :]
        with pytest.raises(KeyRefused):
            reader(wrong)


@pytest.mark.parametrize("name", ["", "two words", "plus+sign", "line\n", "tab\t"])
def test_a_name_that_a_signed_note_cannot_carry_is_refused(name):
    with pytest.raises(KeyRefused):
        PublicKey(name, bytes(32))


@given(st.text(max_size=120))
def test_no_text_makes_the_key_readers_fail_in_another_way(text):
    for reader in (PublicKey.parse, SigningKey.parse):
        for start in ("", "PRIVATE+KEY+", "a+00000000+"):
            try:
                reader(start + text)
            except OpenceirError:
                continue


def test_the_refusal_of_a_key_can_be_written_down_whatever_its_name():
    """Found by the fuzzer: half a surrogate pair, which JSON can escape, has no UTF-8."""
    with pytest.raises(KeyRefused) as refused:
        PublicKey.parse("\ud800+00000000+AAAA")
    assert b"ud800" in str(refused.value).encode()
