"""The pages in a real browser over a real server: by mouse, by keyboard alone, on a phone, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.chromium import CONTRAST, WIDER
from tests.service.pages.conftest import Running
from tests.service.pages.doubles import PASSWORD, of_rule

from doorward.clock import SystemClock
from doorward.ids import decision_id

PAGES = ["/", "/?range=7d", "/decisions", "/decisions?ip=192.0.2.66&conclusion=DENY&range=7d", "/decisions/{id}",
         "/bans", "/keys", "/decisions/req_nothing", "/dry-runs", "/dry-runs?dry=bots"]  # fmt: skip


def log_in(page: Page) -> None:
    page.goto("/login")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("h1:has-text('Overview')")


@pytest.fixture
def options() -> dict[str, object]:
    """Of the browser's context."""
    return {}


@pytest.fixture(scope="module")
def cookies(browser: Browser, served: Running) -> object:
    """Of somebody who has logged in."""
    with browser.new_context(base_url=served.url) as context:
        log_in(context.new_page())
        return context.storage_state()


@pytest.fixture
def page(browser: Browser, running: Running, cookies: object, options: dict[str, object]) -> Iterator[Page]:
    """A page of somebody who has logged in; what the browser complains about fails the test."""
    context = browser.new_context(base_url=running.url, storage_state=cookies, **options)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto("/")
    yield opened
    context.close()
    # A page that tells of an error is sent with its status, which the browser notes.
    assert [text for text in complaints if not re.search(r"status of (401|403|404|503)|ERR_", text)] == []


def new(running: Running, **fields: object) -> str:
    """Another decision is made; its id."""
    now = SystemClock().now_ns()
    record = of_rule(running.seeds, "shield")._replace(**{"id": decision_id(now), "at_ns": now, **fields})
    running.site.reader.append(record)
    return record.id


def turn(page: Page, seconds: float = 2) -> None:
    """Let as much time pass for the page as its script waits."""
    page.clock.run_for(seconds * 1000)


def some_id(running: Running) -> str:
    return of_rule(running.site.reader.records, "signup").id


def test_a_wrong_password_is_told(browser: Browser, running: Running) -> None:
    """And the right one opens what was asked for."""
    with browser.new_context(base_url=running.url) as context:
        page = context.new_page()
        page.goto("/decisions?rule=signup")
        page.fill("#password", "wrong-password")
        page.click("button")
        expect(page.locator("[role=alert]")).to_have_text("That is not the password.")
        page.fill("#password", PASSWORD)
        page.click("button")
        expect(page).to_have_url(f"{running.url}/decisions?rule=signup")
        expect(page.locator("h1")).to_have_text("Decisions")
        page.click("text=Log out")
        page.goto("/decisions")
        expect(page.locator("#password")).to_be_visible()


def test_from_the_overview_to_the_reason(page: Page, running: Running) -> None:
    """What an engineer does at night: most denied, its decisions, one of them, all of that client, a ban."""
    page.click("section[aria-labelledby=denied] a:has-text('192.0.2.66')")
    expect(page.locator("#rows tr").first).to_contain_text("SQL in query")
    page.click("#rows tr:first-child .when a")
    expect(page.locator("h1")).to_contain_text("DENY")
    expect(page.locator(".rules")).to_contain_text("closes a string and goes on with a condition")
    expect(page.locator("pre")).to_be_hidden()
    page.click("summary")
    expect(page.locator("pre")).to_contain_text('"conclusion": "DENY"')
    page.click("text=All of this client")
    page.click("text=Ban 192.0.2.66 …")
    page.fill("[name=length]", "2h")
    page.fill("[name=why]", "looks for a way in")
    page.click("button:text-is('Ban')")
    expect(page.locator("[role=status]")).to_have_text("192.0.2.66 is banned.")
    expect(page.locator(".bans")).to_contain_text("looks for a way in")
    assert running.site.bans.held["192.0.2.66"] == (7200.0, "looks for a way in")
    page.click("[aria-label='Unban 192.0.2.66']")
    expect(page.locator("[role=status]")).to_have_text("192.0.2.66 is banned no longer.")
    assert "192.0.2.66" not in running.site.bans.held


def test_filters_are_in_the_url(page: Page, running: Running) -> None:
    """So that a view can be shared."""
    page.goto("/decisions")
    page.click("nav[aria-label=Conclusion] >> text=DENY")
    page.click("summary")
    page.fill("[name=path]", "/sign")
    page.select_option("[name=range]", "7d")
    page.press("[name=path]", "Enter")
    page.wait_for_url(re.compile("path="))
    assert {"conclusion=DENY", "path=%2Fsign", "range=7d"} <= set(page.url.partition("?")[2].split("&"))
    assert page.locator("#rows tr").count() > 10
    assert set(page.locator("#rows .what").all_inner_texts()) == {"POST /signup"}
    page.click("[aria-label='Without the filter path']")
    page.wait_for_function("!location.search.includes('path')")


def test_a_pasted_id_is_found(page: Page, running: Running) -> None:
    """From any page."""
    wanted = some_id(running)
    page.fill("#find", f" {wanted} ")
    page.press("#find", "Enter")
    expect(page.locator("h1")).to_contain_text(wanted)


def test_new_decisions_appear(page: Page, running: Running) -> None:
    """On top, without a reload, as text; told to who does not see them; only what the filters let through."""
    page.clock.install()
    page.goto("/decisions?conclusion=DENY")
    first = new(running, path="/<img src=x onerror=alert(1)>", ip="<b>")
    turn(page)
    expect(page.locator(f"#rows tr:first-child a[href='/decisions/{first}']")).to_be_visible()
    expect(page.locator("#rows tr:first-child .what")).to_have_text("GET /<img src=x onerror=alert(1)>")
    expect(page.locator("#rows tr:first-child .badge").first).to_have_attribute("data-is", "DENY")
    expect(page.locator("#news")).to_have_text("1 new decision")
    new(running, conclusion="ALLOW")
    second = new(running)
    turn(page)
    expect(page.locator(f"#rows tr:first-child a[href='/decisions/{second}']")).to_be_visible()
    assert page.locator(f"a[href='/decisions/{first}']").count() == 1
    assert set(page.locator("#rows .verdict").all_inner_texts()) == {"DENY"}
    assert page.locator("#rows img, #rows b").count() == 0


def test_a_decision_that_comes_reads_like_one_that_was_there(page: Page, running: Running) -> None:
    """The script's line and the server's are the same."""
    page.clock.install()
    page.goto("/decisions")
    name = new(running, dry_run="bots", reported=True)
    turn(page)
    there = page.locator(f"#rows tr:has(a[href='/decisions/{name}'])")
    expect(there).to_be_visible()
    by_script = there.evaluate("node => { node.removeAttribute('class'); return node.outerHTML; }")
    page.goto("/decisions")
    by_server = there.evaluate("node => node.outerHTML")
    assert re.sub(r"\s+", " ", by_script) == re.sub(r"\s+", " ", by_server)


def test_live_can_be_paused(page: Page, running: Running) -> None:
    """Nothing moves until it goes on; then nothing is missing."""
    page.clock.install()
    page.goto("/decisions")
    page.click("#pause")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#state")).to_have_text("Paused")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    name = new(running)
    turn(page, 60)
    assert asked == []
    page.click("#pause")
    turn(page)
    expect(page.locator(f"#rows tr:first-child a[href='/decisions/{name}']")).to_be_visible()


def test_a_lost_connection_is_told(page: Page, running: Running) -> None:
    """And found again by itself."""
    page.clock.install()
    page.goto("/decisions")
    running.site.reader.broken = True
    turn(page)
    expect(page.locator("#state")).to_contain_text("Connection lost. Trying again in 4 s.")
    running.site.reader.broken = False
    name = new(running)
    turn(page, 4)
    expect(page.locator(f"#rows tr:first-child a[href='/decisions/{name}']")).to_be_visible()
    expect(page.locator("#state")).to_have_text("Live")


def test_a_session_that_ends_is_told(page: Page) -> None:
    """The script stops asking."""
    page.clock.install()
    page.goto("/decisions")
    page.context.clear_cookies()
    turn(page)
    expect(page.locator("#state")).to_contain_text("Logged out")


def focused(page: Page) -> str:
    return page.evaluate(
        "(document.activeElement.id || document.activeElement.name || document.activeElement.innerText).trim()"
    )


def test_by_keyboard_alone(page: Page, running: Running) -> None:
    """The first stop skips to the content; each stop is seen; the order is that of the page; nothing holds on."""
    page.goto("/decisions?conclusion=DENY")
    page.click("#pause")
    page.evaluate("document.activeElement.blur()")
    page.goto("/decisions?conclusion=DENY")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    expect(page.locator(".skip")).to_be_in_viewport()
    stops = []
    for _ in range(19):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", stops[-1]
    assert stops[:9] == ["doorward", "Overview", "Decisions", "Dry runs", "Bans", "Keys", "find", "Find", "Log out"]
    assert stops[9:17] == ["pause", "All", "ALLOW", "DENY", "CHALLENGE", "ERROR", "DRY RUN",
                           "Filter by client, rule, path, time …"]  # fmt: skip
    for _ in range(len(stops)):
        page.keyboard.press("Shift+Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "pause"
    page.keyboard.press("Space")
    expect(page.locator("#state")).to_have_text("Paused")
    for _ in range(8):
        page.keyboard.press("Tab")
    assert re.fullmatch(r"(\d{4}-\d\d-\d\d\s+)?\d\d:\d\d:\d\d\.\d{3}", focused(page))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("DENY")


def test_the_focus_stays_where_it_is_while_decisions_come(page: Page, running: Running) -> None:
    """Lines go in above it, and are cut off below."""
    page.clock.install()
    page.goto("/decisions")
    page.focus("#rows tr:nth-child(3) .when a")
    before = page.evaluate("document.activeElement.href")
    name = new(running)
    turn(page)
    expect(page.locator(f"#rows tr:first-child a[href='/decisions/{name}']")).to_be_visible()
    assert page.evaluate("document.activeElement.href") == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(page: Page, running: Running, scheme: str) -> None:
    """Contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3), on every page."""
    page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        page.goto(path.format(id=some_id(running)))
        assert page.evaluate(CONTRAST) == [], path


@pytest.mark.parametrize("width", [320, 390, 768], ids=str)
def test_no_page_is_wider_than_its_window(page: Page, running: Running, width: int) -> None:
    """Also with the longest values there are."""
    long = "x" * 2000
    new(
        running,
        path=f"/{long}",
        ip=long,
        rule=long,
        why=long,
        site=long,
        dry_run=long,
        agent=long,
        host=long,
        id="req_long",
    )
    running.site.bans.held[long] = (1e6, long)
    page.set_viewport_size({"width": width, "height": 844})
    for path in [*PAGES, "/decisions/req_long", f"/decisions?ip={long}", "/decisions?conclusion=x"]:
        page.goto(path.format(id=some_id(running)))
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate(WIDER) == [], path


def test_tables_are_tables_on_a_phone_too(page: Page) -> None:
    """Drawn as blocks, they keep their roles."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/decisions")
    table = page.get_by_role("table", name="Decisions, the newest first")
    assert table.get_by_role("row").count() == 101
    assert table.get_by_role("row").nth(1).get_by_role("cell").count() == 7


def test_charts_have_words(page: Page) -> None:
    """A sentence for each strip, its name beside it on a phone too, and a table behind."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        for name in ("ALLOW", "DENY", "CHALLENGE", "ERROR", "DRY RUN"):
            expect(page.locator(f".lane .badge:text-is('{name}')")).to_be_visible()
    summary = page.get_by_role("img", name=re.compile(r"^DENY: \d+ in all, peak \d+ in 1 min at \d\d:\d\d$"))
    expect(summary).to_have_count(1)
    page.click("text=These figures as a table")
    assert page.get_by_role("region", name="Rates as a table").get_by_role("row").count() > 55


def test_nothing_moves_for_who_does_not_want_it(page: Page, running: Running) -> None:
    """prefers-reduced-motion."""
    page.clock.install()
    for motion, name in (("reduce", "none"), ("no-preference", "new")):
        page.emulate_media(reduced_motion=motion)
        page.goto("/decisions")
        new(running)
        turn(page)
        expect(page.locator("tr.new").first).to_be_visible()
        assert page.locator("tr.new").first.evaluate("node => getComputedStyle(node).animationName") == name


class TestWithoutJavaScript:
    """Everything but what comes by itself."""

    @pytest.fixture
    def options(self) -> dict[str, object]:
        """No scripts."""
        return {"java_script_enabled": False}

    def test_every_page_works(self, page: Page, running: Running) -> None:
        """Filters, one decision, a ban; a link in the place of live."""
        page.goto("/decisions?rule=signup")
        expect(page.locator("#live")).to_be_hidden()
        expect(page.locator("noscript a")).to_be_visible()
        page.click("summary")
        page.fill("[name=site]", "shop")
        page.press("[name=site]", "Enter")
        expect(page.locator(".chips")).to_contain_text("shop")
        page.click("#rows tr:first-child .when a")
        expect(page.locator(".rules")).to_contain_text("signup")
        page.click("text=Ban this client …")
        page.click("button:text-is('Ban')")
        expect(page.locator("[role=status]")).to_contain_text("is banned.")


def test_a_link_from_another_site_arrives(page: Page, running: Running, browser: Browser) -> None:
    """The cookie is not sent with it, the operator sees the page all the same."""
    page.goto("about:blank")
    elsewhere = running.url.replace("127.0.0.1", "localhost")
    page.goto(f"{elsewhere}/login")
    page.evaluate("url => { const a = document.createElement('a'); a.href = url; document.body.append(a); a.click(); }",
                  f"{running.url}/decisions?rule=signup")  # fmt: skip
    expect(page.locator("h1")).to_have_text("Decisions")
    expect(page).to_have_url(f"{running.url}/decisions?rule=signup")
