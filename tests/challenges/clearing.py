"""Applications with challenges, and clients that have passed: what the tests of clearance share."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from doorward import Doorward, RequestContext, challenge
from doorward.challenges.issue import Issue
from doorward.levels import Level
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

SECRET = "an-own-secret-of-forty-characters-0123456"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IP = "203.0.113.5"


class Reply(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    environ: dict[str, Any]

    @property
    def decision(self) -> Any:
        return self.environ.get("doorward.decision")

    @property
    def cookies(self) -> list[str]:
        return [value for name, value in self.headers if name == "Set-Cookie"]


def application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), *environ.get("test.headers", ())])
    return [b"the application"]


class Site:
    """A WSGI application behind a client; requests as one browser sends them, unless said otherwise."""

    def __init__(self, rules: Sequence[Any] = (), **options: Any) -> None:
        self.clock = options.pop("clock", None) or FakeClock()
        options = {"secret": SECRET, **options}
        self.aj = Doorward(list(rules) or [challenge("wait", paths=["/x"])], clock=self.clock, **options)
        self.app = DoorwardMiddleware(application, self.aj)

    def get(self, path: str = "/x", cookie: str = "", **more: Any) -> Reply:
        return self.call("GET", path, cookie, **more)

    def call(self, method: str, path: str, cookie: str = "", body: bytes = b"", **more: Any) -> Reply:
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": more.pop("ip", IP),
            "wsgi.url_scheme": more.pop("scheme", "https"), "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": more.pop("host", "shop.example"), "HTTP_USER_AGENT": more.pop("agent", AGENT),
            "HTTP_ACCEPT": "text/html", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "", **more,
        }  # fmt: skip
        if cookie:
            environ["HTTP_COOKIE"] = cookie
        answered: dict[str, Any] = {}

        def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
            answered.update(status=int(status[:3]), headers=list(headers))

        content = b"".join(self.app(environ, start_response))
        return Reply(answered["status"], answered["headers"], content, environ)

    def passed(self, path: str = "/x", **more: Any) -> str:
        """Pass the waiting challenge as a browser without JavaScript does; the cookie, as it is sent back."""
        return kept(self.written(path, **more))

    def written(self, path: str = "/x", **more: Any) -> str:
        """The value of Set-Cookie of a passed challenge."""
        page = self.get(path, **more)
        assert page.status == 403
        token = re.search(rb'name="token" value="([^"]+)"', page.body)
        assert token is not None
        self.clock.advance(3)
        reply = self.call("POST", "/.doorward/verify", body=b"token=" + token[1], **more)
        assert reply.status == 303
        return reply.cookies[0]

    def token(self, level: Level = Level.WORK, ip: str = IP, **more: Any) -> str:
        """A clearance as the gate writes it."""
        gate = self.aj.runtime.gatekeeper.gate
        issue = Issue("x" * 22, "wait", level)
        return gate.clearance(issue, asked(**more), ip, self.clock.now_ns() // 1_000_000)


def kept(written: str) -> str:
    """What a browser sends back of a cookie."""
    return written.partition(";")[0]


def asked(host: str = "shop.example", agent: str = AGENT, cookie: str = "", **more: Any) -> RequestContext:
    headers = [("Host", host), ("User-Agent", agent), *([("Cookie", cookie)] if cookie else ())]
    return RequestContext(headers=[*headers, *more.pop("headers", ())], **{"scheme": "https", "peer": IP, **more})


class Watched:
    """A store, and the names of what it is asked for."""

    def __init__(self, store: Any) -> None:
        self.names: list[str] = []
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not callable(method):
            return method

        def call(*given: Any) -> Any:
            self.names.append(name)
            return method(*given)

        return call
