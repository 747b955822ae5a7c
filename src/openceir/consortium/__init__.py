"""The consortium: several authorities' nodes keep one book in one order, with a Byzantine consensus engine between them.

found(out, plan)                     # folders of nodes that work
run_node(folder, engine, open_)      # engine and application as one
NodeClient("127.0.0.1:26657")        # to submit, to ask and to prove
receipt_of(client, index, trust)     # a file that a stranger verifies offline
"""

from openceir.consortium.application import APP_VERSION, Application
from openceir.consortium.audit import BookAudit, audit_book
from openceir.consortium.ceremony import FoundingFile, gather, make_keys, read_card, settle
from openceir.consortium.engine import ENGINE_VERSION, find_engine
from openceir.consortium.errors import ConsortiumError, EngineMissing, NodeRefused, NotReached
from openceir.consortium.founding import Joining, Place, Plan, Running, StateSync, found, join
from openceir.consortium.genesis import Genesis, Imported, MovedEntry, read_moved, write_moved
from openceir.consortium.layout import NodeFolder
from openceir.consortium.node import open_application, run_node
from openceir.consortium.proofs import follow, receipt_of, trust_now
from openceir.consortium.rpc import NodeClient, Ordered
from openceir.consortium.transaction import read_transaction, write_transaction

__all__ = [
    # a node
    "APP_VERSION",
    "Application",
    "ENGINE_VERSION",
    "NodeFolder",
    "BookAudit",
    "audit_book",
    "find_engine",
    "open_application",
    "run_node",
    # how it begins
    "FoundingFile",
    "Genesis",
    "Imported",
    "Joining",
    "MovedEntry",
    "Place",
    "Plan",
    "Running",
    "StateSync",
    "found",
    "gather",
    "join",
    "make_keys",
    "read_card",
    "settle",
    "read_moved",
    "write_moved",
    # from outside
    "NodeClient",
    "Ordered",
    "follow",
    "receipt_of",
    "trust_now",
    "read_transaction",
    "write_transaction",
    # when it goes wrong
    "ConsortiumError",
    "EngineMissing",
    "NodeRefused",
    "NotReached",
]
