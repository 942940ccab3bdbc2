"""Decisions that applications made by themselves, and tell the service."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from doorward.decision import Conclusion
from doorward.effects import AskStore, Failed, Gather
from doorward.ids import LOCAL_PREFIX, decision_id, made_at_ns
from doorward.printable import describe
from doorward.service.server import answers, records
from doorward.service.server.asked import Asked
from doorward.service.server.engines import key_of_site
from doorward.service.server.reputation import SERVICE, Weight, may_count, short_name, weigh
from doorward.service.server.told import conclusion_of, reason_of, result_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from doorward.effects import Effect
    from doorward.runtime import Runtime
    from doorward.service.messages import Decision, ReportRequest, SingleReport
    from doorward.service.server.ports import DecisionLog, Site
    from doorward.service.server.reputation import Reputations

DAY_NS = 86_400 * 10**9
"""An id that says it was made longer ago is no clock of this service's."""
REPEATED_SECONDS = 3_600.0
"""For how long the same id of the same site is known to have been there."""
_MOST_KNOWN = 20_000
_AT_ONCE = 50
_IN_A_ROW = 10
"""Reports that are looked at before others get their turn: some milliseconds."""


class Reporting:
    """Takes reports: keeps each once, and lets it add to what is known about the visitor.

    Args:
        runtime: Store, clock, data.
        log: Where decisions are kept.
        reputations: What adds up.
    """

    def __init__(self, runtime: Runtime, log: DecisionLog, reputations: Reputations) -> None:
        self._runtime = runtime
        self._log = log
        self._reputations = reputations
        self._known: OrderedDict[str, None] = OrderedDict()

    async def take(
        self, site: Site, request: ReportRequest, drive: Callable[[Generator[Effect, Any, Any]], Awaitable[Any]]
    ) -> None:
        """Look at what is reported.

        Args:
            site: Whose reports they are.
            request: One or more of them.
            drive: Performs effects, all of one flow within one deadline.
        """
        told = [(report, report.decision) for report in (request, *request.more) if report.decision is not None]
        new = await drive(self._new(site, told))
        weights: dict[str, Weight] = {}
        for number, (report, decision) in enumerate(new, 1):
            if number % _IN_A_ROW == 0:
                await asyncio.sleep(0)  # who comes back after an outage has much to tell, while others have questions
            asked = Asked(report.details)
            results = [result_of(each) for each in decision.rule_results]
            self._keep(site, report, decision, asked)
            ip = asked.client_ip.address
            found = weigh(results)
            if found and may_count(asked, ip, self._runtime.addresses.about(ip)):
                before = weights.get(ip, Weight())
                weights[ip] = Weight(before.strong + found.strong, before.weak + found.weak)
        await drive(self._note(site, weights))

    def _new(
        self, site: Site, told: Sequence[tuple[SingleReport, Decision]]
    ) -> Generator[Effect, Any, list[tuple[SingleReport, Decision]]]:
        """Those that were not there before."""
        site_key = key_of_site(site.name)
        names = {f"{site_key}:{short_name(each[1].id)}": each for each in told if each[1].id}
        nameless = [each for each in told if not each[1].id]
        fresh = [name for name in names if name not in self._known]
        first: set[str] = set()
        for start in range(0, len(fresh), _AT_ONCE):
            some = fresh[start : start + _AT_ONCE]
            marks = [AskStore("add_if_absent", (f"{SERVICE}:told:{name}", REPEATED_SECONDS)) for name in some]
            replies = yield Gather(tuple(marks))
            # While the store is away nobody knows: they are kept.
            first |= {name for name, reply in zip(some, replies, strict=True) if reply or isinstance(reply, Failed)}
            self._remember(some)
        if len(first) < len(names):
            self._runtime.journal.count("report.repeated")
        return [*nameless, *[names[name] for name in fresh if name in first]]

    def _remember(self, names: Sequence[str]) -> None:
        for name in names:
            self._known[name] = None
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _note(self, site: Site, weights: dict[str, Weight]) -> Generator[Effect, Any, None]:
        for ip, weight in weights.items():
            try:
                yield from self._reputations.note(key_of_site(site.name), ip, weight)
            except Exception as error:
                self._runtime.journal.warn("reputation", f"what was reported could not be added up: {describe(error)}")
                return

    def _keep(self, site: Site, report: SingleReport, decision: Decision, asked: Asked) -> None:
        now_ns = self._runtime.clock.now_ns()
        # Nobody else makes decisions of the service's.
        made_ns = made_at_ns(decision.id) if decision.id.startswith(f"{LOCAL_PREFIX}_") else None
        believed = made_ns is not None and abs(now_ns - made_ns) < DAY_NS
        results = [result_of(each) for each in decision.rule_results]
        told = [(conclusion_of(decision.conclusion), reason_of(decision.reason))]
        refused = [result_of(decision.refusal)] if decision.refusal is not None else []
        dry_run = decision.dry_run or records.dry_run_of(results)
        ip = asked.client_ip.address
        self._runtime.journal.count(f"report.{told[0][0] if told[0][0] in Conclusion else 'ERROR'}")
        self._log.append(
            records.record(
                decision=decision.id if made_ns is not None else decision_id(now_ns, prefix=LOCAL_PREFIX),
                at_ns=min(made_ns, now_ns) if believed and made_ns is not None else now_ns,
                site=site.name,
                verdict=records.together([*refused, *results], told, dry_run),
                results=[*map(answers.result, results)],
                request=asked,
                facts=self._runtime.addresses.about(ip),
                client=records.client_name(report),
                reported=True,
            )
        )


__all__ = ["Reporting"]
