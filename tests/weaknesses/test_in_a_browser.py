"""Rows whose proof was shown in Chromium, tried in one: a real Flask application behind a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from tests.challenges.pages.conftest import served
from tests.challenges.pages.quick import Quick, Typed
from tests.weaknesses.attacking import SECRET

from doorward import challenge, deny
from doorward_flask import DoorwardFlask
from doorward_flask.error_pages import ErrorPages

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
TARGETS = [
    *["/%09/evil.example/a", "/%0a/evil.example/a", "/%5cevil.example/a", "/%2f/evil.example", "/%00/evil.example"],
    *["/%0d%0aLocation:%20//evil.example", "/.%09//evil.example", "/x?return_url=//evil.example#//evil.example"],
]


def _application(*rules: Any, kind: Any) -> Flask:
    """Everything of it is there, and says so."""
    app = Flask("site")
    app.url_map.merge_slashes = False
    DoorwardFlask(app, rules=rules, secret=SECRET, challenges={"kinds": [kind]})
    ErrorPages(app)
    app.add_url_rule("/", "front", lambda: "<h1>arrived</h1>")
    app.add_url_rule("/<path:rest>", "rest", lambda rest: "<h1>arrived</h1>")
    return app


@contextmanager
def _visited(browser: Browser, app: Flask) -> Iterator[tuple[str, Page, list[str]]]:
    """Its address, a page to visit it with, and what happened that must not: dialogs, and requests to others."""
    context = browser.new_context()
    context.route(lambda url: urlsplit(url).hostname != "127.0.0.1", lambda route: route.abort())
    page = context.new_page()
    happened: list[str] = []

    def asked(request: Any) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            happened.append(request.url)

    def shown(dialog: Any) -> None:
        happened.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", asked)
    page.on("dialog", shown)
    with served("flask", app) as url:
        yield url, page, happened
    context.close()


def test_07_03_solving_a_challenge_leads_nowhere_else(browser: Browser) -> None:
    """The link ``/%09/evil.example/a``, the challenge solved, and Chromium was at evil.example."""
    with _visited(browser, _application(challenge("work"), kind=Quick())) as (url, page, happened):
        for target in TARGETS:
            page.context.clear_cookies()
            page.goto(url + target)
            # Flask has no route for a path with line breaks.
            expect(page.locator("h1")).to_have_text(re.compile("arrived|Page Not Found"))
            assert happened == []
            assert page.url.startswith(f"{url}/")


RULES = {"denied": deny(headers={"user-agent": True}), "challenged": challenge("human"), "missing": deny(paths=["/no"])}


@pytest.mark.parametrize("name", RULES)
def test_05_04_and_05_05_our_pages_run_nothing_and_link_nowhere(browser: Browser, name: str) -> None:
    """A link to the page of denials opened the attacker's dialog; its "try again" led to ``http://evil.example/x``."""
    app = _application(RULES[name], kind=Typed())
    if name == "missing":
        app.view_functions["rest"] = app.view_functions["front"] = _missing
    with _visited(browser, app) as (url, page, happened):
        for target in (f"/{quote(HOSTILE)}", f"/x?to={HOSTILE}&return_url=/\\evil.example/x", "/%5cevil.example/x"):
            page.goto(url + target)
            assert page.locator("h1").inner_text() != "arrived"
            links = page.eval_on_selector_all("a, form", "all => all.map((each) => each.href || each.action)")
            assert [link for link in links if urlsplit(link).hostname != "127.0.0.1"] == []
            for link in page.locator("a").all():
                if link.is_visible():
                    link.click()
                    page.goto(url + target)
        assert happened == []


def _missing(rest: str = "") -> Any:
    from flask import abort

    return abort(404, HOSTILE + rest)
