"""The light client, held against the engine's own unit tests (expected values) and against what a real engine signed.

comet_chain.json was recorded from four nodes of CometBFT v0.38.26 by tests/consortium/record_chain.py: headers, commits
and validator sets over a change of validators.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.cli._main import cli
from openceir.ledger import MerkleLog, ProofRefused, app_hash_of, hash_leaf
from openceir.ledger.comet import (
    BlockId,
    CometTime,
    Commit,
    CommitVote,
    Header,
    LightBlock,
    Validator,
    hash_validators,
    verify_chain,
    vote_sign_bytes,
)
from openceir.ledger.ordered_receipt import (
    ChainTrust,
    OrderedProof,
    is_ordered_receipt,
    make_ordered_receipt,
    verify_ordered_receipt,
)
from openceir.statements import (
    DeviceSet,
    DeviceStolen,
    MemberKey,
    Members,
    Role,
    SigningKey,
    StatementRefused,
    read_canonical,
    sign,
    write_canonical,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)

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


# -- what a real chain signed ------------------------------------------------------------------------------------------

CHAIN = json.loads(Path(__file__).with_name("comet_chain.json").read_text(encoding="utf-8"))["blocks"]
BLOCKS = [LightBlock.from_json(one["commit"], one["validators"]) for one in CHAIN]
ID = BLOCKS[0].header.chain_id
FIRST = BLOCKS[0].validators
LEFT = next(at for at, block in enumerate(BLOCKS) if len(block.validators) == 3)  # from here on three sign


def test_every_header_and_validator_set_has_the_hash_that_was_signed():
    for plain, block in zip(CHAIN, BLOCKS, strict=True):
        assert block.header.hash().hex().upper() == plain["commit"]["signed_header"]["commit"]["block_id"]["hash"]
        assert hash_validators(block.validators) == block.header.validators_hash
        block.verify(ID, block.header.validators_hash)


def test_headers_are_followed_one_by_one_over_a_change_of_validators():
    assert verify_chain(ID, FIRST, BLOCKS) == BLOCKS[-1].header


def test_a_gap_is_crossed_when_enough_of_those_trusted_signed_the_later_header():
    assert verify_chain(ID, FIRST, BLOCKS[-1:]) == BLOCKS[-1].header


def test_strangers_lead_nowhere():
    with pytest.raises(ProofRefused, match="too few"):
        verify_chain(ID, [Validator(bytes([9]) * 32, 30), FIRST[0]], BLOCKS[-1:])


def test_the_next_block_is_signed_by_those_whom_the_header_names():
    other = replace(BLOCKS[LEFT], header=replace(BLOCKS[LEFT].header, height=LEFT))
    with pytest.raises(ProofRefused):
        verify_chain(ID, FIRST, [*BLOCKS[: LEFT - 1], other])


def _resigned(block, keys):
    """The header signed by the holders of these seeds, who make up the whole set."""
    time = block.header.time
    votes = []
    for key in keys:
        message = vote_sign_bytes(ID, 2, block.header.height, 0, BlockId(block.header.hash(), 1, bytes(32)), time)
        votes.append(
            CommitVote(2, Validator(key.public.octets, 10).address, time, key.sign(message))
        )  # fmt: skip
    commit = Commit(block.header.height, 0, BlockId(block.header.hash(), 1, bytes(32)), tuple(votes))
    return replace(block, commit=commit, validators=tuple(Validator(key.public.octets, 10) for key in keys))


KEYS = [SigningKey(f"k{number}", bytes([number]) * 32) for number in range(4)]
OURS = tuple(Validator(key.public.octets, 10) for key in KEYS)


def _ours(present=4):
    header = replace(BLOCKS[2].header, hashes=(*BLOCKS[2].header.hashes[:2], hash_validators(OURS), *BLOCKS[2].header.hashes[3:]))  # fmt: skip
    signed = _resigned(replace(BLOCKS[2], header=header), KEYS)
    votes = tuple(
        vote if at < present else CommitVote(1, b"", CometTime(0), b"") for at, vote in enumerate(signed.commit.votes)
    )
    return replace(signed, commit=replace(signed.commit, votes=votes))


@pytest.mark.parametrize(("present", "is_enough"), [(4, True), (3, True), (2, False), (0, False)])
def test_more_than_two_thirds_must_have_signed(present, is_enough):
    if is_enough:
        _ours(present).verify(ID, hash_validators(OURS))
    else:
        with pytest.raises(ProofRefused, match="not more than two thirds"):
            _ours(present).verify(ID, hash_validators(OURS))


def test_one_vote_does_not_count_twice():
    block = _ours(1)
    twice = replace(block.commit, votes=block.commit.votes[:1] * 4)
    with pytest.raises(ProofRefused, match="twice"):
        replace(block, commit=twice).verify(ID, hash_validators(OURS))


CHANGES = {
    "app_hash": lambda b: replace(b, header=replace(b.header, hashes=(*b.header.hashes[:5], bytes(32), *b.header.hashes[6:]))),
    "time": lambda b: replace(b, header=replace(b.header, time=CometTime(b.header.time.seconds + 1, 0))),
    "chain": lambda b: replace(b, header=replace(b.header, chain_id="another")),
    "vote": lambda b: replace(b, commit=replace(b.commit, votes=(replace(b.commit.votes[0], signature=bytes(64)), *b.commit.votes[1:]))),
    "vote time": lambda b: replace(b, commit=replace(b.commit, votes=(replace(b.commit.votes[0], time=CometTime(1)), *b.commit.votes[1:]))),
    "round": lambda b: replace(b, commit=replace(b.commit, round=5)),
    "block": lambda b: replace(b, commit=replace(b.commit, block=BlockId(bytes(32), 1, bytes(32)))),
    "power": lambda b: replace(b, validators=(replace(b.validators[0], power=1000), *b.validators[1:])),
    "votes cut": lambda b: replace(b, commit=replace(b.commit, votes=b.commit.votes[:3])),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_header_or_commit_that_was_changed_shows_nothing(what):
    with pytest.raises(ProofRefused):
        verify_chain(ID, FIRST, [CHANGES[what](BLOCKS[1])])


def test_what_is_trusted_runs_out():
    time = BLOCKS[1].header.time.moment
    days = timedelta(days=1)
    verify_chain(ID, FIRST, BLOCKS[2:], trusted_at=(2, time), now=time + 13 * days, trust_period=14 * days)
    with pytest.raises(ProofRefused, match="older than the trust period"):
        verify_chain(ID, FIRST, BLOCKS[2:], trusted_at=(2, time), now=time + 15 * days, trust_period=14 * days)
    with pytest.raises(ProofRefused, match="of the future"):
        verify_chain(ID, FIRST, BLOCKS[2:], trusted_at=(2, time), now=time - days, trust_period=14 * days)


def test_a_light_block_has_one_plain_form():
    for block in BLOCKS:
        assert LightBlock.from_plain(read_canonical(write_canonical(block.plain()), "it")) == block


def test_a_receipt_rests_on_a_signed_header_and_nothing_else(tmp_path):
    """The recorded chain's header covers its own app_hash; another tree under it is refused."""
    signed = sign(
        DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=NOON, case_number="N-7"), KEYS[0], issuer="k0",
        stated_at=NOON, salt=bytes(16),
    )  # fmt: skip
    tree = MerkleLog()
    tree.extend([hash_leaf(b"other"), hash_leaf(signed.octets)])
    roots = (tree.root(), bytes([1]) * 32, bytes([2]) * 32)
    hashes = BLOCKS[2].header.hashes
    header = replace(BLOCKS[2].header, hashes=(*hashes[:2], hash_validators(OURS), hashes[3], hashes[4], app_hash_of(*roots), *hashes[6:]))  # fmt: skip
    block = _resigned(replace(BLOCKS[2], header=header), KEYS)
    proof = OrderedProof(2, 1, tuple(tree.inclusion_proof(1)), roots[1], roots[2], (block,))
    trust = ChainTrust(ID, OURS)
    file = make_ordered_receipt(signed.octets, proof, disclose=(signed.salt, signed.payload))
    assert is_ordered_receipt(file)
    shown = verify_ordered_receipt(file, trust)
    assert (shown.said.case_number, shown.root) == ("N-7", tree.root())
    for wrong in (
        replace(proof, index=0), replace(proof, size=3), replace(proof, state_root=bytes(32)),
        replace(proof, path=(bytes(32),)), replace(proof, blocks=(BLOCKS[1],)),
    ):  # fmt: skip
        with pytest.raises(ProofRefused):
            verify_ordered_receipt(make_ordered_receipt(signed.octets, wrong), trust)
    with pytest.raises(StatementRefused):
        verify_ordered_receipt(make_ordered_receipt(signed.octets, proof, disclose=(bytes(16), b"other")), trust)
    members = Members().with_key("k0", MemberKey(KEYS[0].public, NOON), [Role.POLICE])
    assert verify_ordered_receipt(file, trust, members).signer_checked
    path = tmp_path / "trust.json"
    path.write_text(trust.format())
    receipt = tmp_path / "r"
    receipt.write_bytes(file)
    done = CliRunner().invoke(cli, ["receipt", "verify", str(receipt), "--trust", str(path), "--json"])
    assert json.loads(done.stdout)["entry"] == 1
    assert CliRunner().invoke(cli, ["receipt", "verify", str(receipt), "--log-key", "x"]).exit_code == 2
