"""Each decorator, and step-up in a view, in each framework, on blocking and on awaiting views, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.challenges.matrix.acting import LITTLE, looks
from tests.challenges.matrix.conftest import Site, goes_to, opened
from tests.challenges.matrix.frameworks import STEP_UP, STYLES

from doorward import challenge
from doorward.challenges.pictures import Pictures

EVERYWHERE = challenge("work", paths=["/inside", "/plain", "/*/skip", "/*/exempt", "/*/protect", "/*/block"])


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    """Blocking views, and awaiting ones."""
    return str(request.param)


@pytest.fixture
def site(show: Callable[..., Site]) -> Site:
    """A work that passes by itself, and letters for people."""
    return show(EVERYWHERE, kinds=[LITTLE, Pictures("letters")])


def is_let_in(page: Page, path: str) -> None:
    """To what it has asked for, in its place."""
    expect(page.locator("#got")).to_have_text(f'["GET", "{path}", []]')
    assert page.url.endswith(path)


def has_form(page: Page) -> bool:
    """Whether the page that refuses is one that can be passed."""
    return page.locator("form").count() > 0


def statuses(page: Page, *paths: str) -> list[int]:
    return [goes_to(page, path) for path in paths]


def passes_the_work(page: Page) -> None:
    """By way of a page that is about nothing else."""
    assert goes_to(page, "/inside") == 403
    is_let_in(page, "/inside")


def test_where_rules_hold_and_where_not(site: Site, browser: Browser, style: str) -> None:
    """A rule is about all of these: ``skip`` and ``exempt`` open a route, ``protect`` closes one that is excluded."""
    with opened(browser, site) as page:
        for path in (f"/{style}/skip", f"/{style}/exempt", "/plain"):
            assert goes_to(page, path) == 200
            is_let_in(page, path)
        assert page.context.cookies() == []
        assert goes_to(page, f"/{style}/protect") == 403
        is_let_in(page, f"/{style}/protect")


def test_whoever_comes_is_challenged(site: Site, browser: Browser, style: str) -> None:
    """By ``challenge`` and ``always_challenge``, though no rule is about the path; ``block`` denies until then.

    What asks for it again after some minutes asks for it again, and all the rest stays open.
    """
    always, once, block = (f"/{style}/{name}" for name in ("always-challenge", "challenge", "block"))
    with opened(browser, site) as page:
        assert goes_to(page, block) == 403
        assert not has_form(page)
        for path in (once, always):
            page.context.clear_cookies()
            assert goes_to(page, path) == 403
            is_let_in(page, path)
        assert statuses(page, always, once, block, "/inside") == [200, 200, 200, 200]
        site.clock.advance(400)
        assert statuses(page, once, block, "/inside", always) == [200, 200, 200, 403]
        is_let_in(page, always)


def test_only_a_person_passes(site: Site, browser: Browser, style: str) -> None:
    """Work is not enough; letters are, and are good for the rest. ``require`` in a view asks again in its time."""
    human, step_up = f"/{style}/require-human", f"/{style}/{STEP_UP}"
    asking = [step_up, f"/{style}/depends"] if site.framework.name == "fastapi" else [step_up]
    with opened(browser, site) as page:
        passes_the_work(page)
        for path in (human, *asking):
            assert goes_to(page, path) == 403
            looks(page, site)
            is_let_in(page, path)
            assert statuses(page, path, "/inside") == [200, 200]
            site.clock.advance(400)
        assert statuses(page, human, "/inside", *asking) == [200, 200, *[403 for _ in asking]]


def test_bots_are_denied_with_a_clearance_too(site: Site, browser: Browser, stock: Browser, style: str) -> None:
    """A driven Chromium says what it is; a person's is let in without a challenge."""
    path = f"/{style}/block-bots"
    with opened(browser, site) as page:
        assert goes_to(page, path) == 200
        is_let_in(page, path)
    with opened(stock, site) as page:
        passes_the_work(page)
        assert [cookie["name"] for cookie in page.context.cookies()] == ["doorward"]
        assert goes_to(page, path) == 403
        assert not has_form(page)
