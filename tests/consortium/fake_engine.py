"""What a consensus engine asks, in its order, without one: begins a chain, proposes, decides, commits, and after a
restart of the application brings it up from where it says it stands. Blocks are kept here as the engine keeps them.

Source: CometBFT 0.38, spec/abci/abci++_app_requirements.md (handshake: Info, then InitChain or the missing blocks).
"""

import hashlib
import json
from datetime import timedelta

from tests.consortium.times import NOON

from openceir.consortium import Application, NodeFolder, Place, Plan, found
from openceir.consortium.speaking import say
from openceir.statements import DeviceSet, DeviceStolen, SignedStatement
from openceir.storage.ordered_log import OrderedLog
from openceir.wire.abci import Request, enumeration, message

ACCEPT = enumeration("Verdict")["ACCEPT"]


class Country:
    """Folders of nodes whose engine is this file, and what their members say."""

    def __init__(self, out, names=("xa", "xb", "xc", "xd"), imported=None):
        self.plan = Plan(
            name="example/shared", members=names, places=[Place("127.0.0.1", 1, 2)] * len(names), at=NOON,
            quorum=len(names) // 2 + 1,
        )  # fmt: skip
        self.folders = [NodeFolder(path) for path in found(out, self.plan, imported)]
        self.said = 0

    def theft(self, by=0, at=NOON) -> SignedStatement:
        self.said += 1
        said = DeviceStolen(devices=DeviceSet.of(keys=[self.said]), stolen_at=NOON, case_number=f"N-{self.said}")
        return say(said, self.key(by), at)

    def key(self, by=0):
        return self.folders[by].member_key()


def opened(folder, on_step=lambda step, height: None, **options) -> Application:
    return Application(
        OrderedLog(folder.book), folder.chain_id, lambda: NOON, moved=folder.moved, on_step=on_step, **options
    )


class FakeEngine:
    """Orders blocks for any number of applications; each is brought up by `handshake`."""

    def __init__(self, folder):
        self.folder = folder
        self.blocks = []  # (time, txs) of height 1 and on
        self.results = []  # of FinalizeBlock, as octets, for each
        self.validators = {one.key: one.power for one in folder.first_validators()}

    def handshake(self, application) -> None:
        """Bring an application to the last block; what it answers again must be what was answered before."""
        info = application.handle(_request("info", version="0.38.26", abci_version="2.0.0")).info
        assert info.last_block_height <= len(self.blocks), "the application is ahead of the chain"
        if info.last_block_height == 0:
            self._begin(application)
        else:
            assert info.last_block_app_hash == self.app_hash(info.last_block_height)
        for height in range(info.last_block_height + 1, len(self.blocks) + 1):
            time, txs = self.blocks[height - 1]
            result = application.handle(self._block("finalize_block", height, time, txs)).finalize_block
            assert result.SerializeToString(deterministic=True) == self.results[height - 1], "a replay differs"
            application.handle(_request("commit"))

    def _begin(self, application) -> None:
        asked = Request()
        begin = asked.init_chain
        begin.chain_id, begin.initial_height = self.folder.chain_id, 1
        begin.time.seconds = int(NOON.timestamp())
        begin.app_state_bytes = json.dumps(self.folder.genesis.as_json()).encode()
        for one in self.folder.first_validators():
            begin.validators.add(power=one.power).pub_key.ed25519 = one.key
        application.handle(asked)

    def app_hash(self, height) -> bytes:
        return message("ResponseFinalizeBlock").FromString(self.results[height - 1]).app_hash

    def propose(self, application, txs, time):
        """The transactions that the application puts into a proposal."""
        asked = self._block("prepare_proposal", len(self.blocks) + 1, time, txs)
        asked.prepare_proposal.max_tx_bytes = 4 << 20
        return list(application.handle(asked).prepare_proposal.txs)

    def accepts(self, application, txs, time) -> bool:
        asked = self._block("process_proposal", len(self.blocks) + 1, time, txs)
        return application.handle(asked).process_proposal.status == ACCEPT

    def decide(self, txs, *applications, time=None):
        """A block of these transactions, applied and committed by each application; what the first answered."""
        height = len(self.blocks) + 1
        time = time or NOON + timedelta(seconds=height)
        answers = [
            application.handle(self._block("finalize_block", height, time, txs)).finalize_block
            for application in applications
        ]
        octets = [answer.SerializeToString(deterministic=True) for answer in answers]
        assert len(set(octets)) == 1, "two applications came to different states"
        self.blocks.append((time, list(txs)))
        self.results.append(octets[0])
        for update in answers[0].validator_updates:
            key = update.pub_key.ed25519
            assert update.power or key in self.validators, "the engine halts when a stranger is removed"
            self.validators[key] = update.power
        self.validators = {key: power for key, power in self.validators.items() if power}
        for application in applications:
            application.handle(_request("commit"))
        return answers[0]

    def _block(self, kind, height, time, txs):
        asked = Request()
        part = getattr(asked, kind)
        part.height = height
        part.time.seconds = int(time.timestamp())
        part.time.nanos = 123
        part.txs.extend(txs)
        if kind != "prepare_proposal":
            part.hash = hashlib.sha256(b"".join(txs) + bytes([height & 255])).digest()
        return asked


def check_tx(application, tx, *, again=False):
    asked = Request()
    asked.check_tx.tx = tx
    asked.check_tx.type = int(again)
    return application.handle(asked).check_tx


def query(application, path, data=b"", height=0):
    return application.handle(_request("query", path=path, data=data, height=height)).query


def _request(kind, **fields):
    asked = Request()
    part = getattr(asked, kind)
    part.SetInParent()
    for name, value in fields.items():
        setattr(part, name, value)
    return asked
