"""What people send, and what is read of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import format_imei
from openceir.portal.channels.question import Asked, Fault, parse_question

ALICE, BOB = "00100100000001", "00100100000002"
FULL_ALICE, FULL_BOB = format_imei(ALICE), format_imei(BOB)


@pytest.mark.parametrize(
    ("text", "numbers", "language"),
    [
        (FULL_ALICE, [ALICE], None),
        (f"KYM {FULL_ALICE}", [ALICE], "en"),
        (f"check: 00-100100-000001-{FULL_ALICE[-1]}", [ALICE], "en"),
        (f"IMEI 1: {FULL_ALICE} IMEI 2: {FULL_BOB}", [ALICE, BOB], None),
        (f"{FULL_ALICE},{FULL_BOB}", [ALICE, BOB], None),
        (f"{FULL_ALICE}\n{FULL_BOB} {FULL_ALICE}", [ALICE, BOB], None),
        (f"00 100100 000001 {FULL_ALICE[-1]} 00 100100 000002 {FULL_BOB[-1]}", [ALICE, BOB], None),
        (ALICE, [ALICE], None),
        (f"{ALICE}78", [ALICE], None),
        (f"{FULL_ALICE}/01", [ALICE], None),
        (f"{ALICE}0", [ALICE], None),
        (f"verifier {FULL_ALICE}", [ALICE], "fr"),
        (f"AR {FULL_ALICE}", [ALICE], "ar"),
        ("فحص ٠٠١٠٠١٠٠٠٠٠٠٠١" + chr(0x660 + int(FULL_ALICE[-1])), [ALICE], "ar"),
        ("".join(chr(0xFF10 + int(digit)) for digit in FULL_ALICE), [ALICE], None),
        ("यह फ़ोन " + "".join(chr(0x966 + int(digit)) for digit in FULL_ALICE), [ALICE], "hi"),
        (f"is {FULL_ALICE} ok for 25000?", [ALICE], None),
        ("", [], None),
        ("hello", [], None),
        ("buy 2 phones", [], None),
    ],
)  # fmt: skip
def test_a_message_is_read(text: str, numbers: list[str], language: str | None):
    question = parse_question(text)
    assert [each.digits for each in question.numbers] == numbers
    assert not any(each.fault for each in question.numbers)
    assert question.language == language


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (FULL_ALICE[:13], Fault.COUNT),
        (FULL_ALICE + FULL_BOB[:5], Fault.COUNT),
        ("123456", Fault.COUNT),
        (ALICE + str((int(FULL_ALICE[-1]) + 1) % 10 or 1), Fault.CHECK_DIGIT),
    ],
)
def test_a_number_that_cannot_be_looked_up_says_why(text: str, fault: Fault):
    assert [each.fault for each in parse_question(text).numbers] == [fault]


@given(st.text(max_size=900))
def test_any_text_is_read(text: str):
    for each in parse_question(text).numbers:
        assert isinstance(each, Asked)
        assert each.fault or len(each.digits) == 14


@given(
    st.lists(st.integers(0, 999_998), min_size=1, max_size=3, unique=True),
    st.sampled_from([", ", "\n", " and ", ";", " / ", " IMEI "]),
)
def test_several_numbers_are_read_in_their_order(serials: list[int], between: str):
    imeis = [f"00100100{serial:06d}" for serial in serials]
    question = parse_question("check " + between.join(map(format_imei, imeis)))
    assert [each.digits for each in question.numbers] == imeis
