"""The checks of what a store counts: groups, dry runs, refusals, refunds, algorithms, threads."""

from __future__ import annotations

import math
import random

from doorward.clock import NANOSECONDS
from doorward.effects import Algorithm, Charge, Hit, Verdict
from doorward.testing.checking import COUNTING, THREADS, StoreChecks, at_once, expect, expect_equal

_RESOLUTION = 0.001
"""Seconds that a ``retry_after`` may be too long."""
_EXACT_LOG = 32
"""Up to this ``max`` a sliding window is exact."""
_FLOATS_LOSE = 1e-6
_LARGEST = 10**15 - 1
"""The largest ``max`` and ``cost`` that a rule accepts."""


class CountingChecks(StoreChecks):
    """``count``, ``peek``, ``refund``."""

    # Verdicts

    def test_nothing_asked_is_nothing_answered(self) -> None:
        """Calls without hits or charges do nothing."""
        expect_equal(list(self.store.count([])), [], "count([])")
        expect_equal(list(self.store.peek([])), [], "peek([])")
        self.store.refund([])

    def test_there_is_one_verdict_a_hit_in_their_order(self) -> None:
        """A list or tuple of ``Verdict``, whose numbers are finite and not negative."""
        hits = [self.hit(name, most) for name, most in (("a", 5), ("b", 3), ("c", 9))]
        verdicts = self.store.count(hits)
        expect(isinstance(verdicts, list | tuple), f"count answers a list or a tuple, not {verdicts!r}")
        expect(all(type(verdict) is Verdict for verdict in verdicts), f"verdicts are Verdict: {verdicts!r}")
        expect_equal([verdict.remaining for verdict in verdicts], [4, 2, 8], "units left after the charge")
        for verdict in verdicts:
            expect(verdict.admitted is True, f"there was room: {verdict}")
            expect(verdict.retry_after == 0.0, f"retry_after is 0.0 where there was room: {verdict}")
            expect(0.0 < verdict.reset_after < math.inf, f"reset_after is a number of seconds: {verdict}")

    def test_a_refusal_says_when_to_come_back(self) -> None:
        """No units are left, and ``retry_after`` is finite and over 0."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, algorithm=algorithm)
            verdicts = [self.store.count([hit])[0] for _ in range(3)]
            expect_equal([v.admitted for v in verdicts], [True, True, False], f"two of {algorithm} have room")
            expect_equal([v.remaining for v in verdicts], [1, 0, 0], f"units left of {algorithm}")
            expect(0.0 < verdicts[2].retry_after <= 86_400.001, f"{algorithm} retry_after: {verdicts[2]}")

    def test_peek_changes_nothing(self) -> None:
        """It answers what ``count`` would, with the units left before the charge."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, algorithm=algorithm)
            expect_equal([self.store.peek([hit])[0][:2] for _ in range(3)], [(True, 2)] * 3, f"peek of {algorithm}")
            self.store.count([hit])
            expect_equal([self.store.peek([hit])[0][:2] for _ in range(3)], [(True, 1)] * 3, f"peek of {algorithm}")
            self.store.count([hit])
            expect_equal(self.store.peek([hit])[0][:2], (False, 0), f"peek of a full {algorithm}")

    def test_costs_are_charged_whole_or_not_at_all(self) -> None:
        """A hit that costs more than is left is refused and charges nothing; one over ``max`` is never admitted."""
        for algorithm in COUNTING:
            dear = self.hit(algorithm, 5, algorithm=algorithm, cost=4)
            expect_equal([self.admitted(dear), self.admitted(dear)], [[True], [False]], f"4 of 5, twice, {algorithm}")
            expect_equal(self.admitted(dear._replace(cost=1)), [True], f"the fifth unit of {algorithm} is left")
            never = self.store.count([self.hit(f"{algorithm} never", 5, algorithm=algorithm, cost=6)])[0]
            expect(not never.admitted, f"6 of 5 are never admitted: {never}")
            expect(0.0 <= never.retry_after < math.inf, f"and yet retry_after is a number: {never}")

    def test_the_largest_numbers_are_counted(self) -> None:
        """``max`` and ``cost`` go up to 10**15 - 1."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, _LARGEST, algorithm=algorithm, cost=_LARGEST)
            expect_equal([self.admitted(hit), self.admitted(hit)], [[True], [False]], f"the largest of {algorithm}")
        for algorithm in (Algorithm.FIXED_WINDOW, Algorithm.SLIDING_WINDOW):
            hit = self.hit(f"{algorithm} to the unit", _LARGEST, algorithm=algorithm, cost=_LARGEST - 1)
            expect_equal(self.store.count([hit])[0].remaining, 1, f"all but one of {algorithm}")
            expect_equal(self.admitted(hit._replace(cost=2)), [False], f"two of the one that is left of {algorithm}")
            expect_equal(self.admitted(hit._replace(cost=1)), [True], f"the one that is left of {algorithm}")

    # Groups and dry runs

    def test_a_group_is_charged_all_or_none(self) -> None:
        """One refusal charges none of its group; the others say that they had room."""
        full, a, b = self.hit("full", 1), self.hit("a"), self.hit("b")
        self.store.count([full])
        for _ in range(4):
            expect_equal(self.admitted(a, full, b), [True, False, True], "each verdict is about its own hit")
        expect_equal([self.room(a), self.room(b)], [3, 3], "room of the others in the group")

    def test_groups_are_charged_apart(self) -> None:
        """A refusal in one group does not keep another from being charged."""
        full, other, mate = self.hit("full", 1, group=1), self.hit("other"), self.hit("mate", group=1)
        self.store.count([full])
        self.store.count([other, full, mate])
        expect_equal([self.room(other), self.room(mate)], [2, 3], "room of the other group, and of the refused one")

    def test_hits_of_one_call_may_share_a_key(self) -> None:
        """Each sees what those before it charge; a refusal undoes them all."""
        hit = self.hit("shared", 2)
        expect_equal(self.admitted(hit, hit, hit), [True, True, False], "three of two in one call")
        expect_equal(self.room(hit), 2, "room after the refusal")
        expect_equal(self.admitted(hit, hit), [True, True], "two of two in one call")

    def test_dry_runs_are_charged_as_if_live(self) -> None:
        """After the live ones; one that refuses holds no live hit back."""
        dry, live = self.hit("dry", 1, dry_run=True), self.hit("live", 3)
        expect_equal(self.admitted(dry, live), [True, True], "both have room")
        expect_equal(self.admitted(dry, live), [False, True], "the dry run is full")
        expect_equal(self.room(live), 1, "room of the live one, charged both times")

    def test_dry_runs_are_only_looked_at_after_a_live_refusal(self) -> None:
        """They say what they would have done, and stay uncharged."""
        dry, full = self.hit("dry", 2, dry_run=True), self.hit("full", 1)
        self.store.count([full])
        for _ in range(3):
            expect_equal(self.admitted(dry, full), [True, False], "the dry run has room, the live one not")
        expect_equal(self.room(dry), 2, "room of the dry run")

    # Refusals and time

    def test_refusals_never_prolong(self) -> None:
        """Who keeps knocking is let in when the time that the first refusal named is over."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, 2 * NANOSECONDS, algorithm=algorithm)
            self.store.count([hit, hit])
            wait = self.store.count([hit])[0].retry_after
            if not self.own_time:
                for _ in range(9):
                    self.clock.advance(wait / 10)
                    expect_equal(self.admitted(hit), [False], f"{algorithm} during the wait")
                wait /= 10
            # Where the store has a time of its own, this knocks all the while.
            self.becomes_true(wait, lambda hit=hit: self.admitted(hit)[0], f"{algorithm} lets in again")  # type: ignore[misc]

    def test_retry_after_is_exact(self) -> None:
        """It is enough for the same hit, and not longer than it has to be."""
        self.needs_clock()
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 7, 10 * NANOSECONDS + 19_000, algorithm=algorithm)
            for _ in range(20):
                while (verdict := self.store.count([hit])[0]).admitted:
                    self.clock.advance(0.1)
                if verdict.retry_after > _RESOLUTION:
                    self.clock.advance(verdict.retry_after - _RESOLUTION)
                    expect(not self.store.peek([hit])[0].admitted, f"{algorithm}: {verdict} waits too long")
                    self.clock.advance(_RESOLUTION)
                else:
                    self.clock.advance(verdict.retry_after)
                expect(self.store.peek([hit])[0].admitted, f"{algorithm}: {verdict} does not wait long enough")

    def test_no_window_admits_more_than_max(self) -> None:
        """Random traffic keeps the promise of each algorithm, and gets at least 95 % of what it allows."""
        self.needs_clock()
        for algorithm in COUNTING:
            for limit in (1, 5, 64):
                self._check_window(algorithm, limit, random.Random(limit))  # noqa: S311  (traffic, no secrets)

    def _check_window(self, algorithm: Algorithm, limit: int, rng: random.Random) -> None:
        hit = self.hit(f"{algorithm} {limit}", limit, 10 * NANOSECONDS, algorithm=algorithm)
        exact = algorithm is not Algorithm.SLIDING_WINDOW or limit <= _EXACT_LOG
        most_wasted = _FLOATS_LOSE if exact else limit / 20
        admitted: list[int] = []
        for _ in range(12 * limit):
            self.clock.advance(rng.choice((0.0, 0.01, 3.0 / limit, 20.0 / limit)))
            now = self.clock.now_ns()
            room = _room(algorithm, limit, hit.interval, admitted, now)
            if self.store.count([hit])[0].admitted:
                expect(
                    room > 1 - _FLOATS_LOSE, f"{algorithm} admits more than {limit}: {len(admitted)} before, at {now}"
                )
                admitted.append(now)
            else:
                expect(room < 1 + most_wasted, f"{algorithm} refuses with room for {room} of {limit}")

    def test_a_clock_that_steps_back_locks_nobody_out(self) -> None:
        """Waits stay finite and not negative, and two intervals later everybody is let in."""
        self.needs_clock()
        for algorithm in COUNTING:
            for jump in (-3600, 3600, -5):
                hit = self.hit(f"{algorithm} {jump}", 5, 60 * NANOSECONDS, algorithm=algorithm)
                for _ in range(8):
                    self.store.count([hit])
                self.clock.advance(jump)
                verdict = self.store.count([hit])[0]
                expect(0.0 <= verdict.retry_after <= 120.0, f"{algorithm} after a jump of {jump} s: {verdict}")
                self.clock.advance(120)
                expect_equal(self.admitted(hit), [True], f"{algorithm} two intervals after a jump of {jump} s")

    # Refunds

    def test_a_refund_makes_room_again(self) -> None:
        """A charge that is taken back at once is as if it had never been made."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, algorithm=algorithm)
            first, second = self.store.count([hit])[0], self.store.count([hit])[0]
            expect_equal(self.admitted(hit), [False], f"{algorithm} is full")
            self.store.refund([Charge(hit, second.at)])
            expect_equal(self.room(hit), 1, f"room of {algorithm} after one refund")
            self.store.refund([Charge(hit, first.at)])
            # Where time passes, the part of a token that flowed back between the two is not given a second time.
            least = 1 if self.own_time and algorithm is Algorithm.TOKEN_BUCKET else 2
            expect(least <= self.room(hit) <= 2, f"room of {algorithm} after two refunds: {self.room(hit)}")

    def test_refunds_never_make_more_room_than_there_was(self) -> None:
        """What is refunded twice, or was never charged, does not raise a limit."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, algorithm=algorithm)
            at = self.store.count([hit])[0].at
            self.store.refund([Charge(hit, at)] * 3)
            self.store.refund([Charge(self.hit(f"{algorithm} unknown", algorithm=algorithm), at)])
            expect_equal([self.admitted(hit)[0] for _ in range(3)], [True, True, False], f"{algorithm} after refunds")

    def test_a_refund_of_a_charge_that_weighs_nothing_any_more_does_nothing(self) -> None:
        """It belonged to a window that is over; this one's units are others."""
        self.needs_clock()
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 2, 10 * NANOSECONDS, algorithm=algorithm)
            old = self.store.count([hit])[0].at
            self.clock.advance(25)
            self.store.count([hit, hit])
            self.store.refund([Charge(hit, old)])
            expect_equal(self.admitted(hit), [False], f"{algorithm} after a late refund")

    # Threads

    def test_threads_are_admitted_exactly(self) -> None:
        """16 threads on one key with a limit of 500 are admitted 500 times together."""
        for algorithm in COUNTING:
            hit = self.hit(algorithm, 500, algorithm=algorithm)

            def knock(hit: Hit = hit) -> int:
                return sum(self.store.count([hit])[0].admitted for _ in range(50))

            expect_equal(sum(at_once([knock] * THREADS)), 500, f"admissions of {algorithm} by {THREADS} threads")

    def test_groups_stay_whole_under_threads(self) -> None:
        """Who is refused by one limit leaves no charge on the other, also when many come at once."""
        wide, narrow = self.hit("wide", 100), self.hit("narrow", 37)

        def knock() -> int:
            return sum(all(self.admitted(wide, narrow)) for _ in range(10))

        expect_equal(sum(at_once([knock] * 8)), 37, "admissions of the narrow limit")
        expect_equal(self.room(wide), 63, "room of the wide limit")


def _room(algorithm: Algorithm, limit: int, interval: int, admitted: list[int], now: int) -> float:
    """Units that a brute-force limiter, which keeps every admission, has left."""
    if algorithm is Algorithm.FIXED_WINDOW:
        return limit - sum(1 for at in admitted if at // interval == now // interval)
    if algorithm is Algorithm.SLIDING_WINDOW:
        return limit - sum(1 for at in admitted if now - interval < at <= now)
    level, seen = float(limit), now
    for place, at in enumerate([*admitted, now]):
        level = float(limit) if not place else min(float(limit), level + (at - seen) * limit / interval)
        level, seen = level - (place < len(admitted)), at
    return level


__all__: list[str] = []
