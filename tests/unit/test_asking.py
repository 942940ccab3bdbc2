"""The walk with a decision service: what it is asked, and what follows from its answer, or from none; by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.walking import PEER, Says, denies

from doorward import Conclusion, Decision, Doorward, RequestContext, State, fixed_window, rate_limit, sliding_window
from doorward.asking import TOKEN, ServicePart
from doorward.bound import APPLICATION, ServiceRefusal
from doorward.degraded import LocalLimiter, ServiceWatch
from doorward.effects import AskService, CountHits
from doorward.errors import ServiceError
from doorward.progress import Inputs, Progress, taken
from doorward.question import Question, Ruling, ServiceAnswer
from doorward.reason import ErrorReason, RateLimitReason, RuleReason
from doorward.refusals import Refusals
from doorward.testing import FakeClock

Answers = Callable[[Question], object]


def request(**given: Any) -> RequestContext:
    return RequestContext(**{"path": "/signup", "peer": PEER, **given})


class Served:
    """A client whose engine has a decision service that answers as it is told."""

    def __init__(self, *rules: Any, **options: Any) -> None:
        self.clock = FakeClock()
        self.client = Doorward(rules, clock=self.clock, **options)
        runtime = self.client.runtime
        self.local = LocalLimiter(self.clock)
        self.watch = ServiceWatch(runtime.journal, self.clock, self.local)
        bound = runtime._bind(ServiceRefusal(), "service", APPLICATION)
        engine = self.client.engine
        engine.refusals = Refusals(1_000_000_000, keeps=True)
        engine.service = ServicePart(bound, self.watch)
        self.engine = engine
        self.asked: list[Question] = []

    def decide(self, answers: Answers, progress: Progress | None = None, **inputs: Any) -> Decision:
        progress = progress or Progress(request(), self.engine)
        given = Inputs(inputs.pop("values", {}), inputs.pop("characteristics", {}), inputs.pop("requested", None))
        flow = self.engine.evaluate(progress, given, **inputs)
        try:
            effect = next(flow)
            while True:
                effect = self._perform(flow, effect, answers)
        except StopIteration as stop:
            decision: Decision = stop.value
            return decision

    def _perform(self, flow: Any, effect: object, answers: Answers) -> Any:
        if isinstance(effect, AskService):
            self.asked.append(effect.question)
            try:
                answer = answers(effect.question)
            except Exception as error:
                return flow.throw(error)
            return flow.send(answer)
        assert isinstance(effect, CountHits), effect
        assert effect.local, "the store is not asked for what the service counts"
        return flow.send(self.local.count(effect.hits))


def room(remaining: int = 4, reset: float = 60.0, **more: Any) -> Ruling:
    return Ruling(Conclusion.ALLOW, RateLimitReason(5, remaining, reset, 60.0), **more)


def full(reset: float = 42.0) -> Ruling:
    return Ruling(Conclusion.DENY, RateLimitReason(5, 0, reset, 60.0), ttl=42)


def says(*limits: Ruling, **more: Any) -> Answers:
    return lambda question: ServiceAnswer("req_1", limits, more.pop("rules", ()), **more)


def away(_: Question) -> object:
    raise ServiceError("connection refused")


LIMIT = fixed_window(max=5, window=60)


def test_one_question_holds_everything_that_is_open() -> None:
    """Limits by one call, with who is charged; and what the local rules came to."""
    served = Served(Says(), LIMIT, sliding_window(max=9, interval="1h", characteristics=["userId"]))
    decision = served.decide(says(room(), room()), characteristics={"userId": 42}, requested=3)
    (question,) = served.asked
    assert [(limit.bound.name, limit.hit.cost, len(limit.fingerprints)) for limit in question.limits] == [
        ("fixed_window", 3, 1),
        ("sliding_window", 3, 1),
    ]
    assert [result.rule for result in question.found] == ["says"]
    assert decision.conclusion is Conclusion.ALLOW
    assert [result.state for result in decision.results] == [State.RUN] * 3


def test_the_decision_bears_the_id_that_the_service_knows_it_by() -> None:
    """An operator finds it there."""
    assert Served(LIMIT).decide(says(room())).id == "req_1"


def test_a_local_denial_asks_nobody() -> None:
    """What is certain already is not asked about."""
    served = Served(Says(does=denies), LIMIT)
    assert served.decide(away).is_denied()
    assert served.asked == []


def test_a_refusal_is_remembered_and_its_time_runs_down() -> None:
    """For a second, the client that keeps knocking costs no call; then the service is asked again."""
    served = Served(LIMIT)
    assert served.decide(says(full(42.0))).is_denied()
    served.clock.advance(0.5)
    again = served.decide(away)
    assert again.is_denied()
    assert again.results[0].state is State.CACHED
    assert isinstance(again.reason, RateLimitReason)
    assert again.reason.reset_seconds == pytest.approx(41.5)
    served.clock.advance(1)
    assert not served.decide(says(room())).is_denied()
    assert len(served.asked) == 2


def test_while_the_service_is_away_a_remembered_refusal_holds_to_its_end() -> None:
    """Nobody can lift it meanwhile, and nobody is let in by an outage."""
    served = Served(fixed_window(max=5, window=60, on_error="allow"))
    assert served.decide(says(full(42.0))).is_denied()
    served.clock.advance(10)
    assert served.decide(away).is_errored()  # nobody knew that it was away
    assert served.decide(away).is_denied()
    served.clock.advance(33)
    assert served.decide(away).is_errored()


def test_the_services_own_refusal_denies_whatever_the_rules_say() -> None:
    """And is remembered."""
    served = Served(Says())
    own = Ruling(Conclusion.DENY, RuleReason("reputation", "suspicious elsewhere"), ttl=60)
    decision = served.decide(says(refusal=own))
    assert decision.is_denied()
    assert decision.reason.type == "RULE"
    assert "suspicious elsewhere" in decision.reason.explain()
    assert decision.ttl == 60
    served.clock.advance(0.5)
    assert served.decide(away).is_denied()
    assert len(served.asked) == 1


def test_without_an_answer_limits_go_on_locally() -> None:
    """As with a store: this process's share, and it says so."""
    served = Served(LIMIT)
    decisions = [served.decide(away) for _ in range(6)]
    assert [decision.is_denied() for decision in decisions] == [False] * 5 + [True]
    assert "connection refused" in decisions[0].results[0].reason.explain()
    assert served.watch.down
    assert served.watch.degraded == 6


def test_the_local_limiter_goes_on_where_the_service_left_off() -> None:
    """What the service said last is known."""
    served = Served(LIMIT)
    assert not served.decide(says(room(remaining=1))).is_denied()
    assert [served.decide(away).is_denied() for _ in range(2)] == [False, True]


@pytest.mark.parametrize(("on_error", "denied"), [("allow", False), ("deny", True)])
def test_without_an_answer_each_rule_follows_its_on_error(on_error: Any, denied: bool) -> None:
    """Failing open or closed is the rule's choice."""
    served = Served(fixed_window(max=5, window=60, on_error=on_error))
    decision = served.decide(away)
    assert decision.is_denied() is denied
    assert isinstance(decision.results[0].reason, ErrorReason)
    assert decision.status == (503 if denied else 200)


@pytest.mark.parametrize(
    "answer",
    [None, "no answer", ServiceAnswer("req_1", (), ()), ServiceAnswer("req_1", (room(), room()), ())],
    ids=["none", "text", "too few", "too many"],
)
def test_an_answer_that_is_none_is_a_failure(answer: object) -> None:
    """Nothing of it is believed."""
    decision = Served(fixed_window(max=5, window=60, on_error="allow")).decide(lambda _: answer)
    assert decision.is_errored()


def test_a_rule_that_the_service_could_not_tell_fails_alone() -> None:
    """The others stand."""
    served = Served(LIMIT, sliding_window(max=9, interval="1h", on_error="allow"))
    error = Ruling(Conclusion.ERROR, ErrorReason("its store is down"))
    decision = served.decide(says(room(), error))
    assert [result.conclusion for result in decision.results] == [Conclusion.ALLOW, Conclusion.ERROR]
    assert not served.watch.down


def test_an_answer_of_the_services_local_limiter_says_so() -> None:
    """Degraded there is degraded here, and not remembered."""
    served = Served(LIMIT)
    reason = RateLimitReason(5, 0, 42.0, 60.0, degraded="its store is down")
    assert served.decide(says(Ruling(Conclusion.DENY, reason))).is_denied()
    assert not served.decide(says(room())).is_denied()


def test_a_request_that_no_rule_is_about_is_not_asked_about() -> None:
    """Pictures and style sheets cost nothing."""
    served = Served(Says(paths=["/api/*"]), fixed_window(max=5, window=60, paths=["/api/*"]))
    assert served.decide(away).is_allowed()
    assert served.asked == []


def test_rules_without_anything_open_still_ask_what_the_service_thinks_once() -> None:
    """A client that is suspicious elsewhere is refused whatever the rules; a second call asks no more."""
    served = Served(Says())
    progress = Progress(request(), served.engine)
    served.decide(says(), progress)
    served.decide(says(), progress)
    assert len(served.asked) == 1


def test_middleware_and_handler_ask_once_each_for_what_is_open() -> None:
    """A limit of the middleware is not charged again by the handler's."""
    served = Served(LIMIT, sliding_window(max=9, interval="1h", characteristics=["userId"]))
    progress = Progress(request(), served.engine)
    served.decide(says(room()), progress, deferring=True)
    served.decide(says(room()), progress, characteristics={"userId": 1})
    assert [[limit.bound.name for limit in question.limits] for question in served.asked] == [
        ["fixed_window"],
        ["sliding_window"],
    ]


def test_several_quotas_of_one_limit_are_one_result_the_tightest() -> None:
    """A limit that a callable chooses may have several counters."""
    served = Served(rate_limit(lambda _: "5/minute; 100/hour"))
    decision = served.decide(says(room(remaining=3), Ruling(Conclusion.DENY, RateLimitReason(100, 0, 9.0, 3600.0))))
    assert decision.is_denied()
    assert len(decision.results) == 1


def test_who_sends_a_header_twice_is_charged_as_both() -> None:
    """The service is told of both fingerprints."""
    served = Served(fixed_window(max=5, window=60, characteristics=['http.request.headers["x-key"]']))
    context = request(headers=[("x-key", "a"), ("x-key", "b")])
    served.decide(says(room()), Progress(context, served.engine))
    assert len(served.asked[0].limits[0].fingerprints) == 2


def test_charges_can_be_taken_back_by_the_services_name_for_them() -> None:
    """The counter's own name stays known, so that a remembered refusal can be forgotten."""
    served = Served(LIMIT)
    progress = Progress(request(), served.engine)
    served.decide(says(room(charges=("one", "two"))), progress)
    assert progress.ledger is not None
    keys = [charge.hit.key for charge in taken(progress.ledger)]
    assert [key.partition(TOKEN)[2] for key in keys] == ["one", "two"]
    assert len({key.partition(TOKEN)[0] for key in keys}) == 1


def test_a_dry_run_decides_nothing_but_is_seen() -> None:
    """Also where the service counts."""
    served = Served(fixed_window(max=5, window=60, mode="DRY_RUN"))
    decision = served.decide(says(full()))
    assert decision.is_allowed()
    assert decision.dry_run == "fixed_window"
    assert decision.results[0].state is State.DRY_RUN


def test_where_the_service_is_a_dry_run_its_refusals_refuse_nobody() -> None:
    """``DOORWARD_MODE=DRY_RUN`` of the service, at three in the morning; nothing of it is remembered either."""
    served = Served(LIMIT, sliding_window(max=9, interval="1h"))
    decision = served.decide(says(full()._replace(dry=True), room(dry=True)))
    assert decision.is_allowed()
    assert [result.state for result in decision.results] == [State.DRY_RUN] * 2
    assert decision.results[0].is_denied()
    assert served.decide(says(room(), room())).results[0].state is State.RUN


def test_a_dry_client_is_not_refused_by_the_service_either() -> None:
    """``mode="DRY_RUN"`` is for trying it without risk."""
    served = Served(Says(), mode="DRY_RUN")
    own = Ruling(Conclusion.DENY, RuleReason("reputation", "suspicious elsewhere"), ttl=60)
    assert served.decide(says(refusal=own)).is_allowed()
