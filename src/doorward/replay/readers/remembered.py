"""What lines repeat is worked out once: times, request lines, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

V = TypeVar("V")
_MOST = 8_192
_LONGEST = 200


class Remembered(dict[str, V], Generic[V]):
    """A function of a text, with its latest results; ``remembered[text]`` is as quick as a dictionary.

    Args:
        work_out: The function. What it raises is raised again each time.
        most: Results that are kept; all are forgotten when there are more, which is cheaper than telling old from new.
    """

    def __init__(self, work_out: Callable[[str], V], most: int = _MOST) -> None:
        super().__init__()
        self._work_out = work_out
        self._most = most

    def __missing__(self, text: str) -> V:
        value = self._work_out(text)
        if len(text) <= _LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[text] = value
        return value
