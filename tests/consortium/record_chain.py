"""Record what a real chain signed over a change of validators: python tests/consortium/record_chain.py > FILE."""

import json
import tempfile
from pathlib import Path

from tests.consortium.network import Network, engine, until

from openceir import clock
from openceir.consortium.speaking import approval, removal, say
from openceir.ledger import Governance


def main():
    with tempfile.TemporaryDirectory() as out:
        network = Network(Path(out), engine(), heartbeat_seconds=1).start().up()
        try:
            network.submit()
            governance = Governance.read(network.nodes[0].client.members())
            said = removal("xd", governance, clock.now(), open_days=1, grounds="G-1")
            proposal = network.submit(signed=say(said, network.nodes[0].folder.member_key(), clock.now()))
            for by in (1, 2):
                network.nodes[by].client.wait_for(proposal.leaf_hash)
                network.submit(
                    by, say(approval(proposal.leaf_hash), network.nodes[by].folder.member_key(), clock.now())
                )
            client = network.nodes[0].client
            until(lambda: len(client.call("validators")["validators"]) == 3, "the change of validators")
            last = client.height() + 3
            until(lambda: client.height() >= last, "two more blocks")
            blocks = [
                {
                    "commit": client.call("commit", height=str(height)),
                    "validators": client.call("validators", height=str(height), per_page="100")["validators"],
                }
                for height in range(1, last + 1)
            ]
            print(json.dumps({"engine": "CometBFT 0.38.26", "blocks": blocks}, separators=(",", ":")))
        finally:
            network.stop()


if __name__ == "__main__":
    main()
