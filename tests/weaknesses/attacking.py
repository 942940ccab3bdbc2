"""What attacks share: options of the application that is attacked, and what an attacker reads from answers."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

from tests.behaviour.challenged import FORM, JSON, PAGE, Visitor
from tests.behaviour.clients.base import AppUnderTest, Reply

SECRET = "a secret that nobody knows, of these tests"
WAIT: dict[str, Any] = {"challenges": {"kinds": ["wait"]}, "secret": SECRET}
"""Options of an application that asks its visitors to wait: the challenge that anybody passes."""
COOKIES = ("doorward", "__Host-doorward", "__Secure-doorward")
"""What the cookie of a clearance may be called."""
CURL = [("User-Agent", "curl/8.5.0"), ("Accept", "*/*")]
BROWSER = [*PAGE, ("Sec-Fetch-Dest", "document"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "none")]


def with_cookie(value: str, *names: str) -> list[tuple[str, str]]:
    """The headers of a browser that sends ``value`` under each of ``names``; under all of ours where none is given."""
    return [*PAGE, ("Cookie", "; ".join(f"{name}={value}" for name in names or COOKIES))]


def cookies_of(reply: Reply) -> dict[str, str]:
    """The cookies that an answer sets."""
    pairs = [line.partition(";")[0].partition("=") for line in reply.values("set-cookie")]
    return {name: value for name, _, value in pairs}


def post(app: AppUnderTest, path: str, body: bytes, kind: str = "application/json", **more: Any) -> Reply:
    """What a script sends."""
    return app.post(path, headers=[*JSON, ("Content-Type", kind)], body=body, **more)


def cleared(app: AppUnderTest, target: str = "/echo") -> Visitor:
    """Somebody who has passed the challenge of ``target``."""
    visitor = Visitor(app)
    assert visitor.pass_challenge(target).status == 200
    return visitor


def inside(token: str) -> bytes:
    """All that whoever holds a token can read in it: everything but who it is bound to."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


def body_of(token: str) -> dict[str, Any]:
    """The body of a token of ours (``tokens.py``): after a head of 22 bytes, before a MAC of 32."""
    found: dict[str, Any] = json.loads(inside(token)[22:-32])
    return found


def form(app: AppUnderTest, path: str, body: bytes, **more: Any) -> Reply:
    """What a browser sends of a form."""
    return app.post(path, headers=[*PAGE, FORM], body=body, **more)


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of Python ``work`` runs: what it costs, on any machine."""
    count = 0

    def trace(_frame: Any, event: str, _given: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count
