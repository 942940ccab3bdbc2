"""doorward's own resolver client: asks name servers, never longer than it may, and remembers what they said.

It trusts the configured servers to resolve (it is a stub, RFC 1034 section 5.3.1) and nothing else: not that they
answer, in time, what was asked, in messages that can be read, or briefly; nor that there is
nothing where they say so, while they say it of everything.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from doorward.clock import SystemClock
from doorward.effects import DnsAnswer, DnsKind
from doorward.errors import ConfigurationError, ResolverError
from doorward.lazily import lazily
from doorward.resolving.breaker import Breaker
from doorward.resolving.cache import SIZE, Cache, Failure
from doorward.resolving.failures import NoAnswer, NotAsked
from doorward.resolving.flights import Flights
from doorward.resolving.honesty import Honesty
from doorward.resolving.servers import Server, parse_servers, system_servers

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from doorward.clock import Clock
    from doorward.resolving.lookup import Steps
    from doorward.resolving.messages import Found

Question = tuple[str, DnsKind]

LONGEST_NAME = 253


class DnsResolver:
    """Resolves names within a deadline, blocking or awaiting. Thread safe, and safe over forks.

    Args:
        servers: Name servers such as ``"127.0.0.1:5353"``, asked in this order; by default those of the host.
        clock: The time by which answers expire.
        cache_size: The most answers that are kept.

    Raises:
        ConfigurationError: A server is no address.
    """

    keeps_deadline = True
    """That a call never takes longer than its ``timeout``: it needs no thread to be given up on."""

    def __init__(
        self, servers: Iterable[str | Server] | None = None, *, clock: Clock | None = None, cache_size: int = SIZE
    ) -> None:
        self._configured = parse_servers(map(str, servers), "servers") if servers is not None else None
        clock = clock or SystemClock()
        self._cache = Cache(clock, cache_size)
        self._breaker = Breaker(clock)
        self._honesty = Honesty(clock)
        self._flights = Flights()

    @lazily
    def servers(self) -> tuple[Server, ...]:
        """Whom to ask."""
        return self._configured or system_servers()

    def warm(self) -> None:
        """Import what looking up needs, and read the host's configuration, so that no request has to.

        Raises:
            ConfigurationError: dnspython is not installed.
        """
        try:
            import dns.rdtypes.ANY.CNAME
            import dns.rdtypes.ANY.MX
            import dns.rdtypes.ANY.PTR
            import dns.rdtypes.ANY.SOA
            import dns.rdtypes.IN.A
            import dns.rdtypes.IN.AAAA  # noqa: F401  (dnspython would import them with the first response)
        except ImportError as error:
            raise ConfigurationError("resolver", f"looking up names needs dnspython: {error}") from error
        import doorward.resolving.exchange
        import doorward.resolving.lookup  # noqa: F401

        _ = self.servers

    def holds(self, name: str, kind: DnsKind) -> bool:
        """Whether :meth:`resolve` need not ask anybody."""
        return self._cache.get(_question(name, kind)) is not None

    # --- the two ways to wait

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        """What the DNS says about ``name``.

        Args:
            name: A domain name in ASCII.
            kind: The records wanted.
            timeout: Seconds to wait at most.

        Raises:
            ResolverError: There is no usable answer, or none in time.
        """
        question, ends = _question(name, kind), time.monotonic() + timeout
        while (known := self.known(question, ends - time.monotonic())) is None:
            flight, leading = self._flights.join(question, ends, threading.Event)
            if not leading:
                flight.landed.wait(max(0.0, min(ends, flight.ends) - time.monotonic()))
                continue
            try:
                return self._lead(question, ends)
            finally:
                self._flights.land(question, flight)
        return known

    async def resolve_async(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (the same deadline as for its twin)
        """As :meth:`resolve`, awaiting."""
        question, ends = _question(name, kind), time.monotonic() + timeout
        while (known := self.known(question, ends - time.monotonic())) is None:
            import asyncio

            # By loop: to wait for a leader elsewhere would take more than an event of this one.
            key = (asyncio.get_running_loop(), question)
            flight, leading = self._flights.join(key, ends, asyncio.Event)
            if not leading:
                await _landed(flight.landed, min(ends, flight.ends))
                continue
            try:
                return await self._lead_async(question, ends)
            finally:
                self._flights.land(key, flight)
        return known

    def _lead(self, question: Question, ends: float) -> DnsAnswer:
        from doorward.resolving.exchange import drive

        began = time.monotonic()
        try:
            return self._learnt(question, drive(self._steps(question, ends)))
        except ResolverError as error:
            self._failed(question, error, ends - began)
            raise

    async def _lead_async(self, question: Question, ends: float) -> DnsAnswer:
        from doorward.resolving.async_exchange import drive_async

        began = time.monotonic()
        try:
            return self._learnt(question, await drive_async(self._steps(question, ends)))
        except ResolverError as error:
            self._failed(question, error, ends - began)
            raise

    # --- what they share

    def known(self, question: Question, timeout: float) -> DnsAnswer | None:
        """The answer, as far as it is remembered.

        Args:
            question: A name in lower case, and a kind.
            timeout: Seconds that there would be to ask.

        Raises:
            ResolverError: It is remembered that there is none, or there is no time to ask.
        """
        held = self._cache.get(question)
        if isinstance(held, Failure):
            if held.holds_for(timeout):
                raise (NoAnswer if held.silent else ResolverError)(held.problem)
            held = None
        if held is None and timeout <= 0:
            raise NoAnswer("the question was still on its way")
        return held

    def _steps(self, question: Question, ends: float) -> Steps:
        from doorward.resolving.lookup import Upstream, lookup, prove

        now = time.monotonic()
        upstream = Upstream(self.servers, self._breaker.heard, self._honesty)
        if self._breaker.wants_proof(ends - now):
            try:
                yield from prove(upstream, now + (ends - now) / 2)
            except NoAnswer:
                self._breaker.proof_failed()
                raise
        return (yield from lookup(*question, upstream, ends))

    def _learnt(self, question: Question, found: Found) -> DnsAnswer:
        self._cache.answered(question, found.answer, found.ttl)
        return found.answer

    def _failed(self, question: Question, error: ResolverError, waited: float) -> None:
        if isinstance(error, NotAsked):
            return
        silent = isinstance(error, NoAnswer)
        if silent:
            self._breaker.silence(question[0], waited)
        self._cache.failed(question, Failure(str(error), waited if silent else float("inf")))


def _question(name: str, kind: DnsKind) -> Question:
    if len(name) > LONGEST_NAME + 1:
        raise ResolverError("asked for something that is no domain name")
    return name.removesuffix(".").lower(), kind


async def _landed(landed: asyncio.Event, until: float) -> None:
    import asyncio

    try:
        async with asyncio.timeout(max(0.0, until - time.monotonic())):
            await landed.wait()
    except TimeoutError:
        return


__all__ = ["DnsResolver"]
