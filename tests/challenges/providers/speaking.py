"""A server that speaks the documented protocols of providers: it reads each request by hand, and answers as they do."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.chaos.http_server import Chaos, reply

from doorward.challenges import providers
from doorward.challenges.providers import Hosted

SITE_KEY, SECRET, TOKEN = "site-key_1", "S3cret/that+nobody=reads", "response.token-1"
HOST, ACTION = "app.example", "doorward"


@dataclass
class Told:
    """What a provider tells of a response.

    Attributes:
        at: Seconds since the Unix epoch.
        without: Fields that are left out.
        changed: Fields that are something else.
    """

    at: float
    host: str = HOST
    action: str = ACTION
    score: float = 0.9
    without: tuple[str, ...] = ()
    changed: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Protocol:
    """One provider's.

    Attributes:
        build: Makes the captcha, for a server at a URL.
        path: Where it verifies.
        good: What it answers to a good response; refused: to another, with a code.
        secret: Where the secret is: a parameter's name, or that of a header.
        token: The same for the response.
        again: The code for one that was used before.
        ip: The parameter for the client's address.
    """

    build: Callable[..., Hosted]
    path: str
    good: Callable[[Told], dict[str, Any]]
    refused: Callable[[str], dict[str, Any]]
    secret: str = "secret"
    token: str = "response"
    kind: str = "form"
    again: str = "timeout-or-duplicate"
    ip: str = "remoteip"
    tells: tuple[str, ...] = ("host", "at")
    extra: Mapping[str, str] = field(default_factory=dict)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def siteverify(told: Told, **more: Any) -> dict[str, Any]:
    return {"success": True, "challenge_ts": iso(told.at), "hostname": told.host, **more}


def no(code: str) -> dict[str, Any]:
    return {"success": False, "error-codes": [code]}


def made(builder: Callable[..., Hosted], path: str, **fixed: Any) -> Callable[..., Hosted]:
    def build(url: str, **options: Any) -> Hosted:
        keys = {"site_key": SITE_KEY, "secret": SECRET} if "api_key" not in fixed else {"site_key": SITE_KEY}
        return builder(**{**keys, **fixed, "verify_url": url + path, "timeout": 20, **options})

    return build


PROTOCOLS = {
    "recaptcha_v2": Protocol(
        made(providers.recaptcha_v2, "/recaptcha/api/siteverify"), "/recaptcha/api/siteverify", siteverify, no
    ),
    "recaptcha_v3": Protocol(
        made(providers.recaptcha_v3, "/recaptcha/api/siteverify"),
        "/recaptcha/api/siteverify",
        lambda told: siteverify(told, score=told.score, action=told.action),
        no,
        tells=("host", "at", "action", "score"),
    ),
    "recaptcha_enterprise": Protocol(
        made(
            providers.recaptcha_enterprise, "/v1/projects/my-project/assessments", project="my-project", api_key=SECRET
        ),
        "/v1/projects/my-project/assessments",
        lambda told: {
            "name": "projects/1/assessments/2",
            "event": {"token": TOKEN, "siteKey": SITE_KEY},
            "tokenProperties": {
                "valid": True,
                "invalidReason": "INVALID_REASON_UNSPECIFIED",
                "hostname": told.host,
                "action": told.action,
                "createTime": iso(told.at),
            },
            "riskAnalysis": {"score": told.score, "reasons": []},
        },
        lambda code: {"tokenProperties": {"valid": False, "invalidReason": code}, "riskAnalysis": {"reasons": []}},
        secret="x-goog-api-key",
        token="event.token",
        kind="json",
        again="DUPE",
        ip="event.userIpAddress",
        tells=("host", "at", "action", "score"),
        extra={"event.siteKey": SITE_KEY, "event.expectedAction": ACTION},
    ),
    "hcaptcha": Protocol(
        made(providers.hcaptcha, "/siteverify"),
        "/siteverify",
        lambda told: siteverify(told, credit=False),
        no,
        again="already-seen-response",
        extra={"sitekey": SITE_KEY},
    ),
    "turnstile": Protocol(
        made(providers.turnstile, "/turnstile/v0/siteverify"),
        "/turnstile/v0/siteverify",
        lambda told: siteverify(
            told, action=told.action, cdata="", metadata={"interactive": False}, **{"error-codes": []}
        ),
        no,
        tells=("host", "at", "action"),
    ),
    "friendly_v1": Protocol(
        made(providers.friendly_v1, "/api/v1/siteverify"),
        "/api/v1/siteverify",
        lambda told: {"success": True},
        lambda code: {"success": False, "errors": [code]},
        token="solution",
        kind="json",
        again="solution_timeout_or_duplicate",
        ip="",
        tells=(),
        extra={"sitekey": SITE_KEY},
    ),
    "friendly_v2": Protocol(
        made(providers.friendly_v2, "/api/v2/captcha/siteverify"),
        "/api/v2/captcha/siteverify",
        lambda told: {
            "success": True,
            "data": {
                "event_id": "ev_1",
                "challenge": {"timestamp": iso(told.at), "origin": f"https://{told.host}"},
                "risk_intelligence": None,
            },
        },
        lambda code: {"success": False, "error": {"error_code": code, "detail": "…"}},
        secret="x-api-key",
        kind="json",
        again="response_duplicate",
        ip="",
        extra={"sitekey": SITE_KEY},
    ),
    "altcha_sentinel": Protocol(
        made(
            providers.altcha_sentinel,
            "/v1/verify/signature",
            instance="https://sentinel.example",
            script="https://static.example/altcha.js",
        ),
        "/v1/verify/signature",
        lambda told: {
            "verified": True,
            "apiKey": SITE_KEY,
            "verificationData": {"time": int(told.at), "expire": int(told.at) + 600, "score": 1, "verified": True},
        },
        lambda code: {"verified": False, "error": code},
        token="payload",
        kind="json",
        again="expired",
        ip="",
        tells=("at",),
    ),
    "cap": Protocol(
        made(
            providers.cap, f"/{SITE_KEY}/siteverify", instance="https://cap.example", script="https://cap.example/w.js"
        ),
        f"/{SITE_KEY}/siteverify",
        lambda told: {"success": True},
        lambda code: {"success": False, "error": code},
        kind="json",
        again="Token expired",
        ip="",
        tells=(),
    ),
    "captchafox": Protocol(
        made(providers.captchafox, "/siteverify"),
        "/siteverify",
        siteverify,
        no,
        ip="remoteIp",
        extra={"sitekey": SITE_KEY},
    ),
    "mtcaptcha": Protocol(
        made(providers.mtcaptcha, "/mtcv1/api/checktoken"),
        "/mtcv1/api/checktoken",
        lambda told: {
            "success": True,
            "tokeninfo": {
                "v": "1.0",
                "code": 201,
                "codeDesc": "valid:captcha-solved",
                "timestampSec": int(told.at),
                "timestampISO": iso(told.at),
                "hostname": told.host,
                "action": told.action,
                "ip": "10.10.10.10",
            },
        },
        lambda code: {"success": False, "fail_codes": [code]},
        secret="privatekey",
        token="token",
        kind="query",
        again="token-duplicate-cal",
        ip="",
        tells=("host", "at", "action"),
    ),
}


class Speaking(Chaos):
    """Answers as one provider does; each response is good once.

    Attributes:
        told: What is told of a good response.
        asked: The parameters and headers of each request, by name.
        problems: What was wrong with requests.
    """

    def __init__(self, name: str, told: Told, **options: Any) -> None:
        super().__init__(lambda server, connection, body: self.answer(connection, body), **options)
        self.name, self.protocol = name, PROTOCOLS[name]
        self.told = told
        self.asked: list[dict[str, str]] = []
        self.problems: list[str] = []
        self._seen: set[str] = set()

    def answer(self, connection: socket.socket, body: bytes) -> bool:
        line, *headers = self.heads[-1].decode().split("\r\n")
        method, target, _ = line.split(" ")
        asked = {name.lower(): value for name, _, value in (each.partition(": ") for each in headers)}
        kind = self.protocol.kind
        url = urlsplit(target)
        self._hold(method == ("GET" if kind == "query" else "POST"), f"method {method}")
        self._hold(url.path == self.protocol.path, f"path {url.path}")
        self._hold(asked["accept-encoding"] == "identity", "coding")
        if kind == "json":
            self._hold(asked["content-type"] == "application/json", "type")
            asked |= flat(json.loads(body))
        else:
            given = body.decode() if kind == "form" else url.query
            if kind == "form":
                self._hold(asked["content-type"] == "application/x-www-form-urlencoded", "type")
            asked |= {name: one for name, (one,) in parse_qs(given, strict_parsing=True).items()}
        self.asked.append(asked)
        connection.sendall(reply(json.dumps(self._judged(asked)).encode()))
        return True

    def _judged(self, asked: Mapping[str, str]) -> dict[str, Any]:
        self._hold(asked.get(self.protocol.secret) == SECRET, "secret")
        for name, value in self.protocol.extra.items():
            self._hold(asked.get(name) == value, name)
        token = asked.get(self.protocol.token, "")
        if not token.startswith("response."):
            return self.protocol.refused("invalid-input-response")
        if token in self._seen:
            return self.protocol.refused(self.protocol.again)
        self._seen.add(token)
        return self.changed(self.protocol.good(self.told))

    def changed(self, answer: dict[str, Any]) -> dict[str, Any]:
        for path in self.told.without:
            *outer, last = path.split(".")
            inner: Any = answer
            for name in outer:
                inner = inner[name]
            del inner[last]
        for path, value in self.told.changed.items():
            *outer, last = path.split(".")
            inner = answer
            for name in outer:
                inner = inner[name]
            inner[last] = value
        return answer

    def forget(self) -> None:
        """Take every response again, as a provider does that watches over nothing."""
        self._seen.clear()

    def _hold(self, good: bool, what: str) -> None:
        if not good:
            self.problems.append(what)


def flat(found: Mapping[str, Any], before: str = "") -> dict[str, str]:
    listed: dict[str, str] = {}
    for name, value in found.items():
        listed |= flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return listed
