"""Rule ids and fingerprints as Arcjet's SDK for JavaScript makes them, written down apart from doorward's.

It serves a remembered refusal only where the service returns the same ones. What is here was read in its source and
checked against what it sends.
"""

from __future__ import annotations

import hashlib
from typing import Any

BUILT_IN = ("ip.src", "http.host", "http.method", "http.request.uri.path")


def rule_id(rule: dict[str, Any], characteristics: list[str]) -> str:
    """The id of a rule that is on the wire, from a client with such characteristics of its own."""
    ((kind, options),) = rule.items()
    fields = FIELDS[kind](options, options.get("characteristics") or characteristics)
    mode = options["mode"].removeprefix("MODE_")
    return hashed([("type", TYPES[kind]), ("version", 0), ("mode", mode), *fields])


def hashed(fields: list[tuple[str, Any]]) -> str:
    """SHA-256 of all fields, a comma after each."""
    return hashlib.sha256("".join(f"{name}:{written(value)}," for name, value in fields).encode()).hexdigest()


def written(value: Any) -> str:
    if isinstance(value, list):
        return "[" + "".join(written(item) + "," for item in sorted(value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    return str(value).lower()


def fingerprint(details: dict[str, Any], characteristics: list[str]) -> str:
    """``fp::2::``, and SHA-256 of what the characteristics are, with nothing between them."""
    own = sorted(set(characteristics) - {"ip.src"})
    assert not set(own) & set(BUILT_IN), "the plan has none of these"
    parts = [f"ip{details['ip']}"] if not characteristics or "ip.src" in characteristics else []
    parts += [f"userdefined{name}{details['extra'][name]}" for name in own]
    return "fp::2::" + hashlib.sha256("".join(parts).encode()).hexdigest()


def _limit(options: dict[str, Any], characteristics: list[str]) -> list[tuple[str, Any]]:
    algorithm = options["algorithm"].removeprefix("RATE_LIMIT_ALGORITHM_")
    numbers = {
        "TOKEN_BUCKET": [("refillRate", "refillRate"), ("interval", "interval"), ("capacity", "capacity")],
        "FIXED_WINDOW": [("max", "max"), ("window", "windowInSeconds")],
        "SLIDING_WINDOW": [("max", "max"), ("interval", "interval")],
    }[algorithm]
    counted = [(name, options.get(field, 0)) for name, field in numbers]
    return [("algorithm", algorithm), ("characteristics", characteristics), ("match", ""), *counted]


def _lists(options: dict[str, Any], _: list[str]) -> list[tuple[str, Any]]:
    return [("allow", options.get("allow", [])), ("deny", options.get("deny", []))]


def _email(options: dict[str, Any], _: list[str]) -> list[tuple[str, Any]]:
    lists = [(name, [item.removeprefix("EMAIL_TYPE_") for item in items]) for name, items in _lists(options, _)]
    names = ("requireTopLevelDomain", "allowDomainLiteral")
    return [*lists, *((name, options.get(name, False)) for name in names)]


FIELDS = {
    "rateLimit": _limit,
    "botV2": _lists,
    "email": _email,
    "filter": _lists,
    "sensitiveInfo": _lists,
    "shield": lambda _, characteristics: [("characteristics", characteristics)],
    "promptInjectionDetection": lambda *_: [],
}
TYPES = {
    "rateLimit": "RATE_LIMIT",
    "botV2": "BOT",
    "email": "EMAIL",
    "filter": "FILTER",
    "sensitiveInfo": "SENSITIVE_INFO",
    "shield": "SHIELD",
    "promptInjectionDetection": "PROMPT_INJECTION_DETECTION",
}
