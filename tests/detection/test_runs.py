"""A run as a regulator's engineer makes it: detect, adopt, explain, replay, simulate; by the register and by the keys."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from openceir.app import open_register
from openceir.cli._main import cli
from openceir.detection import DetectionError, RunUnknown
from openceir.statements import DeviceRecovered, DeviceSet, DeviceStolen, Role, StatementRefused
from openceir.status import Status

ALICE, MALLORY = "00100100000001", "00100100000002"
FIRST = date(2026, 10, 1)
AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
POLICY = """
[country]
mcc = ["001"]
country_codes = ["999"]
[operators.northtel]
mcc_mnc = ["00101"]

[[rule]]
label = "stolen"
reason = "reported stolen"
conditions = [{ name = "stolen_list" }, { name = "duplicate_threshold", invert = true, params = { threshold = 2 } }]
blocking = true
grace_days = 0
max_matching_ratio = 1.0

[[rule]]
label = "many"
reason = "used with too many subscriptions"
conditions = [{ name = "duplicate_threshold", params = { threshold = 3, period_days = 30 } }]
marks_duplicate = true
max_matching_ratio = 1.0

[[rule]]
label = "everybody"
reason = "seen at all"
conditions = [{ name = "malformed", invert = true }]
"""


def dump(folder: Path, first: date, rows: list[tuple[date, str, int]]) -> Path:
    path = folder / f"northtel_{first:%Y%m%d}_{first + timedelta(days=29):%Y%m%d}.csv"
    lines = [f"{day:%Y%m%d},{imei},00101000000{sim:04d},99910000{sim:04d},006" for day, imei, sim in rows]
    path.write_text("date,imei,imsi,msisdn,rat\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def home(tmp_path):
    """Alice's phone with one SIM card, a number that Mallory gave to four phones; Alice's phone was stolen."""
    home = tmp_path / "home"
    (home / "policy").mkdir(parents=True)
    (home / "policy" / "rules.toml").write_text(POLICY)
    register = open_register(home)
    register.new_key("regulator", member="regulator", roles=[Role.REGULATOR], valid_from=AT - timedelta(days=300))
    register.new_key("police", member="police", roles=[Role.POLICE], valid_from=AT - timedelta(days=300))
    rows = [(FIRST + timedelta(days=day), ALICE, 1) for day in range(20)]
    rows += [(FIRST + timedelta(days=day), MALLORY, 10 + day % 4) for day in range(20)]
    register.import_sightings(dump(tmp_path, FIRST, rows), operator="northtel", at=AT)
    stolen = DeviceStolen(devices=DeviceSet.of(ALICE), stolen_at=AT - timedelta(days=3), case_number="N-7")
    register.state([stolen], by="police", at=AT - timedelta(days=2))
    register.ledger.close()
    return home


def test_a_run_proposes_and_only_its_signature_changes_a_status(home):
    register = open_register(home)
    made = register.detect(at=AT)
    assert {one["rule"]: one["matched"] for one in made.proposals} == {"stolen": 1, "many": 1, "everybody": 2}
    assert register.check(MALLORY, AT).status is Status.UNKNOWN
    entries = register.adopt(made.number, by="regulator", at=AT)
    assert len(entries) == 2, "the rule that matches everybody is beyond its safety ratio and left out"
    answer = register.check(MALLORY, AT)
    assert answer.status is Status.TRACKED
    [reason] = answer.reasons
    assert "used with 4 different SIM cards" in " ".join(reason.evidence["says"])
    with pytest.raises(DetectionError, match="was adopted on 2026-11-02"):
        register.adopt(made.number, by="regulator", at=AT)


def test_a_second_run_has_nothing_new_and_a_recovery_clears(home):
    register = open_register(home)
    first = register.detect(at=AT)
    register.adopt(first.number, by="regulator", at=AT)
    later = AT + timedelta(hours=1)
    again = register.detect(at=later)
    assert all(one["matched"] == one["cleared"] == 0 for one in again.proposals if one["rule"] != "everybody")
    found = DeviceRecovered(devices=DeviceSet.of(ALICE), recovered_at=later, case_number="N-7")
    register.state([found], by="police", at=later)
    third = register.detect(at=later + timedelta(hours=1))
    assert next(one for one in third.proposals if one["rule"] == "stolen")["cleared"] == 1


def test_every_run_can_be_replayed_though_lists_changed_since(home):
    register = open_register(home)
    first = register.detect(at=AT)
    register.adopt(first.number, by="regulator", at=AT)
    stolen = DeviceStolen(devices=DeviceSet.of(MALLORY), stolen_at=AT, case_number="N-8")
    register.state([stolen], by="police", at=AT)
    second = register.detect(at=AT + timedelta(hours=1))
    assert second.outcome_digest != first.outcome_digest
    assert register.replay(first.number).is_same
    assert register.replay(second.number).is_same, "judged by touched devices alone, replayed in full"
    with pytest.raises(RunUnknown, match="there is no detection run 99"):
        register.replay(99)


def test_a_run_that_another_overtook_is_not_adopted(home):
    """Otherwise the day announced by the newer one would move, or who was cleared since be accused again."""
    register = open_register(home)
    older, newer = register.detect(at=AT), register.detect(at=AT + timedelta(hours=1))
    register.adopt(newer.number, by="regulator", at=AT + timedelta(hours=2))
    with pytest.raises(DetectionError, match="other findings of its rules were stated since run 1"):
        register.adopt(older.number, by="regulator", at=AT + timedelta(hours=3))
    assert register.detection_runs.run(older.number).adopted_at is None


def test_runs_of_different_rules_do_not_overtake_one_another(home):
    register = open_register(home)
    stolen, many = (register.detect(at=AT, only_rules=[rule]) for rule in ("stolen", "many"))
    assert len(register.adopt(stolen.number, by="regulator", at=AT)) == 1
    assert len(register.adopt(many.number, by="regulator", at=AT)) == 1


def test_only_a_regulator_may_adopt(home):
    register = open_register(home)
    made = register.detect(at=AT)
    with pytest.raises(StatementRefused, match="that is for regulator"):
        register.adopt(made.number, by="police", at=AT)
    assert register.detection_runs.run(made.number).adopted_at is None


def test_what_a_run_keeps_names_no_subscriber(home):
    register = open_register(home)
    register.detect(at=AT)
    rows = register.database.connection.execute("SELECT row FROM evidence").fetchall()
    headers = register.database.connection.execute("SELECT header FROM detection_evidence").fetchall()
    assert not any("001010000000" in text or "9991000" in text for (text,) in [*rows, *headers])


def test_one_devices_evidence_is_found_by_its_key(home):
    """The look-up goes by the primary key, so that it does not grow with the country."""
    register = open_register(home)
    register.detect(at=AT)
    plan = register.database.connection.execute(
        "EXPLAIN QUERY PLAN SELECT row FROM evidence WHERE device = 1 AND rule = 'many'"
    ).fetchall()
    assert any("USING PRIMARY KEY (device=?" in row[3] for row in plan)
    assert len(register.detection_runs.evidence_for(int(MALLORY))) == 2


def run(home: Path, *words: str, exits: int = 0):
    result = CliRunner().invoke(cli, ["--home", str(home), *words])
    assert result.exit_code == exits, result.output
    return result


def test_the_commands_from_a_run_to_its_replay(home, tmp_path):
    at = ("--at", "2026-11-02T09:00:00Z")
    said = json.loads(run(home, "detection", "run", *at, "--json").stdout)
    assert (said["run"], said["as_of_on"]) == (1, "2026-10-20")
    assert "beyond" not in run(home, "detection", "runs").stdout
    shown = json.loads(run(home, "detection", "show", "1", "--rule", "many", "--json").stdout)
    assert shown["matched"] == [MALLORY]
    assert "refused: rule everybody matches 2 of 2" in run(home, "detection", "show", "1").stdout
    assert (
        len(json.loads(run(home, "detection", "adopt", "1", "--by", "regulator", *at, "--json").stdout)["statements"])
        == 2
    )
    explained = run(home, "detection", "explain", MALLORY + "5").stdout
    assert "used with 4 different SIM cards" in explained
    assert "came out again" in run(home, "detection", "replay", "1").stdout
    assert "nothing is new" in run(home, "detection", "measure", *at).stdout
    stricter = tmp_path / "rules.toml"
    stricter.write_text(POLICY.replace("threshold = 3", "threshold = 9"))
    assert "many: used with too many" in run(home, "policy", "check", str(stricter)).stdout
    effects = json.loads(run(home, "policy", "simulate", str(stricter), *at, "--json").stdout)
    [many] = [one for one in effects if one["rule"] == "many"]
    assert (many["let_go"], many["people_let_go"], many["newly_hit"]) == (1, 4, 0)
    assert len(open_register(home).detection_runs.runs()) == 1, "a simulation keeps no run"
