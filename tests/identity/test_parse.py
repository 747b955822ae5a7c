"""parse(): schemes told apart, canonical forms, findings that explain and never accuse."""

import hashlib
import json
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import imei as stdnum_imei
from stdnum import luhn as stdnum_luhn
from stdnum import mac as stdnum_mac
from stdnum import meid as stdnum_meid
from stdnum.iso7064 import mod_97_10

from openceir.identity import CATALOGUE, UNKNOWN_SCHEME, Check, Identifier, UnknownScheme, parse
from openceir.identity.parse import LONGEST_TEXT

HEX = "0123456789ABCDEF"
DIGITS = "0123456789"


def codes(identifier):
    return [found.code for found in identifier.findings]


@pytest.mark.parametrize(
    ("text", "scheme", "canonical", "written_as"),
    [
        ("001001000000015", "imei", "00100100000001", "imei"),
        ("00-100100-000001-5", "imei", "00100100000001", "imei"),
        ("00100100000001", "imei", "00100100000001", "imei"),
        ("0010010000000114", "imeisv", "0010010000000114", "imeisv"),
        ("00-100100-000001-14", "imeisv", "0010010000000114", "imeisv"),
        ("urn:gsma:imei:90420156-025763-0;vers=0", "imei", "90420156025763", "imei-urn"),
        ("imei-001001000000010", "imei", "00100100000001", "pei-imei"),
        ("imeisv-0010010000000114", "imeisv", "0010010000000114", "pei-imeisv"),
        ("mac-00-11-22-aa-bb-cc", "eui-48", "00-11-22-AA-BB-CC", "pei-mac"),
        ("eui-00-11-22-33-44-55-66-77", "eui-64", "00-11-22-33-44-55-66-77", "pei-eui"),
        ("(8002)001001000000015", "imei", "00100100000001", "gs1-8002"),
        ("(8002)AB-17", "gs1-8002", "(8002)AB-17", "gs1-8002"),
        ("00100100", "tac", "00100100", "tac"),
        ("imsi-001010000000001", "imsi", "001010000000001", "supi"),
        ("nai-alice@example.org", "supi", "nai-alice@example.org", "supi"),
        ("+1 (858) 355-1234", "msisdn", "18583551234", "msisdn"),
        ("msisdn-18583551234", "msisdn", "18583551234", "msisdn"),
        ("AF 01 23 45 0A BC DE C", "meid", "AF0123450ABCDE", "meid"),
        ("29360 87365 0070 3710 0", "meid", "AF0123450ABCDE", "meid-decimal"),
        ("urn:device-id:meid:AF012345-0ABCDE-0", "meid", "AF0123450ABCDE", "meid"),
        ("800737E1", "pesn", "800737E1", "pesn"),
        ("AF123456", "esn", "AF123456", "esn"),
        ("89034011560010000000000000000121", "eid", "89034011560010000000000000000121", "eid"),
        ("8944500102198304826", "iccid", "8944500102198304826", "iccid"),
        ("8944500102198304826F", "iccid", "8944500102198304826", "iccid"),
        ("00:1a:2B:3C:4d:5E", "eui-48", "00-1A-2B-3C-4D-5E", "eui-48"),
        ("001a.2b3c.4d5e", "eui-48", "00-1A-2B-3C-4D-5E", "eui-48"),
        ("001A2B3C4D5E", "eui-48", "00-1A-2B-3C-4D-5E", "eui-48"),
        ("00:1a:2B:FF:fe:3C:4d:5E", "eui-64", "00-1A-2B-FF-FE-3C-4D-5E", "eui-64"),
        ("urn:epc:id:sgtin:0614141.812345.6789", "sgtin", "(01)80614141123458(21)6789", "sgtin"),  # EPC TDS §7.1
        ("https://id.gs1.org/01/80614141123458/21/6789", "sgtin", "(01)80614141123458(21)6789", "sgtin"),
        ("(01)80614141123458(21)6789", "sgtin", "(01)80614141123458(21)6789", "sgtin"),
        ("urn:epc:id:grai:0614141.12345.400", "grai", "(8003)00614141123452400", "grai"),  # EPC TDS §7.4
        ("(8003)00614141123452400", "grai", "(8003)00614141123452400", "grai"),
        ("urn:epc:id:giai:0614141.12345400", "giai", "(8004)061414112345400", "giai"),  # EPC TDS §7.5
        ("4006381333931", "gtin", "04006381333931", "gtin"),
        ("{F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6}", "uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uuid"),
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "uuid"),
        ("10.1000/182", "doi", "10.1000/182", "doi"),
        ("https://doi.org/10.1000/AbC", "doi", "10.1000/abc", "doi"),
        ("11.1002/1000/1", "handle", "11.1002/1000/1", "handle"),
        ("hdl:4263537/4000", "handle", "4263537/4000", "handle"),
        ("1.3.6.1.4.1.11129.2.1.17", "oid", "1.3.6.1.4.1.11129.2.1.17", "oid"),
        ("did:web:example.org", "did", "did:web:example.org", "did"),
        ("1m8gdm9axkp042788", "vin", "1M8GDM9AXKP042788", "vin"),
    ],
)
def test_schemes_are_told_apart(text, scheme, canonical, written_as):
    read = parse(f" {text}\n")
    assert (read.scheme, read.canonical, read.written_as) == (scheme, canonical, written_as)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_scheme_of_the_catalogue_can_be_read(name):
    example = {
        "imei": "001001000000015", "imeisv": "0010010000000114", "imei-urn": "urn:gsma:imei:00100100-000001-0",
        "tac": "00100100", "pei-imei": "imei-001001000000015", "pei-imeisv": "imeisv-0010010000000114",
        "pei-mac": "mac-00-11-22-33-44-55-untrusted", "pei-eui": "eui-00-11-22-33-44-55-66-77",
        "imsi": "001010000000001", "supi": "imsi-001010000000001", "msisdn": "+15550100001",
        "meid": "AF0123450ABCDE", "meid-decimal": "293608736500703710", "esn": "17503456789", "pesn": "80000001",
        "eid": "89034011560010000000000000000121", "iccid": "8944500102198304826", "eui-48": "00-11-22-33-44-55",
        "eui-64": "00-11-22-33-44-55-66-77", "bd-addr": "001122334455", "maker-serial": "C02XK1ABJGH5",
        "gtin": "80614141123458", "sgtin": "(01)80614141123458(21)1", "gs1-8002": "(8002)001001000000015",
        "grai": "(8003)00614141123452", "giai": "(8004)X1", "uuid": "919108f7-52d1-4320-9bac-f847db4148a8",
        "idfv": "919108f7-52d1-4320-9bac-f847db4148a8", "gaid": "919108f7-52d1-4320-9bac-f847db4148a8",
        "android-id": "9774d56d682e549c", "handle": "20.500.1/x", "doi": "10.1000/182",
        "oid": "2.25", "devid": "00" * 32, "tpm-ek": ":".join(["ab"] * 32), "android-attestation": "sha256:" + "0f" * 32,
        "did": "did:key:z6Mk", "vin": "1M8GDM9AXKP042788",
    }  # fmt: skip
    read = parse(example[name], name)
    row = CATALOGUE[name]
    assert read.scheme == (row.denotes or name)
    assert read.check in Check
    assert parse("§", name).scheme == UNKNOWN_SCHEME


def test_what_names_one_device_has_one_imei_however_written():
    written = ["001001000000015", "0010010000000114", "urn:gsma:imei:00100100-000001-0", "imei-001001000000010",
               "imeisv-0010010000000114", "(8002)00100100000001", "00 100100 000001"]  # fmt: skip
    assert {parse(text).imei for text in written} == {"00100100000001"}
    assert parse("00100100").imei is None
    assert parse("AF0123450ABCDE").imei is None


# --- held against python-stdnum


@given(st.text(DIGITS, min_size=15, max_size=15))
def test_the_check_of_an_imei_is_that_of_python_stdnum(text):
    read = parse(text)
    assert read.scheme == "imei"
    assert (read.check is Check.PASSED) == stdnum_imei.is_valid(text)


@given(
    st.text(HEX, min_size=2, max_size=2).filter(lambda region: region >= "A0"), st.text(HEX, min_size=12, max_size=12)
)
def test_a_meid_is_what_python_stdnum_says(region, rest):
    meid = region + rest
    read = parse(meid)
    assert read.scheme == "meid"
    assert read.parts["decimal"] == stdnum_meid.format(meid, separator="", format="dec")
    assert read.parts["pseudo_esn"] == stdnum_meid.to_pseudo_esn(meid).upper()
    assert parse(meid + stdnum_meid.calc_check_digit(meid)).check is Check.PASSED
    decimal = read.parts["decimal"]
    again = parse(decimal + stdnum_luhn.calc_check_digit(decimal), "meid")
    assert (again.canonical, again.check) == (meid, Check.PASSED)


def test_the_worked_pseudo_esn():
    """domain.md §3: FF000001123456 -> 800737E1."""
    assert parse("FF000001123456").parts["pseudo_esn"] == "800737E1"
    by_hand = hashlib.sha1(bytes.fromhex("FF000001123456")).hexdigest()[-6:]
    assert by_hand.upper() == "0737E1"


@given(st.text(DIGITS, min_size=32, max_size=32))
def test_the_check_of_an_eid_is_mod_97(text):
    read = parse(text)
    assert read.scheme == "eid"
    assert (read.check is Check.PASSED) == mod_97_10.is_valid(text)


@given(st.text(HEX, min_size=12, max_size=12))
def test_a_mac_address_is_what_python_stdnum_says(bare):
    with_colons = ":".join(bare[n : n + 2] for n in range(0, 12, 2))
    read = parse(with_colons)
    assert read.scheme == "eui-48"
    assert read.canonical.replace("-", ":").lower() == stdnum_mac.compact(with_colons)
    assert (read.parts["administered"] == "universally") == stdnum_mac.is_universally_administered(with_colons)
    assert (read.parts["addresses"] == "group") == stdnum_mac.is_multicast(with_colons)


@given(st.integers(0, 255), st.integers(0, (1 << 24) - 1))
def test_an_esn_reads_alike_in_hexadecimal_and_decimal(maker, serial):
    decimal, hexadecimal = f"{maker:03d}{serial:08d}", f"{maker:02X}{serial:06X}"
    assert parse(decimal, "esn") == parse(hexadecimal, "esn")
    assert parse(hexadecimal, "esn").parts["decimal"] == decimal


def test_the_worked_esn():
    """0xAF is 175 and 0x123456 is 1193046."""
    assert parse("AF123456").parts["decimal"] == "17501193046"


# --- published examples of UUIDs: RFC 9562 Appendix A


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("C232AB00-9414-11EC-B3C8-9F6BDECED846", "1"), ("5df41881-3aed-3515-88a7-2f4a814cf09e", "3"),
        ("919108f7-52d1-4320-9bac-f847db4148a8", "4"), ("2ed6657d-e927-568b-95e1-2665a8aea6a2", "5"),
        ("1EC9414C-232A-6B00-B3C8-9F6BDECED846", "6"), ("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "7"),
        ("2489E9AD-2EE2-8E00-8EC9-32D5F69181C0", "8"),
    ],
)  # fmt: skip
def test_kinds_of_uuid(text, version):
    read = parse(text)
    assert (read.parts["version"], read.check, codes(read)) == (version, Check.PASSED, ["set-by-software"])


def test_uuids_that_are_no_device_or_no_uuid():
    assert parse("00000000-0000-0000-0000-000000000000").parts["kind"] == "nil"
    assert parse("ffffffff-ffff-ffff-ffff-ffffffffffff").parts["kind"] == "max"
    assert parse("00000000-0000-0000-0000-000000000001").check is Check.FAILED
    assert codes(parse("00000000-0000-0000-0000-000000000000", "gaid")) == ["non-unique"]


def test_an_oid_below_2_25_is_a_uuid():
    """The example of ITU-T X.667."""
    read = parse("2.25.329800735698586629295641978511506172918")
    assert read.parts["uuid"] == str(UUID("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"))
    assert codes(parse(f"2.25.{1 << 128}")) == ["oid-uuid-too-large"]


@pytest.mark.parametrize("text", ["1.40.1", "0.99.1", "3.1.1", "1.02.1", "1..2", "1.2.", "1.100000.3"])
def test_what_is_no_oid(text):
    assert parse(text, "oid").scheme == UNKNOWN_SCHEME


# --- findings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("001001000000019", ["luhn-failed", "test-tac"]),
        ("001001000000010", ["spare-digit", "test-tac"]),
        ("001001000000015", ["test-tac"]),
        ("352099001761481", []),
        ("772099001761480", ["spare-digit", "rbi-unknown"]),
        ("440015202000", ["lost-leading-zeros", "non-unique"]),
        ("0", ["lost-leading-zeros", "non-unique"]),
        ("135790246811220", ["spare-digit", "non-unique"]),
        ("imei-352099001761480", []),  # on the air the 15th digit is a spare zero
        ("3520990017614899", ["svn-reserved"]),
        ("AF0123450ABCDE1", ["check-digit-failed"]),
        ("99000100000001", []),
        ("89034011560010000000000000000122", ["eid-check-failed"]),
        ("8944500102198304827", ["not-a-device", "check-digit-failed"]),
        ("02:00:00:00:00:01", ["locally-administered"]),
        ("01:00:5e:00:00:01", ["group-address"]),
        ("ff:ff:ff:ff:ff:ff", ["non-unique"]),
        ("mac-00-11-22-33-44-55-untrusted", ["untrusted-mac"]),
        ("800737E1", ["non-unique"]),
        ("1M8GDM9A1KP042788", ["check-digit-failed"]),
        ("WVWZZZ1JZ3W386752", []),  # outside North America position 9 is no check digit
        ("(01)80614141123459(21)6789", ["check-digit-failed"]),
    ],
)
def test_findings(text, found):
    assert codes(parse(text)) == found


def test_a_networks_spare_zero_is_no_failed_check():
    assert parse("001001000000010").check is Check.ABSENT
    assert parse("001001000000019").check is Check.FAILED


def test_no_finding_accuses():
    accusing = ("counterfeit", "fake", "stolen", "fraud", "illegal", "criminal")
    for text in ("001001000000019", "AF0123450ABCDE1", "8944500102198304827", "440015202000", "772099001761480", "x"):
        for found in parse(text).findings:
            assert not any(word in found.sentence for word in accusing)


def test_no_sentence_repeats_a_subscriber():
    for text, scheme in (("001010000000001", "imsi"), ("+15550100001", None), ("nai-bob@example.org", None)):
        assert not any(text.strip("+") in found.sentence for found in parse(text, scheme).findings)


# --- the documented order, and what else a text can mean


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("310150123456789", ["imei", "imsi"]),
        ("99000100000001", ["imei", "meid", "imsi"]),
        ("00:1a:2b:3c:4d:5e", ["eui-48", "bd-addr"]),
        ("38245933AF987001", ["eui-64", "android-id"]),
        ("35-20-99-00-17-61-48-15", ["eui-64", "imeisv"]),
        ("919108f7-52d1-4320-9bac-f847db4148a8", ["uuid", "idfv", "gaid"]),
        ("35.209900/176148/1", ["imei", "handle"]),
    ],
)
def test_ambiguity_is_answered_in_order(text, order):
    read = parse(text)
    assert [read.scheme, *(other.scheme for other in read.alternatives)] == order


# --- nothing recognised


@pytest.mark.parametrize(
    ("text", "code", "alternatives"),
    [
        ("", "empty", []), (" \t\n", "empty", []), ("\ufeff", "empty", []),
        ("3520990", "too-few-digits", []),
        ("9999999999999", "too-few-digits", ["imei"]),
        ("11111111111111111", "too-many-digits", []),
        ("567123098764107642", "too-many-digits", []),  # the peer's table 9-1; no decimal MEID either
        ("PWIUYTRWQLKJHM", "no-scheme-fits", []),
        ("35424208#*21340", "no-scheme-fits", []),
        ("C02XK1ABJGH5", "no-scheme-fits", ["maker-serial"]),
        ("ab" * 32, "no-scheme-fits", ["devid", "tpm-ek", "android-attestation"]),
        ("٣٥٢٠٩٩٠٠١٧٦١٤٨١", "foreign-digits", ["imei"]),
        ("３５２０９９００１７６１４８", "foreign-digits", ["imei"]),
        ("35209900\x00176148", "odd-characters", []),
        ("\ud800", "not-text", []),
        ("1" * 10_000_000, "too-long", []),
    ],
)  # fmt: skip
def test_garbage_is_unknown_and_says_why(text, code, alternatives):
    read = parse(text)
    assert (read.scheme, read.is_known, read.imei, read.row) == (UNKNOWN_SCHEME, False, None, None)
    assert codes(read) == [code]
    assert [other.scheme for other in read.alternatives] == alternatives


def test_a_value_that_is_not_of_the_scheme_named_says_what_was_expected():
    read = parse("C02XK1ABJGH5", "imei")
    assert codes(read) == ["not-this-scheme"]
    assert "TAC (8)" in read.findings[0].sentence


def test_letters_that_upper_case_turns_into_ascii_do_not_pass():
    assert parse("WVWZZZ1JZ3W38675ſ").scheme == UNKNOWN_SCHEME
    assert parse("C02XK1ABJGHſ", "maker-serial").scheme == UNKNOWN_SCHEME


def test_an_unknown_scheme_is_the_callers_mistake():
    with pytest.raises(UnknownScheme, match="identifier list"):
        parse("1", "imai")


def test_a_certificate_is_named_by_the_hash_of_its_octets():
    pem = "-----BEGIN CERTIFICATE-----\nAQIDBA==\n-----END CERTIFICATE-----\n"
    read = parse(pem, "tpm-ek")
    assert read.canonical == hashlib.sha256(b"\x01\x02\x03\x04").hexdigest()
    assert codes(read) == ["named-not-proven"]
    assert parse(pem.replace("==", "="), "tpm-ek").scheme == UNKNOWN_SCHEME


# --- it never raises, and it always comes back

SCHEMES = st.one_of(st.none(), st.sampled_from(sorted(CATALOGUE)))
ANY = st.text(st.characters(), max_size=60)
ALMOST = st.text(st.sampled_from(DIGITS + "ABCDEFabcdefXx-:. /(){}urnimeisvdhlpc%01;=+٣\u00a0\0"), max_size=60)
PREFIXED = st.tuples(
    st.sampled_from(["urn:gsma:imei:", "imei-", "imeisv-", "mac-", "eui-", "imsi-", "nai-", "+", "did:", "urn:oid:2.25.",
                     "urn:epc:id:sgtin:", "urn:epc:id:grai:", "urn:epc:id:giai:", "(01)", "(8002)", "(8003)0", "(8004)",
                     "https://id.gs1.org/01/", "hdl:", "10.1000/", "{", "IMEI 1: "]),
    ALMOST,
).map("".join)  # fmt: skip


@settings(max_examples=600)
@given(st.one_of(ANY, ALMOST, PREFIXED), SCHEMES)
def test_parse_never_raises_for_content(text, scheme):
    read = parse(text, scheme)
    assert isinstance(read, Identifier)
    assert read.is_known or read.findings
    assert read.scheme == UNKNOWN_SCHEME or read.scheme in CATALOGUE
    json.dumps(read.to_dict()).encode()


@settings(max_examples=300)
@given(st.one_of(ALMOST, PREFIXED))
def test_a_canonical_form_is_its_own_canonical_form(text):
    read = parse(text)
    if read.is_known:
        again = parse(read.canonical, read.scheme)
        assert (again.scheme, again.canonical) == (read.scheme, read.canonical)


@settings(max_examples=200)
@given(st.one_of(ANY, PREFIXED))
def test_a_known_canonical_form_can_be_shown_on_a_terminal(text):
    read = parse(text)
    assert not read.is_known or read.canonical.isprintable()


@pytest.mark.parametrize(
    "unit", ["1", "0.", "1-", "A", "AB:", "35-", "%41", "a.", "/", "(", " 1", "-", "--", "1 ", "é"]
)
@pytest.mark.parametrize(
    "prefix", ["", "urn:oid:1.", "did:a:", "hdl:1/", "https://a/01/", "10.1000/", "-----BEGIN CERTIFICATE-----"]
)
def test_the_longest_text_comes_back_from_every_reader(unit, prefix):
    """A reader that walked back and forth would not return from these within anyone's patience."""
    text = (prefix + unit * LONGEST_TEXT)[: LONGEST_TEXT - 1] + "!"
    assert parse(text).findings or parse(text).is_known
    for scheme in CATALOGUE:
        parse(text, scheme)
