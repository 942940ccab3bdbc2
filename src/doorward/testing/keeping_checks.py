"""The checks of what a store keeps besides counters: bans, sums, marks, values; and of the store as a whole."""

from __future__ import annotations

import asyncio
import inspect
import math
import unittest
from contextlib import suppress
from typing import TYPE_CHECKING

from doorward.effects import Algorithm, Charge, Hit
from doorward.stores.base import AsyncStore, Store
from doorward.testing.checking import (
    THREADS,
    Blocking,
    StoreChecks,
    at_once,
    expect,
    expect_equal,
    expect_store_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ODD_NAMES = (
    "with spaces and\ttabs\r\n",
    "nul\0inside",
    "nul at the end\0",
    "nul at the end",
    "{braces}:{again}",
    "per%20cent %s %d",
    "*?[a-z]\\",
    "UPPER",
    "upper",
    "composed: \u00fc",
    "composed: u\u0308",
    "日本語",
    "\U0001f6aa",
    "'; DROP TABLE counters; --",
)
_ALL_BYTES = bytes(range(256)) * 4
LONGEST_KEY = 512


class KeepingChecks(StoreChecks):
    """Bans, sums, marks, values, ``reset``, ``stats``, ``close``, keys."""

    def _ban_hit(self, name: str) -> Hit:
        return Hit(self.key(name), Algorithm.BAN, 1, 1)

    # Bans

    def test_a_ban_refuses_its_key_and_no_other(self) -> None:
        """For what is left of its time, in ``count`` and in ``peek``."""
        ban, other = self._ban_hit("banned"), self._ban_hit("other")
        expect_equal(self.admitted(ban), [True], "before the ban")
        self.store.ban(self.key("banned"), 3600)
        expect_equal(self.admitted(ban, other), [False, True], "during the ban")
        verdict = self.store.peek([ban])[0]
        expect(not verdict.admitted, "peek sees the ban")
        expect(3500 < verdict.retry_after <= 3600.001, f"retry_after is what is left of the ban: {verdict}")

    def test_a_banned_client_is_not_charged(self) -> None:
        """A ban and limits of one group are all or none, like limits."""
        limit = self.hit("limit", 2)
        self.store.ban(self.key("banned"), 3600)
        expect_equal(self.admitted(self._ban_hit("banned"), limit), [False, True], "the limit had room")
        expect_equal(self.room(limit), 2, "room after the refusal")
        expect(self.store.unban(self.key("banned")) is True, "unban says that there was a ban")
        expect_equal(self.admitted(self._ban_hit("banned"), limit), [True, True], "after the ban")
        expect_equal(self.room(limit), 1, "room after the charge")

    def test_bans_are_listed_replaced_and_lifted(self) -> None:
        """``bans`` has the seconds left to each; a ban without end lasts; lifting one that is not there says so."""
        first, second = self.key("first"), self.key("second")
        self.store.ban(first, 60)
        self.store.ban(second, math.inf)
        self.store.ban(first, 7200)
        bans = self._own_bans()
        expect_equal(set(bans), {first, second}, "bans")
        expect(7000 < bans[first] <= 7200.001, f"the later ban replaces the former: {bans[first]} s left")
        expect(bans[second] > 10**8, f"a ban without end lasts: {bans[second]} s left")
        lifted = [self.store.unban(first), self.store.unban(first), self.store.unban(self.key("never"))]
        expect_equal(lifted, [True, False, False], "unban, twice, and of what was never banned")
        expect_equal(set(self._own_bans()), {second}, "bans that are left")

    def test_a_ban_ends(self) -> None:
        """Then its key is admitted, and not listed."""
        self.store.ban(self.key("k"), 0.3)
        self.becomes_true(0.3, lambda: self.admitted(self._ban_hit("k")) == [True], "the ban ends")
        expect_equal(self._own_bans(), {}, "bans")
        expect(self.store.unban(self.key("k")) is False, "unban after the end finds nothing")

    def _own_bans(self) -> dict[str, float]:
        return {key: left for key, left in self.store.bans().items() if key.startswith(self.key(""))}

    # Sums

    def test_sums_add_up(self) -> None:
        """All of the last half window counts; each key has its own sum."""
        sums = [self.store.tally(self.key("k"), weight, 3600) for weight in (1.5, 2.0, 0.25)]
        expect(sums[0] == 1.5 and 1.5 <= sums[1] <= 3.5 and sums[2] >= 0.25, f"sums: {sums}")  # a window may turn
        expect_equal(self.store.tally(self.key("other"), 1.0, 3600), 1.0, "the sum of another key")
        if not self.own_time:
            expect_equal(sums, [1.5, 3.5, 3.75], "sums")

    def test_sums_sink(self) -> None:
        """A window later nothing is left."""
        self.store.tally(self.key("k"), 100.0, 0.4)
        self.becomes_true(0.4, lambda: self.store.tally(self.key("k"), 0.0, 0.4) == 0.0, "the sum sinks to nothing")

    def test_sums_are_exact_under_threads(self) -> None:
        """No weight is lost."""
        at_once([lambda: [self.store.tally(self.key("k"), 1.0, 10**6) for _ in range(20)]] * THREADS)
        expect_equal(self.store.tally(self.key("k"), 0.0, 10**6), 20.0 * THREADS, "the sum of all threads")

    # Marks

    def test_one_caller_wins_a_mark(self) -> None:
        """It can be set once, until it is deleted."""
        mark = self.key("mark")
        won = [self.store.add_if_absent(mark, 3600), self.store.add_if_absent(mark, 3600)]
        expect_equal(won, [True, False], "add_if_absent, twice")
        self.store.delete(mark)
        expect(self.store.add_if_absent(mark, 3600) is True, "after delete it is absent")

    def test_one_of_sixteen_threads_wins_a_mark(self) -> None:
        """However close together they come."""
        for number in range(20):
            mark = self.key(f"mark {number}")
            won = at_once([lambda mark=mark: self.store.add_if_absent(mark, 3600)] * THREADS)  # type: ignore[misc]
            expect_equal(sum(won), 1, f"winners among {THREADS} threads")

    def test_a_mark_ends(self) -> None:
        """Then it can be set again."""
        mark = self.key("mark")
        self.store.add_if_absent(mark, 0.3)
        self.becomes_true(0.3, lambda: self.store.add_if_absent(mark, 3600), "the mark ends")

    # Values

    def test_values_are_kept_replaced_and_deleted(self) -> None:
        """Any bytes, none too; what is not there reads as None; deleting it is fine."""
        key = self.key("value")
        expect(self.store.get(key) is None, "what was never put reads as None")
        for value in (b"one", b"", b"\0", _ALL_BYTES):
            self.store.put(key, value, 3600)
            expect_equal(self.store.get(key), value, "the value put last")
        self.store.delete(key)
        self.store.delete(key)
        expect(self.store.get(key) is None, "what was deleted reads as None")

    def test_a_value_ends(self) -> None:
        """Then it reads as None."""
        self.store.put(self.key("value"), b"v", 0.3)
        self.becomes_true(0.3, lambda: self.store.get(self.key("value")) is None, "the value ends")

    def test_values_and_counters_of_one_name_are_apart(self) -> None:
        """A value, a counter, a sum and a ban may have the same key."""
        key, hit = self.key("same"), self.hit("same", 2)
        self.store.put(key, b"value", 3600)
        self.store.ban(key, 3600)
        self.store.tally(key, 5.0, 10**6)
        expect_equal(self.admitted(hit), [True], "the counter")
        expect_equal(self.store.get(key), b"value", "the value")
        expect_equal(self.store.tally(key, 0.0, 10**6), 5.0, "the sum")
        expect_equal(self.room(hit), 1, "the counter after all that")
        expect_equal(self.admitted(self._ban_hit("same")), [False], "the ban")

    # Housekeeping

    def test_reset_forgets_counters_and_sums_by_prefix(self) -> None:
        """Refused counters too; keys with another prefix, bans and values stay."""
        refused, counted, other = self.hit("app:refused", 1), self.hit("app:counted"), self.hit("other:counted")
        self.store.count([refused])
        self.store.count([refused])
        self.store.count([counted, other])
        self.store.tally(self.key("app:sum"), 1.0, 10**6)
        self.store.ban(self.key("app:banned"), 3600)
        self.store.put(self.key("app:value"), b"v", 3600)
        expect_equal(self.store.reset(self.key("app:")), 3, "how many are forgotten")
        expect_equal(self.store.reset(self.key("app:")), 0, "how many are forgotten the second time")
        expect_equal([self.room(refused), self.room(counted), self.room(other)], [1, 3, 2], "room of each")
        expect_equal(self.store.tally(self.key("app:sum"), 0.0, 10**6), 0.0, "the sum")
        expect_equal(self.admitted(self._ban_hit("app:banned")), [False], "the ban")
        expect_equal(self.store.get(self.key("app:value")), b"v", "the value")

    def test_reset_takes_a_prefix_literally(self) -> None:
        """It is no pattern: ``a*`` does not mean ``ab``."""
        hits = {name: self.hit(name) for name in ("a*", "ab", "a?", "[ab]", "a\\", "a%", "a_")}
        self.store.count([*hits.values()])
        for name, hit in hits.items():
            expect_equal(self.store.reset(self.key(name)), 1, f"forgotten by the prefix {name!r}")
            expect_equal(self.room(hit), 3, f"room of {name!r}")

    def test_odd_keys_are_keys_of_their_own(self) -> None:
        """Whatever characters a key has, it is one counter, one value and one ban, and shares them with no other."""
        for number, name in enumerate(ODD_NAMES, 1):
            expect_equal(self.admitted(self.hit(name, 99, cost=number)), [True], f"a hit on {name!r}")
            self.store.put(self.key(name), name.encode(), 3600)
            self.store.ban(self.key(name), 3600)
        for number, name in enumerate(ODD_NAMES, 1):
            expect_equal(self.room(self.hit(name, 99)), 99 - number, f"room of {name!r}")
            expect_equal(self.store.get(self.key(name)), name.encode(), f"the value of {name!r}")
        expect_equal(set(self._own_bans()), {self.key(name) for name in ODD_NAMES}, "bans")

    def test_keys_may_be_512_characters_long(self) -> None:
        """Two that differ in the last character only are two."""
        for letter in ("k", "日", "\U0001f6aa"):
            filler = letter * (LONGEST_KEY - len(self.key("")) - 1)
            one, two = self.hit(filler + "1", 5), self.hit(filler + "2", 5)
            self.store.count([one])
            expect_equal([self.room(one), self.room(two)], [4, 5], f"room of long keys of {letter!r}")
            self.store.put(one.key, b"one", 3600)
            self.store.put(two.key, b"two", 3600)
            expect_equal([self.store.get(one.key), self.store.get(two.key)], [b"one", b"two"], "long values")

    def test_stats_are_numbers_by_name(self) -> None:
        """Whole numbers, not negative, that can be asked for at any time."""
        self.store.count([self.hit("k")])
        for name, figure in self.store.stats().items():
            expect(isinstance(name, str), f"{name!r} is a name")
            expect(isinstance(figure, int) and figure >= 0, f"{name} is a whole number: {figure!r}")

    def test_it_is_a_store(self) -> None:
        """It has every method, and says in ``blocking`` whether a call may have to wait."""
        store = self.store.awaited if isinstance(self.store, Blocking) else self.store
        expect(isinstance(store, AsyncStore if isinstance(self.store, Blocking) else Store), f"{store!r} is a store")
        expect(isinstance(store.blocking, bool), f"blocking is True or False, not {store.blocking!r}")
        methods = [getattr(store, name) for name in _calls(store, self)]
        kinds = {inspect.iscoroutinefunction(method) for method in methods}
        expect_equal(len(kinds), 1, "either all methods are coroutine functions, or none is")

    def test_a_closed_store_raises_store_errors(self) -> None:
        """Every call but another ``close``."""
        store = self.open()
        store.put(self.key("k"), b"v", 3600)
        store.close()
        store.close()
        for name, call in _calls(store, self).items():
            expect_store_error(call, f"{name} of a closed store")

    def test_closing_one_store_leaves_others_open(self) -> None:
        """They may share a server, a file or a pool."""
        self.open().close()
        expect_equal(self.admitted(self.hit("k")), [True], "a hit on the other store")

    def test_what_is_awaited_shares_everything_with_what_blocks(self) -> None:
        """A store that has ``aio`` for code that awaits counts there as here."""
        aio = getattr(self.store, "aio", None)
        if aio is None:
            raise unittest.SkipTest("the store has no attribute aio")
        awaited, hit = self.blocking(aio), self.hit("k", 3)
        self.store.count([hit])
        expect_equal(awaited.count([hit])[0].remaining, 1, "units left after one hit here and one there")
        self.store.ban(self.key("banned"), 3600)
        expect(not awaited.count([self._ban_hit("banned")])[0].admitted, "a ban from here refuses there")

    def test_cancelled_calls_leave_the_store_whole(self) -> None:
        """What is asked after many cancelled calls gets its own answer, and not that of another call."""
        if not isinstance(self.store, Blocking):
            raise unittest.SkipTest("calls that block cannot be cancelled")
        store = self.store.awaited
        for number in range(10):
            self.store.put(self.key(f"v{number}"), b"%d" % number, 3600)

        async def storm() -> list[bytes | None]:
            for pause in range(20):
                calls = [asyncio.ensure_future(store.get(self.key("v9"))) for _ in range(10)]
                await asyncio.sleep(pause / 10_000)
                for call in calls:
                    call.cancel()
                with suppress(asyncio.CancelledError):
                    await asyncio.gather(*calls)
            return [await store.get(self.key(f"v{number}")) for number in range(10)]

        expect_equal(self.store.loop.run(storm()), [b"%d" % number for number in range(10)], "values")


def _calls(store: object, check: StoreChecks) -> dict[str, Callable[[], object]]:
    """Every call of a store but ``close``, by name."""
    key, hits = check.key("k"), [check.hit("k")]
    arguments: dict[str, tuple[object, ...]] = {
        "count": (hits,),
        "peek": (hits,),
        "refund": ([Charge(hits[0], 0)],),
        "tally": (key, 1.0, 60),
        "add_if_absent": (key, 60),
        "get": (key,),
        "put": (key, b"v", 60),
        "delete": (key,),
        "reset": (key,),
        "stats": (),
        "ban": (key, 60),
        "unban": (key,),
        "bans": (),
    }
    return {name: lambda name=name: getattr(store, name)(*arguments[name]) for name in arguments}  # type: ignore[misc]


__all__: list[str] = []
