"""MAP CheckIMEI: questions that pycrate wrote are read, answers of ours are read by pycrate, and nothing else gets through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrate_asn1dir.TCAP_MAPv2v3 import EricssonMAP_Extensions

from openceir.wire.ber import InvalidBer, read_element, write_element
from openceir.wire.map_check_imei import NO_DEVICE, CheckImei, Dialogues, Opened, Verdict, find_imsi, read_imei
from openceir.wire.tcap import BadTransaction, Kind, TcapError, read_message

from . import an_msc as msc

VERSIONS = (1, 2, 3)
STATUSES = {Verdict.WHITELISTED: "whiteListed", Verdict.BLACKLISTED: "blackListed", Verdict.GREYLISTED: "greyListed"}
ERRORS = {"UNKNOWN_EQUIPMENT": 7, "SYSTEM_FAILURE": 34, "DATA_MISSING": 35, "UNEXPECTED_DATA_VALUE": 36}


def opened(octets: bytes, **how) -> Opened | bytes | None:
    return Dialogues(salt=0x5A5A5A50, **how).open(read_message(octets))


def asked(octets: bytes, **how) -> CheckImei:
    found = opened(octets, **how)
    assert isinstance(found, Opened)
    [question] = found.asked
    assert isinstance(question, CheckImei)
    return question


def answer(octets: bytes, *verdicts: Verdict, **how):
    """The answer as pycrate reads it."""
    found = opened(octets, **how)
    if isinstance(found, bytes):
        return msc.decode(found)
    return msc.decode(Dialogues(salt=0, **how).answer(found, verdicts))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("digits", "device", "svn"),
    [
        (msc.PHONE + "0", 100_100_000_001, -1),
        (msc.PHONE + "5", 100_100_000_001, -1),  # a check digit on the air is passed over like the 0
        (msc.PHONE + "07", 100_100_000_001, 7),  # an IMEISV
        ("99999999999999" + "99", 99_999_999_999_999, 99),
        ("0010010000000b0", NO_DEVICE, -1),  # a nibble that is no digit
    ],
)
def test_a_question_that_pycrate_wrote_is_read(version: int, digits: str, device: int, svn: int):
    question = asked(msc.question(version, digits))
    assert (question.device, question.svn, question.imsi, question.version) == (device, svn, 0, version)
    assert question.wants_status


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_pycrate_reads_every_answer_and_writes_the_same_octets_again(version: int, verdict: Verdict):
    kind, end = answer(msc.question(version), verdict)
    assert (kind, end["dtid"]) == ("end", msc.OTID)
    [(_, (form, said))] = end["components"]
    assert said["invokeId"] == ("present", 1)
    if verdict in STATUSES:
        assert form == "returnResult"
        parameter = said["result"]["result"][1]
        assert said["result"]["opcode"] == ("local", 43)
        assert parameter == ({"equipmentStatus": STATUSES[verdict]} if version == 3 else STATUSES[verdict])
    else:
        assert (form, said["errcode"]) == ("returnError", ("local", ERRORS[verdict.name]))
    if version == 1:
        assert "dialoguePortion" not in end
    else:
        name, accepted = dialogue_of(end)
        assert name == "dialogueResponse"
        assert accepted["application-context-name"] == (*msc.EIR_CONTEXT, version)
        assert accepted["result"] == 0


def dialogue_of(message) -> tuple[str, dict]:
    reason = message["reason"][1] if "reason" in message else message["dialoguePortion"]
    return reason["encoding"][1][1]


@pytest.mark.parametrize(("version", "highest", "offered"), [(4, 3, 3), (3, 2, 2)])
def test_a_version_we_do_not_speak_is_refused_with_the_highest_we_do(version: int, highest: int, offered: int):
    """TS 29.002: the MSC falls back to what the refusal names."""
    kind, abort = answer(msc.begin(version, msc.invoke(msc.argument(3))), highest=highest)
    name, said = dialogue_of(abort)
    assert (kind, abort["dtid"], name) == ("abort", msc.OTID, "dialogueResponse")
    assert said["application-context-name"] == (*msc.EIR_CONTEXT, offered)
    assert said["result"] == 1
    assert said["result-source-diagnostic"] == ("dialogue-service-user", 2)


def test_another_service_of_map_is_refused_under_its_own_name():
    location_update = (0, 4, 0, 0, 1, 0, 1, 3)
    _, abort = answer(msc.begin(3, msc.invoke(msc.argument(3)), context=location_update))
    assert dialogue_of(abort)[1]["application-context-name"] == location_update


def test_a_dialogue_that_asks_later_is_taken_and_answered_in_its_version():
    """Begin without a component, Continue from us, Continue with the question, End. We keep nothing in between."""
    dialogues = Dialogues(salt=0x12345678)
    taken = dialogues.open(read_message(msc.begin(3)))
    kind, said = msc.decode(taken)
    assert (kind, said["dtid"]) == ("continue", msc.OTID)
    assert dialogue_of(said)[1]["result"] == 0
    asks = msc.encode(
        ("continue", {"otid": msc.OTID, "dtid": said["otid"], "components": [msc.invoke(msc.argument(3))]})
    )
    later = dialogues.open(read_message(asks))
    [question] = later.asked
    assert question.version == 3
    kind, end = msc.decode(dialogues.answer(later, [Verdict.BLACKLISTED]))
    assert (kind, "dialoguePortion" in end) == ("end", False)
    # The same transaction after a restart of ours is nobody's.
    kind, abort = msc.decode(Dialogues(salt=0x70000000).open(read_message(asks)))
    assert (kind, abort["reason"]) == ("abort", ("p-abortCause", 1))


def test_who_asks_for_other_information_only_gets_an_empty_result():
    """bmuef alone: the bit string is 01."""
    octets = msc.begin(3, msc.invoke(msc.argument(3, wanted=(1, 2))))
    _, end = answer(octets, Verdict.BLACKLISTED)
    [(_, (_, said))] = end["components"]
    assert said["result"]["result"][1] == {}


def test_several_questions_of_one_dialogue_are_answered_in_order():
    octets = msc.begin(
        2,
        msc.invoke(msc.argument(2), invoke_id=1),
        msc.invoke(msc.argument(2), invoke_id=-128, operation=2),
        msc.invoke(msc.argument(2), invoke_id=127),
    )
    _, end = answer(octets, Verdict.WHITELISTED, Verdict.BLACKLISTED)
    forms = [(form, said["invokeId"][1]) for _, (form, said) in end["components"]]
    assert forms == [("returnResult", 1), ("reject", -128), ("returnResult", 127)]


# ------------------------------------------------------------------------------------------------- what else may come


def raw(*components: bytes, dialogue_portion: bytes = b"") -> bytes:
    return write_element(0x62, write_element(0x48, msc.OTID), dialogue_portion, write_element(0x6C, *components))


def invocation(*rest: bytes, code: bytes = b"\x02\x01\x2b") -> bytes:
    return write_element(0xA1, b"\x02\x01\x05", code, *rest)


IMEI = b"\x04\x08" + msc.tbcd(msc.PHONE + "0")


@pytest.mark.parametrize(
    ("component", "form", "code"),
    [
        (invocation(), "returnError", ("local", 35)),  # no argument
        (invocation(b"\x30\x00"), "returnError", ("local", 35)),
        (invocation(b"\x30\x09" + IMEI[:-1]), "reject", ("invoke", 2)),  # a sequence whose inside is cut
        (invocation(b"\x0a\x01\x00"), "reject", ("invoke", 2)),
        (invocation(IMEI, code=b"\x02\x01\x2a"), "reject", ("invoke", 1)),
        (invocation(IMEI, code=b"\x06\x01\x2b"), "reject", ("invoke", 1)),
        (b"\xbf\x20\x00", "reject", ("general", 0)),
        (b"\xa1\x02\x04\x00", "reject", ("general", 1)),
        (b"\xa1\x05\x02\x01\x05\x30\x09", "reject", ("general", 2)),
        (b"\xa1\x7f", "reject", ("general", 2)),
    ],
)
def test_a_component_that_cannot_be_served_is_told_why(component: bytes, form: str, code: tuple[str, int]):
    _, end = answer(raw(component))
    [(_, (found, said))] = end["components"]
    assert found == form
    assert (said["errcode"] if form == "returnError" else said["problem"]) == code


def test_version_3_without_requested_equipment_info_misses_data():
    octets = msc.question(3).replace(bytes.fromhex("300e"), bytes.fromhex("300a"))[:-4]
    shorter = bytearray(octets)
    for at in (1, octets.index(b"\x6c") + 1, octets.index(b"\xa1\x16") + 1):
        shorter[at] -= 4
    _, end = answer(bytes(shorter))
    assert end["components"][0][1][1]["errcode"] == ("local", 35)


@pytest.mark.parametrize("kind", ["end", "abort"])
def test_what_ends_a_dialogue_gets_no_answer(kind: str):
    parts = {"dtid": b"\0\0\0\1"} | ({"reason": ("p-abortCause", 1)} if kind == "abort" else {})
    assert opened(msc.encode((kind, parts))) is None


@pytest.mark.parametrize(
    ("octets", "cause"),
    [
        (b"\x66\x06\x48\x04" + msc.OTID, 0),
        (b"\x62\x08\x48\x04" + msc.OTID + b"\x6c\x7f", 2),
        (b"\x65\x06\x48\x04" + msc.OTID, 2),  # Continue without a destination
        (b"\x62\x0a\x48\x04" + msc.OTID + b"\x6b\x02\x28\x00", 3),
    ],
)
def test_a_broken_transaction_is_aborted_by_its_own_id(octets: bytes, cause: int):
    with pytest.raises(BadTransaction) as wrong:
        read_message(octets)
    assert msc.decode(wrong.value.answer) == ("abort", {"dtid": msc.OTID, "reason": ("p-abortCause", cause)})


@pytest.mark.parametrize(
    "octets", [b"", b"\x62", b"\x62\x00", b"\x62\x80", b"\x62\x02\x48\x00", b"\x62\x84\xff\xff\xff\xff"]
)
def test_a_message_of_nobody_is_discarded(octets: bytes):
    with pytest.raises(TcapError) as wrong:
        read_message(octets)
    assert not isinstance(wrong.value, BadTransaction)


def test_a_dialogue_of_a_version_to_come_is_refused():
    octets = msc.question(3).replace(bytes.fromhex("80020780"), bytes.fromhex("80020740"))
    _, abort = answer(octets)
    assert dialogue_of(abort)[1]["result-source-diagnostic"] == ("dialogue-service-provider", 2)


def test_indefinite_lengths_are_read():
    octets = msc.question(2)
    begin = octets[2:]
    at = begin.index(b"\x6c")
    loose = b"\x62\x80" + begin[:at] + b"\x6c\x80" + begin[at + 2 :] + b"\0\0" + b"\0\0"
    assert asked(loose).device == 100_100_000_001


# ----------------------------------------------------------------------------------------------- the IMSI of some makers

ALICE = "001010000000001"


def test_the_imsi_of_one_maker_is_found_by_its_tag():
    """pycrate's ASN.1 of one maker: EnhancedCheckIMEI-Arg holds imei, requestedEquipmentInfo, imsi, locationInformation."""
    argument = {"imei": msc.tbcd(msc.PHONE + "0"), "requestedEquipmentInfo": (2, 2), "imsi": msc.tbcd(ALICE)}
    theirs = EricssonMAP_Extensions.EnhancedCheckIMEI_Arg
    theirs.set_val(argument)
    encoded = theirs.to_ber()
    at = encoded.index(b"\x08" + msc.tbcd(ALICE))
    question = asked(msc_with(encoded), imsi_tag=encoded[at - 1])
    assert (question.device, question.imsi) == (100_100_000_001, 1_001_010_000_000_001)
    assert asked(msc_with(encoded)).imsi == 0  # not looked for unless told to


def msc_with(argument: bytes) -> bytes:
    """A question of version 3 with these octets for its argument."""
    whole = msc.question(3)
    dialogue = whole[8 : 8 + 2 + whole[9]]
    return raw(invocation(argument), dialogue_portion=dialogue)


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_an_imsi_is_found_however_deep_a_maker_puts_it(depth: int):
    found = (0x80, msc.tbcd(ALICE))
    for _ in range(depth):
        found = (0x30, write_element(found[0], found[1]))
    assert find_imsi([found], 0x80) == 1_001_010_000_000_001
    assert find_imsi([(0x30, b"\x30\x7f")], 0x80) == 0


# -------------------------------------------------------------------------------------------------------------- hostile


def served(octets: bytes) -> None:
    """Everything but an answer or the decoder's own error is a fault."""
    try:
        found = opened(octets, imsi_tag=0x80)
    except TcapError:
        return
    if isinstance(found, Opened):
        verdicts = [Verdict.BLACKLISTED for each in found.asked if isinstance(each, CheckImei)]
        assert len(Dialogues(0).answer(found, verdicts)) < 255


def test_no_cut_and_no_length_of_a_question_is_more_than_refused():
    for version in VERSIONS:
        whole = msc.question(version)
        for at in range(len(whole)):
            served(whole[:at])
            for octet in (0, 1, 0x7F, 0x80, 0x81, 0x83, 0x84, 0xFF):
                served(whole[:at] + bytes([octet]) + whole[at + 1 :])
                served(whole[:at] + bytes([octet]) + whole[at:])


@given(st.binary(max_size=300))
def test_octets_of_chance_are_refused(octets: bytes):
    served(octets)
    served(raw(octets))
    served(raw(invocation(octets)))


@given(st.integers(1, 0xFFFFFF), st.binary(max_size=400))
def test_an_element_that_we_write_we_read(tag: int, contents: bytes):
    element = write_element(0x30, write_element(0x04, contents))
    assert read_element(element) == (0x30, write_element(0x04, contents), len(element))


def test_depth_is_bounded():
    with pytest.raises(InvalidBer):
        read_element(b"\x30\x80" * 100_000)


@given(st.text("0123456789", min_size=14, max_size=16))
def test_the_first_14_digits_decide(digits: str):
    device, svn = read_imei(msc.tbcd(digits))
    assert device == int(digits[:14])
    assert svn == (int(digits[14:]) if len(digits) == 16 else -1)


def test_a_kind_is_one_of_five():
    assert sorted(Kind) == [0x61, 0x62, 0x64, 0x65, 0x67]
