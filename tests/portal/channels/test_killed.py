"""A process that dies between opening a case and answering leaves neither; asked again, there is one of both."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, signal, sys
from pathlib import Path
from openceir.portal.prepare import prepare
prepare(Path(sys.argv[1]))
from openceir.portal.cases.models import Case
from openceir.portal.channels import desk
if sys.argv[2] == "die":
    kept = desk.AnsweredMessage.objects
    def create(**row):
        assert Case.objects.count() == 1, "the case is open already"
        os.kill(os.getpid(), signal.SIGKILL)
    kept.create = create
    desk.AnsweredMessage.objects = kept
asked = {"gateway": "g", "session_id": "s", "number": "15550100077", "text": "2*2*001001000000015*1"}
print(desk.answer_ussd(**asked) == desk.answer_ussd(**asked), Case.objects.count(), desk.AnsweredMessage.objects.count())
"""


def run(home: Path, how: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(home), how], capture_output=True, text=True, env=environment
    )


def test_a_killed_report_is_no_report_and_is_made_once_when_the_gateway_asks_again(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    assert run(home, "die").returncode == -9
    done = run(home, "live")
    assert done.stdout.split() == ["True", "1", "1"], done.stderr
