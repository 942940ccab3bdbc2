"""A person passes each kind in a real browser: by mouse, by keyboard alone, with and without JavaScript."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.challenges.pictures.visitor import SECRET, answer_of, by_mouse, issue_of
from tests.chromium import CONTRAST, WIDER, launched

from doorward import AsyncDoorward, challenge
from doorward.asgi import DoorwardMiddleware
from doorward.challenges.pictures import Pictures
from doorward.challenges.pictures.forms import Form
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

KINDS = ["letters", "shapes", "odd", "audio"]


class Running:
    """A site for each kind, below ``/KIND``, behind one uvicorn in a thread."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore(clock=self.clock)
        self.kinds = {name: Pictures(name, hardness=hardness) for hardness, name in enumerate(KINDS, 2)}
        self.apps = {name: self._site(kind) for name, kind in self.kinds.items()}
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(self._app, log_level="warning", lifespan="off", ws="none", interface="asgi3")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]}, daemon=True)
        self.inside = ""

    def _site(self, kind: Pictures) -> Any:
        options: Any = {"kinds": ["wait", kind], "prefix": f"/{kind.name}/.doorward"}
        rules = [challenge("human", paths=["/**"])]
        aj = AsyncDoorward(rules, secret=SECRET, clock=self.clock, store=self.store, name=kind.name, challenges=options)
        return DoorwardMiddleware(_hello, aj)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        site = self.apps.get(scope["path"].split("/")[1])
        await (site or _hello)(scope, receive, send)

    def __enter__(self) -> Self:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline, "uvicorn does not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
        self.socket.close()

    def form(self, page: Page, *, other: bool = False) -> Form:
        """What the page shows, or offers instead."""
        shown = self._kind(page).shown(self._issue(page))
        return shown.other if other else shown.main

    def answer(self, page: Page, form: Form) -> str:
        """What a person sees, or hears."""
        return answer_of(self.store, self._kind(page), self._issue(page), form)

    def _issue(self, page: Page) -> Any:
        return issue_of(page.locator("input[name=token]").get_attribute("value"))

    def _kind(self, page: Page) -> Pictures:
        return self.kinds[self._issue(page).kind]


async def _hello(scope: Any, receive: Any, send: Any) -> None:
    body = b"<!doctype html><html lang=en><title>Inside</title><h1>Inside</h1>"
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as running:
        yield running


@pytest.fixture(scope="module")
def served() -> Iterator[Running]:
    """The sites."""
    with Running() as running:
        yield running


@pytest.fixture
def running(served: Running) -> Running:
    """The same, a minute later: nothing of the limits is used."""
    served.clock.advance(7200)
    return served


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def context(browser: Browser, running: Running, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A person's browser, with JavaScript and without."""
    with browser.new_context(base_url=running.url, java_script_enabled=request.param) as made:
        yield made


@pytest.fixture
def scripted(browser: Browser, running: Running) -> Iterator[BrowserContext]:
    """A browser in which tests may look at the page by scripts."""
    with browser.new_context(base_url=running.url) as made:
        yield made


def opened(context: BrowserContext, running: Running, name: str) -> Page:
    """The page that asks, with its picture."""
    page = context.new_page()
    reply = page.goto(f"/{name}/page?n=1", wait_until="load")
    assert reply.status == 403
    running.clock.advance(31)
    return page


def inside(page: Page) -> None:
    """Where the person wanted to go."""
    expect(page.locator("h1")).to_have_text("Inside")
    assert page.url.endswith("/page?n=1")


@pytest.mark.parametrize("name", ["letters", "shapes", "odd"])
def test_a_picture_by_mouse(context: BrowserContext, running: Running, name: str) -> None:
    """Tiles are clicked where they are seen."""
    page = opened(context, running, name)
    form = running.form(page)
    by_mouse(page, form, running.answer(page, form))
    page.get_by_role("button", name="Continue").click()
    inside(page)


def tab_to(page: Page, target: Any, most: int = 40) -> None:
    """Press Tab until the focus is on ``target``."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.and_(page.locator(":focus")).count():
            return
    raise AssertionError("not to be reached by Tab")


def by_keyboard(page: Page, form: Form, answer: str) -> None:
    """Answer by Tab, Space, arrows and letters."""
    if form.typed:
        tab_to(page, page.locator("#captcha-answer"))
        page.keyboard.type(answer)
        return
    for row, number in enumerate(answer.split(","), 1):
        if form.name == "shapes":
            tab_to(page, page.locator(f"[name=tile-{number}]"))
            page.keyboard.press("Space")
            continue
        tab_to(page, page.locator(f"[name=row-{row}]"))
        page.keyboard.press("Space")
        for _ in range(int(number) - 1):
            page.keyboard.press("ArrowRight")


@pytest.mark.parametrize("name", ["letters", "shapes", "odd"])
def test_a_picture_by_keyboard(context: BrowserContext, running: Running, name: str) -> None:
    """Enter gives the answer; the button for another picture is not what it presses."""
    page = opened(context, running, name)
    form = running.form(page)
    by_keyboard(page, form, running.answer(page, form))
    page.keyboard.press("Enter")
    inside(page)


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_by_keyboard(context: BrowserContext, running: Running, name: str) -> None:
    """Beside every picture there is a sound, and nothing of the page is lost by choosing it."""
    page = opened(context, running, name)
    if name != "audio":
        tab_to(page, page.locator("summary"))
        page.keyboard.press("Enter")
    sound = page.locator("audio")
    expect(sound).to_be_visible()
    with page.expect_response(lambda reply: "/sound?t=" in reply.url) as heard:
        tab_to(page, sound)
        page.keyboard.press("Space")
    assert heard.value.status in (200, 206)
    form = running.form(page, other=name != "audio")
    answer = running.answer(page, form)
    page.locator("#captcha-answer").focus()
    page.keyboard.type(answer)
    page.keyboard.press("Enter")
    inside(page)


def test_who_cannot_hear_looks_at_letters(context: BrowserContext, running: Running) -> None:
    """Beside a sound there is a picture."""
    page = opened(context, running, "audio")
    tab_to(page, page.locator("summary"))
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("A picture of letters")).to_be_visible()
    form = running.form(page, other=True)
    by_keyboard(page, form, running.answer(page, form))
    page.keyboard.press("Enter")
    inside(page)


def test_a_wrong_answer_and_another_picture(context: BrowserContext, running: Running) -> None:
    """What was wrong is said, and bound to the field; the way leads on."""
    page = opened(context, running, "letters")
    page.locator("#captcha-answer").fill("nothing")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_have_text("That was not right. Please try again.")
    expect(page.locator("#captcha-answer")).to_have_accessible_description("An answer counts after 2 s.")
    page.get_by_role("button", name="Give me another one").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#captcha-hint")).to_contain_text("after 2 s.")
    running.clock.advance(31)
    form = running.form(page)
    by_mouse(page, form, running.answer(page, form))
    page.get_by_role("button", name="Continue").click()
    inside(page)


def test_names_and_groups(scripted: BrowserContext, running: Running) -> None:
    """As those hear them who do not see the page."""
    page = opened(scripted, running, "shapes")
    group = page.get_by_role("group", name="Pick all tiles that show the same shape as the one at the top.")
    expect(group.get_by_role("checkbox")).to_have_count(16)
    expect(group.get_by_role("checkbox", name="Tile 16")).to_have_count(1)
    page = opened(scripted, running, "odd")
    row = page.get_by_role("group", name="Row 5")
    expect(row).to_have_accessible_description(
        "In each row, one shape points another way than the others. Pick that one."
    )
    expect(row.get_by_role("radio", name="Tile 5")).to_have_count(1)
    page = opened(scripted, running, "letters")
    label = "Type the letters that you see, or the digits that you hear"
    expect(page.get_by_role("textbox", name=label)).to_be_visible()
    assert page.locator("[autofocus], audio[autoplay]").count() == 0


OVERLAY = """(selector) => { const image = document.querySelector('.captcha-board img').getBoundingClientRect();
  return Array.from(document.querySelectorAll(selector)).map((node) => { const box = node.getBoundingClientRect();
    return [(box.left - image.left) / image.width, (box.top - image.top) / image.height,
            box.width / image.width, box.height / image.height]; }); }"""


@pytest.mark.parametrize("width", [320, 1000])
@pytest.mark.parametrize("name", ["shapes", "odd"])
def test_fields_lie_where_the_tiles_are(scripted: BrowserContext, running: Running, name: str, width: int) -> None:
    """On a phone too: each label covers its tile of the picture, whatever the size."""
    page = scripted.new_page()
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"/{name}/page")
    columns, rows, top = (4, 4, 1) if name == "shapes" else (5, 5, 0)
    boxes = page.evaluate(OVERLAY, ".captcha-grid label")
    assert len(boxes) == columns * rows
    for at, found in enumerate(boxes):
        row, column = divmod(at, columns)
        height = 1 / (rows + top)
        assert found == pytest.approx([column / columns, (row + top) * height, 1 / columns, height], abs=0.015)
    assert page.evaluate(WIDER) == []


def test_a_sound_is_played(scripted: BrowserContext, running: Running) -> None:
    """Chromium decodes it, and knows how long it is."""
    page = opened(scripted, running, "audio")
    seconds = page.evaluate("""() => new Promise((done, failed) => { const audio = document.querySelector('audio');
      audio.onloadeddata = () => done(audio.duration); audio.onerror = () => failed(audio.error.message);
      audio.load(); audio.preload = 'auto'; })""")
    assert 2 < seconds < 8


LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "device_scale_factor": 2},
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", KINDS)
def test_how_it_looks(browser: Browser, running: Running, name: str, look: str, tmp_path: Path) -> None:
    """Everything is within the window, and every text stands out; a screenshot is left to look at."""
    with browser.new_context(base_url=running.url, **LOOKS[look]) as context:
        page = opened(context, running, name)
        form = running.form(page)
        if not form.typed:
            by_mouse(page, form, running.answer(page, form))
            page.keyboard.press("Tab")
        page.locator("summary").click()
        assert page.evaluate(WIDER) == []
        assert page.evaluate(CONTRAST) == []
        page.screenshot(path=tmp_path / f"{name}-{look}.png", full_page=True)


def test_right_to_left(browser: Browser, running: Running, tmp_path: Path) -> None:
    """Tiles stay where they are in the picture."""
    with browser.new_context(base_url=running.url) as context:
        page = opened(context, running, "shapes")
        page.evaluate("document.documentElement.dir = 'rtl'")
        first, second = page.evaluate(OVERLAY, ".captcha-grid label")[:2]
        assert first[0] == pytest.approx(0, abs=0.015)
        assert second[0] == pytest.approx(0.25, abs=0.015)
        page.screenshot(path=tmp_path / "shapes-rtl.png", full_page=True)
