"""P16: an allowed response is the application's own: a differential over generated responses, bare and wrapped."""

from __future__ import annotations

import asyncio
import contextvars
import io
import random
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple
from wsgiref.validate import WSGIWarning, validator

import pytest
from tests.behaviour.clients.drivers import environ_of, scope_of
from tests.behaviour.doubles import BodySpy, Spy

from doorward import AsyncDoorward, Doorward, sliding_window
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

RESPONSES = 500
SETUPS: dict[str, list[Any]] = {
    "no rule": [],
    "limit": [sliding_window(max=10**6, interval="1m")],
    "count_when": [sliding_window(max=10**6, interval="1m", count_when=lambda response: response.status < 500)],
    "body": [BodySpy(), sliding_window(max=10**6, interval="1m")],
}
STATUSES = (200, 201, 204, 206, 301, 304, 400, 401, 404, 418, 422, 500, 503, 599)
NAMES = ("set-cookie", "set-cookie", "link", "vary", "x-a", "cache-control", "ratelimit", "etag")


class Failure(Exception):
    """The application's own."""


class Script(NamedTuple):
    """What the application does for one request: the chunks it sends, and where it raises, if it does."""

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: tuple[bytes, ...]
    fails_at: int | None
    reads: bool


def scripts() -> Iterator[Script]:
    source = random.Random(16)
    for _ in range(RESPONSES):
        headers = tuple((source.choice(NAMES), f"v{source.randrange(9)}") for _ in range(source.randrange(6)))
        chunks = tuple(source.randbytes(source.choice((0, 1, 10, 1000))) for _ in range(source.randrange(5)))
        fails_at = source.randrange(-1, 5) if source.random() < 0.2 else None
        yield Script(source.choice(STATUSES), headers, chunks, fails_at, source.random() < 0.5)


def fail(script: Script, at: int) -> None:
    if script.fails_at == at:
        raise Failure(f"at {at}")


async def asgi_trace(script: Script, rules: list[Any] | None) -> list[Any]:
    """Everything that a server and the application itself see of one request."""
    trace: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        fail(script, -1)
        if script.reads:
            trace.append(await receive())
        headers = [(name.encode(), value.encode()) for name, value in script.headers]
        await send({"type": "http.response.start", "status": script.status, "headers": headers})
        for number, chunk in enumerate(script.chunks):
            fail(script, number)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        fail(script, len(script.chunks))
        trace.append("background task")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"the body", "more_body": False}

    async def send(message: Any) -> None:
        trace.append(dict(message))

    wrapped = app if rules is None else ASGIMiddleware(app, AsyncDoorward(rules))
    try:
        await wrapped(scope_of("/echo", method="POST"), receive, send)  # type: ignore[arg-type]
    except Failure as error:
        trace.append((str(error), traceback.extract_tb(error.__traceback__)[-1].name))
    return trace


class Body:
    """A WSGI iterable that keeps what is done to it."""

    def __init__(self, script: Script, trace: list[Any]) -> None:
        self._script, self._trace = script, trace

    def __iter__(self) -> Iterator[bytes]:
        for number, chunk in enumerate(self._script.chunks):
            fail(self._script, number)
            yield chunk
        fail(self._script, len(self._script.chunks))

    def close(self) -> None:
        self._trace.append("closed")


def wsgi_trace(script: Script, rules: list[Any] | None) -> list[Any]:
    """As ``asgi_trace``; with PEP 3333 checked on both sides of the middleware."""
    trace: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        fail(script, -1)
        if script.reads:
            trace.append(environ["wsgi.input"].read(8))
        headers = (
            [("Content-Type", "x/y"), *script.headers] if script.status not in (204, 304) else list(script.headers)
        )
        start_response(f"{script.status} Status", headers)
        return Body(script, trace)

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        trace.append((status, list(headers)))
        return trace.append

    checked: Any = validator(app)
    wrapped = checked if rules is None else validator(WSGIMiddleware(checked, Doorward(rules)))
    iterable: Any = None
    try:
        iterable = wrapped(environ_of("/echo", method="POST", body=b"the body"), start_response)
        trace.extend(iterable)
    except Failure as error:
        trace.append((str(error), traceback.extract_tb(error.__traceback__)[-1].name))
    finally:
        if iterable is not None:
            iterable.close()
    return trace


@pytest.mark.parametrize("setup", SETUPS)
def test_p16_asgi_responses_are_the_applications(setup: str) -> None:
    """P16: status, headers, chunks, background work and exceptions are those of the bare ASGI application."""

    async def compare() -> None:
        for script in scripts():
            assert await asgi_trace(script, SETUPS[setup]) == await asgi_trace(script, None)

    asyncio.run(compare())


@pytest.mark.parametrize("setup", SETUPS)
def test_p16_wsgi_responses_are_the_applications(setup: str) -> None:
    """P16: the same of WSGI, where ``close`` is called once and both sides keep to PEP 3333."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WSGIWarning)
        for script in scripts():
            assert wsgi_trace(script, SETUPS[setup]) == wsgi_trace(script, None)


def test_p16_the_iterable_is_the_applications_own() -> None:
    """P16: servers get the very object, so that their fast paths for files and lists still work."""
    body = [b"a", b"b"]

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return body

    for rules in SETUPS.values():
        guarded = WSGIMiddleware(app, Doorward(rules), rate_limit_headers=True)
        assert guarded(environ_of("/echo"), lambda *_: None) is body


def test_p16_exc_info_reaches_the_server() -> None:
    """P16: an application that fails after it began may start again, and the server learns of the exception."""
    given: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            fail(Script(200, (), (), 0, reads=False), 0)
        except Failure:
            start_response("500 Oops", [("X", "y")], sys.exc_info())
        return [b"oops"]

    def start_response(*arguments: Any) -> None:
        given.append(arguments)

    for rules in SETUPS.values():
        given.clear()
        list(WSGIMiddleware(app, Doorward(rules))(environ_of("/echo"), start_response))
        assert given[0] == ("200 OK", [])
        assert given[1][:2] == ("500 Oops", [("X", "y")])
        assert given[1][2][0] is Failure


def test_p16_the_write_callable_is_handed_through() -> None:
    """P16: old applications write with what ``start_response`` returned."""
    written: list[bytes] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])(b"written")
        return []

    for rules in SETUPS.values():
        written.clear()
        WSGIMiddleware(app, Doorward(rules), rate_limit_headers=True)(environ_of("/"), lambda *_: written.append)
        assert written == [b"written"]


@pytest.mark.parametrize("setup", SETUPS)
def test_p16_context_variables_pass_both_ways(setup: str) -> None:
    """P16: what the server set is seen by the application, and what the application set by the server."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert variable.get() == "server"
        variable.set("application")

    async def serve() -> str:
        variable.set("server")
        await ASGIMiddleware(app, AsyncDoorward(SETUPS[setup]))(scope_of("/echo"), _empty, _ignore)
        return variable.get()

    assert asyncio.run(serve()) == "application"


async def _empty() -> Any:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore(_: Any) -> None:
    return None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_p16_exceptions_that_end_things_pass(error: type[BaseException]) -> None:
    """P16: what is no ``Exception`` passes through WSGI middleware, and settles what waits for the response."""

    def app(environ: Any, start_response: Any) -> Any:
        raise error

    with pytest.raises(error):
        WSGIMiddleware(app, Doorward(SETUPS["count_when"]))(environ_of("/echo"), lambda *_: None)


def test_p16_a_generator_that_fails_before_it_starts_is_settled() -> None:
    """P16: a WSGI generator that raises before ``start_response`` was a 500: a limit on log-ins must not count it."""

    def app(environ: Any, start_response: Any) -> Any:
        raise Failure
        yield b""

    rule = sliding_window(max=1, interval="1m", count_when=401)
    guarded = WSGIMiddleware(app, Doorward([rule]))
    for _ in range(3):
        with pytest.raises(Failure):
            list(guarded(environ_of("/echo"), lambda *_: None))


@pytest.mark.parametrize("failing", ["read", "readline"])
def test_p16_a_body_that_breaks_off_breaks_off_for_the_application(failing: str) -> None:
    """P16: where the server fails in the middle of a body, rules are asked and limits charged all the same.

    The application gets what came, then the server's own error.
    """

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if data := super().read(3):
                return data
            raise ConnectionResetError("the client has gone")

    spy, seen = BodySpy(), []

    def app(environ: Any, start_response: Any) -> Any:
        seen.append(environ["wsgi.input"].read(9))
        getattr(environ["wsgi.input"], failing)(1)

    environ = {**environ_of("/echo", method="POST", body=b"x" * 100), "wsgi.input": Stream(b"x" * 9)}
    aj = Doorward([spy, sliding_window(max=5, interval="1m")])
    with pytest.raises(ConnectionResetError):
        WSGIMiddleware(app, aj)(environ, lambda *_: None)
    assert seen == [b"x" * 9]
    assert spy.bodies == [(b"x" * 9, False)]
    assert environ["doorward.decision"].limits()[0][1].remaining == 4


def test_p16_the_scope_only_gains_our_keys() -> None:
    """P16: of a scope and an environ, nothing is changed but keys of our own that are added."""
    for made in (scope_of("/echo?x=1", headers=[("a", "b")]), environ_of("/echo?x=1", headers=[("a", "b")])):
        before = dict(made)
        spy = Spy()
        if "type" in made:
            asyncio.run(ASGIMiddleware(_nothing, AsyncDoorward([spy]))(made, _empty, _ignore))
        else:
            WSGIMiddleware(lambda *_: [], Doorward([spy]))(made, lambda *_: None)
        assert {key: value for key, value in made.items() if not key.startswith("doorward.")} == before


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    return None
