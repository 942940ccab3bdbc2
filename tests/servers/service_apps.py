"""An application of ``test_service_workers``: ``python -m tests.servers.service_apps WAY KEY URL…``.

It reads from each line the address of a visitor and the number of a service, asks that about the visitor from all of
its callers at once, and writes how often each limit said what, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from doorward import AsyncDoorward, Doorward, fixed_window, sliding_window, token_bucket
from doorward.context import RequestContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.decision import Decision

MOST = 500
CALLERS = 8
EACH = 36
DAY = 86_400
LIMITS: dict[str, list[Any]] = {
    "fixed": [fixed_window(max=MOST, window=300 * DAY)],
    "sliding": [sliding_window(max=MOST, interval=DAY)],
    "bucket": [token_bucket(refill_rate=1, interval=DAY, capacity=MOST)],
}


def request(ip: str) -> RequestContext:
    return RequestContext(method="GET", host="shop.example", path="/", peer=ip)


def said(decision: Decision) -> str:
    """ALLOW or DENY; something else where it was not the service's store that counted."""
    degraded = getattr(decision.reason, "degraded", "")
    return f"{decision.conclusion}, {degraded}" if degraded else str(decision.conclusion)


def _run(client: Doorward, ip: str) -> Counter[str]:
    return Counter(said(client.protect(request(ip))) for _ in range(EACH))


def threads(client: Doorward, ip: str) -> Counter[str]:
    with ThreadPoolExecutor(CALLERS) as pool:
        return sum(pool.map(lambda _: _run(client, ip), range(CALLERS)), Counter())


async def _arun(client: AsyncDoorward, ip: str) -> Counter[str]:
    return Counter([said(await client.protect(request(ip))) for _ in range(EACH)])


async def tasks(client: AsyncDoorward, ip: str) -> Counter[str]:
    return sum(await asyncio.gather(*[_arun(client, ip) for _ in range(CALLERS)]), Counter())


def blocking(urls: Sequence[str], options: dict[str, Any]) -> None:
    clients = [
        {name: Doorward(rules, name=name, service=url, **options) for name, rules in LIMITS.items()} for url in urls
    ]
    say("ready")
    for line in sys.stdin:
        ip, number = line.split()
        say({name: threads(client, ip) for name, client in clients[int(number)].items()})
    for client in [client for own in clients for client in own.values()]:
        client.close()


async def awaiting(urls: Sequence[str], options: dict[str, Any]) -> None:
    clients = [
        {name: AsyncDoorward(rules, name=name, service=url, **options) for name, rules in LIMITS.items()}
        for url in urls
    ]
    say("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        ip, number = line.split()
        say({name: await tasks(client, ip) for name, client in clients[int(number)].items()})
    for client in [client for own in clients for client in own.values()]:
        await client.aclose()


def say(what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201  (whoever started this reads it)


if __name__ == "__main__":
    _, way, key, *services = sys.argv
    given = {"key": key, "timeout": 50.0, "proxies": ()}
    if way == "blocking":
        blocking(services, given)
    else:
        asyncio.run(awaiting(services, given))
