"""Sign-up handlers in the way that Arcjet's Python SDK wants them: only the import and the constructor differ."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from doorward import (
    AsyncDoorward,
    BotCategory,
    Doorward,
    EmailType,
    Mode,
    RequestContext,
    detect_bot,
    is_missing_user_agent,
    is_spoofed_bot,
    is_verified_bot,
    protect_signup,
    sliding_window,
    token_bucket,
    validate_email,
)
from doorward.testing import ScriptedResolver

FIREFOX = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    ("Accept", "*/*"),
    ("Accept-Language", "en"),
    ("Accept-Encoding", "gzip"),
]
GOOGLEBOT = [("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")]
RESOLVER = ScriptedResolver({("mail.example", "MX"): ["mx.mail.example"], ("gmail.com", "MX"): ["mx.gmail.com"]})


def request(peer: str = "9.9.9.9", headers: Any = FIREFOX) -> RequestContext:
    return RequestContext(method="POST", path="/signup", peer=peer, headers=headers)


def by_reason() -> Callable[..., str]:
    """One handler that looks at the reason of the decision."""
    aj = Doorward(
        rules=[
            *protect_signup(
                rate_limit={"mode": Mode.LIVE, "interval": 600, "max": 5},
                bots={"mode": Mode.LIVE, "allow": []},
                email={"mode": "LIVE", "deny": [EmailType.DISPOSABLE, EmailType.INVALID, EmailType.NO_MX_RECORDS]},
            )
        ],
        resolver=RESOLVER,
    )

    def signup(req: RequestContext, email: str) -> str:
        decision = aj.protect(req, email=email)
        if decision.is_denied():
            reason = decision.reason_v2
            if reason.type == "EMAIL":
                return f"400 {','.join(reason.email_types)}"
            return f"429 {reason.max}" if reason.type == "RATE_LIMIT" else "403"
        if decision.ip.is_hosting() or decision.ip_details.is_vpn or decision.ip_details.country == "XX":
            return "202"
        return "200"

    return signup


def by_results() -> Callable[..., str]:
    """One that walks through the results, and treats spoofed bots itself."""
    aj = Doorward(
        rules=[
            detect_bot(mode=Mode.DRY_RUN, allow=[]),
            detect_bot(mode=Mode.LIVE, allow=[BotCategory.SEARCH_ENGINE, "CURL"]),
            validate_email(mode="DRY_RUN", deny=["FREE"]),
        ],
        resolver=RESOLVER,
    )

    def signup(req: RequestContext, email: str) -> str:
        decision = aj.protect(req, email=email)
        if decision.is_error():
            return "500"
        if any(is_spoofed_bot(result) for result in decision.results):
            return "403 spoofed"
        if any(is_missing_user_agent(result) for result in decision.results):
            return "400 agent"
        verified = any(is_verified_bot(result) for result in decision.results)
        dry = [r.reason_v2.type for r in decision.results if r.state == "DRY_RUN" and r.is_denied()]
        return f"200 {'verified ' if verified else ''}{','.join(dry)}".strip()

    return signup


def awaiting() -> Callable[..., str]:
    """One that awaits, with characteristics of its own and `requested`."""
    aj = AsyncDoorward(
        rules=[
            token_bucket(mode=Mode.LIVE, refill_rate=1, interval=60, capacity=10, characteristics=["userId"]),
            sliding_window(mode=Mode.LIVE, max=100, interval=60),
        ],
        characteristics=["ip.src"],
    )

    async def signup(req: RequestContext, _: str) -> str:
        decision = await aj.protect(req, requested=4, characteristics={"userId": "u1"})
        return "429" if decision.is_denied() else f"200 {decision.reason_v2.remaining}"

    return lambda *given: asyncio.run(signup(*given))


def test_by_reason() -> None:
    """E-mail, bot and limit each have their answer."""
    signup = by_reason()
    assert signup(request(), "ada@mail.example") == "200"
    assert signup(request(), "ada@mailinator.com") == "400 DISPOSABLE"
    assert signup(request(), "ada") == "400 INVALID"
    assert signup(request(), "ada@nowhere.example") == "400 NO_MX_RECORDS"
    assert signup(request(headers=GOOGLEBOT), "ada@mail.example") == "403"
    assert [signup(request(), "ada@mail.example") for _ in range(4)] == ["200", "200", "200", "429 5"]


@pytest.mark.parametrize(
    ("req", "email", "answer"),
    [
        (request(), "ada@mail.example", "200"),
        (request(), "ada@gmail.com", "200 EMAIL"),
        (request("66.249.66.1", GOOGLEBOT), "ada@mail.example", "200 verified BOT"),
        (request("10.1.2.3", GOOGLEBOT), "ada@mail.example", "403 spoofed"),
        (request(headers=[]), "ada@mail.example", "400 agent"),
        (request(headers=[("User-Agent", "curl/8.5.0")]), "ada@mail.example", "200 BOT"),
    ],
)
def test_by_results(req: RequestContext, email: str, answer: str) -> None:
    """The helpers leave dry runs out; dry results are there to see."""
    assert by_results()(req, email) == answer


def test_awaiting() -> None:
    """The tightest limit is the reason of an allowed decision too."""
    signup = awaiting()
    assert [signup(request(), "") for _ in range(3)] == ["200 6", "200 2", "429"]
