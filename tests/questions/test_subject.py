"""What a question is about is one octet string, however the number was written."""

import pytest

from openceir.questions import NotAskable, subject_of_key, subject_of_text

PHONE = b"00100100000001"


@pytest.mark.parametrize(
    "text",
    ["00100100000001", "001001000000015", "0010010000000100", "001001-00-000001-5", " 001001000000015\n", "imei-001001000000015",
     "urn:gsma:imei:00100100-000001-0"],
)  # fmt: skip
def test_an_imei_is_its_fourteen_digits(text):
    """No check digit, no software version: 3GPP TS 23.003 §6.2 compares fourteen."""
    assert subject_of_text(text) == PHONE == subject_of_key(100100000001, None)


def test_other_schemes_carry_their_name_so_that_none_meets_an_imei():
    assert subject_of_text("89034011560010000000000000000121") == b"eid:89034011560010000000000000000121"
    assert subject_of_text("A1000000123456").startswith(b"meid:")
    assert subject_of_key(10**14 + 5, ("eid", "89034011560010000000000000000121")) == subject_of_text(
        "89034011560010000000000000000121"
    )


@pytest.mark.parametrize(
    "text", ["", "hello world", "001001000000013", "00100100", "imsi-001010000000001", "+999000000001"]
)
def test_what_names_no_device_is_not_asked_and_not_repeated(text):
    with pytest.raises(NotAskable) as refused:
        subject_of_text(text)
    assert not text or text not in str(refused.value)


def test_a_malformed_text_has_no_entry():
    assert subject_of_key(10**14 + 5, ("malformed", "35?7")) is None
    assert subject_of_key(10**14 + 5, None) is None
