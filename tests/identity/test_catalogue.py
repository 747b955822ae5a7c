"""The catalogue is whole, says where it knows things from, and its page is up to date."""

from pathlib import Path

import pytest

from openceir.identity import CATALOGUE, LEVELS
from openceir.identity.page import format_page

# Every scheme that the founding issue and the domain notes name
WANTED = {
    "imei", "imeisv", "imei-urn", "tac", "meid", "meid-decimal", "esn", "pesn", "eid", "iccid", "imsi", "supi",
    "pei-imei", "pei-imeisv", "pei-mac", "pei-eui", "eui-48", "eui-64", "bd-addr", "maker-serial",
    "sgtin", "grai", "giai", "gs1-8002", "uuid", "idfv", "gaid", "android-id", "handle", "doi", "oid",
    "devid", "tpm-ek", "android-attestation", "did", "vin",
}  # fmt: skip


def test_every_scheme_asked_for_has_a_row():
    assert CATALOGUE.keys() >= WANTED


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_row_says_everything(name):
    row = CATALOGUE[name]
    assert row.level in LEVELS
    assert row.best is None or (row.best in LEVELS and row.best > row.level)
    assert row.known in {"read", "general"}
    assert row.denotes is None or row.denotes in CATALOGUE
    texts = (row.title, row.identifies, row.syntax, row.length, row.alphabet, row.check, row.issuer, row.area,
             row.stored, row.reason, row.source)  # fmt: skip
    assert all(texts)


def test_levels_are_those_of_the_domain_notes():
    """domain.md §3, column "Level and why"."""
    notes = {
        "imei": "S2-S3", "imeisv": "S2", "tac": "S1", "meid": "S2", "esn": "S2", "eid": "S4", "iccid": "S3",
        "eui-48": "S0-S1", "eui-64": "S1-S2", "bd-addr": "S1", "maker-serial": "S1-S3", "sgtin": "S1-S2",
        "gs1-8002": "S1", "grai": "S1", "uuid": "S0", "oid": "S0", "devid": "S4", "tpm-ek": "S4",
        "android-attestation": "S4", "did": "S4", "vin": "S1-S2",
    }  # fmt: skip
    assert {name: CATALOGUE[name].levels for name in notes} == notes


def test_the_page_of_the_catalogue_is_up_to_date():
    """Regenerate with: openceir identifier list --markdown > docs/reference/identifiers.md"""
    page = Path(__file__).parents[2] / "docs" / "reference" / "identifiers.md"
    assert page.read_text(encoding="utf-8") == format_page()


def test_every_link_on_the_page_has_a_heading():
    page = format_page()
    assert all(f"\n### {name}\n" in page for name in CATALOGUE)
