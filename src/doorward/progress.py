"""What is already known about one request, so that each rule is evaluated once, however many layers ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doorward.client_ip import ClientIP
    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.effects import Charge
    from doorward.engine import Bound, Engine
    from doorward.routes import RoutePolicy
    from doorward.rules.limits import CountWhen


class Inputs(NamedTuple):
    """What the application says about a request.

    Attributes:
        values: Inputs of rules by name: ``email`` …
        characteristics: Values of the characteristics of its own.
        requested: Units that this request takes; None when it did not say.
    """

    values: Mapping[str, object]
    characteristics: Mapping[str, object]
    requested: int | None = None


NO_INPUTS = Inputs({}, {})


class Progress:
    """One request's way through the rules of one client.

    Attributes:
        request: The request.
        engine: The rules in force for it: the client's, or those of its route.
        policy: What its route says.
        client_ip: Found out once.
        results: What the rules came to so far.
        weight: Sum of the live rules' weights; ``dry_weight`` also holds those of dry runs.
        ended: Kinds of rules that an ``allow`` rule has made unnecessary.
        charges: What was charged, for ``refund``.
        conditional: Charges that the response decides about.
        noteworthy: Something failed or was replaced: the log has to say so.
        decision: The decision so far.
    """

    __slots__ = ("charges", "client_ip", "conditional", "decision", "dry_weight", "ended", "engine", "noteworthy",
                 "policy", "request", "results", "weight")  # fmt: skip

    def __init__(self, request: RequestContext, engine: Engine, policy: RoutePolicy | None = None) -> None:
        self.request = request
        self.engine = engine
        self.policy = policy
        self.client_ip: ClientIP | None = None
        self.results: dict[Bound, RuleResult] = {}
        self.weight = 0.0
        self.dry_weight = 0.0
        self.ended: frozenset[str] = frozenset()
        self.charges: list[Charge] = []
        self.conditional: list[tuple[CountWhen, list[Charge]]] = []
        self.noteworthy = False
        self.decision: Decision | None = None
