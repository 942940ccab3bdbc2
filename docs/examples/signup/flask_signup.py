"""Protected sign-up in Flask: ``flask --app flask_signup run``."""

from __future__ import annotations

from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue
from rules import RULES, advice, needs_review

from doorward import Doorward


def create_app(**options: Any) -> Flask:
    """The application; ``options`` are those of the client."""
    app = Flask(__name__)
    aj = Doorward(rules=[*RULES], **options)

    @app.post("/signup")
    def signup() -> ResponseReturnValue:
        decision = aj.protect(request, email=request.form.get("email", ""))
        if decision.is_denied():
            return advice(decision), decision.status, decision.headers
        if needs_review(decision):
            return "Thank you. We will look at your sign-up and write to you.", 202
        return "Welcome", 201

    return app
