"""Rules that say what they are told to, and walks that are driven by hand: no event loop, no driver."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, ClassVar

from doorward import Conclusion, Decision, Doorward, RequestContext, RuleReason, RuleResult, sliding_window
from doorward.effects import AskStore, CountHits, DnsKind, Effect, Failed, Gather, ResolveDns, Verdict
from doorward.progress import Inputs, Progress
from doorward.rules.base import Outcome, Phase, Rule, View
from doorward.stores.memory import MemoryStore
from doorward.testing import FakeClock

PEER = "203.0.113.9"


def says(conclusion: str = "ALLOW", **fields: Any) -> Outcome:
    return Outcome(Conclusion[conclusion], RuleReason("double", conclusion.lower()), **fields)


ALLOWS, DENIES, CHALLENGES = says(), says("DENY"), says("CHALLENGE")


def allows(_: View) -> Outcome:
    return ALLOWS


def denies(_: View) -> Outcome:
    return DENIES


def challenges(_: View) -> Outcome:
    return CHALLENGES


def raises(_: View) -> Outcome:
    raise RuntimeError("a bug")


@dataclass(frozen=True, kw_only=True)
class Says(Rule):
    """A local rule that does what it is told to."""

    kind: ClassVar[str] = "SAYS"
    phase: ClassVar[Phase] = Phase.LOCAL

    does: Callable[[View], Any] = allows

    def evaluate(self, view: View) -> Any:
        return self.does(view)


@dataclass(frozen=True, kw_only=True)
class Dear(Says):
    kind: ClassVar[str] = "DEAR"
    effort: ClassVar[int] = 9


@dataclass(frozen=True, kw_only=True)
class Access(Says):
    kind: ClassVar[str] = "ACCESS"
    phase: ClassVar[Phase] = Phase.ACCESS


@dataclass(frozen=True, kw_only=True)
class Reads(Says):
    kind: ClassVar[str] = "READS"
    needs_body: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class LooksUp(Says):
    kind: ClassVar[str] = "LOOKS_UP"
    phase: ClassVar[Phase] = Phase.LOOKUP
    waits: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Begins(Says):
    """A local rule that may go on among the look-ups."""

    kind: ClassVar[str] = "BEGINS"
    waits: ClassVar[bool] = True
    looks_up: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class NeedsEmail(Says):
    kind: ClassVar[str] = "NEEDS_EMAIL"
    needs: ClassVar[str] = "email"


def request(**parts: Any) -> RequestContext:
    return RequestContext(**{"peer": PEER, **parts})


class Walking:
    """A client whose walks are taken step by step. ``asked`` holds the effects of all of them."""

    def __init__(self, *rules: Any, **options: Any) -> None:
        self.clock = FakeClock()
        self.client = Doorward(rules, clock=self.clock, **options)
        self.store: Any = self.client.runtime.store
        self.asked: list[Effect] = []

    def progress(self, **parts: Any) -> Progress:
        return Progress(request(**parts), self.client.engine)

    def start(
        self,
        progress: Progress | None = None,
        *,
        deferring: bool = False,
        email: str | None = None,
        requested: int | None = None,
        **given: Any,
    ) -> Generator[Effect, Any, Decision]:
        inputs = Inputs({} if email is None else {"email": email}, given, requested)
        return self.client.engine.evaluate(progress or self.progress(), inputs, deferring=deferring)

    def walk(self, progress: Progress | None = None, **how: Any) -> Decision:
        return self.finish(self.start(progress, **how))

    def walks(self, times: int) -> list[Conclusion]:
        return [self.walk().conclusion for _ in range(times)]

    def finish(self, flow: Generator[Effect, Any, Decision]) -> Decision:
        """Answer a walk's effects with this client's store until it ends."""
        try:
            effect = next(flow)
            while True:
                self.asked.append(effect)
                try:
                    answer = self._answer(effect)
                except ConnectionError as error:
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as stop:
            return stop.value

    def _answer(self, effect: Effect) -> Any:
        match effect:
            case CountHits(hits, local=True):
                return self.client.runtime.local().count(hits)
            case CountHits(hits):
                return self.store.count(hits)
            case AskStore(method, arguments):
                return getattr(self.store, method)(*arguments)
            case Gather(effects):
                return [self._attempt(each) for each in effects]
        return None

    def _attempt(self, effect: Effect) -> Any:
        try:
            return self._answer(effect)
        except ConnectionError as error:
            return Failed(error)

    def kinds(self) -> list[str]:
        return [type(effect).__name__ for effect in self.asked]


class NotTrusted(MemoryStore):
    """A store of somebody else's, as far as the engine knows: bans are asked for, answers are checked."""


ROOM = Verdict(True, 3, 60.0, 0.0)


def full(wait: float = 30.0) -> Verdict:
    return Verdict(False, 0, wait, wait)


def limit(name: str = "limit", most: int = 1, **options: Any) -> Rule:
    return sliding_window(max=most, interval="1m", name=name, **options)


def looking(answers: list[object]) -> Callable[[View], Any]:
    """A look-up that asks for one thing, and adds the answer to ``answers``."""

    def look(_: View) -> Any:
        answer = yield AskStore("get", ("key",))
        answers.append(answer)
        return says()

    return look


def asking(outcome: Outcome) -> Callable[[View], Any]:
    """A rule that asks the DNS for one thing, whatever the answer."""

    def ask(_: View) -> Any:
        yield ResolveDns("mail.example", DnsKind.MX)
        return outcome

    return ask


def ended(flow: Generator[Effect, Any, Decision], answer: object) -> Decision:
    """The decision of a walk that ends with this answer."""
    try:
        effect = flow.send(answer)
    except StopIteration as stop:
        return stop.value
    raise AssertionError(f"the walk did not end, but asked for {effect!r}")


def states(decision: Decision) -> list[str]:
    return [result.state.value for result in decision.results]


def conclusions(decision: Decision) -> list[str]:
    return [result.conclusion.value for result in decision.results]


def result(decision: Decision, name: str) -> RuleResult:
    return next(result for result in decision.results if result.rule == name)
