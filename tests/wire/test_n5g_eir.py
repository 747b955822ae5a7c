"""N5g-eir questions as they stand in URIs, and the answers a core compares letter by letter (TS 29.511, TS 29.500)."""

import json
from urllib.parse import parse_qsl, quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.wire import n5g_eir
from openceir.wire.n5g_eir import EquipmentQuestion, Refused, accepts_json, parse_query, refusal_of_target

ALICES_PHONE = 100_100_000_001
ALICE = 1_001_010_000_000_001
ASKED = "pei=imei-001001000000015&supi=imsi-001010000000001"


def refusal(query: str) -> tuple[int, str, list[str]]:
    """Status, cause and the parameters that are said to be wrong."""
    with pytest.raises(Refused) as refused:
        parse_query(query)
    document = json.loads(refused.value.answer.body)
    assert document["status"] == refused.value.answer.status
    return document["status"], document.get("cause", ""), [each["param"] for each in document.get("invalidParams", [])]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ASKED, EquipmentQuestion(ALICES_PHONE, ALICE, -1, "")),
        ("supi=imsi-001010000000001&pei=imei-001001000000015", EquipmentQuestion(ALICES_PHONE, ALICE, -1, "")),
        ("pei=imei-001001000000010", EquipmentQuestion(ALICES_PHONE, 0, -1, "")),  # the 15th digit as sent on the air
        ("pei=imei-00100100000001", EquipmentQuestion(ALICES_PHONE, 0, -1, "")),
        ("pei=imeisv-0010010000000107", EquipmentQuestion(ALICES_PHONE, 0, 7, "")),
        ("pei=imeisv-0010010000000199&supi=nai-alice@example", EquipmentQuestion(ALICES_PHONE, 0, 99, "")),
        ("pei=imei%2D001001000000015&%73upi=imsi-001010000000001", EquipmentQuestion(ALICES_PHONE, ALICE, -1, "")),
        ("pei=mac-00-00-5e-00-53-01", EquipmentQuestion(-1, 0, -1, "mac-00-00-5E-00-53-01")),
        ("pei=mac-00-00-5E-00-53-01-untrusted", EquipmentQuestion(-1, 0, -1, "mac-00-00-5E-00-53-01")),
        ("pei=eui-00-00-5e-ff-fe-00-53-01", EquipmentQuestion(-1, 0, -1, "eui-00-00-5E-FF-FE-00-53-01")),
        ("pei=urn:what%20ever%20%E2%82%AC", EquipmentQuestion(-1, 0, -1, "urn:what ever €")),
        ("pei=a+b", EquipmentQuestion(-1, 0, -1, "a+b")),  # RFC 3986: a plus is a plus
        ("pei=x=y", EquipmentQuestion(-1, 0, -1, "x=y")),
    ],
)
def test_a_question_is_read(query, expected):
    assert parse_query(query) == expected


@pytest.mark.parametrize(
    "pei",
    [
        "imei-0010010000000", "imei-00100100000001567", "imei-", "imei-00100100000001x", "imeisv-001001000000015",
        "imei-٠٠١٠٠١٠٠٠٠٠٠٠١٥", "imeisv-00100100000001999", "imei- 001001000000015",
    ],
)  # fmt: skip
def test_what_claims_to_be_an_imei_and_is_none_names_no_device(pei):
    """13 or 17 digits, letters, digits of another script: valid text, and never looked up as digits."""
    assert parse_query(f"pei={quote(pei)}") == EquipmentQuestion(-1, 0, -1, "")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "MANDATORY_QUERY_PARAM_MISSING", ["query pei"])),
        ("supi=imsi-001010000000001", (400, "MANDATORY_QUERY_PARAM_MISSING", ["query pei"])),
        ("pei=", (400, "MANDATORY_QUERY_PARAM_MISSING", ["query pei"])),
        ("pei", (400, "MANDATORY_QUERY_PARAM_MISSING", ["query pei"])),
        ("pei=%zz", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),
        ("pei=imei-00100100000001%", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),
        ("pei=%ff%fe", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),
        ("pei=%ed%a0%80", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),  # half a surrogate pair
        (f"{ASKED}&pei=imei-001001000000025", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),
        (f"{ASKED}&p%65i=x", (400, "MANDATORY_QUERY_PARAM_INCORRECT", ["query pei"])),
        (f"{ASKED}&supi=x", (400, "OPTIONAL_QUERY_PARAM_INCORRECT", ["query supi"])),
        ("pei=x&supi=", (400, "OPTIONAL_QUERY_PARAM_INCORRECT", ["query supi"])),
        ("pei=x&gpsi=", (400, "OPTIONAL_QUERY_PARAM_INCORRECT", ["query gpsi"])),
        ("pei=x&gpsi=%f", (400, "OPTIONAL_QUERY_PARAM_INCORRECT", ["query gpsi"])),
        ("pei=x&supported-features=g", (400, "OPTIONAL_QUERY_PARAM_INCORRECT", ["query supported-features"])),
        ("pei=" + "9" * 5000, (414, "", [])),
    ],
)
def test_a_question_that_cannot_be_read_is_answered_with_its_cause(query, expected):
    """TS 29.500 table 5.2.7.2-1."""
    assert refusal(query) == expected


def test_parameters_that_are_not_ours_are_ignored():
    assert parse_query(f"{ASKED}&colour=red&%zz=1&gpsi=msisdn-999&supported-features=0f") == parse_query(ASKED)


def test_no_refusal_repeats_what_was_asked():
    for query in (f"{ASKED}&supi=imsi-001010000000002", "pei=imei-001001000000015%zz", f"{ASKED}&gpsi="):
        with pytest.raises(Refused) as refused:
            parse_query(query)
        said = refused.value.answer.body + str(refused.value.answer.headers) + str(refused.value)
        assert "00101" not in said
        assert "001001" not in said


@given(st.text(min_size=1, max_size=60))
def test_every_text_that_is_not_empty_is_a_valid_pei(pei):
    """TS 29.571: the pattern of Pei ends with |.+; whoever refuses one refuses a valid request."""
    question = parse_query("pei=" + quote(pei, safe=""))
    if question.device < 0 and not pei.startswith(("imei-", "imeisv-", "mac-", "eui-")):
        assert question.other == pei


names = st.sampled_from(["pei", "supi", "gpsi", "supported-features", "other", "p%65i", "", "pei%"])
values = st.one_of(
    st.sampled_from(
        [
            "imei-001001000000015", "imeisv-0010010000000107", "imsi-001010000000001", "%", "%4", "%41", "é", "", "+", "%00"
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
queries = st.lists(st.tuples(names, values), max_size=6).map(lambda pairs: "&".join(f"{n}={v}" for n, v in pairs))


@given(st.one_of(queries, st.text(max_size=80)))
def test_no_query_raises_anything_but_a_refusal(query):
    refused = None
    try:
        question = parse_query(query)
    except Refused as wrong:
        refused = wrong.answer
    if refused is None:
        assert -1 <= question.device < 10**14
        assert -1 <= question.svn <= 99
    else:
        assert refused.status in {400, 414}
        assert json.loads(refused.body)["status"] == refused.status


@given(
    pei=st.from_regex(r"\A(imei-[0-9]{14,16}|imeisv-[0-9]{16})\Z"),
    supi=st.none() | st.from_regex(r"\Aimsi-[0-9]{5,15}\Z"),
)
def test_the_quick_way_and_the_slow_way_read_the_same(pei, supi):
    """A parameter that is ignored keeps a query from the quick way."""
    query = f"pei={pei}" + (f"&supi={supi}" if supi else "")
    assert parse_query(query) == parse_query(query + "&other=1") == parse_query("other=1&" + query)
    said = dict(parse_qsl(query))
    assert parse_query(query).device == int(said["pei"].partition("-")[2][:14])
    assert parse_query(query).imsi == (int("1" + supi[5:]) if supi else 0)


@pytest.mark.parametrize(
    ("path", "status", "cause"),
    [
        ("/n5g-eir-eic/v1/equipment-status", 405, None),
        ("/n5g-eir-eic/v1/equipment-status/", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v1/", 404, "RESOURCE_URI_STRUCTURE_NOT_FOUND"),
        ("/n5g-eir-eic/v2/equipment-status", 400, "INVALID_API"),
        ("/", 400, "INVALID_API"),
        ("*", 400, "INVALID_API"),
    ],
)
def test_a_path_that_is_not_ours_is_told_from_a_method_that_is_not(path, status, cause):
    document = json.loads(refusal_of_target(path).body)
    assert (document["status"], document.get("cause")) == (status, cause)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", True),
        ("", True),
        ("application/json", True),
        ("application/json;q=0.1, text/html", True),
        ("application/*", True),
        ("application/json, application/problem+json", True),
        ("Application/JSON", True),
        ("application/problem+json", False),
        ("text/html", False),
        ("application/json;q=0", False),
        ("application/json;q=0.000, */*", False),  # RFC 9110 §12.5.1: the most precise range decides
        ("text/html, application/xml;q=0.9, */*;q=0.8", True),
        (",;,=;q=", False),
    ],
)
def test_an_accept_header_is_weighed(accept, expected):
    assert accepts_json(accept) is expected


@given(st.text(max_size=40))
def test_no_accept_header_raises(accept):
    assert accepts_json(accept) in {True, False}


def test_the_answers_of_the_standard_stand_as_written_there():
    assert n5g_eir.status_answer("WHITELISTED").body == '{"status":"WHITELISTED"}'
    assert json.loads(n5g_eir.EQUIPMENT_UNKNOWN.body)["cause"] == "ERROR_EQUIPMENT_UNKNOWN"
    assert ("content-type", "application/problem+json") in n5g_eir.EQUIPMENT_UNKNOWN.headers
    for answer, status, cause in (
        (n5g_eir.CONGESTION_RISK, 429, "NF_CONGESTION_RISK"),
        (n5g_eir.CONGESTED, 503, "NF_CONGESTION"),
    ):
        assert (answer.status, json.loads(answer.body)["cause"]) == (status, cause)
        assert ("retry-after", "1") in answer.headers
