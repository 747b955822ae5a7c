"""A country of four nodes, an engine that is none, and one application on it."""

import pytest
from tests.consortium.fake_engine import Country, FakeEngine, opened


@pytest.fixture
def country(tmp_path):
    return Country(tmp_path)


@pytest.fixture
def engine(country):
    return FakeEngine(country.folders[0])


@pytest.fixture
def application(country, engine):
    made = opened(country.folders[0])
    engine.handshake(made)
    yield made
    made.log.close()
