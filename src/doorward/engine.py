"""The decision core: rules in, effects out, a :class:`~doorward.decision.Decision` at the end.

:meth:`Engine.evaluate` is a generator. It does no I/O: it yields what it needs (:mod:`doorward.effects`), is sent the
answers, or has the failure thrown in, so that failure policy exists here and nowhere else. The order of the walk:

1. the client's address;
2. rules of the application's own, then refusals that are remembered;
3. local rules, cheapest first, those that need the body last;
4. one :class:`~doorward.effects.CountHits` for every counter of the request;
5. look-ups, asked together;
6. the decision.

With a decision service, 4 and 5 are one :class:`~doorward.effects.AskService` (:mod:`doorward.asking`).

A live DENY ends the walk. Rules that did not run are NOT_RUN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorward.address_facts import NO_ADDRESS_DATA
from doorward.asking import ask, recall_refusal
from doorward.cleared import NO_CLEARANCES
from doorward.combine import combine, still_let_in
from doorward.counting import charge_store, prepare, recall
from doorward.decision import Conclusion, State
from doorward.fingerprint import CLIENT
from doorward.passing import add_counters, check_again
from doorward.progress import NO_INPUTS, Inputs, Progress
from doorward.rules.access import AccessRule, ChallengeRule
from doorward.rules.base import Phase
from doorward.rules.limits import DynamicLimit
from doorward.suspicion import add_up_waiting
from doorward.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Iterable, Sequence, Sized

    from doorward.address_facts import Addresses
    from doorward.asking import ServicePart
    from doorward.bound import Bound
    from doorward.cleared import Clearance, Clearances
    from doorward.client_ip import ClientIPPolicy
    from doorward.clock import Clock
    from doorward.decision import Decision
    from doorward.degraded import StoreWatch
    from doorward.effects import Effect
    from doorward.express import Express
    from doorward.passing import PassRules
    from doorward.refusals import Refusals
    from doorward.remembered import Remembered


class Engine:
    """The rules of one client, bound and ordered.

    Args:
        bound: The rules in the order of declaration.
        ban: The check for bans, in front of the counters.
        ips: How the client's address is found.
        clock: The time.
        refusals: Refusals to remember.
        thresholds: (sum of weights, what follows).
        workers: Processes that share the traffic: the local limiter admits its part.
        trusts_store: Whether the store is ours, so that its answers need no check.
        bans: The bans themselves where they are in this process: while there are none, nobody has to be asked.
        addresses: Tells what is known about addresses.
        watch: Is told whether the store answers; None where it is in this process, and always does.
        service: The decision service that counts and looks up, where there is one.
        clearances: Reads what clients have that have passed a challenge.
        passes: What is counted of those, and of clients that have no id yet; None where nothing is.
    """

    __slots__ = (
        "__weakref__",
        "_access",
        "_groups",
        "_local",
        "_lookups",
        "addresses",
        "ban",
        "bans",
        "barring",
        "blocking",
        "bound",
        "challenges",
        "clearances",
        "clock",
        "conditional",
        "counts_passes",
        "dry",
        "dynamic",
        "express",
        "in_turn",
        "ips",
        "late",
        "lightens",
        "limits",
        "names_clients",
        "passes",
        "plain_limits",
        "reads_body",
        "refusals",
        "remembered",
        "service",
        "thresholds",
        "trusts_store",
        "waits",
        "wants",
        "watch",
        "workers",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913  (what a client is made of)
        self,
        bound: Iterable[Bound],
        *,
        ban: Bound,
        ips: ClientIPPolicy,
        clock: Clock,
        refusals: Refusals,
        thresholds: Sequence[tuple[float, Conclusion]] = (),
        workers: int = 1,
        bans: Sized | None = None,
        trusts_store: bool = False,
        addresses: Addresses = NO_ADDRESS_DATA,
        watch: StoreWatch | None = None,
        service: ServicePart | None = None,
        clearances: Clearances = NO_CLEARANCES,
        passes: PassRules | None = None,
    ) -> None:
        self.bound = tuple(bound)
        self.clearances = clearances
        self.service = service
        self.watch = watch
        self.ban = ban
        self.addresses = addresses
        self.ips = ips
        self.refusals = refusals
        self.thresholds = sorted(thresholds, reverse=True)
        self.workers = workers
        self.bans = bans
        self.trusts_store = trusts_store
        self.express: Express | None = None
        self.remembered: Remembered | None = None
        self.clock = clock
        early = sorted((b for b in self.bound if b.rule.phase < Phase.COUNT), key=_effort)
        self._access = [b for b in early if b.rule.phase is Phase.ACCESS]
        self._local = [b for b in early if b.rule.phase is not Phase.ACCESS]
        self.limits = [b for b in self.bound if b.rule.phase is Phase.COUNT]
        self._lookups = sorted((b for b in self.bound if b.rule.phase > Phase.COUNT), key=_effort)
        self.in_turn = (*early, ban, *self.limits, *self._lookups)
        self.dry = [b for b in self.in_turn if b.dry]
        self.barring = [b for b in early if b.rule.sums_up]
        self.blocking = [b for b in early if b.rule.blocks]
        self.late = [b for b in early if b.late]
        # Rules of the application's own may take weight off again: the sum counts once all of them were asked.
        self.lightens = any(isinstance(b.rule, AccessRule) and b.rule.weight < 0 for b in self._access)
        counted = (ban, *self.barring, *self.limits)
        self.names_clients = any(CLIENT in b.identity.names for b in counted)
        self.passes = passes._replace(names_clients=self.names_clients) if passes is not None else None
        self.dynamic = any(isinstance(b.rule, DynamicLimit) or b.identity.keyed for b in counted)
        self.counts_passes = self.passes is not None and (self.names_clients or bool(self.passes.quotas))
        # Several counters of one limit, also where the client's id was left out.
        self.dynamic = self.dynamic or self.names_clients or bool(passes is not None and passes.quotas)
        self.conditional = any(b.count_when is not None for b in self.limits)
        self.challenges = any(isinstance(b.rule, ChallengeRule) for b in self.bound) or any(
            action is Conclusion.CHALLENGE for _, action in self.thresholds
        )
        self.reads_body = any(b.rule.needs_body for b in self.bound)
        self.waits = (
            bool(self._lookups) or service is not None or any(b.rule.needs_body or b.rule.waits for b in self.bound)
        )
        self.wants: frozenset[str] = frozenset().union(*[b.wants for b in self.bound])
        self.plain_limits = len({b.tier for b in self.limits}) <= 1 and not any(
            b.rule.paths or b.rule.methods for b in self.limits
        )

    def with_bound(self, bound: Iterable[Bound]) -> Engine:
        """The same engine with other rules."""
        return Engine(
            bound,
            ban=self.ban,
            ips=self.ips,
            clock=self.clock,
            refusals=self.refusals,
            thresholds=self.thresholds,
            workers=self.workers,
            bans=self.bans,
            trusts_store=self.trusts_store,
            addresses=self.addresses,
            watch=self.watch,
            service=self.service,
            clearances=self.clearances,
            passes=self.passes,
        )

    def group_of(self, bound: Bound) -> int:
        """Live limits are charged all or none, and so are dry runs: as if they were live."""
        return 1 if bound.dry else 0

    def _nothing_new(self, progress: Progress, inputs: Inputs) -> bool:
        known = progress.results
        if inputs.requested is not None or progress.waiting:
            return False
        if not all([bound in known or bound.late for bound in self.bound]):
            return False
        return self.ban in known or (self.bans is not None and not self.bans)

    def _recalled(self, walk: Walk) -> bool:
        """Whether a refusal of this client is remembered."""
        return recall(walk) or (self.service is not None and recall_refusal(walk, self.service))

    def _ask_others(self, walk: Walk) -> Generator[Effect, Any, None]:
        """Have the store count, or the service decide."""
        prepare(walk)
        if self.counts_passes and self.service is None and not walk.denied:
            add_counters(walk)
        if self.service is not None and not walk.denied:
            yield from ask(walk, self.service)
        elif walk.hits and not walk.denied:
            yield from charge_store(walk, walk.counters)

    def threshold(self, weight: float, ended: Container[str] = ()) -> Conclusion | None:
        """What follows from a sum of weights; no challenge where ``ended`` says that an ``allow`` rule spares it."""
        found = next((action for limit, action in self.thresholds if weight >= limit), None)
        return None if found is Conclusion.CHALLENGE and found in ended else found

    def evaluate(
        self, progress: Progress, inputs: Inputs = NO_INPUTS, *, deferring: bool = False
    ) -> Generator[Effect, Any, Decision]:
        """Take a request through the rules that it has not been through yet.

        Args:
            progress: What is known about the request; brought up to date.
            inputs: What the application says about it.
            deferring: Leave rules whose inputs are missing for a later call (middleware), rather than report them.

        Returns:
            The decision over everything evaluated so far.
        """
        if inputs.characteristics:
            progress.given = inputs.characteristics
        decided = progress.decision
        if decided is not None:
            if decided.conclusion is Conclusion.DENY or (
                self._nothing_new(progress, inputs) and still_let_in(self, progress, self.clock.now_ns())
            ):
                return decided
            decided.look()  # before the results that it was made from change
        walk = Walk(self, progress, inputs, deferring)
        if self._access:
            yield from self._ask_own(walk)
        progress.told = False
        if not (self.refusals and not walk.denied and self._recalled(walk)):
            if progress.waiting and not (deferring or walk.denied):
                yield from add_up_waiting(walk)
            if self._local and not walk.denied:
                yield from walk.local(self._local)
            if not walk.denied:
                yield from self._ask_others(walk)
            if (self._lookups or walk.begun) and not walk.denied:
                yield from walk.lookups(self._lookups)
        if self.late and not walk.denied:
            yield from walk.hold_for_later(self.late)
        decision = combine(self, progress, walk.now_ns)
        if decision.clearance is not None:
            decision = yield from self._let_in(walk, decision, decision.clearance)
        progress.decision = decision
        if progress.told:
            decision.known_as(progress.service_id)
        return decision

    def _ask_own(self, walk: Walk) -> Generator[Effect, Any, None]:
        """Ask the application's own rules; what their weights come to is known after the last of them."""
        yield from walk.local(self._access)
        if self.lightens:
            walk.look_at_weight()

    def _let_in(self, walk: Walk, decision: Decision, clearance: Clearance) -> Generator[Effect, Any, Decision]:
        """The decision, once it is known that the clearance which lets the request in still does."""
        if decision.is_allowed():
            key = self.clearances.epoch_due(walk.now_ns)
            if (key is not None or self.counts_passes) and (yield from check_again(walk, clearance, key)):
                return combine(self, walk.progress, walk.now_ns)
        return decision

    def afterwards(self, progress: Progress) -> Generator[Effect, Any, Decision | None]:
        """Ask the rules that look after the response; the decision brought up to date, where they found anything."""
        progress.answered = True
        walk = Walk(self, progress, Inputs({}, progress.given), deferring=False)
        if progress.decision is not None:
            progress.decision.look()  # before the results that it was made from change
        yield from walk.local(self.late)
        if all([_is_usual(progress, bound) for bound in self.late]):
            return None
        decision = progress.decision = combine(self, progress, walk.now_ns)
        return decision


def _is_usual(progress: Progress, bound: Bound) -> bool:
    """Whether a rule came to what it comes to for nearly every request, or was not asked."""
    usual, result = bound.rule.usual(), progress.result(bound)
    return result is None or result.state is State.NOT_RUN or (usual is not None and result.reason is usual.reason)


def _effort(bound: Bound) -> tuple[int, bool, int]:
    # Rules of the application's own are asked in the order in which they were declared.
    own = bound.rule.phase is Phase.ACCESS
    return (bound.rule.phase, not own and bound.rule.needs_body, 0 if own else bound.rule.effort)
