"""Order, held challenges, and weights that add up and take off."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.challenges.pages.quick import Typed

from doorward import Conclusion, Doorward, Mode, RequestContext, State, allow, challenge, deny, weigh
from doorward.levels import Level
from doorward.testing import FakeClock

SECRET = "s" * 40


def request(path: str = "/", **more: Any) -> RequestContext:
    """A request of somebody."""
    return RequestContext(path=path, peer="192.0.2.9", headers=[("user-agent", "x")], **more)


def client(*rules: Any, **options: Any) -> Doorward:
    """A client whose time stands still."""
    return Doorward(list(rules), secret=SECRET, clock=FakeClock(), **options)


HERE: dict[str, Any] = {"paths": ["/"]}


def test_rules_are_asked_in_the_order_of_declaration() -> None:
    """Also where one needs the body: an ``allow`` in front of it ends it."""
    first = allow(json={"a": "1"}, ends=["RULE"], name="first")
    aj = client(first, deny(name="second", **HERE))
    passed = request(method="POST", body=b'{"a": 1}')
    assert aj.protect(passed).is_allowed()
    assert aj.protect(request(method="POST", body=b'{"a": 2}')).is_denied()
    other = client(deny(name="second", **HERE), first)
    assert other.protect(request(method="POST", body=b'{"a": 1}')).is_denied()


def test_a_challenge_does_not_end_the_walk() -> None:
    """Rules behind it may deny, and weights add up."""
    ending = client(challenge("wait", **HERE), deny(user_agent="x"))
    assert ending.protect(request()).conclusion is Conclusion.DENY
    aj = client(
        challenge("wait", **HERE),
        weigh(6, name="a", **HERE),
        weigh(6, name="b", **HERE),
        thresholds={"CHALLENGE": 5, "DENY": 20},
        challenges={"levels": {"browser": 10, "human": 15}, "kinds": ["work", "browser", Typed()]},
    )
    decision = aj.protect(request())
    assert decision.conclusion is Conclusion.CHALLENGE
    assert decision.challenge is not None
    assert decision.challenge.level is Level.BROWSER
    assert all(result.state is State.RUN for result in decision.results)


@pytest.mark.parametrize("thresholds", [{"DENY": 50}, {"CHALLENGE": 10}], ids=["alone", "as the weights do"])
@pytest.mark.parametrize(("weights", "total"), [((), 0), ((30,), 30), ((30, -12), 18), ((-30,), 0)])
def test_a_challenge_is_as_hard_as_there_is_doubt_whoever_asks_for_it(
    weights: tuple[float, ...], total: float, thresholds: dict[str, float]
) -> None:
    """Regression: one that a rule asks for was as easy as for a request without any doubt."""
    weighing = [weigh(weight, name=f"w{weight}", **HERE) for weight in weights]
    aj = client(challenge("work", **HERE), *weighing, thresholds=thresholds)
    decision = aj.protect(request())
    assert decision.challenge is not None
    assert (decision.challenge.rule, decision.challenge.weight) == ("challenge", total)
    asked = aj.runtime.gatekeeper.gate.answer(request(), decision)
    assert f'"most": {min(4000, int(1000 * 2 ** (total / 10)))}' in asked.body.decode()


@pytest.mark.parametrize(
    ("weight", "conclusion", "level"),
    [
        (4, Conclusion.ALLOW, None),
        (5, Conclusion.CHALLENGE, Level.WORK),
        (10, Conclusion.CHALLENGE, Level.BROWSER),
        (15, Conclusion.CHALLENGE, Level.HUMAN),
        (20, Conclusion.DENY, None),
        (-20, Conclusion.ALLOW, None),
    ],
)
def test_sums_of_weights_lead_to_actions_and_levels(weight: float, conclusion: Conclusion, level: Level | None) -> None:
    """By the thresholds, and by the levels of challenges."""
    aj = client(
        weigh(weight, **HERE),
        thresholds={"CHALLENGE": 5, "DENY": 20},
        challenges={"levels": {"browser": 10, "human": 15}, "kinds": ["work", "browser", Typed()]},
    )
    decision = aj.protect(request())
    assert decision.conclusion is conclusion
    assert (decision.challenge.level if decision.challenge else None) is level


def test_weight_is_taken_off_before_the_sum_counts() -> None:
    """What denies is the sum of all, not that of the first few."""
    aj = client(weigh(25, name="much", **HERE), weigh(-10, name="off", **HERE), thresholds={"CHALLENGE": 5, "DENY": 20})
    decision = aj.protect(request())
    assert decision.conclusion is Conclusion.CHALLENGE
    reason: Any = decision.reason
    assert reason.weight == 15
    assert [result.state for result in decision.results] == [State.RUN, State.RUN]


def test_without_weights_below_zero_a_sum_ends_the_walk_at_once() -> None:
    """As before."""
    aj = client(weigh(25, name="much", **HERE), weigh(1, name="more", **HERE), thresholds={"DENY": 20})
    decision = aj.protect(request())
    reason: Any = decision.reason
    assert reason.weight == 25
    assert [result.state for result in decision.results] == [State.RUN, State.NOT_RUN]


def test_a_rule_that_denies_is_the_reason_where_weight_could_still_have_come_off() -> None:
    """The sum at that moment is none."""
    aj = client(weigh(25, **HERE), deny(name="shut", **HERE), weigh(-10, name="off", **HERE), thresholds={"DENY": 20})
    reason: Any = aj.protect(request()).reason
    assert reason.rule == "shut"


def test_a_dry_run_that_takes_weight_off_is_told() -> None:
    """The figures have the sum of all, also where it is less, or nothing."""
    aj = client(
        weigh(10, **HERE), weigh(-10, name="off", mode=Mode.DRY_RUN, **HERE), thresholds={"CHALLENGE": 5, "DENY": 20}
    )
    decision = aj.protect(request())
    assert decision.conclusion is Conclusion.CHALLENGE
    assert decision.dry_run is None


def test_figures_of_weights_below_zero() -> None:
    """Told once for live, once for dry, with the sum that each came to."""
    from doorward.progress import Progress
    from doorward.tallies import uncounted

    aj = client(weigh(10, **HERE), weigh(-10, name="off", mode=Mode.DRY_RUN, **HERE), thresholds={"CHALLENGE": 5})
    progress = Progress(request(), aj.runtime.engine)
    list(aj.runtime.engine.evaluate(progress))
    weighed = [told for told in uncounted(progress) if told.rule == "weights"]
    assert [(told.dry, told.conclusion, told.reason.weight) for told in weighed] == [  # type: ignore[attr-defined]
        (False, Conclusion.CHALLENGE, 10.0),
        (True, Conclusion.ALLOW, 0.0),
    ]
    assert not uncounted(progress)


def test_a_dry_run_that_would_have_denied_by_weight_is_named() -> None:
    """Only where the sum stays there."""
    dry = {"mode": Mode.DRY_RUN, **HERE}
    aj = client(weigh(30, name="a", **dry), weigh(-20, name="b", **dry), thresholds={"DENY": 20})
    assert aj.protect(request()).dry_run is None
    aj = client(weigh(30, name="a", **dry), weigh(-5, name="b", **dry), thresholds={"DENY": 20})
    assert aj.protect(request()).dry_run == "weights"
    aj = client(weigh(30, name="a", **dry), weigh(-5, name="b", **dry), deny(name="c", **dry), thresholds={"DENY": 20})
    assert aj.protect(request()).dry_run == "c"


WEIGHTS = st.lists(st.integers(-12, 12).filter(bool), min_size=1, max_size=6)


@given(WEIGHTS)
def test_the_sum_decides_whatever_the_order(weights: list[int]) -> None:
    """With one weight below zero at least, so that none of them ends the walk."""
    weights = [*weights, -1]
    rules = [weigh(weight, name=f"w{number}", **HERE) for number, weight in enumerate(weights)]
    aj = client(*rules, thresholds={"CHALLENGE": 5, "DENY": 15})
    total = sum(weights)
    expected = Conclusion.DENY if total >= 15 else Conclusion.CHALLENGE if total >= 5 else Conclusion.ALLOW
    assert aj.protect(request()).conclusion is expected
    backwards = client(*reversed(rules), thresholds={"CHALLENGE": 5, "DENY": 15})
    assert backwards.protect(request()).conclusion is expected


def test_an_allow_keeps_weights_from_a_challenge_and_not_from_a_denial() -> None:
    """It ends BOT and CHALLENGE."""
    aj = client(allow(name="known", **HERE), weigh(6, **HERE), thresholds={"CHALLENGE": 5, "DENY": 20})
    assert aj.protect(request()).is_allowed()
    aj = client(allow(name="known", **HERE), weigh(26, **HERE), thresholds={"CHALLENGE": 5, "DENY": 20})
    assert aj.protect(request()).is_denied()


def test_a_rule_of_somebodys_own_is_asked_as_before() -> None:
    """The short way is for what says beforehand that it answers at once; results are the same objects' either way."""
    aj = client(*[deny(user_agent=f"n{number}", name=f"r{number}") for number in range(5)])
    decision = aj.protect(request())
    assert [result.rule for result in decision.results] == [f"r{number}" for number in range(5)]
    assert all(result.state is State.RUN and result.conclusion is Conclusion.ALLOW for result in decision.results)
    dry = client(*[deny(user_agent="x", name="r", mode=Mode.DRY_RUN)]).protect(request())
    assert (dry.conclusion, dry.dry_run) == (Conclusion.ALLOW, "r")
    usual = client(*[deny(user_agent="y", name="r", mode=Mode.DRY_RUN)]).protect(request())
    assert [result.state for result in usual.results] == [State.DRY_RUN]


def test_a_stream_is_not_read_for_rules_without_bodies() -> None:
    """Nothing is held that no rule reads."""
    from doorward.wsgi import DoorwardMiddleware

    stream = io.BytesIO(b"a=1")
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.9", "wsgi.url_scheme": "http",
        "wsgi.input": stream, "CONTENT_LENGTH": "3", "SERVER_PROTOCOL": "HTTP/1.1",
    }  # fmt: skip
    held: list[bytes] = []

    def application(found: Any, start: Any) -> list[bytes]:
        held.append(found["wsgi.input"].read(3))
        start("200 OK", [])
        return []

    rules = [deny(headers={"x": "y"}), weigh(-1, when={"not": {"header": "z"}})]
    list(DoorwardMiddleware(application, client(*rules))(environ, lambda *_: None))  # type: ignore[arg-type,return-value]
    assert held == [b"a=1"]
    assert stream.tell() == 3
