"""P19: every kind of rule, live and dry, and traces of requests that each of them has something to say about."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from doorward import (
    Decision,
    Doorward,
    RateLimitReason,
    RequestContext,
    RuleResult,
    ShieldReason,
    allow,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    protect_signup,
    rate_limit,
    shield,
    sliding_window,
    token_bucket,
    validate_email,
    weigh,
)
from doorward.decision import State
from doorward.errors import ResolverError
from doorward.progress import NOT_GIVEN
from doorward.testing import FakeClock, ScriptedResolver

LIVE, DRY = "LIVE", "DRY_RUN"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
DNS: dict[tuple[str, str], Any] = {
    ("1.66.249.66.in-addr.arpa", "PTR"): ["crawl-66-249-66-1.googlebot.com"],
    ("crawl-66-249-66-1.googlebot.com", "A"): ["66.249.66.1"],
    ("9.113.0.203.in-addr.arpa", "PTR"): ["crawl.googlebot.com.liar.example"],
    ("8.8.8.8.in-addr.arpa", "PTR"): ResolverError("SERVFAIL"),
    ("shop.example", "MX"): ["mx.shop.example"],
    ("null.example", "MX"): [""],
    ("broken.example", "MX"): ResolverError("SERVFAIL"),
    ("address.example", "A"): ["203.0.113.80"],
}
PEERS = ("203.0.113.9", "203.0.113.10", "198.51.100.7", "66.249.66.1", "8.8.8.8", "2001:db8::7")
ATTACKS = ("q=1%27+or+%271%27=%271", "q=%3Cscript%3Ealert(1)%3C/script%3E")
QUERIES = (*[""] * 6, "q=shoes", "q=..%2f", "q=exec(", "q=exec(&r=..%2f", *ATTACKS)
AGENTS = (*[FIREFOX] * 5, "curl/8.5.0", GOOGLE, "", "python-requests/2.32")
DOMAINS = ("shop.example", "address.example", "null.example", "broken.example", "mailinator.com", "")
EMAILS = (*[f"a@{domain}" for domain in DOMAINS], NOT_GIVEN, None)
OWN: tuple[dict[str, Any], ...] = ({}, {"userId": 1}, {"userId": 2, "plan": "free"}, {"plan": "paid"})


def of_plan(request: RequestContext, own: Any) -> str | None:
    """A limit by plan, and none for one path."""
    return None if request.path == "/free" else "2/10s; 5/minute" if own.get("plan") == "free" else "4/10s"


ALONE: dict[str, Callable[[str], Any]] = {
    "fixed": lambda mode: fixed_window(max=5, window="10s", mode=mode),
    "sliding": lambda mode: sliding_window(max=5, interval="10s", mode=mode),
    "large": lambda mode: sliding_window(max=40, interval="600s", mode=mode),
    "bucket": lambda mode: token_bucket(capacity=3, refill_rate=1, interval="4s", mode=mode),
    "by user": lambda mode: sliding_window(max=4, interval="9s", characteristics=["userId"], mode=mode),
    "by header": lambda mode: fixed_window(
        max=3, window="9s", characteristics=['http.request.headers["x-key"]'], mode=mode
    ),
    "by path": lambda mode: sliding_window(max=3, interval="9s", paths=["/a*"], methods=["GET"], mode=mode),
    "callable": lambda mode: rate_limit(of_plan, mode=mode),
    "text": lambda mode: rate_limit("4/10s; 20/minute", algorithm="token_bucket", mode=mode),
    "cost": lambda mode: sliding_window(max=9, interval="9s", cost=2, mode=mode),
    "count_when": lambda mode: sliding_window(max=3, interval="30s", count_when=401, mode=mode),
    "bots allow": lambda mode: detect_bot(allow=["CURL"], mode=mode),
    "bots deny": lambda mode: detect_bot(deny=["CATEGORY:TOOL", "CURL"], mode=mode),
    "bots verified": lambda mode: detect_bot(allow=["CATEGORY:SEARCH_ENGINE"], mode=mode),
    "bots fail closed": lambda mode: detect_bot(allow=["CATEGORY:GOOGLE"], on_error="deny", mode=mode),
    "email": lambda mode: validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"], mode=mode),
    "email fails closed": lambda mode: validate_email(deny=["NO_MX_RECORDS"], on_error="deny", mode=mode),
    "email allow": lambda mode: validate_email(allow=["FREE"], mode=mode),
    "shield": lambda mode: shield(mode=mode),
    "shield adds up": lambda mode: shield(mode=mode, threshold=2.0, window=60.0),
    "shield by user": lambda mode: shield(mode=mode, threshold=2.0, window=60.0, characteristics=["userId"]),
    "shield after": lambda mode: shield(mode=mode, when="after", threshold=2.0, window=60.0),
    "filter deny": lambda mode: filter_request(
        deny=['local.plan eq "free"', 'http.request.method eq "PUT"'], mode=mode
    ),
    "filter allow": lambda mode: filter_request(allow=['http.request.headers["x-key"] in {"0" "1"}'], mode=mode),
    "allow": lambda mode: allow(ip=["203.0.113.9"], mode=mode),
    "deny": lambda mode: deny(ip="198.51.100.0/24", mode=mode),
    "deny where": lambda mode: deny(where='http.request.uri.path contains "b" and local.plan ne "paid"', mode=mode),
    "weigh": lambda mode: (
        weigh(3, paths=["/a*"], mode=mode),
        weigh(4, where='http.request.headers["x-key"] eq "1"', mode=mode),
        weigh(5, methods=["POST"], mode=mode),
    ),
}  # fmt: skip
"""Rules that come to the same whatever stands beside them, or nothing does; those of one entry belong together."""
LIMITS = ("fixed", "sliding", "large", "bucket", "by user", "by header", "by path", "callable", "text", "cost")
OPTIONS: dict[str, Any] = {"thresholds": {"CHALLENGE": 5, "DENY": 8}}


def signup(mode: str) -> Any:
    """All rules of a sign-up."""
    return protect_signup(rate_limit={"interval": "10s", "max": 5}, paths=["/a*"], mode=mode)


class Asked(NamedTuple):
    """One request of a trace."""

    seconds: float
    request: dict[str, Any]
    inputs: dict[str, Any]
    status: int


def trace(seed: int, count: int, *, pause: float = 1.0) -> Iterator[Asked]:
    """Requests of a few clients, each at some time after the one before."""
    pick = random.Random(seed)
    for _ in range(count):
        agent = pick.choice(AGENTS)
        headers = [("Host", "shop.example"), ("X-Key", str(pick.randrange(3)))]
        headers += [("User-Agent", agent), ("Accept", "*/*"), ("Accept-Language", "en")] if agent else []
        request = {
            "peer": pick.choice(PEERS),
            "method": pick.choice(("GET", "GET", "GET", "POST", "PUT")),
            "path": pick.choice(("/a", "/ab", "/b", "/free")),
            "query": pick.choice(QUERIES),
            "headers": headers,
            "body": b"",
        }
        inputs = {"email": pick.choice(EMAILS), "characteristics": pick.choice(OWN)}
        yield Asked(pause * pick.choice((0, 0, 0, 0.1, 1, 4)), request, inputs, pick.choice((200, 200, 401)))


def client(rules: Sequence[Any], **options: Any) -> Doorward:
    """A client with what the traces need."""
    logger = logging.Logger("p19", logging.CRITICAL + 1)  # noqa: LOG001  (nobody's)
    ours = {"logger": logger, "clock": FakeClock(), "resolver": ScriptedResolver(DNS), "proxies": ()}
    return Doorward(rules, **{**ours, **OPTIONS, **options})


def told(result: RuleResult) -> tuple[object, ...]:
    """What a result says, times to the nanosecond; not its state, nor its id, which holds the mode."""
    reason: Any = result.reason
    if isinstance(reason, RateLimitReason):
        reason = (reason.max, reason.remaining, round(reason.reset_seconds * 1e9), reason.now_ns, reason.degraded)
    elif isinstance(reason, ShieldReason):
        reason = reason._replace(retry_seconds=round(reason.retry_seconds, 6))
    return result.conclusion, result.state is State.NOT_RUN, reason, result.fingerprint, result.ttl, result.note


def decisions(aj: Doorward, requests: Iterator[Asked]) -> Iterator[tuple[Asked, Decision]]:
    """A trace through a client that blocks; the response is told to rules that wait for it."""
    clock: Any = aj.runtime.clock
    for asked in requests:
        clock.advance(asked.seconds)
        yield asked, decided(aj, asked)


def decided(aj: Doorward, asked: Asked) -> Decision:
    """One request of a trace, from its first rule to its response."""
    from doorward.progress import Inputs, given
    from doorward.rules.limits import Response

    progress = aj.runtime.open(RequestContext(**asked.request), aj.engine)
    decision = aj.decide(progress, Inputs(given(asked.inputs["email"]), asked.inputs["characteristics"]))
    if decision.is_allowed():
        aj.settle(progress, Response(asked.status, ()))
        aj.look_back(progress)
    return progress.decision or decision
