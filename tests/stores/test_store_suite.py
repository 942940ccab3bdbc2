"""The public suite of stores: our own pass it, and every one of its checks finds a store that is broken there."""

from __future__ import annotations

import asyncio
import inspect
import threading
import unittest
from typing import Any, ClassVar

import pytest

from doorward.effects import Algorithm, Hit
from doorward.errors import StoreError
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock
from doorward.testing.checking import StoreChecks
from doorward.testing.store_suite import StoreSuite, failures

CHECKS = sorted(name for name in dir(StoreSuite) if name.startswith("test_"))


def awaitable(made: MemoryStore) -> Any:
    """The same store with every method a coroutine function."""

    class Awaitable:
        blocking = True

        def __init__(self) -> None:
            self.within = made

    for name, _ in inspect.getmembers(made, callable):
        if not name.startswith("_"):
            setattr(Awaitable, name, _awaiting(name))
    return Awaitable()


def _awaiting(name: str):
    async def call(self, *arguments):
        await asyncio.sleep(0)
        return getattr(self.within, name)(*arguments)

    return call


class WithAio(MemoryStore):
    """A store that has a part for code that awaits."""

    def __init__(self, clock) -> None:
        super().__init__(clock=clock)
        self.aio = awaitable(self)


class TestMemoryStore(StoreSuite):
    """``memory://``."""

    def make_store(self, clock):
        return MemoryStore(clock=clock)


class TestOwnTime(StoreSuite):
    """A store that does not go by the clock of the suite, as one on a server does not."""

    own_time = True

    def make_store(self, clock):
        return MemoryStore()


class TestAwaited(StoreSuite):
    """A store that is awaited, and so is making it."""

    async def make_store(self, clock):
        await asyncio.sleep(0)
        return awaitable(MemoryStore(clock=clock))


class TestWithAio(StoreSuite):
    """A store for both kinds of code."""

    def make_store(self, clock):
        return WithAio(clock)


# --- the suite finds what is broken


class ChargesAlone(MemoryStore):
    """Forgets that groups are all or none."""

    def count(self, hits):
        return [super(ChargesAlone, self).count([hit])[0] for hit in hits]


class ChargesRefusals(MemoryStore):
    """Who knocks while refused begins to wait anew."""

    def __init__(self, clock) -> None:
        super().__init__(clock=clock)
        self.until: dict[str, int] = {}

    def count(self, hits):
        now = self._now()
        waiting = any(now < self.until.get(hit.key, 0) for hit in hits)
        verdicts = super().peek(hits) if waiting else super().count(hits)
        if waiting:
            verdicts = [verdict._replace(admitted=False, remaining=0, retry_after=1.0) for verdict in verdicts]
        self.until.update({h.key: now + h.interval for h, v in zip(hits, verdicts, strict=True) if not v.admitted})
        return verdicts


class OneGroup(MemoryStore):
    """Takes all groups for one."""

    def count(self, hits):
        return super().count([hit._replace(group=0) for hit in hits])


class NoDryRuns(MemoryStore):
    """Takes dry runs for live hits."""

    def count(self, hits):
        return super().count([hit._replace(dry_run=False) for hit in hits])


class DryRunsAlone(MemoryStore):
    """Charges dry runs whatever became of the live hits."""

    def count(self, hits):
        live = iter(super().count([hit for hit in hits if not hit.dry_run]))
        return [super(DryRunsAlone, self).count([hit])[0] if hit.dry_run else next(live) for hit in hits]


class WaitsWrong(MemoryStore):
    """Names a wrong time to come back."""

    factor = 2.0

    def count(self, hits):
        return [v._replace(retry_after=v.retry_after * self.factor) for v in super().count(hits)]


class WaitsTooShort(WaitsWrong):
    factor = 0.5


class Negative(MemoryStore):
    """Counts on below nothing."""

    def count(self, hits):
        return [v._replace(remaining=v.remaining - (not v.admitted)) for v in super().count(hits)]


class Generates(MemoryStore):
    """Answers with a generator."""

    def count(self, hits):
        return (verdict for verdict in super().count(hits))  # type: ignore[return-value]


class AsksForSome(MemoryStore):
    """Cannot do nothing."""

    def count(self, hits):
        return super().count(hits) if hits else [None]  # type: ignore[list-item]


class PeekCharges(MemoryStore):
    def peek(self, hits):
        return self.count(hits)


class CostsOne(MemoryStore):
    """Does not look at the cost."""

    def count(self, hits):
        return super().count([hit._replace(cost=1) for hit in hits])


class Floats(MemoryStore):
    """Loses the last digits of large numbers."""

    def count(self, hits):
        return super().count([hit._replace(cost=hit.cost & ~0xFFFF or hit.cost) for hit in hits])


class Generous(MemoryStore):
    """Admits one too many."""

    def count(self, hits):
        return super().count([hit._replace(max=hit.max + (hit.max > 4)) for hit in hits])


class Strict(MemoryStore):
    """Wastes a tenth of what there is."""

    def count(self, hits):
        return super().count([hit._replace(max=hit.max - hit.max // 10 - (hit.max == 5)) for hit in hits])


class Clockless(MemoryStore):
    """Trusts what it noted before the clock stepped back."""

    def __init__(self, clock) -> None:
        self._latest = 0
        super().__init__(clock=clock)
        within = self._now
        self._now = lambda: self._stepped(within())

    def _stepped(self, now: int) -> int:
        self._latest = max(self._latest, now)
        return self._latest


class NoRefunds(MemoryStore):
    def refund(self, charges):
        super().refund([])


class RefundsAll(MemoryStore):
    """A refund empties the counter."""

    def refund(self, charges):
        for charge in charges:
            self.reset(charge.hit.key)


class RefundsMore(MemoryStore):
    """A refund of what was never charged makes room."""

    def __init__(self, clock) -> None:
        super().__init__(clock=clock)
        self.given: dict[str, int] = {}

    def refund(self, charges):
        super().refund(charges)
        for charge in charges:
            self.given[charge.hit.key] = self.given.get(charge.hit.key, 0) + 1

    def count(self, hits):
        return super().count([hit._replace(max=hit.max + max(0, self.given.get(hit.key, 0) - 1)) for hit in hits])


class RefundsLate(MemoryStore):
    """A refund makes room in the window of today, whenever the charge was."""

    def refund(self, charges):
        super().refund([charge._replace(at=self._now()) for charge in charges])


class Racy(MemoryStore):
    """Looks first and writes later, with time for others in between."""

    def _raced(self, look, write):
        found = look()
        threading.Event().wait(0.0005)
        return write(found)

    def count(self, hits):
        room = all(verdict.admitted for verdict in super().peek(hits))
        threading.Event().wait(0.0002)
        verdicts = super().count(hits)
        return [v._replace(admitted=True) if room else v for v in verdicts]

    def add_if_absent(self, key, ttl):
        absent = super().get(key) is None
        threading.Event().wait(0.0005)
        self.put(key, b"", ttl)
        return absent

    def tally(self, key, weight, window):
        total = float(super().get("sum" + key) or 0)
        threading.Event().wait(0.0002)
        super().put("sum" + key, str(total + weight).encode(), window)
        return total + weight


class NoBans(MemoryStore):
    def ban(self, key, ttl):
        super().ban(key, 0)


class BansAside(MemoryStore):
    """Charges limits though the client is banned."""

    def count(self, hits):
        super().count([hit for hit in hits if hit.algorithm is not Algorithm.BAN])
        return super().count(hits)


class FirstBanStays(MemoryStore):
    """A second ban of a key does not replace the first; unban answers nothing."""

    def ban(self, key, ttl):
        if key not in self.bans():
            super().ban(key, ttl)

    def unban(self, key):
        super().unban(key)


class Endless(MemoryStore):
    """Nothing ends."""

    def ban(self, key, ttl):
        super().ban(key, 10**6)

    def put(self, key, value, ttl):
        super().put(key, value, 10**6)

    def add_if_absent(self, key, ttl):
        return super().add_if_absent(key, 10**6)

    def tally(self, key, weight, window):
        return super().tally(key, weight, 10**6)


class ForgetfulSums(MemoryStore):
    def tally(self, key, weight, window):
        super().tally(key, weight, window)
        return weight


class SharedSums(MemoryStore):
    """One sum for all."""

    def tally(self, key, weight, window):
        return super().tally("", weight, window)


class EverybodyWins(MemoryStore):
    def add_if_absent(self, key, ttl):
        super().add_if_absent(key, ttl)
        return True


class TextValues(MemoryStore):
    """Loses bytes that are no text, and empty values."""

    def get(self, key):
        value = super().get(key)
        return value.decode("utf-8", "ignore").encode() or None if value else None


class OneNamespace(MemoryStore):
    """Values, counters, sums and bans of one key overwrite each other."""

    def put(self, key, value, ttl):
        self.reset(key)
        super().put(key, value, ttl)

    def count(self, hits):
        for hit in hits:
            self.delete(hit.key)
        return super().count(hits)


class ResetsAll(MemoryStore):
    """Forgets bans and values too."""

    def reset(self, prefix):
        for key in self.bans():
            self.unban(key)
        return super().reset(prefix)


class ResetsNothing(MemoryStore):
    def reset(self, prefix):
        return 0


class Globs(MemoryStore):
    """Takes a prefix for a pattern."""

    def reset(self, prefix):
        return super().reset(prefix.rstrip("*?\\%_"))


class Folding(MemoryStore):
    """Keys in upper and lower case are the same."""

    def count(self, hits):
        return super().count([hit._replace(key=hit.key.lower()) for hit in hits])


class Cuts(MemoryStore):
    """Keys are cut at 255 characters."""

    def count(self, hits):
        return super().count([hit._replace(key=hit.key[:255]) for hit in hits])


class OddStats(MemoryStore):
    def stats(self):
        return {**super().stats(), "ratio": 0.5, "name": "memory"}  # type: ignore[dict-item]


class NoMethods(MemoryStore):
    blocking = "no"  # type: ignore[assignment]


class StaysOpen(MemoryStore):
    def close(self) -> None:
        return


class RaisesOther(MemoryStore):
    """Lets the errors of what it is made of out."""

    def __getattribute__(self, name):
        method = super().__getattribute__(name)
        return method if name.startswith("_") or not callable(method) else lambda *a: _translated(method, a)


def _translated(method, arguments):
    try:
        return method(*arguments)
    except StoreError as error:
        raise OSError(str(error)) from error


class OneForAll(MemoryStore):
    """All stores of the process are closed together."""

    opened: ClassVar[list[Any]] = []

    def __init__(self, clock) -> None:
        super().__init__(clock=clock)
        self.opened.append(self)

    def close(self) -> None:
        for store in self.opened:
            MemoryStore.close(store)


class AioApart(MemoryStore):
    """What is awaited has counters of its own."""

    def __init__(self, clock) -> None:
        super().__init__(clock=clock)
        self.aio = awaitable(MemoryStore(clock=clock))


class Desynchronised:
    """Awaited; after a cancelled call the next one gets its answer."""

    blocking = True

    def __init__(self, clock) -> None:
        self.within = MemoryStore(clock=clock)
        self.pending: list[Any] = []

    async def get(self, key):
        self.pending.append(self.within.get(key))
        await asyncio.sleep(0.0005)
        return self.pending.pop(0)


for _name, _ in inspect.getmembers(MemoryStore, callable):
    if not _name.startswith("_") and _name != "get":
        setattr(Desynchronised, _name, _awaiting(_name))

FOUND_BY: list[tuple[str, Any]] = [
    ("a_ban_ends", Endless),
    ("a_ban_refuses_its_key_and_no_other", NoBans),
    ("a_banned_client_is_not_charged", BansAside),
    ("a_banned_client_is_not_charged", FirstBanStays),
    ("a_clock_that_steps_back_locks_nobody_out", Clockless),
    ("a_clock_that_steps_back_locks_nobody_out", WaitsWrong),
    ("a_closed_store_raises_store_errors", RaisesOther),
    ("a_closed_store_raises_store_errors", StaysOpen),
    ("a_group_is_charged_all_or_none", ChargesAlone),
    ("a_mark_ends", Endless),
    ("a_refund_makes_room_again", NoRefunds),
    ("a_refund_makes_room_again", RefundsAll),
    ("a_refund_of_a_charge_that_weighs_nothing_any_more_does_nothing", RefundsLate),
    ("a_refusal_says_when_to_come_back", Negative),
    ("a_value_ends", Endless),
    ("bans_are_listed_replaced_and_lifted", FirstBanStays),
    ("cancelled_calls_leave_the_store_whole", Desynchronised),
    ("closing_one_store_leaves_others_open", OneForAll),
    ("costs_are_charged_whole_or_not_at_all", CostsOne),
    ("dry_runs_are_charged_as_if_live", NoDryRuns),
    ("dry_runs_are_only_looked_at_after_a_live_refusal", DryRunsAlone),
    ("groups_are_charged_apart", OneGroup),
    ("groups_stay_whole_under_threads", ChargesAlone),
    ("groups_stay_whole_under_threads", Racy),
    ("hits_of_one_call_may_share_a_key", Racy),
    ("it_is_a_store", NoMethods),
    ("keys_may_be_512_characters_long", Cuts),
    ("no_window_admits_more_than_max", Generous),
    ("no_window_admits_more_than_max", Strict),
    ("nothing_asked_is_nothing_answered", AsksForSome),
    ("odd_keys_are_keys_of_their_own", Folding),
    ("one_caller_wins_a_mark", EverybodyWins),
    ("one_of_sixteen_threads_wins_a_mark", Racy),
    ("peek_changes_nothing", PeekCharges),
    ("refunds_never_make_more_room_than_there_was", RefundsMore),
    ("refusals_never_prolong", ChargesRefusals),
    ("refusals_never_prolong", WaitsTooShort),
    ("reset_forgets_counters_and_sums_by_prefix", ResetsAll),
    ("reset_forgets_counters_and_sums_by_prefix", ResetsNothing),
    ("reset_takes_a_prefix_literally", Globs),
    ("retry_after_is_exact", WaitsTooShort),
    ("retry_after_is_exact", WaitsWrong),
    ("stats_are_numbers_by_name", OddStats),
    ("sums_add_up", ForgetfulSums),
    ("sums_add_up", SharedSums),
    ("sums_are_exact_under_threads", Racy),
    ("sums_sink", Endless),
    ("the_largest_numbers_are_counted", Floats),
    ("there_is_one_verdict_a_hit_in_their_order", Generates),
    ("threads_are_admitted_exactly", Racy),
    ("values_and_counters_of_one_name_are_apart", OneNamespace),
    ("values_are_kept_replaced_and_deleted", TextValues),
    ("what_is_awaited_shares_everything_with_what_blocks", AioApart),
]


def broken(mutant: Any, *checks: str) -> dict[str, Exception]:
    class Suite(StoreSuite):
        def make_store(self, clock):
            return mutant(clock=clock)

    return failures(Suite, *checks)


@pytest.mark.parametrize(
    ("check", "mutant"), FOUND_BY, ids=lambda value: value if isinstance(value, str) else value.__name__
)
def test_a_store_that_is_broken_there_fails(check: str, mutant: Any) -> None:
    """With a sentence that says what was expected."""
    found = broken(mutant, f"test_{check}")
    assert list(found) == [f"test_{check}"]
    assert str(found[f"test_{check}"])


def test_every_check_finds_something() -> None:
    """No check is there for nothing."""
    assert sorted({f"test_{check}" for check, _ in FOUND_BY}) == CHECKS


def test_a_whole_store_has_no_failures() -> None:
    """The way without pytest says so."""
    assert failures(TestMemoryStore) == {}


def test_make_store_must_be_overridden() -> None:
    """The message says what to do."""
    with pytest.raises(NotImplementedError, match="override make_store"):
        StoreSuite().setup_method()


def test_what_never_comes_true_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a time of its own too, the suite does not wait for ever."""
    monkeypatch.setattr("doorward.testing.checking._PATIENCE", 0.0)
    check = TestOwnTime()
    check.setup_method()
    with pytest.raises(AssertionError, match="the mark ends"):
        check.becomes_true(0.0, lambda: False, "the mark ends")
    check.teardown_method()


def test_checks_that_need_a_clock_are_skipped_without() -> None:
    """And say why."""
    check: StoreChecks = TestOwnTime()
    with pytest.raises(unittest.SkipTest, match="goes by the clock"):
        check.needs_clock()


def test_hits_of_the_suite_are_those_of_rules() -> None:
    """A key of its own, a sliding window of a day."""
    check = TestMemoryStore()
    check.setup_method()
    assert isinstance(check.clock, FakeClock)
    hit = check.hit("name", 2, cost=2)
    assert (hit[1:], hit.key.endswith(":name")) == (Hit("", Algorithm.SLIDING_WINDOW, 2, 86_400 * 10**9, 2)[1:], True)
    check.teardown_method()
