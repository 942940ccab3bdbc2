"""How a question is put to name servers: in which order, for how long, and what follows from each response.

Pure: a generator yields an :class:`Ask` for every exchange and is sent the response, or has thrown in what went wrong
(``TimeoutError`` for silence). The two drivers are :mod:`doorward.resolving.exchange` and ``async_exchange``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import dns.message
import dns.name
import dns.rcode

from doorward.errors import ResolverError
from doorward.resolving.failures import NoAnswer
from doorward.resolving.honesty import Root
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
    from doorward.resolving.honesty import Honesty
    from doorward.resolving.messages import Path
    from doorward.resolving.servers import Server

ROUNDS = 2
"""How often a silent server is asked: one lost packet must not cost the answer."""

SILENT, NONSENSE = "silent", "sends nonsense"
"""What a server did until its time was over."""

LIES = "denies that the root of the DNS exists: its answers are worth nothing"


class Ask(NamedTuple):
    """Send ``wire`` to ``server`` and wait for what ``read`` accepts, until ``until`` (``time.monotonic``)."""

    server: Server
    tcp: bool
    wire: bytes
    read: Callable[[bytes], Reply | None]
    until: float


Steps = Generator[Ask, Any, Found]


class Upstream(NamedTuple):
    """Whom to ask, and who is told what shows about them by the way.

    Attributes:
        servers: In this order.
        heard: Called whenever one responds at all.
        honesty: Whether to believe that a name does not exist.
    """

    servers: Sequence[Server]
    heard: Callable[[], None]
    honesty: Honesty


def lookup(name: str, kind: DnsKind, upstream: Upstream, ends: float) -> Steps:
    """Look ``name`` up, through its aliases.

    Args:
        name: A domain name without the final dot.
        kind: The records.
        upstream: Whom to ask.
        ends: When to give up (``time.monotonic``).

    Raises:
        ResolverError: There is no usable answer.
    """
    asked, ttl = parse_name(name), float("inf")
    path: Path = ()
    while True:
        verdict = yield from _ask_all(asked, kind, upstream, ends, path)
        ttl = min(ttl, verdict.ttl)
        if isinstance(verdict, Found):
            return Found(verdict.answer, ttl)
        asked, path = verdict.name, verdict.path


def _ask_all(
    name: dns.name.Name, kind: DnsKind, upstream: Upstream, ends: float, path: Path
) -> Generator[Ask, Any, Found | Alias]:
    """Ask one server after the other, the silent ones again, each for its share of what time is left."""
    problems: dict[Server, str] = {}
    waiting = list(upstream.servers) * ROUNDS
    while waiting:
        now = time.monotonic()
        if now >= ends:
            break
        server = waiting[0]
        until = now + (ends - now) / len(waiting)
        try:
            return (yield from _ask_one(name, kind, server, until, upstream, path))
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
    name: dns.name.Name, kind: DnsKind, server: Server, until: float, upstream: Upstream, path: Path
) -> Generator[Ask, Any, Found | Alias]:
    for edns in (True, False):
        query = Query(name, kind, edns=edns)
        try:
            reply = yield from _exchange(query, server, until, upstream)
        except TimeoutError:
            raise TimeoutError(NONSENSE if query.strays else SILENT) from None
        verdict = judge(query, name, kind, reply, path)
        if isinstance(verdict, NeedsPlain):
            continue
        if isinstance(verdict, Found) and not verdict.answer.exists:
            yield from _doubt(server, until, upstream, edns=edns)
        return verdict
    raise AssertionError("judge has no second use for plain DNS")


def _exchange(query: Query, server: Server, until: float, upstream: Upstream) -> Generator[Ask, Any, Any]:
    """The whole response to ``query``."""
    reply = yield Ask(server, False, query.wire, query.read, until)
    upstream.heard()
    if isinstance(reply, Truncated):
        reply = yield Ask(server, True, query.wire, query.read_whole, until)
    return reply


def _doubt(server: Server, until: float, upstream: Upstream, *, edns: bool) -> Generator[Ask, Any, None]:
    """Let a server that has denied a name show that it does not deny everything.

    Raises:
        Unusable: It does.
    """
    said = upstream.honesty.said(server)
    if said is None:
        said = yield from _ask_root(server, until, upstream, edns=edns)
    if said is Root.DENIED:
        raise Unusable(LIES)


def _ask_root(server: Server, until: float, upstream: Upstream, *, edns: bool) -> Generator[Ask, Any, Root]:
    now = time.monotonic()
    try:
        # Not all the time there is: if nothing comes, the answer that is here already must not be late.
        reply = yield from _exchange(_root(edns=edns), server, now + (until - now) / 2, upstream)
        said = _said(reply)
    except (OSError, Unusable):  # TimeoutError is an OSError
        said = Root.UNKNOWN
    upstream.honesty.says(server, said)
    return said


def _root(*, edns: bool = True) -> Query:
    """What every resolver knows by heart. Not the root's addresses: systemd-resolved denies those (its issue 22401)."""
    return Query(dns.name.root, "NS", edns=edns)


def _said(response: dns.message.Message) -> Root:
    known = {dns.rcode.NOERROR: Root.EXISTS, dns.rcode.NXDOMAIN: Root.DENIED}
    return known.get(response.rcode(), Root.UNKNOWN)


def prove(upstream: Upstream, ends: float) -> Generator[Ask, Any, None]:
    """Ask what every resolver knows by heart, the servers of the root: is anybody there?

    Raises:
        NoAnswer: Nobody said anything, be it an error.
    """
    query, servers = _root(), upstream.servers
    for position, server in enumerate(servers):
        now = time.monotonic()
        try:
            reply = yield Ask(server, False, query.wire, query.read, now + (ends - now) / (len(servers) - position))
        except (OSError, Unusable):
            continue
        upstream.heard()
        if not isinstance(reply, Truncated):
            upstream.honesty.says(server, _said(reply))
        return
    raise NoAnswer(", ".join(f"{server} {SILENT}" for server in servers))
