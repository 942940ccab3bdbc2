"""An application's clients under test: the time, the DNS, addresses and the service are what the test says."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from doorward import journal
from doorward.client import Doorward
from doorward.found_clients import clients_in
from doorward.testing import assertions
from doorward.testing.doubles import FakeClock, swallowed_errors
from doorward.testing.exchanges import Watch
from doorward.testing.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from doorward.client import AsyncDoorward
    from doorward.decision import Decision
    from doorward.facade import Facade
    from doorward.rules.base import Rule
    from doorward.testing.doubles import ScriptedResolver
    from doorward.testing.scripted_service import ScriptedService
    from doorward.testing.surroundings import Exchanged, ScriptedWeb


class Harness:
    """Clients on a clock set by hand, with empty counters in memory, and nobody asked but scripts.

    The fixture ``doorward`` of the pytest plugin is one. Elsewhere::

        with Harness(app) as doorward:
            for _ in range(5):
                client.post("/signup")
            doorward.assert_denied(client.post("/signup"), by="RATE_LIMIT")
            doorward.clock.advance("10m")
            doorward.assert_allowed(client.post("/signup"))

    Middleware that was built around a client before works on, and all is put back at the end. A ``with`` block that
    ends without an error raises if doorward has swallowed an internal error meanwhile.

    Args:
        *clients: What :meth:`use` takes.
        missing_raises: Whether ``protect`` without what a rule needs raises
            :class:`~doorward.testing.MissingInput`, rather than come to an ERROR result.
        start: When the clock starts, in seconds since the Unix epoch; a round hour by default.

    Attributes:
        clock: The time: ``clock.advance("10m")``.
        decisions: Every decision so far, each with its request.
        clients: The clients under test.
    """

    def __init__(self, *clients: object, missing_raises: bool = True, start: float = 1_800_000_000.0) -> None:
        from doorward.testing.scripted_addresses import ScriptedAddresses
        from doorward.testing.surroundings import Script

        self.clock = FakeClock(start)
        self.decisions = Recorder(raises_missing=missing_raises)
        self.clients: list[Facade] = []
        self.expected: set[int] = set()
        self._script = Script(self.clock, ScriptedAddresses())
        self._exchanged: list[Exchanged] = []
        self._watch = Watch()
        self._errors: Any = None
        self._first = clients

    # --- clients

    def use(self, *things: object) -> None:
        """Put clients under test until the end.

        Args:
            *things: Clients, objects of adapters, or whole applications in which clients are looked for.

        Raises:
            ConfigurationError: There is no client in one of them.
        """
        from doorward.testing.surroundings import Exchanged

        self._watch.look()
        for client in [client for thing in things for client in clients_in(thing)]:
            if not any(known.runtime is client.runtime for known in self.clients):
                self._exchanged.append(Exchanged(client, self._script))
                self.clients.append(client)
                self.decisions.listen(client.runtime)

    def client(self, *rules: Rule | Sequence[Rule], **options: Any) -> Doorward:
        """A new client under test; arguments as of :class:`doorward.Doorward`, rules also one by one."""
        if "service" in options:
            options = {"transport": self.service, "key": "test", **options}
        made = Doorward(rules, **options)
        self.use(made)
        return made

    def async_client(self, *rules: Rule | Sequence[Rule], **options: Any) -> AsyncDoorward:
        """As :meth:`client`, for code that awaits."""
        return self.client(*rules, **options).as_async()

    # --- what the world says

    @property
    def dns(self) -> ScriptedResolver:
        """Names: ``dns.mx("example.com", "mx.example.com")``, ``dns["example.com", "A"] = ["192.0.2.1"]``.

        Names that nothing was said about do not exist.
        """
        return self._script.dns

    @property
    def service(self) -> ScriptedService:
        """The decision service of clients that have one: ``service.say("signup", "deny")``."""
        return self._script.service

    @property
    def web(self) -> ScriptedWeb:
        """Statuses of URLs."""
        return self._script.web

    def ip(self, address: str, **said: object) -> None:
        """Say what an address or a network is: ``ip("203.0.113.9", country="DE", vpn=True, asn=64500)``.

        Args:
            address: An address, or a network such as ``"203.0.113.0/24"``.
            **said: Kinds of addresses (``vpn``, ``proxy``, ``tor``, ``hosting``, ``relay``, ``abuse``, ``crawler``,
                ``reserved``: True, False, who says so, or None for unknown) and attributes of ``decision.ip``.

        Raises:
            ConfigurationError: It is no address, or there is no such attribute.
        """
        self._script.addresses.tell(address, **said)

    def gravatar(self, email: str) -> None:
        """Let an address have an avatar; none has one unless it is said so."""
        from doorward.rules.email import GRAVATAR

        digest = hashlib.sha256(email.strip().lower().encode()).hexdigest()
        self.web.answers[f"{GRAVATAR}/{digest}"] = 200

    # --- assertions

    def assert_denied(self, response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
        """:func:`doorward.testing.assert_denied`."""
        __tracebackhide__ = True
        return assertions.assert_denied(response, by=by, rule=rule, status=status)

    def assert_challenged(self, response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
        """:func:`doorward.testing.assert_challenged`."""
        __tracebackhide__ = True
        return assertions.assert_challenged(response, by=by, rule=rule, status=status)

    def assert_allowed(self, response: Any, *, status: int | None = None) -> Decision:
        """:func:`doorward.testing.assert_allowed`."""
        __tracebackhide__ = True
        return assertions.assert_allowed(response, status=status)

    def assert_would_deny(self, response: Any, *, by: str = "", rule: str = "", status: int | None = None) -> Decision:
        """:func:`doorward.testing.assert_would_deny`."""
        __tracebackhide__ = True
        return assertions.assert_would_deny(response, by=by, rule=rule, status=status)

    @contextmanager
    def swallowing(self) -> Iterator[list[tuple[str, BaseException]]]:
        """Let doorward swallow internal errors meanwhile; they are collected instead of failing the test."""
        others, journal.observers[:] = journal.observers[:], []
        try:
            with swallowed_errors() as errors:
                yield errors
        finally:
            journal.observers[:] = others

    def hints(self) -> list[str]:
        """What may explain that a decision is not as expected."""
        overrides = {client.runtime.settings.override for client in self.clients}
        hints = []
        if "OFF" in overrides:
            hints.append("DOORWARD_MODE is OFF: no rule is asked, whatever the test expects")
        if "DRY_RUN" in overrides:
            hints.append("DOORWARD_MODE is DRY_RUN: every rule is in dry run, and none denies")
        if self.dns.unknown:
            names = ", ".join(sorted({f"{name} {kind}" for name, kind in self.dns.unknown}))
            hints.append(f'the DNS was asked about {names}, of which the test says nothing: doorward.dns.mx("…", "…")')
        return hints

    # --- its time

    def __enter__(self) -> Self:
        self.begin()
        self._errors = swallowed_errors()
        self._swallowed = self._errors.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._errors.__exit__(None, None, None)
        self.end()
        if error is None:
            raise_swallowed(self._swallowed)

    def begin(self) -> None:
        """Begin, as a ``with`` block does. For the pytest plugin, which looks at swallowed errors itself."""
        assertions.active.append(self)
        try:
            self.use(*self._first)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Put everything back."""
        try:
            while self._exchanged:
                self._exchanged.pop().put_back()
        finally:
            self._watch.end()
            assertions.active.remove(self)


def raise_swallowed(errors: Sequence[tuple[str, BaseException]]) -> None:
    """Raise if doorward has swallowed internal errors.

    Raises:
        AssertionError: It has; the first is the cause.
    """
    __tracebackhide__ = True
    if errors:
        where, error = errors[0]
        number = f"{len(errors)} internal errors, the first" if errors[1:] else "an internal error"
        raise AssertionError(f"doorward swallowed {number} in {where}: {type(error).__name__}: {error}") from error


__all__ = ["Harness"]
