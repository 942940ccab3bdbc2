"""Websockets are decided about before they are accepted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.doubles import Breaker, FailingStore

from doorward import sliding_window


def one() -> Any:
    return sliding_window(max=1, interval="1m", name="one")


@pytest.mark.parametrize("extension", [False, True])
def test_an_allowed_websocket_passes_untouched(make_socket: MakeApp, extension: bool) -> None:
    """It is accepted by the application and echoes."""
    reply = make_socket(one()).socket(extension=extension)  # type: ignore[attr-defined]
    assert (reply.accepted, list(reply.texts)) == (True, ["hello"])


def test_a_denied_websocket_is_closed_before_it_is_accepted(make_socket: MakeApp) -> None:
    """Without the extension the answer is a close, which the client sees as 403; the application sees nothing."""
    app: Any = make_socket(one())
    app.socket()
    reply = app.socket()
    assert (reply.accepted, reply.close_code, reply.denial) == (False, 1008, None)


def test_a_denied_websocket_is_answered_where_the_server_can(make_socket: MakeApp) -> None:
    """With the denial response extension the client gets status, headers and body."""
    app: Any = make_socket(one())
    app.socket(extension=True)
    denial = app.socket(extension=True).denial
    assert (denial.status, denial.header("Retry-After")) == (429, "60")
    assert json.loads(denial.body)["status"] == 429


def test_websockets_and_requests_share_a_limit(make_socket: MakeApp) -> None:
    """A client cannot get round its limit by opening a websocket."""
    app: Any = make_socket(one())
    app.get()
    assert not app.socket().accepted


def test_a_websocket_is_not_enforced_when_nothing_is(make_socket: MakeApp) -> None:
    """``enforce=False`` holds for websockets."""
    app: Any = make_socket(one(), layer={"enforce": False})
    assert [app.socket().accepted for _ in range(2)] == [True, True]


@pytest.mark.parametrize(("on_error", "accepted"), [("allow", True), ("deny", False)])
def test_a_failing_store_decides_about_websockets_as_configured(
    make_socket: MakeApp, on_error: Any, accepted: bool
) -> None:
    """``on_error`` holds for websockets: let in, or refused with 503."""
    limit = sliding_window(max=1, interval="1m", on_error=on_error)
    app: Any = make_socket(limit, store=FailingStore())
    reply = app.socket(extension=True)
    assert reply.accepted is accepted
    assert accepted or reply.denial.status == 503


def test_a_broken_rule_lets_websockets_in(make_socket: MakeApp) -> None:
    """A bug in a rule breaks no websocket."""
    app: Any = make_socket(Breaker())
    assert app.socket().accepted


@pytest.mark.swallows_errors
@pytest.mark.parametrize("extension", [False, True])
def test_a_broken_on_denied_still_refuses_the_websocket(make_socket: MakeApp, extension: bool) -> None:
    """Where ``on_denied`` raises, the websocket is refused as without it."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug in the callback")

    app: Any = make_socket(one(), layer={"on_denied": broken})
    app.socket()
    assert not app.socket(extension=extension).accepted


def test_a_limit_with_count_when_counts_websockets(make_socket: MakeApp) -> None:
    """There is no response to wait for: the charge stays, and nothing breaks."""
    app: Any = make_socket(sliding_window(max=1, interval="1m", count_when=401))
    assert [app.socket().accepted for _ in range(2)] == [True, False]


@pytest.mark.parametrize("path", ["/static/x.js", "/health"])
def test_no_websocket_is_exempt_by_default(make_socket: MakeApp, path: str) -> None:
    """Paths of files and health checks are exempt for requests alone."""
    app: Any = make_socket(one())
    assert app.get(path).status == app.get(path).status == 200
    app.socket(path)
    assert app.socket(path, extension=True).denial.status == 429
