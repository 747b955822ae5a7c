"""A register of Exampleland: MCC 001, country code 999, operators Northtel and Southtel."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from openceir.app import Register, open_register
from openceir.statements import Role

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICY = """
[country]
mcc = ["001"]
country_codes = ["999"]
[operators]
northtel = { name = "Northtel", mcc_mnc = ["00101"] }
southtel = { name = "Southtel", mcc_mnc = ["00102"] }
"""


def new_register(home: Path, policy: str = POLICY) -> Register:
    (home / "policy").mkdir(parents=True)
    (home / "policy" / "country.toml").write_text(policy)
    register = open_register(home)
    register.new_key("reg", member="reg", roles=[Role.REGULATOR], valid_from=datetime(2016, 1, 1, tzinfo=UTC))
    return register


@pytest.fixture
def register(tmp_path):
    return new_register(tmp_path / "home")
