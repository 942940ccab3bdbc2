"""Whatever bytes a request is made of, there is a decision and one clean log line, and the body arrives as it was sent.

An input is a request as on the wire, with the peer where the protocol's version stands; the method WS is a websocket.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, NamedTuple
from urllib.parse import unquote_to_bytes

from tests.fuzz.harness import fuzz, instrumented, text_of

with instrumented(__name__):
    from doorward import Conclusion, Decision, Doorward, RequestContext, RuleReason, asgi, journal, wsgi
    from doorward.rules.base import Outcome, Phase, Rule, View
    from doorward.rules.limits import rate_limit, sliding_window, token_bucket
    from doorward.runtime import DECISION
    from doorward.testing import FakeClock

BODY_LIMIT = 64
LONGEST_LINE = 1024


class Request(NamedTuple):
    method: str
    path: bytes
    query: bytes
    peer: str | None
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reader(Rule):
    """Reads all there is, and refuses what asks for it."""

    kind: ClassVar[str] = "READER"
    phase: ClassVar[Phase] = Phase.LOCAL
    needs_body: ClassVar[bool] = True

    bodies: list[tuple[bytes | None, bool]] = field(default_factory=list)

    def evaluate(self, view: View) -> Outcome:
        request = view.request
        self.bodies.append((request.body, request.body_complete))
        for name, value in request.headers:
            assert isinstance(value, str), name
        _ = request.host, request.cookies("a"), request.query_values("q")
        refused = "attack" in request.query
        message = f"{request.method} {request.path} {request.query}"
        return Outcome(Conclusion.DENY if refused else Conclusion.ALLOW, RuleReason(self.name, message))


class Lines(logging.Handler):
    """Keeps what would be written to a file."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


class Bench:
    """One client and both middlewares; nothing of one input is remembered at the next."""

    def __init__(self) -> None:
        self.clock, self.log, self.reader = FakeClock(), Lines(), Reader(name="reader")
        logger = logging.Logger("doorward.fuzz", logging.INFO)  # noqa: LOG001  (of this file alone)
        logger.addHandler(self.log)
        self.client = Doorward(self._rules(), logger=logger, clock=self.clock, body_limit=BODY_LIMIT)
        self.loop = asyncio.new_event_loop()

    def _rules(self) -> list[Any]:
        characteristics = ['http.request.headers["x-key"]', 'http.request.cookie["a"]', 'http.request.uri.args["q"]']
        return [
            self.reader,
            sliding_window(max=9, interval="1s", characteristics=["http.host", "http.request.uri.path"], paths=["/*"]),
            token_bucket(capacity=9, refill_rate=9, interval="1s", characteristics=characteristics),
            *rate_limit("9/second", paths=["re:/[a-z]+/.*%.*"], methods=["GET"]),
        ]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Nothing may be swallowed, and what is logged must be clean."""
        self.clock.advance(3600)
        self.log.lines.clear()
        self.reader.bodies.clear()
        journal.observers.append(self._swallowed)
        try:
            yield
        finally:
            journal.observers.remove(self._swallowed)
        for line in self.log.lines:
            assert len(line) <= LONGEST_LINE, line
            assert all(" " <= character <= "~" for character in line), line

    @staticmethod
    def _swallowed(where: str, error: BaseException) -> None:
        raise AssertionError(f"swallowed in {where}") from error

    def checked(self, decision: object) -> Decision:
        """The decision, if it is one, and was logged in one line."""
        assert isinstance(decision, Decision)
        assert decision.conclusion is not Conclusion.ERROR, decision.explain()
        assert decision.to_json()
        assert decision.status in (200, 403, 429)
        logged = [line for line in self.log.lines if line.startswith("doorward decision ")]
        assert len(logged) == 1, self.log.lines
        self.log.lines.clear()
        return decision


@cache
def bench() -> Bench:
    return Bench()


def parsed(data: bytes) -> Request:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, target, peer, *_ = [*first.split(b" ", 2), b"", b""]
    path, _, query = target.partition(b"?")
    pairs = [line.partition(b":")[::2] for line in lines]
    headers = [(name.strip().lower(), value.strip()) for name, value in pairs]
    return Request(method.decode("latin-1"), path, query, text_of(peer) or None, headers, body)


def scope_of(given: Request) -> dict[str, Any]:
    return {
        "type": "websocket" if given.method == "WS" else "http",
        "method": given.method,
        "path": text_of(unquote_to_bytes(given.path)),
        "raw_path": given.path,
        "query_string": given.query,
        "headers": given.headers,
        "client": (given.peer, 1234) if given.peer is not None else None,
        "extensions": {"websocket.http.response": {}},
    }


def environ_of(given: Request, body: io.RawIOBase | io.BytesIO) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": given.method,
        "PATH_INFO": unquote_to_bytes(given.path).decode("latin-1"),
        "QUERY_STRING": given.query.decode("latin-1"),
        "REMOTE_ADDR": given.peer or "",
        "wsgi.url_scheme": "http",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
    }
    for name, value in given.headers:
        key = name.decode("latin-1").upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.decode("latin-1")
    return environ


def sent(given: Request) -> bytes:
    """The body as a WSGI server hands it on: as long as Content-Length says."""
    for name, value in reversed(given.headers):
        if name.replace(b"_", b"-") == b"content-length":
            try:
                return given.body[: max(0, int(value.decode("latin-1")[:30]))]
            except ValueError:
                break
    return given.body


class Trickle(io.RawIOBase):
    """A stream that gives one byte a time, however many are asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._rest = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._rest.read(-1 if size < 0 else min(size, 1))


class Outcomes(NamedTuple):
    """What came of one request behind a middleware."""

    conclusion: Conclusion
    ruled: tuple[bytes | None, bool] | None  # the body as the rule saw it, and whether that was all
    received: bytes | None  # the body as the application saw it; None where it was not called


def run_wsgi(given: Request, stream: Any) -> Outcomes:
    received: list[bytes] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        received.append(b"".join(iter(lambda: environ["wsgi.input"].read(7), b"")))
        start_response("200 OK", [])
        return [b"ok"]

    environ = environ_of(given, stream)
    guarded = wsgi.DoorwardMiddleware(application, bench().client, rate_limit_headers=True, default_exemptions=False)
    list(guarded(environ, lambda status, headers: None))
    return outcomes(environ[DECISION], received)


def run_asgi(given: Request, pieces: list[bytes]) -> Outcomes:
    received: list[bytes] = []
    scope = scope_of(given)
    messages = messages_of(scope["type"], pieces)

    async def application(_: Any, receive: Any, send: Any) -> None:
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        received.append(b"".join(parts))

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        assert message["type"]

    guarded = asgi.DoorwardMiddleware(application, bench().client, rate_limit_headers=True, default_exemptions=False)
    bench().loop.run_until_complete(guarded(scope, receive, send))
    return outcomes(scope[DECISION], received)


def messages_of(kind: str, pieces: list[bytes]) -> list[dict[str, Any]]:
    """What an ASGI server sends to the application; it learns of the end of a body after its last byte."""
    if kind == "websocket":
        return [{"type": "websocket.connect"}]
    more = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    return [*more, {"type": "http.request", "body": b"", "more_body": False}]


def outcomes(decision: object, received: list[bytes]) -> Outcomes:
    checked = bench().checked(decision)
    ruled = bench().reader.bodies
    found = Outcomes(checked.conclusion, ruled.pop() if ruled else None, received[0] if received else None)
    assert bool(received) is checked.is_allowed()
    assert not ruled
    return found


def check_core(given: Request) -> None:
    scope, environ = scope_of(given), environ_of(given, io.BytesIO(given.body))
    context = RequestContext(
        method=given.method,
        path=scope["path"],
        query=text_of(given.query),
        headers=given.headers,
        peer=given.peer,
        body=given.body,
    )
    for request in (context, scope, environ):
        bench().checked(bench().client.protect(request))
    bench().reader.bodies.clear()


def check_middleware(given: Request) -> None:
    """Whole and byte by byte, the decision is the same, and so is the body, to rules and to the application."""
    body = sent(given)
    whole, split = run_wsgi(given, io.BytesIO(body)), run_wsgi(given, Trickle(body))
    assert whole == split
    assert whole.received in (None, body)
    pieces = [bytes([byte]) for byte in given.body]
    whole, split = run_asgi(given, [given.body]), run_asgi(given, pieces)
    assert whole == split
    assert whole.received in (None, b"" if given.method == "WS" else given.body)


def target(data: bytes) -> None:
    given = parsed(data)
    with bench().watched():
        check_core(given)
        check_middleware(given)


if __name__ == "__main__":
    fuzz(target, "requests")
