"""Rate limits as they are written: builders, rule ids, and limits chosen for each request."""

from __future__ import annotations

import functools
import hashlib
from datetime import timedelta

import pytest
from tests.unit.walking import request

from doorward import (
    ConfigurationError,
    Doorward,
    Mode,
    Response,
    UnknownArgument,
    fixed_window,
    rate_limit,
    sliding_window,
    token_bucket,
)
from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm
from doorward.ids import rule_id
from doorward.rules.base import View, positive
from doorward.rules.limits import Limit, Quota
from doorward.testing import FakeClock

MINUTE = 60 * NANOSECONDS
BUILDERS = {
    "fixed_window": lambda **o: fixed_window(**{"max": 5, "window": 60, **o}),
    "sliding_window": lambda **o: sliding_window(**{"max": 5, "interval": 60, **o}),
    "token_bucket": lambda **o: token_bucket(**{"refill_rate": 5, "interval": 60, "capacity": 10, **o}),
    "rate_limit": lambda **o: rate_limit("5/minute", **o)[0],
}


@pytest.fixture(params=BUILDERS)
def build(request):
    return BUILDERS[request.param]


def test_each_algorithm_has_its_quota() -> None:
    """Max and window as written; a bucket's window is the time that an empty one takes to fill."""
    assert fixed_window(max=5, window="1m").quota == Quota("", Algorithm.FIXED_WINDOW, 5, MINUTE)
    assert sliding_window(max=5, interval=timedelta(minutes=1)).quota == Quota("", Algorithm.SLIDING_WINDOW, 5, MINUTE)
    assert token_bucket(refill_rate=5, interval=60, capacity=10).quota == Quota(
        "", Algorithm.TOKEN_BUCKET, 10, 2 * MINUTE
    )


def test_a_bucket_never_fills_early() -> None:
    """A fill time that does not come out even is rounded up."""
    quota = token_bucket(refill_rate=7, interval=1, capacity=1).quota
    assert quota.interval * 7 >= NANOSECONDS > (quota.interval - 1) * 7


def test_every_common_argument_is_kept(build) -> None:
    """The same options for every builder, in their one form."""
    rule = build(
        mode="dry_run", name="login", on_error="deny", characteristics=["userId", "http.method"], paths=["/login"],
        methods=["post", "Put", "POST"], scope="s", cost=2, count_when=401,
    )  # fmt: skip
    assert (rule.mode, rule.name, rule.on_error, rule.scope, rule.cost) == (Mode.DRY_RUN, "login", "deny", "s", 2)
    assert (rule.characteristics, rule.paths) == (("http.request.method", "userId"), ("/login",))
    assert rule.methods == ("POST", "PUT")
    assert (rule.count_when(Response(401, ())), rule.count_when(Response(200, ()))) == (True, False)


def test_without_options_a_limit_is_named_by_its_algorithm(build) -> None:
    """And takes the client's mode and characteristics."""
    rule = build()
    assert rule.name in ("fixed_window", "sliding_window", "token_bucket")
    assert (rule.mode, rule.on_error, rule.characteristics, rule.count_when, rule.cost) == (None, None, (), None, None)


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_unknown_keyword_is_answered_with_the_accepted_ones(builder: str) -> None:
    """By the builder's name, its own arguments first among them."""
    with pytest.raises(
        UnknownArgument, match=rf"pathes: {builder} takes no such argument. Did you mean paths\?"
    ) as caught:
        BUILDERS[builder](pathes=["/a"])
    assert "characteristics, cost, count_when" in str(caught.value)
    own = {"fixed_window": "window", "token_bucket": "refill_rate", "rate_limit": "algorithm"}.get(builder, "interval")
    assert own in str(caught.value)


WRONG = {
    "mode": ["dry", "OFF", 5], "name": ["é", 'a"b', "a\\b", "a\n", 5, "x" * 101], "on_error": ["open", 5],
    "characteristics": ["ip.src", ["ip.dst"]], "paths": ["/a", b"/a", 5], "methods": ["GET", ["G T"], [5]],
    "scope": [5, None], "cost": [0, -1, 1.5, True, "1"], "count_when": [99, 600, "200", [200, "x"], [], 1.5, True],
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_a_wrong_option_is_an_error_that_names_it(field: str, value: object) -> None:
    """At construction, whatever the builder."""
    for build in BUILDERS.values():
        with pytest.raises(ConfigurationError) as caught:
            build(**{field: value})
        assert caught.value.field == field


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "5", None, 10**15, float("nan")])
@pytest.mark.parametrize(
    ("builder", "field"),
    [("fixed_window", "max"), ("sliding_window", "max"), ("token_bucket", "refill_rate"), ("token_bucket", "capacity")],
)
def test_a_number_is_whole_and_from_one(builder: str, field: str, value: object) -> None:
    """And fits into a header of RFC 9651."""
    with pytest.raises(ConfigurationError, match=f"{field}: must be a whole number from 1"):
        BUILDERS[builder](**{field: value})
    assert positive(10**15 - 1, "max") == 10**15 - 1


@pytest.mark.parametrize(
    ("builder", "field"), [("fixed_window", "window"), ("sliding_window", "interval"), ("token_bucket", "interval")]
)
def test_a_window_is_a_length_of_time(builder: str, field: str) -> None:
    """See test_duration for what is one."""
    with pytest.raises(ConfigurationError, match=f"{field}: must be"):
        BUILDERS[builder](**{field: "soon"})


def test_a_coroutine_function_cannot_say_what_counts() -> None:
    """It would be true of every response, since nobody awaits it."""

    async def counts(response) -> bool:
        return False

    with pytest.raises(ConfigurationError, match="count_when: must be a plain function"):
        sliding_window(max=5, interval=60, count_when=counts)


# --- ids


def test_the_id_is_arcjets_scheme() -> None:
    """SHA-256 over type, version, mode, algorithm, characteristics, match and the parameters, in this order."""
    head = 'type:"RATE_LIMIT",version:0,mode:"LIVE",'
    texts = {
        head + 'algorithm:"FIXED_WINDOW",characteristics:["ip.src",],match:"",max:5,window:60,': fixed_window(
            max=5, window=60, characteristics=["ip.src"]
        ),
        head + 'algorithm:"SLIDING_WINDOW",characteristics:[],match:"",max:5,interval:60,': sliding_window(
            max=5, interval=60
        ),
        head
        + 'algorithm:"TOKEN_BUCKET",characteristics:[],match:"POST /a",refillRate:5,interval:60,'
        + "capacity:10,": token_bucket(refill_rate=5, interval=60, capacity=10, paths=["/a"], methods=["POST"]),
    }
    for text, rule in texts.items():
        assert rule.rule_id(Mode.LIVE) == hashlib.sha256(text.encode()).hexdigest()


def test_values_are_written_as_arcjet_writes_them() -> None:
    """Quotes escaped, lists sorted, booleans in lower case."""
    text = 'a:"x\\"y",b:true,c:false,d:7,e:["1","2",],'
    fields = [("a", 'x"y'), ("b", True), ("c", False), ("d", 7), ("e", ["2", "1"])]
    assert rule_id(fields) == hashlib.sha256(text.encode()).hexdigest()


CHANGES = [
    {"max": 6}, {"interval": 61}, {"interval": 0.06}, {"mode": "DRY_RUN"}, {"paths": ["/a"]}, {"methods": ["GET"]},
    {"characteristics": ["userId"]}, {"scope": "s"},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_changed_parameters_start_a_new_counter(change: dict) -> None:
    """What was counted under other terms does not count under these."""
    assert _key(change) != _key({})


@pytest.mark.parametrize("change", [{"name": "x"}, {"on_error": "deny"}, {"cost": 2}, {"count_when": 401}], ids=str)
def test_what_is_no_parameter_keeps_the_counter(change: dict) -> None:
    """A rename must not set everybody back to nothing."""
    assert _key(change) == _key({})


def _key(change: dict) -> str:
    aj = Doorward([sliding_window(**{"max": 5, "interval": 60, **change})])
    (bound,) = aj.engine.bound
    return bound.prefix


# --- as text


def test_a_limit_as_text_is_its_builder_in_short() -> None:
    """The same rule and id; several limits are several rules, numbered where they are named."""
    (short,) = rate_limit("5/minute")
    assert short == sliding_window(max=5, interval=60)
    assert [rule.name for rule in rate_limit("5/m; 6/h; 7/d", name="api")] == ["api-1", "api-2", "api-3"]
    assert [rule.name for rule in rate_limit("5/m; 6/h")] == ["sliding_window"] * 2
    assert rate_limit("5/minute", name="api")[0].name == "api"


@pytest.mark.parametrize("algorithm", ["fixed_window", "sliding_window", "token_bucket"])
def test_a_limit_as_text_may_count_in_any_way(algorithm: str) -> None:
    """A bucket starts full and refills evenly."""
    assert rate_limit("5/minute", algorithm=algorithm)[0].quota == Quota("", Algorithm(algorithm.upper()), 5, MINUTE)


@pytest.mark.parametrize("algorithm", ["FIXED_WINDOW", "leaky", None, "rate_limit"])
def test_an_unknown_algorithm_is_an_error(algorithm: object) -> None:
    """With those that exist."""
    with pytest.raises(
        ConfigurationError, match="algorithm: must be one of fixed_window, sliding_window, token_bucket"
    ):
        rate_limit("5/minute", algorithm=algorithm)


# --- chosen for each request


def decisions(limit_for, times: int = 1, **given: object):
    aj = Doorward(rate_limit(limit_for), clock=FakeClock())
    return [aj.protect(request(path="/a"), characteristics=given) for _ in range(times)]


class Plans:
    def __call__(self, request) -> str:
        return "2/minute"

    def by_plan(self, request, given) -> str:
        return given["plan"]


CALLABLES = {
    "no argument": lambda: "2/minute",
    "the request": lambda request: "2/minute" if request.path == "/a" else "9/minute",
    "both": lambda request, given: given["plan"],
    "defaults": lambda request, given, more=None: given["plan"],
    "keywords": lambda request, *, more=None: "2/minute",
    "an object": Plans(),
    "a method": Plans().by_plan,
    "a partial": functools.partial(lambda plan, request: plan, "2/minute"),
}


@pytest.mark.parametrize("kind", CALLABLES)
def test_a_callable_is_called_with_as_much_as_it_takes(kind: str) -> None:
    """Nothing, the request, or the request and the characteristics."""
    found = decisions(CALLABLES[kind], 3, plan="2/minute")
    assert [decision.status for decision in found] == [200, 200, 429]


def test_a_callable_without_a_signature_is_given_the_request() -> None:
    """As some of C's are."""

    class Odd:
        __signature__ = "no signature"

        def __call__(self, view) -> str:
            return "2/minute"

    assert decisions(Odd())[0].reason.max == 2


def test_none_is_no_limit_for_this_request() -> None:
    """The rule did not run, and says so."""
    (decision,) = decisions(lambda: None)
    assert decision.is_allowed()
    assert (
        decision.results[0].explain()
        == f"{decision.results[0].rule}: ALLOW (NOT_RUN) {decision.results[0].rule}: no limit for this request"
    )


@pytest.mark.parametrize("answer", ["", "lots", 5, b"5/minute", ["5/minute"], "0/minute"], ids=repr)
def test_nonsense_is_an_error_of_the_rule(answer: object) -> None:
    """Not of the request, and not of the application."""
    (decision,) = decisions(lambda: answer)
    assert decision.is_error()
    assert "the callable's answer" in decision.reason.message


def test_several_limits_of_one_callable_are_one_result() -> None:
    """The tightest of them speaks; all have to admit."""
    found = decisions(lambda: "2/minute; 9/hour", 3)
    assert [(decision.status, decision.reason.max) for decision in found] == [(200, 2), (200, 2), (429, 2)]
    assert len(found[0].results) == 1


def test_limits_of_different_plans_have_counters_of_their_own() -> None:
    """Whoever changes the plan does not take the count along."""
    aj = Doorward(rate_limit(lambda request, given: given["plan"]))
    found = [
        aj.protect(request(), characteristics={"plan": plan}).status for plan in ("1/minute", "2/minute", "1/minute")
    ]
    assert found == [200, 200, 429]


def test_a_chosen_limit_is_named_by_its_callable() -> None:
    """So that two of them differ in results and ids."""

    def by_plan(request) -> str:
        return "5/minute"

    (rule,) = rate_limit(by_plan)
    assert rule.name.endswith("locals.by_plan")
    assert rate_limit(by_plan, name="plan")[0].name == "plan"
    assert rule.rule_id(Mode.LIVE) != rate_limit(Plans())[0].rule_id(Mode.LIVE)
    assert rate_limit(Plans())[0].name == "Plans"


def test_a_callable_may_not_wait() -> None:
    """The core does not: a coroutine function is an error at construction."""

    async def limit_for(request) -> str:
        return "5/minute"

    with pytest.raises(ConfigurationError, match="limit: must be a plain function"):
        rate_limit(limit_for)


def test_a_limit_of_no_kind_limits_nothing() -> None:
    """A subclass has to say what its quotas are."""
    view = View(request(), "", {}, {})
    with pytest.raises(TypeError, match="Limit has no quotas"):
        Limit().quotas(view)
    assert sliding_window(max=5, interval=60).quotas(view) == (sliding_window(max=5, interval=60).quota,)
