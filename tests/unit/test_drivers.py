"""The two loops that perform effects: they come to the same, and wait no longer than they may."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.walking import LooksUp, Reads, Says, allows, request, says

from doorward import AsyncDoorward, Body, ConfigurationError, DeadlineExceeded, Doorward, sliding_window
from doorward.async_driver import AsyncPorts, run_async
from doorward.drivers import Deadline, SyncPorts, no_body, run
from doorward.effects import AskStore, CountHits, Failed, Gather, Pause, ReadBody, Verdict
from doorward.offload import Offload
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

SOON, LATE = 0.02, 20.0
"""Deadlines of seconds: of calls that hang, and of calls that do not."""


class Scripted(MemoryStore):
    """A store whose answers are written down beforehand; afterwards it is a memory store."""

    def __init__(self, script: list[Any], *, blocking: bool = False) -> None:
        super().__init__(clock=FakeClock())
        self.blocking = blocking  # type: ignore[misc]
        self._script = iter(script)

    def _next(self, otherwise: Any) -> Any:
        return _given(next(self._script, None), otherwise)

    def count(self, hits):
        return self._next(lambda: MemoryStore.count(self, hits))

    def get(self, key):
        return self._next(lambda: MemoryStore.get(self, key))


class Keyed(MemoryStore):
    """A store whose answers depend on what is asked, since nobody says in which order a Gather asks."""

    def __init__(self, answers: dict[str, Any], *, blocking: bool = False) -> None:
        super().__init__(clock=FakeClock())
        self.blocking = blocking  # type: ignore[misc]
        self._answers = answers

    def count(self, hits):
        return _given(self._answers.get("count"), list)

    def get(self, key):
        return _given(self._answers.get(key), lambda: None)


def _given(answer: Any, otherwise: Any) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    return otherwise() if answer is None else answer


def awaitable(store: Any) -> Any:
    """The same store with every method a coroutine function."""

    class Awaitable:
        blocking = True

    def method(name: str):
        async def call(self, *arguments):
            await asyncio.sleep(0)
            return getattr(store, name)(*arguments)

        return call

    for name, _ in inspect.getmembers(store, callable):
        if not name.startswith("_"):
            setattr(Awaitable, name, method(name))
    return Awaitable()


# --- the same effects, the same answers

GETS = [AskStore("get", (key,)) for key in "abc"]
ANSWERS = st.sampled_from(
    [None, b"1", [Verdict(True, 1, 2.0, 0.0)], ConnectionError("down"), TimeoutError("slow"), KeyError("k")]
)
SIMPLE = st.sampled_from([*GETS, Pause(), ReadBody(), CountHits(()), CountHits((), local=True)])
EFFECTS = st.recursive(
    SIMPLE, lambda inner: st.lists(inner, max_size=3).map(lambda effects: Gather(tuple(effects))), max_leaves=5
)


def recorded(effects: list[Any], heard: list[object]):
    """A flow that asks for one effect after the other, and writes down what it hears."""
    for effect in effects:
        try:
            heard.append(_plain((yield effect)))
        except Exception as error:
            heard.append(_plain(Failed(error)))
    return len(heard)


def _plain(answer: object) -> object:
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    return repr(answer.error) if isinstance(answer, Failed) else answer


def heard_by_blocking(effects: list[Any], store: Any) -> list[object]:
    heard: list[object] = []
    ports = SyncPorts(store, MemoryStore, Offload, LATE, lambda: Body(b"b", True))
    assert run(recorded(effects, heard), ports) == len(heard)
    return heard


def heard_by_awaiting(effects: list[Any], store: Any) -> list[object]:
    heard: list[object] = []

    async def body() -> Body:
        return Body(b"b", True)

    async def drive() -> int:
        return await run_async(recorded(effects, heard), AsyncPorts(store, MemoryStore, Offload, LATE, body))

    assert asyncio.run(drive()) == len(heard)
    return heard


@settings(max_examples=30)
@given(st.lists(EFFECTS, max_size=5), st.dictionaries(st.sampled_from(["a", "b", "c", "count"]), ANSWERS))
def test_both_loops_hear_the_same_answers(effects: list[Any], answers: dict[str, Any]) -> None:
    """Whatever is asked and whatever a store answers, blocking or not, awaitable or not."""
    expected = heard_by_blocking(effects, Keyed(answers))
    assert heard_by_awaiting(effects, Keyed(answers)) == expected
    under_deadline = [_as_deadline(each) for each in expected]
    assert heard_by_blocking(effects, Keyed(answers, blocking=True)) == under_deadline
    assert heard_by_awaiting(effects, Keyed(answers, blocking=True)) == under_deadline
    assert heard_by_awaiting(effects, awaitable(Keyed(answers))) == under_deadline


def _as_deadline(heard: object) -> object:
    """What a store's own timeout is called where calls are made under the deadline."""
    if isinstance(heard, list):
        return [_as_deadline(each) for each in heard]
    return "DeadlineExceeded('no answer within the deadline of 20 s')" if heard == "TimeoutError('slow')" else heard


def test_a_blocking_store_is_called_on_a_thread_by_both_loops() -> None:
    """So that the deadline holds whatever it does, and the event loop goes on."""
    callers = []

    class Telling(Scripted):
        def get(self, key):
            callers.append(threading.current_thread().name)

    effects = [AskStore("get", ("k",))]
    heard_by_blocking(effects, Telling([], blocking=True))
    heard_by_awaiting(effects, Telling([], blocking=True))
    heard_by_blocking(effects, Telling([]))
    assert callers == ["doorward-offload", "doorward-offload", threading.current_thread().name]


def looks(_):
    found = yield AskStore("get", ("k",))
    return says("DENY" if found == b"1" else "ALLOW")


RULES = [
    sliding_window(max=2, interval=60),
    sliding_window(max=1, interval=60, on_error="allow", mode="DRY_RUN"),
    Says(does=allows),
    Reads(does=allows),
    LooksUp(does=looks),
]


def told(decision) -> dict[str, object]:
    return {**decision.to_dict(), "id": ""}


@settings(max_examples=20)
@given(st.lists(ANSWERS, max_size=8))
def test_both_clients_come_to_the_same_decisions(script: list[Any]) -> None:
    """Differential: one script of a store's answers, four requests, blocking and awaiting."""
    blocking = Doorward(RULES, store=Scripted(script), clock=FakeClock())
    waiting = AsyncDoorward(RULES, store=Scripted(script), clock=FakeClock())

    async def decide() -> list[object]:
        return [told(await waiting.protect(request())) for _ in range(4)]

    assert asyncio.run(decide()) == [told(blocking.protect(request())) for _ in range(4)]


# --- the deadline


class Hanging(MemoryStore):
    blocking = True

    def __init__(self) -> None:
        super().__init__(clock=FakeClock())
        self.released = threading.Event()

    def count(self, hits):
        self.released.wait(LATE)
        return super().count(hits)


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    store = Hanging()
    yield store
    store.released.set()


LIMITS = [sliding_window(max=5, interval=60, on_error="allow")]


def test_a_store_that_hangs_is_given_up_at_the_deadline(hanging: Hanging) -> None:
    """Blocking and awaiting: the decision says so, and is the one that was configured."""
    aj = Doorward(LIMITS, store=hanging, timeout=SOON)
    assert "DeadlineExceeded: no answer within the deadline of 0.02 s" in aj.protect(request()).reason.message
    waiting = AsyncDoorward(LIMITS, store=hanging, timeout=SOON)
    decision = asyncio.run(_protect(waiting))
    assert "DeadlineExceeded" in decision.reason.message


async def _protect(aj: AsyncDoorward):
    return await aj.protect(request())


def test_an_asynchronous_store_that_hangs_is_cancelled_at_the_deadline() -> None:
    """Its coroutine is told to stop."""
    stopped = []

    async def hang(self, hits) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    store = awaitable(MemoryStore())
    type(store).count = hang
    decision = asyncio.run(_protect(AsyncDoorward(LIMITS, store=store, timeout=SOON)))
    assert (decision.is_error(), stopped) == (True, [True])


def test_one_deadline_holds_for_all_remote_work_of_a_decision(hanging: Hanging) -> None:
    """What comes after a call that hung is not asked any more."""
    rules = [*LIMITS, LooksUp(does=looks)]
    decision = Doorward(rules, store=hanging, timeout=SOON).protect(request())
    assert [result.conclusion.value for result in decision.results] == ["ERROR", "ERROR"]
    assert "DeadlineExceeded" in decision.results[1].reason.message


def test_a_deadline_begins_with_the_first_remote_work() -> None:
    """Reading a body, which is the client's time, is not counted."""
    deadline = Deadline(LATE)
    first = deadline.left()
    assert LATE >= first >= deadline.left() > 0
    over = Deadline(0.0)
    with pytest.raises(DeadlineExceeded):
        over.left()


def test_a_cancelled_request_is_cancelled() -> None:
    """The client went away: nothing of ours holds the task back."""

    async def cancelled() -> bool:
        store = awaitable(MemoryStore())
        entered = asyncio.Event()

        async def hang(self, hits) -> None:
            entered.set()
            await asyncio.Event().wait()

        type(store).count = hang
        task = asyncio.create_task(_protect(AsyncDoorward(LIMITS, store=store, timeout=LATE)))
        await entered.wait()
        task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    assert asyncio.run(cancelled())


# --- odds and ends


def test_a_body_out_of_reach_is_none() -> None:
    """Without a reader, in both loops."""
    assert no_body() is None
    heard: list[object] = []
    asyncio.run(run_async(recorded([ReadBody()], heard), AsyncPorts(MemoryStore(), MemoryStore, Offload, LATE)))
    run(recorded([ReadBody()], heard), SyncPorts(MemoryStore(), MemoryStore, Offload, LATE))
    assert heard == [None, None]


def test_a_flow_that_raises_raises() -> None:
    """Operators' calls report their failures."""

    def broken():
        yield Pause()
        raise LookupError

    with pytest.raises(LookupError):
        run(broken(), SyncPorts(MemoryStore(), MemoryStore, Offload, LATE))


def test_an_asynchronous_store_needs_an_asynchronous_client() -> None:
    """Said at construction, and when the other kind is asked for."""
    store = awaitable(MemoryStore())
    with pytest.raises(ConfigurationError, match="use AsyncDoorward"):
        Doorward(store=store)
    with pytest.raises(ConfigurationError, match="use AsyncDoorward"):
        AsyncDoorward(store=store).as_sync()
