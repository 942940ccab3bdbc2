"""What was decided, and why: :class:`Decision` and the results of its rules."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.address_facts import NO_ADDRESS_DATA
from doorward.ids import decision_id
from doorward.ip_info import IPInfo
from doorward.reason import RateLimitReason, Reason, RuleReason, ShieldReason, whole_seconds

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from doorward.address_facts import Addresses
    from doorward.cleared import Clearance
    from doorward.client_ip import ClientIP
    from doorward.ip_info import IPDetails
    from doorward.reason import ChallengeReason


class Mode(StrEnum):
    """Whether a rule decides (``LIVE``) or only says what it would have decided (``DRY_RUN``)."""

    LIVE = "LIVE"
    DRY_RUN = "DRY_RUN"


class Conclusion(StrEnum):
    """What a rule or a decision comes to."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    CHALLENGE = "CHALLENGE"
    ERROR = "ERROR"


class State(StrEnum):
    """How a rule's result came about: evaluated, evaluated dry, remembered from before, or not evaluated."""

    RUN = "RUN"
    DRY_RUN = "DRY_RUN"
    CACHED = "CACHED"
    NOT_RUN = "NOT_RUN"


class RuleResult(NamedTuple):
    """What one rule came to.

    Attributes:
        rule: The rule's name.
        rule_id: Equal for rules of equal kind, mode and parameters.
        state: How the result came about.
        conclusion: What the rule came to; of a dry run, what it would have come to.
        reason: Why. Allowed results have reasons too.
        fingerprint: Who the rule counted the request as; empty for rules that do not count.
        ttl: Whole seconds for which the same client will get the same answer; 0 where that is not known.
        note: What else an operator should know: a characteristic that was not given, a limit that runs locally …
    """

    rule: str
    rule_id: str
    state: State
    conclusion: Conclusion
    reason: Reason
    fingerprint: str = ""
    ttl: int = 0
    note: str = ""

    @property
    def decides(self) -> bool:
        """Whether this result counts towards the decision: it ran, and not dry."""
        return self.state is State.RUN or self.state is State.CACHED

    @property
    def reason_v2(self) -> Reason:
        """``reason``, by the name that it has in Arcjet's SDK."""
        return self.reason

    def is_denied(self) -> bool:
        """Whether the rule came to a denial; also of a dry run, which decides nothing."""
        return self.conclusion is Conclusion.DENY

    def is_allowed(self) -> bool:
        """Whether it let the request pass, or was not asked."""
        return self.conclusion is Conclusion.ALLOW

    def explain(self) -> str:
        """One line: the rule, what it came to, and why."""
        note = f" [{self.note}]" if self.note else ""
        return f"{self.rule}: {self.conclusion} ({self.state}) {self.reason.explain()}{note}"

    def to_dict(self) -> dict[str, object]:
        """The wire JSON of a RuleResult."""
        return {
            "rule": self.rule,
            "ruleId": self.rule_id,
            "state": f"RULE_STATE_{self.state}",
            "conclusion": f"CONCLUSION_{self.conclusion}",
            "reason": {self.reason.wire: dict(self.reason.to_wire())},
            "ttl": self.ttl,
            "fingerprint": self.fingerprint,
            **({"note": self.note} if self.note else {}),
        }


class Decision:
    """What was decided about one request.

    Attributes:
        conclusion: ``ALLOW``, ``DENY``, ``CHALLENGE`` or ``ERROR``. An ERROR is let through: see ``is_allowed``.
        dry_run: Name of the dry-run rule that would have denied or challenged the request, or None.
        ttl: Whole seconds for which the same client will get the same answer; 0 where that is not known.
        now_ns: When, in nanoseconds since the Unix epoch.
        challenge: What the client is asked to show, where the conclusion is CHALLENGE; else None.
        clearance: What it has shown before, where a rule asked for that; else None.
    """

    # Defaults on the class, not in __init__: a decision is made for every request, and few are looked at.
    _id: str | None = None
    _refund: Callable[[], Awaitable[None] | None] | None = None
    _found: tuple[Reason, Sequence[RuleResult]] | None = None
    _addresses: Addresses = NO_ADDRESS_DATA
    ttl: int = 0
    dry_run: str | None = None
    challenge: ChallengeReason | None = None
    clearance: Clearance | None = None

    def __init__(
        self,
        conclusion: Conclusion,
        evidence: Callable[[], tuple[Reason, Sequence[RuleResult]]],
        client_ip: ClientIP,
        now_ns: int,
    ) -> None:
        self.conclusion = conclusion
        self.now_ns = now_ns
        self._evidence = evidence
        self._client_ip = client_ip

    @property
    def reason(self) -> Reason:
        """Why."""
        return self.look()[0]

    @property
    def reason_v2(self) -> Reason:
        """``reason``, by the name that it has in Arcjet's SDK."""
        return self.reason

    @property
    def results(self) -> Sequence[RuleResult]:
        """One result a rule, in the order of declaration."""
        return self.look()[1]

    def look(self) -> tuple[Reason, Sequence[RuleResult]]:
        """The reason and the results; written out when somebody first looks."""
        found = self._found
        if found is None:
            found = self._found = self._evidence()
        return found

    def __repr__(self) -> str:
        return f"Decision({self.conclusion}, {self.reason.type or 'no reason'}: {self.reason.explain()})"

    @property
    def id(self) -> str:
        """``req_…`` of a service's decision, ``lreq_…`` of one made here.

        That is made when first asked for, since few decisions are looked up.
        """
        if self._id is None:
            self._id = decision_id(self.now_ns)
        return self._id

    @property
    def ip(self) -> IPInfo:
        """The client's address and what is known about it."""
        return IPInfo(self._client_ip.address, str(self._client_ip.provenance), self._addresses)

    @property
    def ip_details(self) -> IPDetails:
        """``ip.details``, by the name that it has in Arcjet's SDK."""
        return self.ip.details

    def is_allowed(self) -> bool:
        """Whether the request may go on: ALLOW, and ERROR where failing open was configured."""
        return self.conclusion is Conclusion.ALLOW or self.conclusion is Conclusion.ERROR

    def is_denied(self) -> bool:
        """Whether the request must be refused; also when a rule failed whose ``on_error`` is ``"deny"``."""
        return self.conclusion is Conclusion.DENY

    def is_challenged(self) -> bool:
        """Whether the client has to pass a challenge first."""
        return self.conclusion is Conclusion.CHALLENGE

    def is_errored(self) -> bool:
        """Whether a rule could not be evaluated, so that less was checked than was asked for."""
        return self.conclusion is Conclusion.ERROR

    is_error = is_errored

    @property
    def status(self) -> int:
        """The HTTP status that answers it: 200, 400 e-mail, 429 limit, 503 failed closed, else 403."""
        if self.is_allowed():
            return 200
        return _STATUS.get(self.reason.type, 403)

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After (RFC 9110 section 10.2.3) of a refusal, RateLimit-Policy and RateLimit of the limits that ran.

        The syntax is draft-ietf-httpapi-ratelimit-headers-10; seconds are rounded up.
        """
        headers: dict[str, str] = {}
        retry = _retry_seconds(self.reason) if self.is_denied() else 0.0
        if retry > 0:
            headers["Retry-After"] = str(whole_seconds(retry))
        if limits := self.limits():
            headers["RateLimit-Policy"] = ", ".join(
                f'"{name}";q={limit.max};w={whole_seconds(limit.window_seconds)}' for name, limit in limits
            )
            headers["RateLimit"] = ", ".join(
                f'"{name}";r={limit.remaining};t={whole_seconds(limit.reset_seconds)}' for name, limit in limits
            )
        return headers

    def limits(self) -> list[tuple[str, RateLimitReason]]:
        """The live limits that were asked, by rule name, in the order of declaration."""
        return [
            (result.rule, result.reason)
            for result in self.results
            if result.decides and isinstance(result.reason, RateLimitReason)
        ]

    def refund(self) -> Any:
        """Take back what this request was charged: it turned out not to count.

        Nothing when nothing was charged. Of an :class:`~doorward.AsyncDoorward`'s decision, await it.
        """
        refund, self._refund = self._refund, None
        return refund() if refund is not None else NOTHING

    def explain(self) -> str:
        """Several lines: what was decided, and what every rule came to."""
        dry = f"; would have been refused by {self.dry_run} (dry run)" if self.dry_run else ""
        head = f"{self.id} {self.conclusion}: {self.reason.explain()}{dry}"
        return "\n".join([head, *(f"  {result.explain()}" for result in self.results)])

    def to_dict(self) -> dict[str, object]:
        """The wire JSON of a Decision (proto3 JSON mapping; ``dryRun`` and ``note`` are doorward's own)."""
        return {
            "id": self.id,
            "conclusion": f"CONCLUSION_{self.conclusion}",
            "reason": {self.reason.wire: dict(self.reason.to_wire())} if self.reason.wire else {},
            "ruleResults": [result.to_dict() for result in self.results],
            "ttl": self.ttl,
            "ipDetails": self.ip.to_dict(),
            **({"dryRun": self.dry_run} if self.dry_run else {}),
        }

    def to_json(self) -> str:
        """``to_dict`` as JSON text."""
        import json  # few decisions are written out; the import costs as much as ours

        return json.dumps(self.to_dict(), separators=(",", ":"))

    def known_as(self, decision: str) -> None:
        """Give it the id under which a service keeps it. For the client that made the decision."""
        self._id = decision

    def on_refund(self, refund: Callable[[], Awaitable[None] | None]) -> None:
        """Say how to take the charge back. For the client that made the decision."""
        self._refund = refund

    def on_address(self, addresses: Addresses) -> None:
        """Say who tells about addresses. For the client that made the decision."""
        self._addresses = addresses


class Nothing:
    """What a call that may be awaited gives when there was nothing to wait for."""

    __slots__ = ()

    def __await__(self) -> Any:
        return iter(())


NOTHING = Nothing()

_STATUS = {"EMAIL": 400, "RATE_LIMIT": 429, "ERROR": 503}


def _retry_seconds(reason: Reason) -> float:
    if isinstance(reason, RateLimitReason):
        return reason.reset_seconds
    return reason.retry_seconds if isinstance(reason, RuleReason | ShieldReason) else 0.0


ALLOWED = RuleReason("allowed", "no rule objected")
"""The reason of a decision that nothing objected to and no limit was asked about."""

__all__ = ["ALLOWED", "Conclusion", "Decision", "IPInfo", "Mode", "RuleResult", "State"]
