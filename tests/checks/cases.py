"""For each code a client that it is about, and one that is nearly so: see test_codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any, NamedTuple

from doorward import (
    Doorward,
    allow,
    deny,
    detect_bot,
    filter_request,
    fixed_window,
    rate_limit,
    shield,
    sliding_window,
    token_bucket,
    validate_email,
    weigh,
)
from doorward.client_ip import Proxies

TODAY = date(2026, 9, 1)
GOOD = "Zx3kQ9vT7mWc2LpRbYd8HsNf"
SERVICE = {"service": "http://127.0.0.1:8710", "key": GOOD}
FLY, HEROKU = {"FLY_APP_NAME": "shop"}, {"DYNO": "web.1"}


class Case(NamedTuple):
    """A client and its surroundings.

    Attributes:
        rules: Its rules.
        options: Its options.
        environ: The environment variables of its process.
        command: Its command line.
        known: What there is data for, and the day of the data; None for what there really is.
        about: The rule that the finding names; empty for the client.
        level: Of the finding, where that is not the code's.
    """

    rules: Sequence[Any] = ()
    options: Mapping[str, Any] = {}
    environ: Mapping[str, str] = {}
    command: Sequence[str] = ()
    known: Mapping[str, str] | None = None
    about: str = ""
    level: str = ""

    def client(self) -> Doorward:
        """The client."""
        return Doorward(self.rules, **self.options)


class Known:
    """Data about addresses: kinds, and the day of each."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self.kinds = kinds

    def missing(self, wanted: Any) -> str:
        lacking = sorted(set(wanted) - set(self.kinds))
        return f"there is no data about {', '.join(lacking)}; what brings it: doorward data update" if lacking else ""

    def open(self) -> Any:
        return SimpleNamespace(sources=self.sources)

    def sources(self) -> Any:
        return [
            SimpleNamespace(known={kind}, meta=SimpleNamespace(sources=[SimpleNamespace(date=day)]))
            for kind, day in self.kinds.items()
        ]


def limit(most: int = 100, interval: str = "1m", **options: Any) -> Any:
    return sliding_window(max=most, interval=interval, **options)


def rules(*given: Any, about: str = "", level: str = "", **options: Any) -> Case:
    return Case(given, options, about=about, level=level)


def around(environ: Mapping[str, str] | None = None, command: Sequence[str] = (), **options: Any) -> Case:
    """A client with one limit in these surroundings."""
    return Case([limit()], options, environ or {}, command)


ADMIN = ["/admin/*"]

TRIGGERS: dict[str, list[Case]] = {
    "DW001": [rules(limit(methods=["POST"], paths=["GET /login", "/x"]), about="sliding_window")],
    "DW002": [
        rules(limit(paths=["re:users/.*"]), about="sliding_window"),
        rules(limit(paths=["/search?q=*"]), about="sliding_window"),
        rules(limit(paths=["/users/{user_id}/edit"]), about="sliding_window"),
        rules(limit(paths=["POST /users/<int:id>"]), about="sliding_window"),
        rules(limit(paths=["/users/:id"]), about="sliding_window"),
        rules(limit(paths=["/a%20b"]), about="sliding_window"),
    ],
    "DW003": [rules(limit(methods=["OPTIONS"]), about="sliding_window")],
    "DW004": [
        rules(deny(paths=ADMIN), limit(paths=["/admin/login"]), about="sliding_window"),
        rules(deny(paths=ADMIN), deny(paths=["/admin/x"], ip="192.0.2.1", name="one"), about="one"),
        rules(deny(methods=["TRACE"]), shield(methods=["TRACE"]), about="shield"),
    ],
    "DW005": [
        rules(allow(paths=["/feed*"]), detect_bot(allow=[], paths=["/feed.xml"]), about="bot"),
        rules(allow(ip="10.0.0.0/8", ends=["RULE"]), deny(ip="10.1.2.3"), about="deny"),
    ],
    "DW006": [rules(limit(paths=["/api/x"]), limits={"/api/*": "5/minute"}, about="sliding_window")],
    "DW007": [
        rules(deny(ip="10.0.0.0/8"), deny(ip=["10.1.0.0/16", "10.2.0.1..10.2.0.9"], name="later"), about="later"),
        rules(
            filter_request(deny=["ip.src.tor", 'http.host eq "x"']),
            filter_request(deny=["ip.src.tor"], paths=["/a"], name="later"),
            about="later",
        ),
        rules(
            validate_email(deny=["DISPOSABLE", "FREE"]),
            validate_email(deny=["FREE"], name="later"),
            about="later",
        ),
        rules(detect_bot(allow=[]), detect_bot(deny=["CATEGORY:AI"], name="later"), about="later"),
        rules(shield(), shield(paths=["/a"], name="later"), about="later"),
        rules(allow(ip="10.0.0.0/8"), allow(ip="10.0.0.1", name="later"), about="later"),
    ],
    "DW008": [rules(weigh(5, ip="192.0.2.1"), about="weigh"), rules(weigh(5, ip="192.0.2.1"), thresholds={"DENY": 6})],
    "DW011": [
        rules(allow(ip="192.0.2.1", paths=ADMIN), deny(paths=ADMIN), about="allow"),
        rules(deny(paths=ADMIN), allow(ip="192.0.2.1", paths=["/admin/x"], ends=["RULE"]), about="allow"),
    ],
    "DW012": [
        rules(detect_bot(allow=["GOOGLE_CRAWLER"], name="first"), detect_bot(deny=["CATEGORY:GOOGLE"]), about="first"),
        rules(detect_bot(allow=["CATEGORY:AI"], paths=["/a"], name="first"), detect_bot(allow=[]), about="first"),
        rules(detect_bot(allow=["UNKNOWN_BOT"], name="first"), detect_bot(allow=[]), about="first"),
    ],
    "DW013": [
        rules(validate_email(allow=["FREE", "INVALID"]), about="email"),
        rules(validate_email(deny=["FREE"]), validate_email(allow=["FREE"], name="later"), about="later"),
    ],
    "DW014": [
        rules(
            filter_request(allow='http.host eq "a"', name="only"),
            filter_request(deny=['http.host eq "a"', "ip.src.tor"]),
            about="only",
        )
    ],
    "DW021": [
        rules(deny(paths=["/*"]), about="deny", level="error"),
        rules(allow(paths=["re:(?s).*"]), about="allow"),
        rules(limit(paths=["/login", "**"]), about="sliding_window"),
        rules(deny(ip=["192.0.2.1", "0.0.0.0/0"]), about="deny"),
        rules(deny(where='http.request.uri.path matches "^.*"'), about="deny"),
        rules(filter_request(deny='http.host wildcard "*"'), about="filter"),
        rules(limits={"/*": "5/minute"}, about="/*"),
    ],
    "DW022": [
        rules(limit(paths=["re:^/admin"]), about="sliding_window"),
        rules(limit(paths=[re.compile(r"/api/v1\.0/")]), about="sliding_window"),
    ],
    "DW023": [
        rules(filter_request(allow='http.request.uri.path matches "/public"'), about="filter"),
        rules(deny(where='lower(http.request.uri.path) ~ r"/wp-admin"'), about="deny", level="note"),
    ],
    "DW024": [
        rules(allow(where='http.host matches "^www.example.com$"'), about="allow"),
        rules(filter_request(deny=r'not http.host matches r"^api\.example.org$"'), about="filter"),
        rules(filter_request(allow=r'http.host matches "^www\.example\.com"'), about="filter"),
        rules(filter_request(allow='http.host contains "example.com"'), about="filter"),
    ],
    "DW025": [
        rules(shield(exclude=["/*"]), about="shield"),
        rules(shield(exclude=[{"path": ["/x", "/**"]}]), about="shield"),
    ],
    "DW031": [
        rules(limit(5, "1m", name="minute"), limit(10_000, "1d", name="day"), about="day"),
        rules(
            rate_limit("5/minute", name="all"), rate_limit("10/minute", name="login", paths=["/login"]), about="login"
        ),
        rules(
            limit(5, characteristics=["ip.src"], name="one"),
            limit(5, characteristics=["ip.src", "userId"], name="two"),
            about="two",
        ),
        rules(
            fixed_window(max=10, window="1m", name="minute"),
            fixed_window(max=600, window="1h", name="hour", cost=1),
            about="hour",
        ),
    ],
    "DW032": [
        rules(limit(10_000_000, 60), about="sliding_window"),
        rules(token_bucket(capacity=10, refill_rate=1_000_000, interval="1s"), about="token_bucket"),
    ],
    "DW033": [
        rules(fixed_window(max=1, window="1d"), about="fixed_window"),
        rules(limit(20, "1d", cost=10), about="sliding_window"),
    ],
    "DW034": [rules(limit(5, cost=3), about="sliding_window")],
    "DW035": [
        rules(limit(characteristics=["http.host"]), about="sliding_window"),
        rules(limit(characteristics=['http.request.headers["Host"]', "http.method"]), about="sliding_window"),
    ],
    "DW036": [
        rules(limit(characteristics=['http.request.headers["X-Forwarded-For"]']), about="sliding_window"),
        rules(limit(characteristics=['http.request.headers["user-agent"]', "http.host"]), about="sliding_window"),
    ],
    "DW041": [
        around({"WEB_CONCURRENCY": "4"}),
        around({}, ["/usr/bin/gunicorn", "--workers", "3", "app:app"]),
        around(workers=2),
    ],
    "DW042": [
        around(FLY),
        around({"RENDER": "true"}, proxies=()),
        around(HEROKU, proxies=()),
        around({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, proxies=Proxies([])),
    ],
    "DW043": [around(proxies="fly")],
    "DW044": [
        around({"FORWARDED_ALLOW_IPS": "*"}),
        around({}, ["uvicorn", "--forwarded-allow-ips=*", "app:app"]),
        around({}, ["uvicorn", "app:app", "--forwarded-allow-ips", "*"]),
    ],
    "DW045": [
        around({"DOORWARD_ENV": "Development", **HEROKU}),
        around({"DOORWARD_ENV": "development", "WEB_CONCURRENCY": "2"}),
    ],
    "DW046": [
        around({"DOORWARD_MODE": "off"})._replace(level="error"),
        around({"DOORWARD_MODE": "dry-run"}),
    ],
    "DW047": [around(service="http://doorward.example.com", key=GOOD), around(service="http://9.9.9.9:80", key=GOOD)],
    "DW048": [
        around(secret="changeme"),
        around(secret=b"0123456"),
        around(secret="django-insecure-my-secret-for-now"),
        around(secret="aaaaaaaabbbbbbbbaaaaaaaabbbbbbbb"),
    ],
    "DW049": [around(service="http://127.0.0.1:8710", key="dwk_example")],
    "DW050": [
        Case([limit(on_error="deny")], {"store": "redis://127.0.0.1:1/0"}, about="sliding_window"),
        Case([limit(on_error="deny")], SERVICE, about="sliding_window"),
        Case([validate_email(deny=["NO_MX_RECORDS"])], {"on_error": "deny"}, about="email"),
    ],
    "DW051": [around(timeout=10, **SERVICE), rules(validate_email(deny=["NO_MX_RECORDS"]), timeout="3s")],
    "DW061": [Case([deny(ip=["tor", "abuse"])], known={"abuse": "2026-09-01"}, about="deny")],
    "DW062": [
        Case([deny(ip=["tor"])], known={"tor": "2026-07-01"}, about="deny"),
        Case([deny(ip=["country:DE"])], known={"country": "2024-07-01"}, about="deny"),
    ],
    "DW071": [rules(limit(), mode="DRY_RUN"), rules(limit(mode="DRY_RUN"), shield(mode="DRY_RUN"))],
    "DW072": [rules(limit(mode="DRY_RUN", dry_run_since="2026-07-01"), about="sliding_window")],
    "DW073": [rules(limit(mode="DRY_RUN"), about="sliding_window")],
}

NEAR_MISSES: dict[str, list[Case]] = {
    "DW001": [
        rules(limit(methods=["POST"], paths=["POST /login", "/x"])),
        rules(limit(methods=["HEAD"], paths=["GET /"])),
    ],
    "DW002": [
        rules(limit(paths=["re:/users/.*", "/report-?.pdf", "/users/*/edit", "/a:b", "/100%", "*/x", "/<3"])),
        rules(limit(paths=["re:/users/(?P<id>[0-9]{1,5})", "re:/search.?q"])),
    ],
    "DW003": [rules(limit(methods=["OPTIONS", "GET"])), rules(limit(paths=["OPTIONS,POST /x"]))],
    "DW004": [
        rules(deny(paths=ADMIN), limit(paths=["/admin"])),
        rules(deny(paths=ADMIN, mode="DRY_RUN"), limit(paths=["/admin/login"])),
        rules(deny(paths=ADMIN, ip="192.0.2.1"), limit(paths=["/admin/login"])),
        rules(deny(paths=ADMIN, methods=["POST"]), limit(paths=["/admin/login"])),
        rules(allow(ip="192.0.2.1", ends=["RULE"]), deny(paths=ADMIN), limit(paths=["/admin/login"])),
    ],
    "DW005": [
        rules(allow(paths=["/feed*"]), detect_bot(allow=[], paths=["/f*"])),
        rules(allow(paths=["/feed*"]), limit(paths=["/feed.xml"])),
        rules(allow(paths=["/feed*"], ip="192.0.2.1"), detect_bot(allow=[], paths=["/feed.xml"])),
        rules(allow(paths=["/feed*"], mode="DRY_RUN"), detect_bot(allow=[], paths=["/feed.xml"])),
    ],
    "DW006": [
        rules(limit(paths=["/a*"]), limits={"/api/*": "5/minute"}),
        rules(limit(paths=["/api/x"]), limits={"/api/*": lambda _: None}),
    ],
    "DW007": [
        rules(deny(ip="10.1.0.0/16"), deny(ip="10.0.0.0/8")),
        rules(deny(ip="10.0.0.0/8", mode="DRY_RUN"), deny(ip="10.1.0.0/16")),
        rules(deny(ip="10.0.0.0/8", paths=["/a"]), deny(ip="10.0.0.1")),
        rules(validate_email(deny=["FREE"]), validate_email(deny=["FREE", "DISPOSABLE"])),
        rules(detect_bot(deny=["CATEGORY:AI"]), detect_bot(deny=["CATEGORY:GOOGLE"])),
        rules(detect_bot(allow=[], lists=False), detect_bot(deny=["CATEGORY:AI"])),
        rules(shield(), shield(paranoia=2)),
        rules(filter_request(deny=["ip.src.tor"]), filter_request(allow=["ip.src.tor"])),
        rules(allow(ip="10.0.0.0/8"), allow(ip="10.0.0.1", ends=["RATE_LIMIT"])),
        rules(weigh(5, ip="10.0.0.0/8"), weigh(5, ip="10.0.0.1"), thresholds={"DENY": 10}),
    ],
    "DW008": [
        rules(weigh(5, ip="192.0.2.1"), weigh(5, ip="192.0.2.0/24"), thresholds={"DENY": 10}),
        rules(weigh(5, ip="192.0.2.1", mode="DRY_RUN")),
    ],
    "DW011": [
        rules(allow(ip="192.0.2.1", paths=ADMIN, ends=["RULE"]), deny(paths=ADMIN)),
        rules(allow(ip="192.0.2.1"), deny(paths=ADMIN)),
        rules(allow(ip="192.0.2.1", paths=ADMIN), deny(paths=ADMIN, ip="192.0.2.2")),
        rules(allow(ip="192.0.2.1", paths=ADMIN), deny(paths=ADMIN, mode="DRY_RUN")),
    ],
    "DW012": [
        rules(detect_bot(allow=["CATEGORY:GOOGLE"]), detect_bot(deny=["GOOGLE_CRAWLER"])),
        rules(detect_bot(allow=["CATEGORY:AI"]), detect_bot(allow=[], paths=["/admin/*"])),
        rules(detect_bot(allow=["CATEGORY:AI"]), detect_bot(allow=[], mode="DRY_RUN")),
    ],
    "DW013": [
        rules(validate_email(deny=["FREE", "INVALID"])),
        rules(validate_email(deny=["FREE"], paths=["/pro"]), validate_email(allow=["FREE"])),
        rules(validate_email(deny=["DISPOSABLE"]), validate_email(allow=["FREE"])),
    ],
    "DW014": [
        rules(filter_request(allow=['http.host eq "a"', 'http.host eq "b"']), filter_request(deny='http.host eq "a"')),
        rules(filter_request(allow='http.host eq "a"'), filter_request(deny='http.host eq "a"', paths=["/x"])),
    ],
    "DW021": [
        rules(deny(paths=["/*/x", "/a*"]), allow(paths=["/a/*"]), limit(paths=["/api/*", "POST /*"])),
        rules(deny(ip=["10.0.0.0/8"])),
        rules(filter_request(deny='http.request.headers["x"] matches ".*"')),
        rules(deny(where='http.request.uri.path matches "^/a.*"'), deny(where='http.request.uri.path matches "^$"')),
        rules(deny(paths=["re:/[a-z]*"])),
    ],
    "DW022": [rules(limit(paths=["re:^/admin/.*", "re:^/admin$", "re:/(?:a|b)", "/admin"]))],
    "DW023": [
        rules(filter_request(allow='http.request.uri.path matches "^/public"')),
        rules(deny(where=r'http.request.uri.path matches "/x\.php$"')),
        rules(deny(where='http.request.headers["referer"] matches "/spam"')),
    ],
    "DW024": [
        rules(filter_request(allow=r'http.host matches "^(?:www|api)\.example\.com$"')),
        rules(filter_request(allow='http.host eq "www.example.com"')),
        rules(deny(where='http.host contains "spam.example"')),
        rules(deny(where='http.request.headers["user-agent"] matches "curl.libs"')),
    ],
    "DW025": [
        rules(shield(exclude=["/editor/*", {"path": "/**", "family": "XSS"}, {"parameter": "html"}])),
        rules(shield(exclude=["/a*", {"path": "/b*"}])),
    ],
    "DW031": [
        rules(limit(5, "1m"), limit(100, "1d")),
        rules(limit(5, "1m", paths=["/a"]), limit(10_000, "1d")),
        rules(limit(5, "1m", mode="DRY_RUN"), limit(10_000, "1d")),
        rules(limit(5, "1m", count_when=401), limit(10_000, "1d")),
        rules(limit(5, "1m", characteristics=["userId"]), limit(10_000, "1d")),
        rules(limit(5, "1m"), limit(10_000, "1d", cost=5)),
        rules(limit(5, "1m"), limit(10_000, "1d", scope="shared")),
        rules(token_bucket(capacity=5, refill_rate=5, interval="1m"), limit(7_000, "1d")),
        rules(fixed_window(max=5, window="1m"), limit(5, "1m")),
        rules(limit(5, "1m"), limits={"/login": "10/minute"}),
    ],
    "DW032": [
        rules(limit(1_000_000, "1m"), token_bucket(capacity=50_000, refill_rate=50_000, interval="1s", name="bytes")),
    ],
    "DW033": [
        rules(limit(5, "10m")),
        rules(fixed_window(max=1, window="1d", paths=["POST /report"])),
        rules(fixed_window(max=1, window="1d", count_when=401)),
        rules(fixed_window(max=1, window="1d", characteristics=["userId"])),
        rules(limit(100, "1d"), limit(1, "10s")),
    ],
    "DW034": [rules(limit(6, cost=3)), rules(limit(1)), rules(limit(1, cost=1))],
    "DW035": [rules(limit(characteristics=["http.host", "ip.src"])), rules(limit(characteristics=["userId"]))],
    "DW036": [
        rules(limit(characteristics=['http.request.headers["x-api-key"]'])),
        rules(limit(characteristics=['http.request.headers["user-agent"]', "ip.src"])),
    ],
    "DW041": [
        around({"WEB_CONCURRENCY": "1"}),
        around({}, ["/usr/bin/python", "--workers", "3"]),
        around({"WEB_CONCURRENCY": "4"}, store="redis://127.0.0.1:1/0"),
        around({"WEB_CONCURRENCY": "4"}, **SERVICE),
        Case([detect_bot(allow=[])], {}, {"WEB_CONCURRENCY": "4"}),
    ],
    "DW042": [
        around(FLY, proxies=2),
        around(HEROKU),
        around(HEROKU, proxies=["10.0.0.0/8"]),
        around(proxies=()),
        Case([limit(characteristics=["userId"])], {"characteristics": ["userId"], "proxies": ()}, HEROKU),
    ],
    "DW043": [around(FLY, proxies="private"), around(proxies="private")],
    "DW044": [
        around({"FORWARDED_ALLOW_IPS": "127.0.0.1"}),
        around({}, ["uvicorn", "--forwarded-allow-ips=10.0.0.1"]),
    ],
    "DW045": [around({"DOORWARD_ENV": "development"}), around({"DOORWARD_ENV": "production", **HEROKU})],
    "DW046": [around({"DOORWARD_MODE": "LIVE"}), around({"DOORWARD_MODE": ""})],
    "DW047": [
        around(service="https://doorward.example.com", key=GOOD),
        around(service="http://10.1.2.3:8710", key=GOOD),
        around(service="http://doorward:8710", key=GOOD),
        around(service="http://doorward.shop.svc.cluster.local", key=GOOD),
    ],
    "DW048": [around(), around(secret=GOOD), around(secret=f"test-{GOOD}{GOOD}"), around(secret=bytes(range(16)))],
    "DW049": [around(**SERVICE), around()],
    "DW050": [
        Case([limit(on_error="deny")]),
        Case([limit(on_error="local")], SERVICE),
        Case([limit()], {"on_error": "deny", **SERVICE}),
        Case([validate_email(deny=["FREE"], on_error="deny")]),
        Case([detect_bot(allow=["GOOGLE_CRAWLER"], on_error="deny")]),
        Case([limit(on_error="deny", mode="DRY_RUN")], SERVICE),
    ],
    "DW051": [around(timeout=1, **SERVICE), around(timeout=10)],
    "DW061": [
        Case([deny(ip=["tor"])], known={"tor": "2026-09-01"}),
        Case([deny(ip=["192.0.2.1"])], known={}),
    ],
    "DW062": [
        Case([deny(ip=["tor"])], known={"tor": "2026-08-10"}),
        Case([deny(ip=["country:DE"])], known={"country": "2026-01-01", "tor": "2020-01-01"}),
    ],
    "DW071": [rules(limit(), limit(5, "1s", mode="DRY_RUN")), rules(limit(mode="LIVE"), mode="DRY_RUN"), rules()],
    "DW072": [
        rules(limit(mode="DRY_RUN", dry_run_since=date(2026, 7, 3))),
        rules(limit(mode="LIVE", dry_run_since="2020-01-01")),
    ],
    "DW073": [
        rules(limit(mode="DRY_RUN", dry_run_since="2026-08-31")),
        rules(limit(), mode="DRY_RUN"),  # of the client: DW071
    ],
}
