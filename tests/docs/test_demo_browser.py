"""The sign-up of the demonstration, by a person in a real browser, and by everybody else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.chromium import launched
from tests.docs.viewer import Viewer

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
FORM = {"Content_Type": "application/x-www-form-urlencoded", "Accept": "text/html,*/*;q=0.8"}
FIREFOX = {
    "User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept_Language": "en-US,en;q=0.5",
    "Accept_Encoding": "gzip, deflate",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with launched() as running:
        yield running


@pytest.fixture
def person(browser: Browser, demo: Any) -> Iterator[Page]:
    """A page of a browser that somebody looks at: it does not call itself headless."""
    plain = browser.new_page()
    agent = plain.evaluate("navigator.userAgent").replace("Headless", "")
    plain.close()
    context = browser.new_context(user_agent=agent, base_url=f"http://127.0.0.1:{demo.port}")
    yield context.new_page()
    context.close()


def sign_up(page: Page, email: str) -> str:
    """Fill in the form and send it; the heading of the page that follows, or what it says to correct."""
    page.goto("/signup")
    page.fill("#email", email)
    page.fill("#password", "correct horse")
    page.click("button[type=submit]")
    problem = page.query_selector("#problem")
    return problem.inner_text() if problem else page.inner_text("h1")


def program(demo: Any, agent: str, email: str = "ada@example.com", **headers: str) -> Any:
    """What a program sends that fills in the form."""
    return demo.request("POST", "/signup", f"email={email}&password=p", User_Agent=agent, **FORM, **headers)


Watch = Callable[[], Viewer]


def test_a_person_signs_up(person: Page) -> None:
    """With an address that can be reached."""
    assert sign_up(person, "ada@example.com") == "Welcome"


def test_a_person_with_a_free_address_is_looked_at_by_hand(person: Page) -> None:
    """FREE is not denied, but the handler sees it."""
    assert sign_up(person, "ada@gmail.com") == "Thank you"


@pytest.mark.parametrize(
    ("email", "said", "types"),
    [
        ("ada@mailinator.com", "Please use an address that you will keep.", "DISPOSABLE"),
        ("ada@gmial", "That is not an e-mail address. Please check it.", "INVALID"),
        ("ada@nomail.example", "Mail cannot be delivered to that domain. Is it spelled right?", "NO_MX_RECORDS"),
    ],
)
def test_a_person_is_told_what_to_correct(person: Page, watch: Watch, email: str, said: str, types: str) -> None:
    """The page says it and keeps what was typed; the decision has the reason; corrected, the sign-up passes."""
    assert sign_up(person, email) == said
    assert person.input_value("#email") == email
    refusal = watch().refusal()
    assert (refusal["by"], refusal["status"]) == ("signup-email", 400)
    assert refusal["why"].startswith(types)
    assert sign_up(person, "ada@example.com") == "Welcome"


def test_the_sixth_attempt_is_refused(person: Page, watch: Watch) -> None:
    """Whoever it is."""
    assert [sign_up(person, "ada@example.com") for _ in range(6)] == ["Welcome"] * 5 + ["Too Many Requests"]
    refusal = watch().refusal()
    assert (refusal["by"], refusal["status"]) == ("signup", 429)


@pytest.mark.parametrize(
    ("agent", "address", "why"),
    [
        ("curl/8.5.0", "", "denied CURL"),
        ("python-requests/2.32", "", "denied PYTHON_REQUESTS"),
        (GOOGLEBOT, "203.0.113.7", "denied GOOGLE_CRAWLER (spoofed)"),
        (GOOGLEBOT, "66.249.66.1", "denied GOOGLE_CRAWLER (verified)"),
        ("", "", "denied UNKNOWN_BOT: "),
    ],
)
def test_a_program_is_refused_and_learns_nothing(demo: Any, watch: Watch, agent: str, address: str, why: str) -> None:
    """The decision has the bot and why it is one; the page has neither."""
    reply = program(demo, agent, **({"X_Forwarded_For": address} if address else {}))
    assert reply.status == 403
    refusal = watch().refusal()
    assert refusal["by"] == "signup-bots"
    assert refusal["why"].startswith(why)
    page = re.sub(r"(?s)<style>.*?</style>", "", reply.body.lower().replace('name="robots"', ""))
    assert not any(word in page for word in ("bot", "curl", "python", "spoof", "agent", "automat"))


def test_a_headless_browser_is_a_program(browser: Browser, demo: Any, watch: Watch) -> None:
    """One that says so."""
    page = browser.new_page(base_url=f"http://127.0.0.1:{demo.port}")
    assert sign_up(page, "ada@example.com") == "Forbidden"
    page.close()
    assert watch().refusal()["by"] == "signup-bots"


def test_only_the_real_search_engine_reads_the_articles(demo: Any, watch: Watch) -> None:
    """A claim alone is not enough; a reader in a browser passes without one."""
    statuses = [
        demo.request("GET", "/articles", User_Agent=GOOGLEBOT, X_Forwarded_For=address).status
        for address in ("66.249.66.1", "203.0.113.7")
    ]
    assert statuses == [200, 403]
    assert "(spoofed)" in watch().refusal()["why"]
    assert demo.request("GET", "/articles", Accept="text/html", **FIREFOX).status == 200


def test_a_challenged_comment_is_sent_on(person: Page, watch: Watch) -> None:
    """And whoever has shown something may be somebody else again."""
    person.goto("/challenges")
    person.fill("#comment", "plums & <pears>")
    person.click("text=Send")
    expect(person.locator("#message")).to_have_text("Your comment has arrived: “plums & <pears>”", timeout=20_000)
    person.goto("/challenges/wait")
    expect(person.locator("#message")).to_have_text("You have waited some seconds.")
    person.click("text=Forget what I have shown")
    person.goto("/challenges/work")
    expect(person.locator("#message")).to_have_text("Your browser has paid with a calculation.", timeout=30_000)


def test_a_program_is_told_what_to_pass(demo: Any) -> None:
    """In JSON, by each level."""
    for level in ("wait", "work", "browser", "human"):
        answer = demo.request("GET", f"/challenges/{level}", User_Agent="curl/8.5.0", Accept="*/*")
        assert answer.status == 403
        assert json.loads(answer.body)["challenge"]["level"] == level
