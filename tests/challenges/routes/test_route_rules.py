"""What decorators come to: rules of the route, beside with_rule, policy files, threads and other routes."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.behaviour.clients.drivers import environ_of

from doorward import AsyncDoorward, ConfigurationError, Doorward, RequestContext, challenge, sliding_window
from doorward.levels import Level
from doorward.routes import Insists, RouteDecorators, RoutePolicy, merged
from doorward.testing import FakeClock

OPTIONS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}


def view() -> None:
    """A view."""


def fresh() -> Callable[[], None]:
    def own() -> None:
        """A view of its own."""

    return own


def request(path: str = "/") -> RequestContext:
    return RequestContext(
        method="GET", scheme="https", host="a.example", path=path, query="", headers=[], peer="203.0.113.9"
    )


def decided(aj: Doorward, policy: RoutePolicy | None) -> Any:
    """The decision about a request to a route of ``policy``."""
    from doorward.progress import NO_INPUTS

    return aj.decide(aj.runtime.resume(environ_of("/"), aj.engine, policy), NO_INPUTS, deferring=True)


def test_marks_are_rules() -> None:
    """A replay or an explanation sees what a decorator says as it sees every rule."""
    guard = RouteDecorators()
    marked = guard.block(guard.require_human(max_age="5m")(fresh()))
    policy = guard.policy_of(marked)
    assert policy is not None
    assert [rule.name for rule in policy.rules] == ["require_human", "block"]
    first: Any = policy.rules[0]
    assert (first.level, first.max_age) == (Level.HUMAN, 300.0)
    assert policy.insists is Insists.OWN


@pytest.mark.parametrize(
    "name", ["skip", "protect", "challenge", "block", "require_human", "always_challenge", "block_bots"]
)
def test_views_keep_their_names(name: str) -> None:
    """Decorators mark; what a view is called, and says of itself, stays."""
    marked = getattr(RouteDecorators(), name)(fresh())
    assert (marked.__name__, marked.__doc__) == ("own", "A view of its own.")


@pytest.mark.parametrize(
    ("decorate", "field"),
    [
        (lambda guard: guard.challenge("divine"), "level"),
        (lambda guard: guard.challenge(5), "level"),
        (lambda guard: guard.challenge(max_age="soon"), "max_age"),
        (lambda guard: guard.challenge(when="nonsense ("), "where[0]"),
        (lambda guard: guard.challenge(when="ip.src eq 192.0.2.1", where="ip.src eq 192.0.2.1"), "when"),
        (lambda guard: guard.challenge(when=coroutine), "when"),
        (lambda guard: guard.require_human(level=""), "level"),
        (lambda guard: guard.block_bots(allow=["NO_SUCH_BOT"]), "allow"),
    ],
)
def test_mistakes_are_found_where_a_view_is_decorated(decorate: Any, field: str) -> None:
    """An error when the module is imported, that names the argument."""
    with pytest.raises(ConfigurationError) as raised:
        decorate(RouteDecorators())
    assert raised.value.field == field


async def coroutine(request: object) -> bool:
    return True


def test_of_several_marks_the_strongest_insists() -> None:
    """A blueprint that is protected, a view that is stepped up: all rules hold."""
    guard = RouteDecorators()
    inner, outer = guard.policy_of(guard.challenge(fresh())), guard.policy_of(guard.protect(fresh()))
    assert inner is not None
    assert outer is not None
    whole = merged([inner, outer])
    assert whole is not None
    assert whole.insists is Insists.ALL


def test_vouch_7_routes_in_any_order_and_many_threads() -> None:
    """Regression (tollbooth): one route's option changed all others. Here none, whatever comes first, on 8 threads."""
    aj = Doorward([sliding_window(max=10**6, interval="1m")], clock=FakeClock(), **OPTIONS)
    guard = RouteDecorators()
    decorators: list[tuple[Any, str]] = [
        (lambda each: each, "ALLOW"),
        (guard.challenge("wait"), "CHALLENGE"),
        (lambda each: guard.block(guard.challenge("wait")(each)), "DENY"),
        (guard.exempt, "ALLOW"),
        (guard.limit("1000000/minute"), "ALLOW"),
        (guard.protect, "ALLOW"),
    ]
    routes = [(guard.policy_of(decorate(fresh())), wanted) for decorate, wanted in decorators * 5]
    wrong: list[tuple[str, str]] = []

    def ask(seed: int) -> None:
        for policy, wanted in random.Random(seed).sample(routes * 4, k=len(routes) * 4):
            found = str(decided(aj, policy).conclusion)
            if found != wanted:
                wrong.append((found, wanted))

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_with_rule_and_require_add_up() -> None:
    """A client with more rules asks for what they ask, and for what the handler asks."""
    aj = Doorward([sliding_window(max=5, interval="1m")], clock=FakeClock(), **OPTIONS)
    more = aj.with_rule(challenge("wait", name="more"))
    environ = environ_of("/")
    assert aj.protect(environ).is_allowed()
    decision = more.require(environ, "work", max_age="1m")
    assert decision.is_challenged()
    assert {result.rule for result in decision.results} >= {"more", "require"}
    assert decision.challenge is not None
    assert (decision.challenge.level, decision.challenge.max_age) == (Level.WORK, 60.0)


def test_require_twice_asks_once() -> None:
    """The same step-up in a decorator and in a helper is one rule; another level is another."""
    aj = Doorward([], clock=FakeClock(), **OPTIONS)
    environ = environ_of("/")
    first = aj.require(environ, "wait")
    assert aj.require(environ, "wait") is first
    names = [result.rule for result in aj.require(environ, "human").results]
    assert names == ["require", "require-2"]


def test_require_keeps_nothing_for_each_request() -> None:
    """A thousand requests with one step-up: one engine."""
    aj = Doorward([], clock=FakeClock(), **OPTIONS)
    engines = set()
    for _ in range(1000):
        environ = environ_of("/")
        aj.require(environ, "wait")
        engines.add(id(aj.runtime.resume(environ, aj.engine).engine))
    assert len(engines) == 1


@pytest.mark.parametrize("kind", [Doorward, AsyncDoorward])
def test_mistakes_of_require_are_named(kind: Any) -> None:
    """A level that is none, an age that is none, a request that is none."""
    aj = kind([], clock=FakeClock(), **OPTIONS)

    def ask(level: str, max_age: str | None) -> None:
        call = aj.require(request(), level, max_age=max_age)
        if hasattr(call, "send"):
            call.send(None)

    for level, max_age, field in (("divine", None, "level"), ("work", "soon", "max_age")):
        with pytest.raises(ConfigurationError) as raised:
            ask(level, max_age)
        assert raised.value.field == field


POLICY = """
[[rules]]
rule = "sliding_window"
max = 100
interval = "1m"
{mode}
"""


def test_a_policy_file_that_changes_keeps_what_routes_and_handlers_ask(tmp_path: Path) -> None:
    """After a reload the decorators' rules and ``require`` hold as before, with the new rules beside them."""
    file = tmp_path / "doorward.toml"
    file.write_text(POLICY.format(mode=""))
    aj = Doorward([challenge("wait", paths=["/x"])], policy=str(file), clock=FakeClock(), **OPTIONS)
    guard = RouteDecorators()
    stepped, blocked = guard.policy_of(guard.challenge("wait")(fresh())), guard.policy_of(guard.block(fresh()))

    def all_hold() -> bool:
        found = (decided(aj, stepped), aj.require(environ_of("/"), "wait"), aj.protect(request("/x")))
        return all(decision.is_challenged() for decision in found) and decided(aj, blocked).is_allowed()

    assert all_hold()
    file.write_text(POLICY.format(mode='mode = "DRY_RUN"'))
    assert aj.reload()
    assert all_hold()
    aj.close()
