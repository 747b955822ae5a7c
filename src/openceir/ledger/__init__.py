"""The ledger: an append-only book of signed statements that can be checked by anyone and rewritten by nobody.

ledger.append([signed], at=…)         # durable on return, under a signed checkpoint
ledger.entries(from_index)            # what views are built from
ledger.receipt(index, at=…)           # a file that a stranger verifies offline with verify_receipt
audit(blocks, payloads, members, …)   # read everything again and believe nothing
"""

from openceir.ledger.audit import Audit, audit
from openceir.ledger.check_receipt import CheckReceipt
from openceir.ledger.checkpoint import Checkpoint, SignedCheckpoint
from openceir.ledger.cosignature import WitnessKey, cosign
from openceir.ledger.engine import Entry, Ledger, LoggedStatement
from openceir.ledger.errors import BookMoved, Duplicate, LedgerBroken, LedgerBusy, LedgerError, ProofRefused
from openceir.ledger.governance import GOVERNING, Governance, Proposal
from openceir.ledger.log_policy import LogPolicy
from openceir.ledger.log_proof import LogProof
from openceir.ledger.machine import MOST_IN_BLOCK, Applied, BlockTaken, Checked, Disclosed, Machine, app_hash_of
from openceir.ledger.merkle import (
    EMPTY_ROOT,
    MerkleLog,
    hash_leaf,
    root_of_inclusion,
    verify_consistency,
    verify_inclusion,
)
from openceir.ledger.ports import Block, BlockHead, BlockShelf, LogKey, Payload, PayloadShelf
from openceir.ledger.receipt import Receipt, VerifiedReceipt, make_receipt, verify_receipt
from openceir.ledger.state_map import BucketProof, StateMap
from openceir.ledger.state_proof import (
    CommittedState,
    Held,
    VerifiedState,
    read_held,
    token_text,
    verify_state,
    write_held,
)
from openceir.ledger.tiles import (
    TILE_WIDTH,
    Tile,
    bundles_between,
    read_bundle,
    read_tile,
    tile_octets,
    write_bundle,
)
from openceir.ledger.vrf import TokenKey, verify_token
from openceir.ledger.witness import AddCheckpoint, WitnessAnswer, judge

__all__ = [
    # what is said of a device, or nothing
    "BucketProof",
    "CommittedState",
    "Held",
    "StateMap",
    "TokenKey",
    "VerifiedState",
    "read_held",
    "token_text",
    "verify_state",
    "verify_token",
    "write_held",
    # the book
    "Entry",
    "Ledger",
    "LoggedStatement",
    "Audit",
    "audit",
    # proofs
    "Checkpoint",
    "EMPTY_ROOT",
    "MerkleLog",
    "CheckReceipt",
    "Receipt",
    "SignedCheckpoint",
    "VerifiedReceipt",
    "hash_leaf",
    "make_receipt",
    "root_of_inclusion",
    "verify_consistency",
    "verify_inclusion",
    "verify_receipt",
    # among several: tiles, witnesses, and whom to believe
    "AddCheckpoint",
    "LogPolicy",
    "LogProof",
    "TILE_WIDTH",
    "Tile",
    "WitnessAnswer",
    "WitnessKey",
    "bundles_between",
    "cosign",
    "judge",
    "read_bundle",
    "read_tile",
    "tile_octets",
    "write_bundle",
    # under every engine
    "Applied",
    "BlockTaken",
    "Checked",
    "Disclosed",
    "GOVERNING",
    "Governance",
    "MOST_IN_BLOCK",
    "Proposal",
    "Machine",
    "app_hash_of",
    # shelves
    "Block",
    "BlockHead",
    "BlockShelf",
    "LogKey",
    "Payload",
    "PayloadShelf",
    # when it goes wrong
    "Duplicate",
    "BookMoved",
    "LedgerBroken",
    "LedgerBusy",
    "LedgerError",
    "ProofRefused",
]
