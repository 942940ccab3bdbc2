"""Real browsers over a real server: which of them get clearance from the challenge that nobody sees, and at what price.

In headless Chromium there is no graphics card, no frame around the window and no person; what it reports as itself must
not be doubtful for that, and what drives it must be.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect
from tests.challenges.signals.sites import SECRET, Picture
from tests.chromium import ARGUMENTS, launched, path
from tests.loopback import served_by_asgi

from doorward import AsyncDoorward, challenge
from doorward.asgi import DoorwardMiddleware
from doorward.challenges.signals.kind import Browser
from doorward.challenges.work import Work

NOT_DRIVEN = "--disable-blink-features=AutomationControlled"
MASK = """
Object.defineProperty(navigator, 'webdriver', { get: () => undefined });
Object.defineProperty(navigator, 'plugins', { get: () => [1, 2, 3] });
const real = WebGLRenderingContext.prototype.getParameter;
WebGLRenderingContext.prototype.getParameter = function (name) {
  return name === 37446 ? 'Intel Iris OpenGL Engine' : real.call(this, name);
};
"""
"""What passed NoBot's check in half a second."""


FIELD = b'<input name="name" value="Zo\xc3\xab">'
FORM = b'<title>x</title><form method="post" action="/x">%s<button>send</button></form>' % FIELD


async def application(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    page = FORM if scope["path"] == "/form" else b"<title>x</title><h1>let in</h1><p>%s</p>" % body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": page})


class Served(NamedTuple):
    url: str
    client: AsyncDoorward

    def counts(self) -> dict[str, int]:
        return {name.removeprefix("challenge.browser."): count for name, count in self._counts().items()
                if name.startswith("challenge.browser.")}  # fmt: skip

    def _counts(self) -> dict[str, int]:
        return self.client.runtime.journal.counts()


@contextmanager
def served(*more: Any) -> Iterator[Served]:
    """A site that asks for a browser, with a cheap proof of work, and other kinds of challenges."""
    kinds = [Browser(Work("SHA-256", least=50, most=400)), *more]
    client = AsyncDoorward([challenge("browser", paths=["/x"])], secret=SECRET, challenges={"kinds": kinds})
    with served_by_asgi(DoorwardMiddleware(application, client)) as url:
        yield Served(url, client)


@pytest.fixture
def site() -> Iterator[Served]:
    with served() as running:
        yield running


@pytest.fixture
def with_pictures() -> Iterator[Served]:
    with served(Picture()) as running:
        yield running


@pytest.fixture(scope="module")
def stock() -> Iterator[Chromium]:
    """As its driver starts it."""
    with launched() as browser:
        yield browser


@contextmanager
def not_driven(stock: Chromium, *more: str) -> Iterator[Chromium]:
    """One that does not say that it is driven, as one that a person has started."""
    arguments = [*ARGUMENTS, NOT_DRIVEN, *more]
    browser = stock.browser_type.launch(
        executable_path=path(), args=arguments, ignore_default_args=["--enable-automation"]
    )
    yield browser
    browser.close()


@contextmanager
def opened(browser: Chromium, url: str, mask: str = "", **options: Any) -> Iterator[Page]:
    """A page; what it complains about, but for refusals, fails the test."""
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        if mask:
            page.add_init_script(mask)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        yield page
        assert [text for text in complaints if "status of 403" not in text] == []


def ordinary(browser: Chromium) -> str:
    """The agent that the same browser has with a window."""
    with browser.new_context() as context:
        agent: str = context.new_page().evaluate("navigator.userAgent")
    return agent.replace("HeadlessChrome", "Chrome")


def test_stock_headless_pays_and_is_doubtful(stock: Chromium, with_pictures: Served) -> None:
    """It ends before a challenge for people, without clearance."""
    with opened(stock, f"{with_pictures.url}/x") as page:
        page.wait_for_url("**/next")
        expect(page.get_by_text("a picture")).to_be_visible()
        expect(page.get_by_text("One more check is needed")).to_be_visible()
        assert not page.context.cookies()
    counts = with_pictures.counts()
    assert counts["doubtful"] == counts["found.webdriver"] == counts["found.request"] == 1
    assert "passed" not in counts


def test_stock_headless_pays_twice_where_there_is_nothing_more(stock: Chromium, site: Served) -> None:
    """The second time more; then it is let in, as a person would be whose browser looks like this."""
    with opened(stock, f"{site.url}/x") as page:
        expect(page.locator("h1")).to_have_text("let in", timeout=20_000)
    assert (site.counts()["doubtful"], site.counts()["passed"]) == (1, 1)


def test_a_doubtful_person_loses_nothing(stock: Chromium, with_pictures: Served) -> None:
    """What was posted is kept over both challenges, and sent on after them."""
    with opened(stock, f"{with_pictures.url}/form") as page:
        page.click("text=send")
        page.wait_for_url("**/next")
        expect(page.get_by_text("a picture")).to_be_visible()
        page.click("text=Continue")
        expect(page.locator("h1")).to_have_text("let in", timeout=20_000)
        expect(page.locator("p")).to_have_text("name=Zo%C3%AB")
        assert page.url == f"{with_pictures.url}/x"
        page.goto(f"{with_pictures.url}/x")
        expect(page.locator("h1")).to_have_text("let in")


def test_a_masked_one_is_doubtful(stock: Chromium, with_pictures: Served) -> None:
    """The seven lines by which it passed NoBot."""
    with opened(stock, f"{with_pictures.url}/x", MASK, user_agent=ordinary(stock)) as page:
        page.wait_for_url("**/next")
        assert not page.context.cookies()
    assert {"found.webdriver", "found.altered_webdriver", "found.plugins"} <= with_pictures.counts().keys()


def test_one_that_nothing_drives_passes(stock: Chromium, with_pictures: Served) -> None:
    """Software graphics and a window without a frame are no proof: people on virtual machines have both."""
    agent = ordinary(stock)
    with not_driven(stock, f"--user-agent={agent}") as browser, opened(browser, f"{with_pictures.url}/x") as page:
        expect(page.locator("h1")).to_have_text("let in", timeout=20_000)
    counts = with_pictures.counts()
    assert counts.pop("passed") == 1
    assert counts.keys() <= {"found.software", "found.no_graphics", "found.bare_window"}


def test_one_whose_agent_is_set_by_its_driver_passes(with_pictures: Served, stock: Chromium) -> None:
    """By the protocol of developer tools, which forgets what workers say: weighed, and no proof either."""
    agent = ordinary(stock)
    with not_driven(stock) as browser, opened(browser, f"{with_pictures.url}/x", user_agent=agent) as page:
        expect(page.locator("h1")).to_have_text("let in", timeout=20_000)
    assert "doubtful" not in with_pictures.counts()


BROKEN = """
for (const [of, names] of [[Navigator.prototype, ["userAgent", "platform", "languages", "hardwareConcurrency", "vendor",
     "productSub", "language", "webdriver", "plugins", "mimeTypes", "pdfViewerEnabled", "cookieEnabled", "deviceMemory",
     "maxTouchPoints", "permissions", "userAgentData"]], [Screen.prototype, ["width", "availWidth", "colorDepth"]]]) {
  for (const name of names) Object.defineProperty(of, name, { get: () => VALUE });
}
Intl.DateTimeFormat = window.matchMedia = window.Worker = Object.isFrozen = VALUE;
"""
"""What an extension may do that hides everything, and badly."""


@pytest.mark.parametrize("value", ["undefined", "'x'.repeat(9999)", "-1", "NaN", "{}", "() => { throw Error() }"])
def test_a_browser_with_anything_in_it_is_read(stock: Chromium, with_pictures: Served, value: str) -> None:
    """And sent to the challenge for people, which it could not pass on to if its signals were refused outright."""
    with opened(stock, f"{with_pictures.url}/x", BROKEN.replace("VALUE", value)) as page:
        page.wait_for_url("**/next")
        expect(page.get_by_text("a picture")).to_be_visible()
    assert with_pictures.counts()["doubtful"] == 1
    assert "found.unreadable" not in with_pictures.counts()


def test_the_driver_s_telephone_is_doubtful(stock: Chromium, with_pictures: Served) -> None:
    """It says that it is Safari on an iPhone, and is Chrome on Linux."""
    agent = ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
             "Version/26.1 Mobile/15E148 Safari/604.1")  # fmt: skip
    options = {"viewport": {"width": 390, "height": 664}, "is_mobile": True, "has_touch": True}
    with opened(stock, f"{with_pictures.url}/x", user_agent=agent, **options) as page:
        page.wait_for_url("**/next")
    found = with_pictures.counts().keys()
    assert {"found.engine", "found.eval", "found.platform", "found.vendor", "found.not_chrome"} <= found


def test_curl_gets_no_clearance(site: Served) -> None:
    """Nor does it come to the work."""
    asked = ["curl", "-s", "-i", "-H", "Accept: text/html", f"{site.url}/x"]
    answer = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=20).stdout
    assert answer.startswith("HTTP/1.1 403")
    assert "set-cookie" not in answer.lower()


@pytest.mark.parametrize("signals", [None, "{}", {}, {"cookies": True, "languages": 2, "elapsed": 900}])
def test_a_plain_script_gets_no_clearance(site: Served, signals: object, stock: Chromium) -> None:
    """With a browser's agent and three fields of JSON, it has not even paid."""
    with httpx.Client(base_url=site.url, headers={"User-Agent": ordinary(stock)}) as http:
        told = http.get("/x").json()["challenge"]
        answer = http.post(told["verify"], json={"token": told["token"], "signals": signals, "derivedKey": "00" * 32})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "passed" not in site.counts()
