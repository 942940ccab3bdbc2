"""What a decision asks of other hosts, the DNS and the web, performed within the decision's deadline.

Whatever goes wrong there becomes a :class:`~doorward.errors.ResolverError`.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from doorward.drivers import failed
from doorward.effects import AskWeb, DnsAnswer, Failed, ResolveDns
from doorward.errors import ConfigurationError, DeadlineExceeded, ResolverError, StoreError
from doorward.locks import lock_over_forks
from doorward.printable import describe
from doorward.resolving.failures import NoAnswer
from doorward.resolving.servers import parse_servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from doorward.clock import Clock
    from doorward.drivers import Deadline
    from doorward.effects import DnsKind, Effect
    from doorward.head_requests import HeadRequests
    from doorward.offload import Offload
    from doorward.resolving.servers import Server

USER_AGENT = "doorward"


class Resolver(Protocol):
    """Resolves names: :class:`doorward.resolver.DnsResolver`, ``doorward.testing.ScriptedResolver``, or your own.

    Called on a thread, which is given up at the deadline, unless it has a true attribute ``keeps_deadline``: then it
    is called where the decision is made, and must never take longer than ``timeout``.
    """

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        """What the DNS says about ``name``.

        Args:
            name: A domain name in ASCII, without the final dot.
            kind: The records wanted.
            timeout: Seconds after which nobody waits for the answer any more.

        Raises:
            ResolverError: There is no usable answer. Other exceptions mean the same.
        """
        ...


class AsyncResolver(Protocol):
    """As :class:`Resolver`, awaitable; for ``AsyncDoorward`` only. It is cancelled at the deadline."""

    async def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (its twin's)
        """As :meth:`Resolver.resolve`."""
        ...


def check_resolver(value: Any, field: str = "resolver") -> Resolver | AsyncResolver | tuple[Server, ...] | None:
    """A client's ``resolver``: None for the host's name servers, the addresses of others, or an object.

    Args:
        value: For addresses a text such as ``"127.0.0.1:5353"``, or a sequence of them.
        field: The argument's name, for the error.

    Raises:
        ConfigurationError: It is none of these.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return parse_servers([value], field)
    if isinstance(value, list | tuple):
        return parse_servers(value, field)
    if isinstance(value, type) or not callable(getattr(value, "resolve", None)):
        accepted = "an object with a method resolve(name, kind, timeout), or addresses of name servers"
        raise ConfigurationError(field, f"must be {accepted}, not {value!r}")
    found: Resolver | AsyncResolver = value
    return found


def is_async_resolver(resolver: object) -> bool:
    """Whether only code that awaits can use it."""
    return inspect.iscoroutinefunction(getattr(resolver, "resolve", None))


class Network:
    """Performs :class:`ResolveDns` and :class:`AskWeb`. Thread safe, and safe over forks; costs nothing until used.

    Args:
        resolver: As :func:`check_resolver` returns it.
        clock: The time by which answers of our own resolver expire.
    """

    def __init__(
        self, resolver: Resolver | AsyncResolver | tuple[Server, ...] | None = None, clock: Clock | None = None
    ) -> None:
        self._configured = resolver
        self._clock = clock
        self._lock = lock_over_forks()
        # Of its own: nobody shall wait at the other one while a TLS context is built.
        self._web_lock = lock_over_forks()
        self._resolver: Any = None if resolver is None or isinstance(resolver, tuple) else resolver
        self._threads: dict[type[Effect], Offload] = {}
        self._web: HeadRequests | None = None
        self.needs_async = is_async_resolver(resolver)

    def warm(self, *, web: bool = False) -> None:
        """Import and build what the first request would otherwise wait for.

        Args:
            web: Also what :class:`AskWeb` needs.

        Raises:
            ConfigurationError: A library is missing.
        """
        warm = getattr(self.resolver, "warm", None)
        if warm is not None:
            warm()
        if web:
            _ = self.web

    @property
    def resolver(self) -> Any:
        """Who resolves names; ours is made when first needed."""
        if self._resolver is None:
            from doorward.resolver import DnsResolver

            with self._lock:
                if self._resolver is None:
                    servers = self._configured if isinstance(self._configured, tuple) else None
                    self._resolver = DnsResolver(servers, clock=self._clock)
        return self._resolver

    # --- blocking

    def perform(self, effect: ResolveDns | AskWeb, deadline: Deadline) -> Any:
        """The answer to ``effect``: a :class:`DnsAnswer`, or an HTTP status.

        Raises:
            ResolverError: There is none, or none in time.
        """
        with _explained(effect, deadline):
            left = deadline.left()
            if self._keeps_deadline(effect):
                return _checked(effect, self._call(effect)(left))
            return _checked(effect, self._submit(effect, left).result(left))

    def begin(self, effects: Sequence[Effect], deadline: Deadline) -> dict[int, Future[Any]]:
        """Let those of ``effects`` that have to wait do so at once, each on a thread; by their positions.

        One of them is left to the caller, who has a thread of its own.
        """
        begun: dict[int, Future[Any]] = {}
        waiting = [(at, effect) for at, effect in enumerate(effects) if self._waits(effect)]
        for at, effect in waiting[:-1]:
            try:
                begun[at] = self._submit(effect, deadline.left())  # type: ignore[arg-type]  # _waits has looked
            except (ResolverError, DeadlineExceeded):
                break  # no threads, or no time: the caller finds out itself, one after the other
        return begun

    def finish(self, effect: Effect, begun: Future[Any], deadline: Deadline) -> Any:
        """The answer to what was begun, also when it came while the caller was busy to the end; raises as above."""
        with _explained(effect, deadline):
            return _checked(effect, begun.result(0 if begun.done() else deadline.left()))

    def _waits(self, effect: Effect) -> bool:
        if isinstance(effect, ResolveDns):
            holds = getattr(self.resolver, "holds", None)
            return holds is None or not holds(effect.name, effect.kind)
        return isinstance(effect, AskWeb)

    # --- awaiting

    async def perform_async(self, effect: ResolveDns | AskWeb, deadline: Deadline) -> Any:
        """As :meth:`perform`, awaiting."""
        import asyncio

        with _explained(effect, deadline):
            left = deadline.left()
            awaitable = getattr(self.resolver, "resolve_async", None) if isinstance(effect, ResolveDns) else None
            if awaitable is not None and self._keeps_deadline(effect):
                return _checked(effect, await awaitable(*effect, left))
            async with asyncio.timeout(left):
                if awaitable is not None:
                    answer = await awaitable(*effect, left)
                elif isinstance(effect, ResolveDns) and self.needs_async:
                    answer = await self.resolver.resolve(*effect, left)
                else:
                    answer = await asyncio.wrap_future(self._submit(effect, left))
            return _checked(effect, answer)

    # --- what they share

    def _keeps_deadline(self, effect: ResolveDns | AskWeb) -> bool:
        return isinstance(effect, ResolveDns) and getattr(self.resolver, "keeps_deadline", False) is True

    def _call(self, effect: ResolveDns | AskWeb) -> Callable[[float], Any]:
        if isinstance(effect, AskWeb):
            return lambda left: self.web.status(effect.url, left)
        if self.needs_async:
            raise ResolverError("its method resolve is a coroutine function: use AsyncDoorward")
        return lambda left: self.resolver.resolve(*effect, left)

    def _submit(self, effect: ResolveDns | AskWeb, left: float) -> Future[Any]:
        """Start on a thread; those of the web and those of the DNS do not take each other's."""
        from doorward.offload import MOST_IN_FLIGHT, Offload

        with self._lock:
            threads = self._threads.setdefault(type(effect), Offload())
        try:
            return threads.submit(_caught, self._call(effect), left)
        except StoreError:
            raise ResolverError(f"{MOST_IN_FLIGHT} questions wait for answers already; this one is not asked") from None

    @property
    def web(self) -> HeadRequests:
        """Who asks web servers; made when first needed, as its TLS context alone takes a twentieth of a second.

        A resolver that has a method ``status`` itself is asked: one that must reach nobody has.
        """
        resolver: Any = self.resolver
        with self._web_lock:
            web: Any = self._web
            if web is None:
                web = self._web = resolver if hasattr(resolver, "status") else _web()
            asker: HeadRequests = web
            return asker

    def close(self) -> None:
        """Let go of threads."""
        with self._lock:
            threads = list(self._threads.values())
            self._threads.clear()
        for offload in threads:
            offload.close()


def _web() -> HeadRequests:
    try:
        from httpx import create_ssl_context  # believes whom `doorward data update` believes
    except ImportError as error:
        raise ConfigurationError("httpx", "asking web servers needs it: pip install httpx") from error
    from doorward.head_requests import HeadRequests

    return HeadRequests(USER_AGENT, create_ssl_context())


@contextmanager
def _explained(effect: Effect, deadline: Deadline) -> Iterator[None]:
    """Whatever goes wrong is a :class:`ResolverError` that says what."""
    try:
        yield
    except NoAnswer as error:
        raise ResolverError(f"{deadline.exceeded()}: {error}") from None
    except (TimeoutError, DeadlineExceeded):
        raise ResolverError(str(deadline.exceeded())) from None
    except ResolverError:
        raise
    except Exception as error:
        who = "the resolver" if isinstance(effect, ResolveDns) else "asking the web"
        raise ResolverError(f"{who} failed: {describe(error)}") from error


def _caught(call: Callable[[float], Any], left: float) -> Any:
    """What a call on a thread comes to. A future that held the error would be held by its frames."""
    try:
        return call(left)
    except Exception as error:
        return failed(error)


def _checked(effect: Effect, answer: Any) -> Any:
    """A user's resolver may return anything."""
    if isinstance(answer, Failed):
        try:
            raise answer.error
        finally:
            del answer  # the error's frames would hold it, and it them
    if isinstance(effect, ResolveDns) and not isinstance(answer, DnsAnswer):
        raise ResolverError(f"the resolver returned {type(answer).__name__} instead of DnsAnswer")
    return answer
