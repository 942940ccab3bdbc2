"""Stores that fail and rules that look: what the behaviour tests put in place of the real ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from doorward import Conclusion, RuleReason
from doorward.effects import Hit, Verdict
from doorward.rules.base import Outcome, Phase, Rule, View
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock


class FailingStore(MemoryStore):
    """A store whose ``count`` raises."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(clock=FakeClock())
        self.error = error or ConnectionError("the store is down")

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        raise self.error


class LyingStore(MemoryStore):
    """A store whose ``count`` answers nonsense."""

    def __init__(self, lie: Callable[[Sequence[Hit]], Any]) -> None:
        super().__init__(clock=FakeClock())
        self._lie = lie

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        lie: Sequence[Verdict] = self._lie(hits)
        return lie


class HangingStore(MemoryStore):
    """A store whose ``count`` does not come back before it is released."""

    blocking = True

    def __init__(self) -> None:
        super().__init__(clock=FakeClock())
        self.released = threading.Event()

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        self.released.wait()
        return super().count(hits)


class ShakyStore(MemoryStore):
    """A memory store that does as it is told: ``mode`` is well, raises, hangs or lies.

    ``asked`` counts the questions of requests; those of the background have a counter of their own to ask about.
    """

    blocking: bool = True

    def __init__(self, clock: FakeClock, *, blocking: bool = True) -> None:
        super().__init__(clock=clock)
        self.blocking = blocking  # type: ignore[misc]
        self.mode = "well"
        self.asked = 0
        self.released = threading.Event()

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        self.asked += hits[0].key != "doorward:probe"
        if self.mode == "hangs":
            self.released.wait()
        return self.said(hits)

    def said(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        if self.mode == "raises":
            raise ConnectionError("connection refused")
        if self.mode == "lies":
            return [Verdict(True, -1, 0.0, 0.0)] * (len(hits) + 1)
        return super().count(hits)

    def get_well(self) -> None:
        self.mode = "well"
        self.released.set()


class AwaitedStore:
    """The same for code that awaits."""

    blocking = True

    def __init__(self, clock: FakeClock) -> None:
        self.within = ShakyStore(clock)

    async def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        self.within.asked += hits[0].key != "doorward:probe"
        while self.within.mode == "hangs":  # noqa: ASYNC110  (told from outside any loop)
            await asyncio.sleep(0.002)
        return self.within.said(hits)

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any) -> Any:
            return getattr(self.within, name)(*arguments)

        return call


class SleepingStore:
    """An asynchronous store that never answers."""

    blocking = True

    def __init__(self) -> None:
        self.waiting = 0

    async def count(self, hits: Sequence[Hit]) -> Any:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        self.waiting = 0

    def __getattr__(self, name: str) -> Any:
        async def unused(*_: object) -> None:
            raise NotImplementedError(name)

        return unused


def allowed() -> Outcome:
    return Outcome(Conclusion.ALLOW, RuleReason("double", "nothing wrong"))


@dataclass(frozen=True, kw_only=True)
class Spy(Rule):
    """Allows everything, and keeps what it saw."""

    kind: ClassVar[str] = "SPY"
    phase: ClassVar[Phase] = Phase.LOCAL

    seen: list[View] = field(default_factory=list)

    def evaluate(self, view: View) -> Outcome:
        self.seen.append(view)
        return allowed()


@dataclass(frozen=True, kw_only=True)
class BodySpy(Spy):
    """A spy that reads bodies; ``bodies`` holds what it was shown, and whether that was all."""

    needs_body: ClassVar[bool] = True

    bodies: list[tuple[bytes | None, bool]] = field(default_factory=list)

    def evaluate(self, view: View) -> Outcome:
        self.bodies.append((view.request.body, view.request.body_complete))
        return super().evaluate(view)


@dataclass(frozen=True, kw_only=True)
class EmailSpy(Spy):
    """A spy that needs an e-mail address."""

    needs: ClassVar[str] = "email"


@dataclass(frozen=True, kw_only=True)
class Refuser(Rule):
    """Refuses requests that carry a marker in their query."""

    kind: ClassVar[str] = "REFUSER"
    phase: ClassVar[Phase] = Phase.LOCAL

    marker: str = "attack"

    def evaluate(self, view: View) -> Outcome:
        if self.marker in view.request.query:
            return Outcome(Conclusion.DENY, RuleReason("refuser", "the marker was there"))
        return allowed()


@dataclass(frozen=True, kw_only=True)
class Breaker(Rule):
    """Raises."""

    kind: ClassVar[str] = "BREAKER"
    phase: ClassVar[Phase] = Phase.LOCAL

    error: Exception = field(default_factory=lambda: RuntimeError("a bug in a rule"))

    def evaluate(self, view: View) -> Outcome:
        raise self.error


@dataclass(frozen=True, kw_only=True)
class Opener(Rule):
    """An ``allow`` rule for a path, which ends other kinds of rules."""

    kind: ClassVar[str] = "OPENER"
    phase: ClassVar[Phase] = Phase.ACCESS

    path: str = "/echo"
    ends: frozenset[str] = frozenset()

    def evaluate(self, view: View) -> Outcome:
        ends = self.ends if view.request.path == self.path else frozenset()
        return Outcome(Conclusion.ALLOW, RuleReason("opener", "let in"), ends=ends)
