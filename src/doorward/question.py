"""What is asked of a decision service, and what it answers: the vocabulary of :mod:`doorward.asking`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doorward.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.bound import Bound
    from doorward.context import RequestContext
    from doorward.decision import Conclusion, RuleResult
    from doorward.effects import Hit
    from doorward.fingerprint import Fingerprint
    from doorward.progress import Inputs
    from doorward.reason import Reason


class OpenLimit(NamedTuple):
    """A limit that the service is to charge.

    Attributes:
        bound: The rule.
        hit: What to charge; its key is this process's own.
        fingerprints: Who is charged: several where the request may be several clients.
    """

    bound: Bound
    hit: Hit
    fingerprints: Sequence[Fingerprint]


class Question(NamedTuple):
    """What is still open about a request.

    Attributes:
        request: The request.
        ip: The client's address; empty when there is none.
        limits: To be charged.
        rules: To be evaluated, since only a look-up can tell.
        inputs: What the application says.
        found: What the other rules came to.
        conclusion: What that amounts to.
    """

    request: RequestContext
    ip: str
    limits: Sequence[OpenLimit]
    rules: Sequence[Bound]
    inputs: Inputs
    found: Sequence[RuleResult]
    conclusion: Conclusion


class Ruling(NamedTuple):
    """What the service says about one rule.

    Attributes:
        conclusion: ALLOW, DENY or CHALLENGE; ERROR where the service could not tell.
        reason: Why.
        ran: Whether the rule was evaluated at all.
        dry: Whether that decides nothing: the rule is a dry run, or ``DOORWARD_MODE`` of the service makes it one.
        ttl: Seconds for which it will say the same.
        note: What else an operator should know.
        charges: What was charged, for a refund.
    """

    conclusion: Conclusion
    reason: Reason
    ran: bool = True
    dry: bool = False
    ttl: int = 0
    note: str = ""
    charges: Sequence[str] = ()


class ServiceAnswer(NamedTuple):
    """The answer to a :class:`Question`.

    Attributes:
        id: Of the decision, as the service keeps it.
        limits: A ruling for each limit, in their order.
        rules: A ruling for each rule, in their order.
        refusal: The service's own: it refuses this client whatever is asked about it.
    """

    id: str
    limits: Sequence[Ruling]
    rules: Sequence[Ruling]
    refusal: Ruling | None = None


def fitting(answer: object, question: Question) -> ServiceAnswer:
    """The answer, if it is one to this question: a transport may be anybody's code.

    Raises:
        ServiceError: It is not.
    """
    if not isinstance(answer, ServiceAnswer):
        raise ServiceError(f"the service's answer is {type(answer).__name__}")
    asked = (len(question.limits), len(question.rules))
    if (len(answer.limits), len(answer.rules)) != asked:
        raise ServiceError("the service did not answer as many rules as it was asked about")
    return answer


__all__ = ["OpenLimit", "Question", "Ruling", "ServiceAnswer", "fitting"]
