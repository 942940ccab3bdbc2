"""What a person does about each kind of challenge: looks, clicks, types, listens, or waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from playwright.sync_api import Page, Route
from tests.challenges.matrix.conftest import Site
from tests.challenges.pictures.visitor import by_mouse

from doorward.challenges.pictures import Pictures
from doorward.challenges.providers import turnstile
from doorward.challenges.signals.kind import Browser
from doorward.challenges.work import Work

LONG_ENOUGH = 31.0
"""Seconds that every wait is over after."""
LITTLE = Work(least=2, most=2)
WIDGET = """for (const at of document.querySelectorAll(".cf-turnstile")) {
  const box = document.createElement("button");
  box.type = "button"; box.textContent = "I am a person";
  box.onclick = () => {
    const input = document.createElement("input");
    input.type = "hidden"; input.name = "cf-turnstile-response"; input.value = "response.1";
    at.append(input);
    window[at.dataset.callback]("response.1");
  };
  at.append(box);
}"""
"""What the provider's script does, as its documentation says."""


class Act(NamedTuple):
    """A kind, and a person who passes it.

    Attributes:
        name: Of the kind.
        level: What passing it shows.
        kind: Makes it; of the address of a provider's server.
        does: What the person does on its page.
    """

    name: str
    level: str
    kind: Callable[[str], Any]
    does: Callable[[Page, Site], None]


def nothing(page: Page, site: Site) -> None:
    """The page finds the answer by itself."""


def waits(page: Page, site: Site) -> None:
    site.clock.advance(LONG_ENOUGH)
    page.clock.fast_forward(5_000)


def looks(page: Page, site: Site) -> None:
    """Letters are typed, tiles are clicked where they are seen."""
    page.locator("#captcha-answer, .captcha-board").first.wait_for()
    page.wait_for_load_state()  # with the picture
    form = site.form(page)
    site.clock.advance(LONG_ENOUGH)
    by_mouse(page, form, site.answer(page, form))
    page.get_by_role("button", name="Continue").click()


def listens(page: Page, site: Site) -> None:
    """By the keyboard alone."""
    with page.expect_response(lambda reply: "/sound?t=" in reply.url):
        page.locator("audio").focus()
        page.keyboard.press("Space")
    answer = site.answer(page, site.form(page))
    site.clock.advance(LONG_ENOUGH)
    page.locator("#captcha-answer").focus()
    page.keyboard.type(answer)
    page.keyboard.press("Enter")


def ticks(page: Page, site: Site) -> None:
    page.get_by_role("button", name="I am a person").click()


def picture(name: str) -> Act:
    return Act(name, "human", lambda _: Pictures(name), listens if name == "audio" else looks)


def hosted(url: str) -> Any:
    return turnstile(site_key="site-key_1", secret="S3cret/that+nobody=reads", timeout=20,
                     verify_url=f"{url}/turnstile/v0/siteverify")  # fmt: skip


ACTS = (
    Act("wait", "wait", lambda _: "wait", waits),
    Act("work", "work", lambda _: LITTLE, nothing),
    Act("browser", "browser", lambda _: Browser(LITTLE), nothing),
    *[picture(name) for name in ("letters", "shapes", "odd", "audio")],
    Act("turnstile", "human", hosted, ticks),
)


def play_the_provider(page: Page) -> None:
    """Its script comes from here; nothing else from elsewhere."""

    def answered(route: Route) -> None:
        if route.request.resource_type == "script":
            route.fulfill(content_type="text/javascript", body=WIDGET)
        else:
            route.abort()

    page.route(lambda url: not url.startswith("http://127.0.0.1"), answered)
