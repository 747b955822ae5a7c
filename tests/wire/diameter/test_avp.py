"""AVPs as octets. Expected octets are written out from RFC 6733 and TS 29.272, or come from python-diameter."""

import pytest
from diameter.message import Avp as OtherAvp
from hypothesis import given
from hypothesis import strategies as st

from openceir.wire.diameter.avp import read_avps, write_avp, write_named, write_unsigned
from openceir.wire.diameter.dictionary import AVPS, COMMANDS, NAMED
from openceir.wire.diameter.errors import InvalidAvpLength

IMEI_AVP = bytes.fromhex("0000057a c000001a 000028af 3030313030313030303030303031 0000")


def test_imei_avp_is_read_without_its_padding():
    """TS 29.272 §7.3.4: UTF8String, V and M set; 14 digits, then two octets of padding."""
    [avp] = read_avps(IMEI_AVP)
    assert (avp.code, avp.vendor, avp.data) == (1402, 10415, b"00100100000001")


def test_imei_avp_is_written_with_its_padding():
    assert write_named("IMEI", b"00100100000001") == IMEI_AVP


def test_auth_session_state_is_written_as_rfc_6733_lays_it_out():
    """§8.11: code 277, Enumerated, M set, no vendor: 12 octets."""
    assert write_unsigned("Auth-Session-State", 1) == bytes.fromhex("00000115 4000000c 00000001")


@pytest.mark.parametrize("length", range(8))
def test_an_avp_shorter_than_its_header_is_refused_at_once(length: int):
    """Lengths 0 to 7 once made a loop for ever of such a reader."""
    octets = bytes.fromhex("00000108 40") + length.to_bytes(3, "big") + bytes(8)
    with pytest.raises(InvalidAvpLength):
        list(read_avps(octets))


@pytest.mark.parametrize("length", [8, 11])
def test_an_avp_with_a_vendor_needs_twelve_octets(length: int):
    with pytest.raises(InvalidAvpLength):
        list(read_avps(bytes.fromhex("0000057a c0") + length.to_bytes(3, "big") + bytes(8)))


def test_an_avp_longer_than_its_message_is_refused_with_its_header_and_zeroes():
    """RFC 6733 §7.1.5, 5014: the offending header and a zero-filled payload of the minimum length; 277 has 4 octets."""
    with pytest.raises(InvalidAvpLength) as refused:
        list(read_avps(bytes.fromhex("00000115 40ffffff 00000001")))
    assert refused.value.failed_avp == bytes.fromhex("00000115 4000000c 00000000")


@pytest.mark.parametrize("cut", range(1, 8))
def test_a_header_that_is_cut_is_padded_to_the_minimum_in_failed_avp(cut: int):
    with pytest.raises(InvalidAvpLength) as refused:
        list(read_avps(bytes.fromhex("00000115 40000008")[:cut]))
    [shown] = read_avps(refused.value.failed_avp)
    assert shown.data == b"\0" * len(shown.data)


values = st.tuples(
    st.integers(1, 2**32 - 1), st.sampled_from([0x40, 0, 0xC0, 0x80]), st.integers(1, 2**32 - 1), st.binary(max_size=40)
).map(lambda row: (row[0], row[1], row[2] if row[1] & 0x80 else 0, row[3]))


@given(rows=st.lists(values, max_size=6))
def test_python_diameter_reads_what_we_write_and_we_read_what_it_writes(rows):
    ours = b"".join(write_avp(*row) for row in rows)
    theirs = b""
    for code, flags, vendor, data in rows:
        other = OtherAvp(code=code, vendor_id=vendor, payload=data, flags=flags)
        theirs += other.as_bytes()
    assert ours == theirs
    assert [(avp.code, avp.flags, avp.vendor, avp.data) for avp in read_avps(theirs)] == rows


@given(octets=st.binary(max_size=200))
def test_any_octets_are_read_to_their_end_or_refused(octets: bytes):
    shown = None
    try:
        size = sum(avp.end - avp.at + -avp.end % 4 for avp in read_avps(octets))
    except InvalidAvpLength as refused:
        size, shown = len(octets), list(read_avps(refused.failed_avp))
    assert size >= len(octets) - 3
    assert shown is None or len(shown) == 1


# ------------------------------------------------------------------------------------------------------- the dictionary


def test_codes_vendors_and_types_are_those_that_python_diameter_has():
    """Another implementation's dictionary, row by row; what it lacks is named here."""
    from diameter.message.avp.dictionary import AVP_DICTIONARY, AVP_VENDOR_DICTIONARY

    kinds = {
        "AvpUtf8String": {"UTF8String", "DiameterIdentity"}, "AvpOctetString": {"OctetString", "DiameterIdentity"},
        "AvpInteger32": {"Enumerated", "Integer32", "Unsigned32"}, "AvpEnumerated": {"Enumerated", "Unsigned32"}, "AvpUnsigned32": {"Unsigned32", "Enumerated"},
        "AvpGrouped": {"Grouped"}, "AvpAddress": {"Address"}, "AvpTime": {"Time"},
    }  # fmt: skip
    compared = 0
    for rule in NAMED.values():
        other = (
            AVP_VENDOR_DICTIONARY.get(rule.vendor, {}).get(rule.code) if rule.vendor else AVP_DICTIONARY.get(rule.code)
        )
        if other is None:
            continue
        compared += 1
        assert other["name"].lower() == rule.name.lower()
        assert rule.type in kinds[other["type"].__name__], rule.name
    assert compared >= len(NAMED) - 1


def test_every_row_names_its_clause_and_every_grammar_only_known_avps():
    assert all("§" in rule.clause for rule in AVPS.values())
    for rule in COMMANDS.values():
        assert {*rule.required, *rule.optional} <= NAMED.keys()
    for avp in AVPS.values():
        assert {*avp.required, *avp.optional} <= NAMED.keys()


def test_names_are_unique():
    assert len(NAMED) == len(AVPS)
