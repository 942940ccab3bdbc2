"""What an operator does, over HTTP."""

from __future__ import annotations

import re

import httpx
from tests.service.pages.doubles import PASSWORD


def token_of(page: str) -> str:
    """The token of the first form that has one."""
    return re.search(r'name="token" value="([^"]+)"', page)[1]


async def try_password(http: httpx.AsyncClient, password: str, **fields: str) -> httpx.Response:
    token = token_of((await http.get("/login")).text)
    return await http.post("/login", data={"token": token, "password": password, **fields})


async def log_in(http: httpx.AsyncClient, **fields: str) -> httpx.Response:
    reply = await try_password(http, PASSWORD, **fields)
    assert reply.status_code == 303, reply.text
    return reply


async def form_token(http: httpx.AsyncClient) -> str:
    return token_of((await http.get("/bans")).text)
