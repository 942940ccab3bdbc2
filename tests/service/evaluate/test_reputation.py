"""A visitor that several applications find suspicious is refused by all; one application can do nothing to others."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.service.evaluate.asking import (
    ATTACK,
    BLOG,
    FORUM,
    IP,
    SHOP,
    asking,
    bots,
    decided,
    email,
    limit,
    shield,
    telling,
)

from doorward.address_facts import AddressFacts
from doorward.context import RequestContext
from doorward.errors import ConfigurationError
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.ports import Site
from doorward.service.server.reputation import Reputation, may_count
from doorward.testing import FakeClock, ScriptedResolver

DENIAL = {
    "id": "", "conclusion": "CONCLUSION_DENY", "reason": {"shield": {"shieldTriggered": True}},
    "ruleResults": [{"ruleId": "a", "state": "RULE_STATE_RUN", "conclusion": "CONCLUSION_DENY",
                     "reason": {"shield": {"shieldTriggered": True}}}],
}  # fmt: skip


async def attacks(evaluator: Evaluator, site: Site, times: int, ip: str = IP) -> None:
    for _ in range(times):
        await decided(evaluator, asking(shield(), query=ATTACK, ip=ip), site)


async def is_refused(evaluator: Evaluator, ip: str = IP, site: Site = FORUM) -> bool:
    decision = await decided(evaluator, asking(limit(1_000), ip=ip), site)
    return "refusal" in decision


def test_two_applications_lead_to_a_ban(make: Any, clock: FakeClock) -> None:
    """The next Decide of a third is refused, whatever rules it carries, and for as long as is configured."""

    async def run() -> None:
        evaluator = make()
        await attacks(evaluator, SHOP, 3)
        assert not await is_refused(evaluator)
        await attacks(evaluator, BLOG, 3)
        own = await decided(evaluator, asking(limit(1_000)), FORUM)
        assert (own["conclusion"], own["ttl"]) == ("CONCLUSION_DENY", 3600)
        assert own["refusal"]["reason"]["rule"]["retrySeconds"] == 3600.0
        assert own["refusal"]["ttl"] == 3600
        assert "charges" not in str(own)
        theirs = await decided(evaluator, asking(client=""), FORUM)
        assert theirs["reason"] == {"shield": {"shieldTriggered": True, "suspicious": True}}
        assert (theirs["conclusion"], theirs["ttl"]) == ("CONCLUSION_DENY", 3600)
        assert "refusal" not in theirs
        (ban,) = await evaluator.bans()
        assert (ban.ip, ban.seconds) == (IP, 3600.0)
        assert "2 applications" in ban.why
        clock.advance(3601)
        assert not await is_refused(evaluator)

    asyncio.run(run())


def test_reports_count_as_decisions_do(make: Any) -> None:
    """Also several in one, and with what the client's own rules have found."""

    async def run() -> None:
        evaluator = make()
        await evaluator.report(SHOP, telling(DENIAL, DENIAL, DENIAL))
        local = {"ruleId": "x", "state": 1, "conclusion": 1, "reason": {"shield": {"suspicious": True, "weight": 1.0}}}
        for _ in range(3):
            assert not await is_refused(evaluator)
            await decided(evaluator, asking(top={"localResults": [local]}), BLOG)
        assert await is_refused(evaluator)

    asyncio.run(run())


def test_addresses_of_one_network_are_one_visitor(make: Any) -> None:
    """A /64 of IPv6, as everywhere."""

    async def run() -> None:
        evaluator = make()
        await attacks(evaluator, SHOP, 3, "2001:db8:1:2::1")
        await attacks(evaluator, BLOG, 3, "2001:db8:1:2::2")
        assert await is_refused(evaluator, "2001:db8:1:2:ffff::3")
        assert not await is_refused(evaluator, "2001:db8:1:3::1")
        assert [ban.ip for ban in await evaluator.bans()] == ["2001:db8:1:2::/64"]
        assert await evaluator.unban("2001:db8:1:2::/64")
        assert not await is_refused(evaluator, "2001:db8:1:2::1")

    asyncio.run(run())


KINDS = st.sampled_from(["attack", "bot", "limit", "email", "report", "suspicious"])
REQUESTS = {
    "attack": asking(shield(), query=ATTACK),
    "bot": asking(bots(), headers={"user-agent": "curl/8"}),
    "limit": asking(limit(1, characteristics=["http.host"])),
    "email": asking(email(), email="x"),
    "suspicious": asking(
        top={"localResults": [{"state": 1, "conclusion": 1, "reason": {"shield": {"suspicious": True, "weight": 1e9}}}]}
    ),
}


CLOCK = FakeClock()
ADDRESSES = iter(f"198.18.{number // 256}.{number % 256}" for number in range(65_536))
"""A visitor of its own for each example: evaluators are costly to make."""


@cache
def shared() -> Evaluator:
    return Evaluator("memory://", [], clock=CLOCK, resolver=ScriptedResolver({}), timeout=30.0)


async def _send(evaluator: Evaluator, site: Site, kind: str, ip: str) -> None:
    if kind == "report":
        await evaluator.report(site, telling(DENIAL, ip=ip))
        return
    request = REQUESTS[kind]
    asked = request.model_copy(update={"details": request.details.model_copy(update={"ip": ip})})
    await decided(evaluator, asked, site)


@given(st.lists(st.tuples(KINDS, st.floats(0, 300)), max_size=30))
def test_one_application_alone_never_bans(sent: list[tuple[str, float]]) -> None:
    """However much it sends, of whatever kind, for however long."""

    async def run() -> None:
        ip = next(ADDRESSES)
        for kind, pause in sent:
            await _send(shared(), SHOP, kind, ip)
            CLOCK.advance(pause)
        assert await shared().bans() == []

    asyncio.run(run())


@given(st.lists(st.sampled_from(["bot", "limit", "email"]), max_size=30))
def test_what_applications_merely_do_not_want_never_bans(kinds: list[str]) -> None:
    """A monitor that two refuse may be welcome at the third."""

    async def run() -> None:
        ip = next(ADDRESSES)
        for kind in kinds:
            for site in (SHOP, BLOG, FORUM):
                await _send(shared(), site, kind, ip)
        assert await shared().bans() == []

    asyncio.run(run())


def test_they_have_to_agree_within_the_window(make: Any, clock: FakeClock) -> None:
    """What was suspicious an hour ago is not any more."""

    async def run() -> None:
        evaluator = make()
        await attacks(evaluator, SHOP, 9)
        clock.advance(1_300)
        await attacks(evaluator, BLOG, 9)
        assert await evaluator.bans() == []

    asyncio.run(run())


def test_dry_runs_and_remembered_refusals_count_for_nothing(make: Any) -> None:
    """Nor do results that did not run."""

    async def run() -> None:
        evaluator = make()
        for state in ("RULE_STATE_DRY_RUN", "RULE_STATE_CACHED", "RULE_STATE_NOT_RUN", "RULE_STATE_UNSPECIFIED"):
            result = {**DENIAL["ruleResults"][0], "state": state}
            for site in (SHOP, BLOG):
                await evaluator.report(site, telling(*[{**DENIAL, "ruleResults": [result]}] * 9))
        for site in (SHOP, BLOG):
            for _ in range(9):
                await decided(evaluator, asking(shield("MODE_DRY_RUN"), query=ATTACK), site)
        assert await evaluator.bans() == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "ip", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.20.0.1", "169.254.9.9", "100.64.0.1", "::1", "fd00::1",
           "fe80::1", "0.0.0.0", "224.0.0.1", ""],
)  # fmt: skip
def test_addresses_that_stand_for_everybody(make: Any, ip: str) -> None:
    """Never gain a reputation, unless an operator bans one by hand."""

    async def run() -> None:
        evaluator = make()
        for site in (SHOP, BLOG):
            await attacks(evaluator, site, 9, ip)
        assert await evaluator.bans() == []

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["crawler", "relay"])
def test_crawlers_and_relays_do_not_count(kind: str) -> None:
    """By their published addresses."""
    assert not may_count(RequestContext(), IP, AddressFacts(frozenset({kind}), {kind: ("known",)}))
    assert may_count(RequestContext(), IP, AddressFacts(frozenset({kind})))


def test_it_can_be_switched_off_and_set(make: Any) -> None:
    """Off, nobody is banned; with other numbers, by them."""

    async def run(settings: Reputation, sites: list[Site], times: int) -> bool:
        evaluator = make(reputation=settings)
        for site in sites:
            await attacks(evaluator, site, times)
        return await is_refused(evaluator)

    assert not asyncio.run(run(Reputation(on=False), [SHOP, BLOG], 9))
    assert not asyncio.run(run(Reputation(sites=3), [SHOP, BLOG], 9))
    assert asyncio.run(run(Reputation(sites=3), [SHOP, BLOG, FORUM], 9))
    assert asyncio.run(run(Reputation(sites=1, threshold=1.0), [SHOP], 1))


@pytest.mark.parametrize("field", ["sites", "threshold", "window", "ban"])
def test_settings_are_checked(make: Any, field: str) -> None:
    """When the evaluator is made."""
    with pytest.raises(ConfigurationError, match=field):
        make(reputation=Reputation()._replace(**{field: 0}))


def test_operators_ban_and_unban(make: Any) -> None:
    """By address, also with rules that would allow."""

    async def run() -> None:
        evaluator = make()
        await evaluator.ban("203.0.113.9", 60, "scraper")
        await evaluator.ban("10.0.0.1", 120, "")
        assert await is_refused(evaluator)
        assert [(ban.ip, ban.seconds, ban.why) for ban in await evaluator.bans()] == [
            ("10.0.0.1", 120.0, ""), ("203.0.113.9", 60.0, "scraper"),
        ]  # fmt: skip
        assert await evaluator.unban("203.0.113.9")
        assert not await evaluator.unban("203.0.113.9")
        assert not await is_refused(evaluator)
        for wrong in ("nobody", "", "10.0.0.300"):
            with pytest.raises(ConfigurationError, match="ip"):
                await evaluator.ban(wrong, 60, "")
        for seconds in (0, -1, 1e12, float("nan")):
            with pytest.raises(ConfigurationError, match="seconds"):
                await evaluator.ban(IP, seconds, "")

    asyncio.run(run())


@pytest.mark.parametrize(("sent", "counts"), [("cross-site", False), ("same-origin", True), ("none", True)])
def test_what_another_web_site_made_a_browser_send_does_not_count(sent: str, counts: bool) -> None:
    """Or a page with pictures whose addresses are attacks would have its readers banned."""
    request = RequestContext(headers=[("Sec-Fetch-Site", sent)])
    assert may_count(request, IP, AddressFacts(frozenset())) is counts
