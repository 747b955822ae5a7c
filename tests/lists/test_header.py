"""The header binds the rows, and one signature by a known key covers both."""

import dataclasses
import json
import shutil
import subprocess

import pytest

from openceir.lists import Base, ListHeader, NotAList, Outcome, WrongListKey, read_header, verify_signature
from openceir.statements import SigningKey

KEY = SigningKey("lists", bytes(32))
PUBLIC = KEY.public
FULL = ListHeader(
    kind="blocklist",
    operator="northtel",
    sequence=7,
    made_at="2027-03-01T04:00:00Z",
    as_of_on="2027-03-01",
    columns=("imei", "block_date", "reasons"),
    rows=0,
    octets=25,
    sha256="aa" * 32,
    policy_sha256="bb" * 32,
    ledger_size=12,
    ledger_root="cc" * 32,
    signed_by=PUBLIC.format(),
)
DELTA = dataclasses.replace(
    FULL,
    columns=("imei", "block_date", "reasons", "change"),
    base=Base(sequence=6, sha256="dd" * 32),
    result=Outcome(rows=3, octets=99, sha256="ee" * 32, signature="11" * 64),
)


def test_a_header_is_one_line_of_json_with_sorted_keys():
    octets = FULL.to_octets()
    assert octets.endswith(b"}\n")
    assert octets.count(b"\n") == 1
    fields = json.loads(octets)
    assert list(fields) == sorted(fields)
    assert fields["format"] == "openceir-list/1"


@pytest.mark.parametrize("header", [FULL, DELTA])
def test_a_header_reads_back_as_written(header):
    assert read_header(header.to_octets(), "a.json") == header


def test_the_names_of_the_files_say_operator_kind_and_sequence():
    assert FULL.file_stem == "northtel_blocklist_000007"
    assert DELTA.file_stem == "northtel_blocklist_000007_from_000006"


def test_a_delta_knows_the_header_of_the_full_list_it_leads_to():
    assert DELTA.of_result() == dataclasses.replace(FULL, rows=3, octets=99, sha256="ee" * 32)


def changed(**fields):
    return json.dumps(json.loads(DELTA.to_octets()) | fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"not json",
        b"[]",
        b"[" * 100_000,
        b'{"format":"openceir-list/2"}\n',
        b'{"format":"openceir-list/1"}\n',
        FULL.to_octets().replace(b",", b", "),
        FULL.to_octets()[:-1],
        changed(sequence=True),
        changed(sequence="7"),
        changed(rows=-1),
        changed(kind="whitelist"),
        changed(operator="../../etc"),
        changed(sha256="AA" * 32),
        changed(signed_by="lists"),
        changed(signed_by=7),
        changed(base=None),
        changed(base={"sequence": 7, "sha256": "dd" * 32}),
        changed(columns=["imei"]),
        changed(columns=7),
        changed(surprise=1),
    ],
)
def test_what_is_not_exactly_a_header_is_refused(octets):
    with pytest.raises(NotAList):
        read_header(octets, "a.json")


def test_a_signature_by_the_trusted_key_is_accepted_and_no_other():
    octets = FULL.to_octets()
    signature = KEY.sign(octets)
    verify_signature(octets, signature, PUBLIC, "a.json")
    mallory = SigningKey("lists", b"\x07" * 32)
    for message, by, key in [
        (octets + b" ", signature, PUBLIC),
        (octets, signature, mallory.public),
        (octets, mallory.sign(octets), PUBLIC),
        (octets, b"", PUBLIC),
    ]:
        with pytest.raises(WrongListKey):
            verify_signature(message, by, key, "a.json")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed: nothing to compare with")
def test_openssl_accepts_the_signature_as_docs_say(tmp_path):
    """An operator can check a list with what his machines have already; docs/start/operator-lists.md shows this."""
    octets = FULL.to_octets()
    (tmp_path / "x.json").write_bytes(octets)
    (tmp_path / "x.sig").write_bytes(KEY.sign(octets))
    # RFC 8410 §4: SubjectPublicKeyInfo of an Ed25519 key is this prefix and the 32 octets.
    (tmp_path / "key.der").write_bytes(bytes.fromhex("302a300506032b6570032100") + PUBLIC.octets)
    command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in x.json -sigfile x.sig"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr
