from datetime import UTC, datetime

import cbor2
import pytest
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.errors import OpenceirError
from openceir.ledger import MerkleLog, ProofRefused, Receipt, hash_leaf, make_receipt, verify_receipt
from openceir.statements import (
    DeviceSet,
    DeviceStolen,
    MemberKey,
    Members,
    Role,
    SigningKey,
    StatementRefused,
    sign,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOG_KEY = SigningKey("openceir/test", bytes([7]) * 32)
POLICE = SigningKey("police-1", bytes(range(32)))
MEMBERS = Members().with_key("cc-police", MemberKey(POLICE.public, NOON), [Role.POLICE])
THEFT = DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=NOON, case_number="N-7")
SIGNED = sign(THEFT, POLICE, issuer="cc-police", stated_at=NOON, salt=b"0123456789abcdef")


def log_of(size, index):
    tree = MerkleLog()
    tree.extend(hash_leaf(SIGNED.octets if n == index else bytes([n])) for n in range(size))
    return tree


def file_of(size=11, index=6, disclose=True):
    receipt = Receipt.make(log_of(size, index), index, LOG_KEY, at=NOON)
    return make_receipt(SIGNED.octets, receipt, disclose=(SIGNED.salt, SIGNED.payload) if disclose else None)


def test_a_stranger_sees_what_was_said_where_and_by_whom():
    shown = verify_receipt(file_of(), LOG_KEY.public, MEMBERS)
    assert shown.said == THEFT
    assert (shown.receipt.index, shown.receipt.size, shown.header.issuer) == (6, 11, "cc-police")
    assert shown.root == log_of(11, 6).root()
    assert shown.signer_checked


def test_a_receipt_can_keep_what_was_said_to_itself():
    octets = file_of(disclose=False)
    assert SIGNED.payload not in octets
    shown = verify_receipt(octets, LOG_KEY.public)
    assert (shown.said, shown.signer_checked) == (None, False)


@pytest.mark.parametrize(("size", "index"), [(1, 0), (2, 1), (7, 6), (8, 0), (33, 32), (70, 41)])
def test_another_implementation_accepts_the_receipt(size, index):
    """scitt-cose takes the receipt out of header 394 and verifies it under the log's key (RFC 9942)."""
    pem = Ed25519PublicKey.from_public_bytes(LOG_KEY.public.octets).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    [receipt] = scitt_cose.extract_receipts(file_of(size, index))
    result = scitt_cose.verify_receipt(receipt, leaf_entry_hex=SIGNED.octets.hex(), log_public_key_pem=pem)
    assert result.ok, result.errors
    assert (result.tree_size, result.leaf_index, result.root) == (size, index, log_of(size, index).root().hex())
    assert result.issuer == "openceir/test"


def test_no_octet_of_a_receipt_file_can_change():
    for octets in (file_of(), file_of(size=3, index=0)):
        for at in range(len(octets)):
            for bit in (1, 128):
                changed = bytearray(octets)
                changed[at] ^= bit
                with pytest.raises((ProofRefused, StatementRefused)):
                    verify_receipt(bytes(changed), LOG_KEY.public, MEMBERS)


def test_the_size_of_the_log_cannot_be_changed_although_the_root_stays():
    """Entry 0 of 3 and entry 0 of 4 fold alike: RFC 9942 alone would accept either size."""
    receipt = Receipt.make(log_of(3, 0), 0, LOG_KEY, at=NOON)
    proof = cbor2.loads(receipt.message.unprotected[396][-1][0])
    forged = Receipt.read(receipt.write()).message
    forged.unprotected[396][-1][0] = cbor2.dumps([4, *proof[1:]], canonical=True)
    with pytest.raises(ProofRefused, match="another place"):
        Receipt.read(forged.write())


def test_the_receipt_of_another_statement_does_not_fit():
    other = sign(THEFT, POLICE, issuer="cc-police", stated_at=NOON, salt=b"fedcba9876543210")
    receipt = Receipt.make(log_of(11, 6), 6, LOG_KEY, at=NOON)
    with pytest.raises(ProofRefused, match="does not fit"):
        verify_receipt(make_receipt(other.octets, receipt), LOG_KEY.public)


def test_the_receipt_of_another_log_is_refused():
    with pytest.raises(ProofRefused, match="is of the log"):
        verify_receipt(file_of(), SigningKey("openceir/other", bytes([7]) * 32).public)
    with pytest.raises(ProofRefused, match="was changed"):
        verify_receipt(file_of(), SigningKey("openceir/test", bytes([8]) * 32).public)


def test_a_bare_statement_is_no_receipt():
    with pytest.raises(ProofRefused, match="bare statement"):
        verify_receipt(SIGNED.octets, LOG_KEY.public)


def test_a_receipt_outlives_the_key_that_signed_the_statement():
    """Judged by when it was stated: an old statement stays provable when its key has run out."""
    ended = Members().with_key("cc-police", MemberKey(POLICE.public, NOON, NOON.replace(hour=13)), [Role.POLICE])
    receipt = Receipt.make(log_of(3, 1), 1, LOG_KEY, at=NOON.replace(year=2030))
    assert verify_receipt(make_receipt(SIGNED.octets, receipt), LOG_KEY.public, ended).signer_checked


FILE = file_of()


@settings(max_examples=300)
@given(st.integers(0, len(FILE)), st.integers(0, len(FILE)), st.binary(max_size=12))
def test_no_spliced_receipt_is_accepted_or_fails_in_another_way(start, end, between):
    spliced = FILE[:start] + between + FILE[end:]
    try:
        verify_receipt(spliced, LOG_KEY.public, MEMBERS)
    except OpenceirError:
        return
    assert spliced == FILE
