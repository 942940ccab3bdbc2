"""Decorators and dependencies of the frameworks follow a policy: what says no mode has the one of the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from flask import Flask
from tests.adapters.asgi_client import send
from tests.policy.test_following import LONG, replaced

from doorward import AsyncDoorward, Doorward, deny
from doorward.testing import FakeClock
from doorward_fastapi import DoorwardFastAPI
from doorward_flask import DoorwardFlask

DRY, LIVE = '[options]\nmode = "DRY_RUN"\n', '[options]\nmode = "LIVE"\n'


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "policy.toml"
    file.write_text(DRY)
    return file


def pass_time(client: Any, clock: FakeClock, ask: Any) -> None:
    """Two requests, a second apart; what they set off is waited for."""
    for _ in range(2):
        clock.advance(1)
        ask()
        client.runtime.policy.wait(LONG)


def test_fastapi(file: Path) -> None:
    """Middleware, a decorator, and a limit that is a dependency."""
    clock = FakeClock()
    aj = AsyncDoorward(policy=file, clock=clock)
    app = FastAPI()
    guard = DoorwardFastAPI(app, aj)

    @app.get("/depends", dependencies=[Depends(guard.limited("1/hour"))])
    async def depends() -> str:
        return "ok"

    @app.get("/decorated")
    @guard.limit("1/hour")
    async def decorated() -> str:
        return "ok"

    @app.get("/in")
    async def within() -> str:
        return "ok"

    def statuses() -> list[int]:
        return [send(app, path).status for path in ("/depends", "/depends", "/decorated", "/decorated", "/in")]

    assert statuses() == [200] * 5
    replaced(file, LIVE + '[[rules]]\nrule = "deny"\npaths = ["/in"]\n')
    pass_time(aj, clock, lambda: send(app, "/else"))
    assert statuses() == [200, 429, 200, 429, 403]


def test_flask(file: Path) -> None:
    """Rules in code, a decorator, and the file."""
    clock = FakeClock()
    aj = Doorward([deny(paths=["/closed"])], policy=file, clock=clock)
    app = Flask("policy")
    guard = DoorwardFlask(app, aj)

    @app.get("/decorated")
    @guard.limit("1/hour")
    def decorated() -> str:
        return "ok"

    @app.get("/closed")
    def closed() -> str:
        return "ok"

    http = app.test_client()

    def statuses() -> list[int]:
        return [http.get(path).status_code for path in ("/decorated", "/decorated", "/closed")]

    assert statuses() == [200] * 3
    replaced(file, LIVE)
    pass_time(aj, clock, lambda: http.get("/else"))
    assert statuses() == [200, 429, 403]
