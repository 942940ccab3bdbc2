"""Both ways to ask."""

from __future__ import annotations

import pytest
from tests.service.client.ways import WAYS, Way


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way
