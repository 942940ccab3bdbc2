"""The decorators in a real browser, over a real server, in every framework, with JavaScript and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.behaviour.clients.base import AppUnderTest, Setup
from tests.behaviour.clients.every import DECORATED
from tests.chromium import launched
from tests.loopback import served_by_asgi, served_by_wsgi

from doorward import challenge

OPTIONS: Any = {"challenges": {"kinds": ["wait"]}, "secret": "a secret that nobody knows, of tests"}
SAID: Any = {
    "/guarded": lambda guard: guard.challenge("wait", max_age="5m"),
    "/exempt": lambda guard: guard.skip,
    "/beside": lambda guard: guard.block,
    "/limited": lambda guard: guard.require_human,
    "/health": lambda guard: guard.protect,
}
LONG_ENOUGH = 30.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as running:
        yield running


def goes_to(page: Page, target: str) -> int:
    answer = page.goto(target)
    assert answer is not None
    return answer.status


def passes(page: Page, app: AppUnderTest, *, scripts: bool) -> None:
    """What a person does: wait, and without JavaScript press the button."""
    app.clock.advance(LONG_ENOUGH)
    if not scripts:
        page.locator("main form button").first.click()
    expect(page.locator("body")).to_contain_text('"path"')


# Without JavaScript everywhere: that is the longer way. With it the page is the same in all frameworks.
WALKS = [*[(kind, False) for kind in DECORATED], (DECORATED[0], True)]


@pytest.mark.parametrize(("kind", "scripts"), WALKS, ids=[f"{kind.name}-{scripts}" for kind, scripts in WALKS])
def test_each_decorator_in_a_browser(kind: type[AppUnderTest], browser: Browser, *, scripts: bool) -> None:
    """Blocked, challenged, passed in place, and every route reachable after that, with the query that was asked for."""
    rules = [challenge("wait", paths=["/beside", "/echo", "/health"])]
    app = kind(Setup(rules=rules, options=OPTIONS, said=SAID))
    try:
        with (
            (served_by_asgi if app.awaits else served_by_wsgi)(app.app) as url,
            browser.new_context(base_url=url, java_script_enabled=scripts) as context,
        ):
            page = context.new_page()
            assert goes_to(page, "/exempt") == 200
            assert goes_to(page, "/beside") == 403
            assert page.locator("form").count() == 0
            assert goes_to(page, "/guarded?a=1") == 403
            passes(page, app, scripts=scripts)
            assert page.url == f"{url}/guarded?a=1"
            for path in ("/guarded", "/beside", "/limited", "/echo", "/health", "/step-up?level=wait"):
                assert goes_to(page, path) == 200, path
            app.clock.advance(400.0)
            assert goes_to(page, "/guarded") == 403
            assert goes_to(page, "/echo") == 200
    finally:
        # Playwright has an event loop on this thread, and the application one of its own.
        closing = threading.Thread(target=app.close)
        closing.start()
        closing.join(20)
