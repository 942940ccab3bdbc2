"""The examples, each under the server that its users would choose, driven over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SERVERS = {
    "flask_app": ("-m", "waitress", "--listen=127.0.0.1:0", "flask_app:app"),
    "django_app": ("-m", "gunicorn", "--bind=127.0.0.1:0", "--no-control-socket", "django_app:application"),
    "fastapi_app": ("-m", "uvicorn", "--port=0", "fastapi_app:app"),
    "starlette_app": ("-m", "uvicorn", "--port=0", "starlette_app:app"),
}
JSON = {"Content_Type": "application/json"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=SERVERS)
def example(request: pytest.FixtureRequest, start: Callable[..., Any]) -> Any:
    """One example, served on a free port."""
    return start(*SERVERS[request.param], cwd=EXAMPLES)


def test_there_is_no_other_example() -> None:
    """Every file among the examples is tested here."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SERVERS)


def test_the_sixth_signup_is_refused(example: Any) -> None:
    """Five JSON sign-ups pass; the sixth is a 429 with Retry-After, as problem+json. The headers count down before."""
    body = '{"email": "a@b.example"}'
    answers = [example.request("POST", "/api/signup", body, **JSON) for _ in range(6)]
    assert [answer.status for answer in answers] == [201] * 5 + [429]
    assert 0 < int(answers[5].headers["Retry-After"]) <= 600
    assert answers[5].headers["Content-Type"] == "application/problem+json"
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers[:5]] == ["r=4", "r=3", "r=2", "r=1", "r=0"]


def test_form_and_api_share_the_limit(example: Any) -> None:
    """The form is there, attempts by form and by API add up, bad ones too, and people get a page."""
    assert "<form" in example.request("GET", "/").body
    good = example.request("POST", "/signup", "email=a%40b.example", **FORM)
    bad = example.request("POST", "/signup", "email=nobody", **FORM)
    assert ("Welcome" in good.body, good.status, bad.status) == (True, 200, 400)
    answers = [example.request("POST", "/api/signup", "{}", **JSON).status for _ in range(4)]
    assert answers in ([400, 400, 400, 429], [422, 422, 422, 429])
    page = example.request("POST", "/signup", "email=a%40b.example", Accept="text/html", **FORM)
    assert (page.status, "<h1>Too Many Requests</h1>" in page.body) == (429, True)


def test_only_failed_logins_count(example: Any) -> None:
    """Good log-ins do not use up the limit on bad ones."""
    good = [example.request("POST", "/login", "password=correct+horse", **FORM).status for _ in range(4)]
    bad = [example.request("POST", "/login", "password=x", **FORM).status for _ in range(4)]
    assert (good, bad) == ([200] * 4, [401, 401, 401, 429])


def test_what_is_exempt_is_never_refused(example: Any) -> None:
    """The exempt route goes on where the limit for everything has refused."""
    assert any(example.request("GET", "/").status == 429 for _ in range(1000))
    assert example.request("GET", "/status").status == 200
