"""Doubles for the parts of the service that are not its application, also for real servers: ``doubles:app``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server.application import create_app
from doorward.service.server.parts import Parts
from doorward.service.server.ports import Site
from doorward.service.server.settings import ServiceSettings
from doorward.stores import open_store
from doorward.clock import SystemClock

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
    """For servers: ``--factory``."""
    return create_app(ServiceSettings.from_environ(), parts_of)
