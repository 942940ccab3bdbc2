"""What a request leaves behind: nothing that waits for the garbage collector, beyond what Flask itself leaves."""

from __future__ import annotations

import gc

import pytest
from flask import Flask
from tests.adapters.flask.support import limit, make_app, protected
from werkzeug.test import create_environ, run_wsgi_app

from doorward.testing import FakeClock
from doorward_flask import DoorwardFlask

REQUESTS = 20


def left_by(app: Flask) -> int:
    """Objects that only the collector frees. The least of three times: it also counts what other threads leave."""
    requests(app)  # what is made once
    return min([left_once(app) for _ in range(3)])


def left_once(app: Flask) -> int:
    gc.collect()
    gc.disable()
    try:
        requests(app)
        return gc.collect()
    finally:
        gc.enable()


def requests(app: Flask) -> None:
    # As from a server: Flask's test client keeps what it has asked.
    for _ in range(REQUESTS):
        run_wsgi_app(app, create_environ("/", headers={"User-Agent": "Mozilla/5.0", "Cookie": "a=1"}))[0]


@pytest.mark.parametrize("most", [1000, 1], ids=["let in", "refused"])
def test_a_request_leaves_no_cycle(most: int) -> None:
    """Werkzeug keeps its request in the environ, and the environ keeps ours: what we copy must not lead back."""
    app, _ = protected(limit(most))
    assert left_by(app) <= left_by(make_app())


def test_a_request_that_a_view_asks_about_leaves_no_cycle() -> None:
    """Also where the view looks at the decision, and asks again."""
    app = Flask("tests.adapters.flask.application", static_folder=None)
    guard = DoorwardFlask(app, rules=[limit(1000)], clock=FakeClock())
    app.add_url_rule("/", "index", lambda: guard.protect(requested=1).explain())
    assert left_by(app) <= left_by(make_app())
