"""National homes that follow a consortium's book at their own nodes, and ask each other's doors within this process."""

import httpx

from openceir import clock
from openceir.abroad.peer import Peer
from openceir.abroad.shared_book import NodeOrderer, SharedFollower
from openceir.app import open_register
from openceir.consortium import NodeClient, NodeFolder
from openceir.http import make_federation_application
from openceir.ledger import Governance
from openceir.settings import Settings
from openceir.storage.key_files import write_signing_key

COUNTS = """
[[foreign]]
name = "thefts of our neighbour count as our own"
nations = ["XA"]
claims = ["stolen"]
effect = "counts"
source = "Made-up treaty, article 4"
"""


def policy(home, nation, more=""):
    (home / "policy").mkdir(parents=True, exist_ok=True)
    (home / "policy" / "country.toml").write_text(f'[country]\nname = "{nation}"\nnation = "{nation}"\n{more}')


def joined(home, node_path):
    """The register in `home`, let into the consortium of this node's folder as `openceir consortium join-home` does."""
    there, register = NodeFolder(node_path), open_register(home)
    key, client = there.member_key(), NodeClient(there.rpc)
    member = Governance.read(client.members()).members.find(key.name)
    client.close()
    write_signing_key(home / "keys" / f"{key.name}.key", key)
    line = next(one for one in member.keys if one.public.octets == key.public.octets)
    register.change_members(register.members.with_key(member.id, line, member.roles))
    register.join_consortium(there.rpc, member.id, there.trust())
    return register


class Home:
    """One member's home, opened anew."""

    def __init__(self, home):
        self.path, self.register = home, open_register(home)
        self.member = self.register.shared.member
        self.client = NodeClient(self.register.shared.node, timeout=20)
        self.register.orderer = NodeOrderer(self.register, self.client, clock.now, wait=120)

    def round(self, *others):
        """One round, with the doors of these other homes to ask."""
        peers = {}
        for other in others:
            transport = httpx.WSGITransport(make_federation_application(other, Settings()))
            member = open_register(other).shared.member
            peers[member] = Peer(httpx.Client(base_url=f"https://{member}.example", transport=transport), member)
        return SharedFollower(self.register, self.client, peers, clock.now).round()
