import pytest
from police_force import Police


@pytest.fixture
def police(tmp_path):
    force = Police(tmp_path / "home")
    yield force
    force.ledger.close()
