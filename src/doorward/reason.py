"""Why a rule concluded what it did. One immutable class a kind; ``type`` tells them apart.

The fields are in named tuples: they cost a third of what frozen dataclasses do, to import and to make.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from doorward.levels import DEFAULT_LEVEL, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.attacks.evidence import Finding


class Reason:
    """What all reasons share. Compare ``reason.type``, or ask ``reason.is_rate_limit()``."""

    __slots__ = ()
    type: ClassVar[str] = ""
    wire: ClassVar[str] = ""
    """Name of this kind in the wire JSON."""

    def is_rate_limit(self) -> bool:
        """A rate limit concluded."""
        return self.type == "RATE_LIMIT"

    def is_bot(self) -> bool:
        """A bot rule concluded."""
        return self.type == "BOT"

    def is_shield(self) -> bool:
        """Attack detection concluded."""
        return self.type == "SHIELD"

    def is_email(self) -> bool:
        """An e-mail rule concluded."""
        return self.type == "EMAIL"

    def is_filter(self) -> bool:
        """A filter expression concluded."""
        return self.type == "FILTER"

    def is_sensitive_info(self) -> bool:
        """A sensitive-information rule concluded."""
        return self.type == "SENSITIVE_INFO"

    def is_prompt_injection(self) -> bool:
        """A prompt-injection rule concluded."""
        return self.type == "PROMPT_INJECTION"

    def is_challenge(self) -> bool:
        """The client has to pass a challenge first."""
        return self.type == "CHALLENGE"

    def is_rule(self) -> bool:
        """A rule of the application's own, a ban, or a sum of weights concluded."""
        return self.type == "RULE"

    def is_error(self) -> bool:
        """Something failed; ``message`` says what."""
        return self.type == "ERROR"

    def explain(self) -> str:
        """The reason as one English sentence part, free of the client's own bytes."""
        return self.type.lower().replace("_", " ")

    def to_wire(self) -> Mapping[str, object]:
        """The fields in the wire JSON (proto3 JSON mapping)."""
        return {}


class _RateLimitReason(NamedTuple):
    max: int
    remaining: int
    reset_seconds: float
    window_seconds: float
    now_ns: int = 0
    degraded: str = ""


class RateLimitReason(_RateLimitReason, Reason):
    """A limit's state after this request.

    Attributes:
        max: Units that the window admits, or the bucket's capacity.
        remaining: Units left.
        reset_seconds: Seconds until a refused request could be admitted, or until an admitted one weighs nothing.
        window_seconds: The window's length; for a bucket, the time that an empty one takes to fill.
        now_ns: The time of the decision, nanoseconds since the Unix epoch.
        degraded: Why this is the answer of the local limiter and not of the store; empty when it is the store's.
    """

    __slots__ = ()
    type: ClassVar[str] = "RATE_LIMIT"
    wire: ClassVar[str] = "rateLimit"

    @property
    def reset(self) -> timedelta:
        """``reset_seconds`` as a timedelta."""
        return timedelta(seconds=self.reset_seconds)

    @property
    def reset_time(self) -> datetime:
        """When the reset is due, in UTC."""
        return datetime.fromtimestamp(self.now_ns / 1e9, UTC) + self.reset

    @property
    def window(self) -> timedelta:
        """``window_seconds`` as a timedelta."""
        return timedelta(seconds=self.window_seconds)

    def explain(self) -> str:
        """``3 of 5 left in 600 s, reset in 412 s``."""
        local = f" (local limiter: {self.degraded})" if self.degraded else ""
        reset = whole_seconds(self.reset_seconds)
        return f"{self.remaining} of {self.max} left in {self.window_seconds:g} s, reset in {reset} s{local}"

    def to_wire(self) -> Mapping[str, object]:
        """``max``, ``remaining``, ``resetInSeconds``, ``windowInSeconds``, and ``degraded`` where it is."""
        fields: dict[str, object] = {
            "max": _uint32(self.max),
            "remaining": _uint32(self.remaining),
            "resetInSeconds": _uint32(whole_seconds(self.reset_seconds)),
            "windowInSeconds": _uint32(whole_seconds(self.window_seconds)),
        }
        return {**fields, "degraded": self.degraded} if self.degraded else fields


class _ErrorReason(NamedTuple):
    message: str


class ErrorReason(_ErrorReason, Reason):
    """Something failed, and ``message`` says what."""

    __slots__ = ()
    type: ClassVar[str] = "ERROR"
    wire: ClassVar[str] = "error"

    def explain(self) -> str:
        """The message."""
        return self.message

    def to_wire(self) -> Mapping[str, object]:
        """``message``."""
        return {"message": self.message}


class _RuleReason(NamedTuple):
    rule: str
    message: str = ""
    weight: float = 0.0
    retry_seconds: float = 0.0


class RuleReason(_RuleReason, Reason):
    """A rule of the application's own, a ban, an exemption, or a sum of weights.

    Attributes:
        rule: Its name.
        message: What it found.
        weight: The weight that it added, or the sum that was reached.
        retry_seconds: Seconds until it no longer holds; 0.0 when that is not known.
    """

    __slots__ = ()
    type: ClassVar[str] = "RULE"
    wire: ClassVar[str] = "rule"

    def explain(self) -> str:
        """The rule's name and what it found."""
        return f"{self.rule}: {self.message}" if self.message else self.rule

    def to_wire(self) -> Mapping[str, object]:
        """``rule``, ``message``, ``weight``."""
        return {"rule": self.rule, "message": self.message, "weight": self.weight}


class _ChallengeReason(NamedTuple):
    rule: str
    message: str = ""
    weight: float = 0.0
    level: Level = DEFAULT_LEVEL
    max_age: float = 0.0


class ChallengeReason(_ChallengeReason, Reason):
    """The client has to pass a challenge first.

    Attributes:
        rule: Name of the rule that asks for it.
        message: Why.
        weight: The sum of weights that led to it, if one did; of ``decision.challenge`` the request's, by which kinds
            set how hard they are.
        level: How much the client has to show.
        max_age: Seconds that may have passed since it did; 0.0 for as long as its clearance holds.
    """

    __slots__ = ()
    type: ClassVar[str] = "CHALLENGE"
    wire: ClassVar[str] = "challenge"

    def explain(self) -> str:
        """The rule's name and why."""
        return f"{self.rule}: {self.message}" if self.message else self.rule

    def to_wire(self) -> Mapping[str, object]:
        """``rule``, ``message``, ``weight``, and ``level``, which is doorward's own."""
        return {"rule": self.rule, "message": self.message, "weight": self.weight, "level": self.level.word}


class _BotReason(NamedTuple):
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    verified: bool = False
    spoofed: bool = False
    evidence: tuple[str, ...] = ()


class BotReason(_BotReason, Reason):
    """What a bot rule found.

    Attributes:
        allowed: Ids, and configured categories, of the bots found that the rule lets pass.
        denied: Those that it does not.
        verified: The client claims to be a bot that can be verified, and is.
        spoofed: It claims to be one, and is not. Neither: nothing to verify, or it could not be checked.
        evidence: What gave it away, as English sentence parts free of the client's own bytes.
    """

    __slots__ = ()
    type: ClassVar[str] = "BOT"
    wire: ClassVar[str] = "botV2"

    def explain(self) -> str:
        """``denied CURL: names itself curl``; ``no sign of automation``."""
        if not (self.allowed or self.denied):
            return "no sign of automation"
        parts = [
            f"{verb} {', '.join(ids)}" for verb, ids in (("denied", self.denied), ("allowed", self.allowed)) if ids
        ]
        checked = " (verified)" if self.verified else " (spoofed)" if self.spoofed else ""
        why = f": {'; '.join(self.evidence)}" if self.evidence else ""
        return f"{', '.join(parts)}{checked}{why}"

    def to_wire(self) -> Mapping[str, object]:
        """``allowed``, ``denied``, ``verified``, ``spoofed``, and ``evidence``, which is doorward's own."""
        fields: dict[str, object] = {
            "allowed": list(self.allowed),
            "denied": list(self.denied),
            "verified": self.verified,
            "spoofed": self.spoofed,
        }
        return {**fields, "evidence": list(self.evidence)} if self.evidence else fields


class _EmailReason(NamedTuple):
    email_types: tuple[str, ...] = ()
    detail: str = ""


class EmailReason(_EmailReason, Reason):
    """What an e-mail rule found.

    Attributes:
        email_types: Every type found, also those that the rule does not deny: members of ``EmailType``.
        detail: What is wrong, as an English sentence part free of the client's own bytes; empty when nothing is.
    """

    __slots__ = ()
    type: ClassVar[str] = "EMAIL"
    wire: ClassVar[str] = "email"

    def explain(self) -> str:
        """The types and the detail."""
        types = ", ".join(self.email_types) or "nothing wrong with the address"
        return f"{types}: {self.detail}" if self.detail else types

    def to_wire(self) -> Mapping[str, object]:
        """``emailTypes``, and ``detail``, which is doorward's own."""
        fields: dict[str, object] = {"emailTypes": [f"EMAIL_TYPE_{name}" for name in self.email_types]}
        return {**fields, "detail": self.detail} if self.detail else fields


class _FilterReason(NamedTuple):
    matched_expressions: tuple[str, ...] = ()
    undetermined_expressions: tuple[str, ...] = ()


class FilterReason(_FilterReason, Reason):
    """What a filter rule found.

    Attributes:
        matched_expressions: Those of the rule's expressions that are true for the request.
        undetermined_expressions: Those that depend on something that is not known about it.
    """

    __slots__ = ()
    type: ClassVar[str] = "FILTER"
    wire: ClassVar[str] = "filter"

    def explain(self) -> str:
        """The expressions that matched, and those that could not be told."""
        matched = f"matched {' | '.join(self.matched_expressions)}" if self.matched_expressions else "no match"
        unknown = " | ".join(self.undetermined_expressions)
        return f"{matched}; could not tell {unknown}" if unknown else matched

    def to_wire(self) -> Mapping[str, object]:
        """``matchedExpressions``, ``undeterminedExpressions``."""
        return {
            "matchedExpressions": list(self.matched_expressions),
            "undeterminedExpressions": list(self.undetermined_expressions),
        }


class _ShieldReason(NamedTuple):
    shield_triggered: bool = False
    suspicious: bool = False
    weight: float = 0.0
    findings: tuple[Finding, ...] = ()
    retry_seconds: float = 0.0


class ShieldReason(_ShieldReason, Reason):
    """What attack detection found.

    Attributes:
        shield_triggered: The request carries an attack, or the client's suspicious requests add up to one.
        suspicious: It is heavy enough to count towards that.
        weight: Of the heaviest value, 0..1.
        findings: What was found, heaviest first: :class:`doorward.attacks.evidence.Finding`.
        retry_seconds: Seconds until the client is no longer refused for what it sent before; 0.0 when it is not.
    """

    __slots__ = ()
    type: ClassVar[str] = "SHIELD"
    wire: ClassVar[str] = "shield"

    def explain(self) -> str:
        """``SQL in query: closes a string and goes on with a condition``; ``nothing suspicious``."""
        if self.retry_seconds:
            return f"the client's suspicious requests add up; refused for {whole_seconds(self.retry_seconds)} s"
        if not self.findings:  # also as one that somebody else found is told
            return "an attack" if self.shield_triggered else "suspicious" if self.suspicious else "nothing suspicious"
        first = self.findings[0]
        return f"{first.family} in {first.place}: {first.reason} (weight {self.weight:g})"

    def to_wire(self) -> Mapping[str, object]:
        """``shieldTriggered``, ``suspicious``, and ``weight`` and ``findings``, which are doorward's own."""
        fields: dict[str, object] = {"shieldTriggered": self.shield_triggered, "suspicious": self.suspicious}
        if not self.findings:
            return fields
        findings = [{**finding._asdict(), "via": list(finding.via)} for finding in self.findings]
        return {**fields, "weight": self.weight, "findings": findings}


def _uint32(value: int) -> int:
    # What the wire has room for; more than this is as good as endless.
    return min(value, 2**32 - 1)


def whole_seconds(seconds: float) -> int:
    """Seconds rounded up, as Retry-After and RateLimit want them: whoever waits them is never early."""
    return math.ceil(seconds)
