"""What may be asked of a node through the engine's `abci_query`; answers are canonical CBOR.

    /head                              {chain, height, size, root, app_hash, name, quorum, snapshot}
    /entry        leaf hash or index   [index, height, seconds, signed octets (, salt, payload)]
    /proof        index                [height, size, index, path, state root, members root]: with the header of a later
                                       block, a proof that needs no trust in the node. `height` picks the block after which.
    /consistency  [old size, new size] the hashes of the proof
    /members                           the members, proposals and quorum, as `Governance.read` reads them

A question that cannot be answered has a code and a sentence; it never harms the node.
"""

from typing import TYPE_CHECKING, Any, Final

from openceir.ledger import LedgerError
from openceir.statements import StatementRefused, read_canonical, write_canonical

if TYPE_CHECKING:
    from openceir.consortium.application import Application

__all__ = ["answer_query"]

NOT_FOUND: Final = 1
NOT_UNDERSTOOD: Final = 2


class _Refused(Exception):
    """A question without an answer."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def answer_query(application: "Application", asked: Any, answer: Any) -> None:
    """Fill in the answer to a question."""
    try:
        reader = _READERS.get(asked.path)
        if reader is None:
            raise _Refused(NOT_UNDERSTOOD, f"there is no {asked.path[:60]!r}; ask one of {', '.join(_READERS)}")
        answer.value = write_canonical(reader(application, asked))
    except _Refused as refused:
        answer.code, answer.log = refused.code, str(refused)
    except (LedgerError, StatementRefused) as wrong:
        answer.code, answer.log = NOT_UNDERSTOOD, str(wrong)


def _head(application: "Application", asked: Any) -> object:
    machine = application.machine
    if machine.governance is None:
        raise _Refused(NOT_FOUND, "this node has no book yet")
    return {
        "chain": application.chain_id,
        "height": application.height,
        "size": application.size,
        "root": machine.tree.root(application.size),
        "app_hash": application.app_hash,
        "name": machine.governance.name,
        "quorum": machine.governance.quorum,
        "snapshot": application.log.newest_snapshot(),
    }


def _entry(application: "Application", asked: Any) -> object:
    if len(asked.data) == 32:
        index = application.machine.find(asked.data)
    else:
        index = _number(read_canonical(asked.data, "an index"))
    if index is None or index >= application.size:
        raise _Refused(NOT_FOUND, "no such entry stands in the log")
    [entry] = application.log.entries(index, index + 1)
    return [index, entry.height, int(entry.time.timestamp()), entry.octets, *(entry.disclosed or ())]


def _proof(application: "Application", asked: Any) -> object:
    index = _number(read_canonical(asked.data, "an index"))
    height = asked.height or application.height
    block = application.log.block(height)
    if block is None or height > application.height:
        raise _Refused(NOT_FOUND, f"this node keeps nothing of block {height}")
    path = application.machine.tree.inclusion_proof(index, block.size)
    return [height, block.size, index, path, block.state_root, block.members_root]


def _consistency(application: "Application", asked: Any) -> object:
    match read_canonical(asked.data, "two sizes"):
        case [int(old), int(new)] if 0 <= old <= new <= application.size:
            return application.machine.tree.consistency_proof(old, new)
    raise _Refused(NOT_UNDERSTOOD, f"a consistency proof is asked with two sizes, ascending, up to {application.size}")


def _members(application: "Application", asked: Any) -> object:
    if application.machine.governance is None:
        raise _Refused(NOT_FOUND, "this node has no book yet")
    return application.machine.governance.write()


def _number(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise _Refused(NOT_UNDERSTOOD, "an index is a number from 0 on")
    return value


_READERS: Final = {
    "/head": _head,
    "/entry": _entry,
    "/proof": _proof,
    "/consistency": _consistency,
    "/members": _members,
}
