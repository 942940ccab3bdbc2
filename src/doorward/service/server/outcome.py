"""What the rules of one request have come to, and how that is told: to doorward's own client, or to Arcjet's SDKs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from doorward.decision import ALLOWED, Conclusion, Mode, RuleResult, State
from doorward.effects import Algorithm
from doorward.reason import ErrorReason, RuleReason
from doorward.service.server import answers, rules
from doorward.service.server.arcjet_fingerprint import fingerprint
from doorward.service.server.engines import Slot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.decision import Decision
    from doorward.progress import Answer, Progress
    from doorward.reason import Reason
    from doorward.service.messages import DecideRequest
    from doorward.service.server.asked import Asked
    from doorward.service.server.charges import Charges
    from doorward.service.server.engines import Built


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the service came to.

    Attributes:
        slots: The rules of the request.
        results: What each came to.
        conclusion: What the live ones come to together, and the service's own refusal.
        reason: Why.
        dry_run: The dry-run rule that would have decided; empty for none.
        refusal: The service's own refusal, whatever rules there are.
        ledger: What was charged.
    """

    slots: Sequence[Slot] = ()
    results: Sequence[RuleResult] = ()
    conclusion: Conclusion = Conclusion.ALLOW
    reason: Reason = ALLOWED
    dry_run: str = ""
    refusal: RuleResult | None = None
    ledger: Sequence[Answer] = field(default=(), repr=False)

    @property
    def ttl(self) -> int:
        """Seconds for which the refusal may be remembered."""
        if self.refusal is not None:
            return answers.ttl_of(self.refusal)
        if self.conclusion is not Conclusion.DENY:
            return 0
        return next((answers.ttl_of(found) for found in self.results if found.reason is self.reason), 0)


def of_decision(built: Built, progress: Progress, decision: Decision) -> Outcome:
    """The outcome of a walk, with the rules that could not be built."""
    results = [_result(slot, progress) for slot in built.slots]
    ban = progress.result(built.engine.ban)
    refused = ban is not None and ban.conclusion is Conclusion.DENY and ban.decides
    conclusion, reason = decision.conclusion, decision.reason
    failed = [slot.failed for slot in built.slots if slot.failed is not None and slot.failed.decides]
    if failed and conclusion is Conclusion.ALLOW:
        conclusion, reason = Conclusion.ERROR, failed[0].reason
    return Outcome(
        slots=built.slots,
        results=results,
        conclusion=conclusion,
        reason=reason,
        dry_run=decision.dry_run or "",
        refusal=ban if refused else None,
        ledger=tuple(progress.ledger or ()),
    )


def _result(slot: Slot, progress: Progress) -> RuleResult:
    if slot.bound is None:
        assert slot.failed is not None
        return slot.failed
    return (progress.result(slot.bound) or slot.bound.not_run)._replace(rule_id=slot.rule_id)


def failed(request: DecideRequest, message: str) -> Outcome:
    """The outcome when nothing could be asked at all."""
    return _of_all(request, Conclusion.ERROR, ErrorReason(message))


def switched_off(request: DecideRequest) -> Outcome:
    """The outcome while ``DOORWARD_MODE`` is ``OFF``."""
    return _of_all(request, Conclusion.ALLOW, RuleReason("off", "DOORWARD_MODE is OFF"))


def _of_all(request: DecideRequest, conclusion: Conclusion, reason: Reason) -> Outcome:
    slots = []
    for rule in request.rules:
        state = State.RUN if rules.mode_of(rule) is Mode.LIVE else State.DRY_RUN
        state = State.NOT_RUN if conclusion is Conclusion.ALLOW else state
        shown = rules.arcjet_id(rule, request.characteristics)
        result = RuleResult(rule.name, shown, state, conclusion, reason)
        slots.append(Slot(None, result, shown, rules.characteristics_of(rule, request.characteristics), ""))
    results = [slot.failed for slot in slots if slot.failed is not None]
    return Outcome(slots=slots, results=results, conclusion=conclusion, reason=reason)


# --- told


def told_to_own(outcome: Outcome, plain: Sequence[dict[str, Any]], charges: Charges, site: str) -> dict[str, Any]:
    """The decision for doorward's own client, but for its id and what is known about the address.

    Args:
        outcome: What the rules came to.
        plain: Their results as :func:`results_of` writes them out.
        charges: Seals what was charged.
        site: Whose it is.
    """
    sealed = _sealed(outcome, charges, site)
    results = [answers.charged(each, sealed[at]) if at in sealed else each for at, each in enumerate(plain)]
    answer = _head(outcome, _own_reason(outcome, plain), results, outcome.ttl)
    if outcome.dry_run:
        answer["dryRun"] = outcome.dry_run
    if outcome.refusal is not None:
        answer["refusal"] = answers.result(outcome.refusal)
    return answer


def _own_reason(outcome: Outcome, plain: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The decision's reason: as a rule that of one of the results, which is written out already."""
    for found, entry in zip(outcome.results, plain, strict=True):
        if found.reason is outcome.reason:
            reason: dict[str, Any] = entry["reason"]
            return reason
    return answers.own_reason(outcome.reason)


def _sealed(outcome: Outcome, charges: Charges, site: str) -> Mapping[int, list[str]]:
    """Each live limit's charges as text, by its place among the rules."""
    if not charges.has_secret:
        return {}
    places = {slot.bound: at for at, slot in enumerate(outcome.slots) if slot.bound is not None}
    sealed: dict[int, list[str]] = {}
    for (bound, _, hit), verdict in outcome.ledger:
        if bound in places and verdict.admitted and not hit.dry_run and hit.algorithm is not Algorithm.BAN:
            sealed.setdefault(places[bound], []).append(charges.seal(site, hit, verdict))
    return sealed


def told_to_arcjet(outcome: Outcome, request: DecideRequest, asked: Asked) -> dict[str, Any]:
    """The decision for Arcjet's SDKs, but for its id and what is known about the address.

    JavaScript's remember a refused rule by its id and fingerprint, Python's the whole decision by the rules and by
    values of the application's own or the address; neither minds how much was requested. Where that is not enough to
    tell clients apart, there is nothing to remember: ``ttl`` is 0.
    """
    details = request.details
    single = details.extra.get("requested", "1") in ("", "1")
    results = []
    for slot, found in zip(outcome.slots, outcome.results, strict=True):
        name = fingerprint(slot.names, asked, details.ip, details.extra)
        lasting = single or slot.bound is None or slot.bound.cost is not None
        results.append(answers.arcjet_result(found, slot.kind, name, lasting=lasting))
    reason = answers.arcjet_decision_reason(outcome.reason, outcome.conclusion, outcome.results)
    by_own_names = all(not name.startswith(("ip.", "http.")) for slot in outcome.slots for name in slot.names)
    ttl = outcome.ttl if outcome.refusal is not None or (single and by_own_names) else 0
    return _head(outcome, reason, results, ttl)


def _head(outcome: Outcome, reason: dict[str, Any], results: list[dict[str, Any]], ttl: int) -> dict[str, Any]:
    return {
        "conclusion": f"CONCLUSION_{outcome.conclusion}",
        "reason": reason,
        "ruleResults": results,
        "ttl": ttl,
    }


def results_of(outcome: Outcome) -> list[dict[str, Any]]:
    """What each rule came to, with all that is known."""
    return [answers.result(found) for found in outcome.results]


def with_costs(outcome: Outcome, plain: Sequence[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    """``plain`` results, and what each cost."""
    results = []
    for slot, found, entry in zip(outcome.slots, outcome.results, plain, strict=True):
        took = _took(slot, found, asked)
        results.append({**entry, "tookUs": took} if took is not None else entry)
    return results


def _took(slot: Slot, found: RuleResult, asked: Asked) -> int | None:
    """Microseconds: of its own, or of the one call to the store for all limits."""
    if slot.bound is None or found.state in (State.NOT_RUN, State.CACHED):
        return None
    return asked.counting_us if slot.kind == "RATE_LIMIT" else asked.took_us.get(id(slot.bound.rule))


__all__ = ["Outcome", "failed", "of_decision", "results_of", "told_to_arcjet", "told_to_own", "with_costs"]
