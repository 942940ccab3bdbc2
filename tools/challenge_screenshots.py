"""Photographs the pages of challenges, refusals and errors, in light, dark, right to left and on a telephone.

For people to look at: ``python -m tools.challenge_screenshots FOLDER [PART_OF_A_NAME …]``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, TimeoutError  # noqa: A004  (the driver's own)
from tests.challenges.pages.conftest import served
from tests.challenges.pages.quick import Quick
from tests.chromium import launched

from doorward import Doorward, challenge, filter_request, fixed_window
from doorward.asgi import DoorwardMiddleware
from doorward.challenges.pictures import Pictures
from doorward.challenges.providers import turnstile
from doorward.challenges.signals.kind import Browser as Looked
from doorward.challenges.work import Work
from doorward.error_pages import ErrorPages

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"locale": "en-GB"},
    "dark": {"locale": "de", "color_scheme": "dark"},
    "hebrew": {"locale": "he"},
    "arabic": {"locale": "ar", "color_scheme": "dark"},
    "phone": {"locale": "uk", "viewport": {"width": 360, "height": 740}},
    "no-script": {"locale": "fr", "java_script_enabled": False},
}
NO_WORKERS = "delete window.Worker;"
ENDLESS = (
    NO_WORKERS
    + """
Object.defineProperty(window, "doorwardSearch", { set: () => {}, get: () => (challenge, part, report) => {
  report(part.most / 3); return new Promise(() => {}); } });"""
)
BROKEN = (
    NO_WORKERS
    + """
Object.defineProperty(window, "doorwardSearch", { set: () => {}, get: () => () => Promise.reject(new Error("no")) });"""
)
WIDGET = """
for (const at of document.querySelectorAll(".cf-turnstile")) {
  at.style.cssText = "inline-size:300px;block-size:65px;border:1px solid gray";
  at.textContent = "The provider's box";
}"""
FORM = '<form method="post" action="/x"><input name="a" value="1"><button>go</button></form>'


STATUSES = {"/missing": 404, "/broken": 500, "/gone": 410}


async def _app(scope: Any, _receive: Any, send: Any) -> None:
    status = STATUSES.get(scope["path"], 200)
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": FORM.encode() if status == 200 else b""})


def _forgetful(app: Any) -> Any:
    """An application whose cookies never arrive."""

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        async def without(message: Any) -> None:
            if "headers" in message:
                kept = [line for line in message["headers"] if line[0].lower() != b"set-cookie"]
                message = {**message, "headers": kept}
            await send(message)

        await app(scope, receive, without)

    return asked


def _site(*kinds: Any, level: Any = "human", rule: Any = None) -> Any:
    challenges: Any = {"kinds": list(kinds) or ["wait"], "title": "Shop", "contact": "mailto:help@site.example"}
    rules = [rule or challenge(level, paths=["/x"])]
    return ErrorPages(contact="mailto:help@site.example").asgi(
        DoorwardMiddleware(_app, Doorward(rules, secret="s" * 40, challenges=challenges))
    )


def _opened(page: Page, url: str) -> None:
    page.goto(f"{url}/x")


def _slow(page: Page, url: str) -> None:
    page.clock.install()
    page.goto(f"{url}/x")
    page.clock.run_for(11_000)


def _wrong(page: Page, url: str) -> None:
    page.goto(f"{url}/x")
    page.locator("#go").click()
    page.wait_for_selector("[role=alert]")


def _early(page: Page, url: str) -> None:
    """Where nobody waits by script the button can be pressed too early."""
    page.goto(f"{url}/x")
    if page.locator("#answer:not([data-busy]) #go").is_visible():
        page.locator("#go").click()


def _heard(page: Page, url: str) -> None:
    page.goto(f"{url}/x")
    page.locator("summary").click()


def _kept(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("button").click()


def _doubtful(page: Page, url: str) -> None:
    page.goto(f"{url}/x")
    if page.locator("#no-script").count() == 0:
        page.wait_for_selector("#captcha-answer")


def _blocked(page: Page, url: str) -> None:
    page.route("https://challenges.cloudflare.com/**", lambda route: route.abort())
    page.goto(f"{url}/x")


def _passed(page: Page, url: str) -> None:
    page.goto(f"{url}/x")
    page.wait_for_timeout(3_500)


def _at(path: str) -> Callable[[Page, str], None]:
    return lambda page, url: page.goto(f"{url}{path}") and None


def _limited(page: Page, url: str) -> None:
    for _ in range(2):
        page.goto(f"{url}/x")


def _picked(page: Page, url: str) -> None:
    """Some tiles are picked, and the keyboard's focus is on another."""
    page.goto(f"{url}/x")
    for number in (1, 2):
        page.locator(".captcha-grid label").nth(2 * number).click()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")


def _tabbed(*places: str) -> Callable[[Page, str], None]:
    """The keyboard's focus is on one after the other; on the last for the picture."""

    def does(page: Page, url: str) -> None:
        page.goto(f"{url}/x")
        for place in places:
            with suppress(TimeoutError):  # without JavaScript it may not be there
                page.locator(place).focus(timeout=3_000)
            page.keyboard.press("Tab")

    return does


def _in_a_frame(page: Page, url: str) -> None:
    page.route("**/framing", lambda route: route.fulfill(content_type="text/html", body=f'<iframe src="{url}/x">'))
    page.goto(f"{url}/framing")


def _often(page: Page, url: str) -> None:
    """Passed, and challenged again at once, until that is said to be of no use."""
    page.goto(f"{url}/x")
    page.wait_for_selector("a.button")


def _ready(page: Page, url: str) -> None:
    """What somebody without JavaScript sees whose form has been kept."""
    _kept(page, url)
    if page.locator("#go").is_visible():
        page.locator("#go").click()


def _held(page: Page, url: str) -> None:
    """Passed; the page that leads on is held."""
    asked: list[str] = []

    def once(route: Route) -> None:
        if asked:
            route.abort("aborted")
        else:
            route.continue_()
        asked.append(route.request.url)

    page.route("**/x?on", once)
    page.goto(f"{url}/x?on")


Scene = tuple[Callable[[], Any], Callable[[Page, str], None], str]
_LITTLE = Work(least=2, most=2)
SCENES: dict[str, Scene] = {
    "wait": (lambda: _site("wait", level="wait"), _opened, ""),
    "work": (lambda: _site(_LITTLE, level="work"), _opened, ENDLESS),
    "work-slow": (lambda: _site(_LITTLE, level="work"), _slow, ENDLESS),
    "work-failed": (lambda: _site(_LITTLE, level="work"), _opened, BROKEN),
    "browser": (lambda: _site("browser", level="browser"), _opened, ENDLESS),
    **{name: (partial(_site, Pictures(name)), _opened, "") for name in ("letters", "shapes", "odd", "audio")},
    "letters-wrong": (lambda: _site(Pictures("letters")), _wrong, ""),
    "letters-heard": (lambda: _site(Pictures("letters")), _heard, ""),
    "provider": (lambda: _site(turnstile(site_key="k", secret="s")), _opened, ""),
    "provider-blocked": (lambda: _site(turnstile(site_key="k", secret="s")), _blocked, ""),
    "kept": (lambda: _site(Pictures("letters")), _kept, ""),
    "cookies-off": (lambda: _forgetful(_site("wait", level="wait")), _passed, ""),
    "denied": (lambda: _site(rule=filter_request(deny=['http.request.uri.path == "/x"'])), _opened, ""),
    "missing": (partial(_site, level="wait"), _at("/missing"), ""),
    "broken": (partial(_site, level="wait"), _at("/broken"), ""),
    "limited": (lambda: _site(rule=fixed_window(max=1, window="1h")), _limited, ""),
    "shapes-picked": (lambda: _site(Pictures("shapes")), _picked, ""),
    "odd-picked": (lambda: _site(Pictures("odd")), _picked, ""),
    "letters-focus": (lambda: _site(Pictures("letters")), _tabbed("summary"), ""),
    "button-focus": (lambda: _site(Pictures("letters")), _tabbed("[name=another]"), ""),
    "doubtful": (lambda: _site(Looked(_LITTLE), Pictures("letters"), level="browser"), _doubtful, ""),
    "other": (lambda: _site(_LITTLE, Pictures("letters"), level="work"), _opened, ENDLESS),
    "work-focus": (lambda: _site(_LITTLE, level="work"), _tabbed("#retry"), BROKEN),
    "often": (lambda: _site(Quick(), rule=challenge("work", paths=["/x"], max_age=0.001)), _often, ""),
    "ready": (lambda: _site(Quick(), level="work"), _ready, ""),
    "landed": (lambda: _site(Quick(), level="work"), _held, ""),
    "wait-early": (lambda: _site("wait", level="wait"), _early, ""),
    "framed": (lambda: _site("wait", level="wait"), _in_a_frame, ""),
}


def _answered(route: Route) -> None:
    if route.request.resource_type == "script":
        route.fulfill(content_type="text/javascript", body=WIDGET)
    else:
        route.abort()


@contextmanager
def _page(browser: Browser, look: str, script: str) -> Iterator[Page]:
    with browser.new_context(**{"viewport": {"width": 900, "height": 760}, **LOOKS[look]}) as context:
        page = context.new_page()
        page.add_init_script(script)
        page.route(lambda url: not url.startswith("http://127.0.0.1"), _answered)
        yield page


def main(folder: Path, *parts: str) -> None:
    """Take all pictures whose name has one of ``parts`` in it, or all."""
    folder.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        for name, (make, does, script) in SCENES.items():
            wanted = [look for look in LOOKS if any(part in f"{name}-{look}" for part in parts or [""])]
            if not wanted:
                continue
            with served("asgi", make()) as url:
                for look in wanted:
                    with _page(browser, look, script) as page:
                        does(page, url)
                        page.wait_for_timeout(2_300 if look == "no-script" and not name.startswith("wait") else 400)
                        page.screenshot(path=folder / f"{name}-{look}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
