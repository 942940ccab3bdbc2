"""Applications to attack: in every framework, or in Flask alone where the framework makes no difference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.clients.flask_app import FlaskApp
from tests.behaviour.conftest import _making, make, make_decorated, make_socket
from tests.challenges.pages.conftest import browser

__all__ = ["browser", "make", "make_decorated", "make_socket"]


@pytest.fixture
def make_flask() -> Iterator[MakeApp]:
    """``make_flask(*rules, **options)``: a Flask application."""
    yield from _making(FlaskApp)
