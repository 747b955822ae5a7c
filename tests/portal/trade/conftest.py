"""An importer and the regulator, each in a browser."""

import pytest

from openceir.portal.accounts.roles import PortalRole


@pytest.fixture
def iva(client_of):
    return client_of("iva", PortalRole.IMPORTER)


@pytest.fixture
def reg(client_of):
    return client_of("reg", PortalRole.REGULATOR)
