"""An application with a sign-up that a decision service decides about: ``asgi`` and, in Flask, ``wsgi``.

``POST /signup?email=…`` answers with the decision's id, and whether a limit was decided in this process; ``/health``
with what ``health()`` says of the service.
"""

from __future__ import annotations

import os
from typing import Any

import flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from tests.servers.outage_plan import MOST

from doorward import AsyncDoorward, Decision, Doorward, sliding_window, validate_email
from doorward.reason import RateLimitReason

RULES = [
    sliding_window(max=MOST, interval="1h", name="signup"),
    validate_email(deny=["DISPOSABLE", "INVALID", "NO_MX_RECORDS"], name="email"),
]
OPTIONS: Any = {
    "timeout": float(os.environ["SERVICE_TIMEOUT"]),
    "service": os.environ["SERVICE_URL"],
    "key": os.environ["SERVICE_KEY"],
    "workers": 1,
}


def told(decision: Decision) -> tuple[dict[str, object], int]:
    reasons = [result.reason for result in decision.results]
    local = any(isinstance(reason, RateLimitReason) and reason.degraded for reason in reasons)
    return {"id": decision.id, "local": local}, decision.status if decision.is_denied() else 200


_awaiting = AsyncDoorward(RULES, **OPTIONS)


async def _signup(request: Request) -> JSONResponse:
    body, status = told(await _awaiting.protect(request, email=request.query_params["email"]))
    return JSONResponse(body, status)


async def _health(_request: Request) -> JSONResponse:
    return JSONResponse(_awaiting.health()["service"])


asgi = Starlette(routes=[Route("/signup", _signup, methods=["POST"]), Route("/health", _health)])


wsgi = flask.Flask(__name__)
_blocking = Doorward(RULES, **OPTIONS)


@wsgi.post("/signup")
def signup() -> Any:
    return told(_blocking.protect(flask.request.environ, email=flask.request.args["email"]))


@wsgi.get("/health")
def health() -> Any:
    return _blocking.health()["service"]
