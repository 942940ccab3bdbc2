"""Doubles for the parts of the service that are not its application, also for real servers: ``doubles:app``."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from doorward.clock import SystemClock
from doorward.errors import DoorwardError
from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server import launch, parts, supervisor, worker
from doorward.service.server.application import create_app
from doorward.service.server.parts import Parts
from doorward.service.server.ports import Site
from doorward.service.server.settings import ServiceSettings
from doorward.stores import open_store

KEY, FEW_KEY, OTHER_KEY = "dw_right_key", "dw_few_key", "dw_other_key"
SITES = {
    KEY: Site("shop", "k1"),
    FEW_KEY: Site("few", "k2", "3/hour"),
    OTHER_KEY: Site("blog", "k3"),
}


class ScriptedKeys:
    """A dictionary."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def find(self, token: str) -> Site | None:
        if self.error:
            raise self.error
        return SITES.get(token)


class ScriptedEvaluator:
    """Answers ALLOW, or does what the request's correlation id says."""

    def __init__(self) -> None:
        self.asked: list[tuple[Site, DecideRequest, float | None]] = []
        self.reported: list[tuple[Site, ReportRequest]] = []
        self.hook: Callable[[], Any] | None = None

    async def decide(self, site: Site, request: DecideRequest, seconds: float | None) -> dict[str, Any]:
        self.asked.append((site, request, seconds))
        del self.asked[:-1000]
        if self.hook is not None:
            await self.hook()
        word, _, argument = request.details.correlation_id.partition(":")
        if word == "raise":
            raise RuntimeError(f"secret of the visitor: {request.details.cookies}")
        if word == "sleep":
            logging.getLogger("doubles").info("asleep")
            await asyncio.sleep(float(argument))
        denied = word == "deny"
        return {
            "decision": {
                "id": "req_01hzzzzzzzzzzzzzzzzzzzzzzz",
                "conclusion": "CONCLUSION_DENY" if denied else "CONCLUSION_ALLOW",
                "reason": {"rule": {"rule": "x", "message": "é"}},
            }
        }

    async def report(self, site: Site, request: ReportRequest) -> dict[str, Any]:
        self.reported.append((site, request))
        return {}


def parts_of(settings: ServiceSettings, **more: Any) -> Parts:
    given: dict[str, Any] = {"keys": ScriptedKeys(), "evaluator": ScriptedEvaluator(), **more}
    given.setdefault("store", open_store(settings.store_or_default, SystemClock(), settings.timeout))
    return Parts(**given)


def app() -> Any:
    """For servers that are started by their own command line: ``--factory``."""
    return create_app(ServiceSettings.from_environ(), parts_of)


def main(port: str, workers: str) -> int:
    """``doorward serve`` with these parts, as far as it needs no others: prints the port, and serves."""
    settings = ServiceSettings.from_environ()
    listener = launch.listen("127.0.0.1", int(port))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    if int(workers) == 1:
        try:
            launch.run(create_app(settings, parts_of), listener, settings)
        except DoorwardError as error:
            sys.stderr.write(f"{error}\n")
            return 2
        return 0
    supervisor.WORKER[:] = [sys.executable, "-m", "tests.service.app.doubles", "worker"]
    return supervisor.Supervisor(int(workers), listener, settings.to_environ()).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    parts.open_parts = parts_of
    if os.environ.get("ONLY_UVICORN"):
        launch.server_name = lambda: "uvicorn"
    sys.exit(worker.main(*sys.argv[2:]) if sys.argv[1] == "worker" else main(*sys.argv[1:]))
