"""What we ask of a running node through the engine's JSON-RPC: to order a statement, and to prove where it stands.

Nothing that a node answers is believed without proof but its progress (`status`), which is for people to read.
Source: CometBFT 0.38, rpc/openapi.
"""

import base64
import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Final

from openceir.consortium.errors import ConsortiumError, NotReached
from openceir.consortium.transaction import write_transaction
from openceir.ledger import ProofRefused, hash_leaf
from openceir.ledger.comet import LightBlock
from openceir.statements import Refusal, SignedStatement, StatementRefused, read_canonical, write_canonical

__all__ = ["NodeClient", "Ordered"]

_MOST_OCTETS: Final = 64 << 20
_PAUSE: Final = 0.1
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Ordered:
    """Where a statement stands in the consortium's book."""

    index: int
    height: int
    leaf_hash: bytes


class NodeClient:
    """Asks one node. Waits for at most `timeout` seconds for an answer."""

    def __init__(self, address: str, timeout: float = 10.0) -> None:
        """`address`: host:port of the engine's RPC."""
        self.address = address.removeprefix("tcp://").removeprefix("http://")
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def call(self, method: str, **parameters: object) -> Any:
        """The result of a method. Raises: NotReached, ConsortiumError with the engine's own words."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        for is_last in (False, True):  # the engine closes connections that were idle
            connection = self._connection or http.client.HTTPConnection(self.address, timeout=self._timeout)
            is_fresh, self._connection = self._connection is None, None
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                read = answer.read(_MOST_OCTETS)
                break
            except (OSError, http.client.HTTPException) as wrong:
                connection.close()
                if is_fresh or is_last:
                    raise NotReached(f"the node at {self.address} does not answer: {wrong}; is it running?") from wrong
        self._connection = connection
        try:
            said = json.loads(read)
        except (ValueError, RecursionError) as wrong:
            raise NotReached(f"what answers at {self.address} is no node of a consortium") from wrong
        if not isinstance(said, dict) or "result" not in said:
            error = said.get("error", {}) if isinstance(said, dict) else {}
            raise ConsortiumError(
                f"the node refuses {method}: {error.get('data') or error.get('message') or 'no word why'}"
            )
        return said["result"]

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # -- saying --------------------------------------------------------------------------------------------------

    def submit(self, signed: SignedStatement, *, wait: float = 30.0) -> Ordered:
        """Where the statement stands, once a block with it is on this node's disk.

        Raises: StatementRefused; NotReached when it is not in a block after `wait` seconds: it may still enter.
        """
        self.hand_over(write_transaction(signed))
        leaf_hash = hash_leaf(signed.octets)
        return self.wait_for(leaf_hash, wait)

    def wait_for(self, leaf_hash: bytes, wait: float = 30.0) -> Ordered:
        """Where the statement of this leaf hash stands, once it does. Raises: NotReached after `wait` seconds."""
        until = time.monotonic() + wait
        while (found := self.find(leaf_hash)) is None and time.monotonic() < until:
            time.sleep(_PAUSE)
        if found is None:
            raise NotReached(
                f"the statement is not in a block after {wait:g} s; it may still enter: are more than two thirds of "
                "the nodes running? To submit it again is harmless"
            )
        return found

    def hand_over(self, transaction: bytes) -> None:
        """Give a transaction to the node's pool, and do not wait for it. Raises: StatementRefused, NotReached."""
        try:
            said = self.call("broadcast_tx_sync", tx=base64.b64encode(transaction).decode())
        except NotReached:
            raise
        except ConsortiumError as wrong:
            if "already exists in cache" in str(wrong):
                return  # it waits, or it stands in the book
            raise
        if said["code"] and said["code"] != Refusal.DUPLICATE:
            raise StatementRefused(said["log"] or Refusal(said["code"]).name, Refusal(said["code"]))

    def find(self, leaf_hash: bytes) -> Ordered | None:
        """Where the statement of this leaf hash stands, or None."""
        found = self._asked("/entry", leaf_hash)
        return None if found is None else Ordered(found[0], found[1], leaf_hash)

    # -- asking --------------------------------------------------------------------------------------------------

    def head(self) -> dict[str, Any]:
        """Where the node stands. Raises: NotReached, also when it has no book yet."""
        found = self._asked("/head", b"")
        if found is None:
            raise NotReached(f"the node at {self.address} has no book yet; is it still syncing?")
        read: dict[str, Any] = found
        return read

    def status(self) -> dict[str, Any]:
        """What the engine says of itself and of its peers."""
        said = self.call("status")
        said["n_peers"] = int(self.call("net_info")["n_peers"])
        read: dict[str, Any] = said
        return read

    def entry(self, index: int) -> list[Any] | None:
        """[index, height, seconds, signed octets (, salt, payload)], or None."""
        found: list[Any] | None = self._asked("/entry", write_canonical(index))
        return found

    def proof(self, index: int, height: int) -> list[Any] | None:
        """[height, size, index, path, state root, members root] after the block of that height."""
        found: list[Any] | None = self._asked("/proof", write_canonical(index), height)
        return found

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The hashes that show that the log of `new` entries continues that of `old`."""
        found: list[bytes] | None = self._asked("/consistency", write_canonical([old, new]))
        return found or []

    def members(self) -> bytes:
        """The members as `Governance.read` reads them."""
        found: bytes | None = self._asked("/members", b"")
        if found is None:
            raise NotReached(f"the node at {self.address} has no book yet")
        return found

    def height(self) -> int:
        """The engine's last block."""
        return int(self.call("status")["sync_info"]["latest_block_height"])

    def light_block(self, height: int) -> LightBlock:
        """A header with its commit and validators, not verified. Raises: ProofRefused, NotReached."""
        commit = self.call("commit", height=str(height))
        validators: list[Any] = []
        while True:
            page = self.call(
                "validators", height=str(height), page=str(len(validators) // _PAGE + 1), per_page=str(_PAGE)
            )
            validators += page["validators"]
            if len(validators) >= int(page["total"]) or not page["validators"]:
                break
        return LightBlock.from_json(commit, validators)

    def _asked(self, path: str, data: bytes, height: int = 0) -> Any:
        """An answer of our own application, or None when there is none."""
        said = self.call("abci_query", path=path, data=data.hex(), height=str(height), prove=False)["response"]
        if said.get("code"):
            return None
        try:
            return read_canonical(base64.b64decode(said.get("value") or ""), "the node's answer")
        except (StatementRefused, ValueError) as wrong:
            raise ProofRefused(f"the node at {self.address} answers what cannot be read") from wrong
