"""Refusals that are remembered in this process, so that a client that keeps knocking costs next to nothing."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import NamedTuple

MOST_REMEMBERED = 10_000
SHARED_BELIEF_NS = 1_000_000_000
"""How long a refusal is believed where another process or client may lift it (design: "refusals remembered")."""
FOREVER_NS = 10**19


class Refusal(NamedTuple):
    """A counter that has no room.

    Attributes:
        until_ns: When it may have room again.
        cost: The least cost that it was asked for and refused.
        remaining: Units left at that time.
        believed_ns: Until when the store need not be asked; others may lift the refusal before it ends.
    """

    until_ns: int
    cost: int
    remaining: int
    believed_ns: int = 0


class Refusals:
    """A bounded map from counter keys to refusals; the one remembered first goes first.

    Args:
        longest_ns: For how long one is believed without asking the store again. Short where others can lift it.
        most: How many are remembered.
        keeps: Whether those are kept that are not believed any more, for when nobody can be asked.

    Attributes:
        epoch: Goes up with everything that is forgotten: what the store said before that is not remembered after it.
    """

    __slots__ = ("_keeps", "_known", "_longest_ns", "_most", "epoch")

    def __init__(self, longest_ns: int, most: int = MOST_REMEMBERED, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._known: OrderedDict[str, Refusal] = OrderedDict()
        self._longest_ns = longest_ns
        self._most = most
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def remember(self, key: str, refusal: Refusal, now_ns: int, epoch: int) -> None:
        """Keep a refusal that the store was asked about in ``epoch``, for as long as it is believed."""
        if epoch != self.epoch:
            return
        if len(self._known) >= self._most and key not in self._known:
            with suppress(KeyError):  # another thread may have cleared it just now
                self._known.popitem(last=False)
        self._known[key] = refusal._replace(believed_ns=min(refusal.until_ns, now_ns + self._longest_ns))

    def recall(self, key: str, cost: int, now_ns: int, *, away: bool = False) -> Refusal | None:
        """The refusal of ``key``, if it still holds and was for no more than ``cost``.

        Args:
            key: The counter's.
            cost: What is asked for now.
            now_ns: The time.
            away: Whether nobody can be asked, so that what was said last holds to its end.
        """
        refusal = self._known.get(key)
        if refusal is None or cost < refusal.cost:
            return None
        if now_ns >= (refusal.until_ns if away else refusal.believed_ns):
            if now_ns >= refusal.until_ns or not self._keeps:
                self._known.pop(key, None)
            return None
        return refusal

    def forget(self, key: str) -> None:
        """The store has to be asked about ``key`` again."""
        self.epoch += 1
        self._known.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self.epoch += 1
        self._known.clear()
