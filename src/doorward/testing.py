"""Public doubles for tests: of doorward, and of applications that use it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from doorward import journal
from doorward.clock import NANOSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FakeClock", "swallowed_errors"]


@contextmanager
def swallowed_errors() -> Iterator[list[tuple[str, BaseException]]]:
    """Collect the errors of doorward's own, and of callbacks, that are kept from the application meanwhile.

    In production they are counted and logged. In tests, check at the end that the list is empty::

        with swallowed_errors() as errors:
            client.post("/signup")
        assert not errors
    """
    errors: list[tuple[str, BaseException]] = []

    def observe(where: str, error: BaseException) -> None:
        errors.append((where, error))

    journal.observers.append(observe)
    try:
        yield errors
    finally:
        journal.observers.remove(observe)


class FakeClock:
    """A clock that stands still until it is told.

    Args:
        start: Seconds since the Unix epoch; the default is a round hour, so that windows start there too.
    """

    __slots__ = ("_now",)

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = round(start * NANOSECONDS)

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._now

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now / NANOSECONDS

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass; a negative number steps the clock back, as a broken host would."""
        self._now += round(seconds * NANOSECONDS)
