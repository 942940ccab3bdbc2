"""The figures of clients for Prometheus, without the decision service.

::

    app.mount("/metrics", doorward.metrics.asgi_app(aj))

Every process of an application has figures of its own, which begin at zero with it: they bear its ``pid``, so that
workers behind one port do not overwrite each other's, and are added up where they are looked at
(``sum without (pid) (rate(…))``). What the labels hold is bounded: rules by those that there are, causes of errors by
:data:`MOST_CAUSES`.
"""

from __future__ import annotations

import hmac
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from doorward.errors import ConfigurationError
from doorward.exposition import OPENMETRICS, TEXT, Family, Series, document
from doorward.facade import Facade
from doorward.printable import printable
from doorward.tallies import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping

    from doorward.exposition import Labels

    Start = Callable[[str, list[tuple[str, str]]], object]
    Message = MutableMapping[str, Any]
    ASGI = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
    WSGI = Callable[[dict[str, Any], Start], Iterable[bytes]]
    Found = tuple[str, Labels, float]

PREFIX = "doorward_"
MOST_CAUSES = 100
"""Causes of errors that have a label of their own, for each client."""
OTHER = "(other)"
_LONGEST_LABEL = 100

FAMILIES: Mapping[str, Family] = {
    "client_info": Family("gauge", "The clients of this process, and their mode."),
    "rule_info": Family("gauge", "The rules of a client, and their mode."),
    "decisions": Family("counter", "Decisions, by conclusion."),
    "refusals": Family("counter", "Requests that a live rule denied, or asked for a challenge."),
    "dry_run_asked": Family("counter", "Requests that a dry-run rule was asked about."),
    "dry_run_refusals": Family("counter", "Requests that a dry-run rule would have denied, or challenged."),
    "dry_run_refused_anyway": Family("counter", "Those of them that a live rule refused as well."),
    "rule_errors": Family("counter", "Requests that a rule failed on, by the rule's mode."),
    "errors": Family("counter", "Errors that were kept from the application, by where and what."),
    "warnings": Family("counter", "Changes and warnings, by what they are about."),
    "exempt": Family("counter", "Requests that no rule was asked about, by why."),
    "store_up": Family("gauge", "Whether the store answers: 1, or 0 while decisions are made without it."),
    "store_failures": Family("counter", "Calls of the store that failed."),
    "store_decided_without": Family("counter", "Times that limits were decided without the store."),
    "store_outages": Family("counter", "Times that the store was lost."),
    "service_up": Family("gauge", "Whether the decision service answers: 1, or 0 while it does not."),
    "service_decided_without": Family("counter", "Decisions that were made without the service."),
    "service_outages": Family("counter", "Times that the service was lost."),
    "policy_up": Family("gauge", "Whether the policy file in force is the one on disk: 0 while that one is wrong."),
}


def text(*clients: Facade, openmetrics: bool = False, pid: bool = True) -> str:
    """The figures of clients.

    Args:
        *clients: One or several, of either kind; those of one name are told apart by nothing else.
        openmetrics: OpenMetrics 1.0 in place of Prometheus' text format 0.0.4.
        pid: Whether each figure bears this process' id.

    Raises:
        ConfigurationError: Something is no client.
    """
    return document(_series(_checked(clients), pid=pid), openmetrics=openmetrics)


def figures(client: Facade) -> Iterator[Found]:
    """The figures of one client: (name in :data:`FAMILIES`, labels without the client's, value)."""
    runtime = client.runtime
    yield "client_info", (("mode", runtime.settings.override or runtime.settings.mode.value),), 1
    for bound in dict.fromkeys((*client.engine.bound, *runtime.routed)):
        yield "rule_info", (("rule", bound.name), ("mode", bound.mode.value)), 1
    counts = runtime.journal.own_counts()
    for name, count in counts.items():
        if name.startswith("decision."):
            yield "decisions", (("conclusion", name.partition(".")[2]),), count
        elif name.startswith("exempt."):
            yield "exempt", (("why", printable(name.partition(".")[2], _LONGEST_LABEL)),), count
    for rule, found in runtime.journal.tallies.by_rule().items():
        yield from _of_rule(rule, found)
    yield from _causes(counts)
    yield from _state(client)


def _of_rule(rule: str, found: Mapping[str, int]) -> Iterator[Found]:
    own = (("rule", rule),)
    if "asked" in found and rule != WEIGHTS:
        found = {"would_deny": 0, **found}  # a rule that would never have refused says so
    for what, count in found.items():
        name, more = _RULES[what]
        yield name, (*own, *more), count


_RULES: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "denied": ("refusals", (("action", "deny"),)),
    "challenged": ("refusals", (("action", "challenge"),)),
    "erred": ("rule_errors", (("mode", "LIVE"),)),
    "asked": ("dry_run_asked", ()),
    "would_deny": ("dry_run_refusals", (("action", "deny"),)),
    "would_challenge": ("dry_run_refusals", (("action", "challenge"),)),
    "refused_anyway": ("dry_run_refused_anyway", ()),
    "would_err": ("rule_errors", (("mode", "DRY_RUN"),)),
}


def _causes(counts: Mapping[str, int]) -> Iterator[Found]:
    """Errors by where they were and what they are, and not by their text, which may be anything."""
    found: Counter[tuple[str, Labels]] = Counter()
    for name, count in sorted(counts.items()):
        kind, _, cause = name.partition(".")
        where, _, what = cause.partition(":")
        error = what.strip().partition(":")[0].strip()
        labels: Labels = (("cause", printable(where, _LONGEST_LABEL)),)
        if kind == "error":
            key = "errors", (*labels, ("error", printable(error, _LONGEST_LABEL)))
        elif kind in _SAID:
            key = "warnings", (("kind", kind), *labels)
        else:
            continue
        if key not in found and len(found) >= MOST_CAUSES:
            key = key[0], tuple([(label, OTHER) for label, _ in key[1]])
        found[key] += count
    for (family, labels), count in found.items():
        yield family, labels, count


_SAID = frozenset({"warning", "change", "note", "degraded"})


def _state(client: Facade) -> Iterator[Found]:
    watches = {"store": client.runtime.watch, "service": client.engine.service and client.engine.service.watch}
    for name, watch in watches.items():
        if watch is None:
            continue
        health, outage = watch.health(), watch.figures()
        yield f"{name}_up", (), 0 if health["failing_open"] else 1
        yield f"{name}_outages", (), outage["outage.times"]
        yield f"{name}_decided_without", (), outage["outage.degraded"]
        if name == "store":
            yield "store_failures", (), outage["outage.failures"]
    policy = client.health().get("policy")
    if isinstance(policy, dict):
        yield "policy_up", (), 0 if policy.get("error") else 1


def _series(clients: Iterable[Facade], *, pid: bool) -> list[Series]:
    process = (("pid", str(os.getpid())),) if pid else ()
    found: dict[str, Counter[Labels]] = {name: Counter() for name in FAMILIES}
    for client in dict.fromkeys(clients):
        named = (("client", client.runtime.settings.name),)
        for name, labels, value in figures(client):
            if FAMILIES[name].kind == "counter":  # those of clients of one name are added up: no series may occur twice
                found[name][(*named, *labels, *process)] += value  # type: ignore[assignment]
            else:
                found[name][(*named, *labels, *process)] = value  # type: ignore[assignment]
    return [Series(PREFIX + name, FAMILIES[name], list(samples.items())) for name, samples in found.items() if samples]


# --- applications


class _Pages:
    """What both kinds of application answer."""

    def __init__(self, clients: tuple[Facade, ...], token: str | None, *, pid: bool) -> None:
        self._clients = _checked(clients)
        if not self._clients:
            raise ConfigurationError("clients", "must be one or several Doorward objects")
        if token is not None and (not token or not token.isascii() or not token.isprintable()):
            raise ConfigurationError("token", "must be printable ASCII text")
        self._token, self._pid = token, pid

    def answer(self, method: str, accept: str, authorization: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        if method not in {"GET", "HEAD"}:
            return _plain(405, "only GET and HEAD are answered here", ("Allow", "GET, HEAD"))
        if self._token is not None and not _is_token(authorization, self._token):
            return _plain(401, "this needs Authorization: Bearer …", ("WWW-Authenticate", "Bearer"))
        openmetrics = "application/openmetrics-text" in accept[:1000].lower()
        body = text(*self._clients, openmetrics=openmetrics, pid=self._pid).encode()
        headers = [("Content-Type", OPENMETRICS if openmetrics else TEXT), *_headers(body), ("Vary", "Accept")]
        return 200, headers, b"" if method == "HEAD" else body


def asgi_app(*clients: Facade, token: str | None = None, pid: bool = True) -> ASGI:
    """An ASGI application that answers with the figures, wherever it is mounted.

    Args:
        *clients: As in :func:`text`.
        token: What a scraper has to send as ``Authorization: Bearer …``; None lets everybody read who can reach it.
        pid: As in :func:`text`.

    Raises:
        ConfigurationError: An argument is wrong.
    """
    pages = _Pages(clients, token, pid=pid)

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            given = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
            accept, authorization = given.get(b"accept", ""), given.get(b"authorization", "")
            status, headers, body = pages.answer(scope["method"], accept, authorization)
            encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": encoded})
            await send({"type": "http.response.body", "body": body})

    return app


def wsgi_app(*clients: Facade, token: str | None = None, pid: bool = True) -> WSGI:
    """A WSGI application that answers with the figures; arguments and errors as of :func:`asgi_app`."""
    pages = _Pages(clients, token, pid=pid)

    def app(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        accept, authorization = environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_AUTHORIZATION", "")
        status, headers, body = pages.answer(environ["REQUEST_METHOD"], accept, authorization)
        start_response(f"{status} {_PHRASES[status]}", headers)
        return [body]

    return app


async def _live(receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """There is nothing to start and to end."""
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


_PHRASES = {200: "OK", 401: "Unauthorized", 405: "Method Not Allowed"}


def _plain(status: int, message: str, header: tuple[str, str]) -> tuple[int, list[tuple[str, str]], bytes]:
    body = f"{message}\n".encode()
    return status, [("Content-Type", "text/plain; charset=utf-8"), *_headers(body), header], body


def _headers(body: bytes) -> list[tuple[str, str]]:
    return [("Content-Length", str(len(body))), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


def _is_token(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    # Compared in a time that says nothing about where they differ.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return same and scheme.lower() == "bearer"


def _checked(clients: tuple[object, ...]) -> list[Facade]:
    found = []
    for given in clients:
        client = getattr(given, "client", given)  # what the adapters make holds the client
        if not isinstance(client, Facade):
            raise ConfigurationError("clients", f"must be Doorward objects, not {type(client).__name__}")
        found.append(client)
    return found


__all__ = ["FAMILIES", "OPENMETRICS", "TEXT", "asgi_app", "figures", "text", "wsgi_app"]
