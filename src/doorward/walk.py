"""One way through the rules: :class:`Walk`, with which :class:`~doorward.engine.Engine` asks them."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from doorward.context import NO_BODY
from doorward.decision import Conclusion
from doorward.effects import Effect, Failed, Gather, ReadBody
from doorward.lazily import lazily
from doorward.printable import describe, printable
from doorward.reason import ErrorReason
from doorward.rules.base import Phase, View, checked
from doorward.suspicion import add_up

if TYPE_CHECKING:
    from doorward.bound import Bound
    from doorward.decision import RuleResult, State
    from doorward.effects import Hit
    from doorward.engine import Engine
    from doorward.progress import Counter, Inputs, Progress
    from doorward.rules.base import Outcome, Steps


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
        progress = self.progress
        results = progress.results
        for bound in bounds:
            if bound.quick and not progress.would_end and not progress.ended and bound not in results:
                self._quickly(bound)
                if self.denied:
                    return
            elif self._open(bound):
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
        progress, kind = self.progress, bound.rule.kind
        if kind not in progress.ended:
            if kind in progress.would_end:
                progress.spared |= {bound}
            return False
        progress.results[bound] = bound.skipped("an allow rule matched")
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
        if result.conclusion is Conclusion.DENY and result.decides:
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
            try:
                if not bound.rule.asks_for_body(self.view):
                    return True
            except Exception as error:
                self.fail(bound, error)
                return False
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
        if outcome is bound.usual and self.rounds is None:
            self._as_usual(bound)
            return None
        if isinstance(outcome, Generator):
            return outcome
        self.settle(bound, outcome)
        return None

    def _quickly(self, bound: Bound) -> None:
        """Ask a rule that can be asked about any request, and answers at once."""
        try:
            outcome = bound.rule.evaluate(self.view)
        except Exception as error:
            self.fail(bound, error)
        else:
            if outcome is bound.usual:
                self._as_usual(bound)
            else:
                self.settle(bound, outcome)

    def _as_usual(self, bound: Bound) -> None:
        """Keep what nearly every rule comes to for nearly every request: the same result each time."""
        self.progress.results[bound] = bound.usual_result
        if bound.dry:
            self.progress.plain = False

    def _finished(self, bound: Bound, steps: Steps) -> Generator[Effect, Any, None]:
        try:
            outcome = yield from steps
        except Exception as error:
            self.fail(bound, error)
        else:
            self.settle(bound, outcome)

    def _round(self, running: dict[Bound, Steps], answers: dict[Bound, Any]) -> dict[Bound, Effect]:
        self.rounds = (self.rounds or 0) + 1
        asked: dict[Bound, Effect] = {}
        for bound, steps in list(running.items()):
            answer = answers[bound]
            try:
                asked[bound] = steps.throw(answer.error) if isinstance(answer, Failed) else steps.send(answer)
            except StopIteration as stop:
                self.settle(bound, stop.value)
            except Exception as error:
                self.fail(bound, error)
            if bound not in asked:
                del running[bound]
        return asked

    def _weigh(self, bound: Bound, outcome: Outcome) -> None:
        """Add what a rule weighs, and which kinds of rules it has made unnecessary."""
        progress = self.progress
        if bound not in progress.spared:
            progress.dry_weight += outcome.weight
            progress.would_end |= outcome.ends
            if self.engine.threshold(progress.dry_weight) is not Conclusion.DENY:
                progress.heavy = None  # what was enough has been taken off again
            elif progress.heavy is None:
                progress.heavy = bound
        if not bound.dry:
            progress.weight += outcome.weight
            progress.ended |= outcome.ends

    def settle(self, bound: Bound, returned: object, state: State | None = None) -> None:
        """Keep what a rule returned, if it is an outcome; ``state`` where that is not the rule's own."""
        try:
            outcome = checked(returned)
        except (TypeError, ValueError) as error:
            self.fail(bound, error)
            return
        progress = self.progress
        progress.plain = progress.plain and not outcome.weight
        if outcome.weight or outcome.ends:
            self._weigh(bound, outcome)
        if outcome.note:
            progress.noteworthy = True
            progress.plain = False
        note = printable(outcome.note)
        self.record(
            bound, bound.result(outcome.conclusion, outcome.reason, state=state, ttl=int(outcome.ttl), note=note)
        )
        if outcome.suspicion > 0.0 and bound.rule.sums_up:
            self.suspected = (bound, outcome.suspicion)
        if outcome.weight and not self._may_weigh_less(bound):
            self.look_at_weight()

    def _may_weigh_less(self, bound: Bound) -> bool:
        """Whether a rule that is still to be asked may take off what has been added."""
        return self.engine.lightens and bound.rule.phase is Phase.ACCESS

    def look_at_weight(self) -> None:
        """End the walk where the sum of weights is enough for a denial."""
        if self.engine.threshold(self.progress.weight) is Conclusion.DENY:
            self.denied = True
