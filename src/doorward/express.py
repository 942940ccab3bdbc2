"""The straight way for the request that almost every request is: a person's, with room in all limits.

Also of who is let in by a clearance, where rules ask for no more than it shows.

It comes to what :meth:`doorward.engine.Engine.evaluate` comes to, without the generator and its steps, for a third of
the cost; a test compares the two on random traffic. Everything else, a refusal too, takes the whole walk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from doorward.cleared import strongest
from doorward.combine import allowed
from doorward.counting import make_admitted, make_hit
from doorward.decision import Conclusion, Decision
from doorward.effects import Algorithm
from doorward.fingerprint import IP
from doorward.rules.access import AccessRule, ChallengeRule
from doorward.rules.base import Outcome, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.bound import Bound
    from doorward.cleared import Clearance
    from doorward.client_ip import ClientIP
    from doorward.decision import RuleResult
    from doorward.engine import Engine
    from doorward.progress import Admitted, Answer, Progress
    from doorward.reason import ChallengeReason
    from doorward.rules.base import Rule
    from doorward.stores.base import Store


_MOST_AGENTS = 1_024
_LONGEST_AGENT = 512
"""Of the User-Agents of which it is remembered what they settle: how many, and of how many characters."""


class _Asked(NamedTuple):
    """A rule to ask, with what is looked up of it once.

    Attributes:
        bound: The rule.
        test: Where its first condition does not hold, it comes to what it usually comes to; None without such a test.
        evaluate: The rule's.
        usual: What it usually comes to.
        result: Its result then.
        met: What it always comes to on its paths, where it has no conditions; None where it has.
        met_result: Its result then.
        needs_body: Whether it reads the body.
        elsewhere: Its result on other paths and with other methods than its own; None where it is about all.
        by_agent: Where this says no of a User-Agent, it comes to what it usually comes to; None without such a test.
    """

    bound: Bound
    test: Callable[[View], bool | None] | None
    evaluate: Callable[[View], object]
    usual: Outcome
    result: RuleResult
    met: Outcome | None
    met_result: RuleResult | None
    needs_body: bool
    elsewhere: RuleResult | None
    by_agent: Callable[[str], bool] | None

    @classmethod
    def of(cls, bound: Bound, usual: Outcome) -> _Asked:
        """What there is to know of a rule."""
        rule = bound.rule
        first = rule.first()
        test = first.test if first is not None and not first.needs_body else None
        elsewhere = bound.skipped("not for this path or method") if rule.paths or rule.methods else None
        by_agent = first.by_agent if first is not None and elsewhere is None else None
        result = bound.result(usual.conclusion, usual.reason)
        met = rule.met
        told = bound.result(met.conclusion, met.reason) if met is not None else None
        return cls(bound, test, rule.evaluate, usual, result, met, told, rule.needs_body, elsewhere, by_agent)

    def is_settled_by(self, agent: str) -> bool:
        """Whether it comes to what it usually comes to for whoever has this User-Agent."""
        return self.by_agent is not None and not self.by_agent(agent)


class Express:
    """Decides about requests that meet limits by address, in a store without waiting, and rules that pass them.

    Args:
        engine: The rules.
        store: Their counters: a store of ours, whose answers need no check.
    """

    __slots__ = ("_asked", "_by_agent", "_count", "_engine", "_holds", "_identity", "_limits", "_open", "_screens")

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._count = store.count
        self._identity = engine.limits[0].identity if engine.limits else engine.ban.identity
        self._asked = [
            _Asked.of(b, usual)
            for b in engine.bound
            if (usual := b.rule.usual()) is not None and not _stays_open(b.rule) and not b.late
        ]
        self._screens = any([asked.by_agent is not None for asked in self._asked])
        self._by_agent: dict[str, tuple[dict[Bound, RuleResult], Sequence[_Asked]]] = {}
        self._holds = any(b.late and b.rule.needs_body for b in engine.bound)
        self._open = any(_stays_open(b.rule) for b in engine.bound)
        self._limits = [(b, b.prefix, *quota[1:], b.cost or 1) for b in engine.limits for quota in b.quotas or ()]
        if engine.bans is None:
            self._limits.insert(0, (engine.ban, engine.ban.prefix, Algorithm.BAN, 1, 1, 1))

    @staticmethod
    def serves(engine: Engine) -> bool:
        """Whether the rules are such that this is worth trying."""
        others = [b.rule for b in engine.bound if b not in engine.limits]
        # Without limits not where a rule may be dear: one that finds something is asked again in the walk.
        own = all([isinstance(rule, AccessRule) for rule in others])
        return (
            (own or len(engine.limits) > 0 or any([isinstance(rule, ChallengeRule) for rule in others]))
            and all([_stays_open(rule) or (rule.usual() and _is_anywhere(rule)) for rule in others])
            and engine.plain_limits
            and not engine.dry
            and not engine.counts_passes
            and all(bound.quotas and bound.identity.names == (IP,) for bound in engine.limits)
            and (engine.bans is not None or (engine.ban.identity.names == (IP,) and not engine.barring))
        )

    def decide(self, progress: Progress, *, deferring: bool = False) -> Decision | None:  # noqa: PLR0911  (ways to the walk)
        """The decision; None where the request has to take the whole walk. Then nothing has been charged.

        Args:
            progress: What is known about the request.
            deferring: Leave rules whose inputs are missing for a later call.
        """
        engine, results = self._engine, progress.results
        request = progress.request
        if self._is_closed(progress, deferring=deferring):
            return None
        client_ip = progress.client_ip
        if client_ip is None:
            client_ip = progress.client_ip = engine.ips.resolve(request.peer, request.header_values)
        if self._asked and not self._pass(View(request, client_ip[0], {}, {}, engine.addresses), results, progress):
            results.clear()
            return None
        clearance = progress.clearance
        if not self._limits:
            return self._decided(results, client_ip, engine.clock.now_ns(), clearance)
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
        return self._decided(results, client_ip, verdicts[0][4], clearance)

    def _is_closed(self, progress: Progress, *, deferring: bool) -> bool:
        """Whether the request has to take the whole walk, whatever the rules say."""
        engine = self._engine
        return bool(
            progress.results
            or engine.bans
            or (engine.watch is not None and engine.watch.down)
            or (self._open and not deferring)
            or (self._holds and progress.request.may_have_body())
        )

    def _decided(
        self,
        results: dict[Bound, RuleResult | Admitted],
        client_ip: ClientIP,
        now_ns: int,
        clearance: Clearance | None,
    ) -> Decision:
        decision = Decision(Conclusion.ALLOW, partial(allowed, self._engine, results), client_ip, now_ns)
        if clearance is not None:
            decision.clearance = clearance
        return decision

    def _pass(self, view: View, results: dict[Bound, RuleResult | Admitted], progress: Progress) -> bool:
        """Whether all rules come to what they usually come to, or ask for a challenge that the client has passed."""
        wanted: list[ChallengeReason] | None = None
        asked: Sequence[_Asked] = self._asked
        if self._screens and len(agents := view[0].agents()) == 1:
            settled, asked = self._by_agent.get(agents[0]) or self._settled(agents[0])
            results.update(settled)
        for bound, test, evaluate, usual, result, met, told, needs_body, elsewhere, _ in asked:
            try:
                if elsewhere is not None and not bound.rule.applies_to(view[0]):
                    results[bound] = elsewhere
                    continue
                if needs_body and view[0].may_have_body():
                    return False
                if test is not None and test(view) is False:
                    results[bound] = result
                    continue
                outcome = evaluate(view)
            except Exception:
                return False  # the walk will come to the same, and report it
            if outcome is usual:
                results[bound] = result
            elif type(bound.rule) is ChallengeRule and isinstance(outcome, Outcome):
                wanted = wanted or []
                wanted.append(outcome.reason)  # type: ignore[arg-type]  # the rule gives no other
                results[bound] = (
                    told if told is not None and outcome is met else bound.result(outcome.conclusion, outcome.reason)
                )
            elif isinstance(bound.rule, AccessRule) and isinstance(outcome, Outcome) and outcome.merely_allows():
                results[bound] = bound.result(outcome.conclusion, outcome.reason)
            else:
                return False
        return wanted is None or self._has_shown(wanted, progress)

    def _settled(self, agent: str) -> tuple[dict[Bound, RuleResult], Sequence[_Asked]]:
        """What the User-Agent alone settles, and who is still to be asked. There are few of them: it is remembered."""
        try:
            settled = {asked.bound: asked.result for asked in self._asked if asked.is_settled_by(agent)}
        except Exception:
            return {}, self._asked  # fails again where the rule is asked
        found = settled, [asked for asked in self._asked if asked.bound not in settled]
        if len(agent) <= _LONGEST_AGENT:
            if len(self._by_agent) >= _MOST_AGENTS:
                self._by_agent.clear()
            self._by_agent[agent] = found
        return found

    def _has_shown(self, wanted: list[ChallengeReason], progress: Progress) -> bool:
        """Whether the client has a clearance that is enough, and that nobody need be asked about."""
        clearances, request, client_ip = self._engine.clearances, progress.request, progress.client_ip
        asked = wanted[0] if len(wanted) == 1 else strongest(wanted)
        now_ns = self._engine.clock.now_ns()
        if asked is None or client_ip is None or clearances.epoch_is_due(now_ns):
            return False
        clearance = clearances.held(request, client_ip[0], now_ns)
        if clearance is None or not clearance.covers(asked, now_ns):
            return False
        progress.clearance, progress.plain = clearance, False
        return True


def _is_anywhere(rule: Rule) -> bool:
    """Whether the rule is about all requests; of rules of the application's own it does not matter."""
    return isinstance(rule, AccessRule) or not (rule.paths or rule.methods)


def _stays_open(rule: Rule) -> bool:
    """Whether middleware, which has no inputs, leaves the rule for a ``protect`` in the handler."""
    return bool(rule.needs or rule.wants())
