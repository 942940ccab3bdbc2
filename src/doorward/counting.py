"""Step 4 of the walk: every counter of a request in one call, all or none.

Functions over a :class:`~doorward.walk.Walk`, and plain tuples: this runs for every request.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from doorward.decision import Conclusion, State
from doorward.effects import Algorithm, CountHits, Hit, Verdict
from doorward.errors import ServiceError, StoreError
from doorward.levels import Level
from doorward.printable import describe
from doorward.progress import NO_INPUTS, Admitted
from doorward.reason import ChallengeReason, RateLimitReason, RuleReason
from doorward.refusals import Refusal
from doorward.rules.base import LARGEST
from doorward.rules.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from doorward.bound import Bound
    from doorward.effects import Effect
    from doorward.progress import Answer, Counter
    from doorward.reason import Reason
    from doorward.rules.limits import Quota
    from doorward.walk import Walk

NANOSECONDS = 1e9
_DRY_BARS = 2
"""The group of refusals for suspicion on trial; not that of limits on trial, which are to count whatever it does."""

# These skip the keyword handling of a NamedTuple's __new__, which costs as much as all the rest of making one.
make_hit: Callable[[tuple[object, ...]], Hit] = partial(tuple.__new__, Hit)
_count_hits: Callable[[tuple[object, ...]], CountHits] = partial(tuple.__new__, CountHits)
make_admitted: Callable[[tuple[object, ...]], Admitted] = partial(tuple.__new__, Admitted)


def prepare(walk: Walk) -> None:
    """Find out what the request is to be charged on: fills ``walk.counters`` and, in step with it, ``walk.hits``."""
    if walk.prepared:
        _narrow(walk)
        return
    engine = walk.engine
    walk.prepared, walk.counters, walk.hits, walk.epoch = True, [], [], engine.refusals.epoch
    if engine.bans is None or engine.bans:
        _add_ban(walk)
        for bound in engine.barring:
            bar(walk, bound)
    if engine.plain_limits and not walk.progress.results:
        for bound in engine.limits:
            _add(walk, bound)
    else:
        _add_by_tier(walk)


def recall(walk: Walk) -> bool:
    """Whether this client's refusal is remembered; then the walk ends here, and nothing is charged."""
    prepare(walk)
    service = walk.engine.service
    away = service is not None and service.watch.down
    refused: list[Answer] = []
    for counter in walk.counters:
        hit = counter[2]
        refusal = None if hit.dry_run else walk.engine.refusals.recall(hit.key, hit.cost, walk.now_ns, away=away)
        if refusal is not None:
            wait = (refusal.until_ns - walk.now_ns) / NANOSECONDS
            refused.append((counter, Verdict(False, refusal.remaining, wait, wait, walk.now_ns)))
    for own in _by_rule(refused):
        conclude(walk, own[0][0][0], own, state=State.CACHED)
    return bool(refused)


# --- before: which counters


def _narrow(walk: Walk) -> None:
    """Leave out what a local rule has made unnecessary since the counters were prepared."""
    if walk.progress.ended:
        walk.counters = [
            counter for counter in walk.counters if counter[2].algorithm is Algorithm.BAN or not walk.skips(counter[0])
        ]
        walk.hits = [counter[2] for counter in walk.counters]


def _add_ban(walk: Walk) -> None:
    bound = walk.engine.ban
    if bound in walk.progress.results:
        return
    try:
        fingerprints = bound.identity.fingerprints(walk.request, walk.ip, walk.inputs.characteristics)
    except TypeError as error:
        walk.fail(bound, error)
        return
    if not (fingerprints[0].missing and walk.deferring):
        for fingerprint in fingerprints:
            hit = Hit(bound.key("", fingerprint), Algorithm.BAN, 1, 1, 1, walk.engine.group_of(bound), bound.dry)
            walk.counters.append((bound, fingerprint, hit))
            walk.hits.append(hit)


def bar(walk: Walk, bound: Bound) -> None:
    """Ask whether a client is refused for what it was suspected of before; once."""
    progress = walk.progress
    if bound in progress.barring or bound.rule.kind in progress.ended or not walk.about(bound):
        return
    try:
        fingerprints = bound.identity.fingerprints(walk.request, walk.ip, walk.inputs.characteristics)
    except TypeError as error:
        walk.fail(bound, error)
        return
    if fingerprints[0].missing and walk.deferring:
        progress.waiting = {bound: 0.0, **progress.waiting}
        return
    progress.barring |= {bound}
    for fingerprint in fingerprints:
        group = _DRY_BARS if bound.dry else 0
        hit = Hit(bound.key("", fingerprint), Algorithm.BAN, 1, 1, 1, group, bound.dry)
        walk.counters.append((bound, fingerprint, hit))
        walk.hits.append(hit)


def _add_by_tier(walk: Walk) -> None:
    """The limits that are about this request, and were not charged before unless asked to be.

    Limits of a route take the place of those of a path pattern, and both of the application's: see
    :mod:`doorward.bound`. A live limit gives way to none but a live one that is really in force: one that is on trial,
    that waits for its characteristic, or that has failed, leaves it where it is. One on trial gives way as if all were
    live.
    """
    again = walk.inputs.requested is not None
    limits = walk.engine.limits
    counted = [bound for bound in limits if not bound.additive and walk.progress.counted(bound)]
    top = max((bound.tier for bound in counted if not bound.dry), default=0)
    tried = max((bound.tier for bound in counted), default=0)
    open_ = [bound for bound in limits if (again or bound not in walk.progress.results) and not walk.skips(bound)]
    for bound in sorted(open_, key=lambda bound: -bound.tier):
        if not walk.applies(bound):
            continue
        if bound.tier < (tried if bound.dry else top) and not bound.additive:
            walk.progress.results[bound] = bound.skipped("a limit of the route takes its place")
        elif _add(walk, bound) and not bound.additive:
            tried = max(tried, bound.tier)
            top = top if bound.dry else max(top, bound.tier)


def _add(walk: Walk, bound: Bound) -> bool:
    """Add a limit's counters; whether it is in force."""
    try:
        fingerprints = bound.identity.fingerprints(walk.request, walk.ip, walk.inputs.characteristics)
        if walk.deferring and (fingerprints[0].missing or (bound.reads_given and not walk.inputs.characteristics)):
            return False
        cost = 1 if walk.inputs is NO_INPUTS and bound.cost is None else cost_of(bound, walk.inputs.requested)
        group = walk.engine.group_of(bound) if bound.dry else 0
        for label, algorithm, maximum, interval in bound.quotas or _dynamic(walk, bound):
            for fingerprint in fingerprints:
                key, most = bound.prefix + fingerprint.short + label, maximum * fingerprint.clients
                hit = make_hit((key, algorithm, most, interval, cost, group, bound.dry))
                walk.counters.append((bound, fingerprint, hit))
                walk.hits.append(hit)
    except Exception as error:
        walk.fail(bound, error)
        return False
    return True


def _dynamic(walk: Walk, bound: Bound) -> Sequence[Quota]:
    rule = bound.rule
    assert isinstance(rule, Limit)
    quotas = rule.quotas(walk.view)
    if not quotas:
        walk.progress.results[bound] = bound.skipped("no limit for this request")
    return quotas


def cost_of(bound: Bound, requested: int | None) -> int:
    """Units that the request takes on a limit.

    A number that is out of range is moved into it: what the application computed from a client's wish must not let
    the request in uncharged.

    Raises:
        TypeError: ``requested`` is no whole number.
    """
    if bound.cost is not None or requested is None:
        return bound.cost or 1
    if isinstance(requested, bool) or not isinstance(requested, int):
        raise TypeError(f"requested must be a whole number, not {type(requested).__name__}")
    return min(max(1, requested), LARGEST)


# --- after: what the verdicts mean


def charge_store(walk: Walk, counters: Sequence[Counter]) -> Generator[Effect, Any, None]:
    """Ask the store about some of the counters."""
    try:
        settle(walk, counters, (yield _count_hits(([counter[2] for counter in counters], False))))
    except Exception as error:
        lost(walk, error)
        yield from without_store(walk, counters, error)


def settle(walk: Walk, counters: Sequence[Counter], verdicts: Sequence[Verdict], degraded: str = "") -> None:
    """Turn a store's verdicts into results.

    Raises:
        StoreError: They make no sense.
    """
    if not walk.engine.trusts_store:
        check_verdicts(verdicts, len(counters))
    answers = list(zip(counters, verdicts, strict=True))
    refused = False
    if walk.engine.dynamic or degraded:
        for own in _by_rule(answers):
            refused = conclude(walk, own[0][0][0], own, degraded=degraded) or refused
    else:
        results = walk.progress.results
        for answer in answers:
            (bound, fingerprint, hit), verdict = answer
            if verdict[0] and bound.rule.sums_up:
                continue  # what it found in the request stands
            if verdict[0] and not fingerprint.missing:
                # Written out when somebody looks; most admissions are never looked at.
                results[bound] = make_admitted((fingerprint, hit, verdict, walk.now_ns))
            else:
                refused = conclude(walk, bound, (answer,)) or refused
    if not refused and not degraded:
        ledger = walk.progress.ledger
        if ledger is None:
            walk.progress.ledger = answers
        else:
            ledger += answers
    if not degraded and walk.engine.watch is not None:
        walk.engine.watch.answered([counter[2] for counter in counters], verdicts)


def _by_rule(answers: Sequence[Answer]) -> list[list[Answer]]:
    """A rule whose limits were chosen for this request may have several counters."""
    grouped: dict[Bound, list[Answer]] = {}
    for answer in answers:
        grouped.setdefault(answer[0][0], []).append(answer)
    return list(grouped.values())


def conclude(
    walk: Walk, bound: Bound, own: Sequence[Answer], *, state: State | None = None, degraded: str = ""
) -> bool:
    """Keep what a limit came to, or a ban; whether it is a live refusal."""
    counter, verdict = own[0] if len(own) == 1 else min(own, key=_tightness)
    _, fingerprint, hit = counter
    if verdict.admitted and bound.rule.sums_up:
        return False  # what it found in the request stands
    passes = walk.engine.passes
    if passes is not None and bound is passes.quota:
        return _passed_on(walk, bound, verdict)
    if passes is not None and bound is passes.clients:
        walk.progress.is_new_client = verdict.admitted
        walk.progress.results[bound] = bound.skipped("refuses nobody")
        return False
    if not verdict.admitted and not bound.dry and not degraded and state is None:
        _remember(walk, own)
    wait = verdict.reset_after if verdict.admitted else verdict.retry_after
    window = hit.interval / NANOSECONDS
    reason: Reason = RateLimitReason(hit.max, verdict.remaining, wait, window, walk.now_ns, degraded)
    if bound is walk.engine.ban:
        reason = RuleReason("ban", "the client is banned", 0.0, wait)
    elif bound.rule.sums_up:
        reason = bound.rule.barred(wait)
    missing = ", ".join(fingerprint.missing)
    walk.progress.noteworthy = walk.progress.noteworthy or bool(missing or degraded)
    result = bound.result(
        Conclusion.ALLOW if verdict.admitted else Conclusion.DENY,
        reason,
        state=state,
        fingerprint=str(fingerprint),
        ttl=0 if verdict.admitted else math.ceil(wait),
        note=f"{missing} not given to protect: counted by address instead" if missing else "",
    )
    walk.record(bound, result)
    return not (verdict.admitted or bound.dry)


def _passed_on(walk: Walk, bound: Bound, verdict: Verdict) -> bool:
    """Keep whether a clearance is used up: then the client is challenged again, and refused nothing."""
    if verdict.admitted:
        walk.record(bound, bound.skipped("the clearance is good for more"))
        return False
    walk.progress.spent = True
    reason = ChallengeReason(
        "clearance", "the clearance has let in as many requests as it is good for", level=Level.WAIT
    )
    walk.record(bound, bound.result(Conclusion.CHALLENGE, reason))
    return True


def _remember(walk: Walk, own: Sequence[Answer]) -> None:
    for (_, _, hit), verdict in own:
        if not verdict.admitted:
            until_ns = walk.now_ns + int(verdict.retry_after * NANOSECONDS)
            refusal = Refusal(until_ns, hit.cost, verdict.remaining)
            walk.engine.refusals.remember(hit.key, refusal, walk.now_ns, walk.epoch)


# --- when the store fails


def lost(walk: Walk, error: Exception) -> None:
    """The store did not answer."""
    if walk.engine.watch is not None:
        walk.engine.watch.lost(error)


def without_store(walk: Walk, counters: Sequence[Counter], error: Exception) -> Generator[Effect, list[Verdict], None]:
    """Go on as each limit's ``on_error`` says."""
    cause = describe(error)
    failure = error if isinstance(error, StoreError | ServiceError) else StoreError(cause)
    walk.progress.noteworthy = True
    local = [_share(walk, counter) for counter in counters if counter[0].on_error == "local"]
    if local:
        try:
            verdicts = yield CountHits([counter[2] for counter in local], local=True)
            settle(walk, local, verdicts, degraded=cause)
        except Exception as local_error:
            failure = StoreError(f"{cause}; local limiter: {describe(local_error)}")
            local = []
    settled = {counter[0] for counter in local}
    for bound in dict.fromkeys(counter[0] for counter in counters):
        if bound.rule.sums_up and bound.on_error != "deny":
            continue  # what it finds in the request does not depend on the store
        if bound is walk.engine.ban and bound.on_error != "deny":
            walk.progress.results[bound] = bound.skipped("the store failed")
        elif bound not in settled:
            walk.fail(bound, failure)


def _share(walk: Walk, counter: Counter) -> Counter:
    """This process's part of a limit, where several share the traffic."""
    bound, fingerprint, hit = counter
    return bound, fingerprint, hit._replace(max=max(1, hit.max // walk.engine.workers))


def _tightness(answer: Answer) -> tuple[bool, float, int]:
    """Refused before admitted, the longest wait first, then the least room."""
    _, verdict = answer
    return (verdict.admitted, -verdict.retry_after, verdict.remaining)


def check_verdicts(verdicts: object, count: int) -> None:
    """Whether the answer of a store, which may be anybody's code, is one.

    Raises:
        StoreError: It is none.
    """
    if not isinstance(verdicts, list | tuple) or len(verdicts) != count:
        raise StoreError(f"the store answered {type(verdicts).__name__} where {count} verdicts were asked for")
    for verdict in verdicts:
        if type(verdict) is not Verdict or not (
            0.0 <= verdict.retry_after < math.inf and 0.0 <= verdict.reset_after < math.inf and verdict.remaining >= 0
        ):
            raise StoreError("the store's answer makes no sense")
