import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.app import open_register
from openceir.errors import OpenceirError
from openceir.statements import (
    KINDS,
    ActsCommitted,
    Approved,
    DeviceBlocked,
    DeviceBound,
    DeviceClassified,
    DeviceCloned,
    DeviceImported,
    DeviceLost,
    DevicePaired,
    DevicePermitted,
    DeviceRecovered,
    DeviceRegistered,
    DeviceSet,
    DeviceStolen,
    DeviceTracked,
    Disputed,
    ErasureDone,
    ErasureOrdered,
    FederationFounded,
    KeyUse,
    ListApplied,
    Member,
    MemberKey,
    MembershipProposed,
    Pair,
    RangeAllocated,
    Role,
    SigningKey,
    StateCommitted,
    StatementRefused,
    StockDeclared,
    TypeApproved,
    Withdrawn,
    decode_payload,
    encode_payload,
    from_plain,
    sign,
    to_plain,
)

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
TODAY = NOON.date()
PHONE = DeviceSet.of("00100100000001")
LEAF = bytes(range(32))
SPARE_KEY = MemberKey(SigningKey("xa-2", bytes(32)).public, NOON, NOON + timedelta(365), use=KeyUse.WITNESS)
FOUNDER = Member(
    "xa-regulator",
    frozenset({Role.REGULATOR, Role.COURT}),
    (MemberKey(SigningKey("xa-1", LEAF).public, NOON),),
    nation="XA",
    power=10,
)

ONE_OF_EACH = [
    RangeAllocated(
        devices=DeviceSet.of(ranges=[("00100100000000", "00100100999999")]), brand="B", model="M", allocated_on=TODAY
    ),
    TypeApproved(devices=PHONE, certificate_number="C-1", approved_on=TODAY),
    StockDeclared(devices=PHONE, consignment="K-1", declared_on=TODAY),
    DeviceImported(devices=PHONE, consignment="K-1", imported_on=TODAY),
    DeviceRegistered(devices=PHONE, registered_on=TODAY, attributes=b"PAR1"),
    DeviceBound(identifiers=DeviceSet.of("00100100000001", others=[("serial", "A1")])),
    DeviceStolen(devices=PHONE, stolen_at=NOON, case_number="N-7"),
    DeviceLost(devices=PHONE, lost_at=NOON, case_number="N-7"),
    DeviceRecovered(devices=PHONE, recovered_at=NOON, case_number="N-7"),
    DeviceBlocked(devices=PHONE, blocked_at=NOON, grounds="order 5"),
    DeviceTracked(devices=PHONE, tracked_at=NOON, grounds="order 6"),
    DeviceCloned(devices=PHONE, found_at=NOON, grounds="seen in two countries within an hour"),
    DevicePermitted(devices=PHONE, permitted_at=NOON, until=NOON + timedelta(1), grounds="embassy"),
    DevicePermitted(permitted_at=NOON, grounds="golden list", keyed_digests=(LEAF,)),
    DevicePaired(pairs=(Pair("00100100000001", "001010000000001", "99900001"), Pair("00100100000001", "001010000000002")), paired_at=NOON),
    DeviceClassified(
        rule="cloned", conditions=("duplicate_threshold",), blocking=True, marks_duplicate=True, policy_digest=LEAF,
        as_of_on=TODAY, evidence_digest=LEAF, block_on=date(2027, 4, 1), matched=PHONE,
    ),
    Withdrawn(target=LEAF, withdrawn_at=NOON, grounds="error"),
    Withdrawn(claim="stolen", label="x", devices=PHONE, withdrawn_at=NOON, grounds="error"),
    Disputed(target=LEAF, filed_at=NOON, restores_at=NOON + timedelta(hours=72), grounds="objection 4"),
    FederationFounded(name="example/shared", quorum=1, members=(FOUNDER,)),
    MembershipProposed(action="admit", terms=FOUNDER, quorum=2, until=NOON + timedelta(30), grounds="charter 3"),
    MembershipProposed(action="add-key", member="xa-regulator", key=SPARE_KEY, until=NOON + timedelta(30), grounds=""),
    MembershipProposed(
        action="change-roles", member="xa-regulator", roles=(Role.COURT,), until=NOON + timedelta(30), grounds=""
    ),
    Approved(target=LEAF),
    StateCommitted(size=7, epoch=1, token_key=LEAF, root=LEAF, as_of_at=NOON),
    ActsCommitted(number=7, digest=LEAF, as_of_at=NOON),
    ErasureOrdered(target=LEAF, grounds="Data Act 17"),
    ErasureDone(order=LEAF, done_at=NOON, backups_until=NOON + timedelta(35)),
    ListApplied(list_name="blocklist", sequence=4, digest=LEAF, log_size=7, made_at=NOON, applied_at=NOON),
]  # fmt: skip


def test_every_kind_stands_above():
    assert {said.kind for said in ONE_OF_EACH} == set(KINDS)


@pytest.mark.parametrize("said", ONE_OF_EACH, ids=lambda said: said.kind)
def test_a_statement_is_read_as_it_was_written(said):
    said.check(NOON)
    octets = encode_payload(said)
    assert decode_payload(said.kind, octets) == said
    assert from_plain(to_plain(said)) == said


def test_the_octets_of_a_theft_are_these():
    """Made by hand after RFC 8949 §4.2.1: map keys by length, then bytewise; an instant is seconds since 1970."""
    assert encode_payload(ONE_OF_EACH[6]) == bytes.fromhex(
        "a3"
        + "67" + b"devices".hex() + "a1" + "65" + b"imeis".hex() + "81" + "6e" + b"00100100000001".hex()
        + "69" + b"stolen_at".hex() + "1a" + f"{1803902400:08x}"
        + "6b" + b"case_number".hex() + "63" + b"N-7".hex()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("device-stolen/1", {Role.POLICE, Role.REGULATOR, Role.OPERATOR}),
        ("device-classified/1", {Role.REGULATOR}),
        ("device-permitted/1", {Role.REGULATOR, Role.COURT}),
        ("device-imported/1", {Role.CUSTOMS}),
        ("stock-declared/1", {Role.MAKER, Role.IMPORTER}),
        ("range-allocated/1", {Role.NUMBERING, Role.REGULATOR}),
        ("withdrawn/1", set(Role)),
    ],
)
def test_who_may_say_what_is_as_the_architecture_page_says(kind, roles):
    assert KINDS[kind].said_by == roles


def said_by_of_the_page():
    """Kind -> roles, from the table of docs/architecture.md §4."""
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+/1)` \| ([^|]+) \|", page, re.MULTILINE)
    return {
        kind: set(Role) if who == "any" else {word.lower() for word in re.findall(r"[A-Z]{4,}", who)}
        for kind, who in rows
    }


def test_the_book_takes_each_kind_from_the_offices_of_the_page_and_from_no_other(tmp_path):
    """Signed truly in every case: it is the book that refuses, whatever a signer's program let pass."""
    register = open_register(tmp_path)
    register.new_key("log-keeper", member="log-keeper", roles=[Role.REGULATOR], valid_from=NOON)
    keys = {role: SigningKey(str(role), role.encode().ljust(32, b"-")) for role in Role}
    for role, key in keys.items():
        register.change_members(register.members.with_key(str(role), MemberKey(key.public, NOON), [role]))
    table = said_by_of_the_page()
    governing = {"federation-founded/1", "membership-proposed/1", "approved/1"}  # tests/ledger/test_governance.py
    assert all(KINDS[kind].said_by == table[kind] for kind in governing)
    for number, said in enumerate(ONE_OF_EACH):
        if said.kind in governing:
            continue
        # "the issuer of what is withdrawn": anybody may have said something to take back
        allowed = set(Role) if said.kind == "withdrawn/1" else table[said.kind]
        for role, key in keys.items():
            signed = sign(said, key, issuer=str(role), stated_at=NOON, salt=bytes([number]) * 16)
            if role in allowed:
                assert register.submit([signed], at=NOON)
                continue
            before = register.ledger.size
            with pytest.raises(StatementRefused, match=f"{role} may not say {said.kind}"):
                register.submit([signed], at=NOON)
            assert register.ledger.size == before


NOTHING = DeviceSet()
LATER = NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (DeviceStolen(devices=PHONE, stolen_at=LATER, case_number=""), "local time"),
        (DeviceStolen(devices=NOTHING, stolen_at=NOON, case_number=""), "no device"),
        (DeviceLost(devices=PHONE, lost_at=LATER, case_number=""), "local time"),
        (DeviceRecovered(devices=PHONE, recovered_at=LATER, case_number=""), "local time"),
        (DeviceBlocked(devices=PHONE, blocked_at=LATER, grounds=""), "grounds"),
        (DeviceTracked(devices=PHONE, tracked_at=LATER, grounds=""), "grounds"),
        (DevicePermitted(permitted_at=NOON, grounds="g"), "no device"),
        (DevicePermitted(devices=PHONE, permitted_at=NOON, grounds=""), "grounds"),
        (DevicePermitted(devices=PHONE, permitted_at=NOON, until=NOON, grounds="g"), "swapped"),
        (DevicePermitted(permitted_at=NOON, grounds="g", keyed_digests=(b"short",)), "guessed"),
        (DeviceBound(identifiers=PHONE), "two identifiers"),
        (DeviceBound(identifiers=DeviceSet.of(ranges=[("00100100000000", "00100100000009")])), "many devices"),
        (DevicePaired(pairs=(), paired_at=NOON), "nobody"),
        (TypeApproved(devices=PHONE, certificate_number="", approved_on=date(2027, 3, 2)), "after the signature"),
        (Withdrawn(withdrawn_at=NOON, grounds=""), "either"),
        (Withdrawn(target=LEAF, claim="stolen", withdrawn_at=NOON, grounds=""), "either"),
        (Withdrawn(target=b"short", withdrawn_at=NOON, grounds=""), "leaf hash"),
        (Withdrawn(claim="stolen", withdrawn_at=NOON, grounds=""), "no device"),
        (Disputed(target=LEAF, filed_at=NOON, restores_at=NOON - timedelta(1), grounds=""), "swapped"),
    ],
)
def test_what_cannot_be_true_is_refused_with_the_reason(said, why):
    with pytest.raises(StatementRefused, match=why):
        said.check(NOON)


def test_a_day_like_the_signature_s_is_not_in_the_future():
    TypeApproved(devices=PHONE, certificate_number="C", approved_on=TODAY).check(NOON)


GOOD = {"devices": {"imeis": ["00100100000001"]}, "stolen_at": 1803902400, "case_number": "N-7"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"stolen_at": -1}, "stolen_at"),
        ({"stolen_at": 1.0}, "stolen_at"),
        ({"stolen_at": True}, "stolen_at"),
        ({"stolen_at": 10**15}, "stolen_at"),
        ({"case_number": "x" * 1001}, "case_number"),
        ({"case_number": "line\nbreak"}, "case_number"),
        ({"case_number": b"N-7"}, "case_number"),
        ({"case_number": None}, "case_number"),
        ({"devices": ["00100100000001"]}, "devices"),
        ({"colour": "red"}, "no field colour"),
        ({7: "x"}, "no field 7"),
    ],
)
def test_a_payload_with_a_wrong_field_is_refused_by_its_name(changed, why):
    with pytest.raises(StatementRefused, match=why):
        decode_payload("device-stolen/1", cbor2.dumps(GOOD | changed, canonical=True))


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_payload_without_a_field_is_refused_by_its_name(missing):
    parts = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(StatementRefused, match=f"{missing} is missing"):
        decode_payload("device-stolen/1", cbor2.dumps(parts, canonical=True))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(cbor2.dumps(dict(reversed(GOOD.items()))), id="keys in another order"),
        pytest.param(b"\xbf" + cbor2.dumps(GOOD, canonical=True)[1:] + b"\xff", id="indefinite length"),
        pytest.param(cbor2.dumps(GOOD, canonical=True) + b"\x00", id="an octet too many"),
        pytest.param(cbor2.dumps(GOOD, canonical=True)[:-1], id="an octet too few"),
        pytest.param(cbor2.dumps(GOOD, canonical=True).replace(b"\x1a\x6b", b"\x1b\x00\x00\x00\x00\x6b"), id="a longer number"),
        pytest.param(b"\xd8\x23" + cbor2.dumps("(a+)+"), id="a tag"),
        pytest.param(b"\x81" * 200, id="deep nesting"),
    ],
)  # fmt: skip
def test_a_second_spelling_of_a_payload_is_refused(octets):
    with pytest.raises(StatementRefused):
        decode_payload("device-stolen/1", octets)


def test_an_unknown_kind_is_refused():
    with pytest.raises(StatementRefused, match="no kind"):
        decode_payload("device-eaten/1", b"\xa0")
    with pytest.raises(StatementRefused, match="no kind"):
        from_plain({"kind": "device-eaten/1"})


def test_an_instant_without_its_offset_is_refused():
    """A local time sent as UTC would block a phone hours early."""
    plain = to_plain(ONE_OF_EACH[6]) | {"stolen_at": "2027-03-01T12:00:00"}
    with pytest.raises(StatementRefused, match="offset"):
        from_plain(plain)


@pytest.mark.parametrize(
    "instant",
    ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "1969-12-31T23:59:59Z", "1960-01-01T00:00:00Z"],
)
def test_an_instant_that_no_payload_can_carry_is_refused_before_it_is_signed(instant):
    """Found beside the fuzzer: the first two raised OverflowError, the others were signed and could never be read again."""
    plain = to_plain(ONE_OF_EACH[6]) | {"stolen_at": instant}
    with pytest.raises(StatementRefused, match="1970"):
        encode_payload(from_plain(plain))


@pytest.mark.parametrize("plain", [{"kind": "\ud800"}, to_plain(ONE_OF_EACH[6]) | {"\ud800": 1}])
def test_a_refusal_can_be_written_down_whatever_it_repeats(plain):
    """JSON can escape half a surrogate pair; a sentence that holds one has no UTF-8."""
    with pytest.raises(StatementRefused) as refused:
        from_plain(plain)
    assert b"ud800" in str(refused.value).encode()


def test_an_instant_with_another_offset_becomes_utc():
    plain = to_plain(ONE_OF_EACH[6]) | {"stolen_at": "2027-03-01T15:00:00+03:00"}
    assert from_plain(plain) == ONE_OF_EACH[6]


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_no_octets_make_the_payload_decoder_fail_in_another_way(kind, octets):
    try:
        decode_payload(kind, octets)
    except OpenceirError:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
)


@given(st.sampled_from(ONE_OF_EACH), st.data())
def test_no_json_makes_the_reader_fail_in_another_way(said, data):
    plain = to_plain(said)
    plain[data.draw(st.sampled_from(sorted(plain)))] = data.draw(json_values)
    try:
        encode_payload(from_plain(plain))
    except OpenceirError:
        return
