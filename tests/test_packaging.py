"""The service units: what they start can be started, and systemd itself finds nothing wrong with them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from test_docs import complaint_about

UNITS = sorted((Path(__file__).parent.parent / "packaging" / "systemd").glob("*.service"))


def setting(unit: Path, name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return value


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_a_command_that_exists(unit):
    line = setting(unit, "ExecStart")
    for name, options in re.findall(
        r'^Environment="(\w+_OPTIONS)=(.*)"$', unit.read_text(encoding="utf-8"), re.MULTILINE
    ):
        line = line.replace(f"${name}", options)
    program, _, words = line.partition(" ")
    assert (program, complaint_about(f"openceir {words}")) == ("/opt/openceir/bin/openceir", None)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_finds_nothing_wrong_with_a_unit(unit, tmp_path):
    here = tmp_path / unit.name
    here.write_text(unit.read_text(encoding="utf-8").replace("/opt/openceir/bin/openceir", sys.executable))
    found = subprocess.run(["systemd-analyze", "verify", str(here)], capture_output=True, text=True, check=False)
    ours = [line for line in found.stderr.splitlines() if unit.stem in line]
    assert (found.returncode, ours) == (0, [])


def test_there_is_a_unit_for_the_register_one_for_an_eir_and_one_for_sms():
    assert [unit.name for unit in UNITS] == ["openceir-eir.service", "openceir-sms.service", "openceir.service"]
