"""The rules in force on a route: the application's, and what the route says for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from doorward.bound import ROUTE
from doorward.decision import Mode
from doorward.routes import Insists

if TYPE_CHECKING:
    from doorward.engine import Engine
    from doorward.routes import RoutePolicy
    from doorward.runtime import Runtime


class Routed:
    """What each route of one client comes to, made when it is first asked for.

    Args:
        runtime: Of the client.
        lock: Its lock.
    """

    def __init__(self, runtime: Runtime, lock: Any) -> None:
        self._runtime = runtime
        self._lock = lock
        self._of_policy: WeakKeyDictionary[Engine, dict[RoutePolicy, Engine]] = WeakKeyDictionary()
        self._bare: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()

    def engine_for(self, engine: Engine, policy: RoutePolicy | None) -> Engine:
        """The rules in force on a route."""
        if policy is None or policy.exempt:
            return engine
        known = self._of_policy.get(engine)
        found = known.get(policy) if known is not None else None
        return found or self._made(engine, policy)

    def without_rules(self, engine: Engine) -> Engine:
        """The same engine without rules, for routes that have nothing but their own."""
        return self._bare.get(engine) or self._bare.setdefault(engine, engine.with_bound(()))

    def _made(self, engine: Engine, policy: RoutePolicy) -> Engine:
        with self._lock:
            known = self._of_policy.setdefault(engine, {})
            found = known.get(policy)
            if found is not None:
                return found
            found = known[policy] = self._with_own(engine, policy)
        own = [bound for bound in found.bound if bound not in engine.bound]
        self._runtime.note_routed(own)
        self._runtime.gatekeeper.look_at(own)
        return found

    def _with_own(self, engine: Engine, policy: RoutePolicy) -> Engine:
        """``engine`` with the rules of a route; all of them live, where the route insists on that."""
        runtime = self._runtime
        mode = Mode.LIVE if policy.insists is Insists.ALL else None
        found = self._bound_again(engine) if mode is not None and engine.dry else engine
        found = runtime.extended(found, policy.rules, tier=ROUTE, mode=mode)
        return runtime.extended(found, policy.additive, tier=ROUTE, additive=True, mode=mode)

    def _bound_again(self, engine: Engine) -> Engine:
        """The same rules under the same names, live unless they say themselves that they are not."""
        found = self.without_rules(engine)
        for bound in engine.bound:
            found = self._runtime.extended(
                found, [bound.rule], tier=bound.tier, additive=bound.additive, mode=Mode.LIVE
            )
        return found
