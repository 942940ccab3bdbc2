"""Recordings for tests: single requests, and generated logs with attacks, bots and floods in known numbers."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from doorward import RequestContext
from doorward.replay.records import Recorded, Source

SECOND = 1_000_000_000
BEGAN = 1_750_000_000 * SECOND
COMBINED = frozenset({"query", "user-agent", "referer"})
COMMON = frozenset({"query"})
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
BOT = "curl/8.5.0"
ATTACK = "/search?q=1%27%20UNION%20SELECT%20password%20FROM%20users--"
LINE = re.compile(r'(\S+) - - \[([^\]]+)\] "(\S+) (\S+) HTTP/1.1" (\d+) \d+ "([^"]*)" "([^"]*)"')
TIME = "%d/%b/%Y:%H:%M:%S %z"


def recorded(
    path: str = "/",
    *,
    at: float = 0.0,
    ip: str = "203.0.113.9",
    agent: str | None = BROWSER,
    known: frozenset[str] = COMBINED,
    line: int = 1,
    **more: object,
) -> Recorded:
    """A request as a log in the combined format has it; ``at`` in seconds from the beginning."""
    path, _, query = path.partition("?")
    headers = list(more.pop("headers", []))  # type: ignore[call-overload]
    if agent is not None:
        headers.append(("user-agent", agent))
    method, body = more.pop("method", "GET"), more.pop("body", None)
    request = RequestContext(method=method, path=path, query=query, headers=headers, peer=ip, body=body)  # type: ignore[arg-type]
    return Recorded(BEGAN + int(at * SECOND), request, known, Source("access.log", line), **{"status": 200, **more})  # type: ignore[arg-type]


class Known(NamedTuple):
    """A generated log, and how much of what is in it."""

    lines: Sequence[str]
    attacks: int
    bots: int
    over_limit: int


def generated(*, visitors: int, attacks: int, bots: int, flooders: int, limit: int, over: int, seed: int = 7) -> Known:
    """A log of one day in the combined format, where each attack, bot and flood is of a client of its own.

    A flooder sends ``limit + over`` requests within a second, so that ``over`` of them are too many in any window.
    """
    chance = random.Random(seed)
    events: list[tuple[float, str]] = []
    addresses = iter(f"198.51.{number // 250}.{number % 250 + 1}" for number in range(60_000))
    for _ in range(visitors):
        path = f"/articles/{chance.randrange(10**6)}"
        events.append((chance.uniform(0, 86_400), _line(next(addresses), path, BROWSER)))
    events += [(chance.uniform(0, 86_400), _line(next(addresses), ATTACK, BROWSER)) for _ in range(attacks)]
    events += [(chance.uniform(0, 86_400), _line(next(addresses), "/", BOT)) for _ in range(bots)]
    for _ in range(flooders):
        began, address = chance.uniform(0, 86_000), next(addresses)
        events += [(began + n / 1_000, _line(address, "/login", BROWSER)) for n in range(limit + over)]
    events.sort()
    stamped = [line.replace("TIME", stamp(at)) for at, line in events]
    return Known(stamped, attacks, bots, flooders * over)


def stamp(at: float) -> str:
    """A time as servers write it, by default and to the second."""
    return datetime.fromtimestamp(BEGAN // SECOND + int(at), UTC).strftime(TIME)


def _line(address: str, target: str, agent: str) -> str:
    return f'{address} - - [TIME] "GET {target} HTTP/1.1" 200 512 "-" "{agent}"'


@lru_cache(maxsize=4)
def _nanoseconds(time: str) -> int:
    return int(datetime.strptime(time, TIME).timestamp()) * SECOND  # noqa: DTZ007  (TIME has a zone)


def read(lines: Iterable[str]) -> Iterator[Recorded]:
    """What these lines record: a reader for lines of this module alone."""
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        assert match is not None, line
        address, at, method, target, status, _, agent = match.groups()
        path, _, query = target.partition("?")
        request = RequestContext(
            method=method, path=path, query=query, headers=[("user-agent", agent)] if agent != "-" else [], peer=address
        )
        yield Recorded(_nanoseconds(at), request, COMBINED, Source("access.log", number), int(status))
