"""Applications with limits on a Valkey: ``/fixed``, ``/sliding`` and ``/bucket`` admit 500, ``/second`` 40 a second.

An answer tells how the decision was made: ``local`` where the store had failed.
"""

from __future__ import annotations

import os
from typing import Any

from tests.servers.redis_apps_plan import A_SECOND, MOST, TIMEOUT

from doorward import AsyncDoorward, Decision, Doorward, fixed_window, sliding_window, token_bucket
from doorward.asgi import DoorwardMiddleware as ASGIMiddleware
from doorward.reason import RateLimitReason
from doorward.stores.redis import RedisStore
from doorward.wsgi import DoorwardMiddleware as WSGIMiddleware

store = RedisStore(os.environ["STORE_URL"], timeout=TIMEOUT)
rules = [
    fixed_window(max=MOST, window="366d", paths=["/fixed"]),
    sliding_window(max=MOST, interval="366d", paths=["/sliding"]),
    token_bucket(capacity=MOST, refill_rate=1, interval="1d", paths=["/bucket"]),
    fixed_window(max=A_SECOND, window=1, paths=["/second"]),
]
options: Any = {"timeout": TIMEOUT, "workers": int(os.environ.get("WORKERS", "8"))}


def told(decision: Decision | None) -> bytes:
    reasons = [result.reason for result in decision.results] if decision is not None else []
    degraded = any(isinstance(reason, RateLimitReason) and reason.degraded for reason in reasons)
    return b"local" if degraded else b"shared"


async def _asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await store.aio.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = told(scope.get("doorward.decision"))
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _wsgi(environ: Any, start_response: Any) -> Any:
    body = told(environ.get("doorward.decision"))
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


asgi = ASGIMiddleware(_asgi, AsyncDoorward(rules, store=store.aio, **options))
wsgi = WSGIMiddleware(_wsgi, Doorward(rules, store=store, **options))
