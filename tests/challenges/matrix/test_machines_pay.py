"""Machines and the challenge that nobody sees: curl, a script, and a driven Chromium come in by paying, or not at all.

The price is that of the documents, by default: 1,000 counters to search, and 2,000 to 4,000 for whoever looks driven.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, expect
from tests.challenges.matrix.conftest import Server, Site, agent, goes_to, opened
from tests.challenges.matrix.frameworks import FRAMEWORKS
from tests.challenges.pages.conftest import served
from tests.challenges.work.asking import solved

from doorward import challenge
from doorward.challenges.pictures import Pictures

DEFAULT = ["wait", "work", "browser"]
LEAST, MOST = 1_000, 4_000
"""Counters, as docs/challenges/proof-of-work.md has them for a weight of 0, and of 20 and more."""
ASKED = "One moment"
"""The heading of challenges."""
SECRET_CONTENT = "<h1>Inside</h1>"
Fields = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One framework's is enough: what is judged is the same in all."""
    server = Server(FRAMEWORKS[-1])
    with served(server.framework.server, server.called()) as server.url:
        yield server


@pytest.fixture(params=["browser", "work"])
def site(show: Callable[..., Site], request: pytest.FixtureRequest) -> Site:
    """The invisible challenges of what is on offer by default: with a look at the browser, and the work alone."""
    return show(challenge(request.param, paths=["/inside"]), kinds=DEFAULT)


@pytest.fixture
def looking(show: Callable[..., Site]) -> Site:
    """The one that looks at the browser."""
    return show(challenge("browser", paths=["/inside"]), kinds=DEFAULT)


def lines() -> dict[str, str]:
    """What a Chromium sends for a page."""
    return {
        "user-agent": agent(),
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "accept-language": "en-US,en;q=0.9",
        "sec-fetch-dest": "document",
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "same-origin",
        "upgrade-insecure-requests": "1",
    }


class Told(NamedTuple):
    """A page, as who reads it sees it."""

    data: dict[str, Any]

    @property
    def token(self) -> str:
        return str(self.data["token"])


def told_by(page: str) -> Told:
    found = re.search(r'<script type="application/json" id="challenge">(.*?)</script>', page)
    assert found is not None, page
    return Told(json.loads(found[1]))


class Paid(NamedTuple):
    """What a person's browser has sent to a challenge of its own, and was let in for."""

    fields: Fields


def paid_by(browser: Browser, site: Site) -> Paid:
    """A person's browser passes; what it has sent."""
    sent: list[str] = []
    with opened(browser, site) as page:
        page.on("request", lambda asked: sent.append(asked.post_data or "") if "/verify" in asked.url else None)
        assert goes_to(page, "/inside") == 403
        expect(page.locator("#got")).to_be_visible()
    (body,) = sent
    fields = dict(parse_qsl(body))
    assert {"token", "derivedKey"} <= fields.keys()
    return Paid(fields)


def others(own: Told, paid: Fields) -> dict[str, Fields]:
    """The most obvious forgeries, from a script's own challenge and from what a browser has paid for another."""
    token = {"token": own.token}
    copied = {name: value for name, value in paid.items() if name != "token"}
    return {
        "nothing": {},
        "only the token": token,
        "all true": {**token, "signals": True, "derivedKey": True, "passed": True, "cookie": True, "level": "human"},
        "all empty": {**token, "signals": "", "derivedKey": ""},
        "no signals, no work": {**token, "signals": "{}", "derivedKey": "00" * 32},
        "what the page says": {**token, **{k: json.dumps(v) for k, v in own.data.items() if k != "token"}},
        "a browser's values": {**token, **copied},
        "a browser's values, and mine": {**copied, **token, "signals": "{}"},
        "a browser's whole answer": paid,
        "a browser's token": {"token": paid["token"]},
        "a token of my own": {**paid, "token": own.token[:-8] + paid["token"][-8:]},
        "a list": {"token": [own.token], "derivedKey": [paid["derivedKey"]]},
    }


def is_kept_out(answer: httpx.Response) -> bool:
    """Whether an answer neither has the content, nor gives anything that leads there."""
    return answer.status_code in (400, 403) and "set-cookie" not in answer.headers and SECRET_CONTENT not in answer.text


def test_a_script_gets_nothing_for_forged_answers(site: Site, browser: Browser) -> None:
    """As JSON and as a form, each to a challenge of its own; and after it all the content is where it was."""
    paid = paid_by(browser, site)
    with httpx.Client(base_url=site.url, headers=lines()) as http:
        for name in others(told_by(http.get("/inside").text), paid.fields):
            for send in ("json", "data"):
                site.clock.advance(61)  # answers are limited by the minute
                page = http.get("/inside")
                assert is_kept_out(page)
                fields: Any = others(told_by(page.text), paid.fields)[name]
                assert is_kept_out(http.post("/.doorward/verify", **{send: fields})), name
        assert is_kept_out(http.get("/inside"))
        assert not http.cookies
    assert passes(site) == 1, "the browser's"


def passes(site: Site) -> int:
    return sum(number for name, number in site.client.runtime.journal.counts().items() if name.endswith(".passed"))


def test_a_script_may_pay_and_is_not_let_in_for_that_alone(looking: Site) -> None:
    """What it says of its browser cannot be read: another challenge, at the highest price, as often as it pays."""
    prices = []
    with httpx.Client(base_url=looking.url, headers=lines()) as http:
        page = http.get("/inside")
        for _ in range(3):
            own = told_by(page.text)
            prices.append(own.data["most"])
            page = http.post("/.doorward/verify", data=answered(own, "{}"))
            assert is_kept_out(page)
        assert prices == [LEAST, MOST, MOST]
        assert is_kept_out(http.get("/inside"))
    assert passes(looking) == 0


def test_a_script_that_pays_and_says_all_that_a_browser_says_pays_twice(looking: Site, browser: Browser) -> None:
    """Signals are no proof, as the documents say: what is copied looks doubtful beside its requests, and it pays again.

    For the copy alone it gets nothing.
    """
    paid = paid_by(browser, looking).fields
    with httpx.Client(base_url=looking.url, headers=lines()) as http:
        own = told_by(http.get("/inside").text)
        assert is_kept_out(http.post("/.doorward/verify", data={**paid, "token": own.token}))
        first = told_by(http.get("/inside").text)
        doubted = http.post("/.doorward/verify", data=answered(first, paid["signals"]))
        assert is_kept_out(doubted)
        second = told_by(doubted.text)
        assert first.data["most"] == LEAST
        assert 2 * LEAST <= second.data["most"] <= MOST
        let_in = http.post("/.doorward/verify", data=answered(second, paid["signals"]))
        assert (let_in.status_code, "set-cookie" in let_in.headers) == (303, True)


def answered(own: Told, signals: str) -> Fields:
    return {"token": own.token, "derivedKey": solved(own.data), "signals": signals}


# --- curl


def curl(jar: Path, url: str, *more: str) -> str:
    """What a real one prints: status line, headers and content; it keeps its cookies."""
    given = [part for name, value in lines().items() for part in ("-H", f"{name}: {value}")]
    asked = ["curl", "-s", "-i", "-L", "--compressed", "-b", str(jar), "-c", str(jar), *given, *more, url]
    return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=30).stdout


def test_curl_gets_nothing(site: Site, browser: Browser, tmp_path: Path) -> None:
    """With a browser's headers, a jar for cookies, and what can be sent without computing."""
    jar, verify = tmp_path / "jar", f"{site.url}/.doorward/verify"
    paid = paid_by(browser, site).fields
    page = curl(jar, f"{site.url}/inside")
    token = told_by(page).token
    answers = [
        page,
        curl(jar, f"{site.url}/.doorward/landed?t={token}"),
        curl(jar, f"{site.url}/.doorward/waited?t={token}"),
    ]
    for fields in ({"token": token}, {**paid, "token": token}, paid):
        data = [part for name, value in fields.items() for part in ("--data-urlencode", f"{name}={value}")]
        answers.append(curl(jar, verify, *data))
    answers.append(curl(jar, f"{site.url}/inside"))
    for answer in answers:
        assert answer.startswith("HTTP/1.1 403")
        assert "set-cookie" not in answer.lower()
        assert SECRET_CONTENT not in answer
    assert "doorward" not in jar.read_text()


# --- a driven Chromium


TELLS = """addEventListener("DOMContentLoaded", () => {
  const told = document.getElementById("challenge");
  const price = told && JSON.parse(told.textContent).most;
  if (window === top) console.log(JSON.stringify(["shown", document.querySelector("h1").textContent, price]));
});"""


class Watched:
    """What a page shows, at which price, and when there is a clearance."""

    def __init__(self, page: Page) -> None:
        self.pages: list[tuple[str, int | None]] = []
        self.answers: list[Response] = []
        page.add_init_script(TELLS)
        page.on("console", lambda said: self._hear(said.text))
        page.on("response", lambda response: self.answers.append(response) if "/verify" in response.url else None)

    def _hear(self, text: str) -> None:
        if text.startswith('["shown"'):
            _, heading, price = json.loads(text)
            self.pages.append((heading, price))

    def cleared_at(self) -> list[int]:
        """Which of the answers to answers had a clearance, from 1 on."""
        return [number for number, each in enumerate(self.answers, 1) if "set-cookie" in each.all_headers()]


def test_a_driven_chromium_pays_once_more_than_a_person(looking: Site, stock: Browser) -> None:
    """It searches 1,000 counters and gets nothing for them, then as many as there are at most, and is let in."""
    with opened(stock, looking) as page:
        watched = Watched(page)
        assert goes_to(page, "/inside") == 403
        expect(page.locator("#got")).to_be_visible(timeout=30_000)
        assert watched.pages == [(ASKED, LEAST), (ASKED, MOST), ("Inside", None)]
        assert watched.cleared_at() == [2]
    counts = looking.client.runtime.journal.counts()
    assert (counts["challenge.browser.doubtful"], counts["challenge.browser.passed"]) == (1, 1)


def test_a_person_pays_once(looking: Site, browser: Browser) -> None:
    """The same Chromium, as nobody drives it."""
    with opened(browser, looking) as page:
        watched = Watched(page)
        assert goes_to(page, "/inside") == 403
        expect(page.locator("#got")).to_be_visible(timeout=30_000)
        assert watched.pages == [(ASKED, LEAST), ("Inside", None)]
        assert watched.cleared_at() == [1]


def test_a_driven_chromium_ends_before_a_picture(show: Callable[..., Site], stock: Browser) -> None:
    """Where there is a challenge for people it pays the first, and gets neither clearance nor content."""
    site = show(challenge("browser", paths=["/inside"]), kinds=[*DEFAULT, Pictures("letters")])
    with opened(stock, site) as page:
        watched = Watched(page)
        assert goes_to(page, "/inside") == 403
        expect(page.locator("#captcha-answer")).to_be_visible(timeout=30_000)
        assert watched.cleared_at() == []
        assert page.context.cookies() == []
        for forged in (True, False):  # without the picture, and by hand from within the page
            answer = page.evaluate(FORGE, forged)
            assert answer == [403, False]
        assert goes_to(page, "/inside") == 403
        assert watched.pages == [(ASKED, LEAST), (ASKED, None), (ASKED, LEAST)]
    assert passes(site) == 0


FORGE = """async (empty) => {
  const body = new URLSearchParams({ token: document.querySelector("[name=token]").value });
  if (!empty) { body.set("answer", "AAAA"); body.set("derivedKey", "00".repeat(32)); body.set("signals", "{}"); }
  const answer = await fetch("/.doorward/verify", { method: "POST", body, headers: { Accept: "application/json" } });
  return [answer.status, Boolean((await answer.json()).passed)];
}"""
