"""A hosted captcha as a challenge: posed, answered over the endpoint, remembered by a clearance; sync and async."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.challenges.providers.speaking import HOST, PROTOCOLS, Speaking, Told
from tests.chaos.http_server import Chaos, saying

from doorward import AsyncDoorward, Doorward, challenge
from doorward.asgi import DoorwardMiddleware as Asgi
from doorward.challenges.kinds import Asked, Checked, Offer, Posed
from doorward.challenges.providers import Hosted
from doorward.challenges.providers.wire import FAILURES
from doorward.challenges.standing_in import standing_in
from doorward.challenges.waiting import Wait
from doorward.errors import ConfigurationError
from doorward.levels import Level
from doorward.markup import Markup
from doorward.testing import FakeClock
from doorward.wsgi import DoorwardMiddleware as Wsgi

Answered = tuple[int, dict[str, str], str]
AGENT = "Mozilla/5.0"


class Work:
    """Stands for the proof of work: whoever says so has done it."""

    name, level, needs_script = "work", Level.WORK, True

    def pose(self, issue: Any, prefix: str, words: Any) -> Posed:
        return Posed(Markup("<p>work</p>"), {"kind": "work"})

    def check(self, asked: Asked) -> Generator[Any, Any, Checked]:
        yield from ()
        return Checked(asked.fields.get("work") == "done", "wrong")

    def serve(self, name: str, asked: Asked) -> Generator[Any, Any, None]:
        yield from ()


class Site:
    """An application behind the middleware of either kind, and a browser's part of the conversation."""

    def __init__(self, kind: str, clock: FakeClock, *kinds: Any, **options: Any) -> None:
        client = Doorward if kind == "wsgi" else AsyncDoorward
        self.aj = client(
            [challenge("human", paths=["/x"])],
            secret="s" * 40,
            clock=clock,
            challenges={"kinds": list(kinds)},
            **options,
        )
        self.kind = kind
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> Answered:
        return self.call("GET", path)

    def answer(self, page: str, **fields: str) -> Answered:
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        return self.call("POST", "/.doorward/verify", urlencode({"token": token[1], **fields}).encode())

    def call(self, method: str, path: str, body: bytes = b"") -> Answered:
        return self._wsgi(method, path, body) if self.kind == "wsgi" else asyncio.run(self._asgi(method, path, body))

    @property
    def cookie(self) -> str:
        """The clearance; empty without one."""
        return "".join([value for name, value in self.cookies.items() if name in ("doorward", "__Host-doorward")])

    def _keep(self, headers: list[tuple[str, str]]) -> dict[str, str]:
        for name, value in headers:
            if name.lower() == "set-cookie":
                key, _, content = value.partition(";")[0].partition("=")
                self.cookies[key] = content
        return {name.lower(): value for name, value in headers}

    def _headers(self, body: bytes) -> dict[str, str]:
        form = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))} if body else {}
        return {
            "host": HOST,
            "user-agent": AGENT,
            "accept": "text/html",
            "cookie": "; ".join([f"{name}={value}" for name, value in self.cookies.items()]),
            **form,
        }

    def _wsgi(self, method: str, path: str, body: bytes) -> Answered:
        def app(environ: Any, start: Any) -> list[bytes]:
            start("200 OK", [("Content-Type", "text/plain")])
            return [b"the application"]

        headers = self._headers(body)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.partition("?")[0],
            "QUERY_STRING": path.partition("?")[2],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "203.0.113.9",
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_TYPE": headers.pop("content-type", ""),
            "CONTENT_LENGTH": headers.pop("content-length", ""),
            **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
        }
        seen: dict[str, Any] = {}
        content = b"".join(Wsgi(app, self.aj)(environ, lambda s, h, e=None: seen.update(status=s, headers=h)))
        return int(seen["status"][:3]), self._keep(seen["headers"]), content.decode()

    async def _asgi(self, method: str, path: str, body: bytes) -> Answered:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"the application"})

        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path.partition("?")[0],
            "raw_path": path.partition("?")[0].encode(),
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.encode(), value.encode()) for name, value in self._headers(body).items()],
            "client": ("203.0.113.9", 1),
            "server": ("127.0.0.1", 80),
        }
        await Asgi(app, self.aj)(scope, receive, send)
        headers = self._keep([(name.decode(), value.decode()) for name, value in sent[0]["headers"]])
        return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]).decode()


@pytest.fixture(params=["wsgi", "asgi"])
def site(request: pytest.FixtureRequest, clock: FakeClock) -> Callable[..., Site]:
    return lambda *kinds, **options: Site(request.param, clock, *kinds, **options)


def now(clock: FakeClock) -> Told:
    return Told(clock.now_ns() // 10**9)


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_person_passes_and_is_remembered(name: str, site: Callable[..., Site], clock: FakeClock) -> None:
    """Page, widget, response, clearance, application: with each provider."""
    with Speaking(name, now(clock)) as server:
        captcha = server.protocol.build(server.url)
        here = site("wait", captcha)
        status, headers, page = here.get("/x?a=1")
        assert status == 403
        assert "site-key_1" in page
        policy = dict(each.partition(" ")[::2] for each in headers["content-security-policy"].split("; "))
        for directive, sources in captcha.sources.items():
            assert all(source in policy[directive].split() for source in sources)
        assert policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert "'unsafe-inline'" not in policy["script-src"]
        assert "'unsafe-eval'" not in policy["script-src"]
        assert not re.search(r"<script(?![^>]* (?:src|type=\"application/json\"))", page), "an inline script"
        status, headers, _ = here.answer(page, **{captcha.provider.response_field: "response.1"})
        assert status == 303
        assert here.cookie
        assert here.get(headers["location"])[0] in (200, 303)
        assert here.get("/x?a=1")[2] == "the application"
        assert server.problems == []


@pytest.mark.parametrize("response", [{}, {"cf-turnstile-response": ""}, {"cf-turnstile-response": "made-up"}])
def test_without_a_good_response_there_is_another_page(
    response: dict[str, str], site: Callable[..., Site], clock: FakeClock
) -> None:
    """And no clearance."""
    with Speaking("turnstile", now(clock)) as server:
        here = site("wait", server.protocol.build(server.url))
        status, _, page = here.answer(here.get("/x")[2], **response)
        assert status == 403
        assert "cf-turnstile" in page
        assert not here.cookie


def test_one_response_does_not_pass_two_challenges(site: Callable[..., Site], clock: FakeClock) -> None:
    """Also where the provider would take it twice."""
    with Speaking("turnstile", now(clock)) as server:
        here = site("wait", server.protocol.build(server.url))
        first, second = here.get("/x")[2], here.get("/x")[2]
        assert here.answer(first, **{"cf-turnstile-response": "response.1"})[0] == 303
        server.forget()
        assert here.answer(second, **{"cf-turnstile-response": "response.1"})[0] == 403


def test_a_dead_provider_denies_by_default(site: Callable[..., Site]) -> None:
    """The page again; the counters say why."""
    with Chaos("status 500") as server:
        here = site("wait", PROTOCOLS["turnstile"].build(server.url))
        status, _, page = here.answer(here.get("/x")[2], **{"cf-turnstile-response": "r"})
        assert status == 403
        assert "cf-turnstile" in page
        assert not here.cookie
        counts = here.aj.runtime.journal.counts()
        assert counts["challenge.turnstile.unavailable"] == 1
        assert counts["captcha.turnstile.failed.status"] == 1


def test_a_dead_provider_lets_in_where_that_is_wanted(site: Callable[..., Site]) -> None:
    """``on_error="allow"``, with a counter of its own."""
    with Chaos("status 500") as server:
        here = site("wait", PROTOCOLS["turnstile"].build(server.url, on_error="allow"))
        assert here.answer(here.get("/x")[2])[0] == 403, "not without a response"
        assert here.answer(here.get("/x")[2], **{"cf-turnstile-response": "r"})[0] == 303
        assert here.get("/x")[2] == "the application"
        assert here.aj.runtime.journal.counts()["captcha.turnstile.unverified"] == 1


def test_the_proof_of_work_stands_in(site: Callable[..., Site]) -> None:
    """``on_error="local"``: work in the place of the captcha counts as much, and is posed at once while it is away."""
    with Chaos("status 500") as server:
        here = site("wait", Work(), PROTOCOLS["turnstile"].build(server.url, on_error="local"))
        for _ in range(FAILURES):
            page = here.answer(here.get("/x")[2], **{"cf-turnstile-response": "r"})[2]
            assert "<p>work</p>" in page
        assert here.answer(page, work="not done")[0] == 403
        assert "<p>work</p>" in here.get("/x")[2], "it is known to be away"
        assert here.answer(page, work="done")[0] == 303
        assert here.get("/x")[2] == "the application"


def test_another_provider_stands_in(site: Callable[..., Site], clock: FakeClock) -> None:
    """``on_error="deny"`` with another captcha on offer: that one is posed."""
    with Chaos("status 500") as dead, Speaking("hcaptcha", now(clock)) as alive:
        first, second = PROTOCOLS["turnstile"].build(dead.url), PROTOCOLS["hcaptcha"].build(alive.url)
        here = site("wait", Work(), first, second)
        page = here.answer(here.get("/x")[2], **{"cf-turnstile-response": "r"})[2]
        assert "h-captcha" in page
        assert "cf-turnstile" not in page
        assert here.answer(page, **{"h-captcha-response": "response.1"})[0] == 303


def test_work_that_was_not_asked_for_opens_nothing_human(site: Callable[..., Site], clock: FakeClock) -> None:
    """A refused response is no reason for an easier challenge, nor is a response that nobody made."""
    with Speaking("turnstile", now(clock)) as server:
        here = site("wait", Work(), server.protocol.build(server.url, on_error="local"))
        for fields in ({}, {"cf-turnstile-response": "made-up"}, {"cf-turnstile-response": "a b"}):
            assert "cf-turnstile" in here.answer(here.get("/x")[2], **fields)[2]


def test_local_needs_the_work() -> None:
    """Said when the client is built."""
    captcha = PROTOCOLS["turnstile"].build("http://127.0.0.1:1", on_error="local")
    with pytest.raises(ConfigurationError, match="must hold 'work' too, which 'turnstile' falls back to"):
        Doorward([], challenges={"kinds": ["wait", captcha]})


def test_who_stands_in() -> None:
    """Nobody where it is not needed; never a kind that shows less, but for a deputy."""
    captcha: Hosted = PROTOCOLS["turnstile"].build("http://127.0.0.1:1")
    offer = Offer([Wait(), Work(), captcha])
    assert standing_in(offer, Level.HUMAN) == (captcha, Level.HUMAN)
    assert standing_in(offer, Level.HUMAN, "turnstile") == (captcha, Level.HUMAN)
    assert standing_in(offer, Level.WORK) == (offer.by_name["work"], Level.WORK)
    captcha.deputy = "work"
    assert standing_in(offer, Level.HUMAN, "turnstile") == (offer.by_name["work"], Level.HUMAN)
    assert standing_in(offer, Level.HUMAN, "gone") == (captcha, Level.HUMAN)


def test_a_json_client_is_told_the_code(site: Callable[..., Site]) -> None:
    """Whether it was the response, or the provider."""
    with Chaos(saying(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")) as server:
        here = site("wait", PROTOCOLS["turnstile"].build(server.url))
        page = here.get("/x")[2]
        assert '"site_key": "site-key_1"' in page
        assert '"field": "cf-turnstile-response"' in page
        here._headers = lambda body, before=here._headers: {**before(body), "accept": "application/json"}  # type: ignore[method-assign]
        status, _, problem = here.answer(page, **{"cf-turnstile-response": "r"})
        assert status == 403
        assert '"code": "unavailable"' in problem
