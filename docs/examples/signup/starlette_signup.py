"""Protected sign-up in Starlette: ``uvicorn --factory starlette_signup:create_app``."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from rules import RULES, advice, needs_review
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from doorward import AsyncDoorward


def create_app(**options: Any) -> Starlette:
    """The application; ``options`` are those of the client."""
    aj = AsyncDoorward(rules=[*RULES], **options)

    async def signup(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        decision = await aj.protect(request, email=fields.get("email", [""])[0])
        if decision.is_denied():
            return PlainTextResponse(advice(decision), decision.status, decision.headers)
        if needs_review(decision):
            return PlainTextResponse("Thank you. We will look at your sign-up and write to you.", 202)
        return PlainTextResponse("Welcome", 201)

    return Starlette(routes=[Route("/signup", signup, methods=["POST"])])
