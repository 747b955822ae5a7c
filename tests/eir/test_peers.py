"""Who may connect."""

from ipaddress import ip_address

import pytest

from openceir.eir import PolicyRefused
from openceir.eir.peers import ANYBODY, find_rule, read_peers

HERE, ELSEWHERE = ip_address("192.0.2.7"), ip_address("198.51.100.7")
RULES = read_peers(
    """
    [[peer]]
    host = "mme*.example"
    realm = "example"
    addresses = ["192.0.2.0/24", "2001:db8::/32"]

    [[peer]]
    host = "dra.example"
    certificate = "*.carrier.example"
    several_links = true
    """,
    "peers.toml",
)


@pytest.mark.parametrize(
    ("host", "realm", "address", "names", "number"),
    [
        ("mme1.example", "example", HERE, None, 0),
        ("MME1.Example", "EXAMPLE", HERE, None, 0),
        ("mme1.example", "example", ip_address("2001:db8::1"), None, 0),
        ("mme1.example", "example", ELSEWHERE, None, None),
        ("mme1.example", "other", HERE, None, None),
        ("hss.example", "example", HERE, None, None),
        ("mme1.example", "example", HERE, ["mme1.example"], 0),
        ("mme1.example", "example", HERE, ["mme2.example"], None),  # TLS: the name in the certificate is the host's
        ("mme1.example", "example", HERE, [], None),
        ("dra.example", "any", ELSEWHERE, ["n1.carrier.example"], 1),
        ("dra.example", "any", ELSEWHERE, ["dra.example"], None),
        ("dra.example", "any", ELSEWHERE, None, None),  # a certificate is wanted and there is no TLS
    ],
)
def test_a_peer_is_let_in_by_name_realm_address_and_certificate(host, realm, address, names, number):
    rule = find_rule(RULES, host, realm, address, names)
    assert rule is (None if number is None else RULES[number])


def test_without_rules_anybody_may_connect():
    assert find_rule(ANYBODY, "x", "y", ELSEWHERE, None) is ANYBODY[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected \\[\\[peer\\]\\]"),
        ("[peer]\nhost = 'x'", "expected"),
        ("[[peer]]\nrealm = 'x'", "has no host"),
        ("[[peer]]\nhost = 'x'\ncolour = 1", "`colour` is not known"),
        ("[[peer]]\nhost = 5", "host must be a str"),
        ("[[peer]]\nhost = 'x'\naddresses = ['192.0.2.1/24']", "host bits"),
        ("[[peer]", "not TOML"),
        ("other = 1\n[[peer]]\nhost = 'x'", "nothing else"),
    ],
)
def test_a_misspelt_rule_stops_the_start(text: str, says: str):
    with pytest.raises(PolicyRefused, match=says):
        read_peers(text, "peers.toml")
