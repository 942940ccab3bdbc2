"""Good values of every argument of every builder: what files say is held against what code says by these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from doorward.decision import Mode
from doorward.rules.base import Rule
from doorward.rules.limits import Response

COMMON: Mapping[str, list[Any]] = {
    "mode": ["LIVE", "dry-run", "DRY_RUN"],
    "name": ["", "sign up", "a-1"],
    "on_error": ["allow", "deny"],
    "characteristics": [["ip.src"], ["userId", 'http.request.headers["x"]'], []],
    "paths": [["/login"], ["/api/*", "re:/v\\d+/.*", "POST /x"], ["re:/é"], []],
    "methods": [["GET"], ["post", "PUT"], []],
    "dry_run_since": ["2026-08-01"],
}
LIMIT: Mapping[str, list[Any]] = {
    **COMMON,
    "on_error": ["allow", "deny", "local"],
    "scope": ["", "shared"],
    "cost": [1, 2],
    "count_when": [401, [401, 403]],
}
DURATIONS = [60, 0.5, "10m", "1h30m"]
ACCESS: Mapping[str, list[Any]] = {
    **COMMON,
    "ip": ["tor", ["192.0.2.0/24", "country:DE", "asn:64500"], ["192.0.2.1..192.0.2.9", "2001:db8::/32"]],
    "where": ['http.host eq "a.example"', ["ip.src.tor", 'http.request.method eq "GET"']],
    "hosts": ["a.example", ["*.example", "re:^b[.]"]],
    "user_agent": ["*bot*", ["curl/*", "re:(?i)^wget"]],
    "headers": [{"x-a": True, "Accept": "*html*"}, {"via": False, "x": ["1", 2]}],
    "query": [{"debug": "1"}, {"a": True}],
    "cookies": [{"session": False}],
    "form": [{"user": "re:^admin$"}],
    "json": [{"user.role": "admin", "items.*.id": [1, 2.5]}],
    "given": [{"plan": "free"}],
    "bot": ["CATEGORY:AI", ["CURL", "search_engine"]],
    "standing": ["spoofed", ["unchecked", "verified"]],
    "when": [
        {"path": "/a/*"},
        {"any": [{"not": {"header": "accept"}}, {"all": [{"method": ["GET"]}, {"raw_path": "*%2e*"}]}]},
        {"bot": "CURL", "standing": "unverifiable", "ignore_case": True, "ip": "tor"},
    ],
    "ignore_case": [True, False],
}
EMAIL_TYPES = [["DISPOSABLE", "INVALID"], ["free"], []]
BOTS: Mapping[str, list[Any]] = {
    **COMMON,
    "allow": [[], ["CATEGORY:SEARCH_ENGINE"], ["search_engine", "UNKNOWN_BOT"]],
    "deny": [[], ["CATEGORY:AI"]],
    "lists": [True],
    "verified_only": [True, False],
}
EMAIL: Mapping[str, list[Any]] = {
    **COMMON,
    "deny": EMAIL_TYPES,
    "allow": EMAIL_TYPES,
    "block": EMAIL_TYPES,
    "require_top_level_domain": [True, False],
    "allow_domain_literal": [True, False],
    "disposable": ["curated"],
    "gravatar": ["https://avatars.example/a"],
}
VALUES: Mapping[str, Mapping[str, list[Any]]] = {
    "shield": {
        **COMMON,
        "threshold": [1, 2.5],
        "window": DURATIONS,
        "exclude": [
            [],
            ["/docs/*"],
            [{"path": ["/a", "/b"], "family": "xss"}, {"parameter": "q", "carries": "code"}, {"family": ["SQL"]}],
        ],
        "paranoia": [1, 2, 3],
        "body": [True, False],
        "when": ["before", "after"],
    },
    "detect_bot": BOTS,
    "validate_email": EMAIL,
    "protect_signup": {
        "rate_limit": [
            "5/10m",
            {"max": 5, "interval": "10m"},
            [{"max": 5, "window": 60, "name": "w"}, {"refill_rate": 1, "interval": 10, "capacity": 3}, "9/day"],
        ],
        "rate_limits": [["5/10m", {"max": 9, "interval": 3600, "cost": 2}]],
        "bots": [{"allow": []}, {"deny": ["CATEGORY:AI"], "mode": "DRY_RUN"}],
        "email": [{"deny": ["FREE"]}, {"allow": ["FREE"], "name": "mail"}],
        **{name: values for name, values in COMMON.items() if name != "name"},
    },
    "fixed_window": {**LIMIT, "max": [2, 10**15 - 1], "window": DURATIONS},
    "sliding_window": {**LIMIT, "max": [2, 100], "interval": DURATIONS},
    "token_bucket": {**LIMIT, "refill_rate": [1, 5], "interval": DURATIONS, "capacity": [2, 50]},
    "rate_limit": {
        **LIMIT,
        "limit": ["5/minute", "5/minute; 100/day"],
        "algorithm": ["sliding_window", "fixed_window", "token_bucket"],
    },
    "filter_request": {
        **COMMON,
        "allow": [['http.host eq "a.example"'], "ip.src.tor", []],
        "deny": [["ip.src.vpn", "ip.src.tor"], "ip.src.tor", []],
    },
    "allow": {**ACCESS, "ends": [["BOT"], ["bot", "RATE_LIMIT"], []]},
    "deny": ACCESS,
    "challenge": {**ACCESS, "level": ["wait", "HUMAN"], "max_age": DURATIONS},
    "weigh": {**ACCESS, "weight": [1, 0.25, -2]},
    "honeypot": {
        **{name: COMMON[name] for name in ("mode", "name", "on_error", "dry_run_since")},
        "traps": [["/wp-admin/*", "re:/old-\\d+"], ["/.env"]],
        "lasts": DURATIONS,
        "hits": [1, 3],
        "weight": [0, 20, 7.5],
        "network_weight": [0, 2],
    },
    "form_trap": {
        **COMMON,
        "min_seconds": [0, 2.5],
        "action": ["deny", "challenge", "weigh"],
        "weight": [0, 4],
    },
}
APART = [{"allow", "deny", "block"}, {"rate_limit", "rate_limits"}]
"""Arguments of which one at most is given."""
REQUIRED: Mapping[str, list[set[str]]] = {
    "detect_bot": [{"allow"}, {"deny"}],
    "validate_email": [{"allow"}, {"deny"}, {"block"}],
    "fixed_window": [{"max", "window"}],
    "sliding_window": [{"max", "interval"}],
    "token_bucket": [{"refill_rate", "interval", "capacity"}],
    "rate_limit": [{"limit"}],
    "filter_request": [{"allow"}, {"deny"}],
    "weigh": [{"weight"}],
    "honeypot": [{"traps"}],
}
_DATA = ("examiner", "bots", "scanner", "domains", "parse")
_RESPONSES = [Response(status, ()) for status in (200, 401, 403, 500)]


def differences(one: Rule, other: Rule) -> list[str]:
    """The fields in which two rules are not the same."""
    found = [] if type(one) is type(other) else ["type"]
    found += [mode.value for mode in Mode if one.rule_id(mode) != other.rule_id(mode)]
    for field in fields(one):
        ours, theirs = getattr(one, field.name), getattr(other, field.name, None)
        if field.name == "count_when" and ours is not None and theirs is not None:
            same = [ours(each) for each in _RESPONSES] == [theirs(each) for each in _RESPONSES]
        elif field.name in _DATA or field.name.startswith("_"):
            same = type(ours) is type(theirs)
        else:
            same = ours == theirs
        found += [] if same else [field.name]
    return found


def all_differences(ours: tuple[Rule, ...], theirs: tuple[Rule, ...]) -> list[list[str]]:
    """As :func:`differences`, of two rows of rules; empty when there are none."""
    pairs = zip_longest(ours, theirs)
    return [found for a, b in pairs if (found := ["number"] if a is None or b is None else differences(a, b))]


LITERAL = re.compile(r"^```(toml|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""Blocks of policies in a page of the documentation."""
