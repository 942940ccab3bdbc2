"""What becomes of a sign-up when the resolver has no answer to trust, or does not ask for one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.dns import server as dns
from tests.dns.server import ALL, DnsServer
from tests.dns.ways import LATE

from doorward import AsyncDoorward, Decision, Doorward, RequestContext, validate_email
from doorward.resolving import flights

RULES = [validate_email(deny=["NO_MX_RECORDS"])]
REQUEST = RequestContext(peer="203.0.113.9")

Decide = Callable[[DnsServer, str], Decision]


def blocking(server: DnsServer, email: str) -> Decision:
    with Doorward(RULES, resolver=server.address, timeout=LATE) as client:
        return client.protect(REQUEST, email=email)


def awaiting(server: DnsServer, email: str) -> Decision:
    async def decide() -> Decision:
        async with AsyncDoorward(RULES, resolver=server.address, timeout=LATE) as client:
            return await client.protect(REQUEST, email=email)

    return asyncio.run(decide())


@pytest.fixture(params=[blocking, awaiting], ids=["sync", "async"])
def decide(request: pytest.FixtureRequest) -> Decide:
    way: Decide = request.param
    return way


def lets_pass_as(decision: Decision, problem: str) -> bool:
    return decision.is_allowed() and decision.is_errored() and problem in decision.to_json()


def test_nobody_is_refused_on_the_word_of_a_portal(server: DnsServer, decide: Decide) -> None:
    """It denies every domain and the root; an honest server that denies one is believed."""
    assert decide(server, "a@nowhere.example").is_denied()
    server.behave(ALL, dns.denying)
    assert lets_pass_as(decide(server, "a@example.com"), "denies that the root of the DNS exists")


def test_nobody_is_refused_because_too_many_ask(server: DnsServer, decide: Decide, monkeypatch) -> None:
    """The decision says why the domain was not looked at."""
    monkeypatch.setattr(flights, "MOST_IN_FLIGHT", 0)
    assert lets_pass_as(decide(server, "a@nowhere.example"), "this one is not asked")
    assert not server.questions
