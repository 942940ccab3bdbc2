"""P8: the deadline is for all calls of a decision, also with a store that keeps a deadline by itself."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from doorward import Doorward, RequestContext, shield, sliding_window
from doorward.stores import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.effects import Hit, Verdict

SUSPICIOUS = RequestContext(peer="203.0.113.9", path="/a", query="q=..%2F")


class Slow(MemoryStore):
    """Takes a while for its first call, so that less than its own deadline is left for the second."""

    blocking, keeps_deadline, timeout = True, True, 0.2

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[str, str] = {}
        self.over = threading.Event()

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        self.threads["count"] = threading.current_thread().name
        self.over.wait(60)
        return super().count(hits)

    def tally(self, key: str, weight: float, window: float) -> float:
        self.threads["tally"] = threading.current_thread().name
        self.over.wait(0.1)
        return super().tally(key, weight, window)


@pytest.fixture
def store() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.over.set()


def test_what_is_left_is_watched(store: Slow) -> None:
    """The first call needs no thread; the second is given up when the deadline of the decision is over."""
    with Doorward([shield(), sliding_window(max=5, interval=60)], store=store, timeout=0.2) as aj:
        assert aj.protect(SUSPICIOUS).is_allowed()
        assert store.threads["tally"] == threading.current_thread().name
        assert store.threads["count"] != threading.current_thread().name
        store.over.set()


def test_a_store_with_a_longer_deadline_is_watched(store: Slow) -> None:
    """It keeps its own, which is not the client's."""
    with Doorward([sliding_window(max=5, interval=60)], store=store, timeout=0.05) as aj:
        reason = aj.protect(RequestContext(peer="203.0.113.9")).reason
        assert "deadline of 0.05 s" in getattr(reason, "degraded", "")
        assert store.threads["count"] != threading.current_thread().name
        store.over.set()
