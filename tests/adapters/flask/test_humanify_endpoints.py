"""Patterns of endpoints, as flask-Humanify has them, hold in Flask's middleware: nobody has to tell the endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask

from doorward import Doorward, RequestContext
from doorward.compat.humanify import humanify_filter
from doorward_flask import DoorwardFlask


def statuses(**patterns: Any) -> list[int]:
    """Of three routes and one that there is not, with a rule that denies what the patterns mean."""
    app, api = Flask("endpoints"), Blueprint("api", "endpoints.api")
    for path, name in (("/users", "users"), ("/health", "health")):
        api.add_url_rule(path, name, lambda: "api")
    app.register_blueprint(api)
    app.add_url_rule("/", "home", lambda: "home")
    DoorwardFlask(app, rules=[humanify_filter(action="deny", **patterns)])
    client = app.test_client()
    return [client.get(path).status_code for path in ("/users", "/health", "/", "/nothing")]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"endpoint_patterns": ["api.*"]}, [403, 403, 200, 404]),
        ({"endpoint_patterns": ["api.*"], "url_patterns": ["/"]}, [403, 403, 403, 404]),
        ({"endpoint_patterns": ["api.*"], "exclude_patterns": ["api.health"]}, [403, 200, 200, 404]),
        ({"url_patterns": ["/*"], "exclude_patterns": ["api.health"]}, [403, 200, 403, 403]),
        ({"exclude_patterns": ["regex:^api[.]"]}, [200, 200, 403, 403]),
    ],
)
def test_a_rule_with_patterns_of_endpoints_is_asked(patterns: dict[str, Any], expected: list[int]) -> None:
    """The middleware left such rules open, and the routes with them."""
    # A health check of the application's is no default exemption here: "/health" is one of the routes.
    assert statuses(**patterns, paths=["/users", "/health", "/", "/nothing"]) == expected


def test_without_an_endpoint_an_exclusion_excludes_nothing() -> None:
    """What ``protect`` is not told: the rule holds by its URLs."""
    aj = Doorward([humanify_filter(url_patterns=["/admin/*"], exclude_patterns=["web.health"], action="deny")])
    request = RequestContext(path="/admin/x", peer="192.0.2.9")
    assert aj.protect(request).is_denied()
    assert aj.protect(request, characteristics={"endpoint": "web.health"}).is_allowed()
    assert aj.protect(RequestContext(path="/x", peer="192.0.2.9")).is_allowed()
