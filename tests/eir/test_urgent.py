"""A block made at the centre reaches every EIR by itself, with a million devices blocked already: the order of events.

How many seconds that takes is measured by bench/eir_urgent.py; here nothing is measured by time.
"""

from datetime import timedelta

import numpy as np
import pytest

from openceir import clock
from openceir.statements import DeviceBlocked, DeviceSet

from .a_centre import ALICES_PHONE, BOBS_PHONE, ACentre, Certificates, free_port, served
from .an_eir import BLACKLISTED, EQUIPMENT_UNKNOWN, AnEirProcess

pytestmark = pytest.mark.slow
FIRST_BLOCKED, MANY = 35_000_000_000_000, 1_000_000


def test_a_theft_is_answered_by_every_eir_without_anybody_asking_for_lists(tmp_path):
    certificates = Certificates(tmp_path / "certificates")
    centre = ACentre(tmp_path / "centre")
    at = clock.now()
    many = DeviceSet.of(keys=np.arange(FIRST_BLOCKED, FIRST_BLOCKED + MANY).tolist())
    centre.register.state(
        [DeviceBlocked(devices=many, blocked_at=at - timedelta(days=1), grounds="a shipload")], by="regulator", at=at
    )
    centre.makes_lists()
    runs, port = centre.register.list_runs, free_port()
    eirs = []
    try:
        with served(centre, certificates, port):
            eirs += [AnEirProcess(tmp_path / name, centre, certificates, port) for name in ("one", "two")]
            listed = str(FIRST_BLOCKED + 7)
            for eir in eirs:
                assert eir.answers(listed, ALICES_PHONE) == [BLACKLISTED, EQUIPMENT_UNKNOWN]
            centre.steals(ALICES_PHONE)
            for eir in eirs:
                assert eir.says("list swapped", sequence=2)["devices"] == MANY + 1
                assert eir.answers(listed, ALICES_PHONE, BOBS_PHONE) == [BLACKLISTED, BLACKLISTED, EQUIPMENT_UNKNOWN]
                assert "blocklist" in eir.says("lists taken", sequence=2)["by_delta"]
            centre.finds(ALICES_PHONE)
            for eir in eirs:
                eir.says("list swapped", sequence=3)
                assert eir.answers(listed, ALICES_PHONE) == [BLACKLISTED, EQUIPMENT_UNKNOWN]
    finally:
        for eir in eirs:
            eir.end()
    deltas = [file for file in runs.history("northtel") if file.kind == "blocklist" and file.base]
    assert [(file.sequence, file.base, file.rows) for file in deltas] == [(3, 2, 1), (2, 1, 1)]
    assert runs.last_sequence() == 3
