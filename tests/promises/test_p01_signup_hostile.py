"""P1 with all that a sign-up is protected by: whatever bytes come, there is a decision, and nothing is raised."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import pytest
from tests.promises.hostile import Hostile, hostile
from tests.promises.test_p01_hostile_requests import SCALE

from doorward import (
    AsyncDoorward,
    Decision,
    Doorward,
    RequestContext,
    allow,
    deny,
    detect_bot,
    filter_request,
    protect_signup,
    validate_email,
    weigh,
)
from doorward.automation.headers import LOOKED_AT
from doorward.testing import FakeClock, ScriptedResolver

NUMBER = 1_000 * SCALE
LONGEST_RECORD = 1024
BOT_NAMES = ("Googlebot/2.1", "curl/8.5.0", "bingbot/2.0", "GPTBot/1.2", "Mozilla/5.0 (", "Slackbot", "compatible; ")
AGENT_BYTES = "".join(chr(code) for code in range(256) if chr(code) not in "\r\n")
EMAILS: tuple[Any, ...] = (
    "ada@mail.example", "", "@", "a@b", "a" * 10**6, "a@" + "b." * 120 + "example", '"\\\0"@mail.example', "\ud800@x.y",
    "a@xn--0.example", "ada@mail.example\r\nBcc: x@y.example", "ada@mailinator.com", "é@ü.example", 42, b"a@b.example",
    ["a@b.example"], object(), "a@[IPv6:::1]", "a@\u2488com", "Ada <ada@mail.example>",
)  # fmt: skip
ADDRESSES = (
    "203.0.113.9", "198.51.100.7", "66.249.66.1", "9.9.9.9", "::ffff:9.9.9.9", "2620:fe::9", "2002:808:808::1",
    "64:ff9b::8.8.8.8", "fe80::1%eth0", "", None, "nobody", "9" * 500, "\0",
)  # fmt: skip


def rules() -> list[Any]:
    """Everything that reads agents, addresses, filters' fields and e-mail."""
    return [
        allow(ip=["192.0.2.0/24"], name="office"),
        deny(ip=["198.51.100.0/24", "tor", "abuse", "2001:db8:bad::/48"], name="addresses"),
        weigh(1, where='len(http.request.headers["user-agent"]) gt 500', name="long"),
        filter_request(
            deny=[
                'http.request.headers["x-key"] matches "^(ab|c)+$" and not ip.src.relay',
                'http.request.cookie["a"] wildcard "*x*y*z*" or lower(http.request.uri.path) contains "passwd"',
                'http.request.uri.args["q"] in {"a" "b"} xor http.host strict wildcard "*.example"',
                'ip.src.country eq "ZZ" or local.plan eq "banned" or ip.src in {::1 10.0.0.0/8}',
            ]
        ),
        detect_bot(allow=["CATEGORY:SEARCH_ENGINE"]),
        detect_bot(deny=["CURL", "CATEGORY:AI"], mode="DRY_RUN", name="some"),
        detect_bot(allow=[], lists=False, mode="DRY_RUN", name="evidence"),
        *protect_signup(rate_limit={"interval": "1s", "max": 10**6}),
        validate_email(allow=["FREE"], allow_domain_literal=True, require_top_level_domain=False, mode="DRY_RUN"),
    ]


def resolver() -> ScriptedResolver:
    return ScriptedResolver({("mail.example", "MX"): ["mx.mail.example"], ("ü.example", "MX"): OSError("broken")})


class Given(NamedTuple):
    """One request and what the handler says with it."""

    request: RequestContext
    email: Any
    characteristics: dict[str, Any]


def agent_of(source: random.Random) -> str:
    """An agent: any bytes, names of bots, or both, of up to 64 KiB."""
    kind = source.random()
    size = source.choice((0, 1, 20, 200, 2000, 64 * 1024))
    if kind < 0.4:
        return "".join(source.choices(AGENT_BYTES, k=size))
    if kind < 0.7:
        return (source.choice(BOT_NAMES) + source.choice(" ;()/+\t")) * (size // 15 + 1)
    return " ".join(source.choice((*BOT_NAMES, "".join(source.choices(AGENT_BYTES, k=9)))) for _ in range(5))


def lines_of(source: random.Random, base: Hostile) -> list[tuple[Any, Any]]:
    """The lines of a hostile request, agents and what evidence is read from among them, as text or as bytes."""
    lines = [line for line in base.headers if line[0] != "User-Agent" or source.random() < 0.5]
    lines += [("User-Agent", agent_of(source)) for _ in range(source.choice((0, 1, 1, 1, 2, 3, 40)))]
    values = [value for _, value in base.headers] or [""]
    lines += [(source.choice(LOOKED_AT), source.choice(values)) for _ in range(source.randrange(12))]
    if source.random() < 0.05:
        lines.append(("Cookie", "; ".join(f"a{number}=x" for number in range(20_000))))
    source.shuffle(lines)
    if source.random() < 0.5:
        return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
    return list(lines)


def given(source: random.Random) -> Given:
    base = hostile(source)
    path, _, query = base.target.partition("?")
    request = RequestContext(
        method=base.method,
        scheme=source.choice(("http", "https", "ws", "", "\0")),
        path=path,
        query=query,
        headers=lines_of(source, base),
        peer=source.choice((*ADDRESSES, base.peer)),
        body=base.body,
    )
    email = source.choice(EMAILS) if source.random() < 0.7 else base.target
    return Given(request, email, {"plan": source.choice(("free", "banned", 1, True))})


def check(decision: Decision, records: list[str]) -> None:
    """It can be shown, sent and logged: on one line that is clean and not long."""
    assert isinstance(decision, Decision)
    assert decision.status in (200, 400, 403, 429)
    assert json.loads(decision.to_json())["ruleResults"]
    assert decision.explain()
    assert decision.ip.to_dict()
    assert all(value.isprintable() for value in decision.headers.values())
    assert sum(record.startswith("doorward decision") for record in records) == 1
    for record in records:
        assert record.isprintable(), record
        assert len(record) <= LONGEST_RECORD


Decide = Callable[[Given], Awaitable[Decision]]


async def decided(decide: Decide, caplog: pytest.LogCaptureFixture, seed: int) -> set[tuple[str, str]]:
    """The kinds of decisions on many requests."""
    caplog.set_level(logging.INFO, "doorward")
    source = random.Random(seed)
    seen = set()
    for _ in range(NUMBER):
        caplog.clear()
        decision = await decide(given(source))
        check(decision, [record.getMessage() for record in caplog.records])
        seen.add((decision.conclusion.value, decision.reason.type))
    return seen


EXPECTED = {("DENY", "BOT"), ("DENY", "EMAIL"), ("DENY", "FILTER"), ("DENY", "RULE")}


def test_p01_sync(caplog: pytest.LogCaptureFixture) -> None:
    """P1: agents of 64 KiB and of any bytes, none or forty of them, huge cookies, addresses that are none."""
    options: Any = {"thresholds": {"DENY": 5}, "resolver": resolver(), "clock": FakeClock()}
    with Doorward(rules(), **options) as aj:

        async def decide(one: Given) -> Decision:
            return aj.protect(one.request, email=one.email, characteristics=one.characteristics)

        assert asyncio.run(decided(decide, caplog, 20_261)) >= EXPECTED


def test_p01_async(caplog: pytest.LogCaptureFixture) -> None:
    """P1: the same, awaiting."""

    async def run() -> set[tuple[str, str]]:
        options: Any = {"thresholds": {"DENY": 5}, "resolver": resolver(), "clock": FakeClock()}
        async with AsyncDoorward(rules(), **options) as aj:
            return await decided(
                lambda one: aj.protect(one.request, email=one.email, characteristics=one.characteristics),
                caplog,
                20_262,
            )

    assert asyncio.run(run()) >= EXPECTED
