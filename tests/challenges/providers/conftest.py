"""What tests of hosted captchas share: a client that blocks and one that awaits, asked in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.challenges.providers.speaking import HOST, TOKEN

from doorward import AsyncDoorward, Doorward, RequestContext
from doorward.challenges.providers import Hosted, Verified
from doorward.testing import FakeClock

Ask = Callable[..., Verified]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, clock: FakeClock) -> Callable[..., Any]:
    """Makes a client, of either kind."""

    def make(captcha: Hosted, **options: Any) -> Doorward | AsyncDoorward:
        kind = Doorward if request.param == "sync" else AsyncDoorward
        return kind([], secret="s" * 40, clock=clock, **{"challenges": {"kinds": ["wait", captcha]}, **options})

    return make


@pytest.fixture
def ask() -> Ask:
    """Has a client verify a response, blocking or awaiting."""

    def verify(aj: Doorward | AsyncDoorward, response: Any = TOKEN, *, host: str = HOST, **options: Any) -> Verified:
        request = RequestContext(method="POST", scheme="https", host=host, peer="203.0.113.9")
        if isinstance(aj, Doorward):
            return aj.verify_captcha(request, response, **options)

        async def verified() -> Verified:
            return await aj.verify_captcha(request, response, **options)

        return asyncio.run(verified())

    return verify
