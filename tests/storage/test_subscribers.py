"""When networks saw devices last, without anybody's number: held against the reading of one device at a time."""

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, Storyland, noon
from openceir.storage.subscribers import SeenSubscribers


def test_many_devices_at_once_are_seen_as_each_is_seen_alone(tmp_path):
    country = Storyland(tmp_path / "home")
    country.sees(
        "northtel",
        [("2027-01-30", ALICES_PHONE, ALICE), ("2027-02-10", ALICES_PHONE, MALLORY), ("2027-02-03", BOBS_PHONE, BOB)],
        "2027-02-20",
    )
    country.sees("southtel", [("2027-02-12", ALICES_PHONE, BOB), ("2027-02-01", ALICES_PHONE, ALICE)], "2027-02-20")
    country.register.measure(at=noon("2027-02-21"))
    seen = country.register.subscribers
    devices = [int(ALICES_PHONE), int(BOBS_PHONE), 1_00100_00999999]
    apart = {}
    for device in devices:
        for one in seen.of(device):
            at = apart.setdefault(device, {})
            at[one.operator] = max(one.last_seen_on, at.get(one.operator, one.last_seen_on))
    assert seen.last_seen(devices) == apart
    assert {operator: on.isoformat() for operator, on in apart[int(ALICES_PHONE)].items()} == {
        "northtel": "2027-02-10",
        "southtel": "2027-02-12",
    }


def test_nobody_asked_about_and_nothing_measured_is_nothing_seen():
    assert SeenSubscribers(lambda: ()).last_seen([1]) == {}
    assert SeenSubscribers(lambda: 1 / 0).last_seen([]) == {}
