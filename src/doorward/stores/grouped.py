"""All or none within each group: how a store in Python charges several hits, over four things it can do with one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import ceil
from typing import TYPE_CHECKING

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Verdict
from doorward.stores.algorithms import DECIDE, State, refund, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.effects import Charge, Hit

_LONGEST = 100 * 365 * 86_400.0
"""Seconds: what an endless ``ttl`` is cut to."""


def lifetime(duration: float) -> int:
    """A ``ttl`` or ``window`` in nanoseconds."""
    return ceil(min(duration, _LONGEST) * NANOSECONDS)


class GroupedCounters(ABC):
    """Counting, once the counters are locked: what :meth:`~doorward.stores.base.Store.count` says of groups."""

    __slots__ = ()

    @abstractmethod
    def _read(self, key: str) -> State | None:
        """The state of a counter; it may have expired."""

    @abstractmethod
    def _write(self, key: str, state: State | None, now: int) -> None:
        """Keep a counter's state; None forgets it."""

    @abstractmethod
    def _set_aside(self, key: str, state: State | None, end: int, now: int) -> None:
        """Spare a refused counter, whose state this is, from a flood until ``end``."""

    @abstractmethod
    def _ban_left(self, key: str, now: int) -> int:
        """Nanoseconds left to a ban; 0 where there is none."""

    def _count_many(self, hits: Sequence[Hit], now: int) -> list[Verdict]:
        groups: dict[tuple[bool, int], list[int]] = {}
        for place, hit in enumerate(hits):
            groups.setdefault((hit.dry_run, hit.group), []).append(place)
        verdicts: dict[int, Verdict] = {}
        live_refused = False
        for (dry, _), places in sorted(groups.items()):  # the live ones first
            asked = [hits[place] for place in places]
            answers = [self._peek_one(hit, now) for hit in asked] if live_refused else self._count_group(asked, now)
            live_refused = live_refused or not (dry or all(answer.admitted for answer in answers))
            verdicts.update(zip(places, answers, strict=True))
        return [verdicts[place] for place in range(len(hits))]

    def _count_group(self, hits: Sequence[Hit], now: int) -> list[Verdict]:
        """Hits of one group. Each sees what those before it would charge; nothing is kept unless all have room."""
        charged: dict[str, State] = {}
        verdicts = []
        for hit in hits:
            if hit.algorithm is Algorithm.BAN:
                verdicts.append(self._ban_verdict(hit, now))
                continue
            state = charged.get(hit.key) or self._read(hit.key)
            new, left, reset, retry = DECIDE[hit.algorithm](state, hit.max, hit.interval, hit.cost, now)
            if new is None:
                self._set_aside(hit.key, self._read(hit.key), now + retry, now)
            else:
                charged[hit.key] = new
            verdicts.append(Verdict(new is not None, left, seconds(reset), seconds(retry), now))
        if not all(verdict.admitted for verdict in verdicts):
            pairs = zip(hits, verdicts, strict=True)
            return [self._peek_one(hit, now) if verdict.admitted else verdict for hit, verdict in pairs]
        for key, state in charged.items():
            self._write(key, state, now)
        return verdicts

    def _peek_one(self, hit: Hit, now: int) -> Verdict:
        if hit.algorithm is Algorithm.BAN:
            return self._ban_verdict(hit, now)
        state = self._read(hit.key)
        decide = DECIDE[hit.algorithm]
        new, _, _, retry = decide(state, hit.max, hit.interval, hit.cost, now)
        _, left, reset, _ = decide(state, hit.max, hit.interval, 0, now)
        return Verdict(new is not None, left, seconds(reset), seconds(retry), now)

    def _refund_all(self, charges: Sequence[Charge], now: int) -> None:
        for hit, at in charges:
            state = self._read(hit.key)
            if state is not None and hit.algorithm is not Algorithm.BAN:
                self._write(hit.key, refund(state, hit, at, now), now)

    def _ban_verdict(self, hit: Hit, now: int) -> Verdict:
        left = self._ban_left(hit.key, now)
        if not left:
            return Verdict(True, hit.max, 0.0, 0.0, now)
        return Verdict(False, 0, seconds(left), seconds(left), now)
