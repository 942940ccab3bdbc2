"""Reasons as clients tell them, read back: what nobody knows is dropped, what does not fit is moved into its range."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from doorward.decision import ALLOWED, Conclusion, RuleResult, State
from doorward.levels import DEFAULT_LEVEL, Level
from doorward.printable import printable
from doorward.reason import (
    BotReason,
    ChallengeReason,
    EmailReason,
    ErrorReason,
    FilterReason,
    RateLimitReason,
    RuleReason,
    ShieldReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doorward.reason import Reason
    from doorward.service import messages

_MOST_ITEMS = 20
_LONGEST = 200
_UINT32 = 2**32 - 1


def result_of(told: messages.RuleResult) -> RuleResult:
    """A result that a client tells of."""
    return RuleResult(
        printable(told.rule, 100),
        printable(told.rule_id, 100),
        State.__members__.get(told.state.value, State.NOT_RUN),
        conclusion_of(told.conclusion),
        reason_of(told.reason),
        printable(told.fingerprint, 100),
        told.ttl,
        printable(told.note),
    )


def conclusion_of(told: messages.Conclusion) -> Conclusion:
    """A conclusion; what is none is an ERROR."""
    return Conclusion.__members__.get(told.value, Conclusion.ERROR)


def reason_of(told: messages.Reason) -> Reason:
    """A reason; that nothing objected, where nothing of it is known."""
    for name, read in _READERS.items():
        fields = getattr(told, name)
        if fields is not None:
            return read(fields)
    return ALLOWED


def _number(value: Any, largest: float = _UINT32) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(0.0, number), largest) if isfinite(number) else 0.0


def _text(value: Any) -> str:
    return printable(value, _LONGEST) if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple([_text(item) for item in value[:_MOST_ITEMS]]) if isinstance(value, list) else ()


def _limit(fields: Mapping[str, Any]) -> Reason:
    reset = fields.get("resetSeconds") or fields.get("resetInSeconds", 0)
    return RateLimitReason(
        int(_number(fields.get("max", 0))),
        int(_number(fields.get("remaining", 0))),
        _number(reset),
        _number(fields.get("windowInSeconds", 0)),
        degraded=_text(fields.get("degraded")),
    )


def _bot(fields: Mapping[str, Any]) -> Reason:
    return BotReason(
        _texts(fields.get("allowed")),
        _texts(fields.get("denied")),
        fields.get("verified") is True,
        fields.get("spoofed") is True,
        _texts(fields.get("evidence")),
    )


def _shield(fields: Mapping[str, Any]) -> Reason:
    return ShieldReason(
        fields.get("shieldTriggered") is True, fields.get("suspicious") is True, _number(fields.get("weight", 0), 1.0)
    )


def _email(fields: Mapping[str, Any]) -> Reason:
    names = [name.removeprefix("EMAIL_TYPE_") for name in _texts(fields.get("emailTypes"))]
    return EmailReason(tuple(names), _text(fields.get("detail")))


def _filter(fields: Mapping[str, Any]) -> Reason:
    return FilterReason(_texts(fields.get("matchedExpressions")), _texts(fields.get("undeterminedExpressions")))


def _rule(fields: Mapping[str, Any]) -> Reason:
    weight, retry = _number(fields.get("weight", 0)), _number(fields.get("retrySeconds", 0))
    return RuleReason(_text(fields.get("rule")), _text(fields.get("message")), weight, retry)


def _challenge(fields: Mapping[str, Any]) -> Reason:
    named = _text(fields.get("level", DEFAULT_LEVEL.word)).upper()
    level = Level.__members__.get(named, DEFAULT_LEVEL)
    weight = _number(fields.get("weight", 0))
    return ChallengeReason(_text(fields.get("rule")), _text(fields.get("message")), weight, level)


def _error(fields: Mapping[str, Any]) -> Reason:
    return ErrorReason(_text(fields.get("message")))


def _foreign(name: str) -> Callable[[Mapping[str, Any]], Reason]:
    """Of a kind that only Arcjet's SDKs have, and evaluate by themselves."""
    return lambda _: RuleReason(name, "evaluated by the client")


_READERS: dict[str, Callable[[Mapping[str, Any]], Reason]] = {
    "rate_limit": _limit,
    "bot_v2": _bot,
    "shield": _shield,
    "email": _email,
    "filter": _filter,
    "rule": _rule,
    "challenge": _challenge,
    "error": _error,
    "sensitive_info": _foreign("sensitive_info"),
    "prompt_injection": _foreign("prompt_injection"),
    "edge_rule": _foreign("edge_rule"),
    "bot": _foreign("bot"),
}

__all__ = ["conclusion_of", "reason_of", "result_of"]
