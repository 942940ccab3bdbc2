"""``explain`` says what happens: its decision is that of the real client and of real middleware, rule by rule."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward import (
    AsyncDoorward,
    Conclusion,
    Doorward,
    RequestContext,
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
from doorward.effects import DnsAnswer, DnsKind
from doorward.explaining.explanation import Explanation, explain
from doorward.explaining.request import asked_request
from doorward.progress import NOT_GIVEN, Inputs
from doorward.progress import given as inputs_of
from doorward.testing import FakeClock, ScriptedResolver
from doorward.wsgi import DoorwardMiddleware

NOW = FakeClock().now_ns()
BROWSER = ("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept-Language: en")
RULES: dict[str, Any] = {
    "allow": lambda mode: allow(paths=["/hooks/*"], mode=mode),
    "allow-all": lambda mode: allow(ip="198.51.100.0/24", ends=["BOT", "RATE_LIMIT", "SHIELD", "FILTER"], mode=mode),
    "deny": lambda mode: deny(paths=["/internal/*"], mode=mode),
    "deny-where": lambda mode: deny(where='http.request.method eq "DELETE"', mode=mode),
    "light": lambda mode: weigh(3, paths=["/hooks/*", "/a"], mode=mode),
    "heavy": lambda mode: weigh(8, where='http.request.uri.args["q"] contains "x"', mode=mode),
    "filter": lambda mode: filter_request(deny=['http.request.headers["x-a"] contains "evil"'], mode=mode),
    "filter-own": lambda mode: filter_request(deny=['local.plan eq "free"'], mode=mode),
    "bots": lambda mode: detect_bot(allow=["CATEGORY:SEARCH_ENGINE"], mode=mode),
    "bots-deny": lambda mode: detect_bot(deny=["CURL"], mode=mode),
    "email": lambda mode: validate_email(deny=["DISPOSABLE", "INVALID"], mode=mode),
    "email-mx": lambda mode: validate_email(deny=["NO_MX_RECORDS"], mode=mode),
    "shield": lambda mode: shield(mode=mode),
    "shield-after": lambda mode: shield(when="after", mode=mode),
    "signup": lambda mode: protect_signup(mode=mode, paths=["/a"]),
    "fixed": lambda mode: fixed_window(max=2, window=60, mode=mode),
    "sliding": lambda mode: sliding_window(max=3, interval=60, characteristics=["userId"], mode=mode),
    "bucket": lambda mode: token_bucket(refill_rate=1, interval=60, capacity=2, mode=mode),
    "dynamic": lambda mode: rate_limit(lambda request: "1/minute" if request.path == "/a" else None, mode=mode),
    "header": lambda mode: sliding_window(
        max=1, interval=60, characteristics=['http.request.headers["x-a"]'], paths=["/a"], mode=mode
    ),
}
REQUESTS = st.fixed_dictionaries(
    {
        "url": st.sampled_from(
            ["/a", "/a?q=x", "/hooks/1?q=1%27+or+%271%27=%271", "/internal/x", "/health", "/b?q=%27"]
        ),
        "method": st.sampled_from(["GET", "POST", "DELETE"]),
        "headers": st.lists(
            st.sampled_from([*BROWSER, "User-Agent: curl/8", "User-Agent: Googlebot/2.1", "X-A: evil", "X-A: 1"]),
            max_size=3,
            unique_by=lambda line: line.partition(":")[0],
        ),
        "peer": st.sampled_from(["203.0.113.7", "198.51.100.9", "66.249.66.1", "10.0.0.1"]),
        "body": st.sampled_from([None, b"a=1", b"a=<script>alert(1)</script>"]),
    }
)
INPUTS = st.tuples(
    st.sampled_from([NOT_GIVEN, "a@shop.example", "a@", "a@mailinator.com"]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([{}, {"userId": "42"}, {"plan": "free"}, {"userId": "7", "plan": "paid"}]),
)
SETS = st.lists(st.tuples(st.sampled_from(sorted(RULES)), st.sampled_from(["LIVE", "DRY_RUN"])), max_size=5)
DNS = {
    ("shop.example", "MX"): ["mx.shop.example"],
    ("1.66.249.66.in-addr.arpa", "PTR"): ["crawl-66-249-66-1.googlebot.com"],
    ("crawl-66-249-66-1.googlebot.com", "A"): ["66.249.66.1"],
}


@cache
def built(name: str, mode: str) -> Any:
    """Rules hold no state, and some take a while to build."""
    return RULES[name](mode)


def client(chosen: Any, **options: Any) -> Doorward:
    rules = [built(name, mode) for name, mode in chosen]
    limits = {"/hooks/*": "1/minute"} if len(chosen) % 2 else None
    fresh = {"clock": FakeClock(), "thresholds": {"CHALLENGE": 5, "DENY": 10}, "limits": limits}
    return Doorward(rules, **{**fresh, "resolver": ScriptedResolver(DNS), **options})


def told(decision: Any) -> Any:
    return (
        decision.conclusion,
        decision.reason,
        [(result.rule, result.state, result.conclusion, result.reason, result.note) for result in decision.results],
        decision.dry_run,
        decision.status,
        decision.headers,
        decision.ip.address,
    )


@given(SETS, REQUESTS, INPUTS, st.integers(1, 4))
def test_the_decision_is_that_of_protect(chosen: Any, asked: Any, given_: Any, times: int) -> None:
    """For any rules and requests, with the network; and each step says what the decision's result says."""
    email, requested, own = given_
    aj = client(chosen)
    request = asked_request(**asked)
    inputs = Inputs(inputs_of(email), own, requested)
    explained = explain(aj, request, inputs, now_ns=NOW, times=times, online=True)
    for _ in range(times):
        real = aj.protect(request, email=email, requested=requested, characteristics=own)
    assert told(explained.decision) == told(real)
    steps = {step.name: step for step in explained.steps}
    assert sorted(steps) == sorted(result.rule for result in real.results)
    for result in real.results:
        step = steps[result.rule]
        assert step.state is result.state or (result.state is State.NOT_RUN and "shield" in step.name)
        if result.state is not State.NOT_RUN:
            assert (step.conclusion, step.why) == (result.conclusion, result.reason.explain())
        assert step.why
    assert explained.stretches[-1].last == times
    assert explained.stretches[-1].conclusion is real.conclusion


@given(SETS, REQUESTS)
def test_the_decision_is_that_of_middleware(chosen: Any, asked: Any) -> None:
    """A real middleware answers the request with the same status, headers and kind of body."""
    aj = client(chosen)
    request = asked_request(**asked)
    explained = explain(aj, request, Inputs({}, {}), now_ns=NOW, handler=False, online=True)
    environ = environ_of(request, asked["body"] or b"")
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answered.update(status=int(status[:3]), headers=dict(headers))

    def application(_: Any, start: Any) -> list[bytes]:
        start("204 No Content", [])
        return []

    answer: Any = DoorwardMiddleware(application, aj)(environ, start_response)
    list(answer)
    getattr(answer, "close", lambda: None)()
    if explained.decision.is_allowed():
        assert answered["status"] == 204
    else:
        assert answered["status"] == explained.decision.status
        assert set(explained.answer.items()) <= set(answered["headers"].items())


def environ_of(request: RequestContext, body: bytes) -> dict[str, Any]:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers}
    own = {"CONTENT_LENGTH": headers.pop("HTTP_CONTENT_LENGTH", "")}
    return {
        **headers,
        **own,
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "REMOTE_ADDR": request.peer,
        "RAW_URI": request.raw_path,
        "SERVER_NAME": "testserver",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(body),
    }


# --- what it says about each rule


def explained(rules: list[Any], url: str = "/a", **more: Any) -> Explanation:
    options = more.pop("options", {})
    handler = more.pop("handler", True)
    inputs = Inputs(inputs_of(more.pop("email", NOT_GIVEN)), more.pop("own", {}), more.pop("requested", None))
    times, online = more.pop("times", 1), more.pop("online", False)
    aj = Doorward(rules, **{"clock": FakeClock(), **options})
    request = asked_request(url, **{"peer": "203.0.113.7", "headers": BROWSER, **more})
    return explain(aj, request, inputs, now_ns=NOW, handler=handler, times=times, online=online)


def detail(explanation: Explanation, rule: str, label: str) -> list[str]:
    step = next(step for step in explanation.steps if step.name == rule)
    return [value for name, value in step.details if name == label]


def why(explanation: Explanation, rule: str) -> str:
    return next(step.why for step in explanation.steps if step.name == rule)


def test_limits_say_their_figures_and_whom_they_count() -> None:
    limit = sliding_window(max=5, interval="10m", characteristics=["userId", 'http.request.headers["x-key"]'])
    found = explained([limit], own={"userId": 42}, headers=[*BROWSER, "X-Key: a", "X-Key: b"])
    name = "sliding_window"
    assert detail(found, name, "limit") == ["sliding_window, max 5 in 600 s"]
    assert detail(found, name, "remaining") == ["4 of 5"]
    assert detail(found, name, "reset") == ["in 600 s"]
    assert detail(found, name, "counted by") == [
        'http.request.headers["x-key"] = a, b (sent several times: counted as each)',
        "userId = 42",
    ]
    without = explained([limit])
    assert detail(without, name, "counted by")[1] == "userId = 203.0.113.7 (not given: counted by address)"


def test_the_nth_of_several_is_explained() -> None:
    found = explained([fixed_window(max=3, window="1h")], times=5)
    assert [tuple(stretch) for stretch in found.stretches] == [
        (1, 3, Conclusion.ALLOW, ""),
        (4, 5, Conclusion.DENY, "fixed_window"),
    ]
    assert found.by == "fixed_window"
    assert found.steps[0].state is State.CACHED
    assert found.answer["Retry-After"] == "3600"


def test_why_a_rule_is_not_asked() -> None:
    rules: list[Any] = [
        allow(paths=["/a"], name="let in"),
        detect_bot(allow=[]),
        sliding_window(max=9, interval=60, methods=["POST"], name="posts"),
        validate_email(deny=["INVALID"]),
        sliding_window(max=9, interval=60, characteristics=["userId"], name="user"),
        filter_request(deny=['local.plan eq "free"']),
        rate_limit(lambda _, own: None, name="plan"),
    ]
    found = explained(rules, handler=False, headers=["User-Agent: curl/8"])
    assert why(found, "bot") == "an allow rule matched"
    assert why(found, "posts") == "not for this path or method"
    assert "middleware has no email=" in why(found, "email")
    assert "middleware has no userId" in why(found, "user")
    assert "middleware has no plan" in why(found, "filter")
    assert "characteristics=" in why(found, "plan")
    denied = explained([deny(paths=["/a"]), shield(), *rules[2:3]], method="POST")
    assert why(denied, "shield") == "deny has refused already"
    assert denied.by == "deny"


def test_an_offline_rule_says_so_and_an_online_one_asks() -> None:
    rules: list[Any] = [validate_email(deny=["NO_MX_RECORDS"])]
    resolver = ScriptedResolver(DNS)
    offline = explained(rules, email="a@shop.example", options={"resolver": resolver})
    assert "offline" in why(offline, "email")
    assert offline.decision.is_errored()
    assert not resolver.asked
    online = explained(rules, email="a@shop.example", options={"resolver": resolver}, online=True)
    assert online.decision.conclusion is Conclusion.ALLOW
    assert resolver.asked == [("shop.example", "MX")]


def test_a_web_server_is_not_asked_offline() -> None:
    """Not the avatar server either: the question would leave the host."""
    found = explained([validate_email(deny=["NO_GRAVATAR"], gravatar="http://127.0.0.1:9/a")], email="a@shop.example")
    assert "offline" in why(found, "email")


def test_an_asynchronous_resolver_is_awaited() -> None:
    class Awaited:
        async def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (the protocol's)
            return DnsAnswer(True, ("mx.shop.example",))

    aj = AsyncDoorward([validate_email(deny=["NO_MX_RECORDS"])], resolver=Awaited())
    request = asked_request("/a", peer="203.0.113.7")
    inputs = Inputs({"email": "a@shop.example"}, {})
    assert explain(aj, request, inputs, now_ns=NOW, online=True).decision.conclusion is Conclusion.ALLOW
    assert explain(aj, request, inputs, now_ns=NOW).decision.is_errored()


def test_the_shield_shows_the_place_and_the_value() -> None:
    found = explained([shield()], "/a?q=1%27+or+%271%27=%271")
    assert found.decision.is_denied()
    assert any("in query q" in text and text.startswith("1 ") for text in detail(found, "shield", "finding"))
    assert detail(found, "shield", "value")[0] == "1' or '1'='1"
    form = explained([shield()], body=b"q=1'+or+'1'='1", headers=["Content-Type: application/x-www-form-urlencoded"])
    assert "masked" in detail(form, "shield", "value")[0]


def test_expressions_show_what_they_read() -> None:
    header = 'http.request.headers["x-a"]'
    rule = filter_request(deny=[f'{header} contains "evil" or lower(local.plan) eq "free" or ip.src.city eq "X"'])
    found = explained([rule], own={"plan": "Paid"})
    assert detail(found, "filter", "reads") == [
        'http.request.headers["x-a"] = nothing: it is not there',
        "local.plan = Paid",
        "ip.src.city = nothing: it is not there",
    ]
    assert detail(found, "filter", "deny")[0].endswith("(cannot be told)")
    where = explained([deny(where='http.host eq "localhost"', ip=["203.0.113.0/24"])])
    assert detail(where, "deny", "ip") == ["203.0.113.0/24  (holds)"]
    assert detail(where, "deny", "reads") == ["http.host = localhost"]


def test_weights_and_thresholds() -> None:
    rules = [weigh(4, paths=["/a"]), weigh(7, paths=["/a"], mode="DRY_RUN")]
    found = explained(rules, options={"thresholds": {"CHALLENGE": 4, "DENY": 10}})
    assert (found.weight, found.dry_weight) == (4, 11)
    assert found.by == "weights"
    assert found.decision.dry_run == "weights"
    assert found.thresholds == [(10, Conclusion.DENY), (4, Conclusion.CHALLENGE)]


def test_what_is_looked_for_after_the_response_is_told_without_changing_the_decision() -> None:
    found = explained([shield(when="after")], "/a?q=1%27+or+%271%27=%271")
    assert found.decision.is_allowed()
    assert detail(found, "shield", "finding")


def test_nothing_of_the_client_is_touched() -> None:
    decisions: list[Any] = []
    aj = Doorward([sliding_window(max=1, interval=60)], clock=FakeClock(), on_decision=lambda *_: decisions.append(1))
    request = asked_request("/a", peer="203.0.113.7")
    assert explain(aj, request, Inputs({}, {}), now_ns=NOW, times=3).decision.is_denied()
    assert not decisions
    assert aj.protect(request).is_allowed()


def test_a_rule_of_the_applications_that_fails_is_told() -> None:
    def broken(_: Any) -> str:
        raise RuntimeError("no plan\x1b[2J")

    found = explained([rate_limit(broken, name="plan", on_error="deny")])
    assert found.decision.is_denied()
    assert found.by == "plan"
    assert "no plan" in why(found, "plan")
    assert detail(found, "plan", "details")[0].isprintable()


@pytest.mark.parametrize("mode", ["OFF", "DRY_RUN"])
def test_the_environment_counts(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORWARD_MODE", mode)
    found = explained([deny(paths=["/a"])])
    assert found.decision.is_allowed()
    assert any(mode in note for note in found.notes)
    assert (why(found, "deny") == "off: DOORWARD_MODE is OFF") is (mode == "OFF")
