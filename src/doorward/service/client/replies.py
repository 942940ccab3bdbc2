"""What the service says, checked, as what the core understands. It is believed no more than any other network peer."""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from doorward.decision import Conclusion
from doorward.errors import ServiceError
from doorward.printable import printable
from doorward.question import Ruling, ServiceAnswer
from doorward.reason import BotReason, EmailReason, ErrorReason, RateLimitReason, RuleReason, ShieldReason
from doorward.service.messages import (
    UINT32,
    DecideResponse,
    EmailType,
    Message,
    Names,
    Number,
    State,
    Text,
    Texts,
    Uint32,
    WireEmailType,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.reason import Reason
    from doorward.service.messages import Decision, RuleResult
    from doorward.service.messages import Reason as WireReason

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Log lines have ids without quotes: nothing in one can look like another field."""
_LONGEST_TTL = 366 * 86_400
_LONGEST_WAIT = UINT32
"""Seconds. A bucket may take a century to fill; what has no end is told as this."""
_MOST_READERS = 1_000


@lru_cache(maxsize=_MOST_READERS)
def reading(limits: int, rules: int) -> Callable[[bytes], ServiceAnswer]:
    """What reads the answer to a question about so many; the same object each time, so that calls can be shared.

    It takes a ``DecideResponse``, and raises ServiceError where that is none, or none to such a question.
    """
    return partial(_answer, limits, rules)


def _answer(limits: int, rules: int, body: bytes) -> ServiceAnswer:
    try:
        decision = DecideResponse.model_validate_json(body).decision
        rulings = [_ruling(result) for result in decision.rule_results]
        refusal = _ruling(decision.refusal) if decision.refusal is not None else None
    except (ValidationError, ValueError, KeyError, RecursionError) as error:
        raise ServiceError(f"the service's answer makes no sense: {_problem(error)}") from None
    if len(rulings) != limits + rules:
        raise ServiceError("the service did not answer as many rules as it was asked about")
    if refusal is not None and refusal.conclusion is not Conclusion.DENY:
        raise ServiceError("the service's answer makes no sense: its refusal is none")
    return ServiceAnswer(_id(decision), rulings[:limits], rulings[limits:], refusal)


def _id(decision: Decision) -> str:
    if not _ID.fullmatch(decision.id):
        raise ServiceError("the service's answer has no id")
    return decision.id


def _ruling(result: RuleResult) -> Ruling:
    reason, charges = _reason(result.reason)
    conclusion = Conclusion[result.conclusion.value]  # KeyError, where it is not said
    return Ruling(
        conclusion,
        reason,
        ran=result.state is not State.NOT_RUN,
        dry=result.state is State.DRY_RUN,
        ttl=min(result.ttl, _LONGEST_TTL),
        note=printable(result.note),
        charges=charges,
    )


# --- reasons


class _RateLimit(Message):
    max: Uint32 = 0
    remaining: Uint32 = 0
    reset_in_seconds: Uint32 = 0
    window_in_seconds: Uint32 = 0
    degraded: Text = ""
    reset_seconds: Annotated[Number, Field(ge=0, le=_LONGEST_WAIT)] | None = None
    charges: Texts = Field(default_factory=list)


class _Bot(Message):
    allowed: Names = Field(default_factory=list)
    denied: Names = Field(default_factory=list)
    verified: bool = False
    spoofed: bool = False
    evidence: Texts = Field(default_factory=list)


class _Email(Message):
    email_types: list[WireEmailType] = Field(default_factory=list)
    detail: Text = ""


class _Error(Message):
    message: Text = ""


class _Rule(Message):
    rule: Text = ""
    message: Text = ""
    weight: Number = 0.0
    retry_seconds: Annotated[Number, Field(ge=0, le=_LONGEST_WAIT)] = 0.0


class _Shield(Message):
    shield_triggered: bool = False
    suspicious: bool = False


def _rate_limit(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    found = _RateLimit.model_validate(fields)
    reset = float(found.reset_in_seconds) if found.reset_seconds is None else min(found.reset_seconds, float(UINT32))
    reason = RateLimitReason(
        found.max, found.remaining, reset, float(found.window_in_seconds), 0, printable(found.degraded)
    )
    return reason, tuple(found.charges)


def _bot(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    found = _Bot.model_validate(fields)
    allowed, denied = tuple(map(printable, found.allowed)), tuple(map(printable, found.denied))
    return BotReason(allowed, denied, found.verified, found.spoofed, tuple(map(printable, found.evidence))), ()


def _email(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    found = _Email.model_validate(fields)
    types = tuple([name.value for name in found.email_types if name is not EmailType.UNSPECIFIED])
    return EmailReason(types, printable(found.detail)), ()


def _error(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    return ErrorReason(printable(_Error.model_validate(fields).message) or "the service gave no reason"), ()


def _rule(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    found = _Rule.model_validate(fields)
    return RuleReason(printable(found.rule), printable(found.message), found.weight, found.retry_seconds), ()


def _shield(fields: Any) -> tuple[Reason, tuple[str, ...]]:
    found = _Shield.model_validate(fields)
    return ShieldReason(found.shield_triggered, found.suspicious), ()


_KINDS: dict[str, Callable[[Any], tuple[Reason, tuple[str, ...]]]] = {
    "rate_limit": _rate_limit,
    "bot_v2": _bot,
    "email": _email,
    "error": _error,
    "rule": _rule,
    "shield": _shield,
}


def _reason(reason: WireReason) -> tuple[Reason, tuple[str, ...]]:
    given = [(kind, fields) for kind in _KINDS if (fields := getattr(reason, kind)) is not None]
    if len(given) != 1:
        return ErrorReason("the service gave no reason that this version knows"), ()
    kind, fields = given[0]
    return _KINDS[kind](fields)


def _problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return printable(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}")
    return type(error).__name__


__all__ = ["reading"]
