"""Every decision of a test, with its request and what it was answered by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.decision import Conclusion, State
from doorward.errors import DoorwardError
from doorward.reason import ErrorReason
from doorward.testing.exchanges import Exchange, Sent, current, exchange_of, sent_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doorward.context import RequestContext
    from doorward.decision import Decision, RuleResult
    from doorward.engine import Engine
    from doorward.progress import Progress
    from doorward.runtime import Runtime

NOT_GIVEN = "not given to protect"
"""What results say of an input, or a characteristic, that a rule needs and the application left out."""


class MissingInput(DoorwardError, AssertionError):
    """An application called ``protect`` without what a rule needs. Only tests raise it: see ``docs/testing.md``."""


class Recorded(NamedTuple):
    """One decision.

    Attributes:
        decision: The decision.
        request: The request; None where no rule was asked (it is exempt, or ``DOORWARD_MODE`` is ``OFF``).
        client: The client's name.
        exchange: The call of a test client that it was made in, if it is known.
        progress: Tells decisions about one request from those about others.
    """

    decision: Decision
    request: RequestContext | None
    client: str
    exchange: Exchange | None
    progress: object

    @property
    def sent(self) -> Sent:
        """The request as it can be found again."""
        request = self.request
        return Sent() if request is None else Sent(request.method, request.path, request.query)


class Recorder:
    """What was decided, in order.

    Args:
        raises_missing: Whether ``protect`` without what a rule needs raises.
    """

    def __init__(self, *, raises_missing: bool = True) -> None:
        self.raises_missing = raises_missing
        self.records: list[Recorded] = []

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.records)

    def __getitem__(self, index: int) -> Recorded:
        return self.records[index]

    def __repr__(self) -> str:
        return f"<{len(self)} decisions: {', '.join(str(each.decision.conclusion) for each in self.records[-10:])}>"

    def listen(self, runtime: Runtime) -> None:
        """Hear every decision of a client from now on, until its state is put back."""
        name = runtime.settings.name
        finish, exempted, switched_off = runtime.finish, runtime.exempted, runtime.switched_off

        def finished(progress: Progress, decision: Decision) -> Decision:
            self._add(finish(progress, decision), progress.request, name, progress)
            if self.raises_missing:
                _raise_missing(decision)
            return decision

        def left_alone(engine: Engine, why: str) -> Decision:
            return self._add(exempted(engine, why), None, name, None)

        def off(engine: Engine) -> Decision:
            return self._add(switched_off(engine), None, name, None)

        vars(runtime).update(finish=finished, exempted=left_alone, switched_off=off)

    def _add(self, decision: Decision, request: RequestContext | None, name: str, progress: object) -> Decision:
        exchange = current.get()
        record = Recorded(decision, request, name, exchange, progress or decision)
        self.records.append(record)
        if exchange is not None:
            exchange.records.append(record)
        return decision

    def about(self, response: Any) -> list[Recorded]:
        """The decisions about the request of a response, the last of each client."""
        exchange = exchange_of(response)
        if exchange is None:
            return self._latest(sent_of(response))
        found = last_of_each(exchange.records)
        return found if len(exchange.hops) < 2 else _of_hop(found, exchange, response)

    def _latest(self, sent: Sent) -> list[Recorded]:
        """For a response of a client that is not watched: the latest request that looks the same."""
        for record in reversed(self.records):
            if record.request is not None and (sent == record.sent or not sent.method):
                return [record]
        return []


def last_of_each(records: Sequence[Recorded]) -> list[Recorded]:
    """The last decision about each request: that of the handler, which is about what middleware has found too."""
    return list({id(record.progress): record for record in records}.values())


def _of_hop(records: list[Recorded], exchange: Exchange, response: Any) -> list[Recorded]:
    """The decisions of one of several redirects, which may have led to one page twice."""
    sent = sent_of(response)
    same = [hop for hop in exchange.hops if sent_of(hop) == sent]
    about = [record for record in records if record.sent == sent]
    each = len(about) // len(same) or 1
    at = next(index for index, hop in enumerate(same) if hop is response) * each
    return about[at : at + each]


def _raise_missing(decision: Decision) -> None:
    missing = [result for result in decision.results if _lacks_input(result)]
    if missing:
        told = "\n".join(f"  {result.explain()}" for result in missing)
        raise MissingInput(
            f"protect was called without what {'rules need' if missing[1:] else 'a rule needs'}:\n{told}"
        )


def _lacks_input(result: RuleResult) -> bool:
    if result.state is State.NOT_RUN:
        return False
    failed = isinstance(result.reason, ErrorReason) and result.conclusion is not Conclusion.ALLOW
    return NOT_GIVEN in result.note or (failed and NOT_GIVEN in result.reason.explain())
