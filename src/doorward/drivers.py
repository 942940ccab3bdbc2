"""The loop that performs effects by blocking; its twin that awaits is :mod:`doorward.async_driver`.

Nothing is decided here. A failure is thrown into the generator: what follows from it is the engine's business.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from doorward.context import Body
from doorward.effects import (
    AskProvider,
    AskService,
    AskStore,
    AskWeb,
    Compute,
    CountHits,
    Effect,
    Failed,
    Gather,
    Pause,
    ReadBody,
    ResolveDns,
)
from doorward.errors import DeadlineExceeded, ResolverError, ServiceError

if TYPE_CHECKING:
    from doorward.effects import Hit, Verdict
    from doorward.network import Network
    from doorward.offload import Offload
    from doorward.question import Question, ServiceAnswer
    from doorward.silence import Silence
    from doorward.stores.base import Store

T = TypeVar("T")

_ROUNDED = 0.001
"""Seconds: nothing to a deadline, and more than its arithmetic loses."""

ReadBodySync = Callable[[], Body | None]


def no_body() -> None:
    """For requests whose body is out of reach."""
    return


class Deadline:
    """What is left of the time that one decision may spend on remote work; counted from the first such work."""

    __slots__ = ("_ends", "_timeout")

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._ends = 0.0

    def left(self) -> float:
        """Seconds left.

        Raises:
            DeadlineExceeded: None are.
        """
        now = time.monotonic()
        self._ends = self._ends or now + self._timeout
        if now >= self._ends:
            raise self.exceeded()
        return self._ends - now

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Stand still meanwhile: what is waited for has a deadline of its own."""
        began = time.monotonic()
        try:
            yield
        finally:
            if self._ends:
                self._ends += time.monotonic() - began

    def exceeded(self) -> DeadlineExceeded:
        """The error to raise."""
        return DeadlineExceeded(f"no answer within the deadline of {self._timeout:g} s")


class Limiter(Protocol):
    """What decides about limits in this process while the store fails."""

    def count(self, hits: Sequence[Hit]) -> Sequence[Verdict]:
        """As :meth:`doorward.stores.base.Store.count`."""
        ...


class Service(Protocol):
    """The decision service, as code that waits for it sees it."""

    def ask(self, question: Question, seconds: float) -> ServiceAnswer:
        """Its answer, within ``seconds``. Raises ServiceError without one."""
        ...

    async def aask(self, question: Question, seconds: float) -> ServiceAnswer:
        """As :meth:`ask`, awaiting."""
        ...


class SyncPorts:
    """Performs effects by blocking.

    Args:
        store: Where counters live.
        local: The limiter of this process, for when the store fails.
        offload: Threads for stores that may block, so that the deadline holds whatever they do.
        timeout: Seconds for the remote work of one decision.
        read_body: Holds the request's body.
        network: Asks other hosts; without one, whoever wants to is told that nobody can.
        silence: Knows when a store that blocks does not answer at all.
        service: The decision service.
    """

    __slots__ = (
        "_deadline",
        "_local",
        "_network",
        "_offload",
        "_read_body",
        "_service",
        "_silence",
        "_store",
        "inline_count",
    )

    def __init__(
        self,
        store: Store,
        local: Callable[[], Limiter],
        offload: Callable[[], Offload],
        timeout: float,
        read_body: ReadBodySync = no_body,
        *,
        network: Network | None = None,
        silence: Silence | None = None,
        service: Service | None = None,
    ) -> None:
        self._silence = silence
        self._service = service
        self._store = store
        self._local = local
        self._offload = offload
        self._deadline = Deadline(timeout)
        self._read_body = read_body
        self._network = network
        self.inline_count = None if store.blocking else store.count

    def perform(self, effect: Effect) -> Any:  # noqa: PLR0911  (one for each effect)
        """The answer to ``effect``."""
        match effect:
            case CountHits(hits, local=True):
                return self._local().count(hits)
            case CountHits(hits):
                return self._ask("count", (hits,))
            case AskStore(method, arguments):
                return self._ask(method, arguments)
            case ReadBody():
                return self._read_body()
            case Gather(effects):
                return self._gather(effects)
            case Pause():
                return None
            case Compute(_, call, arguments):
                return call(*arguments)
            case AskService(question):
                return at_hand(self._service).ask(question, self._deadline.left())
            case AskProvider(wire, call):
                with self._deadline.apart():
                    return wire.send(call)
            case ResolveDns() | AskWeb():
                return reachable(self._network).perform(effect, self._deadline)

    def _ask(self, method: str, arguments: tuple[object, ...]) -> Any:
        call = getattr(self._store, method)
        if not self._store.blocking:
            return call(*arguments)
        left = self._deadline.left()
        if keeps_deadline(self._store, left):
            return call(*arguments)
        silence = self._silence
        if silence is not None and method != "close":
            silence.check()
        began = time.monotonic()
        future = self._offload().submit(call, *arguments)
        try:
            return future.result(left)
        except TimeoutError:
            if silence is not None:
                silence.met(began, future)
            raise self._deadline.exceeded() from None
        finally:
            if silence is not None and future.done():
                silence.heard()

    def _gather(self, effects: Sequence[Effect]) -> list[Any]:
        network = self._network
        if network is None or len(effects) == 1:
            return [self._attempt(self.perform, each) for each in effects]
        begun = network.begin(effects, self._deadline)
        own = {at: self._attempt(self.perform, each) for at, each in enumerate(effects) if at not in begun}
        for at, future in begun.items():
            own[at] = self._attempt(network.finish, effects[at], future, self._deadline)
        return [own[at] for at in range(len(effects))]

    def _attempt(self, call: Callable[..., Any], *arguments: object) -> Any:
        try:
            return call(*arguments)
        except Exception as error:
            return failed(error)


def failed(error: Exception) -> Failed:
    """``error`` as an answer, without the frames that it came through.

    They lead back to the list that it will be an item of. Under a flood of failures such circles are what the garbage
    collector stops the event loop for: by a tenth of a second for a few hundred questions to dead name servers.
    """
    inner: BaseException | None = error
    while inner is not None and inner.__traceback__ is not None:
        inner.__traceback__ = None
        inner = inner.__cause__ or inner.__context__
    return Failed(error)


def reachable(network: Network | None) -> Network:
    """``network``, where there is one.

    Raises:
        ResolverError: There is none.
    """
    if network is None:
        raise ResolverError("nobody here asks other hosts: a rule that does must say so (`looks_up`, `waits`)")
    return network


def at_hand(service: Service | None) -> Service:
    """``service``, where there is one.

    Raises:
        ServiceError: There is none.
    """
    if service is None:
        raise ServiceError("there is no decision service here")
    return service


def is_async(store: object) -> bool:
    """Whether a store's calls are awaitable."""
    return inspect.iscoroutinefunction(getattr(store, "count", None))


def keeps_deadline(store: object, left: float = inf) -> bool:
    """Whether a store ends its calls in time by itself, so that nobody has to watch them.

    Args:
        store: The store; its ``timeout`` is what a call takes at most. One without is believed to know what is left.
        left: Seconds that are left. A second call of one decision has less than the first.
    """
    timeout: object = getattr(store, "timeout", None)
    is_longer = isinstance(timeout, int | float) and timeout > left + _ROUNDED
    return getattr(store, "keeps_deadline", False) is True and not is_longer


def run(flow: Generator[Effect, Any, T], ports: SyncPorts) -> T:
    """Drive ``flow`` to its end, blocking."""
    count = ports.inline_count
    try:
        effect = next(flow)
        while True:
            try:
                # The one effect of almost every request goes past ``perform``.
                if count is not None and type(effect) is CountHits and not effect[1]:
                    answer = count(effect[0])
                else:
                    answer = ports.perform(effect)
            except Exception as error:
                effect = flow.throw(error)
            else:
                effect = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
