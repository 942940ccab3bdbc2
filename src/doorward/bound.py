"""A rule bound to a client: its mode, id, identity and names are settled once, when the client is built."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, ClassVar

from doorward.decision import Conclusion, Mode, RuleResult, State
from doorward.reason import RateLimitReason, RuleReason
from doorward.rules.base import Outcome, Phase, Rule
from doorward.rules.limits import DynamicLimit, Limit, StaticLimit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.fingerprint import Fingerprint, Identity
    from doorward.progress import Admitted
    from doorward.reason import Reason
    from doorward.rules.base import OnError

APPLICATION, PATTERN, ROUTE = 0, 1, 2
"""Where a limit was declared. Limits of the highest tier that applies to a request take the place of the others."""

_ID_DIGITS = 10
_LONGEST_SCOPE = 100
_NEVER = Outcome(Conclusion.ALLOW, RuleReason("", "never"))
"""In place of the usual outcome of a rule that has none: no rule returns this very object."""


class Bound:
    """One rule of one client.

    Attributes:
        rule: The rule.
        mode: LIVE or DRY_RUN.
        dry: Whether it is a dry run.
        name: Distinct among the client's rules.
        rule_id: As in results.
        on_error: ``allow``, ``deny`` or ``local``.
        identity: Who it counts by.
        tier: Where it was declared.
        additive: Whether it counts beside limits of a higher tier.
        cost: Units a request takes, if the rule fixes them.
        scope: Where its counters are shared.
        prefix: What the keys of its counters begin with.
        late: Whether it is asked after the response.
        wants: The application's characteristics that it looks at, for which middleware leaves it open.
        yields: Whether it leaves limits of lower tiers in force.
        reads_given: Whether its numbers depend on what is given to ``protect``.
        count_when: Decides after the response whether a charge stays.
        quick: Whether nothing has to be looked at before it is asked, nor held for it.
        quotas: Its counters where they are the same for every request.
        not_run: Its result when it does not run.
        usual: The outcome that the rule comes to for nearly every request, where that is to allow and nothing else;
            else one that never is.
        usual_result: Its result then.
    """

    __slots__ = ("_state", "additive", "cost", "count_when", "dry", "identity", "late", "mode", "name", "not_run",
                 "on_error", "prefix", "quick", "quotas", "reads_given", "rule", "rule_id", "scope", "tier",
                 "usual", "usual_result", "wants", "yields")  # fmt: skip

    def __init__(
        self,
        rule: Rule,
        *,
        client: str,
        name: str,
        mode: Mode,
        on_error: OnError,
        identity: Identity,
        tier: int = APPLICATION,
        additive: bool = False,
    ) -> None:
        self.rule = rule
        self.mode = mode
        self.dry = mode is Mode.DRY_RUN
        self.name = name
        self.rule_id = rule.rule_id(mode)
        self.on_error = on_error
        self.identity = identity
        self.tier = tier
        self.additive = additive
        self.cost = rule.cost if isinstance(rule, Limit) else None
        self.count_when = rule.count_when if isinstance(rule, Limit) else None
        self.wants = rule.wants()
        self.late = rule.is_late()
        self.yields = self.dry or additive
        self.reads_given = isinstance(rule, DynamicLimit) and rule.arguments > 1
        self.quotas = (rule.quota,) if isinstance(rule, StaticLimit) else None
        self._state = State.DRY_RUN if self.dry else State.RUN
        self.scope = rule.scope if isinstance(rule, Limit) else ""
        self.prefix = f"{client}:{_short(self.scope)}:{self.rule_id[:_ID_DIGITS]}:"
        self.not_run = self.skipped("not evaluated")
        usual = rule.usual()
        plain = usual is not None and usual.merely_allows()
        self.usual: Outcome = usual if plain and usual is not None else _NEVER
        self.usual_result = self.result(Conclusion.ALLOW, self.usual.reason)
        self.quick = plain and _is_quick(rule) and not self.wants

    def __repr__(self) -> str:
        return f"Bound({self.name!r}, {self.mode})"

    def set_apart(self, others: Iterable[Bound]) -> None:
        """Give the counters keys of their own, where ``others`` have the same.

        Equal limits that differ in what is charged, or when, must not share a counter.
        """
        number = sum([other.rule_id == self.rule_id and other.scope == self.scope for other in others])
        if number:
            self.prefix += f"{number}:"

    def key(self, label: str, fingerprint: Fingerprint) -> str:
        """The store's key of one of the rule's counters. Short, since a store keeps many."""
        return f"{self.prefix}{fingerprint.short}{label}"

    def result(
        self,
        conclusion: Conclusion,
        reason: Reason,
        *,
        state: State | None = None,
        fingerprint: str = "",
        ttl: int = 0,
        note: str = "",
    ) -> RuleResult:
        """A result of this rule."""
        return RuleResult(self.name, self.rule_id, state or self._state, conclusion, reason, fingerprint, ttl, note)

    def admission(self, admitted: Admitted) -> RuleResult:
        """The result of a limit that had room."""
        fingerprint, hit, verdict, now_ns = admitted
        reason = RateLimitReason(hit.max, verdict.remaining, verdict.reset_after, hit.interval / 1e9, now_ns)
        return self.result(Conclusion.ALLOW, reason, fingerprint=str(fingerprint))

    def skipped(self, why: str) -> RuleResult:
        """The result of not running, and why."""
        return self.result(Conclusion.ALLOW, RuleReason(self.name, why), state=State.NOT_RUN)


def _is_quick(rule: Rule) -> bool:
    """Whether a rule can be asked about any request, and answers at once."""
    held_up = rule.needs or rule.needs_body or rule.waits or rule.looks_up or rule.is_late() or rule.sums_up
    return not (held_up or rule.paths or rule.methods) and type(rule).applies_to is Rule.applies_to


def distinct(name: str, taken: set[str]) -> str:
    """``name``, with a number behind it where it is taken, and taken from now on: RateLimit headers need such names."""
    number, candidate = 2, name
    while candidate in taken:
        candidate, number = f"{name}-{number}", number + 1
    taken.add(candidate)
    return candidate


def _short(scope: str) -> str:
    """A scope as part of a store key, which has to be short whatever the application calls its views."""
    return scope if len(scope) <= _LONGEST_SCOPE else hashlib.sha256(scope.encode()).hexdigest()


class ServiceRefusal(Rule):
    """The decision service refuses the client of its own accord, whatever rules it is asked about."""

    kind: ClassVar[str] = "SERVICE"
    phase: ClassVar[Phase] = Phase.COUNT


class ClearanceQuota(Rule):
    """What one clearance is good for: whoever uses more is challenged again."""

    kind: ClassVar[str] = "CLEARANCE"
    phase: ClassVar[Phase] = Phase.COUNT

    @classmethod
    def accepted_on_error(cls) -> tuple[str, ...]:
        """As of limits, and no other."""
        return ("local",)


class NewClients(Rule):
    """How many client ids an address is given."""

    kind: ClassVar[str] = "CLIENT"
    phase: ClassVar[Phase] = Phase.COUNT


class Ban(Rule):
    """The check in front of every client's counters: whether an operator has banned this client."""

    kind: ClassVar[str] = "BAN"
    phase: ClassVar[Phase] = Phase.COUNT
