"""Access tokens: what an NRF signed is taken for its time, and nothing else is (RFC 7515, RFC 8725, TS 29.510)."""

import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.wire.access_token import KeyRefused, ScopeInsufficient, TokenInvalid, TokenVerifier, read_key

from . import an_nrf as nrf
from .an_nrf import NOW, b64, claims, signed, token


def verifier(**how) -> TokenVerifier:
    keys = how.pop("keys", [nrf.EC_KEY, nrf.RSA_KEY])
    return TokenVerifier(
        [read_key(nrf.pem(key), "test") for key in keys],
        service="n5g-eir-eic",
        audience="5G_EIR",
        instance_id=nrf.US,
        **how,
    )


@pytest.mark.parametrize(("alg", "sign"), [("ES256", nrf.es256), ("RS256", nrf.rs256)])
def test_a_token_that_the_nrf_signed_says_who_asks(alg, sign):
    assert verifier().verify(token(alg, sign), NOW)[:2] == (nrf.NRF, nrf.AMF)


# RFC 7515 Appendix A.3: an ES256 signature that somebody else made, and the key it was made with.
RFC_7515_A3 = (
    "eyJhbGciOiJFUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)
X, Y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"


def test_the_signature_of_rfc_7515_is_found_good():
    """Its claims name no consumer: that is said only once the signature is found to be the key's."""
    from base64 import urlsafe_b64decode

    x, y = (int.from_bytes(urlsafe_b64decode(text + "="), "big") for text in (X, Y))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    ours = TokenVerifier([key], service="n5g-eir-eic", audience="5G_EIR", instance_id=nrf.US)
    with pytest.raises(TokenInvalid, match="names no consumer"):
        ours.verify(RFC_7515_A3, NOW)
    with pytest.raises(TokenInvalid, match="no NRF of ours"):
        verifier().verify(RFC_7515_A3, NOW)


@pytest.mark.parametrize(
    "bad",
    [
        token(header={"alg": "none"}, sign=lambda _: b""),
        token(header={"alg": "None"}, sign=lambda _: b""),
        token(header={}, sign=nrf.es256),
        token(header={"alg": "ES512"}),
        token(header={"alg": ["ES256"]}),
        token("RS256", nrf.es256),
        token("ES256", nrf.rs256),
        # RFC 8725 §2.1: the public key, which everybody has, taken for the secret of an HMAC
        token("HS256", lambda octets: hmac.digest(nrf.pem(nrf.RSA_KEY), octets, "sha256")),
        token(sign=lambda octets: nrf.es256(octets, ec.generate_private_key(ec.SECP256R1()))),
        token(sign=lambda octets: bytes(64)),  # r = s = 0
        token(sign=lambda octets: nrf.es256(octets)[:63]),
        token(sign=lambda octets: nrf.EC_KEY.sign(octets, ec.ECDSA(nrf.SHA256()))),  # DER, as libraries give it
        token(header={"alg": "ES256", "crit": ["b64"], "b64": False}),
    ],
)
def test_a_token_that_no_nrf_of_ours_signed_is_refused(bad):
    with pytest.raises(TokenInvalid):
        verifier().verify(bad, NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None}, {"exp": "2030"}, {"exp": True}, {"exp": 1e300}, {"exp": int(NOW.timestamp())}, {"exp": -1},
        {"nbf": int(NOW.timestamp()) + 60}, {"nbf": "soon"}, {"iss": None}, {"iss": ""}, {"iss": 7}, {"sub": None}, {"sub": {}},
    ],
)  # fmt: skip
def test_a_token_whose_claims_are_not_in_order_is_refused(changed):
    with pytest.raises(TokenInvalid):
        verifier().verify(token(**changed), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "AMF"}, {"aud": None}, {"aud": ["c0ffee00-0000-4000-8000-000000000002"]}, {"aud": []}, {"aud": {"5G_EIR": 1}},
        {"scope": "namf-comm"}, {"scope": None}, {"scope": "n5g-eir-eic-more"}, {"scope": ["n5g-eir-eic"]}, {"scope": ""},
    ],
)  # fmt: skip
def test_a_sound_token_for_another_service_is_told_from_a_bad_one(changed):
    with pytest.raises(ScopeInsufficient):
        verifier().verify(token(**changed), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [nrf.US]}, {"aud": [nrf.AMF, nrf.US.upper()]}, {"scope": "namf-comm n5g-eir-eic"},
        {"nbf": int(NOW.timestamp())}, {"exp": NOW.timestamp() + 0.5}, {"producerPlmnId": {"mcc": "001", "mnc": "01"}},
    ],
)  # fmt: skip
def test_claims_may_be_said_in_each_way_that_the_standard_allows(changed):
    assert verifier().verify(token(**changed), NOW).subject == nrf.AMF


def test_another_nrf_with_a_good_key_is_refused_when_issuers_are_named():
    named = verifier(issuers=[nrf.NRF])
    assert named.verify(token(), NOW).issuer == nrf.NRF
    with pytest.raises(TokenInvalid, match="another NRF"):
        named.verify(token(iss=nrf.AMF), NOW)


def test_a_remembered_token_ends_with_its_time():
    ours, sound = verifier(), token()
    for _ in range(2):
        ours.verify(sound, NOW + timedelta(minutes=4, seconds=59))
    with pytest.raises(TokenInvalid, match="expired"):
        ours.verify(sound, NOW + timedelta(minutes=5))
    assert len(ours) == 0


def test_a_remembered_token_is_not_verified_again_and_one_octet_more_is():
    """The key is taken away once the token is known: only memory can still say yes."""
    ours, sound = verifier(), token()
    ours.verify(sound, NOW)
    ours._keys = ()
    assert ours.verify(sound, NOW).subject == nrf.AMF
    with pytest.raises(TokenInvalid):
        ours.verify(sound[:-1] + ("A" if sound[-1] != "A" else "B"), NOW)


def test_strangers_cannot_fill_the_memory_and_friends_only_to_its_bound():
    ours = verifier(most_remembered=10)
    for number in range(30):
        with pytest.raises(TokenInvalid):
            ours.verify(token(sign=lambda _: bytes(64), jti=number), NOW)
    assert len(ours) == 0
    for number in range(30):
        ours.verify(token(jti=number), NOW)
        assert len(ours) <= 10


def test_expired_tokens_make_room_first():
    ours = verifier(most_remembered=4)
    lasting = token(jti="lasting")
    ours.verify(lasting, NOW)
    for number in range(3):
        ours.verify(token(jti=number, exp=int(NOW.timestamp()) + 1), NOW)
    ours.verify(token(jti="new"), NOW + timedelta(seconds=2))
    assert len(ours) == 2


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "...", "a.b", "a.b.c.d", "é.é.é", "a" * 9000, token() + "=", token().replace(".", "=.", 1),
        token() + ".", " " + token(), token().split(".")[0] + "..", "AAAB.AAAA.AAAA",
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused(text):
    with pytest.raises(TokenInvalid):
        verifier().verify(text, NOW)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b'{"alg":"none","alg":"ES256"}', json.dumps(claims()).encode()),
        (b'{"alg":"ES256"}', json.dumps(claims()).encode()[:-1] + b',"aud":"AMF"}'),
        (b'{"alg":"ES256"}', b"[1]"),
        (b'{"alg":"ES256"}', b'{"exp":NaN}'),
        (b'{"alg":"ES256"}', b'{"exp":Infinity}'),
        (b'{"alg":"ES256"}', b'{"exp":' + b"9" * 5000 + b"}"),
        (b'{"alg":"ES256"}', b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"),
        (b'{"alg":"ES256"}', b"\xff\xfe"),
        (b'{"alg":"ES256"}', b""),
    ],
)
def test_json_that_two_readers_may_read_differently_is_refused(head, body):
    with pytest.raises(TokenInvalid):
        verifier().verify(signed(head, body), NOW)


def test_stray_bits_at_the_end_of_a_part_are_refused():
    """RFC 4648 §3.5: one signature must not have several spellings, or a list of spent tokens means nothing."""
    head, body, signature = token().split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])  # 64 octets: four bits of the last letter are used, two are not
    for stray in (1, 2, 3):
        with pytest.raises(TokenInvalid, match="base64url"):
            verifier().verify(f"{head}.{body}.{signature[:-1]}{alphabet[last + stray]}", NOW)


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", f"Bearer  {token()} x", f"Token {token()}"])
def test_a_header_without_a_bearer_token_is_refused(header):
    with pytest.raises(TokenInvalid):
        verifier().verify_authorization(header, NOW)


def test_the_word_bearer_is_read_in_any_case():
    """RFC 9110 §11.1: the name of a scheme has no case."""
    assert verifier().verify_authorization(f"bEARER {token()}", NOW).subject == nrf.AMF


SOUND = token()


@settings(max_examples=150)
@given(at=st.integers(0, len(SOUND) - 1), octet=st.sampled_from("AZaz09-_.=+/ \x00é"))
def test_a_token_with_one_letter_changed_is_refused(at, octet):
    changed = SOUND[:at] + octet + SOUND[at + 1 :]
    if changed != SOUND:
        with pytest.raises((TokenInvalid, ScopeInsufficient)):
            verifier(keys=[nrf.EC_KEY]).verify(changed, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
said = st.dictionaries(
    st.sampled_from(["iss", "sub", "aud", "scope", "exp", "nbf", "alg", "crit"]), json_values, max_size=6
)


@settings(max_examples=150)
@given(head=st.just({"alg": "ES256"}) | said, body=said | json_values)
def test_no_signed_claims_raise_anything_but_a_refusal(head, body):
    """Signed by the right key: an NRF that says nonsense must not break the register."""
    octets = (json.dumps(head).encode(), json.dumps(body).encode())
    with pytest.raises((TokenInvalid, ScopeInsufficient)):
        verifier(keys=[nrf.EC_KEY]).verify(signed(*octets), NOW)


@given(st.text(max_size=60) | st.tuples(*[st.binary(max_size=20).map(b64)] * 3).map(".".join))
def test_no_text_raises_anything_but_a_refusal(text):
    with pytest.raises(TokenInvalid):
        verifier(keys=[nrf.EC_KEY]).verify(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        b"", b"no key", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        nrf.pem(ec.generate_private_key(ec.SECP384R1())), nrf.pem(rsa.generate_private_key(65537, 1024)),
    ],
)  # fmt: skip
def test_a_file_without_a_fitting_key_is_refused_and_named(text):
    with pytest.raises(KeyRefused, match=r"nrf\.pem"):
        read_key(text, "nrf.pem")
