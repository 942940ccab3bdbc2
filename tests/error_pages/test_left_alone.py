"""What error pages do not answer goes out as it would without them, and errors that come late are not hidden."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask, abort
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from tests.behaviour.clients.base import Lines, Reply
from tests.behaviour.clients.drivers import call_asgi, call_wsgi, environ_of, scope_of

from doorward.error_pages import ErrorPages
from doorward_flask.error_pages import ErrorPages as FlaskErrorPages
from doorward_starlette.error_pages import ErrorPages as StarletteErrorPages

PAGE = [("Accept", "text/html")]
DETAIL = {"code": "quota", "left": 0}
Start = Callable[..., Any]


def asked(app: Any, path: str, headers: Lines = PAGE) -> Reply:
    """One request to an ASGI application."""
    return asyncio.run(call_asgi(app, scope_of(path, headers=headers)))


def _raising() -> list[Route]:
    async def refused(_: Any) -> None:
        raise HTTPException(403, "not yours", headers={"X-Why": "a"})

    async def unchanged(_: Any) -> None:
        raise HTTPException(304, headers={"ETag": '"x"'})

    async def detailed(_: Any) -> None:
        raise HTTPException(429, DETAIL)  # type: ignore[arg-type]

    async def fails(_: Any) -> None:
        raise ZeroDivisionError

    views = {"refused": refused, "unchanged": unchanged, "detailed": detailed, "fails": fails}
    return [Route(f"/{name}", view) for name, view in views.items()]


@pytest.mark.parametrize("framework", [Starlette, FastAPI])
def test_statuses_that_are_not_covered_are_answered_as_ever(framework: Any) -> None:
    """With ``codes=[404]`` a 403 lost what it said, and a failure was a page of ours."""
    plain, ours = framework(routes=_raising()), framework(routes=_raising())
    StarletteErrorPages(ours, codes=[404])
    for path in ("/refused", "/unchanged", "/fails"):
        one, other = asked(plain, path), asked(ours, path)
        assert (other.status, other.body, other.lines) == (one.status, one.body, one.lines)
    assert b"<html" in asked(ours, "/nothing").body


def test_details_that_are_no_text_reach_who_asked() -> None:
    """FastAPI answers them as JSON: programs read them."""
    app = FastAPI(routes=_raising())
    StarletteErrorPages(app)
    assert asked(app, "/detailed", [("Accept", "application/json")]).json() == {"detail": DETAIL}


@pytest.mark.parametrize("awaiting", [True, False])
def test_handlers_of_the_applications_own_answer_what_is_not_covered(awaiting: bool) -> None:
    """Blocking and awaiting ones."""
    from starlette.responses import PlainTextResponse

    def handle(_: Any, error: Any) -> PlainTextResponse:
        return PlainTextResponse("mine", error.status_code)

    async def ahandle(_: Any, error: Any) -> PlainTextResponse:
        return PlainTextResponse("mine", error.status_code)

    handler: Any = ahandle if awaiting else handle
    app = Starlette(routes=_raising(), exception_handlers={HTTPException: handler})
    StarletteErrorPages(app, codes=[404])
    assert asked(app, "/refused").body == b"mine"


def test_flask_answers_what_is_not_covered_as_ever() -> None:
    app = Flask("left")
    FlaskErrorPages(app, codes=[404])
    app.add_url_rule("/refused", endpoint="refused", view_func=lambda: abort(403, "not yours"))
    assert "not yours" in app.test_client().get("/refused").text


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/json"])
def test_a_message_that_is_no_utf_8_fails_nothing(accept: str) -> None:
    """A part of a file name, say; and what would be a placeholder in a template."""
    app = Flask("message")
    FlaskErrorPages(app)
    app.add_url_rule("/", endpoint="odd", view_func=lambda: abort(403, "\ud800 \x00 ${title} {name} %s </p><b>"))
    answer = app.test_client().get("/", headers={"Accept": accept})
    assert (answer.status_code, b"${title}" in answer.data, b"</p><b>" in answer.data) == (
        403,
        True,
        accept != "text/html",
    )


# --- PEP 3333: start_response with exc_info


def _strict(app: Any) -> tuple[list[str], list[bytes]]:
    """As a server has it: headers go out with the first piece, and what comes then with exc_info is raised again."""
    statuses: list[str] = []
    sent: list[bytes] = []

    def start_response(status: str, _: Any, exc_info: Any = None) -> Any:
        if exc_info and sent:
            raise exc_info[1]
        assert exc_info or not statuses, "start_response was called twice"
        statuses.append(status)
        return sent.append

    body = ErrorPages().wsgi(app)(environ_of("/", headers=PAGE), start_response)
    for piece in body:
        sent.append(piece)  # start_response looks at it meanwhile
    return statuses, sent


def test_an_application_may_change_its_mind_before_it_has_sent_anything() -> None:
    """The wrapper called start_response twice, without exc_info, and the server answered nothing at all."""

    def app(_: Any, start_response: Start) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"failed"]

    assert _strict(app) == (["200 OK", "500 Internal Server Error"], [b"failed"])


def test_an_error_in_the_middle_of_an_answer_ends_it() -> None:
    """It was hidden: the client got half an answer, and the text of the error behind it, as one good answer."""

    def app(_: Any, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        yield b"half"
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")], sys.exc_info())
        yield b"an error"

    with pytest.raises(ZeroDivisionError):
        _strict(app)


def test_a_body_that_fails_at_once_is_closed() -> None:
    """Nobody else could: the server never gets hold of it."""
    closed: list[bool] = []

    class Failing:
        def close(self) -> None:
            closed.append(True)

        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            raise ZeroDivisionError

    reply = call_wsgi(ErrorPages().wsgi(lambda *_: Failing()), environ_of("/", headers=PAGE))
    assert (type(reply.error), closed) == (ZeroDivisionError, [True])
