"""Each kind of challenge in each framework, passed in a real browser by what a person does; and a form after it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.challenges.matrix.acting import ACTS, Act, looks, nothing, play_the_provider
from tests.challenges.matrix.conftest import Site, goes_to, opened
from tests.challenges.providers.speaking import Speaking, Told

from doorward import challenge
from doorward.challenges.pictures import Pictures

GOT = '["POST", "/inside", [["a", "1&2 \\u00e9"], ["b", "l1\\r\\nl2"], ["submit", "s"]]]'


def has_been_let_in(page: Page, site: Site) -> None:
    """The content is shown, at the address that was asked for; and the next page comes without a challenge."""
    expect(page.locator("#got")).to_have_text('["GET", "/inside", []]')
    assert page.url == f"{site.url}/inside?a=1&b=%20#part"
    assert goes_to(page, "/inside") == 200
    (cookie,) = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("doorward", True, "Lax")


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_a_person_passes_each_kind(show: Callable[..., Site], browser: Browser, act: Act) -> None:
    with Speaking("turnstile", Told(time.time(), host="127.0.0.1")) as provider:
        site = show(
            challenge(act.level, paths=["/inside"]), kinds=["wait", act.kind(provider.url)][act.name == "wait" :]
        )
        with opened(browser, site) as page:
            play_the_provider(page)
            if act.name == "wait":
                page.clock.install()
            assert goes_to(page, "/inside?a=1&b=%20#part") == 403
            act.does(page, site)
            has_been_let_in(page, site)
        assert site.client.runtime.journal.counts()[f"challenge.{act.name}.passed"] == 1
        assert provider.problems == []


@pytest.mark.parametrize("act", [act for act in ACTS if act.name in ("work", "letters")], ids=lambda act: act.name)
def test_a_form_is_challenged_and_goes_on(show: Callable[..., Site], browser: Browser, act: Act) -> None:
    """Once by the script, once by what is typed: it arrives to the letter."""
    site = show(challenge(act.level, paths=["/inside"]), kinds=[act.kind("")])
    with opened(browser, site) as page:
        assert goes_to(page, "/") == 200
        page.get_by_role("button", name="Send").click()
        if act.does is not nothing:
            expect(page.locator(".note")).to_have_text("What you sent is kept, and will be sent on after the check.")
        act.does(page, site)
        expect(page.locator("#got")).to_have_text(GOT)
        assert page.url == f"{site.url}/inside?q=1"


def test_who_is_found_doubtful_goes_on_by_a_picture(show: Callable[..., Site], stock: Browser) -> None:
    """As a person does whose browser looks driven."""
    site = show(challenge("browser", paths=["/inside"]), kinds=[ACTS[2].kind(""), Pictures("letters")])
    with opened(stock, site) as page:
        assert goes_to(page, "/inside?a=1&b=%20#part") == 403
        expect(page.get_by_text("One more check is needed before you go on.")).to_be_visible()
        looks(page, site)
        has_been_let_in(page, site)
