"""A client that has shown less than it is asked for: that is not taken for what it lacks, and nothing goes round."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, expect
from tests.challenges.pages.conftest import served
from tests.challenges.pages.quick import Failing, Quick, options
from tests.challenges.pages.sites import form_of, visitor

from doorward import Doorward, challenge
from doorward.asgi import DoorwardMiddleware
from doorward.levels import Level
from doorward.testing import FakeClock

ASKED_FOR_JSON = {"accept": "application/json"}


class FailingBrowser(Failing):
    """What a doubtful browser fails."""

    level = Level.BROWSER


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Let in."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<!doctype html><title>app</title><h1>app</h1>"})


def site(*kinds: Any, clock: FakeClock | None = None) -> DoorwardMiddleware:
    """Where "/low" asks for work, "/high" for a browser."""
    rules = [challenge("work", paths=["/low"]), challenge("browser", paths=["/high"])]
    return DoorwardMiddleware(page, Doorward(rules, secret="s" * 40, challenges=options(*kinds), clock=clock))


def test_a_lower_clearance_does_not_lead_a_failed_check_round_in_circles(browser: Browser) -> None:
    with served("asgi", site(Quick(), FailingBrowser())) as url, browser.new_context() as context:
        opened = context.new_page()
        asked: list[str] = []
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto(f"{url}/low")
        expect(opened.locator("h1")).to_have_text("app")
        opened.goto(f"{url}/high")
        expect(opened.locator("#go")).to_be_visible()
        expect(opened.locator("#go")).to_have_text("Try again")
        assert [target for target in asked if target.endswith("/high")] == [f"{url}/high"]


def passed(client: Any, clock: FakeClock, path: str) -> dict[str, str]:
    """The fields of the challenge on a page that was just passed."""
    fields = dict(form_of(client.get(path).text)[1])
    clock.advance(3)
    answer = client.post("/.doorward/verify", data=fields, headers=ASKED_FOR_JSON)
    assert answer.json()["passed"]
    return fields


def told(client: Any, token: str) -> Any:
    return client.get("/.doorward/landed", params={"t": token}, headers=ASKED_FOR_JSON).json()


def test_what_has_come_is_told_by_what_was_asked_for() -> None:
    clock = FakeClock()
    with visitor("asgi", site(Quick(), FailingBrowser(), clock=clock)) as client:
        before = dict(form_of(client.get("/low").text)[1])
        clock.advance(3)
        assert told(client, before["token"]) == {"cookie": False, "since": False}
        fields = passed(client, clock, "/low")
        assert told(client, fields["token"]) == {"cookie": True, "since": True}
        assert told(client, before["token"]) == {"cookie": True, "since": True}  # another tab's
        high = dict(form_of(client.get("/high").text)[1])
        assert told(client, high["token"]) == {"cookie": False, "since": False}


def test_a_clearance_from_before_is_not_since() -> None:
    """Of who has to show it anew, by ``max_age`` or a quota."""
    clock = FakeClock()
    rules = [challenge("work", paths=["/low"], max_age="1m")]
    client = Doorward(rules, secret="s" * 40, challenges=options(Quick()), clock=clock)
    with visitor("asgi", DoorwardMiddleware(page, client)) as asked:
        passed(asked, clock, "/low")
        clock.advance(90)
        again = dict(form_of(asked.get("/low").text)[1])
        assert told(asked, again["token"]) == {"cookie": True, "since": False}
