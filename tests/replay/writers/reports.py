"""Reports to write: a usual one, empty ones, and such as nobody should get."""

from __future__ import annotations

import math

from doorward.replay.report import Differences, Report, RuleTally, Sample, Span, Tally, Threshold

HOUR = 3_600 * 10**9
BEGAN = 1_785_542_400 * 10**9  # 2026-08-01 00:00:00 UTC
RTL = "/بحث/منتجات/أحذية?لون=أسود"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


def sample(n: int, rule: str, path: str, why: str, ip: str = "203.0.113.7") -> Sample:
    return Sample(BEGAN + n * 977 * 10**9, "access.log.1.gz", 1_000 + 37 * n, ip, "GET", path, AGENT, rule, why, 200)


def samples(rule: str, why: str, path: str, many: int = 6) -> list[Sample]:
    return [sample(n, rule, f"{path}{n}", why, f"203.0.113.{n + 7}") for n in range(many)]


def usual() -> Report:
    """A week of a shop."""
    spans = []
    for n in range(168):
        allowed = round(5_880 + 4_200 * math.sin((n - 8) / 24 * 2 * math.pi))
        denied = 900 if n in {40, 41} else 63 + n % 7 * 3
        spans.append(Span(BEGAN + n * HOUR, allowed, denied, 8 + n % 11))
    allowed, denied, dry = (sum(getattr(s, name) for s in spans) for name in ("allowed", "denied", "would_deny"))
    rules = [
        RuleTally("shield", "SHIELD", "LIVE", allowed + denied, 5_212, samples=samples("shield", "SQL injection: ' OR 1=1", "/search?q='+OR+1=1--&page=")),
        RuleTally("api-limit", "RATE_LIMIT", "LIVE", allowed + denied - 5_212, denied - 5_212 - 2_010, challenged=12, samples=samples("api-limit", "over 60 in 1 min", "/api/orders/"), file="policy.toml", line=14),
        RuleTally("bots", "BOT", "LIVE", allowed + 2_010, 2_010, samples=[sample(3, "bots", RTL, "CATEGORY:AI", "2001:db8::7:1")]),
        RuleTally("tor-exits", "FILTER", "DRY_RUN", allowed, 0, dry, errors=2, samples=samples("tor-exits", "ip.tor", "/account/", 3)),
        RuleTally("signup-email", "EMAIL", "LIVE", left_out="the recording has no e-mail addresses"),
    ]
    routes = [Tally("GET /api/orders/{id}", 212_000, 5_100, 12), Tally("GET /search", 98_000, 4_000, 900), Tally("POST /login", 12_345, 2_400, 700), Tally(f"GET {RTL}", 3_000, 1, 3)]
    clients = [Tally(f"203.0.113.{n}", 9_000 - 300 * n, 4_000 - 200 * n, n, at_most_over=n // 6) for n in range(20)]
    reasons = [Tally("api-limit: over 60 in 1 min", 5_209, 5_209), Tally("shield: SQL injection", 4_100, 4_100), Tally("tor-exits: ip.tor", dry, 0, dry), Tally("bots: CATEGORY:AI", 2_010, 2_010), Tally("shield: path traversal", 1_112, 1_112)]
    against = Differences(
        "main.toml", 2_222, 14, {"bots": 2_010, "api-limit": 212}, {"old-limit": 14}, {"GET /search": 1_800, "GET /api/orders/{id}": 422},
        samples("bots", "CATEGORY:AI", "/search?q=shoes&page="), samples("old-limit", "over 10 in 1 min", "/cart/", 2),
    )  # fmt: skip
    thresholds = [
        Threshold("--max-denied", "1.5%", "1.2% (12,431 of 1,000,000)", met=True),
        Threshold("--max-newly-denied", "0.1%", "0.22% (2,222 of 1,000,000)", met=False, samples=samples("bots", "CATEGORY:AI", "/search?q=shoes&page=")),
        Threshold("--must-allow", "cases.jsonl", "all 24 are allowed", met=True),
        Threshold("--must-deny", "attacks.jsonl", "1 of 50 is allowed: SQL in a cookie", met=False, samples=[Sample(0, "attacks.jsonl", 12, "198.51.100.1", "POST", "/login", "", "", "allowed")]),
    ]
    return Report(
        "policy.toml", ["access.log", "access.log.1.gz", "access.log.2.gz"], allowed + denied + 12, allowed, denied, 12, dry, 2,
        BEGAN, BEGAN + 168 * HOUR - 10**9, rules, routes, clients, reasons, spans, against, thresholds,
        {"no time": 31, "no such format: nginx": 4}, [("access.log", 17, "no time", '203.0.113.9 - - [] "GET / HTTP/1.1"'), ("access.log", 99, "no such format: nginx", "\x16\x03\x01\x02\x00\x01\x00")],
        ["signup-email was left out: the recording has no e-mail addresses", "clocks went backwards 3 times in access.log.1.gz, by at most 2 s"],
        allowed + denied + 47, 212_345_678, 24.6, 91_234_567, BEGAN + 200 * HOUR,
    )  # fmt: skip
