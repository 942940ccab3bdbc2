"""What was looked at before and found clean: most header values come again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

MOST = 2_048
LONGEST = 512


class Known:
    """A bounded set that forgets what was not asked for during a whole generation.

    Two generations of at most ``most`` entries: what is asked for is carried over into the younger one. Losing an entry
    to another thread costs one scan, so that no lock is needed.

    Args:
        most: Entries of a generation.
    """

    __slots__ = ("_most", "_older", "_younger")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._younger: set[Hashable] = set()
        self._older: set[Hashable] = set()

    def __contains__(self, key: Hashable) -> bool:
        if key in self._younger:
            return True
        if key in self._older:
            self._add(key)
            return True
        return False

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def remember(self, keys: Iterable[tuple[Hashable, int]]) -> None:
        """Add keys, each with the length of the value that it stands for; long ones are not worth their room."""
        for key, length in keys:
            if length <= LONGEST:
                self._add(key)

    def _add(self, key: Hashable) -> None:
        if len(self._younger) >= self._most:
            self._older, self._younger = self._younger, set()
        self._younger.add(key)
