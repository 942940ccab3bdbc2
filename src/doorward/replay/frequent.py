"""The most frequent of any number of names, in memory for a fixed number of them.

The Space-Saving algorithm of Metwally, Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in
Data Streams" (2005), with the buckets of its Stream-Summary. With ``most`` counters and N things counted:

* while no more than ``most`` names come, every count is exact;
* afterwards a count is never too low, and too high by at most its ``over``, which is at most N / ``most``;
* every name that comes more than N / ``most`` times is among those that are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class Estimate(NamedTuple):
    """How often a name came.

    Attributes:
        times: Never too low.
        over: By how much it may be too high; 0 for exact.
    """

    times: int
    over: int


class Frequent:
    """Counts names one by one.

    Args:
        most: Counters, from 1.
    """

    __slots__ = ("_buckets", "_counts", "_least", "_most", "_over")

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"most must be at least 1, not {most}")
        self._most = most
        self._counts: dict[str, int] = {}
        self._over: dict[str, int] = {}
        # By count, the names that have it, the longest there first. Only once there are more names than counters.
        # Ordered, since the first of a plain dict is behind all that were taken from its beginning.
        self._buckets: dict[int, OrderedDict[str, None]] | None = None
        self._least = 0

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def is_exact(self) -> bool:
        """Whether no name had to be given up."""
        return self._buckets is None

    def add(self, name: str) -> None:
        """Count a name once."""
        counts = self._counts
        count = counts.get(name)
        if self._buckets is None:
            if count is not None:
                counts[name] = count + 1
                return
            if len(counts) < self._most:
                counts[name] = 1
                return
            self._begin_buckets()
        if count is None:
            count = self._give_up_least()
            self._over[name] = count
        else:
            self._leave(name, count)
        self._enter(name, count + 1)

    def estimate(self, name: str) -> Estimate:
        """How often a name came; of one that is not kept, at most as often as the rarest that is."""
        count = self._counts.get(name)
        if count is not None:
            return Estimate(count, self._over.get(name, 0))
        return Estimate(0, 0) if self._buckets is None else Estimate(self._least, self._least)

    def top(self, number: int) -> list[tuple[str, Estimate]]:
        """The names that came most often, the most frequent first; equally frequent ones in the order of the text."""
        names = sorted(self._counts, key=lambda name: (-self._counts[name], name))[:number]
        return [(name, self.estimate(name)) for name in names]

    def _begin_buckets(self) -> None:
        buckets: dict[int, OrderedDict[str, None]] = {}
        for name, count in self._counts.items():
            buckets.setdefault(count, OrderedDict())[name] = None
        self._buckets = buckets
        self._least = min(buckets)

    def _give_up_least(self) -> int:
        """Forget the name that came least often, and longest ago among those; how often it came."""
        assert self._buckets is not None
        count = self._least
        name = next(iter(self._buckets[count]))
        self._leave(name, count)
        del self._counts[name]
        self._over.pop(name, None)
        return count

    def _leave(self, name: str, count: int) -> None:
        assert self._buckets is not None
        bucket = self._buckets[count]
        del bucket[name]
        if not bucket:
            del self._buckets[count]
            if count == self._least:
                self._least = count + 1  # where whoever left it goes, or who takes its place

    def _enter(self, name: str, count: int) -> None:
        assert self._buckets is not None
        self._counts[name] = count
        bucket = self._buckets.get(count)
        if bucket is None:
            bucket = self._buckets[count] = OrderedDict()
        bucket[name] = None


__all__ = ["Estimate", "Frequent"]
