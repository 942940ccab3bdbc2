"""The responses that one process has taken: what single use is watched by while the store fails."""

from __future__ import annotations

from collections import OrderedDict

from doorward.locks import lock_over_forks

MOST = 10_000


class Spent:
    """Bounded: of too many, those taken first are forgotten. Thread safe, and safe over forks."""

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
