"""The application in this process, and on real servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from tests.service.app import doubles
from tests.service.app.running import Running

from doorward.service.server.application import create_app
from doorward.service.server.settings import ServiceSettings

DECIDE = "/proto.decide.v1alpha1.DecideService/Decide"
REPORT = "/proto.decide.v1alpha1.DecideService/Report"


class Desk(NamedTuple):
    """What a test has in hand."""

    app: Starlette
    client: httpx.AsyncClient
    parts: Any

    async def call(
        self, content: bytes = b"{}", *, path: str = DECIDE, key: str = doubles.KEY, **headers: str
    ) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        head = {"authorization": f"Bearer {key}", "content-type": "application/json", **given}
        return await self.client.post(path, content=content, headers=head)

    async def metrics(self) -> dict[str, float]:
        text = (await self.client.get("/metrics")).text
        return figures_of(text)


def figures_of(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


@pytest.fixture
def serving(tmp_path: Path) -> Callable[..., Any]:
    """Run a coroutine function with the application in this process; settings and parts by keyword."""

    def run(
        test: Callable[[Desk], Awaitable[None]], *, peer: str = "127.0.0.1", more: Any = None, **settings: Any
    ) -> None:
        async def main() -> None:
            chosen = ServiceSettings(**{"folder": tmp_path / "service", "store": "memory://", **settings})
            parts = doubles.parts_of(chosen, **(more or {}))
            app = create_app(chosen, lambda _: parts)
            transport = httpx.ASGITransport(app, client=(peer, 4711))
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://service.example") as client,
            ):
                await test(Desk(app, client, parts))

        anyio.run(main)

    return run


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service on each server, one worker."""
    with Running(tmp_path_factory.mktemp("service"), server=request.param) as server:
        yield server
