"""The light client, held against the engine's own unit tests (expected values) and against what a real engine signed.

comet_chain.json was recorded from four nodes of CometBFT v0.38.26 by tests/consortium/record_chain.py: headers, commits
and validator sets over a change of validators.
"""

import hashlib
from datetime import UTC, datetime

import pytest

from openceir.ledger.comet import BlockId, CometTime, Header, vote_sign_bytes

SEPTEMBER = CometTime.parse("2019-10-13T16:14:44Z")
YEAR_ONE = CometTime(-62135596800)  # Go's zero time, which its test signs


def _sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def test_a_header_has_the_hash_that_the_engine_computes():
    """types/block_test.go, TestHeaderHash."""
    header = Header(
        1, 2, "chainId", 3, SEPTEMBER, BlockId(bytes(32), 6, bytes(32)),
        tuple(_sha(f"{name}_hash") for name in (
            "last_commit", "data", "validators", "next_validators", "consensus", "app", "last_results", "evidence"
        )),
        hashlib.sha256(b"proposer_address").digest()[:20],
    )  # fmt: skip
    assert header.hash().hex().upper() == "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"


TIME = "2a 0b 08 80 92 b8 c3 98 fe ff ff ff 01"
HEIGHT_AND_ROUND = "11 0100000000000000 19 0100000000000000"


@pytest.mark.parametrize(
    ("chain", "kind", "height", "round_", "expected"),
    [
        ("", 0, 0, 0, f"0d {TIME}"),
        ("", 2, 1, 1, f"21 08 02 {HEIGHT_AND_ROUND} {TIME}"),
        ("", 1, 1, 1, f"21 08 01 {HEIGHT_AND_ROUND} {TIME}"),
        ("", 0, 1, 1, f"1f {HEIGHT_AND_ROUND} {TIME}"),
        ("test_chain_id", 0, 1, 1, f"2e {HEIGHT_AND_ROUND} {TIME} 32 0d 746573745f636861696e5f6964"),
    ],
)
def test_a_vote_is_signed_over_the_octets_that_the_engine_signs(chain, kind, height, round_, expected):
    """types/vote_test.go, TestVoteSignBytesTestVectors."""
    assert vote_sign_bytes(chain, kind, height, round_, None, YEAR_ONE) == bytes.fromhex(expected)


def test_a_time_keeps_its_nanoseconds():
    time = CometTime.parse("2026-11-28T09:31:16.815831561Z")
    assert time.nanos == 815831561
    assert time.moment == datetime(2026, 11, 28, 9, 31, 16, tzinfo=UTC)
    assert CometTime.parse("2026-11-28T09:31:16.5Z").nanos == 500_000_000
