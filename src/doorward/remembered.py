"""The straight way for a client whose refusal is remembered: it keeps knocking, and is to cost next to nothing.

It comes to what :func:`doorward.counting.recall` comes to in the walk; a test compares the two.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from doorward.counting import NANOSECONDS
from doorward.decision import Conclusion, Decision, State
from doorward.fingerprint import IP
from doorward.reason import RateLimitReason
from doorward.rules.base import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.bound import Bound
    from doorward.decision import RuleResult
    from doorward.engine import Engine
    from doorward.fingerprint import Fingerprint
    from doorward.progress import Progress
    from doorward.reason import Reason
    from doorward.refusals import Refusal
    from doorward.rules.limits import Quota

    Found = list[tuple[Bound, Quota, Refusal]]


class Remembered:
    """Decides about requests of clients that a limit by address has just refused.

    Args:
        engine: The rules.
    """

    __slots__ = ("_engine", "_identity", "_keys")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._identity = engine.limits[0].identity
        self._keys = [(b.prefix, b.cost or 1, b, quota) for b in engine.limits for quota in b.quotas or ()]

    @staticmethod
    def serves(engine: Engine) -> bool:
        """Whether nothing comes before limits that are the same for every request."""
        return (
            len(engine.limits) > 0
            and engine.plain_limits
            and not any(bound.rule.phase is Phase.ACCESS for bound in engine.bound)
            and not engine.dry
            and all(bound.quotas and bound.identity.names == (IP,) for bound in engine.limits)
        )

    def decide(self, progress: Progress) -> Decision | None:
        """The refusal; None where there is none to remember, or somebody else has a say."""
        engine = self._engine
        if progress.results or progress.decision is not None or engine.bans:
            return None
        client_ip = progress.client_ip
        if client_ip is None:
            request = progress.request
            client_ip = progress.client_ip = engine.ips.resolve(request.peer, request.header_values)
        fingerprint = self._identity.fingerprint(progress.request, client_ip[0], {})
        own, refusals = fingerprint.short, engine.refusals
        known = [key for key in self._keys if key[0] + own in refusals]
        if not known:
            return None
        now_ns = engine.clock.now_ns()
        away = engine.service is not None and engine.service.watch.down
        found: Found = []
        for prefix, cost, bound, quota in known:
            refusal = refusals.recall(prefix + own, cost, now_ns, away=away)
            if refusal is not None:
                found.append((bound, quota, refusal))
        if not found:
            return None
        found.sort(key=_until, reverse=True)
        progress.refused_by = [bound for bound, _, _ in found]
        decision = Decision(Conclusion.DENY, partial(_evidence, engine, found, fingerprint, now_ns), client_ip, now_ns)
        decision.ttl = math.ceil((found[0][2].until_ns - now_ns) / NANOSECONDS)
        return decision


def _until(found: tuple[Bound, Quota, Refusal]) -> int:
    return found[2].until_ns


def _evidence(
    engine: Engine, found: Found, fingerprint: Fingerprint, now_ns: int
) -> tuple[Reason, Sequence[RuleResult]]:
    """The reason and the results, written out when somebody looks."""
    refused = {bound: _result(bound, quota, refusal, fingerprint, now_ns) for bound, quota, refusal in found}
    results = tuple([refused.get(bound) or bound.not_run for bound in engine.bound])
    return refused[found[0][0]].reason, results


def _result(bound: Bound, quota: Quota, refusal: Refusal, fingerprint: Fingerprint, now_ns: int) -> RuleResult:
    wait = (refusal.until_ns - now_ns) / NANOSECONDS
    reason = RateLimitReason(quota.max, refusal.remaining, wait, quota.interval / NANOSECONDS, now_ns)
    return bound.result(Conclusion.DENY, reason, state=State.CACHED, fingerprint=str(fingerprint), ttl=math.ceil(wait))


__all__ = ["Remembered"]
