"""The bare applications, and the same behind doorward and behind each peer. Peers are imported only where used."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import doorward
import doorward.asgi
import doorward.wsgi

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.rules.base import Rule

PROXIES = "10.0.0.0/8"
NEVER = 1_000_000_000
"""A limit that one client alone cannot reach."""

# Bare applications


async def raw_asgi(scope: Any, receive: Any, send: Any) -> None:
    """The least that an ASGI application can do; it reads what is posted."""
    more = scope["method"] == "POST"
    while more:
        more = (await receive()).get("more_body", False)
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def starlette_app() -> Any:
    """One route that reads a query parameter, or the body."""
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def items(request: Any) -> PlainTextResponse:
        return PlainTextResponse("ok " + request.query_params.get("q", ""))

    async def keep(request: Any) -> PlainTextResponse:
        return PlainTextResponse(f"ok {len(await request.body())}")

    return Starlette(routes=[Route("/items", items), Route("/items", keep, methods=["POST"])])


def flask_app() -> Any:
    """The same in Flask."""
    from flask import Flask, request

    app = Flask("benchmark")

    @app.get("/items")
    def items() -> str:
        return "ok " + request.args.get("q", "")

    @app.post("/items")
    def keep() -> str:
        return f"ok {len(request.get_data())}"

    return app


def django_app(aj: Any = None) -> Any:
    """The same in Django, as a WSGI application; behind ``aj``, where it is given. One behind a client a process."""
    import django
    from django.conf import settings
    from django.core.handlers.wsgi import WSGIHandler

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], DATABASES={}, INSTALLED_APPS=["doorward_django"], LOGGING_CONFIG=None,
                           ROOT_URLCONF="benchmarks.django_urls", SECRET_KEY="benchmark", USE_TZ=True)  # fmt: skip
        django.setup(set_prefix=False)
    settings.DOORWARD = {"client": aj}
    settings.MIDDLEWARE = ["doorward_django.middleware.DoorwardMiddleware"] if aj is not None else []
    return WSGIHandler()


BARE_ASGI: dict[str, Callable[[], Any]] = {"raw": lambda: raw_asgi, "starlette": starlette_app}

# doorward


def _sliding(limit: int) -> Rule:
    return doorward.sliding_window(max=limit, interval=60)


def _limit_and_bots(limit: int) -> list[Rule]:
    return [_sliding(limit), doorward.detect_bot(allow=[])]


def _limit_bots_ip(limit: int) -> list[Rule]:
    return [doorward.deny(ip=["reserved", "crawler"]), *_limit_and_bots(limit)]


RULES: dict[str, Callable[[int], Sequence[Rule]]] = {
    "fixed window": lambda limit: [doorward.fixed_window(max=limit, window=60)],
    "sliding window": lambda limit: [_sliding(limit)],
    "token bucket": lambda limit: [doorward.token_bucket(refill_rate=limit, interval=60, capacity=limit)],
    "limit and bots": _limit_and_bots,
    "limit, bots and IP rule": _limit_bots_ip,
    "shield() alone": lambda _: [doorward.shield()],
    "limit, bots, IP rule and shield()": lambda limit: [*_limit_bots_ip(limit), doorward.shield()],
    "protect_signup()": lambda limit: doorward.protect_signup(rate_limit={"interval": 60, "max": limit}),
}
"""By what they are called: the rules of an application with one limit of each client, per minute."""


def _doorward_asgi(app: Any, kind: str, limit: int) -> Any:
    return doorward.asgi.DoorwardMiddleware(app, doorward.AsyncDoorward(RULES[kind](limit)))


def _doorward_wsgi(app: Any, kind: str, limit: int) -> Any:
    return doorward.wsgi.DoorwardMiddleware(app, doorward.Doorward(RULES[kind](limit)))


def _starlette_guard(kind: str, limit: int) -> Any:
    """Starlette's own way to add middleware."""
    from doorward_starlette import DoorwardMiddleware

    app = starlette_app()
    app.add_middleware(DoorwardMiddleware, aj=doorward.AsyncDoorward(RULES[kind](limit)))
    return app


def _flask_guard(kind: str, limit: int) -> Any:
    """Flask's own way: an extension."""
    from doorward_flask import DoorwardFlask

    app = flask_app()
    DoorwardFlask(app, rules=RULES[kind](limit))
    return app


# Peers. Behind a proxy each gets what its documentation or its framework says: none walks the header by itself.


def _behind_proxy(app: Any, *, proxied: bool) -> Any:
    if not proxied:
        return app
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    return ProxyHeadersMiddleware(app, trusted_hosts=[PROXIES])


def _slowapi(limit: int, *, proxied: bool) -> Any:
    from slowapi import Limiter
    from slowapi.middleware import SlowAPIASGIMiddleware
    from slowapi.util import get_remote_address

    app = starlette_app()
    app.state.limiter = Limiter(key_func=get_remote_address, default_limits=[f"{limit}/minute"])
    app.add_middleware(SlowAPIASGIMiddleware)
    return _behind_proxy(app, proxied=proxied)


def _asgi_ratelimit(base: str, limit: int, *, proxied: bool) -> Any:
    from ratelimit import RateLimitMiddleware
    from ratelimit import Rule as PeersRule
    from ratelimit.backends.simple import MemoryBackend

    async def who(scope: Any) -> tuple[str, str]:  # its own function refuses every address that is not public
        return scope["client"][0], "default"

    limits = {r"^/": [PeersRule(minute=limit)]}
    return _behind_proxy(RateLimitMiddleware(BARE_ASGI[base](), who, MemoryBackend(), limits), proxied=proxied)


def _fastapi_guard(limit: int, *, attacks: bool) -> Any:
    """Its limit and its list of user agents; with or without detection of attacks, which is most of its cost."""
    from guard import PureASGISecurityMiddleware
    from guard_core.models import SecurityConfig

    config = SecurityConfig(
        rate_limit=limit,
        rate_limit_window=60,
        blocked_user_agents=["sqlmap", "nikto", "masscan", "python-requests", "curl"],
        enable_penetration_detection=attacks,
        enable_redis=False,
        enable_agent=False,
        security_headers=None,
        lazy_init=False,
    )
    app = starlette_app()
    app.add_middleware(PureASGISecurityMiddleware, config=config)
    return app


def _flask_nobot() -> Any:
    """Its score of bots, which has no limit; nobody reaches the threshold."""
    from flask_nobot import NoBot

    app = flask_app()
    app.secret_key = "benchmark"
    NoBot(app, secret="benchmark" * 4, threshold=NEVER)
    return app


def _flask_limiter(limit: int, *, proxied: bool) -> Any:
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address
    from werkzeug.middleware.proxy_fix import ProxyFix

    app = flask_app()
    Limiter(get_remote_address, app=app, default_limits=[f"{limit} per minute"], storage_uri="memory://")
    if proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1)
    return app


FIXED = "doorward, fixed window"
SLIDING = "doorward, sliding window"
SLOWAPI = "slowapi"
ASGI_RATELIMIT = "asgi-ratelimit"
FLASK_LIMITER = "Flask-Limiter"
STARLETTE_GUARD = "doorward_starlette, sliding window"
FLASK_GUARD = "doorward_flask, sliding window"
LIMIT_BOTS = "doorward, limit and bots"
LIMIT_BOTS_IP = "doorward, limit, bots and IP rule"
SIGNUP = "doorward, protect_signup()"
STARLETTE_BOTS = "doorward_starlette, limit and bots"
FLASK_BOTS = "doorward_flask, limit and bots"
FASTAPI_GUARD = "fastapi-guard, rate and user agents"
FASTAPI_GUARD_ATTACKS = "fastapi-guard, rate, user agents and attacks"
FLASK_NOBOT = "flask-nobot"
SHIELD_ALONE = "doorward, shield() alone"
SHIELD = "doorward, limit, bots, IP rule and shield()"

ASGI = (FIXED, SLIDING, STARLETTE_GUARD, ASGI_RATELIMIT, SLOWAPI)
WSGI = (FIXED, SLIDING, FLASK_GUARD, FLASK_LIMITER)
ASGI_BOTS = (SLIDING, LIMIT_BOTS, LIMIT_BOTS_IP, SIGNUP, STARLETTE_BOTS, FASTAPI_GUARD)
WSGI_BOTS = (SLIDING, LIMIT_BOTS, LIMIT_BOTS_IP, SIGNUP, FLASK_BOTS, FLASK_NOBOT)
ASGI_SHIELD = (LIMIT_BOTS_IP, SHIELD_ALONE, SHIELD, FASTAPI_GUARD_ATTACKS)
WSGI_SHIELD = (LIMIT_BOTS_IP, SHIELD_ALONE, SHIELD)
NEED_STARLETTE = (STARLETTE_GUARD, STARLETTE_BOTS, SLOWAPI, FASTAPI_GUARD, FASTAPI_GUARD_ATTACKS)


def asgi_app(name: str, base: str, *, limit: int, proxied: bool = False) -> Any:
    """A bare application behind doorward or a peer; those in ``NEED_STARLETTE`` know no other ``base``."""
    library, _, kind = name.partition(", ")
    if library == "doorward_starlette":
        return _starlette_guard(kind, limit)
    if name == SLOWAPI:
        return _slowapi(limit, proxied=proxied)
    if name == ASGI_RATELIMIT:
        return _asgi_ratelimit(base, limit, proxied=proxied)
    if name in {FASTAPI_GUARD, FASTAPI_GUARD_ATTACKS}:
        return _fastapi_guard(limit, attacks=name == FASTAPI_GUARD_ATTACKS)
    return _doorward_asgi(BARE_ASGI[base](), kind, limit)


def wsgi_app(name: str, *, limit: int, proxied: bool = False) -> Any:
    """The Flask application behind doorward or a peer."""
    library, _, kind = name.partition(", ")
    if library == "doorward_flask":
        return _flask_guard(kind, limit)
    if name == FLASK_LIMITER:
        return _flask_limiter(limit, proxied=proxied)
    if name == FLASK_NOBOT:
        return _flask_nobot()
    return _doorward_wsgi(flask_app(), kind, limit)


def served() -> Any:
    """For uvicorn: the application that the variable ``BENCHMARK_APP`` names."""
    logging.disable(logging.CRITICAL)
    name = os.environ["BENCHMARK_APP"]
    return starlette_app() if name == "bare" else asgi_app(name, "starlette", limit=NEVER)
