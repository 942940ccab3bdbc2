"""Why a rule concluded what it did, read from the wire's JSON. Applications sent parts of it: any shape goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.reason import BotReason, EmailReason, FilterReason, RateLimitReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def explain(reason: object) -> tuple[str, str]:
    """The kind of a reason, and the reason as an English sentence part; both empty where there is none."""
    if not isinstance(reason, dict) or not reason:
        return "", ""
    kind, fields = next(iter(reason.items()))
    name, tell = _KINDS.get(str(kind), (str(kind), _any))
    try:
        return name, tell(fields if isinstance(fields, dict) else {})
    except (TypeError, ValueError, OverflowError):
        return name, _any(reason)


def _rate_limit(fields: Mapping[str, Any]) -> str:
    most, left = int(fields.get("max", 0)), int(fields.get("remaining", 0))
    reset = float(fields.get("resetSeconds", fields.get("resetInSeconds", 0)))
    window = float(fields.get("windowInSeconds", 0))
    return RateLimitReason(most, left, reset, window, 0, str(fields.get("degraded", ""))).explain()


def _bot(fields: Mapping[str, Any]) -> str:
    allowed, denied, evidence = (_texts(fields.get(name)) for name in ("allowed", "denied", "evidence"))
    return BotReason(allowed, denied, bool(fields.get("verified")), bool(fields.get("spoofed")), evidence).explain()


def _shield(fields: Mapping[str, Any]) -> str:
    found = [finding for finding in fields.get("findings") or [] if isinstance(finding, dict)]
    if found:
        parts = [f"{f.get('family', '')} in {f.get('place', '')}: {f.get('reason', '')}" for f in found[:3]]
        return f"{'; '.join(parts)} (weight {float(fields.get('weight', 0)):g})"
    if fields.get("shieldTriggered"):
        return "the client's suspicious requests add up"
    return "suspicious" if fields.get("suspicious") else "nothing suspicious"


def _email(fields: Mapping[str, Any]) -> str:
    types = tuple(text.removeprefix("EMAIL_TYPE_") for text in _texts(fields.get("emailTypes")))
    return EmailReason(types, str(fields.get("detail", ""))).explain()


def _filter(fields: Mapping[str, Any]) -> str:
    matched = _texts(fields.get("matchedExpressions") or [fields.get("matchedExpression") or ()])
    return FilterReason(matched, _texts(fields.get("undeterminedExpressions"))).explain()


def _rule(fields: Mapping[str, Any]) -> str:
    return ": ".join(str(fields[name]) for name in ("rule", "message") if fields.get(name)) or "no rule objected"


def _any(fields: Mapping[str, Any]) -> str:
    return str(fields.get("message") or "") or ", ".join(f"{name}: {value}" for name, value in fields.items())


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value if item) if isinstance(value, list) else ()


_KINDS: dict[str, tuple[str, Callable[[Mapping[str, Any]], str]]] = {
    "rateLimit": ("RATE_LIMIT", _rate_limit),
    "bot": ("BOT", _any),
    "botV2": ("BOT", _bot),
    "shield": ("SHIELD", _shield),
    "email": ("EMAIL", _email),
    "filter": ("FILTER", _filter),
    "rule": ("RULE", _rule),
    "challenge": ("CHALLENGE", _rule),
    "error": ("ERROR", _any),
    "sensitiveInfo": ("SENSITIVE_INFO", _any),
    "promptInjection": ("PROMPT_INJECTION", _any),
    "edgeRule": ("EDGE_RULE", _any),
}
