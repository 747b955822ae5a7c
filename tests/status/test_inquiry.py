"""A batch answers each device as if it had been asked about alone."""

from datetime import UTC, datetime

from openceir.app import open_register
from openceir.statements import DeviceBlocked, DevicePermitted, DeviceRegistered, DeviceSet, DeviceStolen, Role
from openceir.status import Answer

MARCH = datetime(2027, 3, 1, tzinfo=UTC)


def test_a_batch_and_single_checks_say_the_same(tmp_path):
    register = open_register(tmp_path)
    register.new_key("regulator", member="regulator", roles=[Role.REGULATOR], valid_from=MARCH)
    phones = [f"001001000000{n:02d}" for n in range(20)]
    spans = [("00100100000005", "00100100000009"), ("00100100000012", "00100100000014")]
    register.state(
        [
            DeviceRegistered(devices=DeviceSet.of(phones[:15]), registered_on=MARCH.date()),
            DeviceBlocked(devices=DeviceSet.of(ranges=spans), blocked_at=MARCH, grounds="Order 1"),
            DeviceStolen(devices=DeviceSet.of(phones[3:7]), stolen_at=MARCH, case_number="N-7"),
            DevicePermitted(devices=DeviceSet.of(phones[6:8]), permitted_at=MARCH, grounds="Embassy"),
        ],
        by="regulator",
        at=MARCH,
    )
    together = register.check_many([*phones, "004400152020002", phones[0]], MARCH)
    alone = [register.check(value, MARCH) for value in [*phones, "004400152020002", phones[0]]]
    assert together == alone
    assert {answer.status for answer in together if isinstance(answer, Answer)} == {
        "permitted", "blocked", "tracked", "unknown",
    }  # fmt: skip
