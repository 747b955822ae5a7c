"""`openceir api` over a portal's home: whose keys there are, and the end of one that leaked."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("django", reason="the portal is not installed")

MADE = """
import sys
from datetime import timedelta
from pathlib import Path
from openceir.portal.prepare import prepare
prepare(Path(sys.argv[1]))
from openceir.portal import moment
from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.models import User
from openceir.portal.api.keys import make_key
user = User.objects.create(username="reg")
actor = Actor(name="reg", role="regulator", office="regulator", signs_with="regulator", user=user)
make_key(actor, name="till-2", scopes=["check"], per_day=9, partner="shop", expires_at=moment.now() + timedelta(days=1))
"""


def test_a_key_that_leaked_is_seen_and_ended_and_no_command_shows_it(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPENCEIR_", "DJANGO_"))}

    def run(*words):
        return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment, check=False)

    def openceir(*words):
        return run("-m", "openceir", "--home", str(home), "api", *words)

    made = run("-c", MADE, str(home))
    assert made.returncode == 0, made.stderr
    [row] = json.loads(openceir("list", "--json").stdout)
    assert (row["key"], row["scopes"], row["state"]) == ("shop/till-2", ["check"], "open")
    assert openceir("revoke", "shop/till-2").stdout == "the key shop/till-2 opens nothing any more\n"
    told = openceir("list").stdout
    assert "revoked" in told
    assert "openceir_" not in told
    unknown = openceir("revoke", "shop/nobody")
    assert (unknown.returncode, "there is no key" in unknown.stderr) == (2, True)
