"""The same rules and the same requests come to the same with a decision service as without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests.behaviour.clients.base import Setup
from tests.behaviour.clients.deciding import DecidingService
from tests.behaviour.clients.drivers import AsgiDriver, WsgiDriver
from tests.behaviour.clients.raw_asgi import RawAsgi
from tests.behaviour.clients.raw_wsgi import RawWsgi

from doorward import (
    AsyncDoorward,
    Decision,
    Doorward,
    RequestContext,
    detect_bot,
    filter_request,
    fixed_window,
    rate_limit,
    shield,
    sliding_window,
    token_bucket,
    validate_email,
)
from doorward.stores.memory import MemoryStore

BROWSER = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
SHOWN = [BROWSER, ("accept", "*/*"), ("accept-language", "en"), ("accept-encoding", "gzip")]
SHIELDS = {mode: shield(mode=mode) for mode in ("LIVE", "DRY_RUN")}

MODES = st.sampled_from(["LIVE", "LIVE", "DRY_RUN"])
NAMES = st.sampled_from(
    [
        [],
        [],
        ["userId"],
        ["ip.src", "http.host"],
        ['http.request.headers["x-key"]'],
        ['http.request.cookie["a"]'],
        ['http.request.uri.args["q"]', "http.request.uri.path"],
    ]
)
MOST = st.integers(1, 4)
NARROWED = st.sampled_from([{}, {}, {"paths": ["/login"]}, {"methods": ["POST"]}])
RULES: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda mode, names, most, more: sliding_window(
            max=most, interval=60, mode=mode, characteristics=names, **more
        ),
        MODES, NAMES, MOST, NARROWED,
    ),
    st.builds(
        lambda mode, names, most, more: fixed_window(max=most, window="90s", mode=mode, characteristics=names, **more),
        MODES, NAMES, MOST, NARROWED,
    ),
    st.builds(
        lambda mode, names, most: token_bucket(
            capacity=most, refill_rate=2, interval=7, mode=mode, characteristics=names
        ),
        MODES, NAMES, MOST,
    ),
    st.builds(lambda mode, most: rate_limit(f"{most}/minute; 6/hour", mode=mode), MODES, MOST),
    st.builds(
        lambda mode, most: sliding_window(max=most, interval=1.5, mode=mode, on_error="deny"), MODES, MOST
    ),
    st.builds(lambda mode: detect_bot(deny=["CURL"], mode=mode), MODES),
    st.builds(lambda mode: detect_bot(allow=[], mode=mode), MODES),
    st.builds(lambda mode: validate_email(deny=["DISPOSABLE", "FREE"], mode=mode), MODES),
    st.builds(lambda mode: validate_email(allow=["FREE"], mode=mode), MODES).filter(lambda rule: not rule.waits),
    st.builds(lambda mode: filter_request(deny=['http.request.uri.path eq "/login"'], mode=mode), MODES),
    st.builds(lambda mode: filter_request(allow=['http.request.method eq "POST"'], mode=mode), MODES),
    st.builds(SHIELDS.__getitem__, MODES),
)  # fmt: skip
REQUEST = st.builds(
    dict,
    peer=st.sampled_from(["203.0.113.9", "203.0.113.10", "2001:db8::1", "2001:db8::2", "", None]),
    method=st.sampled_from(["GET", "POST"]),
    host=st.sampled_from(["shop.example", "SHOP.example:8080"]),
    path=st.sampled_from(["/", "/login", "/a b"]),
    query=st.sampled_from(["", "q=1", "q=1&q=2", "id=1' UNION SELECT password FROM users--"]),
    headers=st.sampled_from(
        [
            SHOWN,
            [*SHOWN, ("x-key", "k"), ("cookie", "a=1")],
            [*SHOWN, ("x-key", "k"), ("x-key", "other")],
            [("user-agent", "curl/8.5.0")],
            [],
        ]
    ),
)  # fmt: skip
GIVEN = st.fixed_dictionaries(
    {"email": st.sampled_from(["a@shop.example", "a@mailinator.com", "a@gmail.com", "no", None])},
    optional={
        "requested": st.integers(-1, 3),
        "characteristics": st.sampled_from([{"userId": "7"}, {"userId": 8}, {}]),
    },
)
STEPS = st.lists(
    st.tuples(REQUEST, GIVEN, st.sampled_from([0, 0, 0.5, 2, 20, 61]), st.booleans()), min_size=1, max_size=8
)


def shown(decision: Decision) -> dict[str, Any]:
    """All of a decision but its id, and by whom it was made."""
    return {
        "conclusion": decision.conclusion,
        "status": decision.status,
        "headers": decision.headers,
        "ttl": decision.ttl,
        "dry run": decision.dry_run,
        "why": decision.reason.explain(),
        "reason": decision.reason.to_wire(),
        "results": [result.to_dict() for result in decision.results],
        "ip": decision.ip.address,
    }


class Blocking:
    """A client that blocks."""

    def __init__(self, rules: list[Any], **options: Any) -> None:
        self.aj: Any = Doorward(rules, **options)

    def ask(self, ask: Callable[[], Any]) -> Any:
        return ask()

    def refund(self, decision: Decision) -> None:
        self.ask(decision.refund)
        if self.aj.runtime.service is not None:
            assert self.aj.runtime.service.flush(30.0)

    def close(self) -> None:
        self.aj.close()


class Awaiting(Blocking):
    """A client that awaits."""

    def __init__(self, rules: list[Any], **options: Any) -> None:
        self.aj = AsyncDoorward(rules, **options)
        self._runner = asyncio.Runner()

    def ask(self, ask: Callable[[], Any]) -> Any:
        async def awaited() -> Any:
            return await ask()

        return self._runner.run(awaited())

    def close(self) -> None:
        self.ask(self.aj.aclose)
        self._runner.close()


@pytest.mark.parametrize("kind", [Blocking, Awaiting], ids=["blocking", "awaiting"])
@settings(
    max_examples=max(15, settings.default.max_examples // 4),
    phases=[phase for phase in Phase if phase is not Phase.explain],  # explaining a failure takes minutes
)
@given(rules=st.lists(RULES, min_size=1, max_size=5), steps=STEPS)
def test_decisions_are_the_same(
    _deciding: DecidingService, kind: type[Blocking], rules: list[Any], steps: list[Any]
) -> None:
    """Conclusion, reason, every rule's result, status, headers and dry run; through pauses and refunds."""
    site = _deciding.for_application()
    clock = _deciding.clock
    # A store that is given as an object: refusals are believed as long as with a service.
    alone = kind(rules, clock=clock, store=MemoryStore(clock=clock), proxies=())
    remote = kind(rules, proxies=(), **site.options)
    try:
        for request, given_, pause, refunds in steps:
            decisions = [
                each.ask(lambda each=each: each.aj.protect(RequestContext(**request), **given_))
                for each in (alone, remote)
            ]
            assert shown(decisions[1]) == shown(decisions[0])
            if refunds:
                alone.refund(decisions[0])
                remote.refund(decisions[1])
            clock.advance(pause)
    finally:
        remote.close()
        alone.close()


@pytest.mark.parametrize("kind", [RawWsgi, RawAsgi], ids=["wsgi", "asgi"])
@settings(
    max_examples=max(10, settings.default.max_examples // 6),
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
@given(rules=st.lists(RULES, min_size=1, max_size=4), steps=STEPS)
def test_applications_answer_the_same(
    _deciding: DecidingService, kind: type[WsgiDriver | AsgiDriver], rules: list[Any], steps: list[Any]
) -> None:
    """Middleware and handler: status, all header lines, and the body but for the decision's id."""
    site = _deciding.for_application()
    clock = _deciding.clock
    with (
        kind(Setup(rules=rules, options={"clock": clock, "store": MemoryStore(clock=clock)})) as alone,
        kind(Setup(rules=rules, options=site.options)) as remote,
    ):
        for request, given_, pause, handled in steps:
            target = f"/handler?email={given_['email'] or 'none'}" if handled else f"/echo?{request['query']}"
            more = {"method": request["method"] if not handled else "GET", "peer": request["peer"]}
            replies = [
                app.request(target.replace(" ", "%20"), headers=[*request["headers"]], **more)
                for app in (alone, remote)
            ]
            told = [(reply.status, reply.error, without_ids(reply)) for reply in replies]
            assert told[1] == told[0]
            clock.advance(pause)


def without_ids(reply: Any) -> Any:
    lines = [(name, value) for name, value in reply.lines if name != "content-length"]
    try:
        body = reply.json()
    except ValueError:
        return lines, reply.body
    return lines, {name: value for name, value in body.items() if name not in ("id", "instance")}
