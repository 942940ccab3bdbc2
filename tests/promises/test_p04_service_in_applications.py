"""P4: whatever the service does, applications answer every request as they do without it, and the operator can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.behaviour.clients.base import AppUnderTest, Reply, Setup
from tests.behaviour.clients.django_app import DjangoAsync, DjangoSync
from tests.behaviour.clients.fastapi_app import FastAPIApp
from tests.behaviour.clients.flask_app import FlaskApp
from tests.behaviour.clients.starlette_app import StarletteApp
from tests.behaviour.doubles import Refuser
from tests.chaos.http_server import Chaos, closed_port, reply, saying
from tests.conftest import SOAK

from doorward import fixed_window, validate_email
from doorward.testing import FakeClock

KINDS: tuple[type[AppUnderTest], ...] = (FlaskApp, DjangoSync, DjangoAsync, FastAPIApp, StarletteApp)
WAITS = ("black hole", "slow", "dripping")
SHORT = ("refused", "black hole", "slow", "garbage", "status 500", "wrong schema", "another schema")
MODES = (*SHORT, "dripping", "truncated JSON", "redirect", "huge", "status 429") if SOAK else SHORT
ROUNDS = 700 if SOAK else 1
"""Of 14 requests each."""
PATIENT, HASTY = 20.0, 0.12
"""Seconds for a call: a service that answers nonsense does so at once, one that is silent shall not be waited for."""
ANOTHER_SCHEMA = b'{"decision":{"id":"req_1","conclusion":"CONCLUSION_DENY","ruleResults":[{"conclusion":"maybe"}]}}'


def rules() -> list[Any]:
    limit = fixed_window(max=4, window="1h", name="limit")
    return [Refuser(name="refuser"), limit, validate_email(deny=["DISPOSABLE"], name="email")]


def requests(app: AppUnderTest) -> Iterator[Callable[[], Reply]]:
    """What visitors ask for: some are refused by the local rule, and some by the limit."""
    for peer in ("203.0.113.9", "198.51.100.7"):
        for target in ("/echo?attack", "/echo", "/handler?email=a@mailinator.com", "/echo", "/login?status=401"):
            yield lambda target=target, peer=peer: app.get(target, peer=peer)
        for _ in range(2):
            yield lambda peer=peer: app.post("/echo", body=b"a=1", peer=peer)


def seen(reply_: Reply) -> tuple[Any, ...]:
    """What a visitor sees, but for ids."""
    names = ("retry-after", "ratelimit", "ratelimit-policy", "content-type")
    return (reply_.status, reply_.error, [reply_.header(name) for name in names])


@pytest.fixture
def begin() -> Iterator[Callable[[str], str]]:
    with ExitStack() as stack:

        def started(mode: str) -> str:
            if mode == "refused":
                return f"http://127.0.0.1:{closed_port()}"
            what: Any = saying(reply(ANOTHER_SCHEMA)) if mode == "another schema" else mode
            return stack.enter_context(Chaos(what)).url

        yield started


@pytest.mark.parametrize("mode", MODES, ids=[mode.replace(" ", "-") for mode in MODES])
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_p4_applications_answer_as_without_the_service(
    kind: type[AppUnderTest], mode: str, begin: Callable[[str], str]
) -> None:
    """Status and headers of every request are those of the local rules; no answer is a 5xx, and nothing is raised.

    What failed is counted; after five failures nobody waits for the service any more.
    """
    clock = FakeClock()
    service = {"service": begin(mode), "key": "test", "timeout": HASTY if mode in WAITS else PATIENT}
    with (
        kind(Setup(rules=rules(), options={"clock": clock, **service})) as guarded,
        kind(Setup(rules=rules(), options={"clock": clock})) as alone,
    ):
        answered: list[Any] = []
        for _ in range(ROUNDS):
            answered = [seen(ask()) for ask in requests(guarded)]
            assert answered == [seen(ask()) for ask in requests(alone)]
            assert {status for status, *_ in answered} == {200, 401, 403, 429}
            clock.advance(3_600)
        check_figures(guarded, len(answered))


def check_figures(app: AppUnderTest, asked: int) -> None:
    """An operator sees that the service does not answer: in ``health()``, in ``stats()``, and by decision."""
    health: dict[str, Any] = app.aj.health()["service"]
    assert health["failures"] >= 5
    assert health["state"] in ("open", "half open")
    assert health["cause"]
    stats: dict[str, int] = app.settle(app.aj.stats())
    assert stats["service.failures"] >= 5
    assert stats["service.opened"] >= 1
    assert stats["degraded.rule limit"] >= asked // 2
