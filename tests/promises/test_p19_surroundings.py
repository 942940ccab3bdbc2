"""P19 where it runs: in the stores of several processes, in middleware of every framework, with a decision service.

Smaller traces than in memory, of which the other files take the long ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.behaviour.clients.base import AppUnderTest, Setup
from tests.behaviour.clients.deciding import PATIENT, DecidingService
from tests.behaviour.clients.django_app import DjangoAsync, DjangoSync
from tests.behaviour.clients.fastapi_app import FastAPIApp
from tests.behaviour.clients.flask_app import FlaskApp
from tests.behaviour.clients.starlette_app import StarletteApp
from tests.conftest import SOAK
from tests.promises.dry_runs import AGENTS, DRY, LIVE, PEERS, QUERIES, Asked, client, decided, told, trace
from tests.stores.valkeys import Valkey, running

from doorward import (
    Conclusion,
    Decision,
    RateLimitReason,
    RequestContext,
    RuleResult,
    ShieldReason,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    rate_limit,
    shield,
    sliding_window,
    token_bucket,
    validate_email,
    weigh,
)
from doorward.clock import SystemClock

KINDS: tuple[type[AppUnderTest], ...] = (FlaskApp, DjangoSync, DjangoAsync, FastAPIApp, StarletteApp)
COUNTING: dict[str, Any] = {
    "fixed": lambda mode: fixed_window(max=9, window="365d", mode=mode),
    "sliding": lambda mode: sliding_window(max=9, interval="30d", characteristics=["userId"], mode=mode),
    "large": lambda mode: sliding_window(max=40, interval="30d", mode=mode),
    "bucket": lambda mode: token_bucket(capacity=9, refill_rate=1, interval="30d", mode=mode),
    "text": lambda mode: rate_limit(lambda _, own: "4/day; 30/week" if own else "20/day", mode=mode),
    "shield": lambda mode: shield(mode=mode, threshold=2.0, window=86_400.0),
}
"""Rules that count over so long that no second matters: the time of these stores is not ours."""
FRAMED = ["fixed", "shield", "bots", "filter", "weigh", "email"]
RULES: dict[str, Any] = {
    "fixed": lambda mode: fixed_window(max=7, window="1h", mode=mode),
    "shield": lambda mode: shield(mode=mode, threshold=2.0, window=600.0),
    "bots": lambda mode: detect_bot(allow=[], mode=mode),
    "filter": lambda mode: filter_request(deny=['http.request.headers["x-key"] eq "1"'], mode=mode),
    "weigh": lambda mode: (weigh(6, paths=["/handler"], mode=mode), weigh(5, methods=["POST"], mode=mode)),
    "email": lambda mode: validate_email(deny=["DISPOSABLE", "INVALID"], mode=mode),
}
THRESHOLDS = {"CHALLENGE": 5, "DENY": 6}


def figures(result: RuleResult) -> tuple[object, ...]:
    """What a result says but for times, in stores that have their own."""
    reason: Any = result.reason
    if isinstance(reason, RateLimitReason):
        reason = (reason.max, reason.remaining, reason.window_seconds, reason.degraded)
    elif isinstance(reason, ShieldReason):
        reason = (reason[:4], reason.retry_seconds > 0)
    return result.conclusion, reason, result.fingerprint, result.note


def agree(live: Decision, dry: Decision, say: Any = told) -> None:
    """Each rule that ran live came to the same dry, and the dry decision is to allow."""
    for mine, theirs in zip(live.results, dry.results, strict=True):
        if mine.state != "NOT_RUN":
            assert say(mine) == say(theirs)
    assert dry.conclusion is Conclusion.ALLOW
    refused = live.conclusion in (Conclusion.DENY, Conclusion.CHALLENGE)
    assert (dry.dry_run is not None) == refused


def crowded(seed: int, count: int) -> Iterator[Asked]:
    """A trace of two clients at one time, so that also large limits are reached."""
    for number, asked in enumerate(trace(seed, count, pause=0.0)):
        yield asked._replace(request={**asked.request, "peer": PEERS[number % 2]})


# --- stores of several processes


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URLs of a store of one host and of a real Valkey."""
    folder: Path = tmp_path_factory.mktemp("stores")
    server = Valkey(folder / "valkey")
    with running(server):
        yield {"shared": f"shared://{folder}/doorward", "valkey": server.url()}


@pytest.mark.parametrize("store", ["shared", "valkey"])
@pytest.mark.parametrize("name", COUNTING)
def test_p19_in_a_store_of_several_processes(name: str, store: str, stores: dict[str, str]) -> None:
    """A live client and a dry one, of one name and one store, beside each other: neither touches the other's counters.

    What the live one comes to alone, in memory, is what it comes to here.
    """
    clock = SystemClock()
    options: dict[str, Any] = {
        "clock": clock,
        "store": stores[store],
        "timeout": PATIENT,
        "name": f"p19-{name}-{store}",
    }
    live, dry = (client([COUNTING[name](mode)], **options) for mode in (LIVE, DRY))
    alone = client([COUNTING[name](LIVE)], clock=clock)
    denied = 0
    with live, dry:
        for asked in crowded(5, 10_000 if SOAK else 120):
            one, other, memory = decided(live, asked), decided(dry, asked), decided(alone, asked)
            agree(one, other, figures)
            assert one.conclusion is memory.conclusion
            denied += one.is_denied()
    assert denied


# --- middleware


def told_to(kept: list[Decision]) -> Any:
    def on_decision(decision: Decision, _: RequestContext) -> None:
        kept.append(decision)

    return on_decision


class Answered(NamedTuple):
    """One answer of an application, and what its client decided last about the request."""

    status: int
    body: bytes
    decision: Decision | None


def answers(kind: type[AppUnderTest], rules: list[Any], *, protected: bool = True) -> list[Answered]:
    """The trace through an application of its own: Django has room for one at a time."""
    kept: list[Decision] = []
    options = {"thresholds": THRESHOLDS, "proxies": (), "on_decision": told_to(kept)}
    found = []
    with kind(Setup(rules=rules, options=options, protected=protected)) as app:
        for sent in requests(3, 2_000 if SOAK else 40):
            kept.clear()
            app.clock.advance(1)
            reply = app.request(**sent)
            found.append(Answered(reply.status, reply.body, kept[-1] if kept else None))
    return found


def requests(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """What visitors send: to routes that middleware decides about, and to one that asks again with an address."""
    pick = random.Random(seed)
    for _ in range(count):
        query = pick.choice(QUERIES)
        handler = f"/handler?email={pick.choice(('a@shop.example', 'a@mailinator.com', 'none'))}"
        target = pick.choice((f"/echo?{query}", f"/echo?{query}", "/login?status=401", handler))
        agent = pick.choice(AGENTS) or "x"
        headers = [
            ("User-Agent", agent),
            ("Accept", "*/*"),
            ("Accept-Language", "en"),
            ("X-Key", str(pick.randrange(4))),
        ]
        method = "GET" if target.startswith("/handler") else pick.choice(("GET", "GET", "POST"))
        yield {"target": target, "method": method, "headers": headers, "peer": pick.choice(PEERS)}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_p19_in_middleware(kind: type[AppUnderTest]) -> None:
    """The dry application answers every request as one without doorward; each rule comes to what it comes to alone.

    Of the live applications there is one for each rule, since the first that refuses would hide what the others find.
    """
    dry = answers(kind, [RULES[name](DRY) for name in FRAMED])
    plain = answers(kind, [], protected=False)
    assert [answer[:2] for answer in dry if not is_told(answer)] == [
        answer[:2] for answer, beside in zip(plain, dry, strict=True) if not is_told(beside)
    ]
    place = 0
    for name in FRAMED:
        live = answers(kind, [RULES[name](LIVE)])
        assert any(answer.status in (400, 403, 429) for answer in live) or name == "email"
        for one, other in zip(live, dry, strict=True):
            assert one.decision is not None
            assert other.decision is not None
            assert other.decision.is_allowed()
            own = len(one.decision.results)
            for mine, theirs in zip(one.decision.results, other.decision.results[place : place + own], strict=True):
                assert mine.state == "NOT_RUN" or told(mine) == told(theirs)
        assert live[-1].decision is not None
        place += len(live[-1].decision.results)


def is_told(answer: Answered) -> bool:
    """Whether the handler answered with a decision, whose id is its own."""
    return answer.body.startswith(b'{"id"')


# --- a decision service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DecidingService]:
    """A real decision service on loopback."""
    with DecidingService(tmp_path_factory.mktemp("service")) as deciding:
        yield deciding


@pytest.mark.parametrize("name", [*COUNTING, "bots", "email", "deny"])
def test_p19_with_a_decision_service(name: str, service: DecidingService) -> None:
    """What the service decides about a live rule it decides about the same rule as a dry run."""
    rules = {**RULES, **COUNTING, "deny": lambda mode: deny(where='http.request.method eq "PUT"', mode=mode)}
    site = service.for_application()
    options = {**site.options, "thresholds": THRESHOLDS}
    live, dry = (client([rules[name](mode)], name=f"p19-{mode.lower()}", **options) for mode in (LIVE, DRY))
    alone = client([rules[name](LIVE)], clock=service.clock, thresholds=THRESHOLDS)
    denied = 0
    with live, dry:
        for asked in crowded(6, 2_000 if SOAK else 50 if name != "large" else 90):
            one, other, memory = decided(live, asked), decided(dry, asked), decided(alone, asked)
            agree(one, other, figures)
            assert one.conclusion is memory.conclusion
            denied += one.is_denied()
    assert denied
