"""How a question is put to name servers: in which order, for how long, and what follows from each response.

Pure: a generator yields an :class:`Ask` for every exchange and is sent the response, or has thrown in what went wrong
(``TimeoutError`` for silence). The two drivers are :mod:`doorward.resolving.exchange` and ``async_exchange``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.name

from doorward.errors import ResolverError
from doorward.resolving.failures import NoAnswer
from doorward.resolving.messages import (
    Alias,
    Found,
    NeedsPlain,
    Query,
    Reply,
    Truncated,
    Unusable,
    judge,
    parse_name,
)

if TYPE_CHECKING:
    from doorward.effects import DnsKind
    from doorward.resolving.messages import Path
    from doorward.resolving.servers import Server

ROUNDS = 2
"""How often a silent server is asked: one lost packet must not cost the answer."""

SILENT, NONSENSE = "silent", "sends nonsense"
"""What a server did until its time was over."""


class Ask(NamedTuple):
    """Send ``wire`` to ``server`` and wait for what ``read`` accepts, until ``until`` (``time.monotonic``)."""

    server: Server
    tcp: bool
    wire: bytes
    read: Callable[[bytes], Reply | None]
    until: float


Steps = Generator[Ask, Any, Found]


def lookup(name: str, kind: DnsKind, servers: Sequence[Server], ends: float, heard: Callable[[], None]) -> Steps:
    """Look ``name`` up, through its aliases.

    Args:
        name: A domain name without the final dot.
        kind: The records.
        servers: Whom to ask, in this order.
        ends: When to give up (``time.monotonic``).
        heard: Called whenever a server responds at all.

    Raises:
        ResolverError: There is no usable answer.
    """
    asked, ttl = parse_name(name), float("inf")
    path: Path = ()
    while True:
        verdict = yield from _ask_all(asked, kind, servers, ends, heard, path)
        ttl = min(ttl, verdict.ttl)
        if isinstance(verdict, Found):
            return Found(verdict.answer, ttl)
        asked, path = verdict.name, verdict.path


def _ask_all(
    name: dns.name.Name, kind: DnsKind, servers: Sequence[Server], ends: float, heard: Callable[[], None], path: Path
) -> Generator[Ask, Any, Found | Alias]:
    """Ask one server after the other, the silent ones again, each for its share of what time is left."""
    problems: dict[Server, str] = {}
    waiting = list(servers) * ROUNDS
    while waiting:
        now = time.monotonic()
        if now >= ends:
            break
        server = waiting[0]
        until = now + (ends - now) / len(waiting)
        try:
            return (yield from _ask_one(name, kind, server, until, heard, path))
        except TimeoutError as error:
            problems[server] = str(error)
            waiting = waiting[1:]
        except (OSError, Unusable) as error:
            problems[server] = _few_words(error)
            waiting = [other for other in waiting if other != server]
    raise _failure(problems)


def _failure(problems: dict[Server, str]) -> ResolverError:
    told = ", ".join(f"{server} {problem}" for server, problem in problems.items())
    if all(problem in {SILENT, NONSENSE} for problem in problems.values()):
        return NoAnswer(told or "there was no time left to ask")
    return ResolverError(f"no usable answer: {told}")


def _few_words(error: Exception) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def _ask_one(
    name: dns.name.Name, kind: DnsKind, server: Server, until: float, heard: Callable[[], None], path: Path
) -> Generator[Ask, Any, Found | Alias]:
    for edns in (True, False):
        query = Query(name, kind, edns=edns)
        try:
            reply = yield Ask(server, False, query.wire, query.read, until)
            heard()
            if isinstance(reply, Truncated):
                reply = yield Ask(server, True, query.wire, query.read_whole, until)
        except TimeoutError:
            raise TimeoutError(NONSENSE if query.strays else SILENT) from None
        verdict = judge(query, name, kind, reply, path)
        if not isinstance(verdict, NeedsPlain):
            return verdict
    raise AssertionError("judge has no second use for plain DNS")


def prove(servers: Sequence[Server], ends: float, heard: Callable[[], None]) -> Generator[Ask, Any, None]:
    """Ask what every resolver knows by heart, the servers of the root: is anybody there?

    Raises:
        NoAnswer: Nobody said anything, be it an error.
    """
    query = Query(dns.name.root, "NS")
    for position, server in enumerate(servers):
        now = time.monotonic()
        try:
            yield Ask(server, False, query.wire, query.read, now + (ends - now) / (len(servers) - position))
        except (OSError, Unusable):  # TimeoutError is an OSError
            continue
        heard()
        return
    raise NoAnswer(", ".join(f"{server} {SILENT}" for server in servers))
