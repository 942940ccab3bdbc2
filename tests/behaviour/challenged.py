"""Someone who is challenged, in any framework: gets the page, waits, answers, is sent back."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.behaviour.clients.base import AppUnderTest, Reply

AGENT = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
PAGE = [
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    AGENT,
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
]
JSON = [("Accept", "application/json"), AGENT]
FORM = ("Content-Type", "application/x-www-form-urlencoded")
LONG_ENOUGH = 30.0
"""Seconds that every wait is over after."""


class Visitor:
    """One client with its cookies.

    Args:
        app: The application that it visits.
        prefix: Of the endpoints.
    """

    def __init__(self, app: AppUnderTest, prefix: str = "/.doorward") -> None:
        self.app = app
        self.prefix = prefix
        self.cookies: dict[str, str] = {}

    def go(self, target: str, *, method: str = "GET", headers: Any = PAGE, **more: Any) -> Reply:
        sent = (
            [*headers, ("Cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))] if self.cookies else headers
        )
        reply = self.app.request(target, method=method, headers=sent, **more)
        for line in reply.values("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name.strip()] = value.strip('"')
        return reply

    def answer(self, page: Reply) -> Reply:
        """Send the page's form back."""
        body = urlencode({"token": token_of(page)}).encode()
        return self.go(f"{self.prefix}/verify", method="POST", headers=[*PAGE, FORM], body=body)

    def wait(self) -> None:
        self.app.clock.advance(LONG_ENOUGH)

    def pass_challenge(self, target: str) -> Reply:
        """What ``target`` answers once its challenge is passed: the whole way of a browser without JavaScript."""
        page = self.go(target)
        assert page.status == 403, page.body
        self.wait()
        verified = self.answer(page)
        assert verified.status == 303, verified.body
        landed = self.go(str(verified.header("location")))
        assert landed.status == 200, landed.body
        onward = onward_from(landed)
        assert urlsplit(onward).path == urlsplit(target).path
        return self.go(onward)


def onward_from(landed: Reply) -> str:
    """Where the page that is shown after a challenge leads to."""
    found = re.search(rb'id="onward" href="([^"]+)"', landed.body)
    assert found is not None, landed.body
    return unescape(found[1].decode())


def token_of(page: Reply) -> str:
    found = re.search(rb'name="token" value="([^"]+)"', page.body)
    assert found is not None, page.body
    return found[1].decode()
