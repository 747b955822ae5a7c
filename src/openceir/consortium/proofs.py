"""Proofs out of a running consortium: headers that lead from what is trusted to now, and receipts under them."""

import time
from datetime import datetime, timedelta

from openceir.consortium.errors import ConsortiumError, NotReached
from openceir.consortium.rpc import NodeClient
from openceir.ledger import ProofRefused
from openceir.ledger.comet import LightBlock
from openceir.ledger.ordered_receipt import ChainTrust, OrderedProof, make_ordered_receipt, verify_ordered_receipt
from openceir.statements import SignedStatement

__all__ = ["follow", "receipt_of", "trust_now"]

_PAUSE = 0.2


def follow(client: NodeClient, trust: ChainTrust, height: int) -> tuple[LightBlock, ...]:
    """The headers that lead from `trust` to the block of that height: one, or as many as validators changed.

    Raises: ProofRefused when the node's headers do not lead there; NotReached.
    """
    known: list[LightBlock] = []
    wanted = [client.light_block(height)]
    while wanted:
        block = wanted[-1]
        try:
            trust.verify([*known, block])
        except ProofRefused:
            last = known[-1].header.height if known else trust.height
            if block.header.height <= last + 1:
                raise
            wanted.append(
                client.light_block((last + block.header.height) // 2 if block.header.height > last + 2 else last + 1)
            )
            continue
        known.append(block)
        wanted.pop()
    return tuple(known)


def trust_now(
    client: NodeClient, trust: ChainTrust, *, now: datetime | None = None, trust_period: timedelta | None = None
) -> ChainTrust:
    """The validators of the last block, reached from those that are trusted: to be trusted from now on.

    Raises: ProofRefused, NotReached.
    """
    height = client.height()
    blocks = follow(client, trust, height)
    header = trust.verify(blocks, now=now, trust_period=trust_period)
    if header.validators_hash != header.next_validators_hash:
        raise ConsortiumError(f"the validators change after block {height}; ask again in a moment")
    return ChainTrust(trust.chain_id, blocks[-1].validators, height - 1, header.time.moment)


def receipt_of(
    client: NodeClient,
    index: int,
    trust: ChainTrust,
    *,
    statement: SignedStatement | None = None,
    wait: float = 10.0,
) -> bytes:
    """The receipt file of an entry, verified before it is given out.

    `statement`: the statement as it was signed, to disclose what it says. A public entry always discloses it.
    Raises: NotReached when there is no such entry, or no header over it after `wait` seconds; ProofRefused.
    """
    entry = client.entry(index)
    if entry is None:
        raise NotReached(f"there is no entry {index} in the book of the node at {client.address}")
    height, octets, disclosed = entry[1], entry[3], tuple(entry[4:])
    if statement is not None:
        if statement.octets != octets:
            raise ProofRefused(f"entry {index} is not the statement that was given")
        disclosed = (statement.salt, statement.payload)
    until = time.monotonic() + wait
    while (signed_at := client.height()) <= max(height, 1):  # the header after a block carries its app_hash
        if time.monotonic() > until:
            raise NotReached(f"no header covers block {height} yet; are more than two thirds of the nodes running?")
        time.sleep(_PAUSE)
    blocks = follow(client, trust, signed_at)
    proof = client.proof(index, signed_at - 1)
    if proof is None:
        raise NotReached(f"the node at {client.address} keeps nothing of block {signed_at - 1}; ask again")
    _, size, _, path, state_root, members_root = proof
    made = OrderedProof(size, index, tuple(path), state_root, members_root, blocks)
    file = make_ordered_receipt(octets, made, disclose=(disclosed[0], disclosed[1]) if disclosed else None)
    verify_ordered_receipt(file, trust)
    return file
