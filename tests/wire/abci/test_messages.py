"""Held against CometBFT's own types: every message, each field filled, as its Go code wrote it in octets and in JSON.

messages.json was made once by a program that fills `abci/types` of CometBFT v0.38.26 (and, for what came later, v0.40.0)
by reflection and marshals it: an implementation of ours took no part in it.
"""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from openceir.wire.abci import Request, Response
from openceir.wire.abci.messages import enumeration, message

VECTORS = json.loads(Path(__file__).with_name("messages.json").read_text(encoding="utf-8"))


def _kind(vector):
    return Request if vector["name"].startswith("Request_") else Response


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{v['name']} {v['engine']}" for v in VECTORS])
def test_a_message_of_the_engine_is_read_and_written_octet_for_octet(vector):
    octets = bytes.fromhex(vector["hex"])
    read = _kind(vector).FromString(octets)
    assert read.SerializeToString(deterministic=True) == octets
    assert json_format.ParseDict(vector["plain"], _kind(vector)(), descriptor_pool=read.DESCRIPTOR.file.pool) == read


@pytest.mark.parametrize("kind", [Request, Response])
def test_every_message_has_its_vector(kind):
    prefix = kind.DESCRIPTOR.name
    names = {v["name"].removeprefix(f"{prefix}_").lower() for v in VECTORS}
    for field in kind.DESCRIPTOR.fields:
        assert field.name.replace("_", "") in {name.replace("_", "") for name in names}, field.name


def test_a_field_that_we_do_not_know_is_kept_from_nobody():
    """A newer engine may send more; what we know must still be read."""
    later = Request()
    later.check_tx.tx = b"tx"
    octets = later.SerializeToString()
    inner = octets[2:] + bytes.fromhex("a206 03 6e6577".replace(" ", ""))  # field 100, "new"
    read = Request.FromString(octets[:1] + bytes([len(inner)]) + inner)
    assert read.check_tx.tx == b"tx"


def test_a_message_and_an_enumeration_are_found_by_name():
    assert message("Snapshot")(height=3).height == 3
    assert enumeration("OfferResult")["REJECT_FORMAT"] == 4
