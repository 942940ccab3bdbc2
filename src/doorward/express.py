"""The straight way for the request that almost every request is: only limits to ask about, and room in all of them.

It comes to what :meth:`doorward.engine.Engine.evaluate` comes to, without the generator and its steps, for a third of
the cost; a test compares the two on random traffic. Everything else, a refusal too, takes the whole walk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from doorward.combine import allowed
from doorward.counting import make_admitted, make_hit
from doorward.decision import Conclusion, Decision
from doorward.errors import StoreError
from doorward.fingerprint import IP

if TYPE_CHECKING:
    from doorward.engine import Engine
    from doorward.progress import Answer, Progress
    from doorward.stores.memory import MemoryStore


class Express:
    """Decides about requests that only meet limits by address, in the memory of this process.

    Args:
        engine: The rules.
        store: Their counters.
    """

    __slots__ = ("_count", "_engine", "_identity", "_limits")

    def __init__(self, engine: Engine, store: MemoryStore) -> None:
        self._engine = engine
        self._count = store.count
        self._identity = engine.limits[0].identity
        self._limits = [(b, b.prefix, *quota[1:], b.cost or 1) for b in engine.limits for quota in b.quotas or ()]

    @staticmethod
    def serves(engine: Engine) -> bool:
        """Whether the rules are such that this is worth trying."""
        return (
            0 < len(engine.limits) == len(engine.bound)
            and engine.plain_limits
            and not engine.dry
            and all(bound.quotas and bound.identity.names == (IP,) for bound in engine.limits)
        )

    def decide(self, progress: Progress) -> Decision | None:
        """The decision; None where the request has to take the whole walk. Then nothing has been charged."""
        engine, results = self._engine, progress.results
        if results or engine.bans:
            return None
        request = progress.request
        client_ip = progress.client_ip = engine.ips.resolve(request.peer, request.header_values)
        fingerprint = self._identity.fingerprint(request, client_ip[0], {})
        own, refusals = fingerprint.short, engine.refusals
        hits = [
            make_hit((prefix + own, algorithm, limit, interval, cost, 0, False))
            for _, prefix, algorithm, limit, interval, cost in self._limits
        ]
        if refusals and any([hit[0] in refusals for hit in hits]):
            return None
        try:
            verdicts = self._count(hits)
        except StoreError:
            return None  # the walk knows what follows from that
        ledger: list[Answer] = []
        for limit, hit, verdict in zip(self._limits, hits, verdicts, strict=True):
            if not verdict[0]:
                results.clear()
                return None
            results[limit[0]] = make_admitted((fingerprint, hit, verdict, verdict[4]))
            ledger.append(((limit[0], fingerprint, hit), verdict))
        progress.ledger = ledger
        # All of one store call have its time.
        return Decision(Conclusion.ALLOW, partial(allowed, engine, results), client_ip, verdicts[0][4])
