import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.ledger import ProofRefused
from openceir.ledger.vrf import TokenKey, verify_token

# RFC 9381 appendix B.3, examples 16 and 17: seed, public key, alpha, pi, beta
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f479d9727d2d0f9b005"
        "a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805",
        "90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d03450451af026798e8f81cd2e33"
        "3de5cdf4f3e140fdd8ae",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92a465301b3bbf5e3e"
        "54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02",
        "eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70a848a0bef4553a41"
        "befc57663b56373a5031",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("seed", "public", "text", "proof", "token"), VECTORS)
def test_tokens_and_proofs_are_those_of_rfc_9381(seed, public, text, proof, token):
    key = TokenKey(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.prove(bytes.fromhex(text)).hex() == proof
    assert key.token(bytes.fromhex(text)).hex() == token
    assert verify_token(key.public, bytes.fromhex(text), bytes.fromhex(proof)).hex() == token


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 639))
def test_a_changed_proof_shows_nothing(text, bit):
    key = TokenKey(bytes(range(32)))
    proof = key.prove(text)
    assert verify_token(key.public, text, proof) == key.token(text)
    broken = bytearray(proof)
    broken[bit // 8] ^= 1 << bit % 8
    for public, asked, shown in [
        (key.public, text, bytes(broken)),
        (key.public, text + b"0", proof),
        (TokenKey(bytes(32)).public, text, proof),
    ]:
        with pytest.raises(ProofRefused):
            verify_token(public, asked, shown)


@pytest.mark.parametrize("small", [b"\x01" + bytes(31), bytes(32), b"\xec" + b"\xff" * 30 + b"\x7f"])
def test_a_key_of_small_order_is_refused_since_all_its_tokens_are_alike(small):
    """RFC 9381 §5.6.1."""
    with pytest.raises(ProofRefused):
        verify_token(small, b"imei:00100100000001", TokenKey(bytes(32)).prove(b"x"))


def test_a_token_key_never_shows_its_secret():
    assert repr(TokenKey(b"\x07" * 32)) == "TokenKey()"
