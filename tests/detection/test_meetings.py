"""A number in two countries at once is found on both sides, a traveller on neither; the twin compares row by row."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openceir.app import open_register
from openceir.detection.meetings import (
    MeetingsRefused,
    hours_of,
    meetings,
    pair_key,
    read_hours,
    token_of,
    write_hours,
)
from openceir.statements import KeyRefused, KeyUse, Member, MemberKey, Members, Role, SigningKey
from openceir.status import Status

SECRET = bytes(range(32))
DAY = date(2027, 3, 1)
MIDNIGHT = datetime(2027, 3, 1, tzinfo=UTC)
FIRST_HOUR = int(MIDNIGHT.timestamp()) // 3600


def seen(rows, nation="XA", to="XB", secret=SECRET):
    """Rows are (device, hour of the day)."""
    device, hour = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return hours_of(secret, device, (FIRST_HOUR + hour) * 3600 + 59, nation=nation, to=to)


ROWS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 23)), min_size=1, max_size=20)


def farthest_apart(hour, other):
    """Of two instants in these hours, by trying their edges."""
    edges = [(hour, hour + 1), (other, other + 1)]
    return max(abs(one - two) for one in edges[0] for two in edges[1])


@settings(max_examples=150)
@given(ROWS, ROWS, st.integers(0, 9))
def test_both_sides_find_what_a_comparison_of_every_pair_finds(ours, theirs, travel_hours):
    key = pair_key(SECRET, DAY)
    expected = {}
    for device in {device for device, _ in ours} & {device for device, _ in theirs}:
        pairs = [
            (here, there)
            for here in sorted({hour for one, hour in ours if one == device})
            for there in sorted({hour for one, hour in theirs if one == device})
            if farthest_apart(here, there) < travel_hours
        ]
        if pairs:
            expected[token_of(key, device)] = (len(pairs), {hour for pair in pairs for hour in pair})
    here, there = seen(ours), seen(theirs, "XB", "XA")
    found = meetings(here, there, travel_hours)
    assert {one.token: one.count for one in found} == {token: count for token, (count, _) in expected.items()}
    assert all(one.first_hour - FIRST_HOUR in expected[one.token][1] for one in found)
    assert {(one.token, one.count) for one in meetings(there, here, travel_hours)} == {
        (one.token, one.count) for one in found
    }


@settings(max_examples=100)
@given(st.integers(2, 8), st.lists(st.integers(0, 5), min_size=2, max_size=5), st.integers(0, 3599))
def test_who_takes_as_long_as_the_journey_takes_is_never_found(travel_hours, stays, second):
    """A traveller: some hours in one country, the journey, some hours in the other, and back."""
    at, rows = FIRST_HOUR * 3600 + second, {"XA": [], "XB": []}
    for turn, stay in enumerate(stays):
        rows[("XA", "XB")[turn % 2]] += [at + 3600 * hour for hour in range(stay + 1)]
        at += 3600 * stay + 3600 * travel_hours
    if at // 86_400 > FIRST_HOUR // 24 + 30:
        return
    made = {
        nation: hours_of(SECRET, np.full(len(some), 7), np.array(some, dtype=np.int64), nation=nation, to="ZZ")
        for nation, some in rows.items()
    }
    assert meetings(made["XA"], made["XB"], travel_hours) == []


def test_another_month_and_another_pair_have_other_tokens():
    key = pair_key(SECRET, DAY)
    assert token_of(key, 5) != token_of(pair_key(SECRET, date(2027, 4, 1)), 5)
    assert token_of(key, 5) != token_of(pair_key(bytes(32), DAY), 5)
    assert pair_key(SECRET, DAY) == pair_key(SECRET, date(2027, 3, 31))


# ------------------------------------------------------------------------------------------------------- the file

KEY = SigningKey("xa", bytes(32))
XA = Member("xa-regulator", frozenset({Role.REGULATOR}), (MemberKey(KEY.public, MIDNIGHT),), nation="XA")
NOON = MIDNIGHT + timedelta(hours=12)


def written(rows=((5, 3), (6, 4)), issuer="xa-regulator", **how):
    return write_hours(seen(rows, **how), KEY, issuer=issuer, at=NOON)


def test_a_file_is_read_as_it_was_written_and_names_no_device():
    octets = written()
    read = read_hours(octets, Members([XA]), to="XB")
    assert (read.tokens.tolist(), read.hours.tolist()) == (seen([(5, 3), (6, 4)]).tokens.tolist(), read.hours.tolist())
    assert b"00000000000005" not in octets
    assert (5).to_bytes(8, "little") not in octets


def test_a_file_that_is_not_for_us_or_not_signed_by_its_nation_is_refused():
    octets = written()
    spare = SigningKey("spare", b"1" * 32)
    for members, to, why in [
        (Members([XA]), "XC", "for XB"),
        (Members([XA]), "XA", "no member of"),
        (Members(), "XB", "nobody"),
        (Members([Member("xa-regulator", XA.roles, XA.keys, nation="XC")]), "XB", "no member of XA"),
        (Members([Member("xa-regulator", XA.roles, (MemberKey(spare.public, MIDNIGHT),), nation="XA")]), "XB", "nobody"),
        (Members([Member("xa-regulator", XA.roles, (MemberKey(KEY.public, MIDNIGHT, use=KeyUse.WITNESS),), nation="XA")]),
         "XB", "did not count"),
        (Members([Member("xa-regulator", XA.roles, (MemberKey(KEY.public, NOON + timedelta(1)),), nation="XA")]),
         "XB", "did not count"),
    ]:  # fmt: skip
        with pytest.raises(MeetingsRefused, match=why):
            read_hours(octets, members, to=to)
    for place in range(0, len(octets), 7):
        broken = bytearray(octets)
        broken[place] ^= 1
        with pytest.raises(MeetingsRefused):
            read_hours(bytes(broken), Members([XA]), to="XB")


def test_days_of_two_months_are_exchanged_apart():
    with pytest.raises(MeetingsRefused, match="several months"):
        hours_of(SECRET, np.array([1, 1]), np.array([0, 86_400 * 40]), nation="XA", to="XB")
    with pytest.raises(MeetingsRefused, match="no sighting"):
        hours_of(SECRET, np.array([], dtype=np.int64), np.array([], dtype=np.int64), nation="XA", to="XB")


# --------------------------------------------------------------------------------------------------- two countries

CLONE, TRAVELLER, AT_HOME = "00100100000001", "00100100000019", "00100100000027"


def country(folder, nation, other, sightings, others_key):
    (folder / "policy").mkdir(parents=True)
    (folder / "policy" / "country.toml").write_text(
        f'[country]\nname = "Land"\nnation = "{nation}"\nmcc = ["001"]\ncountry_codes = ["999"]\n'
        f"[neighbours.{other}]\ntravel_hours = 4\n"
        '[operators.northtel]\nname = "Northtel"\nmcc_mnc = ["00101"]\n'
    )
    register = open_register(folder)
    register.new_key("regulator", member=f"{nation.lower()}-regulator", roles=[Role.REGULATOR], valid_from=MIDNIGHT)
    line = register.members.find(f"{nation.lower()}-regulator").keys[0]
    dump = folder / "dump.csv"
    rows = [
        f"{day},{imei},0010100000000{n:02d},9990000{n:02d},006,{time}" for n, (imei, day, time) in enumerate(sightings)
    ]
    dump.write_text("date,imei,imsi,msisdn,rat,time\n" + "\n".join(rows) + "\n")
    register.import_sightings(dump, operator="northtel", since=DAY, until=date(2027, 3, 2), at=MIDNIGHT + timedelta(3))
    return register, line


def test_the_clone_is_found_on_both_sides_and_the_traveller_on_neither(tmp_path):
    here = [(CLONE, "20270301", "10:00:00"), (TRAVELLER, "20270301", "08:00:00"), (AT_HOME, "20270301", "09:00:00")]
    there = [(CLONE, "20270301", "11:30:00"), (TRAVELLER, "20270301", "14:00:00")]
    xa, xa_key = country(tmp_path / "xa", "XA", "XB", here, None)
    xb, xb_key = country(tmp_path / "xb", "XB", "XA", there, None)
    regulators = frozenset({Role.REGULATOR})
    xa.change_members(xa.members.with_member(Member("xb-regulator", regulators, (xb_key,), nation="XB")))
    xb.change_members(xb.members.with_member(Member("xa-regulator", regulators, (xa_key,), nation="XA")))
    with pytest.raises(KeyRefused, match="no secret"):
        xa.write_hours_seen("XB", DAY, DAY, by="regulator", at=MIDNIGHT + timedelta(3))
    secret = xa.make_pair_secret("XB")
    xb.take_pair_secret("XA", secret)
    assert xa.pair_secret_path("XB").stat().st_mode & 0o777 == 0o600
    at = MIDNIGHT + timedelta(3)
    to_xb = xa.write_hours_seen("XB", DAY, DAY, by="regulator", at=at)
    to_xa = xb.write_hours_seen("XA", DAY, DAY, by="regulator", at=at)
    found_there, found_here = xb.take_hours_seen(to_xb, at=at), xa.take_hours_seen(to_xa, at=at)
    assert [one.device for one in found_here] == [one.device for one in found_there] == [int(CLONE)]
    assert (found_here[0].nation, found_there[0].nation, found_here[0].pairs) == ("XB", "XA", 1)
    assert found_here[0].first_hour_at == found_there[0].first_hour_at == MIDNIGHT + timedelta(hours=10)
    xa.take_hours_seen(to_xa, at=at + timedelta(1))
    assert len(list(xa.met)) == 1, "to take it in again changes nothing"
    assert xa.check(CLONE, at).status is Status.UNKNOWN, "a finding is a proposal"
    xa.state_met(found_here, by="regulator", at=at)
    assert xa.check(CLONE, at).status is Status.TRACKED
    assert xa.check(TRAVELLER, at).status is Status.UNKNOWN
