"""Decisions that no rule was asked for: exempt requests, a client that is off, a failure of our own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doorward.client_ip import ClientIP, Provenance
from doorward.decision import Conclusion, Decision

if TYPE_CHECKING:
    from doorward.clock import Clock
    from doorward.decision import RuleResult
    from doorward.engine import Engine
    from doorward.reason import Reason

UNKNOWN = ClientIP("", Provenance.NONE)


def without_walk(engine: Engine, conclusion: Conclusion, reason: Reason, client_ip: ClientIP, clock: Clock) -> Decision:
    """A decision in which every rule of ``engine`` is one that was not run."""

    def evidence() -> tuple[Reason, tuple[RuleResult, ...]]:
        return reason, tuple([bound.not_run for bound in engine.bound])

    return Decision(conclusion, evidence, client_ip, _now_ns(clock))


def _now_ns(clock: Clock) -> int:
    try:
        return clock.now_ns()
    except Exception:  # what is broken may be the application's clock
        return time.time_ns()
