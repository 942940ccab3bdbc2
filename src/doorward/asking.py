"""Steps 4 and 5 of the walk where there is a decision service: one question for all that is still open.

Functions over a :class:`~doorward.walk.Walk`, like :mod:`doorward.counting`, which decides without one.
"""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.combine import so_far
from doorward.counting import NANOSECONDS, charge_store, conclude, without_store
from doorward.decision import Conclusion, State
from doorward.effects import Algorithm, AskService, Verdict
from doorward.errors import ServiceError
from doorward.fingerprint import IP, Identity
from doorward.printable import describe
from doorward.question import OpenLimit, Question, fitting
from doorward.reason import ErrorReason, RateLimitReason, RuleReason
from doorward.refusals import Refusal
from doorward.rules.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from doorward.bound import Bound
    from doorward.decision import RuleResult
    from doorward.degraded import StoreWatch
    from doorward.effects import Effect
    from doorward.progress import Answer, Counter
    from doorward.question import Ruling, ServiceAnswer
    from doorward.walk import Walk

TOKEN = "\x00"
"""Stands between a counter's key and what the service calls the charge: see :func:`token_of`."""


class ServicePart(NamedTuple):
    """What an engine knows of its decision service.

    Attributes:
        bound: The rule as which the service refuses clients of its own accord.
        watch: Knows whether it answers.
    """

    bound: Bound
    watch: StoreWatch


def ask(walk: Walk, part: ServicePart) -> Generator[Effect, Any, None]:
    """Have the service decide what this process cannot; what it does not answer follows each rule's ``on_error``."""
    limits = [counter for counter in walk.counters if counter[2].algorithm is not Algorithm.BAN]
    bans = [counter for counter in walk.counters if counter[2].algorithm is Algorithm.BAN]
    if bans:
        yield from charge_store(walk, bans)
    rules = _open_rules(walk)
    if walk.denied or not _is_worth_asking(walk, limits, rules):
        return
    question, since = _question(walk, limits, rules), part.watch.turns
    try:
        answer = fitting((yield AskService(question)), question)
    except Exception as error:
        part.watch.lost(error, since)
        yield from _without_service(walk, limits, rules, error)
        return
    walk.progress.asked = walk.progress.told = True
    walk.progress.service_id = answer.id
    part.watch.answered([], [], since)
    yield from _settle(walk, part, question, answer)


def recall_refusal(walk: Walk, part: ServicePart) -> bool:
    """Whether the service's own refusal of this client is remembered."""
    known = walk.engine.refusals.recall(_refusal_key(walk, part), 1, walk.now_ns, away=part.watch.down)
    if known is None:
        return False
    _refuse(walk, part, (known.until_ns - walk.now_ns) / NANOSECONDS, "the service refuses this client", State.CACHED)
    return True


def token_of(key: str) -> tuple[str, str]:
    """A charge's key as the counter's own and what the service calls the charge; the latter empty for a store's."""
    counter, _, token = key.partition(TOKEN)
    return counter, token


# --- the question


def _open_rules(walk: Walk) -> list[Bound]:
    """The rules that the service is to evaluate: they have been begun, and could not tell by themselves."""
    begun = walk.begun or {}
    taken = [bound for bound in begun if bound.rule.remote]
    for bound in taken:
        begun.pop(bound).close()
    return taken


def _is_worth_asking(walk: Walk, limits: Sequence[Counter], rules: Sequence[Bound]) -> bool:
    """Whether anything is open; else, once a request that any rule is about, what the service thinks of the client."""
    if limits or rules:
        return True
    progress = walk.progress
    ran = [result for bound in list(progress.results) if (result := progress.result(bound)) is not None]
    return not progress.asked and any([result.state is not State.NOT_RUN for result in ran])


def _question(walk: Walk, limits: Sequence[Counter], rules: Sequence[Bound]) -> Question:
    found = _found(walk)
    opened = [_limit(list(own)) for _, own in groupby(limits, lambda counter: (counter[0], counter[2][1:]))]
    return Question(
        walk.request, walk.ip, opened, rules, walk.inputs, found, so_far(walk.engine, walk.progress, walk.now_ns)
    )


def _limit(counters: Sequence[Counter]) -> OpenLimit:
    bound, _, hit = counters[0]
    return OpenLimit(bound, hit, [fingerprint for _, fingerprint, _ in counters])


def _found(walk: Walk) -> list[RuleResult]:
    progress = walk.progress
    results = [progress.result(bound) for bound in walk.engine.bound]
    return [result for result in results if result is not None and result.state is not State.NOT_RUN]


# --- the answer


def _settle(walk: Walk, part: ServicePart, question: Question, answer: ServiceAnswer) -> Generator[Effect, Any, None]:
    if answer.refusal is not None:
        _refused(walk, part, answer.refusal)
    failed = _settle_limits(walk, part, question, answer)
    for bound, ruling in zip(question.rules, answer.rules, strict=True):
        _settle_rule(walk, bound, ruling)
    for bound, why in failed.items():
        own = [counter for counter in walk.counters if counter[0] is bound]
        yield from without_store(walk, own, ServiceError(why))


def _settle_limits(walk: Walk, part: ServicePart, question: Question, answer: ServiceAnswer) -> dict[Bound, str]:
    """Keep what the limits came to; those that the service could not count, and why."""
    failed: dict[Bound, str] = {}
    answers: dict[Bound, list[Answer]] = {}
    local: dict[Bound, str] = {}
    states: dict[Bound, State | None] = {}
    for (bound, hit, fingerprints), ruling in zip(question.limits, answer.limits, strict=True):
        reason = ruling.reason
        if not ruling.ran:
            walk.progress.results[bound] = bound.skipped("the service did not evaluate it")
        elif not isinstance(reason, RateLimitReason):
            failed[bound] = reason.explain()
        else:
            own = ((bound, fingerprints[0], hit), _verdict(walk, ruling, reason))
            answers.setdefault(bound, []).append(own)
            local[bound] = reason.degraded or local.get(bound, "")
            states[bound] = _state(ruling)
            _enter(walk, own, ruling.charges)
            part.watch.heard([hit], [own[1]])
    for bound, own_answers in answers.items():
        if bound not in failed:
            conclude(walk, bound, own_answers, state=states[bound], degraded=local[bound])
    return failed


def _state(ruling: Ruling) -> State | None:
    """Of a result: the rule's own, but where the service's operator has switched refusing off."""
    return State.DRY_RUN if ruling.dry else None


def _verdict(walk: Walk, ruling: Ruling, reason: RateLimitReason) -> Verdict:
    admitted = ruling.conclusion is Conclusion.ALLOW
    wait = max(0.0, reason.reset_seconds)
    return Verdict(admitted, reason.remaining, wait, 0.0 if admitted else wait, walk.now_ns)


def _enter(walk: Walk, answer: Answer, charges: Sequence[str]) -> None:
    """Keep what was charged, for a refund."""
    if charges:
        (bound, fingerprint, hit), verdict = answer
        ledger = walk.progress.ledger = walk.progress.ledger if walk.progress.ledger is not None else []
        ledger += [((bound, fingerprint, hit._replace(key=hit.key + TOKEN + charge)), verdict) for charge in charges]


def _settle_rule(walk: Walk, bound: Bound, ruling: Ruling) -> None:
    if not ruling.ran:
        walk.progress.results[bound] = bound.skipped("the service did not evaluate it")
    elif ruling.conclusion is Conclusion.ERROR or isinstance(ruling.reason, ErrorReason):
        walk.fail(bound, ServiceError(ruling.reason.explain()))
    elif ruling.reason.type != bound.rule.kind:
        walk.fail(bound, ServiceError("the service gave the reason of another kind of rule"))
    else:
        outcome = Outcome(ruling.conclusion, ruling.reason, ttl=ruling.ttl, note=ruling.note)
        walk.settle(bound, outcome, _state(ruling))


# --- refusals of the service's own


def _refused(walk: Walk, part: ServicePart, ruling: Ruling) -> None:
    _refuse(walk, part, float(ruling.ttl), ruling.reason.explain(), None)
    if ruling.ttl > 0 and not part.bound.dry:
        until_ns = walk.now_ns + int(ruling.ttl * NANOSECONDS)
        walk.engine.refusals.remember(_refusal_key(walk, part), Refusal(until_ns, 1, 0), walk.now_ns, walk.epoch)


def _refuse(walk: Walk, part: ServicePart, seconds: float, why: str, state: State | None) -> None:
    reason = RuleReason("service", why, 0.0, seconds)
    walk.record(part.bound, part.bound.result(Conclusion.DENY, reason, state=state, ttl=math.ceil(seconds)))


_BY_ADDRESS = Identity((IP,))


def _refusal_key(walk: Walk, part: ServicePart) -> str:
    return part.bound.key("", _BY_ADDRESS.fingerprint(walk.request, walk.ip, {}))


# --- when the service does not answer


def _without_service(
    walk: Walk, limits: Sequence[Counter], rules: Sequence[Bound], error: Exception
) -> Generator[Effect, list[Verdict], None]:
    failure = error if isinstance(error, ServiceError) else ServiceError(describe(error))
    walk.progress.noteworthy = True
    for bound in rules:
        walk.fail(bound, failure)
    if limits:
        yield from without_store(walk, limits, failure)


__all__ = ["ServicePart", "ask", "recall_refusal", "token_of"]
