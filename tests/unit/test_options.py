"""The arguments of a client and the environment: what is accepted, and what each does."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from tests.unit.test_drivers import awaitable
from tests.unit.walking import PEER, Says, raises, request, states

from doorward import (
    AsyncDoorward,
    ConfigurationError,
    Doorward,
    Mode,
    UnknownArgument,
    rate_limit,
    sliding_window,
)
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock


def client(*rules, **options) -> Doorward:
    return Doorward(rules, **{"clock": FakeClock(), **options})


def limit(most: int = 2, **options):
    return sliding_window(max=most, interval="1m", **options)


def scope(path: str = "/") -> dict:
    return {"type": "http", "path": path, "headers": [], "client": (PEER, 1)}


def statuses(aj: Doorward, times: int) -> list[int]:
    return [aj.protect(request()).status for _ in range(times)]


async def _protect(aj: AsyncDoorward):
    return await aj.protect(request())


@pytest.mark.parametrize(
    ("variable", "mode", "modes", "statuses_"),
    [
        ("", "LIVE", ["LIVE", "DRY_RUN", "LIVE"], [200, 429]),
        ("", "DRY_RUN", ["DRY_RUN", "DRY_RUN", "LIVE"], [200, 429]),
        ("dry-run", "LIVE", ["DRY_RUN", "DRY_RUN", "DRY_RUN"], [200, 200]),
        ("LIVE", "DRY_RUN", ["LIVE", "DRY_RUN", "LIVE"], [200, 429]),
        (" off ", "LIVE", ["LIVE", "DRY_RUN", "LIVE"], [200, 200]),
    ],
)
def test_the_environment_overrides_modes(
    monkeypatch: pytest.MonkeyPatch, variable: str, mode: str, modes: list[str], statuses_: list[int]
) -> None:
    """DRY_RUN makes every rule dry, LIVE changes only the default, OFF switches everything off."""
    monkeypatch.setenv("DOORWARD_MODE", variable)
    live = sliding_window(max=1, interval="2m", mode=Mode.LIVE)
    aj = client(limit(1, name="a"), limit(1, name="b", mode="DRY_RUN"), live, mode=mode)
    assert list(aj.health()["rules"].values()) == modes
    assert statuses(aj, 2) == statuses_


def test_off_evaluates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the request is looked at; both clients say so."""
    monkeypatch.setenv("DOORWARD_MODE", "OFF")
    aj = client(Says(does=raises))
    decision = aj.protect(request())
    assert (decision.reason.explain(), states(decision)) == ("off: DOORWARD_MODE is OFF", ["NOT_RUN"])
    assert asyncio.run(_protect(aj.as_async())).is_allowed()
    assert aj.health()["mode"] == "OFF"


def test_a_mode_that_does_not_exist_is_an_error_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt kill switch must not go unnoticed."""
    monkeypatch.setenv("DOORWARD_MODE", "OF")
    with pytest.raises(ConfigurationError, match="DOORWARD_MODE: must be LIVE, DRY_RUN or OFF"):
        client()


@pytest.mark.parametrize(("environment", "timeout"), [("", 0.5), ("production", 0.5), (" Development ", 1.0)])
def test_development_waits_longer(monkeypatch: pytest.MonkeyPatch, environment: str, timeout: float) -> None:
    """And an explicit timeout holds everywhere."""
    monkeypatch.setenv("DOORWARD_ENV", environment)
    assert client().runtime.settings.timeout == timeout
    assert client(timeout=0.25).runtime.settings.timeout == 0.25


WRONG = {
    "mode": ["dry", None, 5], "characteristics": ["ip.src", ["ip.dst"], 5],
    "timeout": [0, -1, 61, "soon", True, float("nan")],
    "on_error": ["local", "open", None], "name": ["", "a b", "a:b", 5, "x" * 65], "workers": [0, -1, 1.5, True, 10_001],
    "body_limit": [0, -1, 2**30, "1"], "limits": [5, ["/a"], {"/a": 5}, {"/a": "5/eon"}],
    "thresholds": [5, {"ALLOW": 1}, {"DENY": 0}, {"DENY": "1"}, {"DENY": True},
                   {"DENY": float("inf")}, {"DENY": float("nan")}],
    "on_decision": [5, "print"], "logger": ["doorward", 5], "clock": [5, object()], "ipv6_prefix": [0, 129, "64"],
    "mask_addresses": [1, None], "store": [None, "redsi://h", "host", 5, object(), SimpleNamespace(count=1)],
}  # fmt: skip


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in WRONG.items() for value in values])
def test_a_wrong_option_is_an_error_that_names_it(field: str, value: object) -> None:
    """At construction, saying what is accepted."""
    with pytest.raises(ConfigurationError) as caught:
        Doorward(**{field: value})
    assert caught.value.field in (field, "limit")
    assert isinstance(caught.value, ValueError)


def test_an_unknown_option_is_answered_with_the_known_ones() -> None:
    """As Python's own TypeError, but helpful."""
    with pytest.raises(
        UnknownArgument, match=r"timeot: AsyncDoorward takes no such argument. Did you mean timeout\?"
    ) as caught:
        AsyncDoorward(timeot=1)
    assert isinstance(caught.value, TypeError)
    assert "rules, secret, service, store, thresholds" in str(caught.value)


@pytest.mark.parametrize("rules", [5, "limit", None, [5], [[limit(), None]], {"a": 1}], ids=repr)
def test_what_is_no_rule_is_an_error(rules: object) -> None:
    """Before the first request, not at it."""
    with pytest.raises(ConfigurationError, match="rules"):
        Doorward(rules)


def test_one_rule_and_nested_rules_are_rules() -> None:
    """Builders return one rule or several."""
    assert [rule.name for rule in Doorward(limit()).engine.bound] == ["sliding_window"]
    nested = Doorward([limit(), [rate_limit("1/s; 2/m"), [Says(), Says(name="sliding_window")]]])
    assert [rule.name for rule in nested.engine.bound] == [
        "sliding_window", "sliding_window-2", "sliding_window-3", "says", "sliding_window-4",
    ]  # fmt: skip


def test_a_store_has_to_say_whether_it_blocks() -> None:
    """Nobody else can know."""

    class Mum(MemoryStore):
        blocking = None  # type: ignore[assignment]

    with pytest.raises(ConfigurationError, match="must say in blocking"):
        client(store=Mum())


def test_a_callback_that_nobody_would_await_is_an_error() -> None:
    """A coroutine function as ``on_decision`` would never run."""

    async def callback(*_: object) -> None:
        return

    with pytest.raises(ConfigurationError, match="on_decision: must be a plain function"):
        client(on_decision=callback)


def test_on_decision_is_told_every_decision_once() -> None:
    """With the request it is about; not again where nothing new was decided."""
    seen = []
    aj = client(limit(9), on_decision=lambda decision, request: seen.append((decision.conclusion, request.path)))
    carrier = scope("/a")
    aj.protect(carrier)
    aj.protect(carrier)
    aj.protect(carrier, requested=1)
    assert seen == [("ALLOW", "/a")] * 2


@pytest.mark.swallows_errors
@pytest.mark.parametrize(("on_error", "status"), [("allow", 200), ("deny", 503)])
def test_a_bug_of_ours_is_a_decision_too(on_error: str, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks inside, the application gets what it configured; blocking and awaiting."""
    for store in (None, awaitable(MemoryStore())):
        aj = AsyncDoorward([limit()], on_error=on_error, **({"store": store} if store else {}))
        monkeypatch.setattr(type(aj.engine), "evaluate", _broken)
        aj.engine.express = None
        decision = asyncio.run(_protect(aj))
        assert (decision.status, decision.reason.message) == (status, "RuntimeError: a bug of ours")
        assert states(decision) == ["NOT_RUN"]


def _broken(*_: object, **__: object):
    raise RuntimeError("a bug of ours")
