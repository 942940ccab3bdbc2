"""An application behind challenges, called in place: as a WSGI server calls it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.challenges.signals.browsers import CHROME, Person

from doorward import Doorward, challenge
from doorward.challenges.kinds import Asked, Checked, Posed
from doorward.levels import Level
from doorward.markup import Markup
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

SECRET = "an-example-of-a-secret-of-forty-letters-"


class Paid:
    """Stands for the proof of work: paid with a word, at a price by the weight."""

    name, level, needs_script = "work", Level.WORK, True

    def __init__(self) -> None:
        self.posed: list[float] = []

    def pose(self, issue: Any, prefix: str, words: object) -> Posed:
        self.posed.append(issue.weight)
        return Posed(Markup("<p>work</p>"), {"kind": "work"}, ("work.js",))

    def check(self, asked: Asked) -> Any:
        yield from ()
        return Checked(True) if asked.fields.get("paid") == "yes" else Checked(False, "wrong")

    def serve(self, name: str, asked: Asked) -> Any:
        yield from ()
        return None


class Picture(Paid):
    """Stands for a picture."""

    name, level = "picture", Level.HUMAN

    def pose(self, issue: Any, prefix: str, words: object) -> Posed:
        self.posed.append(issue.weight)
        seen = Markup('<p>a picture</p><input type="hidden" name="paid" value="yes">')
        return Posed(seen, {"kind": "picture"})


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.text)
        return found[1] if found else str(json.loads(self.text)["challenge"]["token"])

    @property
    def cookie(self) -> str:
        return self.headers.get("Set-Cookie", "").partition(";")[0]


class Site:
    """An application whose every page asks for a browser.

    Args:
        kinds: Of challenges on offer.
        person: Whose headers are sent.
    """

    def __init__(self, kinds: Iterable[Any], person: Person = CHROME, **options: Any) -> None:
        self.clock = FakeClock()
        self.person = person
        offered: Any = {"kinds": list(kinds), **options}
        self.client = Doorward([challenge("browser", paths=["*"])], secret=SECRET, clock=self.clock,
                               challenges=offered)  # fmt: skip
        self.called = DoorwardMiddleware(_application, self.client)

    def get(self, path: str = "/x", cookie: str = "", accept: str = "text/html") -> Got:
        return self._call("GET", path, b"", {"HTTP_COOKIE": cookie, "HTTP_ACCEPT": accept})

    def answer(
        self, got: Got, signals: object, /, *, accept: str = "text/html", after: float = 1.0, **fields: str
    ) -> Got:
        """Answer the challenge on a page, some seconds later."""
        self.clock.advance(after)
        as_text = signals if isinstance(signals, str) else json.dumps(signals)
        body = urlencode({"token": got.token, "signals": as_text, **fields}, errors="replace").encode()
        return self._call("POST", "/.doorward/verify", body, {"HTTP_ACCEPT": accept})

    def _call(self, method: str, path: str, body: bytes, lines: dict[str, str]) -> Got:
        told: dict[str, Any] = {}
        own = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.person.lines}
        environ = {
            **own, "HTTP_USER_AGENT": self.person.agent, **lines, "REQUEST_METHOD": method, "PATH_INFO": path,
            "QUERY_STRING": "", "REMOTE_ADDR": "203.0.113.5", "HTTP_HOST": "a.example", "wsgi.url_scheme": "https",
            "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
        }  # fmt: skip
        content = self.called(environ, lambda status, headers, _=None: told.update(status=status, headers=headers))
        return Got(int(told["status"][:3]), dict(told["headers"]), b"".join(content).decode())


def _application(environ: object, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"let in"]
