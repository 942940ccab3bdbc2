"""What the Flask tests share: a small application, its extension, and requests as a server makes them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from doorward import Doorward, sliding_window
from doorward.rules.base import Rule
from doorward.testing import FakeClock
from doorward_flask import DoorwardFlask


def limit(most: int, **options: Any) -> Rule:
    return sliding_window(max=most, interval="1m", **options)


def make_app(**config: Any) -> Flask:
    """An application whose only route is ``/``."""
    app = Flask("tests.adapters.flask.application", static_folder=None)
    app.config.update(config)
    app.add_url_rule("/", "index", lambda: "index")
    return app


def protected(*rules: Rule, **options: Any) -> tuple[Flask, DoorwardFlask]:
    """The application with its extension; the clock stands still."""
    app = make_app()
    return app, DoorwardFlask(app, rules=rules, clock=FakeClock(), **options)


def client(*rules: Rule, **options: Any) -> Doorward:
    return Doorward(rules, clock=FakeClock(), **options)


def statuses(app: Any, count: int, path: str = "/", method: str = "GET") -> list[int]:
    return [app.test_client().open(path, method=method).status_code for _ in range(count)]


def environ_of(path_info: str = "/", **more: Any) -> dict[str, Any]:
    """An environ with just this PATH_INFO: latin-1 text, as servers make it (PEP 3333)."""
    return {**EnvironBuilder(**more).get_environ(), "PATH_INFO": path_info}


def status_of(app: Any, environ: dict[str, Any]) -> int:
    return int(run_wsgi_app(app, environ)[1].split()[0])
