"""Proof of work in a real Chromium: by workers, by the page, by plain JavaScript; and ALTCHA's real widget."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.challenges.pages.quick import Typed
from tests.challenges.work.conftest import asgi, wsgi
from tests.chromium import ARGUMENTS, NAMES

from doorward.challenges.work import Work

LITTLE = {"kinds": [Work(least=60, most=60)]}


@contextmanager
def opened(browser: Browser, url: str, script: str = "", allowed: str = "status of 403") -> Iterator[Page]:
    """A page; what the browser complains about fails the test."""
    with browser.new_context(base_url=url) as context:
        if script:
            context.add_init_script(script)
        page, complaints = context.new_page(), []
        page.set_default_timeout(15_000)
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert [text for text in complaints if not re.search(allowed, text)] == []


@pytest.mark.parametrize("site", [wsgi, asgi], ids=["WSGI", "ASGI"])
def test_a_browser_is_let_in_by_itself(browser: Browser, site: Any) -> None:
    """The rule, the page, the workers, the clearance, the application; and after that no challenge."""
    with site() as url, opened(browser, url) as page:
        answers = []
        page.on("response", lambda response: answers.append((response.status, response.url.removeprefix(url))))
        workers: list[str] = []
        page.on("worker", lambda worker: workers.append(worker.url))
        page.goto("/x?a=1&b=%20")
        page.wait_for_selector("h1:has-text('The application')")
        assert page.url == f"{url}/x?a=1&b=%20"
        assert answers[0] == (403, "/x?a=1&b=%20")
        assert workers
        assert all("/static/work-solver." in worker for worker in workers)
        (cookie,) = page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("doorward", True, "Lax")
        page.goto("/x/deeper")
        expect(page.locator("h1")).to_have_text(re.compile("The application"))


NO_WORKERS = "delete window.Worker"
BROKEN_WORKERS = """window.Worker = class {
  constructor() { setTimeout(() => this.onerror(new Event('error'))); }
  postMessage() {} terminate() {} }"""
FORBIDDEN_WORKERS = "window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } }"
PLAIN = NO_WORKERS + "; Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"
OLD = NO_WORKERS + "; delete window.WebAssembly"


LESS = {
    "no workers": NO_WORKERS,
    "blocked workers": BROKEN_WORKERS,
    "forbidden workers": FORBIDDEN_WORKERS,
    "no WebCrypto": PLAIN,
    "no WebAssembly": OLD,
}


@pytest.mark.parametrize("script", LESS.values(), ids=LESS)
def test_the_page_does_it_where_there_is_less(browser: Browser, script: str) -> None:
    """Privacy extensions block workers (Anubis' issues 25 and 400); WebCrypto is for HTTPS alone."""
    with wsgi(**LITTLE) as url, opened(browser, url, script) as page:
        page.goto("/x")
        page.wait_for_selector("h1:has-text('The application')")


@pytest.mark.parametrize("algorithm", ["SCRYPT", "SHA-256"])
def test_other_algorithms(browser: Browser, algorithm: str) -> None:
    """Our own scrypt, and our own SHA-256."""
    with wsgi(kinds=[Work(algorithm, least=20, most=20)]) as url, opened(browser, url) as page:
        page.goto("/x")
        page.wait_for_selector("h1:has-text('The application')")


def test_without_a_jit(browser: Browser) -> None:
    """As browsers have it that are locked down."""
    path = next(found for name in NAMES if name and (found := shutil.which(name)))
    flags = [*ARGUMENTS, "--js-flags=--jitless"]
    running = browser.browser_type.launch(executable_path=path, args=flags)
    with wsgi(kinds=[Work("SCRYPT", least=5, most=5)]) as url, opened(running, url) as page:
        page.goto("/x")
        page.wait_for_selector("h1:has-text('The application')")
    running.close()


def test_an_error_is_seen_and_can_be_tried_again(browser: Browser) -> None:
    """It says so, and waits for the person; the second time it works."""
    fails_once = (
        NO_WORKERS
        + """;
      let search, tries = 0;
      Object.defineProperty(window, 'doorwardSearch', { set: (real) => { search = real; },
        get: () => (...given) => tries++ ? search(...given) : Promise.reject(new Error('out of memory')) });"""
    )
    with wsgi(**LITTLE) as url, opened(browser, url, fails_once) as page:
        page.goto("/x")
        expect(page.get_by_role("status")).to_have_text("The calculation did not come to an end.")
        assert not page.locator("form[data-busy]").count()
        page.get_by_role("button", name="Try again").press("Enter")
        page.wait_for_selector("h1:has-text('The application')")


def test_silent_workers_are_not_waited_for(browser: Browser) -> None:
    """Their scripts never come: the page does it itself after a while."""
    silent = "window.Worker = class { postMessage() {} terminate() {} }"
    with wsgi(**LITTLE) as url, opened(browser, url, silent) as page:
        page.clock.install()
        page.goto("/x")
        page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 3)
        status = page.get_by_role("status")
        while "longer" not in str(status.text_content()):
            page.clock.run_for(1_000)
        expect(status).to_have_text("This takes longer than usual. It goes on.")
        page.clock.run_for(5_000)
        page.clock.resume()
        page.wait_for_selector("h1:has-text('The application')")


def test_progress_is_shown_and_named(browser: Browser) -> None:
    """A bar with a name, between nothing and all of it; a search that comes to no end shows it."""
    endless = (
        NO_WORKERS
        + """;
      Object.defineProperty(window, 'doorwardSearch', { set: () => {}, get: () => (challenge, part, report) => {
        report(part.most / 4); return new Promise(() => {}); } });"""
    )
    with wsgi(**LITTLE) as url, opened(browser, url, endless) as page:
        page.goto("/x")
        bar = page.get_by_role("progressbar", name="Progress of the calculation")
        expect(bar).to_have_js_property("value", 0.25)


def test_without_javascript_it_is_said(browser: Browser) -> None:
    """And nothing loops."""
    with wsgi(**LITTLE) as url, browser.new_context(base_url=url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/x")
        expect(page.get_by_text("This check needs JavaScript.")).to_be_visible()
        expect(page.get_by_text("calculation")).to_be_hidden()
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(page.get_by_role("button")).to_have_count(0)


def test_without_javascript_another_kind_stands_in(browser: Browser) -> None:
    """Where one is on offer that shows as much and needs none: a button leads to it, and it is passed by hand."""
    kinds = [Work(least=60, most=60), Typed()]
    with wsgi(kinds=kinds) as url, browser.new_context(base_url=url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/x")
        expect(page.get_by_text("calculation")).to_be_hidden()
        page.get_by_role("button", name="Use another check").click()
        expect(page.get_by_text("This check needs JavaScript.")).to_have_count(0)
        page.get_by_label("Word").fill("open")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_selector("h1:has-text('The application')")


def test_with_javascript_the_page_says_that_it_computes(browser: Browser) -> None:
    """While it does."""
    endless = (
        NO_WORKERS
        + "; Object.defineProperty(window, 'doorwardSearch', { set() {}, get: () => () => new Promise(() => {}) })"
    )
    with wsgi(**LITTLE) as url, opened(browser, url, endless) as page:
        page.goto("/x")
        expect(page.get_by_text("doing a short calculation")).to_be_visible()
        expect(page.get_by_text("This check needs JavaScript.")).to_have_count(0)


def test_the_page_keeps_to_its_policy(browser: Browser) -> None:
    """Workers from our own origin, and nothing else: Chromium reports what it has refused."""
    with (
        wsgi(**LITTLE) as url,
        opened(
            browser,
            url,
            """
        document.addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))""",
        ) as page,
    ):
        page.goto("/x")
        page.wait_for_selector("h1:has-text('The application')")


WIDGETS: list[dict[str, Any]] = [
    {},
    {"least": 30, "most": 30, "bind": True},
    {"version": 1, "least": 500, "most": 500},
    {"algorithm": "PBKDF2/SHA-512", "least": 30, "most": 30},
    {"algorithm": "SHA-384", "least": 300, "most": 300},
    {"algorithm": "SCRYPT", "least": 10, "most": 10},
    {"algorithm": "ARGON2ID", "least": 10, "most": 10},
]


@pytest.mark.usefixtures("widget")
@pytest.mark.parametrize("options", WIDGETS, ids=str)
def test_the_real_widget_solves_a_form(browser: Browser, options: dict[str, Any]) -> None:
    """Version 3 of it, as npm has it; its second sending is refused (weakness 28)."""
    with wsgi(altcha=options) as url, opened(browser, url) as page:
        page.goto("/form")
        page.locator("altcha-widget input[type=checkbox]").press("Space")
        page.wait_for_selector("altcha-widget input[name=altcha][value]", state="attached")
        expect(page.locator("altcha-widget input[name=altcha]")).not_to_have_value("")
        payload = page.locator("altcha-widget input[name=altcha]").input_value()
        page.click("#send")
        expect(page.locator("h1")).to_have_text("(True, '')")
        again = page.request.post("/form", form={"altcha": payload})
        assert "(False, &#x27;spent&#x27;)" in again.text() or "(False, 'spent')" in again.text()


@pytest.mark.usefixtures("widget")
def test_a_form_without_the_widgets_work_is_refused(browser: Browser) -> None:
    """As a script sends it."""
    with wsgi() as url, opened(browser, url) as page:
        assert "(False, 'missing')" in page.request.post(f"{url}/form", form={"altcha": ""}).text()
        assert "(False, 'malformed')" in page.request.post(f"{url}/form", form={"altcha": "e30="}).text()
