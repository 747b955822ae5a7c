from datetime import UTC, datetime

import pytest

from openceir.statements import DeviceSet, DeviceStolen, MemberKey, Members, Role, SigningKey, sign

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def police_key():
    return SigningKey("police-1", bytes(range(32)))


@pytest.fixture
def members(police_key):
    return Members().with_key("cc-police", MemberKey(police_key.public, NOON.replace(year=2026)), [Role.POLICE])


@pytest.fixture
def theft():
    """Alice's phone is stolen."""
    return DeviceStolen(devices=DeviceSet.of("00100100000001"), stolen_at=NOON, case_number="N-7")


@pytest.fixture
def signed(theft, police_key):
    return sign(theft, police_key, issuer="cc-police", stated_at=NOON, salt=b"0123456789abcdef")
