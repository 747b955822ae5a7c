"""A founding in which every member makes its own keys, typed as members type it, and started with the real engine."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.consortium.network import NAMES, Node, engine, free_ports, until

from openceir import clock
from openceir.cli._main import cli
from openceir.consortium import ConsortiumError, FoundingFile, audit_book, read_card, settle
from openceir.consortium.speaking import say
from openceir.statements import DeviceSet, DeviceStolen, KeyRefused


def openceir(*words):
    done = CliRunner().invoke(cli, ["consortium", *map(str, words)])
    if done.exception is not None:
        raise done.exception
    return done.output


class Country:
    """A member's own machine: nothing of it but the card is ever read by another."""

    def __init__(self, folder: Path, name: str, port: int) -> None:
        self.name, self.node = name, folder / name / "node"
        openceir("keys", name, "--nation", name.upper(), "--port", port, "--out", self.node)
        self.card = self.node / f"{name}.card"


@pytest.fixture
def countries(tmp_path):
    first = free_ports(40)
    return [Country(tmp_path, name, first + 10 * at) for at, name in enumerate(NAMES)]


@pytest.fixture
def file(countries, tmp_path):
    """The founding as the first of them gathered it."""
    openceir("gather", *(one.card for one in countries), "--founder", countries[0].node, "--block-seconds", 0.1,
             "-o", tmp_path / "shared.founding")  # fmt: skip
    return tmp_path / "shared.founding"


@pytest.mark.slow
def test_four_members_found_a_consortium_and_no_private_key_leaves_its_machine(countries, file):
    program = engine()
    secret = {
        text
        for one in countries
        for path in (one.node / "keys").iterdir()
        for text in [path.read_text().split("+")[-1]]
    } | {json.loads((one.node / "config" / "node_key.json").read_text())["priv_key"]["value"] for one in countries}
    handed_over = file.read_text() + "".join(one.card.read_text() for one in countries)
    assert not any(one.strip() in handed_over for one in secret)
    said = [openceir("settle", one.node, file) for one in countries]
    assert len({text.splitlines()[-1] for text in said}) == 1, "one fingerprint for all"
    nodes = [Node(one.node, program) for one in countries]
    try:
        for node in nodes:
            node.start()
        for node in nodes:
            until(lambda n=node: n.head()["height"] >= 1, "the first block")
        theft = DeviceStolen(devices=DeviceSet.of(["00100100000001"]), stolen_at=clock.now(), case_number="N-7")
        place = nodes[3].client.submit(say(theft, nodes[3].folder.member_key(), clock.now()), wait=120)
        for node in nodes:
            until(lambda n=node: n.client.find(place.leaf_hash), "what a member said")
            audit_book(node.folder)
    finally:
        for node in nodes:
            if node.process is not None:
                node.stop()


def altered(path, change):
    plain = json.loads(path.read_text())
    change(plain)
    path.write_text(json.dumps(plain))
    return path


def test_a_card_that_its_keys_did_not_sign_is_refused(countries):
    mine, other = countries[0].card, json.loads(countries[1].card.read_text())
    for name in ("nation", "host", "p2p_port", "node", "peer"):
        changed = json.loads(mine.read_text()) | {name: other[name] if name != "host" else "example.org"}
        with pytest.raises(ConsortiumError, match=r"not signed by the keys|bear the member's name"):
            read_card(json.dumps(changed).encode())
    for octets in (b"", b"[]", b"{}", b"\xff", b"[" * 100_000, mine.read_bytes()[:-40]):
        with pytest.raises(ConsortiumError, match="no card"):
            read_card(octets)


def test_a_host_that_is_more_than_a_host_is_refused(countries):
    """It stands in a settings file of every other member."""
    for host in ('x"\npex = "true', "a,b", "", "x" * 300):
        with pytest.raises(ConsortiumError, match="no card"):
            read_card(json.dumps(json.loads(countries[0].card.read_text()) | {"host": host}).encode())


def test_a_founder_needs_a_card_of_its_own_and_no_key_twice(countries, tmp_path):
    with pytest.raises(ConsortiumError, match="none of the cards is of xa"):
        openceir("gather", countries[1].card, countries[2].card, "--founder", countries[0].node, "-o", tmp_path / "f")
    with pytest.raises(ConsortiumError, match="two cards name the same"):
        openceir("gather", countries[0].card, countries[0].card, "--founder", countries[0].node, "-o", tmp_path / "f")


def test_keys_are_not_made_over_others(countries):
    before = (countries[0].node / "config" / "priv_validator_key.json").read_bytes()
    with pytest.raises(KeyRefused, match="already; choose another name"):
        openceir("keys", "xa", "--out", countries[0].node)
    assert (countries[0].node / "config" / "priv_validator_key.json").read_bytes() == before


def test_who_is_not_in_the_founding_or_is_shown_another_one_does_not_settle(countries, file, tmp_path):
    stranger = Country(tmp_path / "elsewhere", "xa", 26656)
    with pytest.raises(ConsortiumError, match="does not name the keys of xa"):
        settle(stranger.node, FoundingFile.parse(file.read_bytes()))
    whole = FoundingFile.parse(file.read_bytes())
    shorter = FoundingFile(whole.genesis, whole.parts[:3], whole.block_seconds)
    assert shorter.fingerprint != whole.fingerprint
    with pytest.raises(ConsortiumError, match="other members or keys"):
        settle(countries[0].node, shorter)
    with pytest.raises(ConsortiumError, match="cannot be read"):
        settle(countries[0].node, FoundingFile("{}", whole.parts, 1.0))
    for octets in (b"{}", b"null", json.dumps({"genesis": "", "block_seconds": "no", "nodes": []}).encode()):
        with pytest.raises(ConsortiumError, match="no file"):
            FoundingFile.parse(octets)
    shutil.copytree(countries[1].node / "keys", countries[0].node / "keys", dirs_exist_ok=True)
    with pytest.raises(ConsortiumError, match="2 keys"):
        settle(countries[0].node, whole)
