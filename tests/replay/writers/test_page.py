"""The page in a real browser: nothing runs, nothing is asked for, all can be read, on a phone and on paper too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.chromium import CONTRAST, WIDER, launched
from tests.replay.writers.reports import MARK, REPORTS, RTL

from doorward.replay.writers import html_report, write

SHEET = Path(html_report.__file__).with_name("page.css").read_text()
OPEN = "document.querySelectorAll('details').forEach((d) => { d.open = true; })"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """URLs of the written pages."""
    folder = tmp_path_factory.mktemp("pages")
    for name, report in REPORTS.items():
        (folder / f"{name}.html").write_text(write(report(), "html"), "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in REPORTS}


@pytest.fixture
def options() -> dict[str, object]:
    """Of the browser's context."""
    return {}


@pytest.fixture
def page(browser: Browser, options: dict[str, object]) -> Iterator[Page]:
    """A page; what the browser complains about, and each request but that for the page itself, fails the test."""
    context = browser.new_context(**options)
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("dialog", lambda dialog: troubles.append(dialog.message))
    opened.on("request", lambda request: troubles.append(request.url) if not request.url.startswith("file:") else None)
    yield opened
    context.close()
    assert [text for text in troubles if not text.startswith("data:image/svg+xml;base64,")] == []


@pytest.mark.parametrize("options", [{}, {"bypass_csp": True}], ids=["usual", "without-its-policy"])
@pytest.mark.parametrize("name", ["usual", "empty", "one", "hostile"])
def test_nothing_runs_and_nothing_is_asked_for(page: Page, files: dict[str, str], name: str) -> None:
    """Also where a browser does not know the page's policy: nothing that was sent is markup."""
    page.goto(files[name])
    page.evaluate(OPEN)
    for node in page.locator("summary, tbody tr").all()[:8]:
        node.hover(timeout=5_000)
    assert page.evaluate(f"window.{MARK}") is None
    assert page.evaluate(f"document.querySelectorAll('script, img, iframe, link[rel=stylesheet], {MARK}').length") == 0


def test_its_policy_lets_no_script_in(browser: Browser, files: dict[str, str]) -> None:
    """Not even one that a fault of ours would write into it."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(files["usual"])
        page.evaluate(
            "(html) => document.body.insertAdjacentHTML('beforeend', html)",
            '<img src=x onerror="window.ran = 1"><p style="color: red">x',
        )
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
        assert page.evaluate("window.ran") is None
        assert page.evaluate("getComputedStyle(document.querySelector('body > p')).color") != "rgb(255, 0, 0)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["usual", "hostile"])
def test_every_text_can_be_read(page: Page, files: dict[str, str], name: str, scheme: str) -> None:
    """Contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3)."""
    page.emulate_media(color_scheme=scheme)
    page.goto(files[name])
    page.evaluate(OPEN)
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 768, 1280], ids=str)
@pytest.mark.parametrize("name", ["usual", "hostile", "huge"])
def test_the_page_is_not_wider_than_its_window(page: Page, files: dict[str, str], name: str, width: int) -> None:
    """Also with the longest values there are."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(files[name])
    page.evaluate(OPEN)
    assert page.evaluate(WIDER) == []


@pytest.mark.parametrize("options", [{"java_script_enabled": False}], ids=["no-script"])
def test_it_works_without_javascript(page: Page, files: dict[str, str]) -> None:
    """All of it: samples open by themselves."""
    page.goto(files["usual"])
    expect(page.get_by_role("heading", level=1)).to_have_text("13,737 of 1,001,589 requests would be denied (1.4%).")
    page.get_by_text("Newly denied 6 samples").click()
    expect(page.get_by_text("/search?q=shoes&page=3").nth(1)).to_be_visible()


def test_by_keyboard_alone(page: Page, files: dict[str, str]) -> None:
    """The first stop leads past the navigation; samples open with Enter."""
    page.goto(files["usual"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    expect(page.get_by_text("/search?q=shoes&page=3").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280], ids=str)
def test_charts_have_words_and_tables(page: Page, files: dict[str, str], width: int) -> None:
    """Each strip a sentence and a row of figures behind it; tables keep their roles where lines are blocks."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(files["usual"])
    name = re.compile(r"^denied: 13,737 in all; peak 900 in 1 h at 02 Aug 16:00$")
    expect(page.get_by_role("img", name=name)).to_have_count(1)
    page.get_by_text("These figures as a table").click()
    assert page.get_by_role("region", name="Requests over time").get_by_role("row").count() == 169
    rules = page.get_by_role("region", name="Rules").get_by_role("table")
    assert rules.get_by_role("row").count() == 6
    assert rules.get_by_role("row").nth(2).get_by_role("cell").all_text_contents() == ["996,365", "6,515", "0", "0.7%"]


def test_bars_are_drawn_as_high_as_they_should_be(page: Page, files: dict[str, str]) -> None:
    """In pixels: the peak of 900 on a scale to 1,000."""
    page.goto(files["usual"])
    sides = page.evaluate("""() => { const plot = document.querySelector('[data-is=DENY] .plot svg');
        const bar = plot.querySelectorAll('rect')[40];
        return [plot, bar].map((n) => n.getBoundingClientRect().height); }""")
    assert sides[1] / sides[0] == pytest.approx(0.9, abs=0.01)


def test_right_to_left_stays_in_its_place(page: Page, files: dict[str, str]) -> None:
    """The method before the path, and the file's line after its name."""
    page.goto(files["usual"])
    page.get_by_text("bots 1 sample").click()
    code = page.locator("code", has_text=RTL).first
    method, path = (code.locator("bdi").nth(n).bounding_box() for n in range(2))
    assert method["x"] + method["width"] <= path["x"]


def test_paper_shows_what_is_folded(page: Page, files: dict[str, str]) -> None:
    """And leaves the navigation out."""
    page.goto(files["usual"])
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("navigation")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    height = page.locator("details .samples").first.bounding_box()["height"]
    assert height > 100


def test_its_colours_are_those_of_the_service() -> None:
    """One product, one palette."""
    service = Path(html_report.__file__).parents[2] / "service/server/pages/static/doorward.css"
    palette = re.compile(r"(--[\w-]+): (#\w+);")
    assert palette.findall(SHEET.partition("*, ::before")[0]) == palette.findall(
        service.read_text().partition("*, ::before")[0]
    )
