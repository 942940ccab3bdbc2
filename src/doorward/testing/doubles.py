"""Doubles: a clock that is set by hand, a resolver that knows what it was told, and what hears swallowed errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from doorward import journal
from doorward.clock import NANOSECONDS
from doorward.duration import seconds as parse_seconds
from doorward.effects import DnsAnswer, DnsKind
from doorward.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doorward.duration import Duration

__all__ = ["FakeClock", "ScriptedResolver", "swallowed_errors"]


@contextmanager
def swallowed_errors() -> Iterator[list[tuple[str, BaseException]]]:
    """Collect the errors of doorward's own, and of callbacks, that are kept from the application meanwhile.

    In production they are counted and logged. In tests, check at the end that the list is empty::

        with swallowed_errors() as errors:
            client.post("/signup")
        assert not errors
    """
    errors: list[tuple[str, BaseException]] = []

    def observe(where: str, error: BaseException) -> None:
        errors.append((where, error))

    journal.observers.append(observe)
    try:
        yield errors
    finally:
        journal.observers.remove(observe)


class FakeClock:
    """A clock that stands still until it is told.

    Args:
        start: Seconds since the Unix epoch; the default is a round hour, so that windows start there too.
    """

    __slots__ = ("_now",)

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = round(start * NANOSECONDS)

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._now

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now / NANOSECONDS

    def advance(self, seconds: Duration) -> None:
        """Let time pass: seconds, ``"10m"``, a timedelta. A negative number steps back, as a broken host would.

        Raises:
            ConfigurationError: It is no length of time.
        """
        passed = seconds if isinstance(seconds, int | float) else parse_seconds(seconds, "seconds")
        self._now += round(passed * NANOSECONDS)


class ScriptedResolver:
    """A resolver that knows what it was told and asks nobody: a client's ``resolver`` in tests.

    ::

        resolver = ScriptedResolver({
            ("example.com", "MX"): ["mx.example.com"],
            ("null.example", "MX"): [""],
            ("broken.example", "MX"): ResolverError("SERVFAIL"),
        })
        aj = Doorward(rules, resolver=resolver)

    A name of which it was told nothing does not exist; one of which it was told other kinds has no such records. More
    can be told later: ``resolver["example.com", "MX"] = ["mx.example.com"]``.

    Args:
        script: Records, a :class:`~doorward.effects.DnsAnswer` or an error to raise, by name and kind of records.

    Attributes:
        asked: The questions so far, as (name, kind).
        unknown: Those of them that it was told nothing about.

    Raises:
        ConfigurationError: A key is no name and kind.
    """

    keeps_deadline = True

    def __init__(self, script: Mapping[tuple[str, str], Sequence[str] | DnsAnswer | Exception]) -> None:
        self._script: dict[tuple[str, DnsKind], Sequence[str] | DnsAnswer | Exception] = {}
        self._names: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.unknown: list[tuple[str, str]] = []
        for question, answer in script.items():
            self[question] = answer

    def __setitem__(self, question: tuple[str, str], answer: Sequence[str] | DnsAnswer | Exception) -> None:
        name, kind = question
        self._script[name.lower(), _kind(kind)] = answer
        self._names.add(name.lower())

    def mx(self, domain: str, *hosts: str) -> None:
        """Let a domain have mail servers; without ``hosts`` it exists and has none."""
        self[domain, "MX"] = hosts

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        """What the script says."""
        del timeout
        name = name.lower()
        self.asked.append((name, kind.value))
        answer = self._script.get((name, kind))
        if name not in self._names:
            self.unknown.append((name, kind.value))
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, DnsAnswer):
            return answer
        return DnsAnswer(name in self._names, tuple(answer or ()))

    async def resolve_async(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (its twin's)
        """As :meth:`resolve`."""
        return self.resolve(name, kind, timeout)


def _kind(text: str) -> DnsKind:
    try:
        return DnsKind(text.upper())
    except ValueError:
        raise ConfigurationError("script", f"kinds are {', '.join(DnsKind)}, not {text!r}") from None
