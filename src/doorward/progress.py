"""What is already known about one request, so that each rule is evaluated once, however many layers ask."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from doorward.decision import Conclusion, State
from doorward.effects import Algorithm, Charge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doorward.bound import Bound
    from doorward.cleared import Clearance
    from doorward.client_ip import ClientIP
    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.effects import Hit, Verdict
    from doorward.engine import Engine
    from doorward.fingerprint import Fingerprint
    from doorward.routes import RoutePolicy
    from doorward.rules.limits import CountWhen

    Counter = tuple[Bound, Fingerprint, Hit]
    Answer = tuple[Counter, Verdict]


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


class NotGiven(Enum):
    """The kind of :data:`NOT_GIVEN`."""

    NOT_GIVEN = "not given"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""In place of an argument that was left out: ``email=None`` is what a form without the field comes to, and INVALID."""


def given(email: str | NotGiven | None) -> dict[str, object]:
    """The inputs of rules, of those that were given."""
    return {} if email is NOT_GIVEN else {"email": email}


class Admitted(NamedTuple):
    """A limit that had room: what a result of it is made from, if anybody looks."""

    fingerprint: Fingerprint
    hit: Hit
    verdict: Verdict
    now_ns: int


class Progress:
    """One request's way through the rules of one client.

    Attributes:
        request: The request.
        engine: The rules in force for it: the client's, or those of its route.
        policy: What its route says.
        client_ip: Found out once.
        results: What the rules came to so far.
        weight: Sum of the live rules' weights; ``dry_weight`` also holds those of dry runs.
        heavy: The rule with which ``dry_weight`` came to be enough for a denial.
        ended: Kinds of rules that an ``allow`` rule has made unnecessary; ``would_end`` those of dry runs too.
        spared: Rules that would not have been asked, had all been live.
        ledger: What was charged. A list of its own, because the decision refers to it too, and must not to this.
        late: Rules that came to their results among the look-ups, after the limits, and after how many rounds.
        plain: Nothing but live rules that allow so far, so that the decision need not be looked for.
        answered: The application has answered the request; rules that are late may be asked.
        given: The characteristics that the application has given.
        barring: Rules that were asked whether they refuse the client for what it was suspected of before.
        waiting: Rules whose client is not known before the application gives a characteristic, with what the request
            is to add to its sum.
        asked: The decision service has been asked about the request.
        told: It has been asked by the call that is under way, or was last: it knows the decision.
        service_id: The decision's id there.
        noteworthy: Something failed or was replaced: the log has to say so.
        decision: The decision so far.
        tallied: Results that are in the figures of their rules already.
        clearance: What the client has shown by passing a challenge; None also where nobody has asked.
        would_pass: It has shown as much as all rules ask for, dry ones too.
        spent: Its clearance is used up, or was revoked: it lets nobody in.
        is_new_client: It has no id, and is to be given one.
        cookies: Values of Set-Cookie for the response; None before anybody has looked.
        refused_by: Limits whose refusal was remembered, where nothing was asked.
    """

    # Defaults on the class, not in __init__: this is made for every request, and most need none of them.
    policy: RoutePolicy | None = None
    client_ip: ClientIP | None = None
    weight: float = 0.0
    dry_weight: float = 0.0
    heavy: Bound | None = None
    ended: frozenset[str] = frozenset()
    would_end: frozenset[str] = frozenset()
    spared: frozenset[Bound] = frozenset()
    ledger: list[Answer] | None = None
    late: Mapping[Bound, int] = MappingProxyType({})
    plain: bool = True
    answered: bool = False
    given: Mapping[str, object] = MappingProxyType({})
    barring: frozenset[Bound] = frozenset()
    waiting: Mapping[Bound, float] = MappingProxyType({})
    asked: bool = False
    told: bool = False
    service_id: str = ""
    noteworthy: bool = False
    decision: Decision | None = None
    tallied: Mapping[Bound | str, RuleResult | Admitted | tuple[float, float]] = MappingProxyType({})
    clearance: Clearance | None = None
    would_pass: bool = False
    spent: bool = False
    is_new_client: bool = False
    cookies: Sequence[str] | None = None
    refused_by: Sequence[Bound] = ()

    def __init__(self, request: RequestContext, engine: Engine) -> None:
        self.request = request
        self.engine = engine
        self.results: dict[Bound, RuleResult | Admitted] = {}

    def counted(self, bound: Bound) -> bool:
        """Whether a limit was asked about, and answered."""
        result = self.result(bound)
        return result is not None and result.state is not State.NOT_RUN and result.conclusion is not Conclusion.ERROR

    def result(self, bound: Bound) -> RuleResult | None:
        """What a rule came to."""
        return written(self.results, bound)


def written(results: dict[Bound, RuleResult | Admitted], bound: Bound) -> RuleResult | None:
    """What a rule came to; an admission is written out here, when somebody asks."""
    found = results.get(bound)
    if isinstance(found, Admitted):
        found = results[bound] = bound.admission(found)
    return found


def conditional(ledger: list[Answer]) -> list[tuple[CountWhen, Charge]]:
    """Strike off the charges that the response decides about, now that it is known; what they were."""
    waiting = [answer for answer in charged(ledger) if answer[0][0].count_when is not None]
    ledger[:] = [answer for answer in ledger if answer[0][0].count_when is None]
    return [
        (bound.count_when, Charge(hit, verdict.at))
        for (bound, _, hit), verdict in waiting
        if bound.count_when is not None
    ]


def taken(ledger: list[Answer]) -> list[Charge]:
    """Strike everything off; what it was, for the store to refund."""
    answers = charged(ledger)
    ledger.clear()
    return [Charge(hit, verdict.at) for (_, _, hit), verdict in answers if hit.algorithm is not Algorithm.BAN]


def charged(ledger: Sequence[Answer]) -> list[Answer]:
    """What was really charged: of dry runs all or none of a group, as if they were live, and as the store does it."""
    tried = {hit.group for (_, _, hit), verdict in ledger if hit.dry_run and not verdict.admitted}
    return [
        answer for answer in ledger if answer[1].admitted and not (answer[0][2].dry_run and answer[0][2].group in tried)
    ]
