"""Radio access technologies: unknown codes are data, an unknown model accuses nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openceir.identity import (
    CELLULAR,
    G2,
    G3,
    G4,
    G5,
    OTHER,
    RAT_CODES,
    generations_of_bands,
    generations_of_mask,
    rat_findings,
    rat_mask,
    rat_names,
)


def test_every_code_has_its_own_bit_and_bit_zero_is_kept_for_the_unknown():
    bits = [row.bit for row in RAT_CODES.values()]
    assert len(set(bits)) == len(bits)
    assert 0 not in bits
    assert max(bits) < 53  # a mask survives JSON


def test_bits_stored_in_lakes_never_move():
    """Read back after years, so the numbers are written out here a second time."""
    first = ["001", "002", "003", "004", "005", "006", "007", "008", "009", "010"]
    assert {code: RAT_CODES[code].bit for code in first} == {code: int(code) for code in first}
    assert {code: RAT_CODES[code].bit for code in ("051", "058", "101", "105")} == {
        "051": 23,
        "058": 30,
        "101": 31,
        "105": 35,
    }


def test_every_code_of_the_issue_is_there():
    wanted = {f"{n:03d}" for n in (*range(1, 11), 51, 52, *range(101, 106))}
    assert wanted <= RAT_CODES.keys()


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("001|006", {"001", "006"}),
        ("002", {"002"}),
        (" 002 |\t006 ", {"002", "006"}),
        ("6", {"006"}),  # a spreadsheet ate the zeros
        ("008|010|051", {"008", "010", "051"}),  # NB-IoT and 5G: what the peer refuses a whole file for
        ("NR|EUTRA", {"051", "006"}),
        ("1004", {"006"}),
        ("", set()),
        ("||", set()),
    ],
)
def test_a_pipe_list_becomes_a_mask(text, codes):
    assert rat_mask(text) == sum(1 << RAT_CODES[code].bit for code in codes)
    assert rat_findings(text) == ()


@pytest.mark.parametrize("text", ["099", "٠٠٦", "LTE!", "0006", "-1", "6.0"])
def test_an_unknown_code_sets_the_other_bit_and_leaves_a_finding(text):
    assert rat_mask(f"001|{text}") == RAT_CODES["001"].mask | OTHER
    [finding] = rat_findings(f"001|{text}|{text}")
    assert finding.code == "rat-unknown"
    assert rat_names(rat_mask(text)) == ("other",)


@given(st.text(max_size=200))
def test_any_text_has_a_mask(text):
    assert 0 <= rat_mask(text) < 1 << 53


def test_generations_do_not_overlap_and_the_unknown_belongs_to_none():
    assert G2 & G3 == G2 & G4 == G2 & G5 == G3 & G4 == G3 & G5 == G4 & G5 == 0
    assert CELLULAR & OTHER == 0
    assert generations_of_mask(rat_mask("003|004|007|053")) == ()  # WLAN and its like are no generation
    assert generations_of_mask(rat_mask("002|005|009|052")) == (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("bands", "generations"),
    [
        ("GSM 1800, GSM 1900, GSM 900, GSM850 (GSM800)", (2,)),
        ("GSM 900, WCDMA FDD Band I, LTE 2100", (2, 3, 4)),
        ("WCDMA FDD Band 1", (3,)),
        ("LTE FDD BAND 3", (4,)),
        ("TD-LTE Band 38", (4,)),
        ("E-UTRA", (4,)),
        ("UTRA", (3,)),
        ("EUTRAN", (4,)),
        ("NR Band n78", (5,)),
        ("LTE, n78", (4, 5)),
        ("5G", (5,)),
        ("HSPA", (3,)),
        ("TD-SCDMA", (3,)),
        ("1xEV-DO", (2, 3)),
        ("EDGE", (2,)),
        ("GPRS", (2,)),
        ("NB-IoT Band 8", (4,)),
        ("LTE Cat-M1", (4,)),
        ("CDMA 800", (2, 3)),  # may be cdmaOne or 1x: both are granted
        ("WiMAX", ()),
        ("UMB", ()),
        ("WLAN 802.11n 5GHz, Bluetooth 2.4GHz", ()),
        ("FILTER", ()),
        ("Not Known", ()),
        ("79786815f4e5ab4e775c44f4e5aa237c52147d75", ()),
        ("", ()),
    ],
)
def test_bands_of_a_tac_table_tell_generations_or_nothing(bands, generations):
    assert generations_of_mask(generations_of_bands(bands)) == generations


def test_a_model_that_does_lte_does_every_kind_of_lte():
    """Capability is by generation: an LTE phone seen on LTE by satellite or LTE-M is no contradiction."""
    assert rat_mask("006|009|011") & CELLULAR & ~generations_of_bands("LTE FDD BAND 3") == 0


@given(st.text(max_size=300))
def test_capability_is_whole_generations(text):
    mask = generations_of_bands(text)
    assert all(mask & bits in (0, bits) for bits in (G2, G3, G4, G5))
    assert mask & ~CELLULAR == 0
