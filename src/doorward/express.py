"""The straight way for the request that almost every request is: a person's, with room in all limits.

It comes to what :meth:`doorward.engine.Engine.evaluate` comes to, without the generator and its steps, for a third of
the cost; a test compares the two on random traffic. Everything else, a refusal too, takes the whole walk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from doorward.combine import allowed
from doorward.counting import make_admitted, make_hit
from doorward.decision import Conclusion, Decision
from doorward.effects import Algorithm
from doorward.fingerprint import IP
from doorward.rules.base import View

if TYPE_CHECKING:
    from doorward.bound import Bound
    from doorward.decision import RuleResult
    from doorward.engine import Engine
    from doorward.progress import Admitted, Answer, Progress
    from doorward.rules.base import Rule
    from doorward.stores.base import Store


class Express:
    """Decides about requests that meet limits by address, in a store without waiting, and rules that pass them.

    Args:
        engine: The rules.
        store: Their counters: a store of ours, whose answers need no check.
    """

    __slots__ = ("_asked", "_count", "_engine", "_holds", "_identity", "_limits", "_open")

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._count = store.count
        self._identity = engine.limits[0].identity
        self._asked = [
            (b, b.rule.evaluate, usual, b.result(usual.conclusion, usual.reason), b.rule.needs_body)
            for b in engine.bound
            if (usual := b.rule.usual()) is not None and not _stays_open(b.rule) and not b.late
        ]
        self._holds = any(b.late and b.rule.needs_body for b in engine.bound)
        self._open = any(_stays_open(b.rule) for b in engine.bound)
        self._limits = [(b, b.prefix, *quota[1:], b.cost or 1) for b in engine.limits for quota in b.quotas or ()]
        if engine.bans is None:
            self._limits.insert(0, (engine.ban, engine.ban.prefix, Algorithm.BAN, 1, 1, 1))

    @staticmethod
    def serves(engine: Engine) -> bool:
        """Whether the rules are such that this is worth trying."""
        others = [b.rule for b in engine.bound if b not in engine.limits]
        return (
            len(engine.limits) > 0
            and all([_stays_open(rule) or (rule.usual() and not (rule.paths or rule.methods)) for rule in others])
            and engine.plain_limits
            and not engine.dry
            and all(bound.quotas and bound.identity.names == (IP,) for bound in engine.limits)
            and (engine.bans is not None or (engine.ban.identity.names == (IP,) and not engine.barring))
        )

    def decide(self, progress: Progress, *, deferring: bool = False) -> Decision | None:
        """The decision; None where the request has to take the whole walk. Then nothing has been charged.

        Args:
            progress: What is known about the request.
            deferring: Leave rules whose inputs are missing for a later call.
        """
        engine, results = self._engine, progress.results
        request = progress.request
        if (
            results
            or engine.bans
            or (engine.watch is not None and engine.watch.down)
            or (self._open and not deferring)
            or (self._holds and request.may_have_body())
        ):
            return None
        client_ip = progress.client_ip
        if client_ip is None:
            client_ip = progress.client_ip = engine.ips.resolve(request.peer, request.header_values)
        if self._asked and not self._pass(View(request, client_ip[0], {}, {}, engine.addresses), results):
            results.clear()
            return None
        fingerprint = self._identity.fingerprint(request, client_ip[0], {})
        own, refusals = fingerprint.short, engine.refusals
        hits = [
            make_hit((prefix + own, algorithm, limit, interval, cost, 0, False))
            for _, prefix, algorithm, limit, interval, cost in self._limits
        ]
        if refusals and any([hit[0] in refusals for hit in hits]):
            results.clear()
            return None
        try:
            verdicts = self._count(hits)
        except Exception:
            results.clear()
            return None  # the walk will come to the same, and knows what follows from that
        ledger: list[Answer] = []
        for limit, hit, verdict in zip(self._limits, hits, verdicts, strict=True):
            if not verdict[0]:
                results.clear()
                return None
            results[limit[0]] = make_admitted((fingerprint, hit, verdict, verdict[4]))
            ledger.append(((limit[0], fingerprint, hit), verdict))
        progress.ledger = ledger
        if engine.watch is not None:
            engine.watch.answered(hits, verdicts)
        # All of one store call have its time.
        return Decision(Conclusion.ALLOW, partial(allowed, engine, results), client_ip, verdicts[0][4])

    def _pass(self, view: View, results: dict[Bound, RuleResult | Admitted]) -> bool:
        """Whether all rules come to what they usually come to."""
        for bound, evaluate, usual, result, needs_body in self._asked:
            try:
                if (needs_body and view[0].may_have_body()) or evaluate(view) is not usual:
                    return False
            except Exception:
                return False  # the walk will come to the same, and report it
            results[bound] = result
        return True


def _stays_open(rule: Rule) -> bool:
    """Whether middleware, which has no inputs, leaves the rule for a ``protect`` in the handler."""
    return bool(rule.needs or rule.wants())
