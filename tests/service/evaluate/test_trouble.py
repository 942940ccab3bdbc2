"""A store or a name server that fails, rules that take long to build, and too many of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dns.server import DnsServer, held, silent
from tests.service.evaluate.asking import (
    ATTACK,
    BLOG,
    FORUM,
    SHOP,
    Log,
    asking,
    bots,
    conclusions,
    decided,
    email,
    limit,
    shield,
    telling,
)

from doorward.errors import StoreError
from doorward.service.messages import DecideRequest
from doorward.service.server import engines
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.lookups import MOST_OF_SITE
from doorward.stores import MemoryStore
from doorward.testing import FakeClock, ScriptedResolver

HANGS = 30.0
"""Seconds after which a test that hangs is given up."""


class Dead:
    """Answers nothing but errors."""

    blocking = True
    keeps_deadline = True

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name in ("aio", "timeout", "ban_table"):
            raise AttributeError(name)

        def fail(*_: object) -> Any:
            raise StoreError("connection refused")

        return fail


def _silent_store() -> Any:
    """Awaits for ever."""

    async def never(self: Any, *_: object) -> Any:
        await asyncio.Event().wait()

    names = ("count", "peek", "refund", "tally", "add_if_absent", "get", "put", "delete", "reset", "stats", "ban",
             "unban", "bans", "close")  # fmt: skip
    return type("Silent", (), {"blocking": True, **dict.fromkeys(names, never)})()


@pytest.mark.parametrize("store", [Dead, _silent_store], ids=["dead", "silent"])
def test_without_a_store(make: Any, log: Log, store: Callable[[], Any]) -> None:
    """Limits go on locally, and say so; what needs no store is decided; nothing is remembered; reports are kept."""

    async def run() -> None:
        evaluator = make(store())
        rules = [limit(2), bots()]
        for left in (1, 0):
            decision = await decided(evaluator, asking(*rules), seconds=0.1)
            assert conclusions(decision) == ["ALLOW", "ALLOW"]
            reason = decision["ruleResults"][0]["reason"]["rateLimit"]
            assert reason["remaining"] == left
            assert reason["degraded"]
            assert "charges" not in reason
        denied = await decided(evaluator, asking(*rules), seconds=0.1)
        assert (denied["conclusion"], denied["ttl"], denied["ruleResults"][0]["ttl"]) == ("CONCLUSION_DENY", 0, 0)
        attack = await decided(evaluator, asking(shield(), query=ATTACK), seconds=0.1)
        assert attack["conclusion"] == "CONCLUSION_DENY"
        told = {"id": "", "conclusion": 2, "ruleResults": []}
        await evaluator.report(SHOP, telling(told, refunds=["x"]))
        assert len(log) == 5
        assert not await evaluator.answers()
        with pytest.raises(StoreError):
            await evaluator.bans()

    asyncio.run(asyncio.wait_for(run(), HANGS))


def test_no_time_at_all(make: Any) -> None:
    """Of a store that has to be waited for: limits go on locally."""
    decision = asyncio.run(decided(make(_silent_store()), asking(limit(2)), seconds=0.0))
    assert decision["conclusion"] in ("CONCLUSION_ALLOW", "CONCLUSION_ERROR")


def test_a_slow_domain_is_its_visitors_alone(clock: FakeClock) -> None:
    """Its rule is an error by the deadline; another visitor is answered meanwhile."""
    with DnsServer({"good.example": {"MX": ["10 mx.good.example."]}}) as server:
        server.behave("slow.example", held)

        async def run() -> None:
            evaluator = Evaluator("memory://", [], clock=clock, resolver=server.address, timeout=HANGS)
            rules = [limit(100), email("NO_MX_RECORDS")]
            await decided(evaluator, asking(*rules, email="a@good.example"))
            slow = asyncio.create_task(decided(evaluator, asking(*rules, email="a@slow.example"), seconds=2.0))
            quick = await decided(evaluator, asking(*rules, email="a@good.example"))
            assert conclusions(quick) == ["ALLOW", "ALLOW"]
            assert not slow.done()
            late = await slow
            assert conclusions(late) == ["ALLOW", "ERROR"]
            assert "deadline" in late["ruleResults"][1]["reason"]["error"]["message"]

        asyncio.run(asyncio.wait_for(run(), HANGS))


def test_many_slow_domains_do_not_hold_the_others_up(clock: FakeClock) -> None:
    """Each of many ends with its own deadline, whatever kind of silence."""
    with DnsServer({}) as server:
        names = [f"dead{number}.example" for number in range(40)]
        for name in names:
            server.behave(name, silent)

        async def run() -> None:
            evaluator = Evaluator("memory://", [], clock=clock, resolver=server.address, timeout=HANGS)
            asked = [asking(email("NO_MX_RECORDS"), email=f"a@{name}") for name in names]
            answers = await asyncio.gather(*[decided(evaluator, each, seconds=0.2) for each in asked])
            assert {answer["conclusion"] for answer in answers} == {"CONCLUSION_ERROR"}

        asyncio.run(asyncio.wait_for(run(), HANGS))


def test_one_sites_visitors_do_not_take_everybodys_turn(clock: FakeClock) -> None:
    """With names that nobody answers for: the next of the same site is told so at once, another site is answered."""
    with DnsServer({"good.example": {"MX": ["10 mx.good.example."]}}) as server:
        names = [f"slow{number}.example" for number in range(MOST_OF_SITE)]
        for name in names:
            server.behave(name, held)

        async def run() -> None:
            evaluator = Evaluator("memory://", Log(), clock=clock, resolver=server.address, timeout=HANGS)
            rule = email("NO_MX_RECORDS")
            await decided(evaluator, asking(rule, email="a@good.example"))
            waiting = [asyncio.create_task(decided(evaluator, asking(rule, email=f"a@{name}"))) for name in names]
            await asyncio.to_thread(server.wait_for, 1 + MOST_OF_SITE)
            refused = await decided(evaluator, asking(rule, email="a@other.example"))
            assert "of this site" in refused["ruleResults"][0]["reason"]["error"]["message"]
            assert conclusions(await decided(evaluator, asking(rule, email="a@good.example"), BLOG)) == ["ALLOW"]
            server.release()
            await asyncio.gather(*waiting)
            assert conclusions(await decided(evaluator, asking(rule, email="a@good.example"))) == ["ALLOW"]

        asyncio.run(asyncio.wait_for(run(), HANGS * 2))


def test_rules_are_built_once(make: Any) -> None:
    """However many requests wait for them; for each site by itself."""

    async def run() -> None:
        evaluator = make()
        asked = [decided(evaluator, asking(limit(100), shield())) for _ in range(20)]
        await asyncio.gather(*asked, decided(evaluator, asking(limit(100), shield()), BLOG))
        assert (evaluator.engines.built, len(evaluator.engines), evaluator.engines.sites) == (2, 2, 2)

    asyncio.run(run())


def test_rules_that_take_long_to_build(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are an error until they are ready; other sites do not wait for them, and one site cannot queue without end."""
    begun, go_on = threading.Event(), threading.Event()
    assemble = engines.assemble

    def slowly(runtime: Any, site: str, request: DecideRequest) -> Any:
        if site == "shop":
            begun.set()
            assert go_on.wait(HANGS)
        return assemble(runtime, site, request)

    monkeypatch.setattr(engines, "assemble", slowly)

    async def run() -> None:
        evaluator = make()
        for most in range(1, engines.MOST_WAITING + 1):
            late = await decided(evaluator, asking(limit(most)), seconds=0.01)
            assert "in time" in late["ruleResults"][0]["reason"]["error"]["message"]
        busy = await decided(evaluator, asking(limit(99)), seconds=0.01)
        assert "being built" in busy["ruleResults"][0]["reason"]["error"]["message"]
        assert conclusions(await decided(evaluator, asking(limit(1)), BLOG)) == ["ALLOW"]
        go_on.set()
        assert conclusions(await decided(evaluator, asking(limit(1)), seconds=HANGS)) == ["ALLOW"]

    try:
        asyncio.run(asyncio.wait_for(run(), HANGS))
    finally:
        go_on.set()
    assert begun.is_set()


def test_what_is_kept_is_bounded(clock: FakeClock) -> None:
    """In all, and of one site; what was not used for longest goes."""

    async def run() -> None:
        evaluator = Evaluator("memory://", [], clock=clock, most_engines=10, timeout=30.0)
        evaluator.engines._most_of_site = 4
        for most in range(1, 8):
            await decided(evaluator, asking(limit(most)))
        assert len(evaluator.engines) == 4
        for site in (BLOG, FORUM, BLOG._replace(name="x"), BLOG._replace(name="y")):
            for most in (1, 2, 3):
                await decided(evaluator, asking(limit(most)), site)
        assert len(evaluator.engines) == 10
        built = evaluator.engines.built
        await decided(evaluator, asking(limit(3)), BLOG._replace(name="y"))
        assert evaluator.engines.built == built
        await decided(evaluator, asking(limit(1)))
        assert evaluator.engines.built == built + 1

    asyncio.run(run())


@pytest.mark.swallows_errors
def test_what_fails_in_the_service_is_an_error(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With as many results as there are rules, and not a word about the inside."""
    evaluator = make()

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("/secret/path")

    monkeypatch.setattr(evaluator.runtime, "drive", broken)
    for client in ("", "doorward"):
        decision = asyncio.run(decided(evaluator, asking(limit(), shield(), client=client)))
        assert decision["conclusion"] == "CONCLUSION_ERROR"
        assert conclusions(decision) == ["ERROR", "ERROR"]
        assert "secret" not in str(decision)
        assert list(decision["reason"]) == ["error"]
    assert asyncio.run(evaluator.report(SHOP, telling({"id": "", "conclusion": 2}))) == {}
    assert evaluator.stats()["decision.ERROR"] == 2


@pytest.mark.parametrize("site", ["a:b", "a", "", "\udc00", "@service", "x" * 300, "~", "a:"], ids=repr)
def test_no_sites_key_is_anothers(site: str) -> None:
    """Whatever sites are called."""
    others = ["a", "@service", "~", ""]
    key = engines.key_of_site(site)
    assert len(key) <= 64
    assert ":" not in key
    assert not key.startswith("@")
    assert [engines.key_of_site(other) == key for other in others] == [other == site for other in others]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
REASONS = st.dictionaries(
    st.sampled_from(["rateLimit", "botV2", "shield", "email", "filter", "rule", "challenge", "error", "edgeRule"]),
    st.dictionaries(
        st.sampled_from(["max", "remaining", "resetSeconds", "denied", "spoofed", "weight", "emailTypes", "suspicious"])
        | st.text(max_size=8),
        JSON,
        max_size=5,
    ),
    max_size=2,
)
EVALUATOR: list[Evaluator] = []


@settings(max_examples=settings.default.max_examples // 2)
@given(
    st.lists(REASONS, max_size=3),
    st.dictionaries(st.text(max_size=10), st.text(max_size=50), max_size=4),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_hostile_requests(reasons: list[Any], mapping: dict[str, str], text: str, other: str) -> None:
    """Whatever the contract lets in is decided about, and kept, without an error of our own."""
    if not EVALUATOR:
        EVALUATOR.append(Evaluator(MemoryStore(), Log(), resolver=ScriptedResolver({}), timeout=30.0))
    results = [{"state": 1, "conclusion": 2, "reason": reason, "rule": text, "note": other} for reason in reasons]
    fields: dict[str, Any] = {
        "ip": other, "method": text, "host": text, "path": other, "headers": mapping, "extra": mapping, "query": text,
        "email": other, "cookies": text, "fingerprints": {other: {"values": [text, other]}},
    }  # fmt: skip
    rules = [
        limit(characteristics=[text]),
        limit(match=text),
        bots(deny=[text]),
        email(),
        shield(),
        {"filter": {"mode": 2, "deny": [text]}},
    ]
    for client in ("", text):
        asked = asking(*rules, client=client, top={"localResults": results, "characteristics": [other]}, **fields)
        answer = asyncio.run(decided(EVALUATOR[0], asked))
        assert len(answer["ruleResults"]) == len(rules)
    told = {
        "id": text,
        "conclusion": 2,
        "reason": reasons[0] if reasons else {},
        "ruleResults": results,
        "dryRun": other,
    }
    assert asyncio.run(EVALUATOR[0].report(SHOP, telling(told, refunds=[text], **fields))) == {}
