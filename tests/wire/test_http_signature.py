"""Signed requests: the document's own example, and everything that must not pass."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from openceir.wire.http_signature import RequestUnsigned, Signed, sign_request, signature_base, verify_request

KEY = SigningKey(bytes(range(32)))
AT = 1_800_000_000
GET = Signed("GET", "bb.example:8075", "/payloads", "log=aa&from=0")
POST = Signed("POST", "bb.example:8075", "/add-checkpoint", "", b"old 0\n")


def has_signed(key_id, message, signature):
    try:
        KEY.verify_key.verify(message, signature)
    except BadSignatureError:
        return False
    return key_id == "k1"


def test_the_example_of_the_document_verifies():
    """RFC 9421 appendix B.2.6: an Ed25519 signature over a request; key of B.1.4."""
    public = base64.b64decode("MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")[-32:]
    parameters = (
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"'
    )
    base = signature_base(
        [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("@method", "POST"),
            ("@path", "/foo"),
            ("@authority", "example.com"),
            ("content-type", "application/json"),
            ("content-length", "18"),
        ],
        parameters,
    )
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    assert VerifyKey(public).verify(base, signature) == base


def test_the_digest_of_a_body_is_the_documents():
    """RFC 9530 appendix D / RFC 9421 B.2: {"hello": "world"}."""
    fields = sign_request(Signed("POST", "example.com", "/foo", "", b'{"hello": "world"}'), "k1", signed_by(KEY), AT)
    assert fields["Content-Digest"] == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"


def signed_by(key):
    return lambda message: key.sign(message).signature


@pytest.mark.parametrize("asked", [GET, POST])
@pytest.mark.parametrize("late", [-300, 0, 300])
def test_a_signed_request_is_its_senders(asked, late):
    assert verify_request(asked, sign_request(asked, "k1", signed_by(KEY), AT), has_signed, AT + late) == "k1"


@pytest.mark.parametrize(
    "other",
    [
        Signed("POST", GET.authority, GET.path, GET.query),
        Signed("GET", "cc.example:8075", GET.path, GET.query),
        Signed("GET", GET.authority, "/forks", GET.query),
        Signed("GET", GET.authority, GET.path, "log=aa&from=1"),
        Signed("GET", GET.authority, GET.path, GET.query, b""),
    ],
)
def test_a_signature_counts_for_its_own_request_only(other):
    with pytest.raises(RequestUnsigned):
        verify_request(other, sign_request(GET, "k1", signed_by(KEY), AT), has_signed, AT)


@pytest.mark.parametrize("late", [-301, 301, 10**9])
def test_an_old_signature_counts_no_more(late):
    with pytest.raises(RequestUnsigned, match="too long ago"):
        verify_request(GET, sign_request(GET, "k1", signed_by(KEY), AT), has_signed, AT + late)


@pytest.mark.parametrize(
    "change",
    [
        {"Signature-Input": ""}, {"Signature": ""}, {"Signature": "sig=:AAAA:"},
        {"Signature-Input": 'sig=("@method");created=1800000000;keyid="k1"'},
        {"Signature-Input": 'sig=("@method" "@authority" "@path" "@query");keyid="k1"'},
        {"Signature": "sig=:" + "A" * 86 + "==:"},
    ],
)  # fmt: skip
def test_a_request_without_a_whole_signature_is_refused(change):
    with pytest.raises(RequestUnsigned):
        verify_request(GET, sign_request(GET, "k1", signed_by(KEY), AT) | change, has_signed, AT)


def test_another_body_under_the_same_signature_is_refused():
    fields = sign_request(POST, "k1", signed_by(KEY), AT)
    changed = Signed(POST.method, POST.authority, POST.path, POST.query, b"old 1\n")
    with pytest.raises(RequestUnsigned):
        verify_request(changed, fields, has_signed, AT)
    with pytest.raises(RequestUnsigned):
        digest = sign_request(changed, "k1", signed_by(KEY), AT)["Content-Digest"]
        verify_request(changed, fields | {"Content-Digest": digest}, has_signed, AT)


def test_a_key_that_nobody_knows_signs_for_nobody():
    with pytest.raises(RequestUnsigned, match="no key that counts"):
        verify_request(GET, sign_request(GET, "k2", signed_by(KEY), AT), has_signed, AT)


@given(st.text(max_size=200), st.text(max_size=120))
def test_any_text_in_the_fields_is_refused_in_words(stated, signature):
    with pytest.raises(RequestUnsigned):
        verify_request(GET, {"Signature-Input": stated, "Signature": signature}, has_signed, AT)
