"""Authorities' lists: full and delta, what they sign, and what they leave alone."""

import csv
import gzip
import io
import json
from datetime import UTC, date, datetime, timedelta

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum import luhn
from tests.intake.conftest import AT, new_register

from openceir.cli._main import cli
from openceir.identity import G2, G4, keyed_digest
from openceir.intake import IntakeError
from openceir.statements import DeviceBlocked, DeviceSet, DeviceStolen, Role
from openceir.status import Status

ALICE, BOB, MALLORY = "00100100000001", "00100100000002", "00100100000003"
LATER = AT + timedelta(hours=1)


def bring(register, folder, kind, text, **how):
    path = folder / f"{kind}.csv"
    path.write_text(text)
    how.setdefault("by", "reg")
    how.setdefault("at", AT)
    return register.import_list(kind, path, **how)


def status_of(register, imei, at=LATER):
    return register.check(imei, at).status


def said(register):
    return [entry.said for entry in register.ledger.entries(0)]


def test_a_stolen_device_is_blocked_from_the_day_of_its_report(register, tmp_path):
    report = bring(register, tmp_path, "stolen", f"imei,reporting_date,status\n{ALICE}1,20261105,\n{BOB},,blacklist\n")
    assert report.accepted == 2
    assert status_of(register, ALICE, datetime(2026, 11, 6, tzinfo=UTC)) is Status.BLOCKED
    assert status_of(register, ALICE, datetime(2026, 11, 4, tzinfo=UTC)) is Status.UNKNOWN
    assert [statement.stolen_at.date() for statement in said(register)] == [date(2026, 11, 5), date(2026, 11, 20)]


def test_a_provisional_report_blocks_nobody(register, tmp_path):
    report = bring(register, tmp_path, "stolen", f"imei,reporting_date,status\n{ALICE},,pending\n")
    assert status_of(register, ALICE) is Status.UNKNOWN
    assert any("provisional" in sentence for sentence in report.says)
    assert register.ledger.size == 0


def test_a_full_list_takes_back_what_it_leaves_out_and_a_second_reading_changes_nothing(register, tmp_path):
    rows = [f"00100100{n:06d}" for n in range(20)]
    bring(register, tmp_path, "stolen", "imei\n" + "\n".join(rows) + "\n")
    shorter = "imei\n" + "\n".join(rows[1:]) + "\n"
    assert bring(register, tmp_path, "stolen", shorter, at=LATER).signed == ("1 withdrawn/1",)
    size = register.ledger.size
    assert bring(register, tmp_path, "stolen", shorter, at=LATER).already
    assert register.ledger.size == size
    after = LATER + timedelta(hours=1)
    assert status_of(register, rows[0], after) is Status.UNKNOWN
    assert status_of(register, rows[1], after) is Status.BLOCKED


def test_a_list_touches_nobody_elses_word(register, tmp_path):
    """What leaves a barred list is withdrawn by the statement that listed it: a court's block of the device stays."""
    register.new_key("court", member="court", roles=[Role.COURT], valid_from=datetime(2016, 1, 1, tzinfo=UTC))
    devices = DeviceSet.of(ALICE)
    register.state([DeviceBlocked(devices=devices, blocked_at=AT, grounds="order 7")], by="court", at=AT)
    rows = [f"00100200{n:06d}" for n in range(9)]
    bring(register, tmp_path, "barred", "imei\n" + "\n".join([ALICE, *rows]) + "\n")
    bring(register, tmp_path, "barred", "imei\n" + "\n".join(rows) + "\n", at=LATER)
    assert status_of(register, ALICE, LATER + timedelta(hours=1)) is Status.BLOCKED


def test_a_phone_that_leaves_one_stolen_list_stays_stolen_for_who_reported_it_too(register, tmp_path):
    """Leaving a list is no recovery: that is for the police to state, and would end everybody's reports."""
    for office, role in (("police", Role.POLICE), ("northtel", Role.OPERATOR)):
        register.new_key(office, member=office, roles=[role], valid_from=datetime(2016, 1, 1, tzinfo=UTC))
    theft = DeviceStolen(devices=DeviceSet.of(ALICE), stolen_at=AT, case_number="N-7")
    register.state([theft], by="police", at=AT)
    rows = [f"00100200{n:06d}" for n in range(9)]
    bring(register, tmp_path, "stolen", "imei\n" + "\n".join([ALICE, BOB, *rows]) + "\n", by="northtel")
    bring(register, tmp_path, "stolen", "imei\n" + "\n".join(rows) + "\n", by="northtel", at=LATER)
    after = LATER + timedelta(hours=1)
    assert [status_of(register, imei, after) for imei in (ALICE, BOB)] == [Status.BLOCKED, Status.UNKNOWN]


def test_ranges_are_never_expanded(register, tmp_path):
    text = "imei_from,imei_to\n00100300000000,00100300099999\n"
    bring(register, tmp_path, "registration", text)
    assert status_of(register, "00100300050000") is Status.PERMITTED
    assert status_of(register, "00100300100000") is Status.UNKNOWN
    assert said(register)[0].devices.ranges == ((100300000000, 100300099999),)
    bring(register, tmp_path, "barred", f"imei\n00100400000000-00100400000009\n{ALICE}\n")
    assert status_of(register, "00100400000005") is Status.BLOCKED


def test_a_barred_model_is_a_range(register, tmp_path):
    bring(register, tmp_path, "barred-tac", "tac\n00100500\n")
    assert status_of(register, "00100500123456") is Status.BLOCKED


def test_identifiers_of_one_device_are_bound_and_its_own_columns_kept(register, tmp_path):
    eid = "89049032123451234512345678901235"
    text = f"approved_imei,make,model,status,device_id,eid\n{ALICE},Maker,M1,whitelist,7,{eid}\n{BOB},Maker,M1,,7,\n"
    report = bring(register, tmp_path, "registration", text)
    assert report.accepted == 2
    registered, bound = said(register)
    assert bound.identifiers == DeviceSet.of([ALICE, BOB], others=[("eid", eid)])
    table = pq.read_table(io.BytesIO(registered.attributes)).to_pylist()
    assert {row["model"] for row in table} == {"M1"}


def test_changed_columns_come_by_a_delta_and_a_full_list_says_that_it_leaves_them(register, tmp_path):
    bring(register, tmp_path, "registration", f"imei,model\n{ALICE},M1\n{BOB},M1\n")
    again = bring(register, tmp_path, "registration", f"imei,model\n{ALICE},M2\n{BOB},M1\n{MALLORY},M3\n", at=LATER)
    assert any(says.startswith("of 2 that were on it already the columns first stated stay") for says in again.says)
    bring(register, tmp_path, "registration", f"imei,model,change_type\n{ALICE},M2,update\n", at=LATER, delta=True)
    stated = [one for one in said(register) if one.kind == "device-registered/1"]
    models = [{row["model"] for row in pq.read_table(io.BytesIO(one.attributes)).to_pylist()} for one in stated]
    assert models == [{"M1"}, {"M3"}, {"M2"}]
    assert status_of(register, ALICE, LATER + timedelta(hours=1)) is Status.PERMITTED


def test_pairs_come_and_go_by_themselves(register, tmp_path):
    pairs = [f"{ALICE},00101000000000{n},9990000000{n}" for n in range(3)] + [
        f"00100600{n:06d},001010000000100,99900000100" for n in range(40)
    ]
    bring(register, tmp_path, "stolen", f"imei\n{ALICE}\n")
    bring(register, tmp_path, "pairing", "imei,imsi,msisdn\n" + "\n".join(pairs) + "\n")
    assert register.check(ALICE, LATER, imsi="001010000000000").status is Status.PERMITTED
    gone = f"imei,imsi,msisdn,change_type\n{pairs[0]},remove\n"
    bring(register, tmp_path, "pairing", gone, delta=True, at=LATER)
    after = LATER + timedelta(hours=1)
    assert register.check(ALICE, after, imsi="001010000000000").status is Status.BLOCKED
    assert register.check(ALICE, after, imsi="001010000000001").status is Status.PERMITTED
    assert bring(register, tmp_path, "pairing", gone, delta=True, at=after).already


def test_a_golden_list_is_kept_as_keyed_digests_only(register, tmp_path):
    bring(register, tmp_path, "golden", f"golden_imei\n{ALICE}1\n{BOB}2\n")
    bring(register, tmp_path, "stolen", f"imei\n{ALICE}\n{MALLORY}\n")
    assert status_of(register, ALICE) is Status.PERMITTED
    assert status_of(register, MALLORY) is Status.BLOCKED
    permitted = said(register)[0]
    assert not permitted.devices
    assert set(permitted.keyed_digests) == {keyed_digest(register.evidence_key, imei) for imei in (ALICE, BOB)}


def test_a_golden_device_can_be_taken_off_again(register, tmp_path):
    bring(register, tmp_path, "golden", f"golden_imei\n{ALICE}\n{BOB}\n")
    bring(register, tmp_path, "golden", f"golden_imei,change_type\n{ALICE},remove\n", delta=True, at=LATER)
    after = LATER + timedelta(hours=1)
    bring(register, tmp_path, "stolen", f"imei\n{ALICE}\n{BOB}\n", at=after)
    after += timedelta(hours=1)
    assert status_of(register, ALICE, after) is Status.BLOCKED
    assert status_of(register, BOB, after) is Status.PERMITTED


@pytest.mark.parametrize("value", ["5d41402abc4b2a76b9719d911017c592", "a" * 40])
def test_a_digest_in_place_of_an_imei_is_refused_with_why(register, tmp_path, value):
    with pytest.raises(IntakeError, match="try them all") as refused:
        bring(register, tmp_path, "golden", f"golden_imei\n{value}\n")
    assert refused.value.code == "intake-hashed"


def test_a_number_of_many_handsets_is_neither_blocked_nor_registered_by_a_list(register, tmp_path):
    rows = "\n".join(f"00100700{n:06d}" for n in range(19))
    report = bring(register, tmp_path, "stolen", f"imei\n{rows}\n00440015202000\n")
    assert dict(report.rejects.counts) == {"known-non-unique": 1}


def test_a_wrong_check_digit_is_a_finding_and_no_refusal(register, tmp_path):
    """A 0 is what networks send in that place (3GPP TS 23.003 §6.2.1); the right digits are python-stdnum's."""
    numbers = [f"00100700{n:06d}" for n in range(30)]
    right = [number + luhn.calc_check_digit(number) for number in numbers]
    wrong = [number + str((int(luhn.calc_check_digit(number)) + 1) % 10) for number in numbers]
    spotless = bring(register, tmp_path, "stolen", "imei\n" + "\n".join(right) + "\n")
    assert not any("check digit" in sentence for sentence in spotless.says)
    report = bring(register, tmp_path, "lost", "imei\n" + "\n".join(wrong) + "\n")
    assert report.accepted == 30
    counted = sum(not number.endswith("0") for number in wrong)
    assert any(sentence.startswith(f"{counted} IMEIs of 15 digits") for sentence in report.says)


def test_a_delta_that_does_not_fit_sets_its_rows_aside(register, tmp_path):
    rows = [f"00100800{n:06d}" for n in range(40)]
    bring(register, tmp_path, "stolen", "imei\n" + "\n".join(rows) + "\n")
    changes = [f"{rows[0]},add", f"{MALLORY},remove", *(f"00100900{n:06d},add" for n in range(60))]
    report = bring(register, tmp_path, "stolen", "imei,change_type\n" + "\n".join(changes) + "\n", delta=True, at=LATER)
    assert dict(report.rejects.counts) == {"list-has-it": 1, "list-lacks-it": 1}
    assert (report.rows, report.accepted) == (62, 60)


def test_associations_and_subscribers_are_versioned(register, tmp_path):
    bring(register, tmp_path, "association", f"uid,imei\nalice,{ALICE}\nbob,ABC\n")
    changes = f"uid,imei,change_type\nalice,{ALICE},remove\nalice,{MALLORY},add\n"
    day_after = AT + timedelta(days=1)
    bring(register, tmp_path, "association", changes, delta=True, at=day_after)
    now = {(row["uid"], row["device"]) for row in register.reference.associations().to_pylist()}
    assert now == {("alice", int(MALLORY)), ("bob", 10**14)}
    then = {(row["uid"], row["device"]) for row in register.reference.associations(AT.date()).to_pylist()}
    assert then == {("alice", int(ALICE)), ("bob", 10**14)}
    assert bring(register, tmp_path, "association", changes, delta=True, at=day_after).already
    bring(register, tmp_path, "subscribers", "uid,imsi\nalice,001010000000001\n")
    assert register.reference.subscribers().to_pylist() == [{"uid": "alice", "imsi": 1001010000000001}]


def test_what_left_the_lists_of_people_is_erased_with_the_sightings(register, tmp_path):
    bring(register, tmp_path, "association", f"uid,imei\nalice,{ALICE}\nbob,{BOB}\n")
    bring(register, tmp_path, "association", f"uid,imei,change_type\nalice,{ALICE},remove\n", delta=True, at=LATER)
    register.prune(on=date(2027, 5, 1))
    assert register.reference.associations(date(2026, 11, 19)).num_rows == 0
    [(kept,)] = register.database.connection.execute("SELECT COUNT(*) FROM association")
    assert kept == 2, "within the policy's months nothing is erased"
    register.prune(on=date(2027, 6, 1))
    rows = register.database.connection.execute("SELECT uid FROM association").fetchall()
    assert rows == [("bob",)]


def test_a_tac_table_says_what_its_bands_can_do(register, tmp_path):
    path = tmp_path / "tac.txt"
    path.write_text(
        "TAC|Manufacturer|Model_Name|Bands|Allocation_Date|Device_Type\n"
        '00100100|Made Up "Works"|M1|GSM 900, LTE FDD BAND 3|01-Jan-2019|Smartphone\n'
    )
    assert register.import_tac_table(path, at=AT).accepted == 1
    model = register.reference.find_models(["00100100"])["00100100"]
    assert (model["manufacturer"], model["model"], model["allocated_on"]) == ('Made Up "Works"', "M1", "2019-01-01")
    assert model["rat"] == G2 | G4
    assert register.import_tac_table(path, at=AT).already


def test_cells_are_found_by_the_names_in_dumps(register, tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("operator,lac,cell,lat,lon,radius_m\nNorthtel,7,c1,10.5,-3.25,2000\nnorthtel,,c2,91,0,\n" + "".join(
        f"northtel,,d{n},1,1,\n" for n in range(30)))  # fmt: skip
    report = register.import_cells(path, at=AT)
    assert dict(report.rejects.counts) == {"coordinate-malformed": 1}
    [row] = [row for row in register.cells.table().to_pylist() if row["name"] == "7/c1"]
    dump = tmp_path / "northtel_20261001_20261031.csv"
    dump.write_text(f"date,imei,imsi,cell,lac\n20261001,{ALICE},001010000000001,c1,7\n")
    register.import_sightings(dump, at=AT)
    [file] = register.lake.files()
    assert pq.ParquetFile(file.path).read(["cell"]).column(0).to_pylist() == [row["cell"]]


IMEIS = st.sampled_from([ALICE, BOB, MALLORY, "00100100000004", "ABCDEF12", "00101000000000-00101000000005"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(st.sets(IMEIS, min_size=1), min_size=1, max_size=4))
def test_after_every_full_list_the_register_says_exactly_that_list(tmp_path_factory, histories):
    folder = tmp_path_factory.mktemp("history")
    register = new_register(folder / "home", "[intake.lists]\nbarred_drop_ratio = 1.0\n")
    for place, listed in enumerate(histories):
        at = AT + timedelta(hours=place)
        bring(register, folder, "barred", "imei\n" + "\n".join(sorted(listed)) + "\n", at=at)
        for imei in (ALICE, BOB, MALLORY, "00100100000004", "00101000000003"):
            name = "00101000000000-00101000000005" if imei == "00101000000003" else imei
            wanted = Status.BLOCKED if name in listed else Status.UNKNOWN
            assert status_of(register, imei, at + timedelta(minutes=1)) is wanted


def test_the_command_says_what_came_of_a_list(tmp_path):
    home = tmp_path / "home"
    new_register(home)
    path = tmp_path / "stolen.csv"
    path.write_text("imei,reporting_date,status\n" + "".join(f"00101100{n:06d},,\n" for n in range(30)) + "x%y,,\n")
    run = CliRunner().invoke(
        cli, ["--home", str(home), "import", "stolen", str(path), "--by", "reg", "--at", "2026-11-20", "--json"]
    )
    assert run.exit_code == 0, run.output
    said = json.loads(run.stdout)
    assert (said["rows"], said["accepted"], said["set_aside"]) == (31, 30, {"imei-malformed": 1})
    assert said["examples"]["imei-malformed"] == [{"line": 32, "column": "imei", "value": "x%y"}]
    assert said["signed"] == ["1 device-stolen/1"]
    with gzip.open(home / said["quarantine"], "rt", newline="") as rejected:
        assert [row["value"] for row in csv.DictReader(rejected)] == ["x%y"]
    history = CliRunner().invoke(cli, ["--home", str(home), "import", "history"])
    assert "stolen.csv by reg: 30 of 31 rows accepted" in history.output


def test_the_command_asks_who_signs(tmp_path):
    path = tmp_path / "stolen.csv"
    path.write_text("imei\n")
    run = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "import", "stolen", str(path)])
    assert run.exit_code == 2
    assert "--by" in run.output
