"""vouch.md, section 7, items 1 to 7: where flask-Vouch, tollbooth or django-waf failed, tried on us."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import tracemalloc
from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from itsdangerous import URLSafeTimedSerializer
from tests.behaviour.challenged import PAGE, Visitor, onward_from
from tests.behaviour.clients.base import MakeApp
from tests.behaviour.clients.drivers import scope_of
from tests.challenges.signals.sites import Paid
from tests.challenges.signals.sites import Site as Signalling
from tests.challenges.test_presets import BROWSERS, browser_headers
from tests.weaknesses.attacking import CURL, SECRET, WAIT, cleared, post, with_cookie

from doorward import AsyncDoorward, Doorward, challenge, deny, filter_request, shield, weigh
from doorward.asgi import DoorwardMiddleware as AsgiMiddleware
from doorward.challenges.listed import BY_NAME
from doorward.challenges.signals.kind import Browser
from doorward.presets import preset
from doorward.wsgi import DoorwardMiddleware as WsgiMiddleware

BIG = 2**30
PIECE = bytes(range(256)) * 256


@pytest.mark.parametrize("kind", BY_NAME)
def test_07_01_every_kind_of_challenge_renders_with_all_that_its_page_names(make_flask: MakeApp, kind: str) -> None:
    """Four kinds answered 503 because their scripts were not in the wheel, three more because they were downloaded.
    ``test_list.py`` names the tests that install the wheel.
    """
    level = BY_NAME[kind]().level
    app = make_flask(challenge(level.word), challenges={"kinds": [kind]}, secret=SECRET)
    page = app.get("/echo", headers=PAGE)
    assert (page.status, page.header("content-type")) == (403, "text/html; charset=utf-8")
    named = set(re.findall(r'(?:src|href)="(/\.doorward/[^"]+)"', page.body.decode()))
    named |= set(re.findall(r'"(/\.doorward/static/[^"]+)"', page.body.decode()))
    assert named
    for path in named:
        found = app.get(path.replace("&amp;", "&"), headers=PAGE)
        assert (found.status, bool(found.body)) == (200, True), path


@pytest.mark.parametrize("browser", ["chrome", "firefox", "safari", "safari-ios", "samsung", "edge"])
def test_07_02_the_default_policy_lets_browsers_in_everywhere(make: MakeApp, browser: str) -> None:
    """tollbooth denied everybody, on every path, out of the box."""
    policy = preset("default")
    app = make(*policy.rules, secret=SECRET, **policy.options)
    headers = [line for line in browser_headers(BROWSERS[browser], "navigation", "http") if line[0] != "Host"]
    for path in ("/", "/echo", "/favicon.ico", "/robots.txt", "/health", "/healthz", "/static/x.js"):
        assert app.get(path, headers=headers, peer="9.9.9.9").status in (200, 404), path


def test_07_02_an_absent_header_matches_nothing(make: MakeApp) -> None:
    """``CF-Worker: .*`` matched who had none: an absent header was read as empty."""
    app = make(
        deny(headers={"CF-Worker": "re:.*"}),
        filter_request(deny=['http.request.headers["cf-worker"] matches ".*"']),
        weigh(9, headers={"CF-Worker": "re:^$"}),
        thresholds={"DENY": 5},
    )
    assert app.get(headers=CURL).status == 200
    assert app.get(headers=[("CF-Worker", "evil.example")]).status == 403


HOSTILE_TARGETS = ["/%09/evil.example/a", "/%0a/evil.example", "/%0d%0aLocation:%20//evil.example", "/%00/evil.example",
                   "//evil.example/a", "/%5cevil.example", "/\\evil.example/a", "/%2f/evil.example", "/.//evil.example",
                   "/\t/evil.example", "///evil.example", "/%09//evil.example?x=1"]  # fmt: skip


def test_07_03_who_has_passed_stays_on_the_site(make: MakeApp) -> None:
    """``/<TAB>/evil.example/a`` -> challenge solved -> the browser went to evil.example. All headers and links after a
    challenge are looked at here, as browsers read them; ``test_in_a_browser.py`` goes the way in one.
    """
    app = make(challenge("wait"), **WAIT)
    for number, target in enumerate(HOSTILE_TARGETS):
        visitor, peer = Visitor(app), {"peer": f"9.9.{number}.9"}
        page = visitor.go(target, **peer)
        visitor.wait()
        fields = b"token=" + re.findall(rb'name="token" value="([^"]+)"', page.body)[0]
        headers = [*PAGE, ("Content-Type", "application/x-www-form-urlencoded")]
        answered = visitor.go("/.doorward/verify", method="POST", headers=headers, body=fields, **peer)
        location = str(answered.header("location"))
        landed = visitor.go(location, **peer)
        for link in (location, onward_from(landed)):
            as_browsers_read = re.sub(r"[\t\r\n]", "", link).replace("\\", "/")
            assert urlsplit(urljoin("http://shop.example/.doorward/x", as_browsers_read)).netloc == "shop.example"


def test_07_03_the_query_is_kept(make: MakeApp) -> None:
    """``/a?x=1`` came back as ``/a``."""
    app = make(challenge("wait"), **WAIT)
    visitor = Visitor(app)
    page = visitor.go("/echo?x=1&y=%26%3D&z=a%20b")
    visitor.wait()
    landed = visitor.go(str(visitor.answer(page).header("location")))
    assert onward_from(landed) == "/echo?x=1&y=%26%3D&z=a%20b"


BODIES = {
    "form": ("application/x-www-form-urlencoded", b"a=1&b=2&a=%ff"),
    "json": ("application/json", b'{"a": [1, "\\u00e9"]}'),
    "raw": ("application/octet-stream", bytes(range(256)) * 300),
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
    ),
}


@pytest.mark.parametrize("kind", BODIES)
def test_07_04_bodies_reach_the_application_untouched(make: MakeApp, kind: str) -> None:
    """A cleared POST arrived empty (tollbooth), or its stream was read (Vouch). Here with rules that read all of it."""
    content_type, body = BODIES[kind]
    rules = [challenge("wait"), shield(), deny(json={"a": "no"}), deny(form={"a": "no"})]
    app = make(*rules, **WAIT)
    visitor = cleared(app)
    headers = [*PAGE, ("Content-Type", content_type)]
    for pieces in (body, [body[:7], body[7:]]):
        if isinstance(pieces, list) and not app.chunked:
            continue
        arrived = visitor.go("/echo", method="POST", headers=headers, body=pieces).json()
        assert (arrived["length"], arrived["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


class _Endless:
    """A gigabyte that is sent as it is read."""

    def __init__(self) -> None:
        self.left = BIG

    def read(self, size: int = -1) -> bytes:
        piece = PIECE[: min(self.left, len(PIECE), size if size >= 0 else len(PIECE))]
        self.left -= len(piece)
        return piece


def _upload_wsgi() -> int:
    received = 0

    def app(environ: Any, start_response: Any) -> list[bytes]:
        nonlocal received
        while piece := environ["wsgi.input"].read(2**16):
            received += len(piece)
        start_response("200 OK", [])
        return []

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/up", "QUERY_STRING": "", "REMOTE_ADDR": "9.9.9.9",
               "wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "shop.example",
               "CONTENT_LENGTH": str(BIG), "CONTENT_TYPE": "application/octet-stream",
               "wsgi.input": _Endless()}  # fmt: skip
    protected = WsgiMiddleware(
        app, Doorward([shield(), deny(json={"a": "no"}), challenge("wait", paths=["/x"])], **WAIT)
    )
    b"".join(protected(environ, lambda *_: None))
    return received


async def _upload_asgi() -> int:
    received, sent = 0, _Endless()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal received
        more = True
        while more:
            message = await receive()
            received += len(message["body"])
            more = message["more_body"]

    async def receive() -> Any:
        return {"type": "http.request", "body": sent.read(), "more_body": sent.left > 0}

    async def send(message: Any) -> None: ...

    headers = [("content-length", str(BIG)), ("content-type", "application/octet-stream")]
    aj = AsyncDoorward([shield(), deny(json={"a": "no"}), challenge("wait", paths=["/x"])], **WAIT)
    await AsgiMiddleware(app, aj)(scope_of("/up", method="POST", headers=headers), receive, send)
    return received


@pytest.mark.parametrize("upload", [_upload_wsgi, lambda: asyncio.run(_upload_asgi())], ids=["wsgi", "asgi"])
def test_07_04_a_gigabyte_streams_through(upload: Any) -> None:
    """Parsed before any decision, big uploads hit the parser first. Here all of it arrives, and little is held."""
    upload()  # what is imported and compiled at the first time is not what is measured
    tracemalloc.start()
    try:
        assert upload() == BIG
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


def test_07_04_websockets_are_protected_and_streams_stream(make_socket: MakeApp) -> None:
    """Any websocket went past tollbooth; its streaming responses were collected first. Lifespan: ``test_list.py``."""
    app = make_socket(challenge("wait"), **WAIT)
    assert not app.socket().accepted  # type: ignore[attr-defined]
    assert make_socket(deny(paths=["/other"])).socket().texts  # type: ignore[attr-defined]
    assert len(cleared(app).go("/stream").chunks) == 3


ODD_SIGNALS = ["{}", "[]", "null", "5", '"x"', "{", "", '{"webdriver": false}', '{"signals": {}}', '{"agent": 5}',
               "NaN", '{"screen": {"a": []}, "languages": 1e999}', "[" * 2000, '{"agent": "\ud800"}']  # fmt: skip


@pytest.mark.parametrize("signals", ODD_SIGNALS, ids=range(len(ODD_SIGNALS)))
def test_07_05_an_empty_attestation_is_the_worst_and_never_an_error(signals: str) -> None:
    """Three polls with ``signals: {}`` were "trusted", with a score of 1.0; lists and numbers were 500."""
    site = Signalling([Browser(Paid())])
    got = site.get()
    for _ in range(3):
        got = site.answer(got, signals, paid="yes")
        assert (got.status, got.cookie) == (403, "")
    assert site.client.stats()["challenge.browser.found.unreadable"] == 3


def _jwt(body: dict[str, Any], alg: str = "HS256") -> str:
    """A JSON Web Token of the application's own (RFC 7519), signed with the secret that doorward has, too."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": alg}, body)]
    mac = hmac.digest(SECRET.encode(), b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def test_07_06_tokens_of_others_are_no_clearance(make: MakeApp) -> None:
    """A token for a new password, signed with SECRET_KEY by another library, was a clearance; one with a claim called
    ``user_agent`` was a 500.
    """
    app = make(challenge("wait"), **WAIT)
    claims: list[dict[str, Any]] = [
        {"sub": "password-reset", "exp": 2**40},
        {"user_agent": "x", "ip": [], "exp": 2**40},
        {"i": "x" * 22, "k": "wait", "l": 4, "a": 1, "purpose": 2, "iat": 0, "exp": 2**40},
        {"__class__": {}, "l": {"a": []}, "exp": "never"},
    ]
    tokens = [_jwt(body, alg) for body in claims for alg in ("HS256", "none")]
    tokens += [URLSafeTimedSerializer(SECRET).dumps(body) for body in claims]
    text = base64.urlsafe_b64encode(json.dumps(claims[2]).encode()).decode()
    tokens += [text, f"{text}.{text}", "..", "A" * 9_000, "\xff", ""]
    for token in tokens:
        assert app.get("/echo", headers=with_cookie(token)).status == 403
        assert 400 <= post(app, "/.doorward/verify", json.dumps({"token": token}).encode()).status < 500
    assert app.counts().get("challenge.wait.passed", 0) == 0


@pytest.mark.parametrize("name", ["challenge", "require_human", "block", "block_bots", "protect", "always_challenge"])
def test_07_07_what_one_route_says_is_about_no_other(make_decorated: MakeApp, name: str) -> None:
    """One hit on a ``@challenge`` route turned the whole application to "always challenge", for everybody."""
    app = make_decorated(said={"/limited": lambda guard: getattr(guard, name)}, **WAIT)

    def others() -> Sequence[int]:
        return [app.get(path, headers=PAGE).status for path in ("/echo", "/guarded", "/beside", "/health")]

    before = others()
    marked = [app.get("/limited", headers=headers).status for headers in (PAGE, CURL, PAGE)]
    assert before == others() == [200] * 4
    assert (403 in marked) == (name not in ("block", "protect"))
