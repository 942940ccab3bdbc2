"""Decide: what is answered for each kind of rule and of client."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from typing import Any

import pytest
from tests.service.evaluate.asking import (
    ATTACK,
    BLOG,
    BROWSER,
    IP,
    SHOP,
    asking,
    bots,
    conclusions,
    decided,
    email,
    limit,
    shield,
)

from doorward.fingerprint import Fingerprint
from doorward.ids import made_at_ns
from doorward.service.messages import DecideRequest
from doorward.service.server.rules import arcjet_id, build

ARCJET = {"client": ""}


def test_everything_is_filled(make: Any) -> None:
    """An answer has id, conclusion, reason, and one full result for each rule in their order."""
    evaluator = make()
    rules = [limit(), shield(), bots(), email("DISPOSABLE")]
    for options in ({}, ARCJET):
        decision = asyncio.run(decided(evaluator, asking(*rules, email="a@shop.example", **options)))
        assert decision["id"].startswith("req_")
        assert made_at_ns(decision["id"]) == evaluator.runtime.clock.now_ns()
        assert decision["conclusion"] == "CONCLUSION_ALLOW"
        assert [list(each["reason"]) for each in decision["ruleResults"]] == [
            ["rateLimit"],
            ["shield"],
            ["botV2"],
            ["email"],
        ]
        assert list(decision["reason"]) == ["rateLimit"]
        for result in decision["ruleResults"]:
            assert {"ruleId", "state", "conclusion", "reason", "ttl", "fingerprint"} <= result.keys()
            assert re.fullmatch("[0-9a-f]{64}", result["ruleId"])
            assert result["state"] == "RULE_STATE_RUN"


def test_arcjets_sdks_get_nothing_of_our_own(make: Any) -> None:
    """Fields and values from 1000 on are for a client that has used one."""
    evaluator = make()
    rules = [limit(), shield(), bots(allow=["CURL"]), email("RELAY"), limit(mode="MODE_DRY_RUN")]
    asked = asking(*rules, email="x@privaterelay.appleid.com", headers={"user-agent": "curl/8"}, **ARCJET)
    decision = asyncio.run(decided(evaluator, asked))
    assert decision.keys() == {"id", "conclusion", "reason", "ruleResults", "ttl", "ipDetails"}
    text = str(decision)
    for own in ("resetSeconds", "charges", "evidence", "detail", "weight", "findings", "RELAY", "note", "'rule'"):
        assert own not in text
    assert decision["ruleResults"][3]["reason"] == {"email": {"emailTypes": ["EMAIL_TYPE_FREE"]}}
    assert decision["ruleResults"][0]["fingerprint"].startswith("fp::2::")


def test_a_refused_limit_may_be_remembered(make: Any) -> None:
    """By its ttl; a dry run's and a bot's refusal may not."""
    evaluator = make()
    rules = [limit(1), limit(1, mode="MODE_DRY_RUN")]
    for options in ({}, ARCJET):
        asked = asking(*rules, ip="203.0.113.77" if options else IP, **options)
        asyncio.run(decided(evaluator, asked))
        decision = asyncio.run(decided(evaluator, asked))
        live, dry = decision["ruleResults"]
        assert (live["conclusion"], live["ttl"], decision["ttl"]) == ("CONCLUSION_DENY", 60, 60)
        assert (dry["state"], dry["conclusion"], dry["ttl"]) == ("RULE_STATE_DRY_RUN", "CONCLUSION_DENY", 0)
    denied = asyncio.run(decided(evaluator, asking(bots(), headers={"user-agent": "curl/8"})))
    assert (denied["conclusion"], denied["ttl"]) == ("CONCLUSION_DENY", 0)
    assert denied["ruleResults"][0]["reason"]["botV2"]["denied"] == ["CURL"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "not evaluated by this service"),
        ({"sensitiveInfo": {"mode": 2}}, "not evaluated by this service"),
        ({"promptInjectionDetection": {"mode": 2}}, "not evaluated by this service"),
        (bots(deny=["NO_SUCH_BOT"]), "no id of a bot"),
        (bots(deny=["CURL"], allow=["CURL"]), "cannot be given together"),
        (limit(0), "max"),
        (limit(interval=0), "interval"),
        (limit(algorithm=0), "algorithm"),
        (limit(characteristics=["not a name!"]), "characteristics"),
        ({"rateLimit": {"mode": 2, "algorithm": 1, "refillRate": 0, "interval": 1, "capacity": 5}}, "refill_rate"),
        ({"rateLimit": {"mode": 2, "algorithm": 1, "refillRate": 1, "interval": 2**31, "capacity": 2**31}}, "interval"),
        ({"filter": {"mode": 2, "deny": ["ip.src =="]}}, "deny"),
        ({"filter": {"mode": 2}}, "neither"),
        (email(deny=["EMAIL_TYPE_UNSPECIFIED"]), "type"),
        (email(disposable="all"), "disposable"),
        ({**shield(), "name": 'a"b'}, "name"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "rule",
)
def test_a_rule_that_cannot_be_built(make: Any, rule: dict[str, Any], said: str) -> None:
    """Is an error of that rule; the others are evaluated."""
    decision = asyncio.run(decided(make(), asking({**rule}, limit(5), email="a@b.example")))
    broken, other = decision["ruleResults"]
    assert said in broken["reason"]["error"]["message"]
    assert other["reason"]["rateLimit"]["remaining"] == 4
    live = "mode" in str(rule) and "sensitive" not in str(rule) and "prompt" not in str(rule)
    assert broken["conclusion"] == "CONCLUSION_ERROR"
    assert decision["conclusion"] == ("CONCLUSION_ERROR" if live else "CONCLUSION_ALLOW")


def test_sites_do_not_meet(make: Any) -> None:
    """The same limit and client, at two sites: two counters."""
    evaluator = make()
    asked = asking(limit(1))
    assert [asyncio.run(decided(evaluator, asked, site))["conclusion"] for site in (SHOP, SHOP, BLOG)] == [
        "CONCLUSION_ALLOW", "CONCLUSION_DENY", "CONCLUSION_ALLOW",
    ]  # fmt: skip


def test_match_sets_limits_apart(make: Any) -> None:
    """And is part of the id."""
    evaluator = make()
    one, other = limit(1, match="a"), limit(1, match="b")
    first = asyncio.run(decided(evaluator, asking(one)))
    second = asyncio.run(decided(evaluator, asking(other)))
    assert second["conclusion"] == "CONCLUSION_ALLOW"
    assert first["ruleResults"][0]["ruleId"] != second["ruleResults"][0]["ruleId"]
    assert asyncio.run(decided(evaluator, asking(one)))["conclusion"] == "CONCLUSION_DENY"


def test_exact_numbers_go_first(make: Any) -> None:
    """``units`` and ``nanoseconds`` replace what is in whole seconds."""
    decision = asyncio.run(decided(make(), asking(limit(9, units=3, nanoseconds=500_000_000))))
    reason = decision["ruleResults"][0]["reason"]["rateLimit"]
    assert (reason["max"], reason["remaining"], reason["resetSeconds"]) == (3, 2, 0.5)


def test_our_client_says_who_is_counted(make: Any) -> None:
    """By the fingerprints that it sends, each of several; by itself where it sends none for a rule."""
    evaluator = make()
    name = 'http.request.headers["x-key"]'
    rule = limit(1, characteristics=[name])
    one, two = (str(Fingerprint([(name, value)])) for value in ("one", "two"))
    both = {name: {"values": [one, two]}}
    first = asyncio.run(decided(evaluator, asking(rule, fingerprints=both)))
    assert first["ruleResults"][0]["fingerprint"] in (one, two)
    for headers in ({"x-key": "one"}, {"x-key": "two"}):
        assert asyncio.run(decided(evaluator, asking(rule, headers=headers)))["conclusion"] == "CONCLUSION_DENY"
    assert asyncio.run(decided(evaluator, asking(rule, headers={"x-key": "three"})))["conclusion"] == "CONCLUSION_ALLOW"
    garbled = {name: {"values": ["fp::3::zz", "", one[:-1]]}}
    asked = asking(rule, headers={"x-key": "four"}, fingerprints=garbled)
    assert asyncio.run(decided(evaluator, asked))["ruleResults"][0]["fingerprint"] == str(Fingerprint([(name, "four")]))


def test_characteristics_of_the_request(make: Any) -> None:
    """A rule without any of its own counts by those of the request, and the application's values are in ``extra``."""
    evaluator = make()
    top = {"characteristics": ["userId"]}
    answers = [
        asyncio.run(decided(evaluator, asking(limit(1), top=top, extra={"userId": user}, ip=ip, **ARCJET)))[
            "conclusion"
        ]
        for user, ip in (("1", IP), ("2", IP), ("1", "203.0.113.200"))
    ]
    assert answers == ["CONCLUSION_ALLOW", "CONCLUSION_ALLOW", "CONCLUSION_DENY"]


@pytest.mark.parametrize(("requested", "left"), [("3", 7), ("0", 9), ("-5", 9), ("", None), ("x", None), ("1.5", None)])
def test_requested_units(make: Any, requested: str, left: int | None) -> None:
    """Are moved into their range; what is no number is an error of the limits."""
    decision = asyncio.run(decided(make(), asking(limit(10), extra={"requested": requested})))
    reason = decision["ruleResults"][0]["reason"]
    assert (
        reason["rateLimit"]["remaining"] == left if left is not None else "whole number" in reason["error"]["message"]
    )


def test_requested_is_about_buckets_to_arcjets_sdks(make: Any) -> None:
    """And what was refused for many is not remembered, since the SDKs do not mind how many."""
    bucket = {"rateLimit": {"mode": 2, "algorithm": 1, "refillRate": 1, "interval": 60, "capacity": 5}}
    asked = asking(limit(5), bucket, extra={"requested": "6"}, **ARCJET)
    window, tokens = asyncio.run(decided(make(), asked))["ruleResults"]
    assert window["conclusion"] == "CONCLUSION_ALLOW"
    assert (tokens["conclusion"], tokens["ttl"]) == ("CONCLUSION_DENY", 0)


@pytest.mark.parametrize("ip", ["", "localhost", "999.1.1.1", "\udc00", "x" * 5000])
def test_no_address(make: Any, ip: str) -> None:
    """Is decided about all the same."""
    evaluator = make()
    request = DecideRequest.model_construct(**dict(asking(limit(), shield(), bots())))
    object.__setattr__(request, "details", request.details.model_copy(update={"ip": ip}))
    decision = asyncio.run(decided(evaluator, request))
    assert decision["conclusion"] == "CONCLUSION_ALLOW"


def test_the_body_is_scanned_where_it_is_sent(make: Any) -> None:
    """With the details of both SDKs: a query with "?", a protocol with ":", cookies apart."""
    evaluator = make()
    body = DecideRequest.model_validate(
        {"details": {"ip": IP, "method": "POST", "protocol": "http:", "path": "/",
                     "body": base64.b64encode(json.dumps({"a": ATTACK}).encode()),
                     "headers": {**BROWSER, "content-type": "application/json"}}, "rules": [shield()]}
    )  # fmt: skip
    assert asyncio.run(decided(evaluator, body))["conclusion"] == "CONCLUSION_DENY"
    query = asking(shield(), query=f"?{ATTACK}".replace(" ", "%20"), **ARCJET)
    decision = asyncio.run(decided(evaluator, query))
    assert decision["reason"] == {"shield": {"shieldTriggered": True, "suspicious": True}}
    cookies = asking(limit(1, characteristics=['http.request.cookie["s"]']), cookies="s=1")
    first, second = (asyncio.run(decided(evaluator, cookies)) for _ in range(2))
    assert (first["conclusion"], second["conclusion"]) == ("CONCLUSION_ALLOW", "CONCLUSION_DENY")


def test_ids_are_those_that_the_sdk_computes() -> None:
    """Where names are as ours, both computations agree; of shield, Arcjet's has the characteristics too."""
    rules = [
        limit(characteristics=["userId", "ip.src"]),
        {"rateLimit": {"mode": 1, "algorithm": 1, "refillRate": 5, "interval": 10, "capacity": 50}},
        {"rateLimit": {"mode": 2, "algorithm": 2, "max": 7, "windowInSeconds": 60}},
        bots(deny=["CURL", "CATEGORY:AI"]),
        email("DISPOSABLE", "INVALID"),
        {"filter": {"mode": 2, "deny": ['http.host eq "a"']}},
    ]
    for rule in asking(*rules).rules:
        ours = build(rule, (), own=True)
        assert ours.rule_id(ours.mode) == arcjet_id(rule, ()), rule
    (wire,) = asking(shield()).rules
    assert (
        arcjet_id(wire, ["ip.src"])
        == "d" * 0
        + __import__("hashlib").sha256(b'type:"SHIELD",version:0,mode:"LIVE",characteristics:["ip.src",],').hexdigest()
    )


def test_a_probe_is_not_logged(make: Any, log: Any) -> None:
    """No rules and no address: who asks only wants to know whether somebody answers."""
    evaluator = make()
    decision = asyncio.run(decided(evaluator, DecideRequest()))
    assert decision["conclusion"] == "CONCLUSION_ALLOW"
    assert list(decision["reason"]) == ["shield"]
    assert log == []
    asyncio.run(decided(evaluator, asking()))
    assert len(log) == 1


def test_equal_rules_have_their_own_counters(make: Any) -> None:
    """As in a client of doorward."""
    decision = asyncio.run(decided(make(), asking(limit(3), limit(3), limit(3))))
    assert [each["reason"]["rateLimit"]["remaining"] for each in decision["ruleResults"]] == [2, 2, 2]
    names = ["sliding_window", "sliding_window-2", "sliding_window-3"]
    assert [each["rule"] for each in decision["ruleResults"]] == names
    assert conclusions(decision) == ["ALLOW"] * 3


def test_pythons_sdk_is_kept_from_taking_one_client_for_another(make: Any) -> None:
    """It remembers whole decisions, and reads ``ip.src`` among the application's own values, where there is none."""
    evaluator = make()
    for names, lasts in ((["ip.src"], 0), (["userId"], 60), ([], 60)):
        asked = asking(limit(1, characteristics=names), extra={"userId": "7"}, **ARCJET)
        asyncio.run(decided(evaluator, asked))
        decision = asyncio.run(decided(evaluator, asked))
        assert (decision["ttl"], decision["ruleResults"][0]["ttl"]) == (lasts, 60), names


@pytest.mark.parametrize(("mode", "states"), [("OFF", ["NOT_RUN"] * 2), ("DRY_RUN", ["DRY_RUN"] * 2)])
def test_the_operators_switch(make: Any, monkeypatch: pytest.MonkeyPatch, mode: str, states: list[str]) -> None:
    """``DOORWARD_MODE`` of the service: nothing is refused, and there is one result for each rule."""
    monkeypatch.setenv("DOORWARD_MODE", mode)
    evaluator = make()
    for _ in range(3):
        decision = asyncio.run(decided(evaluator, asking(limit(1), shield(), query=ATTACK)))
        assert decision["conclusion"] == "CONCLUSION_ALLOW"
        assert [each["state"] for each in decision["ruleResults"]] == [f"RULE_STATE_{state}" for state in states]


def test_rules_share_what_is_known_of_addresses(make: Any) -> None:
    """Each identity keeps thousands of fingerprints: one for all, or a thousand sets of rules would keep millions."""
    evaluator = make()
    for most in (1, 2):
        asyncio.run(decided(evaluator, asking(limit(most), shield())))
    kept = [built for site in evaluator.engines._sites.values() for built in site.values()]
    assert len({id(slot.bound.identity) for built in kept for slot in built.slots}) == 1
