"""Single use: what was redeemed once is not accepted again, by whichever worker it comes to."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from doorward.challenges.tokens import CLOCK_SKEW_MS
from doorward.effects import AskStore
from doorward.locks import lock_over_forks

if TYPE_CHECKING:
    from collections.abc import Generator

    from doorward.challenges.gate import Gate
    from doorward.effects import Effect

MOST = 10_000


class Spent:
    """What one process has seen redeemed: what single use is watched by while the store fails.

    Bounded: of too many, those taken first are forgotten. Thread safe, and safe over forks.
    """

    def __init__(self) -> None:
        self._until: OrderedDict[str, int] = OrderedDict()
        self._lock = lock_over_forks()

    def add(self, key: str, now_ms: int, until_ms: int) -> bool:
        """Whether ``key`` is new; from now on it is not, until ``until_ms``."""
        with self._lock:
            while self._until and (len(self._until) >= MOST or next(iter(self._until.values())) < now_ms):
                self._until.popitem(last=False)
            is_new = key not in self._until
            self._until.setdefault(key, until_ms)
            return is_new


def spent_first(gate: Gate, name: str, expires_ms: int, now_ms: int) -> Generator[Effect, object, bool]:
    """Whether nobody has redeemed ``name`` before; from now on somebody has, until it would not be accepted anyway.

    That is, by the clock of the worker that is furthest behind.
    """
    until_ms = expires_ms + CLOCK_SKEW_MS
    try:
        return bool((yield AskStore("add_if_absent", (f"gate:spent:{name}", (until_ms - now_ms) / 1000))))
    except Exception as error:
        gate.journal.swallowed("challenge store", error)
    if gate.settings.on_store_error == "local":
        return gate.spent.add(name, now_ms, until_ms)
    return gate.settings.on_store_error == "allow"
