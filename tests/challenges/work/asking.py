"""A client with challenges, asked as a browser or a script would; and who solves what it poses."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any, NamedTuple
from urllib.parse import urlencode

from doorward import Doorward, challenge
from doorward.challenges.work.derivation import Hardness, derive, search
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

EASY = Hardness("PBKDF2/SHA-256", 2)


class Reply(NamedTuple):
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        return self.headers.get("Set-Cookie", "").split(";")[0]

    @property
    def told(self) -> dict[str, Any]:
        """What the page's script is told."""
        return json.loads(re.search(rb'id="challenge">(.*?)</script>', self.body)[1])


class Visitor:
    """Asks one WSGI application."""

    def __init__(self, app: Any, ip: str = "203.0.113.5", agent: str = "Mozilla/5.0") -> None:
        self.app, self.ip, self.agent = app, ip, agent

    def __call__(
        self,
        path: str,
        method: str = "GET",
        body: bytes = b"",
        kind: str = "",
        accept: str = "text/html",
        cookie: str = "",
    ) -> Reply:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": kind, "HTTP_COOKIE": cookie, "HTTP_ACCEPT": accept,
            "REMOTE_ADDR": self.ip, "wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "shop.example", "HTTP_USER_AGENT": self.agent,
        }  # fmt: skip
        heard: list[Any] = []
        content = b"".join(self.app(environ, lambda status, headers, _=None: heard.append((status, headers))))
        return Reply(int(heard[-1][0][:3]), dict(heard[-1][1]), content)

    def send(self, fields: dict[str, Any], accept: str = "application/json") -> Reply:
        """An answer to a challenge, as a script sends it."""
        body = json.dumps(fields).encode()
        return self("/.doorward/verify", "POST", body, "application/json", accept)

    def send_form(self, fields: dict[str, str]) -> Reply:
        """The same as a page sends it."""
        return self("/.doorward/verify", "POST", urlencode(fields).encode(), "application/x-www-form-urlencoded")


def page(environ: Any, start_response: Any) -> list[bytes]:
    """The application."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"the application"]


def shop(clock: FakeClock | None = None, **challenges: Any) -> Doorward:
    """A client that challenges whoever comes to /x."""
    rules = [challenge("work", paths=["/x"])]
    return Doorward(rules, secret="s" * 40, clock=clock or FakeClock(), challenges=challenges)


def visitor(aj: Doorward, **who: str) -> Visitor:
    """Somebody who comes to it."""
    return Visitor(DoorwardMiddleware(page, aj), **who)


def solved(told: dict[str, Any]) -> str:
    """The derived key that a page of ours asks for."""
    parameters = told["challenge"]["parameters"]
    seeds = bytes.fromhex(parameters["nonce"]), bytes.fromhex(parameters["salt"])
    hardness = hardness_in(parameters)
    counter = search(hardness, *seeds, parameters["keyPrefix"], told["most"])
    assert counter is not None
    return derive(hardness, *seeds, counter).hex()


def hardness_in(parameters: dict[str, Any]) -> Hardness:
    return Hardness(*(parameters.get(name, 0) for name in ("algorithm", "cost", "memoryCost", "parallelism")))


def payload_of(content: Any) -> str:
    """As ALTCHA's widget sends it."""
    return base64.b64encode(json.dumps(content).encode()).decode()
