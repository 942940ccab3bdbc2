"""A sign-up application in FastAPI.

Serve it with ``uvicorn fastapi_app:app``, and try:

    curl -i -X POST http://127.0.0.1:8000/api/signup -H 'Content-Type: application/json' -d '{"email": "a@b.example"}'
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, Field

from doorward import token_bucket
from doorward_fastapi import DoorwardFastAPI

FORM = """<!doctype html><html lang="en"><title>Sign up</title><h1>Sign up</h1>
<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label>
<button>Sign up</button></form></html>"""

app = FastAPI()

# Everything, by address: 60 requests at once, then one a second.
guard = DoorwardFastAPI(app, rules=[token_bucket(capacity=60, refill_rate=1, interval="1s")], rate_limit_headers=True)


class SignUp(BaseModel):
    """What the API takes."""

    email: str = Field(pattern="@", max_length=254)


async def fields(request: Request) -> dict[str, list[str]]:
    """A form's fields, as FastAPI's ``Form`` gives them where the package python-multipart is installed."""
    return parse_qs((await request.body()).decode("utf-8", "replace"))


Fields = Annotated[dict[str, list[str]], Depends(fields)]


@app.get("/", response_class=HTMLResponse)
def form() -> str:
    """The form."""
    return FORM


@app.post("/signup", response_class=HTMLResponse)
@guard.limit("5 per 10 minutes", name="signup", scope="signup")
def signup_form(sent: Fields) -> str:
    """Sign up with the form. The same ``scope`` makes this and the API share one limit."""
    if "@" not in sent.get("email", [""])[0]:
        raise HTTPException(400, "Bad address")
    return "<!doctype html><h1>Welcome</h1>"


@app.post("/api/signup", status_code=201)
@guard.limit("5 per 10 minutes", name="signup", scope="signup")
def signup_api(sent: SignUp) -> SignUp:
    """Sign up with JSON. The limit takes the place of the one for everything; what pydantic refuses counts too."""
    return sent


@app.post("/login")
@guard.limit("3/minute", name="failed-logins", count_when=401)
def login(sent: Fields) -> dict[str, str]:
    """Log in. Only answers with status 401 use up the limit."""
    if sent.get("password") != ["correct horse"]:
        raise HTTPException(401, "wrong password")
    return {"message": "welcome"}


@app.get("/status", response_class=PlainTextResponse)
@guard.exempt
def status() -> str:
    """Never limited. ``/health`` and the like are exempt without being told."""
    return "ok"
