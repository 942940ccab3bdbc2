"""From a decision to the wire: every field that Arcjet's SDKs read, and doorward's own for its own client only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from doorward.address_facts import KINDS
from doorward.decision import ALLOWED, Conclusion
from doorward.reason import (
    BotReason,
    ChallengeReason,
    EmailReason,
    RateLimitReason,
    RuleReason,
    ShieldReason,
    whole_seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.address_facts import AddressFacts
    from doorward.decision import RuleResult
    from doorward.reason import Reason

_UINT32 = 2**32 - 1
_NOTHING_FOUND: dict[str, dict[str, Any]] = {
    "SHIELD": {"shield": {"shieldTriggered": False, "suspicious": False}},
    "BOT": {"botV2": {"allowed": [], "denied": [], "verified": False, "spoofed": False}},
    "EMAIL": {"email": {"emailTypes": []}},
    "FILTER": {"filter": {"matchedExpressions": [], "undeterminedExpressions": []}},
    "RATE_LIMIT": {"rateLimit": {"max": 0, "remaining": 0, "resetInSeconds": 0, "windowInSeconds": 0}},
}
"""What Arcjet's SDKs read of a rule that came to nothing, or did not run."""
_REFUSED: dict[str, Any] = {"shield": {"shieldTriggered": True, "suspicious": True}}


def result(found: RuleResult) -> dict[str, Any]:
    """A rule's result for doorward's own client, and for the log."""
    answer = _common(found, own_reason(found.reason), found.fingerprint, ttl_of(found))
    answer["rule"] = found.rule
    if found.note:
        answer["note"] = found.note
    return answer


def charged(answer: dict[str, Any], charges: Sequence[str]) -> dict[str, Any]:
    """``answer`` with what was charged."""
    return {**answer, "reason": {"rateLimit": {**answer["reason"]["rateLimit"], "charges": list(charges)}}}


def arcjet_result(found: RuleResult, kind: str, fingerprint: str, *, lasting: bool = True) -> dict[str, Any]:
    """A rule's result for Arcjet's SDKs.

    Args:
        found: The result.
        kind: Of the rule.
        fingerprint: ``fp::2::…``
        lasting: Whether the same client is refused again, whatever it asks for.
    """
    reason = arcjet_reason(found.reason, found.conclusion, kind)
    return _common(found, reason, fingerprint, ttl_of(found) if lasting else 0)


def _common(found: RuleResult, reason: dict[str, Any], fingerprint: str, ttl: int) -> dict[str, Any]:
    return {
        "ruleId": found.rule_id,
        "state": f"RULE_STATE_{found.state}",
        "conclusion": f"CONCLUSION_{found.conclusion}",
        "reason": reason,
        "ttl": ttl,
        "fingerprint": fingerprint,
    }


def ttl_of(found: RuleResult) -> int:
    """Seconds for which a refusal may be remembered: of limits, of what adds up for shield, of bans; if it is live.

    Not what the limiter of this process said while the store was away: the next process may say otherwise.
    """
    reason: Any = found.reason
    if not found.decides or found.conclusion is not Conclusion.DENY or getattr(reason, "degraded", False):
        return 0
    lasts = isinstance(reason, RateLimitReason) or getattr(reason, "retry_seconds", 0.0) > 0
    return min(max(0, found.ttl), _UINT32) if lasts else 0


# --- reasons


def own_reason(reason: Reason) -> dict[str, Any]:
    """A reason with everything in it."""
    if isinstance(reason, RateLimitReason):
        return {"rateLimit": {**_limit(reason), "resetSeconds": _finite(reason.reset_seconds), **_degraded(reason)}}
    if isinstance(reason, ShieldReason):
        return {"shield": {**_shield(reason), "weight": reason.weight, "findings": _findings(reason)}}
    if isinstance(reason, RuleReason):
        return {"rule": {**reason.to_wire(), "retrySeconds": _finite(reason.retry_seconds)}}
    return {reason.wire: dict(reason.to_wire())}


def arcjet_reason(reason: Reason, conclusion: Conclusion, kind: str = "") -> dict[str, Any]:
    """A reason of a kind that Arcjet's SDKs know, with the fields that they know."""
    if isinstance(reason, RuleReason | ChallengeReason):
        if conclusion in (Conclusion.DENY, Conclusion.CHALLENGE):
            return _REFUSED
        return _NOTHING_FOUND.get(kind, _NOTHING_FOUND["SHIELD"])
    if isinstance(reason, RateLimitReason):
        return {"rateLimit": {**_limit(reason), **_reset_time(reason)}}
    if isinstance(reason, ShieldReason):
        return {"shield": _shield(reason)}
    if isinstance(reason, EmailReason):
        known = dict.fromkeys(["FREE" if name == "RELAY" else name for name in reason.email_types])
        return {"email": {"emailTypes": [f"EMAIL_TYPE_{name}" for name in known]}}
    fields = {reason.wire: dict(reason.to_wire())}
    if isinstance(reason, BotReason):
        fields[reason.wire].pop("evidence", None)
    return fields


def _limit(reason: RateLimitReason) -> dict[str, Any]:
    return {
        "max": min(reason.max, _UINT32),
        "remaining": min(reason.remaining, _UINT32),
        "resetInSeconds": min(whole_seconds(_finite(reason.reset_seconds)), _UINT32),
        "windowInSeconds": min(whole_seconds(_finite(reason.window_seconds)), _UINT32),
    }


def _reset_time(reason: RateLimitReason) -> dict[str, str]:
    """When the limit is as good as new, as RFC 3339 has it; nothing where a calendar does not reach."""
    try:
        due = datetime.fromtimestamp(reason.now_ns // 10**9, UTC) + timedelta(
            seconds=whole_seconds(reason.reset_seconds)
        )
    except (OverflowError, ValueError, OSError):
        return {}
    return {"resetTime": due.strftime("%Y-%m-%dT%H:%M:%SZ")} if reason.now_ns else {}


def _degraded(reason: RateLimitReason) -> dict[str, str]:
    return {"degraded": reason.degraded} if reason.degraded else {}


def _shield(reason: ShieldReason) -> dict[str, Any]:
    return {"shieldTriggered": reason.shield_triggered, "suspicious": reason.suspicious}


def _findings(reason: ShieldReason) -> list[dict[str, Any]]:
    """What was found, without anything that the visitor sent: names of parameters are the visitor's too."""
    return [
        {"family": str(found.family), "place": str(found.place), "reason": found.reason, "weight": found.weight}
        for found in reason.findings
    ]


def _finite(number: float) -> float:
    return number if isfinite(number) else float(_UINT32)


# --- decisions


def arcjet_decision_reason(reason: Reason, conclusion: Conclusion, results: Sequence[RuleResult]) -> dict[str, Any]:
    """The reason of a whole decision for Arcjet's SDKs: of one that nothing objected to, what a rule came to."""
    if reason is ALLOWED:
        known = (found.reason for found in results if found.decides and not isinstance(found.reason, RuleReason))
        reason = next(known, reason)
    return arcjet_reason(reason, conclusion)


_FLAGS = {kind: "isAbuser" if kind == "abuse" else f"is{kind.capitalize()}" for kind in KINDS[:6]}
_NUMBERS = {"latitude": float, "longitude": float, "accuracy_radius": int}
_TEXTS = (
    "timezone", "postal_code", "city", "region", "country", "country_name", "continent", "continent_name", "asn",
    "asn_name", "asn_domain", "asn_type", "asn_country", "service",
)  # fmt: skip


def ip_details(facts: AddressFacts) -> dict[str, Any]:
    """What is known about an address; what is not known is left out."""
    details = _place(facts.place) if facts.place else {}
    for kind_of_address, name in _FLAGS.items():
        holds = facts.is_kind(kind_of_address)
        if holds is not None:
            details[name] = holds
    return details


def _place(place: Mapping[str, str]) -> dict[str, Any]:
    details: dict[str, Any] = {_camel(name): place[name] for name in _TEXTS if place.get(name)}
    for name, kind in _NUMBERS.items():
        if (number := _read(place, name, kind)) is not None:
            details[_camel(name)] = number
    return details


def _read(place: Mapping[str, str], name: str, kind: Any) -> float | int | None:
    try:
        number = kind(float(place[name]))
    except (KeyError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _camel(name: str) -> str:
    return name[0] + name.title().replace("_", "")[1:]


__all__ = [
    "arcjet_decision_reason",
    "arcjet_reason",
    "arcjet_result",
    "charged",
    "ip_details",
    "own_reason",
    "result",
    "ttl_of",
]
