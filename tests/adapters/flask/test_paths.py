"""Rules see the path that Werkzeug routes, whatever bytes are sent: no spelling goes around a limit of a path."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, request
from hypothesis import example, given
from hypothesis import strategies as st
from tests.adapters.flask.support import client, environ_of, limit, make_app, protected, status_of
from tests.behaviour.doubles import Spy

from doorward.rules.base import View
from doorward_flask import DoorwardFlask

UTF8, LATIN = "é".encode().decode("latin-1"), "é"
PIECES = ["/", "//", "login", "LOGIN", "%2e", "%2f", ".", "..", ";", "\\", UTF8, LATIN, "\xff", "\x80", " "]
paths = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)


def spied() -> tuple[Flask, Spy]:
    spy = Spy()
    app, _ = protected(spy, default_exemptions=False)
    app.add_url_rule("/<path:rest>", "all", lambda rest: rest)
    return app, spy


def routed(environ: dict[str, Any]) -> str:
    """The path that Werkzeug binds to its map, found without doorward."""
    app = Flask("application", static_folder=None)
    with app.request_context(dict(environ)):
        return str(request.path)


@given(paths)
@example("//login")
@example("///login")
@example("")
@example("/\xc3")
def test_rules_see_the_path_that_is_routed(path: str) -> None:
    """For any PATH_INFO, also one that is not UTF-8, has double slashes or is empty."""
    app, spy = spied()
    environ = environ_of(path)
    status_of(app, environ)
    seen: list[View] = spy.seen
    assert [view.request.path for view in seen] == [routed(environ)]


@pytest.mark.parametrize("spelling", ["/login", "//login", "///login"])
def test_no_spelling_goes_around_a_limit_of_a_path(spelling: str) -> None:
    """What is routed to ``/login`` is limited as ``/login``."""
    app = make_app()
    app.add_url_rule("/login", "login", lambda: "login")
    DoorwardFlask(app, limits={"/login": "1/minute"})
    assert status_of(app, environ_of("/login")) == 200
    assert status_of(app, environ_of(spelling)) == 429


@pytest.mark.parametrize("spelling", ["/login", "//login"])
def test_protect_without_the_extension_sees_the_routed_path(spelling: str) -> None:
    """``aj.protect(flask.request)`` alone is not gone around either."""
    aj, app = client(limit(1, paths=["/login"])), make_app()
    app.add_url_rule("/login", "login", lambda: ("", aj.protect(request).status))
    assert status_of(app, environ_of("/login")) == 200
    assert status_of(app, environ_of(spelling)) == 429


def test_an_application_below_a_prefix_has_paths_without_it() -> None:
    """SCRIPT_NAME is not part of the path, as it is none of the routes."""
    app, spy = spied()
    status_of(app, {**environ_of("/login"), "SCRIPT_NAME": "/mounted"})
    assert spy.seen[0].request.path == "/login"
