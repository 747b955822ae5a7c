"""Where a subscriber's number stands, and where it must not."""

from datetime import timedelta

import pyarrow.parquet as pq

from a_country import ALICE, ALICES_PHONE, BOB, BOBS_PHONE, MALLORY, Storyland, days_from, noon
from openceir import lists
from openceir.detection import example_rules
from openceir.statements import DeviceSet, DeviceStolen, Pair
from openceir.status import AskedPair, Claim, Said
from openceir.storage.subscribers import SeenSubscriber

PEOPLE = (ALICE, BOB, MALLORY)


def spellings(number):
    """A number as text and as the integers of SQLite (big-endian) and of arrays (little-endian)."""
    key = int("1" + number)
    return [number.encode(), number.lstrip("0").encode(), str(key).encode(), key.to_bytes(8), key.to_bytes(8, "little")]


def test_neither_the_book_nor_evidence_nor_any_run_holds_a_subscriber(tmp_path):
    country = Storyland(tmp_path / "home", example_rules())
    seen = [(on, ALICES_PHONE, who) for on in days_from("2027-02-20", 9) for who in (ALICE, BOB)]
    seen += [(on, BOBS_PHONE, BOB) for on in days_from("2027-02-20", 9)]
    # enough others, so that no rule is beyond its safety ratio
    seen += [("2027-02-20", f"001001000002{n:02d}", MALLORY) for n in range(40)]
    country.sees("northtel", seen, "2027-03-01")
    theft = DeviceStolen(devices=DeviceSet.of(ALICES_PHONE), stolen_at=noon("2027-03-01"), case_number="N-7")
    country.says("police", theft, "2027-03-01")
    country.sees("southtel", [(on, ALICES_PHONE, MALLORY) for on in days_from("2027-03-03", 3)], "2027-03-06")
    made = country.updates("2027-03-06")
    country.register.ledger.close()
    country.register.database.close()
    kept = [
        country.home / "register.sqlite",
        *(country.home / "ledger").rglob("*"),
        *(country.home / "keys").rglob("*"),
    ]
    files = [path for path in kept if path.is_file()]
    assert len(files) > 4
    for path in files:
        octets = path.read_bytes()
        for person in PEOPLE:
            assert not any(spelling in octets for number in person for spelling in spellings(number)), path.name
    [outcome] = (country.home / "lake" / "measures" / "runs").glob("*.parquet")
    assert set(pq.read_schema(outcome).names) == {"rule", "device", "what", "seen"}
    assert made.adopted


def test_what_prints_an_object_prints_no_subscriber():
    imsi, number = ALICE
    key, day = int("1" + imsi), noon("2027-03-01").date()
    at = int(noon("2027-03-01").timestamp())
    said = Said(index=0, kind="paired", issuer="northtel", effective_at=at, logged_at=at, leaf_hash=bytes(32))
    objects = [
        Pair(ALICES_PHONE, imsi, number),
        AskedPair(imsi=key),
        Claim(said=said, imsi=key, msisdn=int("1" + number)),
        SeenSubscriber(imsi=key, msisdn=int("1" + number), operator="n", first_seen_on=day, last_seen_on=day, days_seen=1),
        lists.Pair(1, key, int("1" + number)),
        lists.SeenPair(1, key, day, day - timedelta(days=1)),
        lists.Triplet(1, key, int("1" + number), ("northtel",)),
    ]  # fmt: skip
    for one in objects:
        assert imsi not in repr(one)
        assert number not in repr(one)
