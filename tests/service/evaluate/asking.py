"""What tests of the evaluator share: sites, requests as the wire has them, and a log that keeps everything."""

from __future__ import annotations

from typing import Any

from doorward.service.messages import DecideRequest, ReportRequest
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.ports import LogRecord, Site

SHOP, BLOG, FORUM = Site("shop", "k1"), Site("blog", "k2"), Site("forum", "k3")
CLIENT = "doorward 0.1"
IP = "203.0.113.9"
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "accept": "*/*",
           "accept-language": "en", "accept-encoding": "gzip"}  # fmt: skip
ATTACK = "id=1' UNION SELECT password FROM users--"


class Log(list[LogRecord]):
    """Keeps every decision."""


def limit(most: int = 2, mode: str = "MODE_LIVE", **fields: Any) -> dict[str, Any]:
    window = {"algorithm": "RATE_LIMIT_ALGORITHM_SLIDING_WINDOW", "max": most, "interval": 60}
    return {"rateLimit": {"mode": mode, **window, **fields}}


def shield(mode: str = "MODE_LIVE") -> dict[str, Any]:
    return {"shield": {"mode": mode}}


def bots(**fields: Any) -> dict[str, Any]:
    return {"botV2": {"mode": "MODE_LIVE", **fields}}


def email(*denied: str, **fields: Any) -> dict[str, Any]:
    names = [f"EMAIL_TYPE_{name}" for name in denied]
    return {"email": {"mode": "MODE_LIVE", "requireTopLevelDomain": True, "deny": names, **fields}}


def details(**fields: Any) -> dict[str, Any]:
    base = {"ip": IP, "method": "GET", "protocol": "http", "host": "shop.example", "path": "/", "headers": BROWSER}
    return {**base, **fields}


def asking(*rules: dict[str, Any], client: str = CLIENT, top: Any = None, **fields: Any) -> DecideRequest:
    body = {"details": details(**fields), "rules": list(rules), "client": client, **(top or {})}
    return DecideRequest.model_validate(body)


def telling(decision: dict[str, Any], *more: dict[str, Any], refunds: Any = (), **fields: Any) -> ReportRequest:
    reports = [{"details": details(**fields), "decision": each, "client": CLIENT} for each in (decision, *more)]
    return ReportRequest.model_validate({**reports[0], "more": reports[1:], "refunds": list(refunds)})


async def decided(evaluator: Evaluator, request: DecideRequest, site: Site = SHOP, seconds: float | None = None) -> Any:
    answer = await evaluator.decide(site, request, seconds)
    return answer["decision"]


def conclusions(decision: dict[str, Any]) -> list[str]:
    return [each["conclusion"].removeprefix("CONCLUSION_") for each in decision["ruleResults"]]
