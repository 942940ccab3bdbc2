"""The last decisions, for everyone who watches."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from doorward import Decision, RequestContext

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b": still here\n\n"
RETRY = b"retry: 1000\n\n"


class Event(NamedTuple):
    """One decision as a frame of Server-Sent Events."""

    number: int
    frame: bytes


class Feed:
    """Decisions in memory, bounded in every direction. For one event loop.

    Args:
        most_events: Decisions that are kept for viewers who come later.
        most_viewers: Pages that may be open at the same time.
        most_waiting: Decisions that a viewer may lag behind. Who is slower is dropped: the browser comes back by
            itself, and is given what it missed.
        keep_alive: Seconds of silence after which a comment is sent, so that proxies leave the connection open.
    """

    def __init__(
        self,
        most_events: int = 200,
        most_viewers: int = 100,
        most_waiting: int = 64,
        keep_alive: float = KEEP_ALIVE_SECONDS,
    ) -> None:
        self._events: deque[Event] = deque(maxlen=most_events)
        self._viewers: set[asyncio.Queue[bytes | None]] = set()
        self._most_viewers = most_viewers
        self._most_waiting = most_waiting
        self._keep_alive = keep_alive
        # From the clock, so that a page that stayed open over a restart knows the new decisions from the old.
        self._numbers = itertools.count(time.time_ns() // 1000)

    @property
    def viewers(self) -> int:
        """Pages that are open."""
        return len(self._viewers)

    @property
    def is_full(self) -> bool:
        """Whether one more viewer would be too many."""
        return len(self._viewers) >= self._most_viewers

    def publish(self, decision: Decision, request: RequestContext) -> None:
        """Show a decision to everyone; this is what the demo gives as ``on_decision``."""
        number = next(self._numbers)
        data = json.dumps(described(decision, request), separators=(",", ":"))
        event = Event(number, f"id: {number}\ndata: {data}\n\n".encode())
        self._events.append(event)
        for viewer in list(self._viewers):
            try:
                viewer.put_nowait(event.frame)
            except asyncio.QueueFull:
                self._drop(viewer)

    def close(self) -> None:
        """End every viewer's stream."""
        for viewer in list(self._viewers):
            self._drop(viewer)

    async def watch(self, after: int = 0) -> AsyncIterator[bytes]:
        """The frames for one viewer: what it has not seen yet, then what comes.

        Args:
            after: Number of the last decision that it has seen.
        """
        viewer: asyncio.Queue[bytes | None] = asyncio.Queue(self._most_waiting)
        self._viewers.add(viewer)
        missed = [event.frame for event in self._events if event.number > after]
        try:
            yield RETRY + b"".join(missed)
            while (frame := await self._next(viewer)) is not None:
                yield frame
        finally:
            self._viewers.discard(viewer)

    async def _next(self, viewer: asyncio.Queue[bytes | None]) -> bytes | None:
        try:
            async with asyncio.timeout(self._keep_alive):
                return await viewer.get()
        except TimeoutError:
            return KEEP_ALIVE

    def _drop(self, viewer: asyncio.Queue[bytes | None]) -> None:
        self._viewers.discard(viewer)
        while not viewer.empty():
            viewer.get_nowait()
        viewer.put_nowait(None)


def described(decision: Decision, request: RequestContext) -> dict[str, Any]:
    """A decision as the page shows it. Text that clients chose is made printable and short."""
    return {
        "id": decision.id,
        "at": decision.now_ns // 1_000_000,
        "method": printable(request.method, 20),
        "path": printable(request.path),
        "ip": decision.ip.address,
        "how": decision.ip.provenance,
        "conclusion": decision.conclusion.value,
        "status": decision.status,
        "by": _refusing(decision),
        "why": printable(decision.reason.explain()),
        "dryRun": decision.dry_run or "",
        "retryAfter": decision.headers.get("Retry-After", ""),
        "rules": [
            {
                "name": printable(result.rule),
                "state": result.state.value,
                "conclusion": result.conclusion.value,
                "why": printable(result.reason.explain().removeprefix(f"{result.rule}: ")),
                "note": printable(result.note),
            }
            for result in decision.results
        ],
    }


def _refusing(decision: Decision) -> str:
    """Names of the live rules that refused."""
    return ", ".join(printable(r.rule) for r in decision.results if r.decides and r.conclusion == "DENY")
