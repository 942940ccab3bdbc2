"""The shop, in Starlette."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from doorward import AsyncDoorward
from doorward_starlette import DoorwardMiddleware

aj = AsyncDoorward(policy=Path(__file__).parents[1] / "policy.toml")


async def home(request: Request) -> Response:
    """The first page."""
    return HTMLResponse("<h1>The shop</h1>")


async def show_item(request: Request) -> Response:
    """One item."""
    return HTMLResponse(f"<h1>Item {request.path_params['item']}</h1>")


async def sign_up(request: Request) -> Response:
    """Sign up."""
    return PlainTextResponse(f"Welcome, {len(await request.body())} bytes", 201)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/items/{item:int}", show_item),
        Route("/signup", sign_up, methods=["POST"]),
    ],
    middleware=[Middleware(DoorwardMiddleware, aj=aj)],
)
