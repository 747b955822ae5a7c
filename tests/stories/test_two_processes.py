"""A service that answers and an import that writes, at once, in two processes."""

import subprocess
import sys

from a_country import Storyland, noon
from openceir.app import open_register
from openceir.status import Status

IMPORTS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from openceir.app import open_register

home = Path(sys.argv[1])
register = open_register(home)
for number in range(12):
    path = home / f"stolen{number}.csv"
    rows = [f"001001000{row:05d}" for row in range(0, 40 * (number + 1))]
    path.write_text("imei\\n" + "\\n".join(rows) + "\\n")
    register.import_list("stolen", path, by="police", at=datetime(2027, 3, 1, 12, number, tzinfo=UTC))
register.ledger.close()
"""


def test_answers_given_while_a_list_is_brought_in_are_whole_and_the_end_is_the_same(tmp_path):
    country = Storyland(tmp_path / "home")
    country.register.ledger.close()
    reader = open_register(country.home)
    at = noon("2027-03-02")
    asked = [f"001001000{row:05d}" for row in range(0, 480, 8)]
    importer = subprocess.Popen([sys.executable, "-c", IMPORTS, str(country.home)], stderr=subprocess.PIPE, text=True)
    sizes, seen = [], []
    while importer.poll() is None:
        reader.catch_up()
        answers = reader.check_many(asked, at)
        blocked = [answer.status is Status.BLOCKED for answer in answers]
        assert blocked == sorted(blocked, reverse=True), "a list is in whole or not at all"
        sizes.append(answers[0].log_size)
        seen.append(sum(blocked))
    assert importer.returncode == 0, importer.stderr.read()
    importer.stderr.close()
    assert sizes == sorted(sizes)
    assert seen == sorted(seen)
    reader.catch_up()
    before = [answer.as_json() for answer in reader.check_many(asked, at)]
    assert all(answer["status"] == "blocked" for answer in before)
    reader.rebuild_claims()
    assert [answer.as_json() for answer in reader.check_many(asked, at)] == before
    reader.verify_ledger()
