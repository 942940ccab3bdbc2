"""JavaScript off, cookies off: what is passed all the same, what is explained, and that nothing goes in circles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.challenges.matrix.acting import LITTLE, LONG_ENOUGH, looks
from tests.challenges.matrix.conftest import Site, goes_to, opened
from tests.challenges.matrix.test_people_pass import GOT

from doorward import challenge
from doorward.challenges.pictures import Pictures

INSIDE = "/inside?a=1"


def asking(level: str) -> object:
    return challenge(level, paths=["/inside"])


class Watch:
    """What a page asks for: documents, and answers that its script sends."""

    def __init__(self, page: Page, site: Site) -> None:
        self.asked: list[str] = []
        page.on("request", lambda request: self._note(request.method, request.url.removeprefix(site.url)))

    def _note(self, method: str, url: str) -> None:
        # Addresses of ours hold tokens and digests; what belongs to a page, such as its style, goes in no circle.
        path = url.partition("?")[0] if url.startswith("/.doorward/") else url
        if "/static/" not in path and not path.endswith(("/picture", "/favicon.ico")):
            self.asked.append(f"{method} {path}")

    def at_rest(self, page: Page) -> list[str]:
        """All of it, on a page that does not come back by itself."""
        assert "http-equiv" not in page.content()
        return self.asked


def hurried(page: Page) -> None:
    """The explanation comes after two seconds, since scripts may be slow: of the browser's clock for animations."""
    tools = page.context.new_cdp_session(page)
    tools.send("Animation.enable")
    tools.send("Animation.setPlaybackRate", {"playbackRate": 100})


def test_without_javascript_the_work_is_explained(show: Callable[..., Site], browser: Browser) -> None:
    """Nothing is said to be going on, nothing is asked for again, and there is no button that leads nowhere."""
    site = show(asking("work"), kinds=[LITTLE])
    with opened(browser, site, java_script_enabled=False) as page:
        watch = Watch(page, site)
        hurried(page)
        assert goes_to(page, INSIDE) == 403
        expect(page.get_by_text("This check needs JavaScript. Please turn it on and reload the page.")).to_be_visible()
        expect(page.get_by_text("short calculation")).to_be_hidden()
        expect(page.locator("progress")).to_be_hidden()
        expect(page.get_by_role("button")).to_have_count(0)
        assert watch.at_rest(page) == [f"GET {INSIDE}"]


def test_without_javascript_it_is_waited(show: Callable[..., Site], browser: Browser) -> None:
    site = show(asking("wait"), kinds=["wait"])
    with opened(browser, site, java_script_enabled=False) as page:
        watch = Watch(page, site)
        assert goes_to(page, INSIDE) == 403
        site.clock.advance(LONG_ENOUGH)
        page.get_by_role("button", name="Continue").click()
        expect(page.locator("#got")).to_have_text('["GET", "/inside", []]')
        verified = ["POST /.doorward/verify", "GET /.doorward/landed"]
        assert watch.at_rest(page) == [f"GET {INSIDE}", *verified, f"GET {INSIDE}"]


def test_without_javascript_another_check_is_offered(show: Callable[..., Site], browser: Browser) -> None:
    """The work's page leads to letters, and those to what was asked for."""
    site = show(asking("work"), kinds=[LITTLE, Pictures("letters")])
    with opened(browser, site, java_script_enabled=False) as page:
        assert goes_to(page, INSIDE) == 403
        page.get_by_role("button", name="Use another check").click()
        looks(page, site)
        expect(page.locator("#got")).to_have_text('["GET", "/inside", []]')


def test_without_javascript_a_form_goes_on(show: Callable[..., Site], browser: Browser) -> None:
    """By one press more: nobody else can send it."""
    site = show(asking("human"), kinds=[Pictures("letters")])
    with opened(browser, site, java_script_enabled=False) as page:
        assert goes_to(page, "/") == 200
        page.get_by_role("button", name="Send").click()
        looks(page, site)
        page.get_by_role("button", name="Send the form").click()
        expect(page.locator("#got")).to_have_text(GOT)


def test_without_javascript_a_form_does_not_wait_by_itself(show: Callable[..., Site], browser: Browser) -> None:
    """A browser can come back by itself, but not with what was sent; so the page does not say that it will."""
    site = show(asking("wait"), kinds=["wait"])
    with opened(browser, site, java_script_enabled=False) as page:
        assert goes_to(page, "/") == 200
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_text("An answer counts after 2 s.")).to_be_visible()
        expect(page.get_by_text("You will be let in by itself.")).to_be_hidden()
        site.clock.advance(LONG_ENOUGH)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Send the form").click()
        expect(page.locator("#got")).to_have_text(GOT)


@contextmanager
def page_of(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    assert context.cookies() == [], "cookies are not off"
    page.close()


def test_without_cookies_it_is_said_after_the_work(show: Callable[..., Site], cookieless: BrowserContext) -> None:
    """Once, also if the page is left alone for an hour; a person may try again, and is told again.

    Nothing says any more that the visitor will be let in.
    """
    site = show(asking("work"), kinds=[LITTLE])
    once = [f"GET {INSIDE}", "POST /.doorward/verify", "GET /.doorward/landed"]
    with page_of(cookieless) as page:
        watch = Watch(page, site)
        page.clock.install()
        page.goto(f"{site.url}{INSIDE}")
        for times in (1, 2):
            expect(page.get_by_role("status")).to_contain_text("Your browser does not send back cookies")
            expect(page.get_by_text("let in by itself")).to_be_hidden()
            page.clock.run_for(3_600_000)
            assert watch.at_rest(page) == once * times
            with page.expect_response(lambda reply: "/landed" in reply.url):
                page.get_by_role("button", name="Try again").click()


@pytest.mark.parametrize("start", ["/inside", "/"], ids=["page", "form"])
def test_without_cookies_it_is_said_after_letters(
    show: Callable[..., Site], cookieless: BrowserContext, start: str
) -> None:
    """A form is not sent in circles either."""
    site = show(asking("human"), kinds=[Pictures("letters")])
    with page_of(cookieless) as page:
        watch = Watch(page, site)
        page.goto(f"{site.url}{start}")
        if start == "/":
            page.get_by_role("button", name="Send").click()
        looks(page, site)
        expect(page.get_by_role("main")).to_contain_text("Your browser does not send back cookies")
        answers = [each for each in watch.at_rest(page) if "/verify" in each]
        assert answers == ["POST /.doorward/verify"]
        assert len(watch.asked) == 3
