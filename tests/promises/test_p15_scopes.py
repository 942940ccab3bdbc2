"""P15: every kind of ASGI scope and message; those that are not ours pass byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.behaviour.clients.drivers import scope_of
from tests.behaviour.doubles import BodySpy, Refuser

from doorward import AsyncDoorward, sliding_window
from doorward.asgi import DoorwardMiddleware

OTHERS: list[dict[str, Any]] = [
    {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {"db": object()}},
    {"type": "unknown", "x": 1},
    {"type": "http.something", "headers": "not a list"},
    {"type": "", "headers": None},
    {"type": "mqtt", "topic": b"\x00"},
]
SENT: dict[str, list[dict[str, Any]]] = {
    "trailers": [
        {"type": "http.response.start", "status": 200, "headers": [(b"trailer", b"x")], "trailers": True},
        {"type": "http.response.body", "body": b"a"},
        {"type": "http.response.trailers", "headers": [(b"x", b"1")], "more_trailers": False},
    ],
    "pathsend": [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.pathsend", "path": "/srv/file"},
    ],
    "zerocopysend": [
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.zerocopysend", "file": 7, "more_body": False},
    ],
    "push": [
        {"type": "http.response.push", "path": "/style.css", "headers": []},
        {"type": "http.response.start", "status": 200, "headers": []},
        {"type": "http.response.body"},
    ],
    "early hint": [
        {"type": "http.response.early_hint", "links": [b"</x>; rel=preload"]},
        {"type": "http.response.start", "status": 200},
        {"type": "http.response.body"},
    ],
    "debug": [
        {"type": "http.response.debug", "info": {"template": object()}},
        {"type": "http.response.start", "status": 200, "headers": ()},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ],
    "nothing": [],
    "memoryview": [
        {"type": "http.response.start", "status": 204, "headers": iter([(b"a", b"b")])},
        {"type": "http.response.body", "body": memoryview(b"abc")},
    ],
}
LAYERS: dict[str, dict[str, Any]] = {"plain": {}, "headers": {"rate_limit_headers": True}}


def guard(app: Any, *rules: Any, **options: Any) -> DoorwardMiddleware:
    given = rules or (sliding_window(max=99, interval="1m", count_when=401, name="many"),)
    return DoorwardMiddleware(app, AsyncDoorward(list(given)), **options)


@pytest.mark.parametrize("scope", OTHERS, ids=lambda scope: scope["type"])
def test_p15_other_scopes_pass_untouched(scope: dict[str, Any]) -> None:
    """P15: lifespan and unknown types reach the application with the very same scope, receive and send."""
    given: list[Any] = []

    async def app(*arguments: Any) -> None:
        given.extend(arguments)

    async def receive() -> Any: ...

    async def send(_: Any) -> None: ...

    before = dict(scope)
    asyncio.run(guard(app, Refuser(marker=""))(scope, receive, send))
    assert [given[0] is scope, given[1] is receive, given[2] is send] == [True] * 3
    assert scope == before


def _sent(messages: list[dict[str, Any]], wrap: Callable[[Any], Any]) -> list[Any]:
    got: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        got.append(message)

    asyncio.run(wrap(app)(scope_of("/echo"), receive, send))
    return got


@pytest.mark.parametrize("name", SENT)
def test_p15_messages_pass_as_the_very_objects(name: str) -> None:
    """P15: extensions, trailers and pathsend reach the server as the objects that the application sent."""
    got = _sent(SENT[name], guard)
    assert len(got) == len(SENT[name])
    assert all(mine is theirs for mine, theirs in zip(got, SENT[name], strict=True))


@pytest.mark.parametrize("name", [name for name in SENT if name != "memoryview"])
def test_p15_headers_are_added_to_the_start_alone(name: str) -> None:
    """P15: with RateLimit headers, every other message and every other field of the start stays as it was."""
    got = _sent(SENT[name], lambda app: guard(app, rate_limit_headers=True))
    for mine, theirs in zip(got, SENT[name], strict=True):
        if theirs["type"] == "http.response.start":
            own = [line for line in mine["headers"] if line[0].startswith(b"ratelimit")]
            assert len(own) == 2
            assert [line for line in mine["headers"] if line not in own] == list(theirs.get("headers", ()))
            assert {**mine, "headers": 0} == {**theirs, "headers": 0}
        else:
            assert mine is theirs


def test_p15_headers_of_an_iterator_are_not_lost() -> None:
    """P15: an application may give its headers as an iterator, which can be read only once."""
    messages = [{"type": "http.response.start", "status": 200, "headers": iter([(b"a", b"b")])}]
    start = _sent(messages, lambda app: guard(app, rate_limit_headers=True))[0]
    assert (b"a", b"b") in list(start["headers"])


@pytest.mark.parametrize("rules", [(), (BodySpy(),)], ids=["unread", "held"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_p15_the_application_sees_the_disconnect(rules: tuple[Any, ...], layer: str) -> None:
    """P15: after the body comes ``http.disconnect``, also where the body was held for a rule."""
    incoming = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
        {"type": "http.disconnect"},
    ]
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            seen.append(message)
        seen.append(message)

    _run(guard(app, *rules, **LAYERS[layer]), list(incoming))
    held = [{"type": "http.request", "body": b"ab", "more_body": False}, {"type": "http.disconnect"}]
    assert seen == (held if rules else incoming)


def test_p15_a_disconnect_in_the_middle_of_a_held_body_is_passed_on() -> None:
    """P15: a client that leaves while its body is held: the application gets what came, then the disconnect."""
    incoming = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]
    seen: list[Any] = []
    spy = BodySpy()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([await receive(), await receive()])

    _run(guard(app, spy), list(incoming))
    assert seen == incoming
    assert spy.bodies == [(b"a", False)]


def _run(app: Any, incoming: list[Any]) -> None:
    async def receive() -> Any:
        return incoming.pop(0)

    async def send(_: Any) -> None: ...

    asyncio.run(app(scope_of("/echo", method="POST"), receive, send))


def test_p15_a_missing_client_and_odd_scopes_are_decided_about() -> None:
    """P15: servers leave out what ASGI lets them leave out."""
    reached: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["doorward.decision"].conclusion.value)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    for more in (
        {},
        {"client": None},
        {"client": ("", 0)},
        {"root_path": "/x", "raw_path": None},
        {"query_string": b"\xff"},
    ):
        asyncio.run(guard(app)({**scope, **more}, None, None))  # type: ignore[arg-type]
    assert reached == ["ALLOW"] * 5
