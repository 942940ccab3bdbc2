"""A small cache for answers to what many requests have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from doorward.locks import lock_over_forks

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps the answers asked for most recently, in two generations.

    A plain look-up is all that a hit costs. When the younger generation is full it becomes the older one, and what is
    not asked for until the next time is forgotten. Safe to use from several threads.

    Args:
        size: How many answers are kept at most; at least 2.
    """

    def __init__(self, size: int) -> None:
        self._half = max(1, size // 2)
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self._lock = lock_over_forks()

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: Key) -> Value | None:
        """The answer that was put there under the key."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep an answer."""
        with self._lock:
            if len(self._young) >= self._half:
                self._old, self._young = self._young, {}
            self._young[key] = value
            self._old.pop(key, None)
