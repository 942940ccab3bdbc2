"""What a request leaves behind: nothing of ours that waits for the garbage collector."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from tests.adapters.flask.support import limit, protected
from tests.collecting import left_behind
from werkzeug.test import create_environ, run_wsgi_app

from doorward.testing import FakeClock
from doorward_flask import DoorwardFlask

REQUESTS = 20


def requests(app: Flask) -> None:
    # As from a server: Flask's test client keeps what it has asked.
    for _ in range(REQUESTS):
        run_wsgi_app(app, create_environ("/", headers={"User-Agent": "Mozilla/5.0", "Cookie": "a=1"}))[0]


@pytest.mark.parametrize("most", [1000, 1], ids=["let in", "refused"])
def test_a_request_leaves_no_cycle(most: int) -> None:
    """Werkzeug keeps its request in the environ, and the environ keeps ours: what we copy must not lead back."""
    app, _ = protected(limit(most))
    assert not left_behind(partial(requests, app))


def test_a_request_that_a_view_asks_about_leaves_no_cycle() -> None:
    """Also where the view looks at the decision, and asks again."""
    app = Flask("tests.adapters.flask.application", static_folder=None)
    guard = DoorwardFlask(app, rules=[limit(1000)], clock=FakeClock())
    app.add_url_rule("/", "index", lambda: guard.protect(requested=1).explain())
    assert not left_behind(partial(requests, app))
