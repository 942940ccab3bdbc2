"""A challenge in the place of a page, and of a form, on each framework."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.challenges.pages.sites import Fields, form_of, made, visitor

from doorward.challenges.pages import MOST_ATTEMPTS
from doorward.testing import FakeClock

SENT = [("a", "1&2 é\r\nx"), ("a", ""), ("submit", "<b>'\""), ("__proto__", "\u202e")]
TYPE = "application/x-www-form-urlencoded"


def post(site: Any, path: str, fields: Any, **headers: str) -> Any:
    return site.post(path, content=urlencode(fields), headers={"content-type": TYPE, **headers})


def got(page: str) -> Any:
    text = page.partition('<pre id="got">')[2].partition("</pre>")[0]
    return json.loads(text.replace("&lt;", "<").replace("&amp;", "&"))


def answer(site: Any, clock: FakeClock, page: str) -> Any:
    """Send the page's own form after its time."""
    clock.advance(3)
    form, fields = form_of(page)
    return post(site, str(form["action"]), fields)


def test_a_page_comes_back_to_its_url_with_its_query(site: Any, clock: FakeClock) -> None:
    posed = site.get("/x?q=%7Ba%7D&b=1%2B1")
    assert (posed.status_code, posed.headers["cache-control"]) == (403, "no-store")
    landing = answer(site, clock, posed.text)
    assert landing.status_code == 303
    landed = site.get(landing.headers["location"])
    assert '<a id="onward" href="/x?q=%7Ba%7D&amp;b=1%2B1">' in landed.text
    assert got(site.get("/x?q=%7Ba%7D&b=1%2B1").text) == ["GET", "/x", []]


def test_a_form_is_kept_and_sent_again_to_the_letter(site: Any, clock: FakeClock) -> None:
    """P23, nothing lost: with its fields in order, those of one name, and those of odd names."""
    posed = post(site, "/x", SENT)
    assert "What you sent is kept" in posed.text
    assert "<b>" not in posed.text
    ready = answer(site, clock, posed.text)
    form, fields = form_of(ready.text)
    assert (ready.status_code, form["method"], form["action"], form["enctype"]) == (200, "post", "/x", TYPE)
    assert fields == SENT
    method, path, arrived = got(post(site, "/x", fields).text)
    assert (method, path, sorted(arrived)) == ("POST", "/x", sorted([list(pair) for pair in SENT]))


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "", "origin": "https://evil.example"},
        {"sec-fetch-site": "", "origin": "null"},
        {"sec-fetch-site": "", "origin": "http://site.example.evil.example"},
        {"sec-fetch-site": ""},
    ],
    ids=str,
)
def test_a_form_of_another_site_is_never_sent_again(site: Any, headers: dict[str, str]) -> None:
    """It would come from our own page then, with the cookies of the visitor: a laundered CSRF."""
    posed = post(site, "/x", SENT, **headers)
    assert posed.status_code == 403
    assert "could not be kept" in posed.text
    assert "doorward-form" not in posed.text


def test_a_form_that_was_put_into_the_answer_is_not_sent(site: Any, clock: FakeClock) -> None:
    """What is sent again is what the challenge was posed for, and nothing else."""
    for posed in (post(site, "/x", SENT), site.get("/x")):
        clock.advance(3)
        form, fields = form_of(posed.text)
        forged = [*[pair for pair in fields if pair[0] == "token"], ("doorward-form", "u:to=evil")]
        answered = post(site, str(form["action"]), forged)
        assert answered.status_code == 303
        assert "evil" not in answered.text


def test_without_cookies_it_is_said_once_and_not_again_and_again(site: Any, clock: FakeClock) -> None:
    landing = answer(site, clock, site.get("/x").text)
    site.cookies.clear()
    told = site.get(landing.headers["location"])
    assert told.status_code == 403
    assert "does not send back cookies" in told.text
    assert "http-equiv" not in told.text


def test_without_cookies_a_form_is_not_sent_in_circles(site: Any, clock: FakeClock) -> None:
    posed = post(site, "/x", SENT)
    site.cookies.clear()
    assert "does not send back cookies" in answer(site, clock, posed.text).text


def test_files_cannot_be_kept_and_that_is_said(site: Any) -> None:
    posed = site.post("/x", data={"a": "1"}, files={"f": ("a.txt", b"abc")})
    assert "could not be kept" in posed.text


def test_a_form_in_parts_is_kept_in_parts(site: Any, clock: FakeClock) -> None:
    parts = [("a", (None, b"1")), ("b", (None, "é\r\n2".encode()))]
    posed = site.post("/x", files=parts)
    form, fields = form_of(answer(site, clock, posed.text).text)
    assert (form["enctype"], fields) == ("multipart/form-data", [("a", "1"), ("b", "é\r\n2")])


def test_what_is_too_long_is_not_kept(site: Any) -> None:
    assert "could not be kept" in post(site, "/x", [("a", "x" * 65536)]).text
    assert "is kept" in post(site, "/x", [("a", "x" * 65000)]).text


@pytest.mark.parametrize("destination", ["image", "script", "style", "font", "iframe", "worker", "video"])
def test_parts_of_pages_get_a_short_answer(site: Any, destination: str) -> None:
    answered = site.get("/x", headers={"sec-fetch-dest": destination, "sec-fetch-mode": "no-cors"})
    assert (answered.status_code, answered.headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert len(answered.content) < 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"},
        {"accept": "application/json", "sec-fetch-dest": "", "sec-fetch-mode": ""},
        {"x-requested-with": "XMLHttpRequest", "sec-fetch-dest": "", "sec-fetch-mode": ""},
        {"accept": "*/*", "sec-fetch-dest": "", "sec-fetch-mode": ""},
        {"upgrade": "websocket", "connection": "upgrade", "sec-fetch-dest": "", "sec-fetch-mode": ""},
    ],
    ids=str,
)
def test_calls_of_scripts_get_a_problem(site: Any, headers: dict[str, str]) -> None:
    """RFC 9457; never a page."""
    answered = site.get("/x", headers=headers)
    assert (answered.status_code, answered.headers["content-type"]) == (403, "application/problem+json")
    told = answered.json()
    assert (told["status"], told["code"], told["challenge"]["kind"]) == (403, "challenge", "wait")


def test_what_is_fetched_ahead_of_time_is_no_challenge(site: Any) -> None:
    assert len(site.get("/x", headers={"sec-purpose": "prefetch;prerender"}).content) < 50


def test_a_head_is_answered_without_content(site: Any) -> None:
    answered = site.head("/x")
    assert (answered.status_code, answered.content) == (403, b"")


def test_who_passes_and_is_asked_again_at_once_is_not_asked_for_ever(
    kind: str, override: Any, clock: FakeClock
) -> None:
    """Weakness 3 of NoBot: its challenge was passed eight times in six seconds, and never enough."""
    # What was shown is too old again before the page is there.
    site = visitor(kind, made(kind, override, clock=clock, max_age=1, challenges={"kinds": ["wait"]}))
    for _ in range(MOST_ATTEMPTS):
        posed = site.get("/x")
        assert 'id="answer"' in posed.text
        assert answer(site, clock, posed.text).status_code == 303
        clock.advance(2)
    stuck = site.get("/x")
    assert stuck.status_code == 403
    assert "not enough to let you in" in stuck.text
    assert not [tag for tag, _ in Fields(stuck.text).attributes if tag in ("form", "script")]
