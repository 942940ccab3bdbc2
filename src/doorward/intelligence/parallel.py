"""A few things at once, in threads that nobody has to wait for."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each_as_it_ends(
    items: Sequence[_Item], work: Callable[[_Item], _Result], threads: int
) -> Iterator[tuple[_Item, _Result | Exception]]:
    """Do some work on each item, and tell of each when it is done, with what came out or what it raised.

    The threads are daemons: when the caller is interrupted, the process can end while one still waits for a server.
    """
    waiting: queue.SimpleQueue[_Item] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[_Item, _Result | Exception]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)

    def take() -> None:
        while True:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, work(item)))
            except Exception as error:
                done.put((item, error))

    for _ in range(min(threads, len(items))):
        threading.Thread(target=take, daemon=True).start()
    for _ in items:
        yield done.get()
