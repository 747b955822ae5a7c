"""Who may ask: peers by the pattern of their Origin-Host, by address and by certificate.

    [[peer]]
    host = "*.epc.mnc001.mcc001.3gppnetwork.org"    # Origin-Host of the CER; * and ? as in a shell
    realm = "epc.mnc001.mcc001.3gppnetwork.org"     # optional, a pattern too
    addresses = ["192.0.2.0/28"]                    # optional: the transport must come from here
    certificate = "*.mnc001.mcc001.example"         # optional: a name in the peer's certificate; over TLS its
                                                    # default is the Origin-Host itself
    several_links = false                           # whether this host may hold more than one link

Identities are domain names and compare without regard to case.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

from openceir.eir.errors import PolicyRefused

__all__ = ["ANYBODY", "PeerRule", "find_rule", "read_peers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerRule:
    """One peer, or many that look alike."""

    host: str = "*"
    realm: str = "*"
    addresses: tuple[IPv4Network | IPv6Network, ...] = ()  # empty: from anywhere
    certificate: str | None = None
    several_links: bool = False

    def admits(
        self, host: str, realm: str, address: IPv4Address | IPv6Address, certificate_names: Collection[str] | None
    ) -> bool:
        """Whether this rule lets the peer in; `certificate_names` is None on a link without TLS."""
        if not fnmatchcase(host.lower(), self.host.lower()) or not fnmatchcase(realm.lower(), self.realm.lower()):
            return False
        if not self.reaches(address):
            return False
        if certificate_names is None:
            return self.certificate is None
        wanted = (self.certificate or host).lower()
        return any(fnmatchcase(name.lower(), wanted) for name in certificate_names)

    def reaches(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether such a peer may come from this address."""
        return not self.addresses or any(address in network for network in self.addresses)


ANYBODY = (PeerRule(several_links=True),)


def find_rule(
    rules: Collection[PeerRule],
    host: str,
    realm: str,
    address: IPv4Address | IPv6Address,
    certificate_names: Collection[str] | None,
) -> PeerRule | None:
    """The first rule that lets the peer in, None when none does."""
    return next((rule for rule in rules if rule.admits(host, realm, address, certificate_names)), None)


def read_peers(text: str, origin: str) -> tuple[PeerRule, ...]:
    """The rules that a TOML text says.

    Raises: PolicyRefused at a word that is not understood, or when no peer is named at all.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise PolicyRefused(f"{origin} is not TOML: {wrong}") from None
    rows = said.pop("peer", [])
    if said or not isinstance(rows, list) or not rows:
        raise PolicyRefused(f"{origin}: expected [[peer]] tables and nothing else")
    return tuple(_read_rule(row, number, origin) for number, row in enumerate(rows, 1))


def _read_rule(row: Mapping[str, Any], number: int, origin: str) -> PeerRule:
    where = f"{origin}: peer {number}"
    known: dict[str, type] = {"host": str, "realm": str, "addresses": list, "certificate": str, "several_links": bool}
    for name, value in row.items():
        if name not in known:
            raise PolicyRefused(f"{where}: `{name}` is not known; known are {', '.join(known)}")
        if not isinstance(value, known[name]):
            raise PolicyRefused(f"{where}: {name} must be a {known[name].__name__}")
    if "host" not in row:
        raise PolicyRefused(f'{where} has no host; write host = "*" to mean anybody')
    try:
        networks = tuple(ip_network(each) for each in row.get("addresses", []))
    except (ValueError, TypeError) as wrong:
        raise PolicyRefused(f"{where}: {wrong}") from None
    return PeerRule(
        host=row["host"],
        realm=row.get("realm", "*"),
        addresses=networks,
        certificate=row.get("certificate"),
        several_links=row.get("several_links", False),
    )
