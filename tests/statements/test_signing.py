import hashlib
from datetime import UTC, datetime, timedelta

import cbor2
import pytest
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.errors import OpenceirError
from openceir.statements import (
    DeviceBlocked,
    DeviceSet,
    KeyOutOfDate,
    MemberKey,
    Members,
    Role,
    Sign1,
    SignedStatement,
    SigningKey,
    StatementRefused,
    sign,
    verify_header,
    verify_statement,
)
from openceir.statements._cbor import read_canonical, read_octets

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
KEY = SigningKey("police-1", bytes(range(32)))


def pem_of(public):
    return Ed25519PublicKey.from_public_bytes(public.octets).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def test_another_implementation_accepts_the_statement(signed, police_key):
    """scitt-cose knows nothing of us; it reads issuer, kind and key id and checks the signature."""
    read = scitt_cose.parse_signed_statement(signed.octets, public_key_pem=pem_of(police_key.public))
    assert read["signature_verified"] is True
    assert (read["issuer"], read["subject"], read["alg"]) == ("cc-police", "device-stolen/1", "EdDSA")


def test_the_headers_are_those_of_the_hash_envelope(signed, police_key):
    """RFC 9995: 258 names the digest, 259 what was digested; then 3 must not stand. RFC 9597: 15 holds CWT claims."""
    tag = cbor2.loads(signed.octets)
    protected, unprotected, payload, _ = tag.value
    assert tag.tag == 18
    assert cbor2.loads(protected) == {
        1: -8,
        4: police_key.public.kid,
        15: {1: "cc-police", 2: "device-stolen/1", 6: int(NOON.timestamp())},
        258: -16,
        259: "application/vnd.openceir.salted+cbor",
    }
    assert not unprotected
    assert payload == hashlib.sha256(b"0123456789abcdef" + signed.payload).digest()


def test_what_was_signed_is_read_back(signed, members, theft):
    assert verify_statement(signed, members, at=NOON) == theft
    assert SignedStatement.read(signed.write()) == signed


def test_no_octet_of_the_signed_part_can_change(signed, members):
    for at in range(len(signed.octets)):
        changed = bytearray(signed.octets)
        changed[at] ^= 1
        with pytest.raises(StatementRefused):
            verify_header(bytes(changed), members, at=NOON)


def test_no_octet_of_salt_or_payload_can_change(signed, members):
    for name in ("salt", "payload"):
        good = getattr(signed, name)
        for at in range(len(good)):
            changed = bytearray(good)
            changed[at] ^= 1
            parts = {"octets": signed.octets, "salt": signed.salt, "payload": signed.payload} | {name: bytes(changed)}
            with pytest.raises(StatementRefused, match="not the one that was signed"):
                verify_statement(SignedStatement(**parts), members, at=NOON)


def test_octets_cannot_move_from_payload_to_salt(signed, members):
    """The digest runs over both: only the fixed length of the salt keeps them apart."""
    moved = SignedStatement(signed.octets, signed.salt + signed.payload[:1], signed.payload[1:])
    with pytest.raises(StatementRefused, match="salt"):
        verify_statement(moved, members, at=NOON)


def test_a_second_spelling_of_the_envelope_is_refused(signed, members):
    """Another leaf that says the same would let a statement be replayed."""
    message = cbor2.loads(signed.octets)
    protected, _, payload, signature = message.value
    for other in (
        cbor2.dumps(cbor2.CBORTag(18, [protected, {9: b""}, payload, signature])),
        cbor2.dumps([protected, {}, payload, signature]),
        b"\xd8\x12" + signed.octets[1:],  # tag 18 in two octets
        signed.octets + b"\x00",
        cbor2.dumps(cbor2.CBORTag(18, cbor2.CBORTag(18, [protected, {}, payload, signature]))),
    ):
        with pytest.raises(StatementRefused):
            verify_header(other, members, at=NOON)


def signed_with_headers(headers, payload=bytes(32)):
    return Sign1.sign(cbor2.dumps(headers, canonical=True), payload, KEY).write()


GOOD = {
    1: -8,
    4: KEY.public.kid,
    15: {1: "cc-police", 2: "device-stolen/1", 6: int(NOON.timestamp())},
    258: -16,
    259: "application/vnd.openceir.salted+cbor",
}


@pytest.mark.parametrize(
    "headers",
    [
        GOOD | {1: -7},
        GOOD | {258: -43},
        GOOD | {259: "text/plain"},
        GOOD | {2: [1]},
        GOOD | {4: KEY.public.kid[:8]},
        GOOD | {15: GOOD[15] | {6: -1}},
        GOOD | {15: GOOD[15] | {4: 0}},
        GOOD | {15: {1: "cc-police", 2: "device-stolen/1"}},
        {label: value for label, value in GOOD.items() if label != 258},
    ],
    ids=["alg", "digest", "content type", "crit", "kid", "before 1970", "another claim", "no time", "no envelope"],
)
def test_another_header_is_refused_even_if_truly_signed(headers, members):
    verify_header(signed_with_headers(GOOD), members, at=NOON)
    with pytest.raises(StatementRefused):
        verify_header(signed_with_headers(headers), members, at=NOON)


def test_a_payload_in_place_of_the_digest_is_refused(members):
    with pytest.raises(StatementRefused, match="digest"):
        verify_header(signed_with_headers(GOOD, payload=b"00100100000001"), members, at=NOON)


def test_a_statement_that_is_too_long_is_not_even_decoded(members):
    with pytest.raises(StatementRefused, match="4096"):
        verify_header(bytes(5000), members, at=NOON)


def test_mallory_is_refused(theft, members):
    mallory = SigningKey("mallory", bytes(32))
    with pytest.raises(StatementRefused, match="no member"):
        verify_statement(sign(theft, mallory, issuer="cc-police", stated_at=NOON, salt=bytes(16)), members, at=NOON)


def test_a_member_cannot_speak_in_another_s_name(theft, members):
    bob = SigningKey("bob", bytes(32))
    both = members.with_key("bob", MemberKey(bob.public, NOON), [Role.POLICE])
    with pytest.raises(StatementRefused, match="but the key is bob's"):
        verify_statement(sign(theft, bob, issuer="cc-police", stated_at=NOON, salt=bytes(16)), both, at=NOON)


def test_a_role_that_may_not_say_it_is_refused(members, police_key):
    said = DeviceBlocked(devices=DeviceSet.of("00100100000001"), blocked_at=NOON, grounds="g")
    signed = sign(said, police_key, issuer="cc-police", stated_at=NOON, salt=bytes(16))
    with pytest.raises(StatementRefused, match="for court, regulator"):
        verify_statement(signed, members, at=NOON)


def test_a_statement_from_the_future_is_refused(signed, members):
    verify_statement(signed, members, at=NOON - timedelta(minutes=5))
    with pytest.raises(StatementRefused, match="future"):
        verify_statement(signed, members, at=NOON - timedelta(minutes=6))


def test_a_key_counts_only_in_its_time_and_a_stolen_one_cannot_backdate(theft, members, police_key):
    revoked = members.with_revoked("cc-police", NOON + timedelta(days=1))
    before = sign(theft, police_key, issuer="cc-police", stated_at=NOON, salt=bytes(16))
    verify_statement(before, revoked, at=NOON)
    with pytest.raises(KeyOutOfDate):
        verify_statement(before, revoked, at=NOON + timedelta(days=1))
    young = Members().with_key("cc-police", MemberKey(police_key.public, NOON + timedelta(1)), [Role.POLICE])
    with pytest.raises(KeyOutOfDate):
        verify_statement(before, young, at=NOON + timedelta(2))


def test_signing_refuses_a_salt_that_could_be_guessed(theft, police_key):
    with pytest.raises(StatementRefused, match="salt"):
        sign(theft, police_key, issuer="cc-police", stated_at=NOON, salt=b"")


@given(st.binary(max_size=300))
def test_no_octets_make_the_readers_fail_in_another_way(octets):
    for reader in (lambda o: verify_header(o, Members(), at=NOON), SignedStatement.read):
        for start in (b"", b"\xd2\x84"):
            try:
                reader(start + octets)
            except OpenceirError:
                continue


SIGNED = sign(
    DeviceBlocked(devices=DeviceSet.of("00100100000001"), blocked_at=NOON, grounds="g"),
    KEY, issuer="cc-police", stated_at=NOON, salt=bytes(16),
).write()  # fmt: skip


@settings(max_examples=300)
@given(st.integers(0, len(SIGNED) - 1), st.integers(0, len(SIGNED)), st.binary(max_size=6))
def test_no_spliced_statement_makes_the_readers_fail_in_another_way(start, end, between):
    members = Members().with_key("cc-police", MemberKey(KEY.public, NOON), [Role.REGULATOR])
    spliced = SIGNED[:start] + between + SIGNED[end:]
    try:
        said = verify_statement(SignedStatement.read(spliced), members, at=NOON)
    except OpenceirError:
        return
    assert spliced == SIGNED, said


CBOR_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary(max_size=30) | st.text(max_size=26),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=26) | st.integers(-30, 30) | st.binary(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(CBOR_VALUES, st.booleans())
def test_the_quick_look_at_the_order_of_maps_accepts_what_the_slow_one_does(value, is_canonical):
    """Written canonically or in any order: what is read is accepted exactly when the canonical spelling is the same."""
    octets = cbor2.dumps(value, canonical=is_canonical)
    try:
        expected = cbor2.dumps(cbor2.loads(octets), canonical=True) == octets
    except Exception:
        return  # what cbor2 itself cannot write again
    try:
        read_canonical(octets, "a value")
        found = True
    except StatementRefused:
        found = False
    assert found == expected


@settings(max_examples=200)
@given(st.binary(max_size=70_000) | st.integers(0, 300).map(bytes), st.binary(max_size=5), st.binary(max_size=5))
def test_an_octet_string_is_read_by_hand_as_cbor2_reads_it(octets, before, after):
    written = cbor2.dumps(octets)
    assert read_octets(before + written + after, len(before)) == (octets, len(before) + len(written))
    if len(octets):
        with pytest.raises(ValueError, match="octet string"):
            read_octets(written[:-1], 0)


@pytest.mark.parametrize(
    "longer", ["5803aabbcc", "590003aabbcc", "5a00000003aabbcc", "5b0000000000000003aabbcc", "5f43aabbccff", "63616263"]
)
def test_a_longer_spelling_of_an_octet_string_is_refused(longer):
    with pytest.raises(ValueError, match="shortest"):
        read_octets(bytes.fromhex(longer), 0)
