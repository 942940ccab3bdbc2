"""A sign-up application in Flask.

Serve it with ``flask --app flask_app run``, or ``waitress-serve --listen=127.0.0.1:8000 flask_app:app``, and try:

    curl -i -X POST http://127.0.0.1:8000/api/signup -H 'Content-Type: application/json' -d '{"email": "a@b.example"}'
"""

from __future__ import annotations

from flask import Flask, request
from flask.typing import ResponseReturnValue

from doorward import token_bucket
from doorward_flask import DoorwardFlask

FORM = """<!doctype html><html lang="en"><title>Sign up</title><h1>Sign up</h1>
<form method="post" action="/signup"><label>E-mail <input name="email" type="email" required></label>
<button>Sign up</button></form></html>"""

app = Flask(__name__)

# Everything, by address: 60 requests at once, then one a second.
guard = DoorwardFlask(app, rules=[token_bucket(capacity=60, refill_rate=1, interval="1s")], rate_limit_headers=True)


@app.get("/")
def form() -> ResponseReturnValue:
    """The form."""
    return FORM


@app.post("/signup")
@guard.limit("5 per 10 minutes", name="signup", scope="signup")
def signup_form() -> ResponseReturnValue:
    """Sign up with the form. The same ``scope`` makes this and the API share one limit."""
    return "<!doctype html><h1>Welcome</h1>" if "@" in request.form.get("email", "") else ("Bad address", 400)


@app.post("/api/signup")
@guard.limit("5 per 10 minutes", name="signup", scope="signup")
def signup_api() -> ResponseReturnValue:
    """Sign up with JSON. The limit takes the place of the one for everything."""
    data = request.get_json(silent=True)
    email = data.get("email") if isinstance(data, dict) else None
    if not isinstance(email, str) or "@" not in email:
        return {"error": "send an e-mail address"}, 400
    return {"email": email}, 201


@app.post("/login")
@guard.limit("3/minute", name="failed-logins", count_when=401)
def login() -> ResponseReturnValue:
    """Log in. Only answers with status 401 use up the limit."""
    good = request.form.get("password") == "correct horse"
    return {"message": "welcome"} if good else ({"error": "wrong password"}, 401)


@app.get("/status")
@guard.exempt
def status() -> ResponseReturnValue:
    """Never limited. ``/health`` and the like are exempt without being told."""
    return "ok"
