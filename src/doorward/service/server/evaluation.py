"""Decides about requests that applications send: their rules, doorward's engine, one store for all sites.

What belongs to one site never meets another's: rules and counters are kept by its name. Shared are the store and what
is known about it, the resolver, the data, and what :mod:`doorward.service.server.reputation` says about visitors.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from doorward.effects import AskStore
from doorward.errors import StoreError
from doorward.ids import SERVICE_PREFIX, decision_id
from doorward.network import Network
from doorward.printable import describe
from doorward.progress import Progress
from doorward.runtime import Runtime
from doorward.service.messages import Conclusion as Told
from doorward.service.server import answers, outcome, records, rules
from doorward.service.server.asked import Asked, inputs_of
from doorward.service.server.charges import Charges
from doorward.service.server.engines import Built, Busy, Engines, key_of_site
from doorward.service.server.lookups import Lookups
from doorward.service.server.reporting import Reporting
from doorward.service.server.reputation import SERVICE, Reputation, Reputations, may_count, weigh
from doorward.service.server.timing import counting
from doorward.service.server.told import conclusion_of, result_of
from doorward.settings import parse

if TYPE_CHECKING:
    import logging
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from doorward.clock import Clock
    from doorward.decision import Conclusion, RuleResult
    from doorward.effects import Effect
    from doorward.network import AsyncResolver, Resolver
    from doorward.reason import Reason
    from doorward.service.messages import DecideRequest, ReportRequest
    from doorward.service.server.outcome import Outcome
    from doorward.service.server.ports import DecisionLog, ServiceBan, Site
    from doorward.stores.base import AsyncStore, Store

T = TypeVar("T")

TIMEOUT, STORE_TIMEOUT = 0.5, 0.25
"""Seconds for all remote work of a decision, and for one call of the store: which so gives up first, and is known to be
away, rather than be cut off by each decision anew."""
"""Of the time that a caller gives: left for the answer to get there, at most."""
_REPORT_SECONDS = 2.0
_OFFICE_SECONDS = 5.0


class Evaluator:
    """Decides, for all sites; implements :class:`doorward.service.server.ports.Evaluates`. For one event loop.

    Args:
        store: Where counters and bans live: a URL, or a store, which then is not closed by :meth:`aclose`.
        log: Where decisions are kept.
        resolver: Name servers, or a resolver; None takes the system's.
        clock: The time; the system's by default.
        timeout: Seconds that the remote work of a decision may take, where its caller gives no less.
        store_timeout: Seconds that one call of the store may take.
        reputation: What several applications have to find before a visitor is refused by all.
        secret: What charges are sealed with, of 32 bytes; by default in the store.
        workers: Processes that share the traffic: while the store is away, each admits its part.
        logger: Where trouble is logged; ``logging.getLogger("doorward")`` by default.
        data: The folder that ``doorward data update`` fills.
        geo: MMDB files of your own.
        most_engines: Sets of rules that are kept ready, of all sites.

    Raises:
        ConfigurationError: An argument is wrong.
    """

    def __init__(  # noqa: PLR0913  (what a service is made of)
        self,
        store: str | Store | AsyncStore,
        log: DecisionLog,
        *,
        resolver: str | Sequence[str] | Resolver | AsyncResolver | None = None,
        clock: Clock | None = None,
        timeout: float = TIMEOUT,
        store_timeout: float = STORE_TIMEOUT,
        reputation: Reputation = Reputation(),  # noqa: B008  (immutable)
        secret: bytes | None = None,
        workers: int | None = None,
        logger: logging.Logger | None = None,
        data: str | Path | None = None,
        geo: Sequence[str | Path] = (),
        most_engines: int = 1_000,
    ) -> None:
        settings = parse(
            {
                "store": store, "timeout": min(store_timeout, timeout), "resolver": resolver, "clock": clock,
                "workers": workers, "logger": logger, "data": data, "geo": geo,
            },
            "Evaluator",
        )  # fmt: skip
        self.runtime = Runtime((), settings._replace(name=SERVICE))
        self.runtime.network = Network(settings.resolver, settings.clock)
        self._timeout = timeout
        self._log = log
        self._owns_store = isinstance(store, str)
        self.engines = Engines(self.runtime, most=most_engines)
        self._lookups = Lookups()
        self._reputations = Reputations(self.runtime, reputation)
        self._charges = Charges(self.runtime, secret)
        self._reporting = Reporting(self.runtime, log, self._reputations)
        self._without_rules = Built(self.runtime.engine, ())

    # --- life

    async def warm(self) -> None:
        """Build and open what requests would otherwise wait for. Raises only where the data cannot be used.

        Raises:
            DataError: A file of doorward's own is damaged.
            ConfigurationError: One of the operator's is.
        """
        network = self.runtime.network
        assert network is not None
        await asyncio.to_thread(rules.warm)
        await asyncio.to_thread(self.runtime.addresses.open)
        await asyncio.to_thread(network.warm)
        try:
            await self._drive(self._charges.ready(), self._timeout)
        except Exception as error:  # a store that is away when the service starts may come back
            self.runtime.journal.warn("store", f"the store does not answer yet: {describe(error)}")

    async def aclose(self) -> None:
        """Let go of threads and connections; of the store only where it was opened here."""
        self.engines.close()
        try:
            if self._owns_store:
                await self._drive(_closing(), _OFFICE_SECONDS)
        finally:
            self.runtime.close()

    async def answers(self) -> bool:
        """Whether the store answers, for who asks whether the service is ready."""
        try:
            await self._drive(_asking("get", f"{SERVICE}:ready"), self._timeout)
        except Exception:
            return False
        return True

    def stats(self) -> dict[str, int]:
        """Counters of this process: decisions, errors, refusals, outages of the store, sets of rules that are kept."""
        watch = self.runtime.watch
        return {
            **self.runtime.journal.counts(),
            **(watch.figures() if watch is not None else {}),
            "engines": len(self.engines),
            "engines.sites": self.engines.sites,
            "engines.built": self.engines.built,
        }

    # --- decisions

    async def decide(self, site: Site, request: DecideRequest, seconds: float | None) -> dict[str, Any]:
        """``DecideResponse`` in the proto3 JSON mapping, within ``seconds`` where they are given. Never raises."""
        began = time.perf_counter_ns()
        clock = _Until(_budget(seconds, self._timeout))
        try:
            asked = Asked(request.details)
            found = await self._evaluated(site, request, asked, clock)
            return await self._answered(site, request, asked, found, clock, began)
        except Exception as error:
            self.runtime.journal.swallowed("decide", error)
            return self._broken(request)

    async def _evaluated(self, site: Site, request: DecideRequest, asked: Asked, clock: _Until) -> Outcome:
        if self.runtime.off:
            return outcome.switched_off(request)
        try:
            built = await self._built(site, request, clock)
        except (TimeoutError, Busy) as error:
            self.runtime.journal.count("rules.late")
            return outcome.failed(request, str(error) or "the rules could not be built in time")
        progress = Progress(asked, built.engine)
        progress.client_ip = asked.client_ip
        flow = counting(built.engine.evaluate(progress, inputs_of(request.details)), asked)
        decision = await self._drive(self._lookups.bounded(site.name, flow), clock.left())
        return outcome.of_decision(built, progress, decision)

    async def _built(self, site: Site, request: DecideRequest, clock: _Until) -> Built:
        if not request.rules:
            return self._without_rules
        found = self.engines.find(site.name, request)
        if found is not None:
            return found
        async with asyncio.timeout(clock.left()):
            return await self.engines.build(site.name, request)

    async def _answered(
        self, site: Site, request: DecideRequest, asked: Asked, found: Outcome, clock: _Until, began: int
    ) -> dict[str, Any]:
        local = [result_of(told) for told in request.local_results]
        await self._note(site, asked, [*local, *found.results], clock)
        plain = outcome.results_of(found)
        if request.client:
            await self._see_to_secret(found, clock)
            decision = outcome.told_to_own(found, plain, self._charges, site.name)
        else:
            decision = outcome.told_to_arcjet(found, request, asked)
        now_ns = self.runtime.clock.now_ns()
        name = decision_id(now_ns, prefix=SERVICE_PREFIX)
        facts = self.runtime.addresses.about(asked.client_ip.address)
        known = answers.ip_details(facts)
        self.runtime.journal.count(f"decision.{found.conclusion}")
        if request.rules or local or request.details.ip:
            record = records.record(
                decision=name,
                at_ns=now_ns,
                site=site.name,
                verdict=_together(request, found, local),
                results=[*map(answers.result, local), *outcome.with_costs(found, plain, asked)],
                request=asked,
                facts=facts,
                client=records.client_name(request),
                took_us=(time.perf_counter_ns() - began) // 1_000,
            )
            self._log.append(record)
        return {"decision": {"id": name, **decision, "ipDetails": known}}

    async def _note(self, site: Site, asked: Asked, results: Sequence[RuleResult], clock: _Until) -> None:
        """Let what was found add to what is known about the visitor. Never raises."""
        ip, weight = asked.client_ip.address, weigh(results)
        if not (weight and may_count(asked, ip, self.runtime.addresses.about(ip))):
            return
        try:
            await self._drive(self._reputations.note(key_of_site(site.name), ip, weight), clock.left())
        except Exception as error:
            self.runtime.journal.warn("reputation", f"what was found could not be added up: {describe(error)}")

    async def _see_to_secret(self, found: Outcome, clock: _Until) -> None:
        """Without one nothing is sealed, and nothing can be refunded; the decision stands."""
        if found.ledger and not self._charges.has_secret:
            try:
                await self._drive(self._charges.ready(), clock.left())
            except Exception as error:
                self.runtime.journal.warn("charges", f"charges cannot be sealed: {describe(error)}")

    def _broken(self, request: DecideRequest) -> dict[str, Any]:
        """The answer when the service itself failed; what failed is in its own log."""
        found = outcome.failed(request, "the decision service failed")
        self.runtime.journal.count("decision.ERROR")
        results = [answers.result(each) for each in found.results]
        if not request.client:
            results = [answers.arcjet_result(each, "ERROR", "") for each in found.results]
        head = {"id": decision_id(time.time_ns(), prefix=SERVICE_PREFIX), "conclusion": "CONCLUSION_ERROR"}
        reason = answers.own_reason(found.reason)
        return {"decision": {**head, "reason": reason, "ruleResults": results, "ttl": 0, "ipDetails": {}}}

    # --- reports

    async def report(self, site: Site, request: ReportRequest) -> dict[str, Any]:
        """``ReportResponse``, once what was reported has been looked at. Never raises."""
        try:
            drive = partial(self._drive, seconds=_REPORT_SECONDS)
            await self._reporting.take(site, request, drive)
            await drive(self._charges.take_back(site.name, request.refunds))
        except StoreError as error:
            self.runtime.journal.warn("refund", f"charges could not be taken back: {describe(error)}")
        except Exception as error:
            self.runtime.journal.swallowed("report", error)
        return {}

    # --- bans

    async def ban(self, ip: str, seconds: float, why: str) -> None:
        """Refuse a visitor at all sites.

        Args:
            ip: Its address, or its IPv6 network.
            seconds: For how long.
            why: For whoever looks at the bans.

        Raises:
            ConfigurationError: An argument is wrong.
            StoreError: The store does not answer.
        """
        await self._drive(self._reputations.ban(ip, seconds, why), _OFFICE_SECONDS)

    async def unban(self, ip: str) -> bool:
        """Lift a ban, whoever made it; whether there was one. Raises as :meth:`ban`."""
        return await self._drive(self._reputations.unban(ip), _OFFICE_SECONDS)

    async def bans(self) -> list[ServiceBan]:
        """Who is banned, the longest first. Raises StoreError."""
        return await self._drive(self._reputations.bans(), _OFFICE_SECONDS)

    async def _drive(self, flow: Generator[Effect, Any, T], seconds: float) -> T:
        return await self.runtime.drive(flow, seconds=seconds)


def _together(request: DecideRequest, found: Outcome, local: Sequence[RuleResult]) -> records.Verdict:
    """What the client's rules and those of the service come to together."""
    told: list[tuple[Conclusion, Reason | None]] = [(found.conclusion, found.reason)]
    if request.local_conclusion is not Told.UNSPECIFIED:
        told.append((conclusion_of(request.local_conclusion), None))
    refused = [found.refusal] if found.refusal is not None else []
    return records.together([*refused, *local, *found.results], told, records.dry_run_of(local) or found.dry_run)


class _Until:
    """What is left of a decision's time."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._ends - time.monotonic())


def _budget(seconds: float | None, timeout: float) -> float:
    """Seconds for a decision. The way back to who asked is the endpoint's business, which knows what is left."""
    return timeout if seconds is None else min(timeout, seconds)


def _closing() -> Generator[Effect, Any, None]:
    yield AskStore("close")


def _asking(method: str, *arguments: object) -> Generator[Effect, Any, Any]:
    return (yield AskStore(method, arguments))


__all__ = ["Evaluator"]
