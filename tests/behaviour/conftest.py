"""Fixtures that run a test once for each framework."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest
from tests.behaviour.clients.base import AppUnderTest, MakeApp, Setup
from tests.behaviour.clients.deciding import DecidingService, Site
from tests.behaviour.clients.every import AWAITING, CHUNKED, DECORATED, EVERY, SOCKETS, UNDECORATED

from doorward.rules.base import Rule

_FIELDS = {f.name for f in fields(Setup)}


def _making(kind: type[AppUnderTest]) -> Iterator[MakeApp]:
    made: list[AppUnderTest] = []

    def make(*rules: Rule | tuple[Rule, ...], **arguments: Any) -> AppUnderTest:
        given = {name: arguments.pop(name) for name in list(arguments) if name in _FIELDS}
        made.append(kind(Setup(rules=rules, options=arguments, **given)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for app in reversed(made):
        app.close()


def _fixture(kinds: tuple[type[AppUnderTest], ...]) -> Callable[..., Iterator[MakeApp]]:
    def make(request: pytest.FixtureRequest) -> Iterator[MakeApp]:
        yield from _making(request.param)

    return pytest.fixture(params=kinds, ids=[kind.name for kind in kinds])(make)


make = _fixture(EVERY)
"""``make(*rules, **options of the client and fields of Setup)``, in every framework."""

make_decorated = _fixture(DECORATED)
"""As ``make``, in the frameworks whose routes take decorators."""

make_undecorated = _fixture(UNDECORATED)
"""As ``make``, for middleware without a framework."""

make_socket = _fixture(SOCKETS)
"""As ``make``, in the frameworks that take websockets."""

make_chunked = _fixture(CHUNKED)
"""As ``make``, in the frameworks that read bodies without a Content-Length."""

make_awaiting = _fixture(AWAITING)
"""As ``make``, in ASGI applications."""


@pytest.fixture(scope="session")
def _deciding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecidingService]:
    with DecidingService(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def site(_deciding: DecidingService) -> Site:
    """An application's place at a real decision service: ``make(*rules, **site.options)``."""
    return _deciding.for_application()
