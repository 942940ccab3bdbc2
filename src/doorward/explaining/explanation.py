"""What would happen to one request, rule by rule: the walk of a twin of the client, told step by step.

The decision is the one that the client's own code comes to; this module only says how. Nothing is charged in the
client's store, and nobody is asked over the network unless that is allowed.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.decision import Conclusion, State
from doorward.explaining.addresses import Lines, steps
from doorward.explaining.rules import Detail, details
from doorward.layer import Layer
from doorward.network import is_async_resolver
from doorward.rules.base import View
from doorward.runtime import DECISION
from doorward.twins import twin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.bound import Bound
    from doorward.client import Doorward
    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.effects import DnsAnswer, DnsKind
    from doorward.facade import Facade
    from doorward.network import AsyncResolver
    from doorward.progress import Inputs, Progress

MOST_TIMES = 100_000


class Step(NamedTuple):
    """One rule, in the order in which rules are asked.

    Attributes:
        name: The rule's name.
        kind: ``RATE_LIMIT``, ``BOT`` …
        mode: LIVE or DRY_RUN.
        state: RUN, DRY_RUN, CACHED or NOT_RUN.
        conclusion: What it came to; of a dry run, what it would have come to; None where it was not asked.
        why: Why it concluded that, or was not asked.
        note: What else an operator should know.
        details: Figures and values by name.
    """

    name: str
    kind: str
    mode: str
    state: State
    conclusion: Conclusion | None
    why: str
    note: str
    details: Sequence[Detail]


class Stretch(NamedTuple):
    """Requests in a row that came to the same.

    Attributes:
        first: Number of the first, from 1.
        last: Number of the last.
        conclusion: What they came to.
        by: The rule that decided; empty where none objected.
    """

    first: int
    last: int
    conclusion: Conclusion
    by: str


class Explanation(NamedTuple):
    """What would happen to a request.

    Attributes:
        request: The request.
        decision: The decision; of the last one where it was sent several times.
        by: The rule that decided; empty where none objected.
        address: How the client's address was found, step by step.
        handler: Whether it was asked as a handler asks, with the application's inputs, and not as middleware.
        steps: Rule by rule.
        weight: Sum of the live rules' weights, ``dry_weight`` that of all.
        thresholds: What follows from which sum, the highest first.
        answer: Status, headers and content type that the client would get; of an allowed one only limits' headers.
        stretches: How decisions went where it was sent several times.
        notes: What else the reader should know.
    """

    request: RequestContext
    decision: Decision
    by: str
    address: Sequence[str]
    handler: bool
    steps: Sequence[Step]
    weight: float
    dry_weight: float
    thresholds: Sequence[tuple[float, Conclusion]]
    answer: Mapping[str, str]
    stretches: Sequence[Stretch]
    notes: Sequence[str]


class Instant:
    """A clock that stands still.

    Args:
        now_ns: The time, in nanoseconds since the Unix epoch.
    """

    def __init__(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def now_ns(self) -> int:
        """The time."""
        return self._now_ns


def explain(
    client: Facade,
    request: RequestContext,
    inputs: Inputs,
    *,
    now_ns: int,
    handler: bool = True,
    times: int = 1,
    online: bool = False,
) -> Explanation:
    """Take a request through the rules of a client's twin.

    Args:
        client: The client.
        request: The request, its body held.
        inputs: What the application says about it.
        now_ns: When, in nanoseconds since the Unix epoch.
        handler: As ``protect`` in a handler asks; otherwise as middleware, which leaves rules without their inputs.
        times: How often it is sent, all at that time. The last one is explained.
        online: Whether the client's own resolver may be asked.
    """
    changes: dict[str, Any] = {"clock": Instant(now_ns)}
    if online:
        changes["resolver"] = _blocking(client.runtime.settings.resolver)
    with twin(client, **changes) as double:
        layer = Layer(double, {})
        outcomes: list[tuple[Conclusion, str]] = []
        while True:
            progress, decision = _decided(double, layer, request, inputs, handler=handler)
            outcomes.append((decision.conclusion, decider(decision)))
            if len(outcomes) >= times:
                break
        return _explained(client, double, progress, decision, inputs, outcomes, handler=handler)


def _decided(
    double: Doorward, layer: Layer, request: RequestContext, inputs: Inputs, *, handler: bool
) -> tuple[Progress, Decision]:
    runtime = double.runtime
    progress: Progress | None = runtime.open(request, double.engine)
    if not handler:
        carrier: dict[str, Any] = {"type": "http"}
        progress = layer.admit(carrier, request.method, request.path, None, lambda *_: request)
        if progress is None:
            return runtime.open(request, double.engine), carrier[DECISION]
    elif runtime.off:
        return runtime.open(request, double.engine), runtime.switched_off(double.engine)
    assert progress is not None
    decision = double.decide(progress, inputs, deferring=not handler)
    return progress, decision


def _explained(
    client: Facade,
    double: Doorward,
    progress: Progress,
    decision: Decision,
    inputs: Inputs,
    outcomes: Sequence[tuple[Conclusion, str]],
    *,
    handler: bool,
) -> Explanation:
    request, by = progress.request, decider(decision)
    results = dict(zip(progress.engine.bound, decision.results, strict=True))
    answer = _answer(double, request, decision)
    double.look_back(progress)  # what is found after the response changes nothing about it
    results |= {bound: found for bound in progress.engine.late if (found := progress.result(bound)) is not None}
    view = View(request, decision.ip.address, inputs.values, inputs.characteristics, progress.engine.addresses)
    told = _Told(progress, decision, by, inputs, view, handler=handler)
    return Explanation(
        request,
        decision,
        by,
        _address(double, request),
        handler,
        [told.step(bound, results[bound]) for bound in _in_turn(progress)],
        progress.weight,
        progress.dry_weight,
        progress.engine.thresholds,
        answer,
        _stretches(outcomes),
        _notes(client, double, request, handler=handler),
    )


def decider(decision: Decision) -> str:
    """The rule that decided, or ``ban``, ``weights`` and the like; empty where none objected."""
    if decision.conclusion is Conclusion.ALLOW:
        return ""
    reason = decision.reason
    names = [result.rule for result in decision.results if result.decides and result.reason is reason]
    return names[0] if names else str(getattr(reason, "rule", "") or reason.type.lower())


class _Told:
    """Tells each rule's part."""

    def __init__(
        self, progress: Progress, decision: Decision, by: str, inputs: Inputs, view: View, *, handler: bool
    ) -> None:
        self._progress = progress
        self._decision = decision
        self._by = by
        self._inputs = inputs
        self._view = view
        self._handler = handler

    def step(self, bound: Bound, result: RuleResult) -> Step:
        """What one rule came to."""
        asked = result.state is not State.NOT_RUN
        why = result.reason.explain() if asked else self._why_not(bound, result)
        return Step(
            bound.name,
            bound.rule.kind,
            bound.mode.value,
            result.state,
            result.conclusion if asked else None,
            why,
            result.note,
            details(bound, result, self._view),
        )

    def _why_not(self, bound: Bound, result: RuleResult) -> str:
        """Why a rule was not asked: what it says itself, or what can be told from how the walk went."""
        if result.reason is not bound.not_run.reason:
            return result.reason.explain().removeprefix(f"{bound.name}: ")
        decision, progress = self._decision, self._progress
        if decision.reason.type == "RULE" and getattr(decision.reason, "rule", "") in ("exempt", "off"):
            return decision.reason.explain()
        if self._missing(bound):
            return f"input missing: middleware has no {self._missing(bound)}, a handler's protect gives it"
        if decision.is_denied():
            cached = any(other.state is State.CACHED for other in decision.results)
            return f"{self._by} has refused already" + (", and that is remembered" if cached else "")
        if bound.late and not progress.answered:
            return "it is asked after the response, and there is none"
        return "nothing asked it"

    def _missing(self, bound: Bound) -> str:
        """The inputs for which middleware leaves a rule open."""
        if self._handler:
            return ""
        keys = {name for name in bound.identity.names if not name.startswith(("ip.", "http."))}
        missing = sorted((bound.wants | keys) - self._inputs.characteristics.keys())
        needs = bound.rule.needs
        named = [f"{needs}="] if needs and needs not in self._inputs.values else []
        given = ["characteristics="] if bound.reads_given and not self._inputs.characteristics else []
        return ", ".join([*named, *missing, *given])


def _in_turn(progress: Progress) -> list[Bound]:
    """Rules as they are asked; limits of a route before those of its path pattern, and those before the others."""
    engine = progress.engine
    limits = iter(sorted(engine.limits, key=lambda bound: -bound.tier))
    rules = [next(limits) if bound in engine.limits else bound for bound in engine.in_turn if bound is not engine.ban]
    return [bound for bound in rules if not bound.late] + [bound for bound in rules if bound.late]


def _address(double: Doorward, request: RequestContext) -> list[str]:
    policy = double.runtime.settings.ips
    lines = Lines(list(request.headers))
    client = policy.resolve(request.peer, lines.header)
    return list(steps(policy, request.peer or "", lines, client))


def _answer(double: Doorward, request: RequestContext, decision: Decision) -> dict[str, str]:
    """The headers of what would be sent: a challenge has others than a refusal."""
    answer = double.answer(request, decision)
    return dict(decision.headers if answer is None else answer.headers)


def _stretches(outcomes: Sequence[tuple[Conclusion, str]]) -> list[Stretch]:
    found, first = [], 1
    for (conclusion, by), run in groupby(outcomes):
        count = len(list(run))
        found.append(Stretch(first, first + count - 1, conclusion, by))
        first += count
    return found


def _notes(client: Facade, double: Doorward, request: RequestContext, *, handler: bool) -> list[str]:
    settings, notes = client.runtime.settings, []
    if settings.override:
        notes.append(f"DOORWARD_MODE={settings.override} is set")
    if settings.service is not None:
        notes.append("the decision service is not asked: its part is decided here")
    if not request.peer:
        notes.append("no address was given (--ip): the connection is taken for one of a unix socket")
    if double.engine.limits or double.engine.barring:
        notes.append("counters and bans begin empty: `doorward client show` says how a client stands in the real store")
    told = {"headers": [(name.encode("latin-1", "replace"), b"") for name, _ in request.headers]}
    why = Layer(double, {}).coverage.exempts(request.method, request.path, told) if handler else None
    if why:
        notes.append(f"middleware leaves this request alone by default ({why}); this is what protect says in a handler")
    if not any(name == "user-agent" for name, _ in request.headers) and _asks_for_bots(double):
        notes.append("no User-Agent was given, so that bot rules see a client that sends none")
    if request.body_complete is False:
        notes.append(f"of the body the first {len(request.body or b'')} bytes are held, as middleware does")
    return notes


def _asks_for_bots(double: Doorward) -> bool:
    return any(bound.rule.kind == "BOT" for bound in double.engine.bound)


class _Blocking:
    """An asynchronous resolver for code that blocks."""

    def __init__(self, resolver: AsyncResolver) -> None:
        self._resolver = resolver

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        """As the resolver's own."""
        import asyncio  # few clients have such a resolver

        async def ask() -> DnsAnswer:
            return await self._resolver.resolve(name, kind, timeout)

        return asyncio.run(ask())


def _blocking(resolver: Any) -> Any:
    return _Blocking(resolver) if is_async_resolver(resolver) else resolver


__all__ = ["MOST_TIMES", "Explanation", "Instant", "Step", "Stretch", "decider", "explain"]
