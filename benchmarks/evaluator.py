"""What a decision costs in the service, without HTTP, against the same rules decided in the application, in one run.

python benchmarks/evaluator.py
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING, Any

from doorward import AsyncDoorward, detect_bot, shield, sliding_window, validate_email
from doorward.context import RequestContext
from doorward.service.messages import DecideRequest
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.ports import LogRecord, Site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SITE = Site("shop", "k1")
HEADERS = {
    "host": "shop.example", "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accept": "text/html,application/xhtml+xml", "accept-language": "en-GB,en;q=0.7", "accept-encoding": "gzip, br",
    "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none", "dnt": "1",
}  # fmt: skip
ROUNDS, EACH = 15, 300
MANY = 10_000_000


class Nowhere:
    def append(self, record: LogRecord) -> None:
        """Keep nothing."""


def details(number: int) -> dict[str, Any]:
    address = f"198.18.{number // 256 % 256}.{number % 256}"
    return {"ip": address, "method": "GET", "protocol": "http", "host": "shop.example", "path": "/signup",
            "query": "a=1", "headers": HEADERS, "email": "someone@shop.example"}  # fmt: skip


LIMIT = {
    "rateLimit": {"mode": "MODE_LIVE", "algorithm": "RATE_LIMIT_ALGORITHM_SLIDING_WINDOW", "max": MANY, "interval": 60}
}
WIRE = {
    "one limit": [LIMIT],
    "limit, shield, bots, e-mail": [
        LIMIT, {"shield": {"mode": "MODE_LIVE"}}, {"botV2": {"mode": "MODE_LIVE"}},
        {"email": {"mode": "MODE_LIVE", "deny": ["EMAIL_TYPE_DISPOSABLE"], "requireTopLevelDomain": True}},
    ],
}  # fmt: skip
LOCAL: dict[str, list[Any]] = {
    "one limit": [sliding_window(max=MANY, interval=60)],
    "limit, shield, bots, e-mail": [
        sliding_window(max=MANY, interval=60), shield(), detect_bot(allow=[]), validate_email(deny=["DISPOSABLE"]),
    ],
}  # fmt: skip


async def timed(decide: Callable[[int], Awaitable[object]]) -> float:
    """Microseconds of one, the median of rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for number in range(EACH):
            await decide(number)
        rounds.append((time.perf_counter() - began) / EACH * 1e6)
    return statistics.median(rounds)


async def compared(name: str) -> None:
    evaluator = Evaluator("memory://", Nowhere())
    await evaluator.warm()
    requests = [
        DecideRequest.model_validate({"details": details(number), "rules": WIRE[name], "client": "bench"})
        for number in range(EACH)
    ]
    arcjet = [request.model_copy(update={"client": ""}) for request in requests]
    client = AsyncDoorward(LOCAL[name], proxies=())

    async def locally(number: int) -> object:
        own = details(number)
        context = RequestContext(
            method="GET", host=own["host"], path=own["path"], query=own["query"], headers=list(HEADERS.items()),
            peer=own["ip"],
        )  # fmt: skip
        return await client.protect(context, email=own["email"])

    here = await timed(locally)
    ours = await timed(lambda number: evaluator.decide(SITE, requests[number], None))
    theirs = await timed(lambda number: evaluator.decide(SITE, arcjet[number], None))
    print(f"{name:28} local {here:5.0f} us  service {ours:5.0f} us ({ours - here:+.0f})  to Arcjet's {theirs:5.0f} us")
    await evaluator.aclose()


async def main() -> None:
    for name in WIRE:
        await compared(name)


if __name__ == "__main__":
    asyncio.run(main())
