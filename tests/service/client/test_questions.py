"""Whatever a visitor sends and rules find, what the service is asked and told is a message that it takes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from doorward import Conclusion, Decision, Doorward, RequestContext, RuleReason, shield, sliding_window, validate_email
from doorward.reason import ErrorReason
from doorward.rules.base import Outcome, Phase, Rule, View
from doorward.service.client.transport import Call, Reply
from doorward.service.messages import DecideRequest, ReportRequest
from doorward.testing import ScriptedService

LARGEST = 131_072
few = settings(max_examples=max(20, settings.default.max_examples // 3))
ODD = st.one_of(
    st.text(max_size=50),
    st.text(st.characters(categories=["Cs", "Cc", "Lo", "So"]), max_size=30),
    st.sampled_from(["\ud800", "\udc00\ud800", "a\0b", "\U0001f600", "'", "%", "..", "\u2028"]).map(
        lambda c: c * 7_000
    ),
)
HEADER = st.tuples(st.sampled_from(["user-agent", "host", "cookie", "x-key", "authorization"]), ODD)
EVERYTHING = ["userId", 'http.request.headers["x-key"]', 'http.request.cookie["a"]', 'http.request.uri.args["q"]']


class Listening(ScriptedService):
    """Keeps the bytes of what was sent."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.bodies: list[tuple[str, bytes]] = []

    def send(self, call: Call) -> Reply:
        self.bodies.append((call.path.rpartition("/")[2], call.body))
        return super().send(call)

    def sent(self, method: str) -> list[bytes]:
        return [body for name, body in self.bodies if name == method]


@dataclass(frozen=True, kw_only=True)
class Own(Rule):
    """A rule of the application's own, that says what it is told to."""

    kind: ClassVar[str] = "OWN"
    phase: ClassVar[Phase] = Phase.LOCAL

    conclusion: Conclusion = Conclusion.ALLOW
    reason: Any = field(default=None, compare=False)
    ttl: Any = 0
    note: str = ""

    def evaluate(self, view: View) -> Outcome:
        if isinstance(self.reason, Exception):
            raise self.reason
        return Outcome(self.conclusion, self.reason, ttl=self.ttl, note=self.note)


class OddReason(RuleReason):
    """Writes things out that JSON does not know."""

    def to_wire(self) -> Any:
        return {"rule": object(), "weight": float("nan"), "deep": [[[[[[[["x"]]]]]]]], 1: 10**5_000, "\ud800": {1, 2}}


def asked_by(rules: list[Any], request: RequestContext, **given: Any) -> tuple[Listening, Decision]:
    """What the client of these rules sends about a request, and what it decides."""
    service = Listening()
    aj = Doorward(rules, service="https://service.example", key="test", transport=service)
    decision = aj.protect(request, **given)
    aj.close()
    assert "error.decision" not in str(aj.health())
    return service, decision


def check(service: Listening) -> None:
    """All that was sent are messages of bounded size."""
    for body in service.sent("Decide"):
        assert len(body) <= LARGEST
        DecideRequest.model_validate_json(body)
    for body in service.sent("Report"):
        assert len(body) <= LARGEST
        ReportRequest.model_validate_json(body)


@few
@given(
    st.builds(
        RequestContext,
        method=ODD,
        scheme=ODD,
        host=st.none() | ODD,
        path=ODD,
        query=ODD,
        headers=st.lists(HEADER, max_size=5),
        peer=st.sampled_from(["203.0.113.9", "", None, "nobody", "\ud800"]),
        body=st.binary(max_size=50),
    ),
    ODD,
    ODD,
    st.integers(),
)
def test_any_request_makes_a_question_that_the_service_takes(
    request: RequestContext, email: str, user: str, requested: int
) -> None:
    """Lone surrogates, control characters, long paths, hosts, methods and agents; also as a report."""
    rules = [
        shield(),
        validate_email(deny=["NO_MX_RECORDS"]),
        sliding_window(max=10, interval="1m", characteristics=EVERYTHING),
        sliding_window(max=10, interval="1m", name="by-path", characteristics=["http.request.uri.path", "http.host"]),
    ]
    service, _ = asked_by(rules, request, email=email, characteristics={"userId": user}, requested=requested)
    assert service.bodies
    check(service)


def test_a_megabyte_is_cut() -> None:
    """Of a path, a host, an agent, a method, a scheme: the question stays small."""
    long = "\U0001f600" * 1_000_000
    request = RequestContext(
        method=long, scheme=long, host=long, path=long, query=long, headers=[("user-agent", long), ("cookie", long)]
    )
    service, _ = asked_by([sliding_window(max=1, interval="1m"), shield(mode="DRY_RUN")], request, email=long)
    assert len(service.sent("Decide")) == 1
    check(service)


@few
@given(
    st.sampled_from(list(Conclusion)),
    st.one_of(
        st.builds(RuleReason, ODD, ODD, st.floats(), st.floats()),
        st.builds(ErrorReason, ODD),
        st.just(OddReason("odd")),
        st.builds(ValueError, ODD),
    ),
    st.integers(-5, 2**70) | st.floats(),
    ODD,
)
def test_any_result_of_the_applications_own_rules_can_be_told(
    conclusion: Conclusion, reason: Any, ttl: float, note: str
) -> None:
    """Whatever they say: in the question, where they let the request go on, or in the report."""
    own = Own(name="own", conclusion=conclusion, reason=reason, ttl=ttl, note=note)
    service, decision = asked_by([own, sliding_window(max=1, interval="1m")], RequestContext(peer="203.0.113.9"))
    assert decision.is_denied() or decision.id.startswith("req_")
    assert len(service.bodies) == 1
    check(service)


def test_rules_with_long_names_can_be_asked_about() -> None:
    """Names at their longest, of rules and of what they count by; counted by the right values all the same."""
    headers = [f'http.request.headers["x-{letter * 90}"]' for letter in "abcdef"]
    rules = [sliding_window(max=3, interval="1m", name="n" * 100, characteristics=headers) for _ in range(3)]
    service, decision = asked_by(rules, RequestContext(peer="203.0.113.9", headers=[("x-" + "a" * 90, "secret")]))
    check(service)
    assert decision.id.startswith("req_")
    (question,) = service.asked
    (names,) = {tuple(rule["rateLimit"]["characteristics"]) for rule in question["rules"]}
    assert set(question["details"]["fingerprints"]) == {",".join(names)}


def test_many_results_are_told_as_far_as_there_is_room() -> None:
    """An application may have more rules than a message takes results."""
    rules = [Own(name=f"own-{number}", reason=RuleReason("own")) for number in range(150)]
    service, decision = asked_by([*rules, sliding_window(max=1, interval="1m")], RequestContext(peer="203.0.113.9"))
    check(service)
    assert decision.id.startswith("req_")


def test_nothing_secret_is_sent() -> None:
    """Header values, cookies, query, body, characteristics, and what errors quote: in no byte of question or report.

    The address, the path, the host and the ``User-Agent`` are sent.
    """
    secrets = {part: f"topsecret{part}" for part in ("header", "cookie", "query", "body", "user", "fault", "name")}
    attack = f"1' UNION SELECT {secrets['query']} FROM users--"
    request = RequestContext(
        path="/public-path",
        host="public.example",
        query=f"q={attack}&{secrets['name']}={attack}",
        headers=[
            ("user-agent", "public-agent"),
            ("x-key", secrets["header"]),
            ("authorization", f"Bearer {secrets['header']}"),
            ("cookie", f"a={secrets['cookie']}"),
            ("content-type", "application/x-www-form-urlencoded"),
        ],
        peer="203.0.113.9",
        body=f"field={secrets['body']}' OR 1=1--".encode(),
    )
    limit = sliding_window(max=10, interval="1m", characteristics=EVERYTHING)
    fault = Own(name="fault", reason=ValueError(f"invalid literal: {secrets['fault']!r}"))
    dry = shield(mode="DRY_RUN")
    question, _ = asked_by([dry, fault, limit], request, characteristics={"userId": secrets["user"]})
    report, denied = asked_by([fault, shield(), limit], request, characteristics={"userId": secrets["user"]})
    assert denied.is_denied()
    (asked,), (told,) = question.sent("Decide"), report.sent("Report")
    for body in (asked, told):
        text = body.decode().lower()
        for known in ("public-path", "public.example", "public-agent", "203.0.113.9", "valueerror"):
            assert known in text
        assert "topsecret" not in text
        for secret in secrets.values():
            assert secret[:6] not in text
    assert json.loads(told)["decision"]["reason"]["shield"]["findings"]


def test_doorwards_own_errors_are_told_in_full() -> None:
    """They quote nothing of the request."""
    rule = validate_email(deny=["DISPOSABLE"], name="email")
    service, _ = asked_by([rule, sliding_window(max=1, interval="1m")], RequestContext(peer="203.0.113.9"))
    (result,) = [each for each in service.asked[0]["localResults"] if each["rule"] == "email"]
    assert result["reason"]["error"]["message"] == "ValueError"
