"""The connections that a process, or one of its event loops, has open."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from doorward.service.client.awaiting_network import AsyncLine

MOST_IDLE_SECONDS = 4.0
"""Less than servers keep a connection (uvicorn and hypercorn: 5 s): closed by them while a request is on its way to
them, it would cost a decision, since a request that may have been counted is not sent again."""


class _Line(Protocol):
    idle_since: float

    def is_quiet(self) -> bool: ...
    def close(self) -> None: ...


AnyLine = TypeVar("AnyLine", bound=_Line)


class Lines(Generic[AnyLine]):
    """Connections; of those between two calls the one used last comes first. Taking and giving need no lock.

    Args:
        most: Of those between two calls.

    Attributes:
        open: All of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: deque[AnyLine] = deque()
        self.open: set[AnyLine] = set()

    def add(self, line: AnyLine) -> AnyLine:
        """Keep a new one in mind, which is in use."""
        self.open.add(line)
        return line

    def take(self) -> AnyLine | None:
        """One that is known to be open still."""
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if time.monotonic() - line.idle_since < MOST_IDLE_SECONDS and line.is_quiet():
                return line
            self.drop(line)
        return None

    def give(self, line: AnyLine) -> None:
        """Put one back that is of use for another call."""
        line.idle_since = time.monotonic()
        self._idle.append(line)
        if len(self._idle) > self._most:
            self.drop(self._idle.popleft())

    def drop(self, line: AnyLine) -> None:
        """Close one."""
        line.close()
        self.open.discard(line)

    def drop_idle(self) -> None:
        """Close those between two calls."""
        while self._idle:
            try:
                self.drop(self._idle.pop())
            except IndexError:
                return

    def drop_all(self, close: Callable[[AnyLine], None] | None = None) -> None:
        """Close all, by ``close`` where that is given."""
        self._idle.clear()
        for line in list(self.open):
            (close or type(line).close)(line)
        self.open.clear()


class LoopLines:
    """Those of one event loop.

    Args:
        most: As :class:`Lines` takes it.
    """

    def __init__(self, most: int) -> None:
        self.lines: Lines[AsyncLine] = Lines(most)
        self._end: AsyncGenerator[None, None] | None = None

    async def watch(self) -> None:
        """Close all when the loop ends: whoever ends one closes the asynchronous generators that were begun on it."""
        self._end = self._until_end()
        await anext(self._end)

    async def _until_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            self.lines.drop_all()

    def close_without_loop(self) -> None:
        """Close all of a loop that has ended without a word."""
        self.lines.drop_all(lambda line: line.close_without_loop())


__all__ = ["MOST_IDLE_SECONDS", "Lines", "LoopLines"]
