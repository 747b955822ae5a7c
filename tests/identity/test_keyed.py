"""Digests that match and cannot be read back."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import InvalidDigestKey, keyed_digest

KEY = bytes(range(32))


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    """RFC 2104 §2, from its definition."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block) + message).digest()
    return hashlib.sha256(bytes(octet ^ 0x5C for octet in block) + inner).digest()


@given(st.text())
def test_the_digest_is_hmac_sha_256_cut_to_sixteen_octets(text):
    message = b"openceir keyed digest 1\0device\0" + text.encode("utf-8", "surrogatepass")
    assert keyed_digest(KEY, text) == hmac_by_hand(KEY, message)[:16]


def test_key_text_and_domain_all_count():
    digests = {
        keyed_digest(KEY, "00100100000001"),
        keyed_digest(KEY, "00100100000002"),
        keyed_digest(KEY[::-1], "00100100000001"),
        keyed_digest(KEY, "00100100000001", domain="imsi"),
    }
    assert len(digests) == 4


def test_a_short_key_is_refused_without_showing_it():
    with pytest.raises(InvalidDigestKey, match="has 5") as refused:
        keyed_digest(b"12345", "00100100000001")
    assert "12345" not in str(refused.value)
