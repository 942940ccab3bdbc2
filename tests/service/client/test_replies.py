"""Whatever bytes the service answers, the client has an answer or a ServiceError, and the application its decision."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward import Conclusion, Decision, Doorward, RequestContext, sliding_window, token_bucket, validate_email
from doorward.errors import ServiceError
from doorward.service.client.replies import reading
from doorward.service.client.transport import Call, Reply
from doorward.testing import FakeClock

EMAIL = validate_email(deny=["NO_MX_RECORDS"], name="email")
LIMIT = sliding_window(max=5, interval="1m", name="limit")
RULES = [LIMIT, EMAIL]
LIMIT_RESULT = {
    "rule": "limit", "ruleId": "x", "state": "RULE_STATE_RUN", "conclusion": "CONCLUSION_ALLOW", "ttl": 0,
    "fingerprint": "fp::3::x", "note": "",
    "reason": {"rateLimit": {"max": 5, "remaining": 4, "resetInSeconds": 60, "windowInSeconds": 60,
                             "resetSeconds": 60.0, "charges": ["sealed"]}},
}  # fmt: skip
EMAIL_RESULT = {
    "rule": "email", "state": "RULE_STATE_RUN", "conclusion": "CONCLUSION_ALLOW",
    "reason": {"email": {"emailTypes": [], "detail": ""}},
}  # fmt: skip
REFUSAL = {
    "rule": "ban", "state": "RULE_STATE_RUN", "conclusion": "CONCLUSION_DENY", "ttl": 60,
    "reason": {"rule": {"rule": "ban", "message": "banned", "weight": 1.0, "retrySeconds": 60.0}},
}  # fmt: skip
VALID = {
    "decision": {
        "id": "req_01hzzzzzzzzzzzzzzzzzzzzzzz", "conclusion": "CONCLUSION_ALLOW",
        "reason": {"rateLimit": {"max": 5, "remaining": 4}},
        "ruleResults": [LIMIT_RESULT, EMAIL_RESULT], "ttl": 0,
    }
}  # fmt: skip
ODD: list[Any] = [
    None, True, 0, -1, 1, 2**31, 2**32 - 1, 2**32, 10**400, 0.5, -0.5, 1e308, -1e308, math.nan, math.inf, -math.inf, "",
    "x", "\0", "\x1b[31m\r\nSet-Cookie: a=b", "\u202e", "x" * 300, "x" * 10_000, [], {}, [[]], [None], ["x"] * 1_001,
    {"": {}}, "CONCLUSION_DENY", "CONCLUSION_CHALLENGE", "CONCLUSION_ERROR", "CONCLUSION_ALLOW", "RULE_STATE_NOT_RUN",
    LIMIT_RESULT, EMAIL_RESULT, REFUSAL, [LIMIT_RESULT] * 2, [EMAIL_RESULT] * 2, [LIMIT_RESULT] * 10_000,
    {"rateLimit": {}}, {"botV2": {}}, {"shield": {}}, {"rule": {}}, {"error": {}}, {"email": {}}, {"filter": {}},
    {"challenge": {}}, {"rateLimit": {}, "email": {}},
]  # fmt: skip


class Saying:
    """A transport that answers these bytes."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def send(self, call: Call) -> Reply:
        return Reply(200, "application/json", b"{}" if call.path.endswith("Report") else self.body)

    async def asend(self, call: Call) -> Reply:
        return self.send(call)


def decided(body: bytes, rules: Any = (LIMIT, EMAIL), **more: Any) -> tuple[Decision, Doorward]:
    """What a client makes of an answer; it has decided, and not by accident."""
    aj = Doorward(
        list(rules), service="https://service.example", key="test", transport=Saying(body), clock=FakeClock(), **more
    )
    request = RequestContext(peer="203.0.113.9", path="/signup")
    first = aj.protect(request, email="a@shop.example")
    again = aj.protect(request, email="a@shop.example")
    for decision in (first, again):
        assert decision.status in (200, 400, 403, 429, 503)
        assert decision.explain().replace("\n", "").isprintable()
        assert json.loads(decision.to_json())["conclusion"] == f"CONCLUSION_{decision.conclusion}"
        check_headers(decision)
    aj.close()
    return first, aj


def check_headers(decision: Decision) -> None:
    """Headers that a server may send, and a client of the application make sense of."""
    for value in decision.headers.values():
        assert value.isascii()
        assert value.isprintable()
        assert len(value) < 200
    assert 0 <= int(decision.headers.get("Retry-After", "0")) < 2**32


def places(message: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something could be another thing."""
    items = message.items() if isinstance(message, dict) else enumerate(message) if isinstance(message, list) else ()
    return [path, *[place for key, value in items for place in places(value, (*path, key))]] if path or items else []


PLACES = places({"decision": {**VALID["decision"], "refusal": REFUSAL}})


def changed(message: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The message with something else in a place; taken out where that is None."""
    message = copy.deepcopy(message)
    at = message
    for key in place[:-1]:
        at = at[key]
    if not place:
        return value
    at[place[-1]] = value
    return message


few = settings(max_examples=max(30, settings.default.max_examples // 3))
MUTATIONS = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=3)


@few
@given(MUTATIONS, st.booleans())
def test_any_mutation_of_an_answer_is_an_answer_or_none(mutations: list[Any], refusing: bool) -> None:
    """The application gets a decision by its rules, with headers that can be sent, and no error of ours is hidden.

    (Errors that are swallowed fail the test: tests/conftest.py.)
    """
    message: Any = copy.deepcopy(VALID)
    if refusing:
        message["decision"]["refusal"] = REFUSAL
    for place, value in mutations:
        try:
            message = changed(message, place, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier one has taken the place away
    decided(json.dumps(message).encode())


@few
@given(
    st.binary(max_size=200)
    | st.builds(lambda at, cut: at[:cut], st.just(json.dumps(VALID).encode()), st.integers(0, 600))
)
def test_any_bytes_are_no_answer(body: bytes) -> None:
    """Random ones, and an answer that ends too early: limits go on locally."""
    decision, aj = decided(body)
    if body != json.dumps(VALID).encode():
        assert decision.id.startswith("lreq_")
        health: Any = aj.health()
        assert health["service"]["failures"] == 2


@given(MUTATIONS)
def test_nothing_but_a_service_error_is_raised(mutations: list[Any]) -> None:
    """By what reads the answer."""
    message: Any = copy.deepcopy(VALID)
    for place, value in mutations:
        try:
            message = changed(message, place, value)
        except (KeyError, IndexError, TypeError):
            continue
    try:
        answer = reading(1, 1)(json.dumps(message).encode())
    except ServiceError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 400
    else:
        assert 1 <= len(answer.id) <= 64


def test_the_valid_one_is_one() -> None:
    """The mutations above begin with an answer that is understood."""
    decision, aj = decided(json.dumps(VALID).encode())
    assert (decision.id, decision.conclusion) == (VALID["decision"]["id"], Conclusion.ALLOW)
    assert aj.health()["service"]["failures"] == 0  # type: ignore[index]


@pytest.mark.parametrize("count", [0, 1, 3, 10_000])
def test_as_many_results_as_questions(count: int) -> None:
    """Fewer, more, and ten thousand are none."""
    message = changed(VALID, ("decision", "ruleResults"), [LIMIT_RESULT] * count)
    decision, _ = decided(json.dumps(message).encode())
    assert decision.id.startswith("lreq_")


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-Infinity", "-1", "1e308", "4294967296"])
def test_a_time_that_is_none_is_no_answer(seconds: str) -> None:
    """Of a limit: it goes on locally rather than by nonsense."""
    body = json.dumps(VALID).replace('"resetSeconds": 60.0', f'"resetSeconds": {seconds}').encode()
    assert seconds.encode() in body
    decision, _ = decided(body)
    assert decision.id.startswith("lreq_")


def test_a_bucket_that_takes_years_to_fill_is_counted_by_the_service() -> None:
    """Local buckets may take a century; the time until one is full is an answer's, however long."""
    years = 40 * 366 * 86_400.0
    bucket = token_bucket(capacity=40, refill_rate=1, interval="366d", name="years")
    fields = {"max": 40, "remaining": 39, "resetInSeconds": int(years), "windowInSeconds": 1, "resetSeconds": years}
    result = changed(LIMIT_RESULT, ("reason", "rateLimit"), fields)
    decision, _ = decided(json.dumps(changed(VALID, ("decision", "ruleResults"), [result])).encode(), [bucket])
    assert decision.id == VALID["decision"]["id"]


@pytest.mark.parametrize("kind", ["rateLimit", "shield", "botV2"])
def test_a_reason_of_another_kind_is_an_error_of_the_rule(kind: str) -> None:
    """What an e-mail rule came to is no limit's business, nor the other way round."""
    wrong = changed(EMAIL_RESULT, ("reason",), {kind: {"max": 0} if kind == "rateLimit" else {}})
    decision, _ = decided(json.dumps(changed(VALID, ("decision", "ruleResults", 1), wrong)).encode())
    email = next(result for result in decision.results if result.rule == "email")
    assert (email.conclusion, decision.conclusion) == (Conclusion.ERROR, Conclusion.ERROR)


def test_no_ttl_is_believed_for_ever() -> None:
    """A refusal of the service's own for 136 years is one for 366 days, and asked about again within seconds."""
    message = changed(VALID, ("decision", "refusal"), {**REFUSAL, "ttl": 2**32 - 1})
    decision, _ = decided(json.dumps(message).encode())
    assert int(decision.headers["Retry-After"]) <= 366 * 86_400
