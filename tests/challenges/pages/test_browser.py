"""Pages in a real browser: passed, with and without JavaScript and cookies, and looked at as people see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.challenges.pages.conftest import served
from tests.challenges.pages.quick import Failing, Quick, Typed, options
from tests.challenges.pages.sites import made, make_client
from tests.chromium import CONTRAST, UNTOUCHED, WIDER

from doorward.asgi import DoorwardMiddleware
from doorward.challenges.following import MOST_IN_A_ROW
from doorward.error_pages import ErrorPages

FORM = """<!doctype html><title>form</title><form method="post" action="%s/x?q=1">
<input name="a" value="1&amp;2 é"><textarea name="b">l1
l2</textarea><input name="submit" value="s"><button>go</button></form>"""
GOT = '["POST", "/x", [["a", "1&2 \\u00e9"], ["b", "l1\\r\\nl2"], ["submit", "s"]]]'


@contextmanager
def opened(browser: Browser, **context: Any) -> Iterator[Page]:
    """A page; what the browser complains about fails the test."""
    made_context = browser.new_context(**{"locale": "en-GB", **context})
    page = made_context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    made_context.close()
    assert [text for text in complaints if not re.search(r"status of (40[1345]|429|503)|ERR_ABORTED", text)] == []


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """A page with a form; "/x" tells what it got, and "/x?away" redirects to another site."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    port = scope["server"][1]
    status, headers = 200, [(b"content-type", b"text/html; charset=utf-8")]
    if scope["query_string"] == b"away":
        status, headers = 303, [*headers, (b"location", f"http://localhost:{port}/there".encode())]
    told = f"{scope['method']} {scope['path']} {body.decode()}"
    page = FORM % "" if scope["path"] == "/" else f'<!doctype html><title>app</title><h1>app</h1><p id="got">{told}</p>'
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": page.encode()})


@contextmanager
def site(*kinds: Any, app: Any = _app, **challenges: Any) -> Iterator[str]:
    """A site that asks for these kinds of challenges on "/x"."""
    client = make_client(challenges=options(*kinds, **challenges))
    with served("asgi", DoorwardMiddleware(app, client)) as url:
        yield url


@pytest.fixture(scope="module")
def quick() -> Iterator[str]:
    with site(Quick()) as url:
        yield url


@pytest.fixture(scope="module")
def typed() -> Iterator[str]:
    with site(Typed(), contact="mailto:help@site.example", title="Site") as url:
        yield url


def test_each_framework_with_and_without_javascript(kind: str, override: Callable[..., None], browser: Browser) -> None:
    """The page in its place with its query and its fragment, and a form that arrives as it was sent."""
    with served(kind, made(kind, override, challenges=options(Quick()))) as url:
        for scripts in (True, False):
            with opened(browser, java_script_enabled=scripts) as page:
                page.goto(f"{url}/x?q=%7B1%7D#part")
                expect(page.locator("#got")).to_have_text('["GET", "/x", []]')
                assert page.url.startswith(f"{url}/x?q=%7B1%7D")
                assert page.url.endswith("#part") == scripts
            with opened(browser, java_script_enabled=scripts) as page:
                page.route("**/form", lambda route: route.fulfill(body=FORM % "", content_type="text/html"))
                page.goto(f"{url}/form")
                page.click("text=go")
                if not scripts:
                    page.click("text=Continue")
                    page.click("text=Send the form")
                expect(page.locator("#got")).to_have_text(GOT)
                assert page.url == f"{url}/x?q=1"


def test_what_a_person_types_is_sent_with_the_fragment_kept(typed: str, browser: Browser) -> None:
    for scripts in (True, False):
        with opened(browser, java_script_enabled=scripts) as page:
            page.goto(f"{typed}/x?q=1#part")
            page.fill("#word", "shut")
            page.press("#word", "Enter")
            expect(page.locator("[role=alert]")).to_have_text("That was not right. Please try again.")
            page.fill("#word", "open")
            page.press("#word", "Enter")
            expect(page.locator("#got")).to_have_text("GET /x ")
            assert page.url == f"{typed}/x?q=1#part" if scripts else page.url.startswith(f"{typed}/x?q=1")


def test_a_form_goes_on_after_what_a_person_types(typed: str, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(typed)
        page.click("text=go")
        expect(page.locator(".note")).to_contain_text("is kept")
        page.fill("#word", "open")
        page.press("#word", "Enter")
        expect(page.locator("#got")).to_contain_text("POST /x a=1%262")


def forgetful(app: Any) -> Any:
    """An application whose cookies never arrive, as with a browser that keeps none."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        async def without(message: Any) -> None:
            if "headers" in message:
                kept = [line for line in message["headers"] if line[0] != b"set-cookie"]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, without)

    return asked


@pytest.mark.parametrize("scripts", [True, False])
def test_without_cookies_it_is_explained_and_nothing_goes_in_circles(browser: Browser, scripts: bool) -> None:
    app = forgetful(DoorwardMiddleware(_app, make_client(challenges=options(Quick()))))
    with served("asgi", app) as quick, opened(browser, java_script_enabled=scripts) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{quick}/x")
        where = "#status" if scripts else "main"
        expect(page.locator(where)).to_contain_text("does not send back cookies", timeout=15_000)
        page.wait_for_load_state("networkidle")
        assert len([url for url in asked if url.endswith("/x")]) == 1


def test_a_challenge_that_fails_is_tried_again_by_a_person_only(browser: Browser) -> None:
    with site(Failing()) as url, opened(browser) as page:
        page.add_init_script(UNTOUCHED)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url}/x")
        for times in range(1, MOST_IN_A_ROW):
            expect(page.locator("#status")).to_have_text("That was not right. Please try again.")
            page.wait_for_load_state("networkidle")
            assert asked.count(f"{url}/.doorward/verify") == times
            page.get_by_role("button", name="Try again").click()
            expect(page.get_by_role("alert")).to_have_text("That was not right. Please try again.")
        expect(page.locator("#status")).to_have_text("The check did not work. Please try again.")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("link", name="Try again")).to_have_attribute("href", "/x")
        assert asked.count(f"{url}/x") == 1


def test_without_javascript_another_kind_is_offered(browser: Browser) -> None:
    with site(Failing(), Typed()) as url, opened(browser, java_script_enabled=False) as page:
        page.goto(f"{url}/x?q=1")
        expect(page.locator("#no-script")).to_be_visible()
        expect(page.locator("#go")).to_be_hidden()
        page.click("text=Use another check")
        page.fill("#word", "open")
        page.click("text=Continue")
        expect(page.locator("#got")).to_have_text("GET /x ")


def test_a_form_of_another_site_is_not_sent_again(quick: str, browser: Browser) -> None:
    """By Fetch Metadata of a real browser: from localhost to 127.0.0.1 is cross-site."""
    with opened(browser) as page:
        page.route("http://evil.example/", lambda route: route.fulfill(body=FORM % quick, content_type="text/html"))
        page.goto("http://evil.example/")
        posted: list[str] = []
        page.on("request", lambda request: posted.append(request.method) if request.url.endswith("/x?q=1") else None)
        page.click("text=go")
        expect(page.locator(".note")).to_contain_text("could not be kept")
        page.wait_for_url(lambda url: "/x" not in url)
        assert posted == ["POST"]


def test_what_a_form_leads_to_may_be_another_site(quick: str, typed: str, browser: Browser) -> None:
    """A shop redirects to who is paid; `form-action 'self'` would stop the browser there."""
    with opened(browser) as page:
        page.route("**/form", lambda route: route.fulfill(
            body='<form method="post" action="/x?away"><input name="a"><button>go</button></form>',
            content_type="text/html"))  # fmt: skip
        page.goto(f"{quick}/form")
        page.click("text=go")
        page.wait_for_url(re.compile("http://localhost.*/there"))
    for scripts in (True, False):
        with opened(browser, java_script_enabled=scripts) as page:
            page.goto(f"{typed}/x?away")
            page.fill("#word", "open")
            page.press("#word", "Enter")
            page.wait_for_url(re.compile("http://localhost.*/there"))


def test_a_site_with_a_policy_of_its_own(browser: Browser) -> None:
    """All scripts and styles are files of the site's: the usual policy lets them be."""
    with site(Quick()) as url, opened(browser) as page:

        def strict(route: Route) -> None:
            answer = route.fetch()
            route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": "default-src 'self'"})

        page.route("**/x", strict)
        page.goto(f"{url}/x")
        expect(page.locator("#got")).to_be_visible()


def test_two_tabs_reload_and_back(quick: str, typed: str, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{typed}/x?one")
        other = page.context.new_page()
        other.goto(f"{typed}/x?two")
        for tab in (page, other):
            tab.fill("#word", "open")
            tab.press("#word", "Enter")
            expect(tab.locator("#got")).to_be_visible()
        page.reload()
        expect(page.locator("#got")).to_be_visible()
        page.go_back()
        page.wait_for_load_state("networkidle")
        expect(page.locator("#got")).to_be_visible()


AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark", "locale": "de"},
    "rtl": {"locale": "ar", "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 640}, "locale": "uk"},
    "zoom": {"viewport": {"width": 320, "height": 256}, "locale": "de"},
    "no-script": {"java_script_enabled": False, "locale": "fr"},
}


def violations(page: Page) -> list[str]:
    """What axe finds. Without its package the test is skipped, but not in CI."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: tools/setup_npm.sh .venv tests/challenges/pages")
    page.evaluate(AXE.read_text())
    found = page.evaluate("(options) => axe.run(document, options)", RULES)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found]


def looked_at(page: Page) -> None:
    """As a person would: nothing wider than the window, everything to be read, one heading, a main part."""
    assert page.evaluate(WIDER) == []
    assert page.evaluate(CONTRAST) == []
    assert page.locator("h1").count() == page.locator("main").count() == 1
    for button in page.locator("button:visible, a.button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 24, "WCAG 2.2, 2.5.8"


@pytest.mark.parametrize("look", LOOKS)
def test_pages_can_be_read_by_everybody(typed: str, browser: Browser, look: str) -> None:
    with opened(browser, **LOOKS[look]) as page:
        page.goto(f"{typed}/x")
        looked_at(page)
        if look != "no-script":
            assert violations(page) == []
        page.fill("#word", "shut")
        page.press("#word", "Enter")
        expect(page.locator("[role=alert]")).to_be_visible()
        looked_at(page)
        assert page.evaluate("document.documentElement.dir") == ("rtl" if look == "rtl" else "ltr")


@pytest.mark.parametrize("look", ["light", "dark", "rtl", "phone", "zoom"])
def test_error_pages_can_be_read_by_everybody(browser: Browser, look: str) -> None:
    async def missing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body"})

    pages = ErrorPages(contact="mailto:help@site.example", accent="#ffdd00")
    with served("asgi", pages.asgi(missing)) as url, browser.new_context(**LOOKS[look]) as context:
        page = context.new_page()
        page.goto(url)
        looked_at(page)
        assert violations(page) == []


def test_the_keyboard_is_enough_and_its_focus_is_seen(typed: str, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(f"{typed}/x")
        reached = []
        for _ in range(3):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert reached == ["word", "go", "A"]


def test_nothing_moves_for_who_does_not_want_that(browser: Browser) -> None:
    with site("wait") as url, opened(browser, reduced_motion="reduce") as page:
        page.goto(f"{url}/x")
        style = "getComputedStyle(document.getElementById('answer'), '::before').animationName"
        page.wait_for_selector("#answer[data-busy]")
        assert page.evaluate(style) == "none"
