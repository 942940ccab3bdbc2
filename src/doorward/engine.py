"""The decision core: rules in, effects out, a :class:`~doorward.decision.Decision` at the end.

:meth:`Engine.evaluate` is a generator. It does no I/O: it yields what it needs (:mod:`doorward.effects`), is sent the
answers, or has the failure thrown in, so that failure policy exists here and nowhere else. The order of the walk:

1. the client's address;
2. rules of the application's own, then refusals that are remembered;
3. local rules, cheapest first, those that need the body last;
4. one :class:`~doorward.effects.CountHits` for every counter of the request;
5. look-ups, asked together;
6. the decision.

A live DENY ends the walk. Rules that did not run are NOT_RUN.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence, Sized
from typing import TYPE_CHECKING, Any

from doorward.address_facts import NO_ADDRESS_DATA
from doorward.combine import combine
from doorward.context import NO_BODY
from doorward.counting import count, prepare, recall, settle, without_store
from doorward.decision import Conclusion, State
from doorward.effects import Effect, Failed, Gather, ReadBody
from doorward.lazily import lazily
from doorward.printable import describe, printable
from doorward.progress import NO_INPUTS, Inputs, Progress
from doorward.reason import ErrorReason
from doorward.rules.base import Phase, View, checked
from doorward.rules.limits import DynamicLimit
from doorward.suspicion import add_up, add_up_waiting

if TYPE_CHECKING:
    from doorward.address_facts import Addresses
    from doorward.bound import Bound
    from doorward.client_ip import ClientIPPolicy
    from doorward.clock import Clock
    from doorward.decision import Decision, RuleResult
    from doorward.effects import Hit
    from doorward.express import Express
    from doorward.progress import Counter
    from doorward.refusals import Refusals
    from doorward.rules.base import Steps


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
        "bound",
        "clock",
        "conditional",
        "dry",
        "dynamic",
        "express",
        "in_turn",
        "ips",
        "late",
        "limits",
        "plain_limits",
        "reads_body",
        "refusals",
        "thresholds",
        "trusts_store",
        "waits",
        "workers",
    )  # fmt: skip

    def __init__(
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
    ) -> None:
        self.bound = tuple(bound)
        self.ban = ban
        self.addresses = addresses
        self.ips = ips
        self.refusals = refusals
        self.thresholds = sorted(thresholds, reverse=True)
        self.workers = workers
        self.bans = bans
        self.trusts_store = trusts_store
        self.express: Express | None = None
        self.clock = clock
        early = sorted((b for b in self.bound if b.rule.phase < Phase.COUNT), key=_effort)
        self._access = [b for b in early if b.rule.phase is Phase.ACCESS]
        self._local = [b for b in early if b.rule.phase is not Phase.ACCESS]
        self.limits = [b for b in self.bound if b.rule.phase is Phase.COUNT]
        self._lookups = sorted((b for b in self.bound if b.rule.phase > Phase.COUNT), key=_effort)
        self.in_turn = (*early, ban, *self.limits, *self._lookups)
        self.dry = [b for b in self.in_turn if b.dry]
        self.barring = [b for b in early if b.rule.sums_up]
        self.late = [b for b in early if b.late]
        counted = (ban, *self.barring, *self.limits)
        self.dynamic = any(isinstance(b.rule, DynamicLimit) or b.identity.keyed for b in counted)
        self.conditional = any(b.count_when is not None for b in self.limits)
        self.reads_body = any(b.rule.needs_body for b in self.bound)
        self.waits = bool(self._lookups) or any(b.rule.needs_body or b.rule.waits for b in self.bound)
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

    def threshold(self, weight: float) -> Conclusion | None:
        """What follows from a sum of weights."""
        return next((action for limit, action in self.thresholds if weight >= limit), None)

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
            if decided.conclusion is Conclusion.DENY or self._nothing_new(progress, inputs):
                return decided
            decided.look()  # before the results that it was made from change
        walk = Walk(self, progress, inputs, deferring)
        if self._access:
            yield from walk.local(self._access)
        if not (self.refusals and not walk.denied and recall(walk)):
            if progress.waiting and not (deferring or walk.denied):
                yield from add_up_waiting(walk)
            if self._local and not walk.denied:
                yield from walk.local(self._local)
            if not walk.denied:
                prepare(walk)
                if walk.hits and not walk.denied:
                    try:
                        settle(walk, walk.counters, (yield count(walk)))
                    except Exception as error:
                        yield from without_store(walk, walk.counters, error)
            if (self._lookups or walk.begun) and not walk.denied:
                yield from walk.lookups(self._lookups)
        if self.late and not walk.denied:
            yield from walk.hold_for_later(self.late)
        decision = progress.decision = combine(self, progress, walk.now_ns)
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


class Walk:
    """One call of :meth:`Engine.evaluate`.

    Attributes:
        counters: What it is charged on, and in step with it ``hits``, what the store is asked; once ``prepared``.
        begun: Local rules that go on among the look-ups; none while there is nothing to ask.
        denied: Whether a live rule has ended it.
        rounds: Rounds of questions so far; None before the look-ups.
        suspected: What a rule has just found suspicious, to be added to the client's sum.
        now_ns: The time of the decision.
    """

    begun: dict[Bound, Steps] | None = None
    denied = False
    rounds: int | None = None
    prepared = False
    epoch = 0
    counters: list[Counter]
    hits: list[Hit]
    suspected: tuple[Bound, float] | None = None
    _body_asked = False
    _body_error: Exception | None = None

    def __init__(self, engine: Engine, progress: Progress, inputs: Inputs, deferring: bool) -> None:  # noqa: FBT001  (hot: a keyword costs)
        request = self.request = progress.request
        client_ip = progress.client_ip
        if client_ip is None:
            client_ip = progress.client_ip = engine.ips.resolve(request.peer, request.header_values)
        self.ip = client_ip[0]
        self.engine = engine
        self.progress = progress
        self.inputs = inputs
        self.deferring = deferring
        self.now_ns = engine.clock.now_ns()

    @lazily
    def view(self) -> View:
        """What rules may look at."""
        inputs = self.inputs
        return View(self.request, self.ip, inputs.values, inputs.characteristics, self.engine.addresses)

    def local(self, bounds: Sequence[Bound]) -> Generator[Effect, Any, None]:
        """Ask rules one after the other, to the first live DENY."""
        for bound in bounds:
            if self._open(bound):
                if bound.rule.needs_body and not (yield from self._body(bound)):
                    continue
                steps = self._asked(bound)
                if steps is not None and bound.rule.looks_up:
                    self.begun = {**(self.begun or {}), bound: steps}
                elif steps is not None:
                    yield from self._finished(bound, steps)
                if self.suspected is not None:
                    yield from add_up(self)
                if self.denied:
                    return

    def hold_for_later(self, bounds: Sequence[Bound]) -> Generator[Effect, Any, None]:
        """Have the body read for rules that look at it after the response, when it will be gone."""
        for bound in bounds:
            if bound.rule.needs_body and self.about(bound):
                yield from self._body(bound)
                return

    def lookups(self, bounds: Sequence[Bound]) -> Generator[Effect, Any, None]:
        """Ask rules together: what they all need in one round is one effect."""
        running = self.begun or {}
        self.rounds = 0
        for bound in bounds:
            if self.denied:
                return
            steps = self._asked(bound) if self._open(bound) else None
            if steps is not None:
                running[bound] = steps
        answers: dict[Bound, Any] = dict.fromkeys(running)
        while (asked := self._round(running, answers)) and not self.denied:
            try:
                replies = yield Gather(tuple(asked.values()))
            except Exception as error:
                replies = [Failed(error)] * len(asked)
            answers = dict(zip(asked, replies, strict=True))

    def skips(self, bound: Bound) -> bool:
        """Whether an ``allow`` rule has made this one unnecessary."""
        if bound.rule.kind not in self.progress.ended:
            return False
        self.progress.results[bound] = bound.skipped("an allow rule matched")
        return True

    def about(self, bound: Bound) -> bool:
        """Whether the rule is about this path and method, where it says so without failing."""
        try:
            return bound.rule.applies_to(self.request)
        except Exception:
            return False  # it fails where it is asked, and is recorded there

    def applies(self, bound: Bound) -> bool:
        """Whether the rule is about this path and method."""
        try:
            if bound.rule.applies_to(self.request):
                return True
        except Exception as error:
            self.fail(bound, error)
            return False
        self.progress.results[bound] = bound.skipped("not for this path or method")
        return False

    def record(self, bound: Bound, result: RuleResult) -> None:
        """Keep a rule's result; a live DENY ends the walk."""
        self.progress.results[bound] = result
        if self.rounds is not None:
            self.progress.late = {**self.progress.late, bound: self.rounds}
        if bound.dry or result.conclusion is not Conclusion.ALLOW:
            self.progress.plain = False
        if result.conclusion is Conclusion.DENY and not bound.dry:
            self.denied = True

    def fail(self, bound: Bound, error: Exception) -> None:
        """A rule could not be evaluated: its ``on_error`` says what follows."""
        conclusion = Conclusion.DENY if bound.on_error == "deny" else Conclusion.ERROR
        self.progress.noteworthy = True
        self.record(bound, bound.result(conclusion, ErrorReason(describe(error))))
        # Its frames refer to the error: a circle for each failure, which only the collector would find, in long pauses.
        error.with_traceback(None)

    def _open(self, bound: Bound) -> bool:
        if bound in self.progress.results or self.skips(bound) or not self.applies(bound):
            return False
        if bound.late and not self.progress.answered:
            return False
        if self.deferring and bound.wants and not bound.wants <= self.inputs.characteristics.keys():
            return False
        needs = bound.rule.needs
        if not needs or needs in self.inputs.values:
            return True
        if not self.deferring:
            self.fail(bound, ValueError(f"{needs}= was not given to protect"))
        return False

    def _body(self, bound: Bound) -> Generator[Effect, Any, bool]:
        """Have the body read, once; whether ``bound`` can be asked about it."""
        request = self.request
        if request.body is None and not self._body_asked:
            self._body_asked = True
            if not request.may_have_body():
                request.hold(NO_BODY)
                return True
            try:
                body = yield ReadBody()
                if body is not None:
                    request.hold(body)
            except Exception as error:
                self._body_error = error
        if self._body_error is not None:
            self.fail(bound, self._body_error)
        return self._body_error is None

    def _asked(self, bound: Bound) -> Steps | None:
        """Ask a rule; where it has to ask for something itself, how it goes on."""
        try:
            outcome = bound.rule.evaluate(self.view)
        except Exception as error:
            self.fail(bound, error)
            return None
        if isinstance(outcome, Generator):
            return outcome
        self._settle(bound, outcome)
        return None

    def _finished(self, bound: Bound, steps: Steps) -> Generator[Effect, Any, None]:
        try:
            outcome = yield from steps
        except Exception as error:
            self.fail(bound, error)
        else:
            self._settle(bound, outcome)

    def _round(self, running: dict[Bound, Steps], answers: dict[Bound, Any]) -> dict[Bound, Effect]:
        self.rounds = (self.rounds or 0) + 1
        asked: dict[Bound, Effect] = {}
        for bound, steps in list(running.items()):
            answer = answers[bound]
            try:
                asked[bound] = steps.throw(answer.error) if isinstance(answer, Failed) else steps.send(answer)
            except StopIteration as stop:
                self._settle(bound, stop.value)
            except Exception as error:
                self.fail(bound, error)
            if bound not in asked:
                del running[bound]
        return asked

    def _settle(self, bound: Bound, returned: object) -> None:
        try:
            outcome = checked(returned)
        except (TypeError, ValueError) as error:
            self.fail(bound, error)
            return
        progress = self.progress
        progress.dry_weight += outcome.weight
        progress.plain = progress.plain and not outcome.weight
        if not bound.dry:
            progress.weight += outcome.weight
            progress.ended |= outcome.ends
        if outcome.note:
            progress.noteworthy = True
            progress.plain = False
        self.record(
            bound, bound.result(outcome.conclusion, outcome.reason, ttl=int(outcome.ttl), note=printable(outcome.note))
        )
        if outcome.suspicion > 0.0 and bound.rule.sums_up:
            self.suspected = (bound, outcome.suspicion)
        if outcome.weight and self.engine.threshold(progress.weight) is Conclusion.DENY:
            self.denied = True


def _is_usual(progress: Progress, bound: Bound) -> bool:
    """Whether a rule came to what it comes to for nearly every request, or was not asked."""
    usual, result = bound.rule.usual(), progress.result(bound)
    return result is None or result.state is State.NOT_RUN or (usual is not None and result.reason is usual.reason)


def _effort(bound: Bound) -> tuple[int, bool, int]:
    return (bound.rule.phase, bound.rule.needs_body, bound.rule.effort)
