"""Several nations' registers that watch each other: mirrors, proofs of forks, who counts, what is shared, who did what.

Pure: what is fetched from others comes in as octets, and goes to shelves through ports. Sockets are in `abroad/`.
"""

from openceir.federation.errors import FederationError, LogStale, ProofOfForkRefused
from openceir.federation.figures import READ_KINDS, CreditRule, MemberFigures, Told, figures_of
from openceir.federation.fork import ForkProof, signed_by_any
from openceir.federation.governing import (
    Governed,
    founded,
    governance_of,
    log_keys,
    log_keys_of,
    witness_keys,
)
from openceir.federation.judging import Judge, Verdict, is_to_come
from openceir.federation.mirror import Mirror
from openceir.federation.sharing import Shares

__all__ = [
    # who belongs to it
    "Governed",
    "founded",
    "governance_of",
    "log_keys",
    "log_keys_of",
    "witness_keys",
    # following a log
    "ForkProof",
    "Judge",
    "Mirror",
    "Verdict",
    "is_to_come",
    "signed_by_any",
    # what goes where
    "Shares",
    # who did what
    "CreditRule",
    "MemberFigures",
    "READ_KINDS",
    "Told",
    "figures_of",
    # when it goes wrong
    "FederationError",
    "LogStale",
    "ProofOfForkRefused",
]
