"""Step 6 of the walk: many results, one decision. DENY > CHALLENGE > ERROR > ALLOW, over live rules."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from doorward.cleared import strongest
from doorward.decision import ALLOWED, Conclusion, Decision, State
from doorward.progress import written
from doorward.reason import ChallengeReason, RateLimitReason, Reason, RuleReason
from doorward.rules.base import Phase
from doorward.rules.blocking import BlockRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.bound import Bound
    from doorward.cleared import Clearance
    from doorward.decision import RuleResult
    from doorward.engine import Engine
    from doorward.progress import Admitted, Progress


def combine(engine: Engine, progress: Progress, now_ns: int) -> Decision:
    """The decision that the results so far amount to."""
    assert progress.client_ip is not None
    if progress.plain:
        # Not the progress, which will refer to the decision: a cycle would leave every request to the collector.
        evidence = partial(allowed, engine, progress.results)
        return Decision(Conclusion.ALLOW, evidence, progress.client_ip, now_ns)
    if engine.blocking:
        _block(engine, progress, now_ns)
    results = _results(engine, progress.results)
    conclusion, reason, ttl = _verdict(engine, progress, (*_of_nobody(engine, progress), *results), now_ns)
    decision = Decision(conclusion, lambda: (reason, results), progress.client_ip, now_ns)
    decision.ttl = ttl
    decision.clearance = progress.clearance
    if conclusion is Conclusion.CHALLENGE:
        decision.challenge = _wanted(engine, progress, results)
    decision.dry_run = _would_decide(engine, progress, conclusion, now_ns) if engine.dry else None
    return decision


def allowed(engine: Engine, found: dict[Bound, RuleResult | Admitted]) -> tuple[Reason, Sequence[RuleResult]]:
    """The reason and the results of a decision that nothing objected to."""
    results = _results(engine, found)
    return _tightest(results), results


def so_far(engine: Engine, progress: Progress, now_ns: int) -> Conclusion:
    """The conclusion that the results so far amount to."""
    results = _results(engine, progress.results)
    return _verdict(engine, progress, (*_of_nobody(engine, progress), *results), now_ns)[0]


def _of_nobody(engine: Engine, progress: Progress) -> list[RuleResult]:
    """Results that are of no rule of the application's: a ban, and a refusal of the service's own.

    That nobody is banned is no limit with room, and nothing that a decision could be explained by.
    """
    bounds = [engine.ban] if engine.service is None else [engine.ban, engine.service.bound]
    if progress.spent and engine.passes is not None:
        bounds.append(engine.passes.quota)
    found = [result for bound in bounds if (result := progress.result(bound)) is not None]
    return [result for result in found if result.conclusion is not Conclusion.ALLOW]


def _results(engine: Engine, found: dict[Bound, RuleResult | Admitted]) -> tuple[RuleResult, ...]:
    return tuple([written(found, bound) or bound.not_run for bound in engine.bound])


def _verdict(
    engine: Engine, progress: Progress, results: Sequence[RuleResult], now_ns: int
) -> tuple[Conclusion, Reason, int]:
    live = [result for result in results if result.decides]
    if _too_heavy(engine, progress, live):
        return Conclusion.DENY, RuleReason("weights", _sum(progress.weight), progress.weight), 0
    for conclusion in (Conclusion.DENY, Conclusion.CHALLENGE, Conclusion.ERROR):
        if conclusion is Conclusion.CHALLENGE:
            wanted = _wanted(engine, progress, live)
            if wanted is None or _covered(engine, progress, wanted, now_ns):
                continue
            return conclusion, next((r.reason for r in live if r.conclusion is conclusion), wanted), 0
        matching = [result for result in live if result.conclusion is conclusion]
        if matching:
            decisive = _decisive(matching)
            return conclusion, decisive.reason, decisive.ttl
    return Conclusion.ALLOW, _tightest(live), 0


def _block(engine: Engine, progress: Progress, now_ns: int) -> None:
    """Have the rules that deny in the place of a challenge do so, where one is asked for; dry ones, as if all did."""
    live = _wanted(engine, progress, _results(engine, progress.results))
    for bound in engine.blocking:
        wanted = _would_be_wanted(engine, progress) if bound.dry else live
        if not isinstance(bound.rule, BlockRule) or wanted is None or _covered(engine, progress, wanted, now_ns):
            continue
        result = progress.result(bound)
        if result is not None and result.state is not State.NOT_RUN:
            progress.results[bound] = bound.result(Conclusion.DENY, bound.rule.denial(wanted.explain()))


def _too_heavy(engine: Engine, progress: Progress, live: Iterable[RuleResult]) -> bool:
    """Whether the sum of weights is what denies: not the part of it that there was when a rule ended the walk."""
    if not progress.weight or engine.threshold(progress.weight) is not Conclusion.DENY:
        return False
    return not engine.lightens or all([result.conclusion is not Conclusion.DENY for result in live])


def _wanted(engine: Engine, progress: Progress, results: Iterable[RuleResult]) -> ChallengeReason | None:
    """What live rules, and the sum of the weights, ask the client to show; None where nothing does."""
    asked = [_challenge(r) for r in results if r.conclusion is Conclusion.CHALLENGE and r.decides]
    weight = progress.weight
    if weight and engine.threshold(weight, progress.ended) is Conclusion.CHALLENGE:
        asked.append(ChallengeReason("weights", _sum(weight), weight, engine.clearances.level_for(weight)))
    return _as_heavy(engine, strongest(asked), weight)


def _as_heavy(engine: Engine, wanted: ChallengeReason | None, weight: float) -> ChallengeReason | None:
    """What is wanted, as hard as the doubt about the request makes it, whoever asks: a rule, or the weights."""
    if wanted is None or weight <= 0:
        return wanted
    level = max(wanted.level, engine.clearances.level_for(weight, wanted.level))
    return wanted._replace(weight=weight, level=level)


def _challenge(result: RuleResult) -> ChallengeReason:
    """What a rule of any kind asks for: one for bots may well ask for a challenge."""
    reason = result.reason
    return reason if isinstance(reason, ChallengeReason) else ChallengeReason(result.rule, reason.explain())


def _covered(engine: Engine, progress: Progress, wanted: ChallengeReason, now_ns: int) -> bool:
    """Whether the client has shown as much before."""
    if progress.spent:
        return False
    progress.clearance = progress.clearance or engine.clearances.held(progress.request, _ip(progress), now_ns)
    held = progress.clearance
    return held is not None and held.covers(engine.clearances.within_reach(wanted), now_ns)


def still_let_in(engine: Engine, progress: Progress, now_ns: int) -> bool:
    """Whether the clearance that has let a request in does so now: handlers of websockets ask again after hours."""
    if progress.plain or progress.clearance is None:
        return True
    wanted = _wanted(engine, progress, _results(engine, progress.results))
    if wanted is None:
        return True
    progress.clearance = None  # read again: it may have ended, or been revoked
    return _covered(engine, progress, wanted, now_ns) and not engine.clearances.epoch_is_due(now_ns)


def let_in_by(engine: Engine, progress: Progress, now_ns: int) -> Clearance | None:
    """The clearance without which the request would be challenged, as far as rules have been asked."""
    if progress.plain:
        return None
    found = [result for bound in engine.bound if (result := progress.result(bound)) is not None]
    wanted = _wanted(engine, progress, found)
    return progress.clearance if wanted is not None and _covered(engine, progress, wanted, now_ns) else None


def _ip(progress: Progress) -> str:
    return progress.client_ip.address if progress.client_ip is not None else ""


def _sum(weight: float) -> str:
    return f"the weights add up to {weight:g}"


def _decisive(results: Sequence[RuleResult]) -> RuleResult:
    """Among refusing limits the longest wait; else what came first."""
    return results[0] if len(results) == 1 else max(results, key=_wait)


def _wait(result: RuleResult) -> float:
    return result.reason.reset_seconds if isinstance(result.reason, RateLimitReason) else float("inf")


def _tightest(results: Iterable[RuleResult]) -> Reason:
    limits = [r.reason for r in results if r.decides and isinstance(r.reason, RateLimitReason)]
    return min(limits, key=lambda limit: (limit.remaining / limit.max, -limit.reset_seconds), default=ALLOWED)


def _would_decide(engine: Engine, progress: Progress, conclusion: Conclusion, now_ns: int) -> str | None:
    """The dry-run rule that would have decided, had all been live."""
    heavier = progress.dry_weight != progress.weight
    weighed = engine.threshold(progress.dry_weight, progress.would_end) if heavier else None
    covered = progress.would_pass = _would_be_covered(engine, progress, now_ns)
    for wanted in (Conclusion.DENY,) if covered else (Conclusion.DENY, Conclusion.CHALLENGE):
        heavy = progress.heavy if wanted is Conclusion.DENY else None
        refusing = [bound for bound in engine.in_turn if bound is heavy or _would_come_to(progress, bound, wanted)]
        if engine.lightens and heavy is not None:
            refusing = _weighed_last(refusing, heavy)
        refusing.sort(key=lambda bound: _after(engine, progress, bound))
        if refusing and refusing[0] is heavy:
            return "weights" if weighed is wanted is not engine.threshold(progress.weight) else None
        if refusing:
            return _first_in_turn(progress, refusing)
        if conclusion is wanted:
            return None
        if weighed is wanted:
            return "weights"
    return None


def _weighed_last(refusing: Sequence[Bound], heavy: Bound) -> list[Bound]:
    """Rules in turn, where what weighs enough comes after all rules of the application's own."""
    own = [bound for bound in refusing if bound is not heavy and bound.rule.phase is Phase.ACCESS]
    return [*own, heavy, *[bound for bound in refusing if bound is not heavy and bound not in own]]


def _would_be_covered(engine: Engine, progress: Progress, now_ns: int) -> bool:
    """Whether the client has shown as much as all rules ask for together, dry ones too."""
    wanted = _would_be_wanted(engine, progress)
    return wanted is not None and _covered(engine, progress, wanted, now_ns)


def _would_be_wanted(engine: Engine, progress: Progress) -> ChallengeReason | None:
    """What all rules ask for together, dry ones too."""
    found = [result for bound in engine.bound if (result := progress.result(bound)) is not None]
    asked = [_challenge(result) for result in found if result.conclusion is Conclusion.CHALLENGE]
    if engine.threshold(progress.dry_weight, progress.would_end) is Conclusion.CHALLENGE:
        asked.append(ChallengeReason("weights", level=engine.clearances.level_for(progress.dry_weight)))
    return _as_heavy(engine, strongest(asked), progress.dry_weight)


def _after(engine: Engine, progress: Progress, bound: Bound) -> tuple[int, int]:
    """When a rule came to its result, had all been live: of one round of questions, what was declared first decides."""
    rounds = progress.late.get(bound, -1)
    return (rounds, engine.bound.index(bound) if rounds > 0 else 0)


def _would_come_to(progress: Progress, bound: Bound, wanted: Conclusion) -> bool:
    """Whether a rule came to this, and would have been asked, had all been live."""
    result = progress.result(bound) if bound not in progress.spared else None
    return result is not None and result.state is not State.NOT_RUN and result.conclusion is wanted


def _first_in_turn(progress: Progress, refusing: Sequence[Bound]) -> str | None:
    """The name of the first of rules in the order of the walk, if it is a dry run.

    Limits are counted together: of those, the longest wait is the reason, and the live one where two wait equally long.
    """
    first = refusing[0]
    if first.rule.phase is Phase.COUNT:
        together = [bound for bound in refusing if bound.rule.phase is Phase.COUNT]
        first = max(together, key=lambda bound: (_waiting(progress.result(bound)), not bound.dry))
    return first.name if first.dry else None


def _waiting(result: RuleResult | None) -> float:
    return _wait(result) if result is not None else 0.0
