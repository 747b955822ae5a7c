"""Programs that ask: each has a key with some scopes, made by somebody who may make it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from openceir.portal.accounts.acts import Actor
from openceir.portal.accounts.roles import PortalRole
from openceir.portal.api.keys import make_key
from portal.conftest import OFFICE_OF


class Program(Client):
    """A program with a key."""

    def __init__(self, text: str) -> None:
        self.authorization = {"Authorization": f"Bearer {text}"}
        super().__init__(headers=self.authorization)

    def send(self, path: str, body: Any, **headers: str) -> Any:
        """POST as JSON."""
        return self.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)

    def fill(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        """POST as the parts of a form."""
        return self.post(f"/api/v1/{path}", fields, headers=headers)


@pytest.fixture
def actor_as(people):
    """`actor_as("iva", PortalRole.IMPORTER)`: who acts, as pages hand it to what is done."""

    def make(name: str, role: PortalRole) -> Actor:
        office = OFFICE_OF[role]
        return Actor(name=name, role=role, office=office, signs_with=office, user=people(name, role))

    return make


@pytest.fixture
def program(actor_as, clock):
    """`program("stock", of=PortalRole.IMPORTER)`: a company's program; without `of` a partner's of the regulator's."""
    made = []

    def make(*scopes: str, of: PortalRole = PortalRole.REGULATOR, per_day: int = 1000, days: int = 30) -> Program:
        made.append(scopes)
        partner = "insurer" if of is PortalRole.REGULATOR else ""
        _key, text = make_key(
            actor_as(f"a-{of}", of), name=f"program-{len(made)}", scopes=scopes, per_day=per_day,
            expires_at=clock.at + timedelta(days=days), partner=partner,
        )  # fmt: skip
        return Program(text)

    return make
