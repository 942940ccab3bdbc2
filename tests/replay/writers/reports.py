"""Reports to write: a usual one, empty ones, and such as nobody should get."""

from __future__ import annotations

import math
from itertools import cycle

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
        RuleTally(
            "shield",
            "SHIELD",
            "LIVE",
            allowed + denied,
            5_212,
            samples=samples("shield", "SQL injection: ' OR 1=1", "/search?q='+OR+1=1--&page="),
        ),
        RuleTally(
            "api-limit",
            "RATE_LIMIT",
            "LIVE",
            allowed + denied - 5_212,
            denied - 5_212 - 2_010,
            challenged=12,
            samples=samples("api-limit", "over 60 in 1 min", "/api/orders/"),
            file="policy.toml",
            line=14,
        ),
        RuleTally(
            "bots",
            "BOT",
            "LIVE",
            allowed + 2_010,
            2_010,
            samples=[sample(3, "bots", RTL, "CATEGORY:AI", "2001:db8::7:1")],
        ),
        RuleTally(
            "tor-exits",
            "FILTER",
            "DRY_RUN",
            allowed,
            0,
            dry,
            errors=2,
            samples=samples("tor-exits", "ip.tor", "/account/", 3),
        ),
        RuleTally("signup-email", "EMAIL", "LIVE", left_out="not asked: the recording has no e-mail addresses"),
    ]
    routes = [
        Tally("GET /api/orders/{id}", 212_000, 5_100, 12),
        Tally("GET /search", 98_000, 4_000, 900),
        Tally("POST /login", 12_345, 2_400, 700),
        Tally(f"GET {RTL}", 3_000, 1, 3),
    ]
    clients = [Tally(f"203.0.113.{n}", 9_000 - 300 * n, 4_000 - 200 * n, n, at_most_over=n // 6) for n in range(20)]
    reasons = [
        Tally("api-limit: over 60 in 1 min", 5_209, 5_209),
        Tally("shield: SQL injection", 4_100, 4_100),
        Tally("tor-exits: ip.tor", dry, 0, dry),
        Tally("bots: CATEGORY:AI", 2_010, 2_010),
        Tally("shield: path traversal", 1_112, 1_112),
    ]
    against = Differences(
        "main.toml",
        2_222,
        14,
        {"bots": 2_010, "api-limit": 212},
        {"old-limit": 14},
        {"GET /search": 1_800, "GET /api/orders/{id}": 422},
        samples("bots", "CATEGORY:AI", "/search?q=shoes&page="),
        samples("old-limit", "over 10 in 1 min", "/cart/", 2),
    )
    thresholds = [
        Threshold("--max-denied", "1.5%", "1.2% (12,431 of 1,000,000)", met=True),
        Threshold(
            "--max-newly-denied",
            "0.1%",
            "0.22% (2,222 of 1,000,000)",
            met=False,
            samples=samples("bots", "CATEGORY:AI", "/search?q=shoes&page="),
        ),
        Threshold("--must-allow", "cases.jsonl", "all 24 are allowed", met=True),
        Threshold(
            "--must-deny",
            "attacks.jsonl",
            "1 of 50 is allowed: SQL in a cookie",
            met=False,
            samples=[Sample(0, "attacks.jsonl", 12, "198.51.100.1", "POST", "/login", "", "", "allowed")],
        ),
    ]
    return Report(
        "policy.toml",
        ["access.log", "access.log.1.gz", "access.log.2.gz"],
        allowed + denied + 12,
        allowed,
        denied,
        12,
        dry,
        2,
        BEGAN,
        BEGAN + 168 * HOUR - 10**9,
        rules,
        routes,
        clients,
        reasons,
        spans,
        against,
        thresholds,
        {"no time": 31, "no such format: nginx": 4},
        [
            ("access.log", 17, "no time", '203.0.113.9 - - [] "GET / HTTP/1.1"'),
            ("access.log", 99, "no such format: nginx", "\x16\x03\x01\x02\x00\x01\x00"),
        ],
        [
            "signup-email was left out: the recording has no e-mail addresses",
            "clocks went backwards 3 times in access.log.1.gz, by at most 2 s",
        ],
        allowed + denied + 47,
        212_345_678,
        24.6,
        91_234_567,
        BEGAN + 200 * HOUR,
    )


MARK = "PWNED"
PAYLOADS = [
    f"<script>window.{MARK}=1</script>",
    f'"><img src=https://evil.example/{MARK} onerror=window.{MARK}=1>',
    f"' onmouseover=window.{MARK}=1 x='",
    f"</style></title></textarea><svg/onload=window.{MARK}=1>",
    f"javascript:window.{MARK}=1",
    f"{{{MARK}}} {{0}} {{0.__class__}} %s ${MARK} ${{{MARK}}}",
    f"]]><{MARK}/><![CDATA[",
    f"--><{MARK}><!--",
    f"&{MARK};&#60;b&#62;&lt;{MARK}",
    f"@octocat #1 org/repo#2 :smile: https://evil.example/{MARK} www.evil.example a@evil.example",
    f"![{MARK}](https://evil.example/x.png)[{MARK}](https://evil.example)<https://evil.example>",
    f"`` ` ``` | {MARK} | a || b `|` \\| \\` **bold** ~~x~~ <b>",
    f"\n\n# {MARK}\n\n- [ ] a\n```\n</details>",
    f"\x1b]0;{MARK}\x07\x1b[2J\x1b[31m{MARK}\r\x08\x9b31m",
    f"\u202e{MARK}\u2066\u200b\u200f\ufeff\u061c\u2028\u2029\u0085",
    f"\ud800{MARK}\udfff\udc80\x00\x7f\ufffe\uffff\U0010ffff",
    f"z\u0336\u0337\u0338\u0335\u0334{MARK}\u3164\u2800\ufe0f",
    "x" * 1_000_000 + MARK,
    "`" * 300,
    "$`\\frac{1}{0}`$ $$x$$",
    "",
    " ",
]
"""What a client may send where a path or an agent is expected."""


def hostile() -> Report:
    """A report in which every text is one of the payloads, in turn."""
    texts = cycle(PAYLOADS)

    def text() -> str:
        return next(texts)

    def bad() -> list[Sample]:
        return [
            Sample(-(10**30) if n else 10**30, text(), -n, text(), text(), text(), text(), text(), text(), 999)
            for n in range(3)
        ]

    report = usual()
    rules = [RuleTally(text(), text(), text(), 10, 1, 1, 1, 1, text(), bad(), text(), -5) for _ in range(12)]
    tallies = [[Tally(text(), 10, 2, 3, 1) for _ in range(30)] for _ in range(3)]
    counts = [{text()[:99] + str(n): n for n in range(20)} for _ in range(3)]
    against = Differences(text(), 2, 2, *counts, bad(), bad())
    thresholds = [Threshold(text(), text(), text(), met=n % 3 == 0, samples=bad()) for n in range(22)]
    skipped = {text()[-300:] + str(n): n for n in range(22)}
    return Report(
        text(),
        [text() for _ in range(22)],
        100,
        80,
        10,
        5,
        20,
        5,
        -5,
        10**30,
        rules,
        *tallies,
        report.spans,
        against,
        thresholds,
        skipped,
        [(text(), n, text(), text()) for n in range(22)],
        [text() for _ in range(22)],
        -1,
        -1,
        math.nan,
        -1,
        10**30,
    )


def huge() -> Report:
    """A trillion requests of a thousand rules."""
    report = usual()
    million = 10**6
    for name in ("requests", "allowed", "denied", "would_deny"):
        setattr(report, name, getattr(report, name) * million)
    report.spans = [Span(BEGAN + n * HOUR, 10**9 + n, 10**6 * n, n) for n in range(24 * 365)]
    long = "/".join(["x" * 90] * 7)
    report.rules = [
        RuleTally(
            f"rule-{n} {long}", "RATE_LIMIT", "LIVE", 10**12, 10**9 - n, samples=samples(f"rule-{n}", long, long, 5)
        )
        for n in range(1_000)
    ]
    for name in ("routes", "clients", "reasons"):
        setattr(report, name, [Tally(f"{n} {long}", 10**12, 10**11, 10**10, 5) for n in range(1_000)])
    report.thresholds = [
        Threshold(f"--must-allow {n}", long, long, met=False, samples=samples("x", long, long, 5)) for n in range(1_000)
    ]
    report.skipped = {f"{n} {long}": n for n in range(1_000)}
    report.notes = [long] * 1_000
    report.files = [long] * 1_000
    return report


def one() -> Report:
    """One request, and no time of it."""
    return Report(
        "policy.toml",
        ["-"],
        1,
        0,
        1,
        rules=[RuleTally("a", "BOT", "LIVE", 1, 1, samples=[Sample(0, "-", 1, "", "", "", "", "a", "")])],
        spans=[Span(0, 0, 1, 0)],
        lines=1,
    )


REPORTS = {"usual": usual, "empty": lambda: Report(""), "one": one, "huge": huge, "hostile": hostile}
