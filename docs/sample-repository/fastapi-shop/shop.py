"""The shop, in FastAPI."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request

from doorward_fastapi import DoorwardFastAPI

app = FastAPI()
guard = DoorwardFastAPI(app, policy=Path(__file__).parents[1] / "policy.toml")


@app.get("/")
async def home() -> str:
    """The first page."""
    return "The shop"


@app.get("/items/{item}")
async def show_item(item: int) -> str:
    """One item."""
    return f"Item {item}"


@app.post("/signup", status_code=201)
async def sign_up(request: Request) -> str:
    """Sign up."""
    return f"Welcome, {len(await request.body())} bytes"
