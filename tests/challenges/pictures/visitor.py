"""A site that asks for a picture, who visits it, and who knows all answers: the store has the seeds."""

from __future__ import annotations

import io
import json
import re
from base64 import urlsafe_b64decode
from typing import Any, NamedTuple
from urllib.parse import urlencode

from playwright.sync_api import Page

from doorward import Doorward, challenge
from doorward.challenges.issue import Issue
from doorward.challenges.pictures import Pictures
from doorward.challenges.pictures.forms import Form, Grade
from doorward.challenges.pictures.records import of_answer
from doorward.levels import Level
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware

SECRET = "a secret of tests, and long enough for one"
NEWCOMER = "203.0.113.5"
HTML_OF_FORM = re.compile(r'name="token" value="([^"]+)"')


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return HTML_OF_FORM.search(self.body.decode())[1]


def issue_of(token: str) -> Issue:
    """What a token says, unchecked."""
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    body: dict[str, Any] = json.loads(raw[22:-32])
    return Issue(
        body["i"], body["k"], Level(body["l"]), body["w"], body["t"], body["a"], token=token, renewed=body.get("n", 0)
    )


def answer_of(store: MemoryStore, kind: Pictures, issue: Issue, form: Form) -> str:
    """The right answer to what has been drawn."""
    seed = store.get(f"gate:picture:{issue.id}:{form.name}")
    assert seed is not None, "nothing was drawn"
    return form.answer(of_answer(seed, issue, form.name), kind.shown(issue).grade)


def by_mouse(page: Page, form: Form, answer: str) -> None:
    """Answer by clicking on the tiles, and typing."""
    if form.typed:
        page.locator("#captcha-answer").fill(answer)
        return
    for row, number in enumerate(answer.split(","), 1):
        place = page.get_by_role("group", name=f"Row {row}") if form.name == "odd" else page
        box = place.locator("label").nth(int(number) - 1).bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def fields_of(form: Form, answer: str) -> dict[str, str]:
    """What a browser sends for an answer."""
    if form.typed:
        return {"answer": answer}
    if form.name == "shapes":
        return {f"tile-{number}": "1" for number in answer.split(",")}
    return {f"row-{row}": number for row, number in enumerate(answer.split(","), 1)}


def wrong_one(form: Form, answer: str, grade: Grade) -> str:
    """Another answer of the same form."""
    first = {"letters": "ACX", "sound": "019", "shapes": "", "odd": "123"}[form.name]
    if form.name == "shapes":
        return "1,2" if answer != "1,2" else "1,3"
    return next(each for each in first if each != answer[0]) + answer[1:]


class Site:
    """A site behind the middleware, without a server."""

    def __init__(self, kind: Any, store: Any = None, clock: FakeClock | None = None, **options: Any) -> None:
        self.clock = clock or FakeClock()
        self.kind = kind
        self.store = store if store is not None else MemoryStore(clock=self.clock)
        self.aj = Doorward(
            [challenge("human", paths=["/x"])],
            secret=SECRET,
            clock=self.clock,
            store=self.store,
            challenges={"kinds": ["wait", kind], **options},
        )
        self.app = DoorwardMiddleware(_hello, self.aj)

    def call(self, path: str, fields: Any = None, *, ip: str = NEWCOMER, query: str = "", **headers: str) -> Reply:
        """One request; a POST where there are fields."""
        body = b"" if fields is None else (fields if isinstance(fields, bytes) else urlencode(fields).encode())
        environ = {
            "REQUEST_METHOD": headers.pop("method", "GET" if fields is None else "POST"),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": headers.pop("script_name", ""),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "https",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.pop("content_type", "application/x-www-form-urlencoded"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": ip,
            "HTTP_HOST": "site.example",
            "HTTP_ACCEPT": "text/html",
            "HTTP_USER_AGENT": "Mozilla/5.0",
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        seen: list[Any] = []
        content = b"".join(self.app(environ, lambda status, lines, _=None: seen.extend((status, lines))))
        return Reply(int(seen[0].split()[0]), dict(seen[1]), content)

    def page(self, ip: str = NEWCOMER) -> str:
        """The token of a new page."""
        reply = self.call("/x", ip=ip)
        assert reply.status == 403, reply
        return reply.token

    def fetch(self, token: str, name: str, ip: str = NEWCOMER, **headers: str) -> Reply:
        """The picture or the sound of a page."""
        return self.call(f"/.doorward/{name}", query=f"t={token}", ip=ip, **headers)

    def send(self, token: str, fields: dict[str, Any], ip: str = NEWCOMER) -> Reply:
        """An answer, when it counts."""
        self.clock.advance(31)
        return self.send_now(token, fields, ip)

    def send_now(self, token: str, fields: dict[str, Any], ip: str = NEWCOMER) -> Reply:
        """An answer, at once."""
        return self.call("/.doorward/verify", {"token": token, **fields}, ip=ip)

    def right(self, token: str, form: Form) -> str:
        """The right answer of a form that was fetched."""
        return answer_of(self.store, self.kind, issue_of(token), form)

    def why(self, code: str) -> int:
        """How often answers came to ``code``."""
        return self.aj.stats().get(f"challenge.{self.kind.name}.{code}", 0)


def _hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def passed(reply: Reply) -> bool:
    """Whether an answer was right."""
    return reply.status == 303 and "Set-Cookie" in reply.headers
