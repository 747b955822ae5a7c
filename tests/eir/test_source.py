"""The register's lists become an index: what each row says, and which files are refused."""

import json
from datetime import date
from pathlib import Path

import pytest

from openceir.eir import Decider, DecisionPolicy, Overlay, Status, open_index
from openceir.eir.attributes import MAX_REASONS
from openceir.eir.decision import DECISIONS
from openceir.eir.source import ListRefused, build_from_lists, read_lists
from openceir.errors import OpenceirError
from openceir.lists import KINDS, ListHeader, format_rows
from openceir.statements import SigningKey

from .conftest import ALICE, ALICES_PHONE, BOB, ISSUED_AT, SIGNER

TODAY = date(2027, 3, 1)
PHONE = "00100100000001"


def write_list(
    folder: Path, kind: str, *rows: tuple[str, ...], key: SigningKey | None = None, sequence: int = 9
) -> Path:
    """A list as the register delivers it; with its header and signature when a key is given."""
    import hashlib

    path = folder / f"operator-a_{kind}_{sequence:06d}.csv"
    octets = b"".join(format_rows(KINDS[kind].columns, sorted(rows)))
    path.write_bytes(octets)
    if key:
        header = ListHeader(
            kind=kind, operator="operator-a", sequence=sequence, made_at="2027-03-01T00:00:00Z", as_of_on="2027-03-01",
            columns=KINDS[kind].columns, rows=len(rows), octets=len(octets), sha256=hashlib.sha256(octets).hexdigest(),
            policy_sha256="0" * 64, ledger_size=1, ledger_root="0" * 64, signed_by=key.public.format(),
        ).to_octets()  # fmt: skip
        path.with_suffix(".json").write_bytes(header)
        path.with_suffix(".sig").write_bytes(key.sign(header))
    return path


def index_of(folder: Path, *lists: Path, trust=SIGNER.public, as_of_on: date = TODAY):
    out = folder / "served.idx"
    build_from_lists(lists, out, trust=trust, key=None, as_of_on=as_of_on, issued_at=ISSUED_AT)
    return open_index(out, accept_unsigned=True)


def status(index, device: int, imsi: int = 0) -> Status:
    return DECISIONS[Decider(index, Overlay(), DecisionPolicy()).decide(device, imsi, -1)].status


def test_a_block_counts_from_its_day_and_tracks_before(tmp_path: Path):
    listed = write_list(
        tmp_path, "blocklist", (PHONE, "2027-03-01", "stolen"), ("00100100000002", "2027-03-02", "cloned"), key=SIGNER
    )
    index = index_of(tmp_path, listed)
    assert (status(index, ALICES_PHONE), status(index, ALICES_PHONE + 1)) == (Status.BLOCKED, Status.TRACKED)
    assert status(index_of(tmp_path, listed, as_of_on=date(2027, 3, 2)), ALICES_PHONE + 1) is Status.BLOCKED
    assert index.reasons[index.lookup(ALICES_PHONE).reason] == "stolen"
    assert index.sequence == 9


def test_ranges_pairs_and_exceptions_say_what_their_lists_say(tmp_path: Path):
    index = index_of(
        tmp_path,
        write_list(tmp_path, "blockranges", ("00100100000010", "00100100000019", "2027-01-01", "not_allocated"), key=SIGNER),
        write_list(
            tmp_path, "pairblocks",
            (PHONE, "001010000000002", "2027-01-01", "stolen"), (PHONE, "001010000000003", "2099-01-01", "stolen"), key=SIGNER,
        ),
        write_list(
            tmp_path, "exceptions", ("00100100000010", "001010000000001", ""), (PHONE, "001010000000002", "15550100"), key=SIGNER
        ),
    )  # fmt: skip
    assert status(index, ALICES_PHONE + 9) is Status.BLOCKED
    assert status(index, ALICES_PHONE + 9, ALICE) is Status.PERMITTED
    assert status(index, ALICES_PHONE + 19) is Status.UNKNOWN
    assert (
        status(index, ALICES_PHONE, BOB) is Status.PERMITTED
    )  # blocked and excepted: an exception was granted knowingly
    assert status(index, ALICES_PHONE, BOB + 1) is Status.UNKNOWN  # its day has not come


def test_rows_that_no_network_can_ask_with_are_left_out_and_counted(tmp_path: Path):
    listed = write_list(tmp_path, "blocklist", (PHONE, "", "a"), ("0010010000000", "", "a"), ("٠" * 14, "", "a"))
    _, built = read_lists([listed], trust=None, as_of_on=TODAY)
    assert (built.devices, built.left_out) == (1, 2)


def test_more_reasons_than_an_index_tells_apart_share_the_last_one(tmp_path: Path):
    rows = [(f"{ALICES_PHONE + n:014d}", "", f"reason_{n:03d}") for n in range(50)]
    index = index_of(tmp_path, write_list(tmp_path, "blocklist", *rows, key=SIGNER))
    said = [index.reasons[index.lookup(ALICES_PHONE + n).reason] for n in range(50)]
    assert len(index.reasons) == MAX_REASONS
    assert said[:29] == [f"reason_{n:03d}" for n in range(29)]
    assert said[-1] == "other"


@pytest.mark.parametrize("ending", [".csv", ".json", ".sig"])
def test_an_altered_list_is_refused(tmp_path: Path, ending: str):
    listed = write_list(tmp_path, "blocklist", (PHONE, "2027-01-01", "stolen"), key=SIGNER)
    file = listed.with_suffix(ending)
    octets = bytearray(file.read_bytes())
    octets[-5] ^= 1
    file.write_bytes(octets)
    with pytest.raises(OpenceirError):
        index_of(tmp_path, listed)


def test_a_list_of_another_signer_is_refused(tmp_path: Path):
    listed = write_list(tmp_path, "blocklist", (PHONE, "2027-01-01", "stolen"), key=SigningKey("mallory", bytes(32)))
    with pytest.raises(OpenceirError, match="not signed by the key"):
        index_of(tmp_path, listed)


def test_a_list_that_changes_no_answer_is_refused(tmp_path: Path):
    listed = write_list(
        tmp_path, "notifications", (PHONE, "001010000000001", "", "2027-01-01", "x", "False"), key=SIGNER
    )
    with pytest.raises(ListRefused, match="changes no answer"):
        index_of(tmp_path, listed)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"tac,brand\n1,2\n", "no list's column names"),
        (b"\x89PDF\xff\xfe\x00", "cannot be read as a list"),
        (b"", "no list's column names"),
        (b"imei,block_date,reasons\n1,2\n", "cannot be read as a list"),
        (b"imei,block_date,reasons\n00100100000001,01.03.2027,x\n", "no calendar day"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_sentence(tmp_path: Path, octets: bytes, says: str):
    (tmp_path / "x.csv").write_bytes(octets)
    with pytest.raises(ListRefused, match=says):
        read_lists([tmp_path / "x.csv"], trust=None, as_of_on=TODAY)


def test_a_delta_is_not_taken_for_a_list(tmp_path: Path):
    listed = write_list(tmp_path, "blocklist", (PHONE, "2027-01-01", "stolen"), key=SIGNER)
    fields = json.loads(listed.with_suffix(".json").read_text())
    fields["base"] = {"sequence": 8, "sha256": "0" * 64}
    fields["result"] = {"rows": 1, "octets": 1, "sha256": "0" * 64, "signature": "0" * 128}
    fields["columns"] = [*fields["columns"], "change"]
    header = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    listed.with_suffix(".json").write_bytes(header)
    listed.with_suffix(".sig").write_bytes(SIGNER.sign(header))
    with pytest.raises(ListRefused, match="is a delta"):
        index_of(tmp_path, listed)
