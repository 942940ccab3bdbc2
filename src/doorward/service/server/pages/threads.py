"""Reading the log, which blocks: on few threads of its own, so that pages take none from decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CapacityLimiter

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2
SECONDS = 20
"""That a page may take; the thread goes on, and keeps its place, until it is done."""


class Threads:
    """Runs what blocks."""

    def __init__(self) -> None:
        self._limiter: CapacityLimiter | None = None

    async def run(self, function: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
        """What ``function`` comes to.

        Raises:
            TimeoutError: It took too long.
        """
        from functools import partial

        from anyio import CapacityLimiter, fail_after, to_thread

        self._limiter = self._limiter or CapacityLimiter(AT_ONCE)
        with fail_after(SECONDS):
            return await to_thread.run_sync(
                partial(function, *values, **named), limiter=self._limiter, abandon_on_cancel=True
            )
