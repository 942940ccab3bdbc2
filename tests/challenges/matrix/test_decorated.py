"""Each decorator, and step-up in a view, in each framework, on blocking and on awaiting views, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def passes_the_work(page: Page) -> None:
    """By way of a page that is about nothing else."""
    assert goes_to(page, "/inside") == 403
    is_let_in(page, "/inside")


@pytest.mark.parametrize("name", ["skip", "exempt"])
def test_no_rule_is_asked(site: Site, browser: Browser, style: str, name: str) -> None:
    with opened(browser, site) as page:
        assert goes_to(page, f"/{style}/{name}") == 200
        is_let_in(page, f"/{style}/{name}")
        assert page.context.cookies() == []


def test_rules_hold_where_they_are_excluded(site: Site, browser: Browser, style: str) -> None:
    """With ``protect``; "/plain" is excluded as well, and open."""
    with opened(browser, site) as page:
        assert goes_to(page, "/plain") == 200
        assert goes_to(page, f"/{style}/protect") == 403
        is_let_in(page, f"/{style}/protect")


@pytest.mark.parametrize("name", ["challenge", "always-challenge"])
def test_whoever_comes_is_challenged(site: Site, browser: Browser, style: str, name: str) -> None:
    """No rule is about the path. The one with ``max_age`` asks again when that is over, and all the rest stays open."""
    path = f"/{style}/{name}"
    with opened(browser, site) as page:
        assert goes_to(page, path) == 403
        is_let_in(page, path)
        assert goes_to(page, path) == 200
        site.clock.advance(400)
        assert goes_to(page, "/inside") == 200
        assert goes_to(page, path) == (403 if name == "always-challenge" else 200)
        is_let_in(page, path)


@pytest.mark.parametrize("name", ["require-human", STEP_UP])
def test_only_a_person_passes(site: Site, browser: Browser, style: str, name: str) -> None:
    """Work is not enough; the letters are, and are good for the rest. ``require`` in a view asks again in its time."""
    path = f"/{style}/{name}"
    with opened(browser, site) as page:
        passes_the_work(page)
        steps_up(page, site, path)
        assert goes_to(page, "/inside") == 200
        site.clock.advance(400)
        assert goes_to(page, path) == (403 if name == STEP_UP else 200)


def steps_up(page: Page, site: Site, path: str) -> None:
    assert goes_to(page, path) == 403
    looks(page, site)
    is_let_in(page, path)
    assert goes_to(page, path) == 200


def test_a_dependency_asks_for_a_person(site: Site, browser: Browser, style: str) -> None:
    """``Depends(guard.required(…))`` is FastAPI's."""
    if site.framework.name != "fastapi":
        assert not hasattr(site.framework, "required")
        return
    with opened(browser, site) as page:
        steps_up(page, site, f"/{style}/depends")


def test_blocked_instead_of_challenged(site: Site, browser: Browser, style: str) -> None:
    """There is nothing to pass on the page; who has passed elsewhere is let in."""
    path = f"/{style}/block"
    with opened(browser, site) as page:
        assert goes_to(page, path) == 403
        assert not has_form(page)
        passes_the_work(page)
        assert goes_to(page, path) == 200
        is_let_in(page, path)


def test_bots_are_denied_with_a_clearance_too(site: Site, browser: Browser, stock: Browser, style: str) -> None:
    """A driven Chromium says what it is; a person's is let in without a challenge."""
    path = f"/{style}/block-bots"
    with opened(browser, site) as page:
        assert goes_to(page, path) == 200
        is_let_in(page, path)
    with opened(stock, site) as page:
        passes_the_work(page)
        assert cleared(page)
        assert goes_to(page, path) == 403
        assert not has_form(page)


def cleared(page: Page) -> Any:
    return [cookie for cookie in page.context.cookies() if cookie["name"] == "doorward"]
