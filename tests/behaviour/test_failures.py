"""What follows when a store, a rule or a callback fails: what was configured, and never an error of the host."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import Breaker, FailingStore, HangingStore, LyingStore, Refuser, SleepingStore

from doorward import sliding_window
from doorward.effects import Verdict

LIES: dict[str, Any] = {
    "none": lambda hits: None,
    "nothing": lambda hits: [],
    "too few": lambda hits: [Verdict(True, 1, 0.0, 0.0)] * (len(hits) - 1),
    "text": lambda hits: ["yes"] * len(hits),
    "negative": lambda hits: [Verdict(True, -1, 0.0, 0.0)] * len(hits),
    "nan": lambda hits: [Verdict(False, 0, math.nan, math.nan)] * len(hits),
    "infinite": lambda hits: [Verdict(False, 0, math.inf, math.inf)] * len(hits),
    "wrong types": lambda hits: [Verdict("?", "?", "?", "?")] * len(hits),  # type: ignore[arg-type]
    "generator": lambda hits: (Verdict(True, 1, 0.0, 0.0) for _ in hits),
}


def limit(on_error: Any = None) -> Any:
    return sliding_window(max=4, interval="1m", name="limit", on_error=on_error)


@pytest.fixture
def hanging() -> Iterator[HangingStore]:
    store = HangingStore()
    yield store
    store.released.set()


def test_a_store_that_raises_lets_in_where_that_is_configured(make: MakeApp) -> None:
    """``on_error="allow"``: everything is let in, and counted as an error."""
    app = make(limit("allow"), store=FailingStore())
    assert app.statuses(6) == [200] * 6
    assert app.counts()["decision.ERROR"] == 6


def test_a_store_that_raises_refuses_where_that_is_configured(make: MakeApp) -> None:
    """``on_error="deny"``: the one 5xx that we ever answer, with 503."""
    app = make(limit("deny"), store=FailingStore())
    refused = app.get()
    assert refused.status == 503
    assert b"could not be checked" in refused.body
    assert app.get("/exempt").status == 200


def test_a_store_that_raises_is_replaced_by_the_local_limiter(make: MakeApp) -> None:
    """``on_error="local"``, the default: this process's part of the limit holds."""
    app = make(limit(), store=FailingStore(), workers=2)
    assert app.statuses(3) == [200, 200, 429]
    assert app.counts()["degraded.rule limit"] == 3


@pytest.mark.parametrize(
    "error", [TimeoutError(), OSError(5, "io"), ValueError("bad"), RecursionError(), UnicodeError()]
)
def test_any_exception_of_a_store_is_contained(make: MakeApp, error: Exception) -> None:
    """Whatever a store raises, the host sees none of it."""
    app = make(limit("allow"), store=FailingStore(error))
    reply = app.get()
    assert (reply.status, reply.error) == (200, None)


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_store_that_lies_is_not_believed(make: MakeApp, lie: str) -> None:
    """Nonsense from a store is its failure: one limit is let in, another refused, as each is configured."""
    assert make(limit("allow"), store=LyingStore(LIES[lie])).get().status == 200
    assert make(limit("deny"), store=LyingStore(LIES[lie])).get().status == 503
    assert make(limit("local"), store=LyingStore(LIES[lie])).statuses(5) == [200] * 4 + [429]


@pytest.mark.parametrize(
    ("on_error", "statuses"), [("allow", [200] * 3), ("deny", [503] * 3), ("local", [200, 200, 429])]
)
def test_a_store_that_hangs_is_given_up_at_the_deadline(
    make: MakeApp, hanging: HangingStore, on_error: str, statuses: list[int]
) -> None:
    """A store that never answers costs the deadline, then ``on_error`` holds."""
    app = make(limit(on_error), store=hanging, timeout=0.02, workers=2)
    assert app.statuses(3) == statuses


@pytest.mark.parametrize(
    ("on_error", "statuses"), [("allow", [200] * 3), ("deny", [503] * 3), ("local", [200, 200, 429])]
)
def test_an_awaitable_store_that_hangs_is_given_up_at_the_deadline(
    make_awaiting: MakeApp, on_error: str, statuses: list[int]
) -> None:
    """The same of a store that is awaited."""
    store = SleepingStore()
    app = make_awaiting(limit(on_error), store=store, timeout=0.02, workers=2)
    assert app.statuses(3) == statuses
    assert store.waiting <= 1  # a question in the background, no request's


def test_a_rule_that_raises_is_an_error_of_that_rule_alone(make: MakeApp) -> None:
    """A bug in one rule lets in, and the others still decide."""
    app = make(Breaker(name="broken"), Refuser(), limit())
    assert app.get().status == 200
    assert app.get("/echo?attack").status == 403
    assert app.statuses(4)[-1] == 429


def test_a_rule_that_raises_refuses_where_that_is_configured(make: MakeApp) -> None:
    """``on_error="deny"`` of the rule, or of the client, makes it a 503."""
    assert make(Breaker(on_error="deny")).get().status == 503
    assert make(Breaker(), on_error="deny").get().status == 503


@pytest.mark.swallows_errors
def test_a_broken_on_decision_changes_nothing(make: MakeApp) -> None:
    """A callback that raises is logged, and the decision stands."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug in the callback")

    app = make(limit(), on_decision=broken)
    assert app.statuses(5) == [200] * 4 + [429]
    assert app.counts()["error.on_decision: RuntimeError"] == 5


@pytest.mark.swallows_errors
def test_a_broken_on_denied_is_replaced_by_the_built_in_answer(make: MakeApp) -> None:
    """Where ``on_denied`` raises, the client gets the refusal that it would have got without."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug in the callback")

    app = make(sliding_window(max=1, interval="1m"), layer={"on_denied": broken})
    app.get()
    assert app.get().json()["title"] == "Too Many Requests"


@pytest.mark.swallows_errors
def test_a_broken_awaitable_on_denied_is_replaced_by_the_built_in_answer(make_awaiting: MakeApp) -> None:
    """The same where ``on_denied`` is a coroutine function, which raises only when it is awaited."""

    async def broken(*_: object) -> None:
        raise RuntimeError("a bug in the callback")

    app = make_awaiting(sliding_window(max=1, interval="1m"), layer={"on_denied": broken})
    app.get()
    assert app.get().json()["title"] == "Too Many Requests"


@pytest.mark.swallows_errors
def test_a_broken_count_when_keeps_the_charge(make: MakeApp) -> None:
    """Where nobody can say whether a response counts, it does."""

    def broken(_: object) -> bool:
        raise RuntimeError("a bug in the callback")

    assert make(sliding_window(max=2, interval="1m", count_when=broken)).statuses(3) == [200, 200, 429]


def test_a_limit_chosen_by_a_callable_that_raises_is_an_error_of_that_limit(make: MakeApp) -> None:
    """A callable that cannot choose a limit lets in; the other limits are charged all the same."""
    from doorward import rate_limit

    def broken(_: object) -> str:
        raise LookupError("no plan")

    app = make(*rate_limit(broken), limit())
    assert app.statuses(5) == [200] * 4 + [429]


def test_a_limit_chosen_by_a_callable_that_answers_nonsense_is_an_error_of_that_limit(make: MakeApp) -> None:
    """Text that is no limit is a failure of that rule, not of the request."""
    from doorward import rate_limit

    assert make(*rate_limit(lambda request: "five a day")).statuses(2) == [200, 200]
