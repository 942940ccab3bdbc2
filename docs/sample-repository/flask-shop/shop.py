"""The shop, in Flask."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, request
from flask.typing import ResponseReturnValue

from doorward_flask import DoorwardFlask

app = Flask(__name__)
guard = DoorwardFlask(app, policy=Path(__file__).parents[1] / "policy.toml")


@app.get("/")
def home() -> ResponseReturnValue:
    """The first page."""
    return "<h1>The shop</h1>"


@app.get("/items/<int:item>")
def show_item(item: int) -> ResponseReturnValue:
    """One item."""
    return f"<h1>Item {item}</h1>"


@app.post("/signup")
def sign_up() -> ResponseReturnValue:
    """Sign up."""
    return f"Welcome, {len(request.form.get('email', ''))} letters", 201
