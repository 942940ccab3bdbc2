"""How many questions to other hosts one site may have open, so that its visitors do not take everybody's turn.

The resolver asks a hundred questions at once. Whoever signs up with names whose servers are silent keeps some of them
for as long as a decision may last; without a bound, one site's visitors could have all other sites go without answers.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.effects import Failed, Gather
from doorward.errors import ResolverError

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.effects import Effect

T = TypeVar("T")

MOST_OF_SITE = 40
"""Requests of one site that wait for other hosts."""


class Lookups:
    """Counts who waits for other hosts. For one event loop."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    def bounded(self, site: str, flow: Generator[Effect, Any, T]) -> Generator[Effect, Any, T]:
        """``flow``, whose questions fail at once while too many of the site's requests wait for answers."""
        try:
            effect = next(flow)
            while True:
                try:
                    answer = yield from self._performed(site, effect)
                except Exception as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _performed(self, site: str, effect: Effect) -> Generator[Effect, Any, Any]:
        if not isinstance(effect, Gather):
            return (yield effect)
        if self._waiting[site] >= MOST_OF_SITE:
            message = f"{MOST_OF_SITE} requests of this site wait for answers already; this one is not asked about"
            return [Failed(ResolverError(message)) for _ in effect.effects]
        self._waiting[site] += 1
        try:
            return (yield effect)
        finally:
            self._waiting[site] -= 1
            if not self._waiting[site]:
                del self._waiting[site]


__all__ = ["Lookups"]
