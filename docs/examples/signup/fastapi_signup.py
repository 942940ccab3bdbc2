"""Protected sign-up in FastAPI: ``uvicorn --factory fastapi_signup:create_app``."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from rules import RULES, advice, needs_review

from doorward import AsyncDoorward


def create_app(**options: Any) -> FastAPI:
    """The application; ``options`` are those of the client."""
    app = FastAPI()
    aj = AsyncDoorward(rules=[*RULES], **options)

    @app.post("/signup", status_code=201, response_class=PlainTextResponse)
    async def signup(request: Request) -> PlainTextResponse:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        decision = await aj.protect(request, email=fields.get("email", [""])[0])
        if decision.is_denied():
            return PlainTextResponse(advice(decision), decision.status, decision.headers)
        if needs_review(decision):
            return PlainTextResponse("Thank you. We will look at your sign-up and write to you.", 202)
        return PlainTextResponse("Welcome", 201)

    return app
