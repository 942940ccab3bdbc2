"""``store=``: what each URL opens, and what is said about those that open nothing."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from doorward import ConfigurationError, Doorward, sliding_window
from doorward.clock import SystemClock
from doorward.stores import MemoryStore, open_store
from doorward.testing import FakeClock

OPENED: list[tuple[str, object, float]] = []


def opener(url: str, clock: object, timeout: float) -> MemoryStore:
    OPENED.append((url, clock, timeout))
    return MemoryStore()


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules that open URLs, replaced: what they do with one is tested with them."""
    OPENED.clear()
    for name, function in (("shared", "open_shared"), ("redis", "open_redis")):
        module: Any = ModuleType(f"doorward.stores.{name}")
        setattr(module, function, opener)
        monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.mark.parametrize(
    "url",
    [
        "shared:///run/app/table",
        "redis://localhost",
        "rediss://user:secret@h:1/0",
        "valkey://h",
        "valkeys://h",
        "redis+cluster://a,b",
        "rediss+sentinel://a,b/name",
        "valkey+unix:///run/valkey.sock",
    ],
)
def test_a_url_opens_what_its_scheme_says(url: str) -> None:
    """Whole, with the client's clock and deadline."""
    clock = FakeClock()
    aj = Doorward([sliding_window(max=5, interval=60)], store=url, clock=clock, timeout=0.25)
    ((opened, at, timeout),) = OPENED
    assert (opened, at, timeout) == (url, clock, 0.25)
    assert aj.runtime.refusals._longest_ns == 10**9, "others may lift a refusal"


def test_memory_is_opened_without_any_module() -> None:
    """The default."""
    assert type(open_store("memory://", SystemClock(), 0.5)) is MemoryStore
    assert OPENED == []


@pytest.mark.parametrize(
    "url", ["redsi://user:secret@host", "http://user:secret@host", "+cluster://secret", "://secret"]
)
def test_a_url_that_opens_nothing_is_refused_without_its_password(url: str) -> None:
    """The scheme is named, and those that there are; the rest may be secret."""
    with pytest.raises(ConfigurationError, match=r"store: must be .*memory://.*shared://.*redis://") as refused:
        open_store(url, SystemClock(), 0.5)
    assert "secret" not in str(refused.value)
