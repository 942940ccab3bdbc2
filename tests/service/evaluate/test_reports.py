"""Reports and the log: what is kept, once, and without what the visitor sent; and charges that are taken back."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.service.evaluate.asking import (
    ATTACK,
    BLOG,
    IP,
    SHOP,
    Log,
    asking,
    bots,
    decided,
    email,
    limit,
    shield,
    telling,
)

from doorward.ids import decision_id, made_at_ns
from doorward.service.messages import ReportRequest
from doorward.service.server.evaluation import Evaluator
from doorward.testing import FakeClock, ScriptedResolver

DENIED = {"conclusion": "CONCLUSION_DENY", "reason": {"botV2": {"denied": ["CURL"]}}, "dryRun": "trial",
          "ruleResults": [{"ruleId": "a", "rule": "bots", "state": 1, "conclusion": 2,
                           "reason": {"botV2": {"denied": ["CURL"], "evil": {"deep": [1]}}}}]}  # fmt: skip


def test_a_report_is_kept_once(make: Any, log: Log, clock: FakeClock) -> None:
    """With its id and the time in it; again at another site, which knows nothing of the first."""

    async def run() -> None:
        evaluator = make()
        made = clock.now_ns() - 5 * 10**9
        told = {**DENIED, "id": decision_id(made)}
        for site in (SHOP, SHOP, BLOG):
            await evaluator.report(site, telling(told, told))
        assert [(record.id, record.site) for record in log] == [(told["id"], "shop"), (told["id"], "blog")]
        record = log[0]
        assert record.at_ns // 10**6 == made // 10**6
        assert (record.conclusion, record.reason, record.rule, record.dry_run) == ("DENY", "BOT", "bots", "trial")
        assert (record.reported, record.client, record.ip) == (True, "doorward 0.1", IP)
        assert "evil" not in str(record.results)

    asyncio.run(run())


def test_ids_that_are_none_and_clocks_that_are_wrong(make: Any, log: Log, clock: FakeClock) -> None:
    """Are replaced: the id by a new one, the time by the service's own."""

    async def run() -> None:
        evaluator = make()
        week = 7 * 86_400 * 10**9
        names = ["", "garbage", decision_id(clock.now_ns() - week), decision_id(clock.now_ns() + week)]
        for name in names:
            await evaluator.report(SHOP, telling({**DENIED, "id": name}))
        assert [record.at_ns for record in log] == [clock.now_ns()] * 4
        assert [record.id for record in log][2:] == names[2:]
        assert all(made_at_ns(record.id) is not None and record.id.startswith("lreq_") for record in log)

    asyncio.run(run())


def test_a_report_without_a_decision_is_nothing(make: Any, log: Log) -> None:
    """It says nothing."""
    assert asyncio.run(make().report(SHOP, ReportRequest())) == {}
    assert log == []


def test_local_results_belong_to_the_decision(make: Any, log: Log) -> None:
    """The worst of both is the conclusion that is kept; a local dry run would have come first."""

    async def run() -> None:
        challenge = {
            "rule": "weights",
            "state": 1,
            "conclusion": 3,
            "reason": {"challenge": {"rule": "weights", "message": "m"}},
        }
        dry = {"rule": "local-trial", "state": 3, "conclusion": 2, "reason": {"botV2": {"denied": ["X"]}}}
        top = {"localResults": [challenge, dry], "localConclusion": "CONCLUSION_CHALLENGE"}
        answer = await decided(make(), asking(limit(5), top=top))
        assert answer["conclusion"] == "CONCLUSION_ALLOW"
        assert len(answer["ruleResults"]) == 1
        (record,) = log
        assert (record.conclusion, record.rule, record.dry_run) == ("CHALLENGE", "weights", "local-trial")
        assert [each["rule"] for each in record.results] == ["weights", "local-trial", "sliding_window"]
        assert record.results[2]["tookUs"] >= 0
        assert (record.id, record.reported) == (answer["id"], False)

    asyncio.run(run())


def test_nothing_of_the_visitors_is_kept(make: Any, log: Log) -> None:
    """But the path and the User-Agent, on one printable line."""

    async def run() -> None:
        secrets = {"authorization": "SECRET-1", "cookie": "s=SECRET-2", "user-agent": "agent\r\nforged"}
        fields = {"query": f"?token=SECRET-3&{ATTACK}", "email": "SECRET-4@SECRET.example",
                  "extra": {"userId": "SECRET-5"}, "body": "U0VDUkVULTY=",
                  "path": "/a\x1b[31m", "cookies": "t=SECRET-7"}  # fmt: skip
        evaluator = make()
        for rules in ([shield()], [limit(characteristics=["userId"]), email(), bots()]):
            await decided(evaluator, asking(*rules, headers=secrets, **fields))
        await evaluator.report(SHOP, telling(DENIED, headers=secrets, **fields))
        text = json.dumps([record._asdict() for record in log])
        assert "SECRET" not in text
        assert "password FROM" not in text
        assert {record.agent for record in log} == {"agent\\x0d\\x0aforged"}
        assert {record.path for record in log} == {"/a\\x1b[31m"}

    asyncio.run(run())


# --- refunds

CLOCK = FakeClock()


@cache
def shared() -> Evaluator:
    return Evaluator("memory://", [], clock=CLOCK, resolver=ScriptedResolver({}), timeout=30.0)


async def left(evaluator: Evaluator) -> int:
    decision = await decided(evaluator, asking(limit(10)))
    return decision["ruleResults"][0]["reason"]["rateLimit"]["remaining"]


async def charge(evaluator: Evaluator) -> str:
    decision = await decided(evaluator, asking(limit(10)))
    (text,) = decision["ruleResults"][0]["reason"]["rateLimit"]["charges"]
    return text


def test_a_charge_is_taken_back_once(make: Any) -> None:
    """By the site that it was made for, and not with another spelling either."""

    async def run() -> None:
        evaluator = make()
        text = await charge(evaluator)
        await evaluator.report(BLOG, telling(DENIED, refunds=[text]))
        assert await left(evaluator) == 8
        await evaluator.report(SHOP, telling(DENIED, refunds=[text, text]))
        assert await left(evaluator) == 8
        again = [text, text + "=", text + "\n", " " + text, text.rstrip("=")]
        await evaluator.report(SHOP, telling(DENIED, refunds=again))
        assert await left(evaluator) == 7
        assert evaluator.stats()["refund.repeated"] == 1
        assert evaluator.stats()["refund.refused"] >= 1

    asyncio.run(run())


def test_two_evaluators_on_one_store_know_each_others_charges(clock: FakeClock) -> None:
    """The secret is in the store."""

    async def run() -> None:
        from doorward.stores import MemoryStore

        store = MemoryStore(clock=clock)
        first, second = (
            Evaluator(store, [], clock=clock, resolver=ScriptedResolver({}), timeout=30.0) for _ in range(2)
        )
        text = await charge(first)
        await second.report(SHOP, telling(DENIED, refunds=[text]))
        assert await left(second) == 9

    asyncio.run(run())


@given(st.lists(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: raw.hex()), max_size=10))
def test_forged_charges_are_ignored(texts: list[str]) -> None:
    """Whatever is sent."""

    async def run() -> None:
        CLOCK.advance(1_000)
        await charge(shared())
        await shared().report(SHOP, telling(DENIED, refunds=texts))
        assert await left(shared()) == 8

    asyncio.run(run())


def test_only_what_was_charged_has_charges(make: Any) -> None:
    """Also of dry runs, whose trial would say too much without refunds; nothing of a refused request."""

    async def run() -> None:
        evaluator = make()
        rules = [limit(1), limit(5, mode="MODE_DRY_RUN")]
        first = await decided(evaluator, asking(*rules))
        second = await decided(evaluator, asking(*rules))
        assert [("charges" in each["reason"]["rateLimit"]) for each in first["ruleResults"]] == [True, True]
        assert "charges" not in str(second)

    asyncio.run(run())


def test_of_dry_runs_that_one_would_have_refused_nothing_was_charged(make: Any) -> None:
    """All or none, as if they were live: a refund of what was not charged would take another's charge back."""

    async def run() -> None:
        evaluator = make()
        rules = [limit(9), limit(1, mode="MODE_DRY_RUN"), limit(8, mode="MODE_DRY_RUN")]
        await decided(evaluator, asking(*rules))
        second = await decided(evaluator, asking(*rules))
        assert [("charges" in each["reason"]["rateLimit"]) for each in second["ruleResults"]] == [True, False, False]

    asyncio.run(run())
