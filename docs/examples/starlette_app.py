"""A sign-up application in Starlette.

Serve it with ``uvicorn starlette_app:app``, and try:

    curl -i -X POST http://127.0.0.1:8000/api/signup -H 'Content-Type: application/json' -d '{"email": "a@b.example"}'
"""

from __future__ import annotations

import json
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from doorward import token_bucket
from doorward_starlette import DoorwardStarlette

FORM = """<!doctype html><html lang="en"><title>Sign up</title><h1>Sign up</h1>
<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label>
<button>Sign up</button></form></html>"""

# Everything, by address: 60 requests at once, then one a second.
guard = DoorwardStarlette(rules=[token_bucket(capacity=60, refill_rate=1, interval="1s")], rate_limit_headers=True)


async def form(request: Request) -> Response:
    """The form."""
    return HTMLResponse(FORM)


@guard.limit("5 per 10 minutes", name="signup", scope="signup")
async def signup_form(request: Request) -> Response:
    """Sign up with the form. The same ``scope`` makes this and the API share one limit."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    if "@" not in fields.get("email", [""])[0]:
        return PlainTextResponse("Bad address", 400)
    return HTMLResponse("<!doctype html><h1>Welcome</h1>")


@guard.limit("5 per 10 minutes", name="signup", scope="signup")
async def signup_api(request: Request) -> Response:
    """Sign up with JSON. The limit takes the place of the one for everything."""
    try:
        data = json.loads(await request.body())
    except ValueError:
        data = None
    email = data.get("email") if isinstance(data, dict) else None
    if not isinstance(email, str) or "@" not in email:
        return JSONResponse({"error": "send an e-mail address"}, 400)
    return JSONResponse({"email": email}, 201)


@guard.limit("3/minute", name="failed-logins", count_when=401)
async def login(request: Request) -> Response:
    """Log in. Only answers with status 401 use up the limit."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    if fields.get("password") != ["correct horse"]:
        return JSONResponse({"error": "wrong password"}, 401)
    return JSONResponse({"message": "welcome"})


@guard.exempt
async def status(request: Request) -> Response:
    """Never limited. ``/health`` and the like are exempt without being told."""
    return PlainTextResponse("ok")


app = Starlette(
    routes=[
        Route("/", form),
        Route("/signup", signup_form, methods=["POST"]),
        Route("/api/signup", signup_api, methods=["POST"]),
        Route("/login", login, methods=["POST"]),
        Route("/status", status),
    ]
)
guard.init_app(app)
