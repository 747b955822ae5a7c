"""What the register does by itself, when policy says so and no sooner."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

from click.testing import CliRunner

from openceir.app import open_register
from openceir.cli._main import cli
from openceir.statements import DeviceSet, DeviceStolen, ErasureOrdered, Member, Role

DAY = date(2027, 3, 1)
MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
AT = MIDNIGHT + timedelta(days=3)
CLONE, ALICES_PHONE = "001001000000101", "00100100000001"


def country(home, nation, other, hour="10:00:00", chores='by = "regulator"\n'):
    """A register that saw one phone on one day, and its neighbour's name in its policy."""
    (home / "policy").mkdir(parents=True)
    (home / "policy" / "country.toml").write_text(
        f'[country]\nname = "Land"\nnation = "{nation}"\nmcc = ["001"]\ncountry_codes = ["999"]\n'
        f"[neighbours.{other}]\ntravel_hours = 4\n"
        '[operators.northtel]\nname = "Northtel"\nmcc_mnc = ["00101"]\n'
        f"[chores]\n{chores}"
    )
    register = open_register(home)
    register.new_key("regulator", member=f"{nation.lower()}-regulator", roles=[Role.REGULATOR], valid_from=MIDNIGHT)
    dump = home / "dump.csv"
    dump.write_text(f"date,imei,imsi,msisdn,rat,time\n20270301,{CLONE},001010000000001,99900001,006,{hour}\n")
    register.import_sightings(dump, operator="northtel", since=DAY, until=date(2027, 3, 2), at=AT)
    return register


def chores(home, at=AT, status=0):
    done = CliRunner().invoke(cli, ["--home", str(home), "register", "chores", "--at", f"{at:%Y-%m-%dT%H:%M:%SZ}", "--json"], catch_exceptions=False)  # fmt: skip
    assert done.exit_code == status, done.output
    return {one["name"]: one for one in json.loads(done.output)}


def test_nothing_is_done_while_policy_names_no_key(tmp_path):
    register = country(tmp_path, "XA", "XB", chores="")
    register.ledger.close()
    assert chores(tmp_path) == {}
    assert open_register(tmp_path).ledger.size == 0


def test_each_chore_is_done_when_it_is_due_and_no_sooner(tmp_path):
    register = country(tmp_path, "XA", "XB")
    [theft] = register.state(
        [DeviceStolen(devices=DeviceSet.of([ALICES_PHONE]), stolen_at=MIDNIGHT, case_number="N-7")],
        by="regulator",
        at=AT,
    )
    register.state([ErasureOrdered(target=theft.leaf_hash, grounds="Data Act 17")], by="regulator", at=AT)
    register.ledger.close()
    done = chores(tmp_path)
    assert {name: (one["count"], one["trouble"]) for name, one in done.items()} == {
        "commit-states": (1, None),
        "obey-erasures": (1, None),
        "meetings": (0, None),
    }
    again = open_register(tmp_path)
    assert again.ledger.entry(theft.index).is_erased
    assert again.prove_state(ALICES_PHONE, at=AT)
    size = again.ledger.size
    again.ledger.close()
    assert chores(tmp_path, AT + timedelta(minutes=59)) == {}
    assert set(chores(tmp_path, AT + timedelta(hours=1))) == {"obey-erasures"}
    assert open_register(tmp_path).ledger.size == size, "no order, no word"
    assert set(chores(tmp_path, AT + timedelta(hours=25))) == {"commit-states", "obey-erasures", "meetings"}


def test_what_policy_never_wants_is_never_done_and_a_changed_policy_counts_at_once(tmp_path):
    register = country(tmp_path, "XA", "XB", chores='by = "regulator"\ncommit_states_every_hours = 0\nmeetings_every_hours = 0\n')  # fmt: skip
    register.ledger.close()
    assert set(chores(tmp_path)) == {"obey-erasures"}
    (tmp_path / "policy" / "later.toml").write_text("[chores]\ncommit_states_every_hours = 12\n")
    assert set(chores(tmp_path, AT + timedelta(minutes=1))) == {"commit-states"}


def test_two_neighbours_exchange_hours_and_state_what_is_in_both(tmp_path):
    xa = country(tmp_path / "xa", "XA", "XB", chores='by = "regulator"\nstate_meetings = true\n')
    xb = country(tmp_path / "xb", "XB", "XA", "11:30:00")
    for ours, theirs, name, nation in ((xa, xb, "xb-regulator", "XB"), (xb, xa, "xa-regulator", "XA")):
        line = theirs.members.find(name).keys[0]
        ours.change_members(ours.members.with_member(Member(name, frozenset({Role.REGULATOR}), (line,), nation=nation)))
    xb.take_pair_secret("XA", xa.make_pair_secret("XB"))
    for one in (xa, xb):
        one.ledger.close()
    assert chores(tmp_path / "xb")["meetings"]["count"] == 1
    [file] = (tmp_path / "xb" / "meetings" / "out").iterdir()
    assert file.name.startswith("XA-2027-03-01-")
    assert file.stat().st_mode & 0o777 == 0o600
    arrived = tmp_path / "xa" / "meetings" / "in"
    arrived.mkdir(parents=True)
    shutil.copy(file, arrived)
    (arrived / "torn.hours").write_bytes(file.read_bytes()[:-9])
    done = chores(tmp_path / "xa", status=3)["meetings"]
    assert done["count"] == 2, "one written, one taken"
    assert done["trouble"].startswith("torn.hours: ")
    assert [path.name for path in (tmp_path / "xa" / "meetings" / "refused").iterdir()] == ["torn.hours"]
    assert list(arrived.iterdir()) == []
    register = open_register(tmp_path / "xa")
    assert [entry.header.kind for entry in register.ledger.entries(0)].count("device-cloned/1") == 1
    register.ledger.close()
    assert chores(tmp_path / "xa", AT + timedelta(days=1))["meetings"]["count"] == 0, "a day is exchanged once"


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from openceir.app import open_register
from openceir.storage.chores import ChoreShelf
ChoreShelf.note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
open_register(Path(sys.argv[1])).do_chores(at=datetime.fromisoformat(sys.argv[2]))
"""


def test_killed_after_the_deed_it_is_done_once_more(tmp_path):
    country(tmp_path, "XA", "XB").ledger.close()
    child = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), AT.isoformat()], env=os.environ, timeout=120)
    assert child.returncode == -signal.SIGKILL
    assert chores(tmp_path)["commit-states"]["trouble"] is None
    register = open_register(tmp_path)
    assert [entry.header.kind for entry in register.ledger.entries(0)] == ["state-committed/1"] * 2
    assert register.verify_ledger().statements == 2


def test_a_key_that_is_not_there_is_said_and_tried_again(tmp_path):
    country(tmp_path, "XA", "XB", chores='by = "nobody"\n').ledger.close()
    for at in (AT, AT + timedelta(minutes=1)):
        assert "nobody" in chores(tmp_path, at, status=3)["commit-states"]["trouble"]
