"""The decision service as a client's runtime sees it: asked, told what was decided without it, and never in the way."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from doorward.service.client.caller import Caller
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.questions import PROBE, question_body, report_of, without_body
from doorward.service.client.replies import reading
from doorward.service.client.reporter import Reporter
from doorward.service.procedures import DECIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doorward.decision import Decision
    from doorward.journal import Journal
    from doorward.progress import Progress
    from doorward.question import Question, ServiceAnswer
    from doorward.settings import Settings


class RemoteService:
    """One client's decision service.

    Args:
        settings: ``service``, ``key`` and ``transport`` of the client.
        journal: Where changes are logged.

    Raises:
        ConfigurationError: The URL or the key is none.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self.url = settings.service or ""
        self._transport = settings.transport or HttpTransport(self.url, settings.key)
        self._caller = Caller(
            self._transport,
            clock=time.monotonic,
            on_change=partial(journal.change, "service.breaker"),
        )
        self._reporter = Reporter(self._caller, probe=PROBE)

    def ask(self, question: Question, seconds: float) -> ServiceAnswer:
        """The service's answer, within ``seconds``.

        Raises:
            ServiceError: There is none.
        """
        body, read = question_body(question), reading(len(question.limits), len(question.rules))
        return self._caller.ask(DECIDE, body, seconds, read, shareable=not question.limits)

    async def aask(self, question: Question, seconds: float) -> ServiceAnswer:
        """As :meth:`ask`, awaiting."""
        body, read = question_body(question), reading(len(question.limits), len(question.rules))
        return await self._caller.aask(DECIDE, body, seconds, read, shareable=not question.limits)

    def report(self, progress: Progress, decision: Decision) -> None:
        """Tell the service about a decision that was made without it, soon. Never waits, and never raises."""
        self._reporter.put(partial(report_of, without_body(progress.request), decision))

    def refund(self, charges: Sequence[str]) -> None:
        """Have charges taken back, soon."""
        self._reporter.refund(charges)

    def figures(self) -> dict[str, object]:
        """For ``health()``."""
        return {"url": self.url, **self._caller.figures(), **self._reporter.figures()}

    def counts(self) -> dict[str, int]:
        """For ``stats()``: those of the figures that only grow, and what waits."""
        return {name: value for name, value in self.figures().items() if isinstance(value, int)}

    def flush(self, seconds: float) -> bool:
        """Send what is still to be reported; whether that was done in time."""
        return self._reporter.flush(seconds)

    async def aclose(self) -> None:
        """As :meth:`close`, without keeping the event loop waiting."""
        await asyncio.to_thread(self._reporter.close)
        aclose = getattr(self._transport, "aclose", None)
        if aclose is not None:
            await aclose()

    def close(self) -> None:
        """Send what is left, for a moment, and let go of connections."""
        self._reporter.close()
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()


__all__ = ["RemoteService"]
