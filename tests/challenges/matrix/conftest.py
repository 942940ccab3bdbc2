"""A server for each framework, what is behind it, and a browser as a person has it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright
from tests.challenges.matrix.frameworks import FRAMEWORKS, Framework
from tests.challenges.pages.conftest import served
from tests.challenges.pictures.visitor import SECRET, answer_of, issue_of
from tests.chromium import ARGUMENTS, path

from doorward import challenge
from doorward.challenges.pictures import Pictures
from doorward.challenges.pictures.forms import Form
from doorward.stores.memory import MemoryStore

NOT_DRIVEN = "--disable-blink-features=AutomationControlled"


class RunningClock:
    """The time, and what is added to it."""

    def __init__(self) -> None:
        self._ahead = 0

    def now_ns(self) -> int:
        return time.time_ns() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += round(seconds * 1e9)


class Site:
    """An application that asks for challenges, behind a server.

    Args:
        framework: What it is made with.
        url: Where it is.
        rules: Of the client.
        kinds: Of challenges on offer.
    """

    def __init__(self, framework: Framework, url: str, rules: list[Any], kinds: list[Any]) -> None:
        self.framework, self.url = framework, url
        self.clock = RunningClock()
        self.store = MemoryStore(clock=self.clock)
        self.kinds = {kind.name: kind for kind in kinds if isinstance(kind, Pictures)}
        self.client = framework.client(
            rules, secret=SECRET, clock=self.clock, store=self.store, challenges={"kinds": kinds}
        )

    def form(self, page: Page, *, other: bool = False) -> Form:
        """What the page shows, or offers instead."""
        issue = self._issue(page)
        drawn = self.kinds[issue.kind].shown(issue)
        return drawn.other if other else drawn.main

    def answer(self, page: Page, form: Form) -> str:
        """What a person sees, or hears: the record of the server has it."""
        issue = self._issue(page)
        return answer_of(self.store, self.kinds[issue.kind], issue, form)

    def _issue(self, page: Page) -> Any:
        return issue_of(page.locator("input[name=token]").first.get_attribute("value"))


class Server:
    """One server, behind which one application after the other is put."""

    def __init__(self, framework: Framework) -> None:
        self.framework, self.url, self.app = framework, "", None

    def called(self) -> Any:
        """What the server calls."""
        if self.framework.server in ("flask", "django"):
            # Not self.app, which is another one for each test.
            return lambda environ, start_response: self.app(environ, start_response)  # noqa: PLW0108

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

        return app

    @contextmanager
    def showing(self, *rules: Any, kinds: list[Any]) -> Iterator[Site]:
        """A new application, for as long as the context is open."""
        site = Site(self.framework, self.url, list(rules) or [challenge("work", paths=["/inside"])], kinds)
        with self.framework.made(site.client) as self.app:
            yield site


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=[framework.name for framework in FRAMEWORKS])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each framework's."""
    server = Server(request.param)
    with served(server.framework.server, server.called()) as server.url:
        yield server


@pytest.fixture
def show(server: Server) -> Iterator[Callable[..., Site]]:
    """Puts an application behind the server until the test ends."""
    with ExitStack() as stack:
        yield lambda *rules, kinds: stack.enter_context(server.showing(*rules, kinds=kinds))


# --- browsers


def agent() -> str:
    """That of this Chromium with a window: as documented, with its major version alone."""
    told = subprocess.run([path(), "--version"], check=True, capture_output=True, text=True, timeout=30).stdout
    major = told.split()[1].partition(".")[0]
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.0.0 Safari/537.36"


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


def launching() -> dict[str, Any]:
    """As a person starts it: nothing in it says that it is driven."""
    arguments = [*ARGUMENTS, NOT_DRIVEN, f"--user-agent={agent()}"]
    return {"executable_path": path(), "args": arguments, "ignore_default_args": ["--enable-automation"]}


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A person's."""
    running = playwright.chromium.launch(**launching())
    yield running
    running.close()


@pytest.fixture(scope="module")
def stock(playwright: Playwright) -> Iterator[Browser]:
    """As its driver starts it."""
    running = playwright.chromium.launch(executable_path=path(), args=ARGUMENTS)
    yield running
    running.close()


@pytest.fixture(scope="module")
def cookieless(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A person's in whose settings cookies are blocked."""
    folder: Path = tmp_path_factory.mktemp("profile")
    (folder / "Default").mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (folder / "Default" / "Preferences").write_text(json.dumps(blocked))
    running = playwright.chromium.launch_persistent_context(folder, **launching())
    yield running
    running.close()


@contextmanager
def opened(browser: Browser, site: Site, **options: Any) -> Iterator[Page]:
    """A page of a person's; errors of its scripts, and what its policy forbids, fail the test."""
    with browser.new_context(base_url=site.url, **options) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert complaints == []


def is_complaint(said: ConsoleMessage) -> bool:
    """Whether something is wrong: that is neither a challenge, nor that the application has no icon."""
    return said.type == "error" and "status of 403" not in said.text and "favicon" not in said.location["url"]


def goes_to(page: Page, target: str) -> int:
    """Visit a page; its status."""
    answer = page.goto(target)
    assert answer is not None
    return answer.status
