"""One small register for all HTTP tests, told in http_story.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from http_story import Client, MeasuredOnce, fill

from openceir import clock
from openceir.app import Register, open_register
from openceir.http import make_application
from openceir.settings import Settings


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    fill(open_register(folder))
    return folder


@pytest.fixture(autouse=True)
def _measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Register, "_triplet_files", lambda self: MeasuredOnce(self.home)())


@pytest.fixture(scope="session")
def new_client(home: Path) -> Callable[..., Client]:
    numbers = iter(range(1000))

    def make(role: str = "", **settings: Any) -> Client:
        client = Client(make_application(home, Settings(**settings)))
        if role:
            made_at = clock.now()
            client.token = open_register(home).tokens.make(
                f"{role}-{next(numbers)}", role, at=made_at, expires_at=made_at.replace(year=made_at.year + 1)
            )
        return client

    return make


@pytest.fixture(scope="session")
def public(new_client: Callable[..., Client]) -> Client:
    return new_client()


@pytest.fixture(scope="session")
def police(new_client: Callable[..., Client]) -> Client:
    return new_client("police")
