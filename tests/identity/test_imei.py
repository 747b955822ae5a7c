"""One IMEI: what decides, what is only a finding, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import imei as stdnum_imei
from stdnum import luhn as stdnum_luhn

from openceir.identity import (
    ODD_DEVICE_BASE,
    Imei,
    InvalidImei,
    device_key_of_imei,
    format_device_key,
    format_imei,
    imei_digits,
    luhn_check_digit,
    malformed_text,
)

FOURTEEN = st.text("0123456789", min_size=14, max_size=14)


@given(FOURTEEN)
def test_the_check_digit_is_the_one_python_stdnum_computes(digits):
    assert luhn_check_digit(digits) == stdnum_luhn.calc_check_digit(digits)
    assert stdnum_imei.is_valid(format_imei(digits))


@pytest.mark.parametrize(
    ("fourteen", "check_digit"),
    [
        ("99999999999999", "4"),
        ("00440015202000", "2"),
        ("35227301738634", "0"),
        ("35275101952326", "7"),
        ("13579024681122", "2"),
        ("49015420323751", "8"),
        ("00000000000000", "0"),
    ],
)
def test_check_digits_of_values_seen_in_the_field(fourteen, check_digit):
    assert luhn_check_digit(fourteen) == check_digit


@given(FOURTEEN)
def test_a_device_key_keeps_leading_zeros(digits):
    assert format_device_key(device_key_of_imei(digits)) == digits


@pytest.mark.parametrize("key", [ODD_DEVICE_BASE, ODD_DEVICE_BASE + 7, -1])
def test_a_key_of_the_dictionary_is_no_imei(key):
    with pytest.raises(InvalidImei, match="identifier dictionary"):
        format_device_key(key)


@pytest.mark.parametrize(
    "text", ["", "3520990017614", "352099001761481", "٣٥٢٠٩٩٠٠١٧٦١٤٨", "35209900176I48", "-3520990017614"]
)
def test_a_device_key_is_made_of_fourteen_ascii_digits_only(text):
    with pytest.raises(InvalidImei):
        device_key_of_imei(text)


@pytest.mark.parametrize(
    ("field", "digits"),
    [
        ("00100100000001", "00100100000001"),
        ("001001000000015", "00100100000001"),
        ("0010010000000100", "00100100000001"),  # IMEISV
        (" \t001001000000010\t", "00100100000001"),  # spare zero, blanks
        ("00100100000001*F", "00100100000001"),
        ("0010010000000", None),  # 13
        ("00100100000001000", None),  # 17
        ("", None),
        ("001001-00-000001", None),  # separators are for people, not for files
        ("٠٠١٠٠١٠٠٠٠٠٠٠١", None),  # digits of another script
        ("0010010000000\u0661", None),
        ("\u00a000100100000001", None),  # only spaces and tabs are trimmed
        ("00100100000001\n", "00100100000001"),  # 15 characters, whatever the last is
    ],
)
def test_fourteen_digits_decide_in_a_field_of_a_file(field, digits):
    assert imei_digits(field) == digits


# "seen in the field" by the peer's documentation for EIR requirements, table 9-1
@pytest.mark.parametrize(
    "field", ["DEABFCDE2ABFEC", "PWIUYTRWQLKJHM", "35424208#*21340", "567123098764107642", "3542420"]
)
def test_malformed_imeis_seen_in_the_field_have_no_digits_that_decide(field):
    assert imei_digits(field) is None


def test_malformed_text_is_trimmed_and_raised_in_ascii_only():
    assert malformed_text(" 38245933af987001\t") == "38245933AF987001"
    assert malformed_text("ßı") == "ßı"


@pytest.mark.parametrize(
    "text",
    [
        "00100100000001",
        "001001000000015",
        "00-100100-000001-5",
        "00 100100 000001 5",
        "001001/00/000001/5",
        "00.100100.000001.5",
        "00100100\u2013000001\u20135",
        "IMEI: 001001000000015",
        "IMEI 2: 001001000000015",
        "imei1=00100100000001",
        "0010010000000142",
        "urn:gsma:imei:00100100-000001-0",
        "URN:GSMA:IMEI:00100100-000001-0;vers=0",
        " 001001000000015 \n",
        "\tIMEI (2): 001001000000015\r\n",
    ],
)
def test_people_may_write_an_imei_as_it_is_printed(text):
    assert Imei.parse(text) == Imei("00100100", "000001")
    assert Imei.parse(text).key == 100100000001


def test_the_urn_of_rfc_7254():
    imei = Imei.parse("urn:gsma:imei:90420156-025763-0;svn=42")
    assert (imei.tac, imei.serial_number, imei.svn, imei.findings) == ("90420156", "025763", "42", ())
    assert Imei("90420156", "025763").format_urn() == "urn:gsma:imei:90420156-025763-0"  # TS 23.003 §13.8


def test_a_failed_luhn_is_a_typing_finding_that_names_the_digit_that_fits():
    [finding] = Imei.parse("490154203237519").findings
    assert finding.code == "luhn-failed"
    assert "typing finding" in finding.sentence
    assert "8 would fit" in finding.sentence


def test_a_spare_zero_is_told_apart_from_a_typing_slip():
    [finding] = Imei.parse("490154203237510").findings
    assert finding.code == "spare-digit"


def test_a_fitting_digit_and_a_software_version_leave_no_finding():
    assert Imei.parse("490154203237518").findings == ()
    assert Imei.parse("4901542032375199").findings == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3520990",
        "00100100000001234",
        "IMEI",
        "00100100000001x",
        "٠٠١٠٠١٠٠٠٠٠٠٠١",
        "0" * 10_000,
        "0010010000000\x001",
    ],
)
def test_what_holds_no_imei_is_refused_with_a_sentence(text):
    with pytest.raises(InvalidImei) as refused:
        Imei.parse(text)
    assert refused.value.code == "invalid-imei"
    assert len(str(refused.value)) < 250


@given(st.text())
def test_parsing_raises_nothing_but_invalid_imei(text):
    try:
        imei = Imei.parse(text)
    except InvalidImei:
        return
    assert len(imei.digits) == 14
    assert imei.digits.isascii()
