"""What all facades of one client share: store, engine, journal, caches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakValueDictionary

from doorward.asking import ServicePart
from doorward.bound import APPLICATION, PATTERN, Ban, Bound, ServiceRefusal, distinct
from doorward.context import RequestContext
from doorward.decision import Conclusion, Decision, Mode
from doorward.degraded import LocalLimiter, ServiceWatch, StoreWatch
from doorward.drivers import SyncPorts, is_async
from doorward.engine import Engine
from doorward.express import Express
from doorward.fingerprint import Identity
from doorward.gatekeeper import Gatekeeper
from doorward.journal import Journal
from doorward.known_addresses import KnownAddresses
from doorward.locks import lock_over_forks
from doorward.passing import pass_rules
from doorward.printable import describe
from doorward.progress import Progress
from doorward.reaching import listening, reach_service, warn_of_gaps
from doorward.reason import ErrorReason, RuleReason
from doorward.refusals import FOREVER_NS, SHARED_BELIEF_NS, Refusals
from doorward.remembered import Remembered
from doorward.requests import carrier_of, from_carrier
from doorward.routed import Routed
from doorward.rules.limits import Limit, limits_by_path
from doorward.stores import MemoryStore, open_store
from doorward.unwalked import UNKNOWN, without_walk
from doorward.workers import Neighbours

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from doorward.client_ip import ClientIP
    from doorward.effects import Effect
    from doorward.facade import Facade
    from doorward.intelligence.address_book import AddressBook
    from doorward.network import Network
    from doorward.offload import Offload
    from doorward.policy.following import PolicyFile
    from doorward.reason import Reason
    from doorward.requests import Carrier, ReadRequest
    from doorward.routes import RoutePolicy
    from doorward.rules.base import OnError, Rule
    from doorward.settings import Settings
    from doorward.stores import AsyncStore, Store

T = TypeVar("T")

STATE = "doorward.state"
DECISION = "doorward.decision"
ANSWERED = "doorward.answered"
"""Key of a scope or an environ that we have answered ourselves: no error page is put in the place of that."""

_ALLOW = Conclusion.ALLOW


class Runtime:
    """One client's state. Thread safe.

    Args:
        rules: The application's rules.
        settings: Checked options.
        knows_kinds: Whether the kinds of challenges in ``settings`` are those that the application will offer: then
            whatever a rule asks for has to be among them.

    Raises:
        ConfigurationError: Nobody could show what a rule asks for.
    """

    policy: PolicyFile | None = None
    """The policy file that it follows, if it does: see :mod:`doorward.policy.running`."""

    def __init__(self, rules: Sequence[Rule], settings: Settings, *, knows_kinds: bool = False) -> None:
        self.settings = settings
        self.clock = settings.clock
        self.store: Store | AsyncStore = open_store(settings.store, settings.clock, settings.timeout)
        aio: Any = getattr(self.store, "aio", None)
        self.aio: Store | AsyncStore = aio if is_async(aio) else self.store
        self.async_store = is_async(self.store)
        self.inline = not self.async_store and not self.store.blocking
        self.memory = type(self.store) is MemoryStore
        # Ours, and as quick as memory: its answers need no check, and its bans may be asked about without a call.
        self.ours = self.inline and (self.memory or isinstance(settings.store, str))
        self.network: Network | None = None
        self.journal = Journal(settings.logger, settings.name, settings.clock, mask_addresses=settings.mask_addresses)
        self._offload: Offload | None = None
        self.off = settings.override == "OFF"
        lasting = settings.store == "memory://" and settings.service is None
        self.refusals = Refusals(FOREVER_NS if lasting else SHARED_BELIEF_NS, keeps=settings.service is not None)
        self._lock = lock_over_forks()
        self.gatekeeper = Gatekeeper(settings, self.journal)
        self._knows_kinds = knows_kinds
        if knows_kinds:
            self.gatekeeper.check_levels()
        self.addresses = KnownAddresses(self._open_book, partial(self.journal.swallowed, "address data"), self.clock)
        # Made before any fork, since it has locks; a store in memory fails only when it is closed.
        alone = self.memory and settings.service is None
        self.local = None if alone else LocalLimiter(self.clock)
        self.watch = None if self.memory else StoreWatch(self.journal, self.clock, self.local)
        self.service = reach_service(settings, self.journal)
        self.silence = None if self.inline else listening(self.store, self.offload, settings.timeout)
        self.routes = Routed(self, self._lock)
        self.routed: list[Bound] = []
        # By id, not a WeakSet: that cannot be looked through while another thread makes a facade.
        self._facades: WeakValueDictionary[int, Facade] = WeakValueDictionary()
        self.inline_ports = SyncPorts(self.store, self._limiter, self.offload, settings.timeout)  # type: ignore[arg-type]
        self.conditional = False
        if settings.geo:
            self.addresses.open()  # a file that is none is found now
        self.engine = self._build(rules)
        # A store that is given as an object is meant as it is.
        lone = settings.store == "memory://" and self.service is None
        self._neighbours = Neighbours(partial(self.journal.warn, "workers"), settings.workers) if lone else None
        if self._neighbours is not None and self._neighbours.look(self.engine):
            self._neighbours = None

    @property
    def awaits_only(self) -> str:
        """The argument of the client that only code that awaits can use; empty as a rule."""
        if self.async_store:
            return "store"
        return "resolver" if self.network is not None and self.network.needs_async else ""

    # --- facades

    def adopt(self, facade: Facade) -> None:
        """Know a facade, as long as somebody has it, so that it can be told of other rules."""
        self._facades[id(facade)] = facade
        if self.policy is not None:
            self.policy.adopted(facade)

    def facades(self) -> list[Facade]:
        """All facades that somebody has. Other threads may make some, and drop some, meanwhile."""
        return [facade for known in self._facades.valuerefs() if (facade := known()) is not None]

    # --- rules

    def _build(self, rules: Sequence[Rule]) -> Engine:
        settings = self.settings
        engine = Engine(
            (),
            ban=self._bind(Ban(), "ban", APPLICATION),
            ips=settings.ips,
            clock=settings.clock,
            refusals=self.refusals,
            thresholds=settings.thresholds,
            workers=settings.workers,
            bans=getattr(self.store, "ban_table", None) if self.ours else None,
            trusts_store=self.ours,
            addresses=self.addresses,
            watch=self.watch,
            service=self._service_part(),
            clearances=self.gatekeeper,
            passes=pass_rules(settings.challenges, partial(self._bind, tier=APPLICATION)),
        )
        engine = self.extended(engine, rules)
        for rules_of_path in limits_by_path(settings.limits):
            engine = self.extended(engine, rules_of_path, tier=PATTERN)
        self.check(engine.bound)
        return engine

    def check(self, bounds: Iterable[Bound]) -> None:
        """Whether clients can do what rules ask of them.

        Raises:
            ConfigurationError: They cannot.
        """
        if self._knows_kinds:
            self.gatekeeper.check_rules(bounds)

    def extended(
        self,
        engine: Engine,
        rules: Iterable[Rule],
        *,
        tier: int = APPLICATION,
        additive: bool = False,
        mode: Mode | None = None,
    ) -> Engine:
        """``engine`` with more rules after its own; ``mode`` of those that name none, in the place of the client's."""
        bound = list(engine.bound)
        names = {b.name for b in bound}
        for rule in rules:
            name = distinct(rule.name or rule.kind.lower(), names)
            added = self._bind(rule, name, tier, additive=additive, mode=mode)
            added.set_apart(bound)
            bound.append(added)
        added_rules = bound[len(engine.bound) :]
        self._reach_out([added.rule for added in added_rules])
        warn_of_gaps(added_rules, self.addresses, self.journal)
        extended = engine.with_bound(bound)
        self.conditional = self.conditional or extended.conditional
        if Remembered.serves(extended):
            extended.remembered = Remembered(extended)
        if self.ours and self.service is None and Express.serves(extended):
            extended.express = Express(extended, self.store)  # type: ignore[arg-type]  # inline, so not awaited
        return extended

    def _service_part(self) -> ServicePart | None:
        if self.service is None:
            return None
        bound = self._bind(ServiceRefusal(), "service", APPLICATION)
        return ServicePart(bound, ServiceWatch(self.journal, self.clock, self.local))

    def _open_book(self) -> AddressBook:
        from doorward.intelligence.address_book import AddressBook
        from doorward.intelligence.library import Library

        library = Library(self.settings.data, clock=self.clock)
        return AddressBook(library, geo=self.settings.geo, report=partial(self.journal.warn, "data"))

    def _reach_out(self, rules: Iterable[Rule]) -> None:
        """Have ready what rules need that ask other hosts, so that the first request does not wait for it."""
        asking = [rule for rule in rules if rule.looks_up and not (rule.remote and self.service is not None)]
        if asking:
            if self.network is None:
                from doorward.network import Network

                self.network = Network(self.settings.resolver, self.clock)
            self.network.warm(web=any([rule.asks_web() for rule in asking]))

    def _bind(self, rule: Rule, name: str, tier: int, *, additive: bool = False, mode: Mode | None = None) -> Bound:
        settings = self.settings
        mode = Mode.DRY_RUN if settings.override == "DRY_RUN" else rule.mode or mode or settings.mode
        default: OnError = "local" if isinstance(rule, Limit) else settings.on_error
        identity = settings.identity
        if rule.characteristics:
            clients = settings.challenges.clients.per_address
            identity = Identity(rule.characteristics, ipv6_prefix=settings.ipv6_prefix, clients=clients)
        return Bound(
            rule,
            client=settings.name,
            name=name,
            mode=mode,
            on_error=rule.on_error or default,
            identity=identity,
            tier=tier,
            additive=additive,
        )

    def engine_for(self, engine: Engine, policy: RoutePolicy | None) -> Engine:
        """The rules in force on a route."""
        return self.routes.engine_for(engine, policy)

    def note_routed(self, bounds: Iterable[Bound]) -> None:
        """Know rules of routes that were bound."""
        self.routed += bounds

    # --- one request

    def open(self, request: object, engine: Engine) -> Progress:
        """What is known about ``request``: begun here, or gone on with from the layer outside.

        Raises:
            UnsupportedRequest: It is no request.
        """
        if isinstance(request, RequestContext):
            return Progress(request, engine)
        return self.resume(carrier_of(request), engine)

    def resume(
        self,
        carrier: Carrier,
        engine: Engine,
        policy: RoutePolicy | None = None,
        path: str | None = None,
        read: ReadRequest = from_carrier,
    ) -> Progress:
        """As :meth:`open`, for a scope or an environ, and for a route that says something of its own."""
        states = carrier.get(STATE)
        progress: Progress | None = states.get(id(self)) if states is not None else None
        if progress is None:
            if policy is not None:
                engine = self.routes.engine_for(engine, policy)
            if self._neighbours is not None and self._neighbours.look(engine, carrier):
                self._neighbours = None
            progress = Progress(read(carrier, path), engine)
            if policy is not None:
                progress.policy = policy
            if states is None:
                carrier[STATE] = {id(self): progress}
            else:
                states[id(self)] = progress
        elif policy is not None and progress.policy is None:
            progress.policy = policy
            progress.engine = self.routes.engine_for(progress.engine, policy)
        return progress

    def finish(self, progress: Progress, decision: Decision) -> Decision:
        """Count and log a decision that was just made."""
        decision.on_address(self.addresses)
        if self.service is not None and not progress.told:
            self.service.report(progress, decision)
        try:
            journal = self.journal
            # Nothing to count by rule, as a rule: what allows is not asked which rule did.
            told = journal.told(progress) if decision.conclusion is not _ALLOW or progress.engine.dry else ()
            journal.decision(progress.request, decision, noteworthy=progress.noteworthy, told=told)
            progress.noteworthy = False
            on_decision = self.settings.on_decision
            if on_decision is not None:
                on_decision(decision, progress.request)
        except Exception as error:
            self.journal.swallowed("on_decision", error)
        return decision

    def broken(self, progress: Progress, error: Exception) -> Decision:
        """The decision when doorward itself failed."""
        self.journal.swallowed("decision", error)
        denying = self.settings.on_error == "deny" and not progress.engine.ban.dry
        conclusion = Conclusion.DENY if denying else Conclusion.ERROR
        reason = ErrorReason(describe(error))
        return self._without_walk(progress.engine, conclusion, reason, progress.client_ip or UNKNOWN)

    def exempted(self, engine: Engine, why: str) -> Decision:
        """The decision about a request that no rule is asked about."""
        self.journal.count(f"exempt.{why}")
        return self._without_walk(engine, Conclusion.ALLOW, RuleReason("exempt", why))

    def switched_off(self, engine: Engine) -> Decision:
        """The decision while ``DOORWARD_MODE`` is ``OFF``."""
        return self._without_walk(engine, Conclusion.ALLOW, RuleReason("off", "DOORWARD_MODE is OFF"))

    def _without_walk(
        self, engine: Engine, conclusion: Conclusion, reason: Reason, client_ip: ClientIP = UNKNOWN
    ) -> Decision:
        decision = without_walk(engine, conclusion, reason, client_ip, self.clock)
        decision.on_address(self.addresses)
        return decision

    # --- stores

    def offload(self) -> Offload:
        """Threads for a store that may block; made when first needed."""
        from doorward.offload import Offload

        with self._lock:
            if self._offload is None:
                self._offload = Offload()
            return self._offload

    def close(self) -> None:
        """Let go of threads and connections."""
        self.journal.close()
        if self._offload is not None:
            self._offload.close()
        if self.network is not None:
            self.network.close()
        if self.service is not None:
            self.service.close()

    def _limiter(self) -> LocalLimiter:
        with self._lock:
            self.local = self.local or LocalLimiter(self.clock)
            return self.local

    def sync_ports(self, read_body: Any = None, *, waits: bool = False) -> SyncPorts:
        """How a blocking caller performs effects; ``waits`` where rules may ask for more than the store."""
        if self.inline and read_body is None and not waits:
            return self.inline_ports
        reading = {} if read_body is None else {"read_body": read_body}
        return SyncPorts(
            self.store,  # type: ignore[arg-type]  # a client that blocks takes no store that is awaited
            self._limiter,
            self.offload,
            self.settings.timeout,
            network=self.network,
            silence=self.silence,
            service=self.service,
            **reading,
        )

    async def drive(self, flow: Generator[Effect, Any, T], read_body: Any = None, seconds: float | None = None) -> T:
        """Drive ``flow`` to its end, awaiting; ``seconds`` in the place of the client's ``timeout``."""
        from doorward.async_driver import AsyncPorts, run_async

        ports = AsyncPorts(
            self.aio,
            self._limiter,
            self.offload,
            self.settings.timeout if seconds is None else seconds,
            read_body,
            network=self.network,
            silence=self.silence,
            service=self.service,
        )
        return await run_async(flow, ports)


__all__ = ["DECISION", "STATE", "Runtime"]
