"""A log in a list, bans in a dict, and what a week of three sites leaves in them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette

from doorward.clock import NANOSECONDS, SystemClock
from doorward.errors import DataError
from doorward.ids import decision_id
from doorward.service.server import login as login_module
from doorward.service.server.login import Login, set_password
from doorward.service.server.pages import KeyLine, LogState, routes
from doorward.service.server.ports import LogQuery, LogRecord, Rate, ServiceBan, Share

PASSWORD = "correct-horse-battery"
SITES = ["shop", "forum", "api.example"]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def matches(record: LogRecord, query: LogQuery) -> bool:
    equal = ("site", "conclusion", "reason", "rule", "ip")
    if any(getattr(query, name) and getattr(query, name) != getattr(record, name) for name in equal):
        return False
    if query.dry_run and not (record.dry_run if query.dry_run == "*" else record.dry_run == query.dry_run):
        return False
    if not record.path.startswith(query.path) or record.at_ns < query.since_ns:
        return False
    return not query.before_ns or record.at_ns < query.before_ns


class ListReader:
    """A LogReader over a list, the oldest first; the cursor is how much of it was seen."""

    def __init__(self, records: Sequence[LogRecord] = ()) -> None:
        self.records = list(records)
        self.lock = threading.Lock()
        self.broken = False

    def append(self, record: LogRecord) -> None:
        with self.lock:
            self.records.append(record)

    def _all(self, query: LogQuery, start: int = 0) -> list[LogRecord]:
        if self.broken:
            raise DataError("/var/lib/secret-place/log.sqlite", "the log cannot be read: disk I/O error")
        with self.lock:
            return [record for record in self.records[start:] if matches(record, query)]

    def find(self, decision: str, site: str = "") -> LogRecord | None:
        return next((r for r in self._all(LogQuery(site=site)) if r.id == decision), None)

    def latest(self, query: LogQuery, limit: int) -> list[LogRecord]:
        return sorted(self._all(query), key=lambda record: -record.at_ns)[:limit]

    def after(self, query: LogQuery, cursor: int, limit: int) -> tuple[list[LogRecord], int]:
        if not cursor:
            return self._all(query)[-limit:], len(self.records) + 1
        found = self._all(query, cursor - 1)
        return found[:limit], (len(self.records) + 1)

    def rates(self, query: LogQuery, seconds: int) -> list[Rate]:
        records = self._all(query)
        step = seconds * NANOSECONDS
        end = query.before_ns or SystemClock().now_ns()
        first, last = query.since_ns // step, end // step
        counts: dict[int, Counter[str]] = {n: Counter() for n in range(first, last + 1)}
        dry: Counter[int] = Counter()
        for record in records:
            if (slot := record.at_ns // step) in counts:
                counts[slot][record.conclusion] += 1
                dry[slot] += bool(record.dry_run)
        return [Rate(n * step, dict(count), dry[n]) for n, count in counts.items()]

    def top(self, query: LogQuery, field: str, limit: int) -> list[Share]:
        records = self._all(query)
        times = Counter(getattr(record, field) for record in records)
        denied = Counter(getattr(record, field) for record in records if record.conclusion == "DENY")
        return [Share(value, count, denied[value]) for value, count in times.most_common(limit)]


class DictBans:
    """Bans without an end."""

    def __init__(self, **bans: tuple[float, str]) -> None:
        self.held: dict[str, tuple[float, str]] = dict(bans.items())

    async def ban(self, ip: str, seconds: float, why: str) -> None:
        self.held[ip] = (seconds, why)

    async def unban(self, ip: str) -> bool:
        return self.held.pop(ip, None) is not None

    async def bans(self) -> list[ServiceBan]:
        return [ServiceBan(ip, seconds, why) for ip, (seconds, why) in self.held.items()]


# --- realistic data


def result(rule: str, conclusion: str, reason: dict, state: str = "RUN", **more: object) -> dict:
    return {
        "rule": rule,
        "ruleId": "5b0a3c6ee2f6b1fa4f9c1df3b2a0c1de7c8a9f0b1c2d3e4f5a6b7c8d9e0f1a2b",
        "state": f"RULE_STATE_{state}",
        "conclusion": f"CONCLUSION_{conclusion}",
        "reason": reason,
        "ttl": 0,
        "fingerprint": "",
        **more,
    }


FINGERPRINT = "fp::3::9c1185a5c5e9fc54612808977ee8f548b2258d31e1f9b6b4a3c2d1e0f9a8b7c6"


def limit(remaining: int, most: int = 60, name: str = "api-limit", state: str = "RUN", **more: object) -> dict:
    reason = {"rateLimit": {"max": most, "remaining": remaining, "resetInSeconds": 41, "windowInSeconds": 60}}
    verdict = "ALLOW" if remaining else "DENY"
    ttl = 0 if remaining else 41
    return result(name, verdict, reason, state, fingerprint=FINGERPRINT, ttl=ttl, tookUs=180, **more)


SHIELD_FOUND = {
    "shield": {
        "shieldTriggered": True,
        "suspicious": True,
        "weight": 1.0,
        "findings": [
            {"family": "SQL", "place": "query", "reason": "closes a string and goes on with a condition", "weight": 1.0}
        ],
    }
}
BOT_FOUND = {
    "botV2": {"allowed": [], "denied": ["CURL"], "verified": False, "spoofed": False, "evidence": ["names itself curl"]}
}
NOTHING = {"shield": {"shieldTriggered": False, "suspicious": False}}
NO_BOT = {"botV2": {"allowed": [], "denied": [], "verified": False, "spoofed": False}}
HOME = {"provenance": "FORWARDED", "country": "DE", "countryName": "Germany", "city": "Leipzig", "asn": "64496",
        "asnName": "Example Broadband", "asnType": "isp", "isVpn": False, "isTor": False,
        "isHosting": False}  # fmt: skip
HOSTED = {"provenance": "FORWARDED", "country": "US", "countryName": "United States", "asn": "64511", "isHosting": True,
          "asnName": "Example Cloud", "asnType": "hosting", "isVpn": False,
          "names": {"hosting": ["example-cloud"]}}  # fmt: skip


def allowed(at_ns: int, random_: random.Random) -> LogRecord:
    site = random_.choice(SITES)
    path = random_.choice(["/", "/login", "/search", "/articles/42", "/api/v1/items", "/cart"])
    ip = f"203.0.113.{random_.randrange(1, 200)}"
    dry = random_.random() < 0.03
    results = [
        result("shield", "ALLOW", NOTHING, tookUs=38),
        result("bots", "DENY" if dry else "ALLOW", BOT_FOUND if dry else NO_BOT, "DRY_RUN", tookUs=21),
        limit(random_.randrange(1, 60)),
    ]
    return LogRecord(
        id=decision_id(at_ns, random_.randbytes(10)).replace("lreq", "req"),
        at_ns=at_ns,
        site=site,
        conclusion="ALLOW",
        reason="RATE_LIMIT",
        why="41 of 60 left in 60 s, reset in 41 s",
        dry_run="bots" if dry else "",
        ip=ip,
        method="GET",
        host=f"{site}.example.com",
        path=path,
        agent=BROWSER,
        country=random_.choice(["DE", "FR", "US", "GB", ""]),
        client="doorward-python/0.1.0",
        took_us=random_.randrange(160, 900),
        results=results,
        ip_details=HOME,
    )


def denied(at_ns: int, random_: random.Random) -> LogRecord:
    base = allowed(at_ns, random_)._replace(conclusion="DENY", dry_run="")
    kind = random_.random()
    if kind < 0.5:
        results = [result("shield", "ALLOW", NOTHING, tookUs=40), limit(0, 5, "signup")]
        base = base._replace(rule="signup", why="0 of 5 left in 600 s, reset in 412 s", path="/signup", method="POST",
                             ip=f"198.51.100.{random_.choice([7, 23, 77])}", results=results)  # fmt: skip
    elif kind < 0.75:
        results = [result("shield", "DENY", SHIELD_FOUND, tookUs=61), result("api-limit", "ALLOW", {}, "NOT_RUN")]
        why = "SQL in query: closes a string and goes on with a condition (weight 1)"
        base = base._replace(reason="SHIELD", rule="shield", why=why, path="/search", results=results, ip="192.0.2.66")
    else:
        results = [result("bots", "DENY", BOT_FOUND, tookUs=25), result("api-limit", "ALLOW", {}, "NOT_RUN")]
        base = base._replace(reason="BOT", rule="bots", why="denied CURL: names itself curl", agent="curl/8.5.0",
                             path="/api/v1/items", results=results, ip="2001:db8:1:2::15",
                             reported=random_.random() < 0.4)  # fmt: skip
    if base.reported:
        base = base._replace(id=base.id.replace("req", "lreq"), took_us=0)
    return base._replace(ip_details=HOSTED, country="US")


def other(at_ns: int, random_: random.Random) -> LogRecord:
    base = allowed(at_ns, random_)
    if random_.random() < 0.5:
        results = [
            result("signup-email", "ERROR", {"error": {"message": "the name servers did not answer"}}, tookUs=501_000)
        ]
        why = "the name servers did not answer"
        return base._replace(
            conclusion="ERROR", reason="ERROR", rule="signup-email", why=why, results=results, took_us=502_300
        )
    reason = {"challenge": {"rule": "weights", "message": "the sum of weights reached 10", "weight": 11.0}}
    why = "weights: the sum of weights reached 10"
    results = [result("weights", "CHALLENGE", reason)]
    return base._replace(conclusion="CHALLENGE", reason="CHALLENGE", rule="weights", why=why, results=results)


def seeded(now_ns: int, count: int = 3000, seed: int = 6) -> list[LogRecord]:
    """Decisions of the last week, more of them the nearer, with a wave of denials within the last hour."""
    random_ = random.Random(seed)
    found = []
    for _ in range(count):
        age = random_.expovariate(1 / 1500) if random_.random() < 0.5 else random_.random() * 7 * 86400
        wave = 1100 < age < 1700
        kind = random_.random()
        make = denied if kind < (0.55 if wave else 0.09) else other if kind > 0.985 else allowed
        found.append(make(now_ns - round(min(age, 7 * 86400) * NANOSECONDS), random_))
    return sorted(found, key=lambda record: record.at_ns)


# --- an application


def keys() -> list[KeyLine]:
    now = SystemClock().now_ns()
    return [
        KeyLine("shop", "k_2f8a", "active", "1000/minute", now - 40 * 86400 * NANOSECONDS, now),
        KeyLine("shop", "k_11c0", "revoked", "", now - 400 * 86400 * NANOSECONDS),
        KeyLine("forum", "k_90aa", "active"),
    ]


def state() -> LogState:
    return LogState(kept=3214, dropped=12, waiting=3)


def cheap_password(path: Path, text: str = PASSWORD) -> None:
    """As set_password, in a millisecond."""
    cost, login_module.COST = login_module.COST, (2, 8, 1)
    try:
        set_password(path, text)
    finally:
        login_module.COST = cost


class Site:
    """All parts of the pages over doubles."""

    def __init__(self, folder: Path, records: Sequence[LogRecord] = (), **options: object) -> None:
        self.password = folder / "operator.password"
        cheap_password(self.password)
        self.reader = ListReader(records)
        self.bans = DictBans(**{"198.51.100.7": (3100.0, "several applications find it suspicious")})
        self.login = Login(self.password, folder / "shared", **options)
        self.routes = routes(self.reader, self.login, self.bans, keys, state)
        self.app = Starlette(routes=self.routes)


def of_rule(records: Sequence[LogRecord], rule: str) -> LogRecord:
    """The newest that a rule decided."""
    return next(record for record in reversed(records) if record.rule == rule)
