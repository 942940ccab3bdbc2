"""Our client against our evaluator, through the codec: what one says, the other understands, whatever visitors do."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pytest
from tests.chaos.http_server import Chaos, echo
from tests.service.evaluate.asking import ATTACK, SHOP, Log

from doorward import AsyncDoorward, Doorward, RequestContext, shield, sliding_window, token_bucket, validate_email
from doorward.context import Body
from doorward.known_addresses import KnownAddresses
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.questions import without_body
from doorward.service.client.transport import Call, Reply
from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server import json_codec
from doorward.service.server.evaluation import Evaluator


class Wire:
    """The service without a network."""

    def __init__(self) -> None:
        self.evaluator = Evaluator("memory://", Log(), timeout=30.0)
        self.reports: list[ReportRequest] = []

    def send(self, call: Call) -> Reply:
        if call.path.endswith("/Report"):
            self.reports.append(json_codec.decode(ReportRequest, call.body))
            return Reply(200, "application/json", b"{}")
        return asyncio.run(self.asend(call))

    async def asend(self, call: Call) -> Reply:
        request = json_codec.decode(DecideRequest, call.body)
        answer = await self.evaluator.decide(SHOP, request, 30.0)
        return Reply(200, "application/json", json_codec.encode(answer))


def request(ip: str = "203.0.113.9", **fields: Any) -> RequestContext:
    return RequestContext(peer=ip, host="shop.example", **fields)


def options(wire: Wire) -> dict[str, Any]:
    return {"service": "http://service.example", "key": "key", "transport": wire, "timeout": 30.0}


def test_what_was_decided_without_the_service_is_reported() -> None:
    wire = Wire()
    with Doorward(rules=[shield()], **options(wire)) as aj:
        decision = aj.protect(request(path="/login", query=ATTACK, body=b"x" * 10_000))
    assert decision.is_denied()
    (report,) = wire.reports
    assert report.decision is not None
    assert (report.decision.id, report.decision.conclusion, report.details.path) == (decision.id, "DENY", "/login")
    assert report.decision.rule_results[0].reason.shield is not None


def test_reports_that_wait_do_not_hold_requests() -> None:
    """While the service is away, a thousand of them wait: not with the bodies."""
    asked = request(body=b"x", query="q=1")
    asked.hold(Body(b"x", complete=True))
    told = without_body(asked)
    assert (told.body, told.query, told.path) == (None, "", asked.path)


RULES = {
    "a bucket that fills for years": (token_bucket(refill_rate=1, interval="1d", capacity=1_000), {"requested": 700}),
    "many long characteristics": (
        sliding_window(
            max=5, interval="1m", characteristics=[f'http.request.headers["{"x" * 80}{n}"]' for n in "1234"]
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_the_service_is_understood(name: str) -> None:
    rule, asked = RULES[name]

    async def decided() -> Any:
        async with AsyncDoorward(rules=[rule], **options(Wire())) as aj:
            decision = await aj.protect(request(), **asked)
            return decision, aj.health()["service"]

    decision, service = asyncio.run(decided())
    assert decision.is_allowed()
    assert decision.id.startswith("req_")
    assert not decision.reason.degraded
    assert service["failures"] == 0


HOSTILE = ["\ud800", "\udfff", "\x00", "\x1b[31m", "\u202e", '"', "\\", "{" * 300, "[" * 300, "😀", "%ff", "A" * 9_000]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:8]))
@pytest.mark.parametrize("place", ["method", "host", "path", "query", "agent", "value", "email", "own"])
def test_no_visitor_makes_the_question_one_that_is_refused(place: str, text: str) -> None:
    """Refused, it would be decided as if the service were away: the visitor would be let in."""
    fields: dict[str, Any] = {"method": "POST", "path": "/", "query": ""}
    fields |= {place: text} if place in fields else {}
    agent, value = (text if place == name else "x" for name in ("agent", "value"))
    lines = [("user-agent", agent), ("x", value), ("x", text), ("cookie", f"a={text}")]
    asked = RequestContext(
        peer="203.0.113.9", host=text if place == "host" else "shop.example", headers=lines, **fields
    )
    names = ['http.request.headers["x"]', 'http.request.cookie["a"]', "http.host", "user"]
    rules = [
        shield(mode="DRY_RUN"),
        sliding_window(max=5, interval="1m", characteristics=names),
        validate_email(deny=["DISPOSABLE"], mode="DRY_RUN"),
    ]

    async def decided() -> Any:
        async with AsyncDoorward(rules=rules, **options(Wire())) as aj:
            email = text if place == "email" else "a@shop.example"
            return await aj.protect(asked, email=email, characteristics={"user": text if place == "own" else "u"})

    decision = asyncio.run(decided())
    assert decision.id.startswith("req_")
    assert decision.results[1].conclusion == "ALLOW"
    assert not decision.results[1].reason.degraded


def test_a_report_does_not_open_the_data_of_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes memory and a second of this process, and the service knows by itself."""
    asked: list[str] = []
    monkeypatch.setattr(KnownAddresses, "about", lambda _, ip: asked.append(ip))
    wire = Wire()
    with Doorward(rules=[shield()], **options(wire)) as aj:
        aj.protect(request(query=ATTACK))
    assert (len(wire.reports), asked) == (1, [])


def test_nothing_that_the_visitor_wrote_is_told() -> None:
    sent: list[bytes] = []

    class Listening(Wire):
        def send(self, call: Call) -> Reply:
            sent.append(call.body)
            return super().send(call)

    rules = [shield(mode="DRY_RUN"), sliding_window(max=5, interval="1m")]
    with Doorward(rules=rules, **options(Listening())) as aj:
        aj.protect(request(query="visitors_own=1' UNION SELECT secret FROM users--"))
        aj.protect(request(query="visitors_own=1' UNION SELECT secret FROM users--"), requested=1)
    with Doorward(rules=[shield()], **options(Listening())) as aj:
        assert aj.protect(request(query="visitors_own=1' UNION SELECT secret FROM users--")).is_denied()
    assert len(sent) >= 2
    assert not any(word in body for body in sent for word in (b"visitors_own", b"secret", b"excerpt"))


def test_an_attack_that_was_reported_is_not_called_nothing() -> None:
    wire = Wire()
    with Doorward(rules=[shield()], **options(wire)) as aj:
        aj.protect(request(query=ATTACK))
    asyncio.run(wire.evaluator.report(SHOP, wire.reports[0]))
    log: Any = wire.evaluator._log
    assert [record.why for record in log] == ["an attack"]


@pytest.mark.parametrize("name", ["req_1 conclusion=ALLOW", 'req_"1', "req_1\n", ""])
def test_an_id_that_could_pass_for_more(name: str) -> None:
    class Lying(Wire):
        async def asend(self, call: Call) -> Reply:
            reply = await super().asend(call)
            answer = json.loads(reply.body)
            answer["decision"]["id"] = name
            return reply._replace(body=json.dumps(answer).encode())

    with Doorward(rules=[sliding_window(max=5, interval="1m")], **options(Lying())) as aj:
        decision = aj.protect(request())
    assert decision.id.startswith("lreq_")


def test_event_loops_go_when_they_are_over() -> None:
    """Frameworks that are not asynchronous make a loop for each request that needs one."""
    with Chaos(echo) as chaos:
        transport = HttpTransport(chaos.url, "key")
        loops = []
        for _ in range(5):
            loop = asyncio.new_event_loop()
            loop.run_until_complete(transport.asend(Call("/", b"{}", 10.0)))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
            loops.append(weakref.ref(loop))
            del loop
        transport.close()
    gc.collect()
    assert sum(loop() is not None for loop in loops) <= 1
