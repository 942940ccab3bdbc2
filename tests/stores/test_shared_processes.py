"""``shared://`` between processes: exact under load and over forks, whatever line a process is killed or stopped at."""

from __future__ import annotations

import mmap
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from tests.stores.hits import BAN, BUCKET, FIXED, HOUR, SLIDING, admitted, limit
from tests.stores.oracle import SOAK

from doorward.clock import SystemClock
from doorward.effects import Algorithm, Hit
from doorward.errors import ConfigurationError, StoreError
from doorward.stores.shared import files
from doorward.stores.shared.sqlite import SQLiteStore
from doorward.stores.shared.store import SharedStore
from doorward.stores.shared.table import COUNTER
from doorward.testing import FakeClock

MEGABYTE = 1 << 20
PROCESSES, CALLS, MOST = 4, 200, 500
YEAR = 365 * 24 * HOUR
KINDS = {"table": SharedStore, "file-locks": partial(SharedStore, file_locks=True), "sqlite": SQLiteStore}
SPAWN = multiprocessing.get_context("spawn")

every_algorithm = pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])
both_locks = pytest.mark.parametrize("file_locks", [False, True], ids=["mutexes", "file-locks"])
forks = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # newer Pythons warn of what is tested


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "doorward.table"


# Exactness


_together: Any = None


def _meet(barrier: Any) -> None:
    global _together  # noqa: PLW0603  (how a pool hands its processes what cannot be pickled)
    _together = barrier


def _started(work: Callable[..., Any], jobs: list[tuple[Any, ...]]) -> list[Any]:
    """What ``work`` answers in as many processes that start from nothing, and begin at the same moment."""
    with SPAWN.Pool(len(jobs), _meet, (SPAWN.Barrier(len(jobs)),)) as pool:
        return pool.starmap(work, jobs, chunksize=1)


def _hammer(kind: str, path: Path, hits: list[Hit], calls: int) -> int:
    """Admissions of one process."""
    with KINDS[kind](path, MEGABYTE, clock=SystemClock(), timeout=60.0) as store:
        _together.wait(30)
        return sum(all(verdict.admitted for verdict in store.count(hits)) for _ in range(calls))


def _load(kind: str) -> tuple[int, int]:
    """A limit, and calls of each process: so many that processes on two processors get into each other's way."""
    return (500, 200) if kind == "sqlite" else (20_000, 8_000)


@every_algorithm
@pytest.mark.parametrize("kind", KINDS)
def test_p10_processes_never_admit_more_than_max(path: Path, kind: str, algorithm: Algorithm) -> None:
    """Four processes at once on one key are admitted exactly as often as the limit says."""
    most, calls = _load(kind)
    jobs = [(kind, path, [Hit("k", algorithm, most, YEAR)], calls)] * PROCESSES
    assert sum(_started(_hammer, jobs)) == most


@pytest.mark.parametrize("kind", KINDS)
def test_p10_groups_of_processes_are_charged_all_or_none(path: Path, kind: str) -> None:
    """Limits in several stripes, asked for in different orders: exactly as many as the tightest, and all the same."""
    most, calls = (500, 200) if kind == "sqlite" else (5_000, 2_000)
    keys = [f"k{number}" for number in range(5)]
    rng, jobs = random.Random(1), []
    for _ in range(PROCESSES):
        hits = [Hit(key, BUCKET, most if key == "k3" else 10**6, YEAR) for key in keys]
        rng.shuffle(hits)
        jobs.append((kind, path, hits, calls))
    assert sum(_started(_hammer, jobs)) == most
    with KINDS[kind](path, MEGABYTE, clock=SystemClock()) as store:
        left = [verdict.remaining for verdict in store.peek(sorted(jobs[0][2]))]
    # A token of the loose ones flows back every half minute.
    assert left == [10**6 - most] * 3 + [0, 10**6 - most]


def _marks(kind: str, path: Path) -> list[int]:
    with KINDS[kind](path, MEGABYTE, clock=SystemClock(), timeout=60.0) as store:
        _together.wait(30)
        return [mark for mark in range(200) if store.add_if_absent(f"nonce {mark}", 3600)]


@pytest.mark.parametrize("kind", KINDS)
def test_one_process_wins_a_mark(path: Path, kind: str) -> None:
    """Four processes that use the same 200 one-time marks: each is won once."""
    won = _started(_marks, [(kind, path)] * PROCESSES)
    assert sorted(mark for marks in won for mark in marks) == list(range(200))


@pytest.fixture
def _eager_threads() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@every_algorithm
@both_locks
@pytest.mark.usefixtures("_eager_threads")
def test_p10_threads_of_two_stores_never_admit_more_than_max(
    path: Path, algorithm: Algorithm, file_locks: bool
) -> None:
    """Threads of two stores of one process: the locks hold between threads, and between descriptions."""
    stores = [SharedStore(path, MEGABYTE, FakeClock(), 60.0, file_locks=file_locks) for _ in range(2)]
    hit, won = Hit("k", algorithm, MOST, HOUR), []

    def work(store: SharedStore) -> None:
        won.append(sum(admitted(store, hit) == [True] for _ in range(100)))

    threads = [threading.Thread(target=work, args=(stores[number % 2],)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == MOST


def test_processes_agree_on_the_time(path: Path) -> None:
    """A process that starts after the wall clock was set counts in the same windows as those before: P11."""
    before = SharedStore(path, MEGABYTE, clock=SystemClock())
    hit = Hit("k", FIXED, 3, YEAR)
    assert admitted(before, hit) == [True]
    reading, end = os.pipe()
    child = os.fork()
    if not child:
        jump = time.time_ns() - 3600 * 10**9
        time.time_ns = lambda: jump  # what SystemClock reads when it starts
        later = SharedStore(path, MEGABYTE, clock=SystemClock())
        verdict = later.count([hit])[0]
        os.write(end, repr((verdict.remaining, abs(verdict.at - before.count([hit])[0].at) < 10**10)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 99) == b"(1, True)"
    os.close(reading)
    os.close(end)


# Forks


def _in_child(work: Callable[[], bool]) -> int:
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    return child


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@forks
@pytest.mark.parametrize("kind", KINDS)
def test_p17_forked_children_count_together(path: Path, kind: str) -> None:
    """A store opened before the fork (gunicorn --preload): parent and children exclude each other."""
    store = KINDS[kind](path, MEGABYTE, clock=SystemClock(), timeout=60.0)
    results = path.with_name("results")

    def work() -> bool:
        count = sum(admitted(store, Hit("k", FIXED, MOST, YEAR)) == [True] for _ in range(CALLS))
        with results.open("a") as file:
            file.write(f"{count}\n")
        return True

    children = [_in_child(work) for _ in range(PROCESSES - 1)]
    work()
    assert [_ended(child) for child in children] == [0] * (PROCESSES - 1)
    assert sum(map(int, results.read_text().split())) == MOST
    store.close()


@forks
@both_locks
def test_p17_a_fork_amid_threads_leaves_no_lock_behind(path: Path, file_locks: bool) -> None:
    """Children forked while threads of the parent count can count on every stripe, and so can the parent."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock(), timeout=20.0, file_locks=file_locks)
    stop = threading.Event()

    def hammer() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            store.count([limit(f"k{number % 500}")])

    threads = [threading.Thread(target=hammer) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        children = [_in_child(lambda: all(store.count([limit(f"k{n}")]) for n in range(500))) for _ in range(10)]
        assert [_ended(child) for child in children] == [0] * 10
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert all(store.count([limit(f"k{n}")]) for n in range(500))


@forks
@both_locks
def test_p17_a_child_holds_no_lock_of_a_killed_parent(path: Path, file_locks: bool) -> None:
    """A child that inherited the store, and never uses it, keeps no lock of its parent when that is killed."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock(), file_locks=file_locks)
    reading, end = os.pipe()

    def parent() -> bool:
        own = SharedStore(path, MEGABYTE, clock=SystemClock(), file_locks=file_locks)
        for stripe in own._counters.table.stripes:
            stripe.claim()
        grandchild = _in_child(lambda: bool(signal.pause()))
        os.write(end, f"{grandchild}\n".encode())
        signal.pause()
        return True

    child = _in_child(parent)
    grandchild = int(os.read(reading, 99))
    with pytest.raises(StoreError, match="stopped or starved"):
        store.count([limit("k")])
    os.kill(child, signal.SIGKILL)
    _ended(child)
    try:
        assert all(store.count([limit(f"k{n}")]) for n in range(100) if _patiently(store, f"k{n}"))
    finally:
        os.kill(grandchild, signal.SIGKILL)
        os.close(reading)
        os.close(end)


def _patiently(store: SharedStore, key: str) -> bool:
    """Past the second in which a stripe that was stuck is only tried once."""
    return bool(store.peek([limit(key)]))


@forks
def test_a_child_that_gave_up_its_rights_can_still_count(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The descriptor is renewed at the fork, not later: after it no file has to be opened."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock())

    def work() -> bool:
        os.open = None  # type: ignore[assignment]
        return admitted(store, limit("k")) == [True]

    assert _ended(_in_child(work)) == 0


@forks
def test_a_child_without_descriptors_says_so(path: Path) -> None:
    """Where the file cannot be opened anew after a fork, calls fail as a store does: they do not go on unlocked."""
    # Forked from a process that starts from nothing: where another test has used uvloop, libuv's own handler ends a
    # child that cannot open a pipe.
    alone = SPAWN.Process(target=_fork_without_descriptors, args=(path,))
    alone.start()
    alone.join(60)
    assert alone.exitcode == 0


def _fork_without_descriptors(path: Path) -> None:
    """End as the child does."""
    import resource

    store = SharedStore(path, MEGABYTE, clock=SystemClock(), file_locks=True)

    def work() -> bool:
        try:
            store.count([limit("k")])
        except StoreError as error:
            return "cannot be locked" in str(error)
        return False

    first_free = os.open(os.devnull, os.O_RDONLY)
    os.close(first_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (first_free, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os._exit(_ended(_in_child(work)) & 0xFF)


# Killed writers


class _Killer:
    """Kills its process before the n-th line that doorward's modules of the table run."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def __call__(self, frame: FrameType, event: str, argument: Any) -> Any:
        if "stores/shared" not in frame.f_code.co_filename:
            return None
        if event == "line":
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def _killed_at(line: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a child that is killed at a line; whether it was, rather than coming to its end."""

    def traced() -> bool:
        sys.settrace(_Killer(line))
        work()
        sys.settrace(None)
        return True

    return _ended(_in_child(traced)) == -signal.SIGKILL


def _lines(step: int = 1) -> range:
    return range(0, 100_000, 1 if SOAK else step)


@forks
@every_algorithm
def test_p17_a_writer_killed_at_any_line_loses_one_hit_at_most(path: Path, algorithm: Algorithm) -> None:
    """Admissions of the survivors and of the killed stay within the limit, and nobody waits for a lock."""
    store = SharedStore(path, MEGABYTE, clock=FakeClock())
    hit = limit("k", 40, HOUR, algorithm=algorithm)
    for line in _lines():
        store.reset("")
        before = [store.count([hit])[0].remaining for _ in range(line % 39)]
        left = before[-1] if before else 40
        killed = _killed_at(line, lambda: store.count([hit]))
        after = store.peek([hit])[0].remaining
        assert after in (left, left - 1)
        if not killed:
            assert after == left - 1
            return
        assert sum(admitted(store, hit) == [True] for _ in range(60)) == after


@forks
def test_p17_a_writer_killed_in_a_full_bucket_leaves_it_usable(tmp_path: Path) -> None:
    """Killed at any line of an insertion that evicts: every other entry is whole, or gone; the next one fits."""
    for line in _lines(7):
        store, keys = _full(tmp_path / f"table{line}"), [f"k{number}" for number in range(60)]
        killed = _killed_at(line, partial(store.put, "new", b"x" * 300, 60))
        found = [store.get(key) for key in keys]
        assert all(value in (None, key.encode() * 20) for key, value in zip(keys, found, strict=True))
        assert store.get("new") in (None, b"x" * 300)
        store.put("new", b"y" * 300, 60)
        assert store.get("new") == b"y" * 300
        for key in keys:
            store.put(key, key.encode() * 20, 60)
        assert store.get(keys[-1]) == keys[-1].encode() * 20
        (tmp_path / f"table{line}").unlink()
        if not killed:
            return


def _full(path: Path) -> SharedStore:
    """A table of one bucket, filled."""
    from doorward.stores.shared.header import PAGE

    store = SharedStore(path, 3 * PAGE, clock=FakeClock())
    assert len(store._counters.table.buckets(0)) == 1
    for number in range(60):
        store.put(f"k{number}", f"k{number}".encode() * 20, 60)
    return store


@forks
@both_locks
def test_p17_processes_killed_under_load_leave_no_lock_and_admit_no_more(path: Path, file_locks: bool) -> None:
    """Children that count are killed and replaced, time and again; what they were told adds up to at most ``max``."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock(), timeout=20.0, file_locks=file_locks)
    reading, end = os.pipe()
    most, rounds = 5_000, 60 if SOAK else 15
    rng = random.Random(1)

    def work() -> bool:
        while True:
            if admitted(store, Hit("k", BUCKET, most, YEAR)) == [True]:
                os.write(end, b"+")
            store.count([limit(f"other {rng.random()}", 9, HOUR)])

    os.set_blocking(reading, False)
    seen = 0
    for _ in range(rounds):
        children = [_in_child(work) for _ in range(3)]
        time.sleep(rng.random() * 0.03)
        for child in children:
            os.kill(child, signal.SIGKILL)
        assert [_ended(child) for child in children] == [-signal.SIGKILL] * 3
        store.count([limit(f"other {rng.random()}", 9, HOUR)])  # no lock is held
        seen += _drained(reading)
    while admitted(store, Hit("k", BUCKET, most, YEAR)) == [True]:
        seen += 1
    os.close(reading)
    os.close(end)
    assert most - 3 * rounds <= seen <= most


def _drained(reading: int) -> int:
    seen = 0
    while True:
        try:
            seen += len(os.read(reading, 65536))
        except BlockingIOError:
            return seen


# Stopped holders


@forks
@both_locks
def test_a_stopped_holder_costs_one_wait_and_no_more(path: Path, file_locks: bool) -> None:
    """While a process is stopped with a lock in its hands, calls fail; when it goes on, or is killed, they work."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock(), timeout=0.1, file_locks=file_locks)
    reading, end = os.pipe()

    def hold() -> bool:
        for stripe in store._counters.table.stripes:
            stripe.claim()
        os.write(end, b"held")
        signal.pause()
        return True

    child = _in_child(hold)
    assert os.read(reading, 9) == b"held"
    os.kill(child, signal.SIGSTOP)
    waits = []
    for _ in range(20):
        start = time.monotonic()
        with pytest.raises(StoreError, match="stopped or starved"):
            store.count([limit("k")])
        waits.append(time.monotonic() - start)
    assert sum(wait > 0.04 for wait in waits) <= 1 + sum(waits)  # a wait in a second; the others do not wait
    os.kill(child, signal.SIGKILL)
    _ended(child)
    os.close(reading)
    os.close(end)
    assert admitted(store, limit("k")) == [True]
    assert admitted(store, Hit("b", BAN, 1, 1), limit("k"), limit("other")) == [True] * 3


@forks
def test_a_lock_that_this_thread_never_gave_back_is_its_own(path: Path) -> None:
    """Its thread goes on with it, and gives it back."""
    store = SharedStore(path, MEGABYTE, clock=SystemClock())
    stripe = store._counters.table.place(COUNTER, "k").stripe
    assert stripe.take() == 0
    assert admitted(store, limit("k")) == [True]
    assert _ended(_in_child(lambda: admitted(store, limit("k")) == [True])) == 0


def test_an_exception_of_a_signal_handler_leaves_no_lock(path: Path) -> None:
    """Servers and test runners raise in handlers to end what takes too long; hundreds of times, wherever that falls."""

    class Interrupted(Exception):
        pass

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted

    store, interrupted = SharedStore(path, MEGABYTE, clock=SystemClock()), 0
    before = signal.signal(signal.SIGALRM, interrupt)
    rng = random.Random(1)
    try:
        for number in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 20e-6 + rng.random() * 300e-6)
                for _ in range(10_000):
                    store.count([limit(f"k{number}", 10**6)])
            except Interrupted:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupted == 300
    for stripe in store._counters.table.stripes:
        assert not stripe.mutex.locked()
        assert stripe.take() == 0
        assert stripe.give() == 0


@pytest.mark.parametrize("method", ["count", "peek"])
@pytest.mark.parametrize("algorithm", [FIXED, SLIDING])
def test_p17_a_change_that_was_begun_is_finished(path: Path, algorithm: Algorithm, method: str) -> None:
    """A writer killed in the middle of the copy: whoever locks the stripe next copies it whole from the journal."""
    store, hit = SharedStore(path, MEGABYTE, clock=FakeClock()), limit("k", 9, HOUR, algorithm=algorithm)
    for _ in range(4):
        store.count([hit])
    table = store._counters.table
    place = table.place(COUNTER, "k")
    cell = table.find(place)
    table.data[cell + 20 : cell + 34] = b"\xa5" * 14
    table.data[place.stripe.at] = 1
    assert getattr(store, method)([hit])[0].remaining == (4 if method == "count" else 5)
    assert table.data[place.stripe.at] == 0
    assert store.stats()["writes_recovered"] == 1


class _Spied(mmap.mmap):
    """Notes where it is written to."""

    writes: list[tuple[int, object]]

    def __setitem__(self, at: Any, value: Any) -> None:
        self.writes.append((at, value) if isinstance(at, int) else (at.start, None))
        super().__setitem__(at, value)


@pytest.mark.parametrize("algorithm", [FIXED, BUCKET, SLIDING])
def test_p17_a_change_is_in_the_journal_while_it_is_made(path: Path, algorithm: Algorithm) -> None:
    """First the journal becomes valid, then the entry is written, then the journal becomes invalid."""
    store, hit = SharedStore(path, MEGABYTE, clock=FakeClock()), limit("k", 9, HOUR, algorithm=algorithm)
    store.count([hit])
    table = store._counters.table
    with path.open("r+b") as file:
        spied = _Spied(file.fileno(), 0)
    spied.writes = []
    table.data = store._counters._data = spied
    store.count([hit])
    place = table.place(COUNTER, "k")
    assert spied.writes[-3:] == [(place.stripe.at, 1), (table.find(place), None), (place.stripe.at, 0)]


def test_a_table_of_another_container_needs_file_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutexes name their holders by process ids: who sees others is refused, unless the table has file locks."""
    with SharedStore(path, MEGABYTE, clock=SystemClock()) as store:
        monkeypatch.setattr(files, "identity", lambda: b"another container")
        with pytest.raises(ConfigurationError, match=r"another container or another C library.*locks=file"):
            SharedStore(path, MEGABYTE)
        assert admitted(store, limit("k", 1)) == [True]
    with SharedStore(path, MEGABYTE, file_locks=True):
        monkeypatch.undo()
        with SharedStore(path, MEGABYTE) as store:
            assert store._counters.table.header.mutexes == b""


def test_without_robust_mutexes_there_are_file_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without ctypes, or a C library without the calls."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    with SharedStore(path, MEGABYTE, clock=SystemClock()) as store:
        assert store._counters.table.header.mutexes == b""
        assert admitted(store, limit("k", 1)) == [True]
