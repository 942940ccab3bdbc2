"""What both kinds of client share: everything but waiting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Self, Unpack
from weakref import WeakKeyDictionary

from doorward.context import RequestContext
from doorward.drivers import run
from doorward.errors import ConfigurationError
from doorward.progress import NO_INPUTS, NOT_GIVEN, Inputs, conditional, given, taken
from doorward.requests import carrier_of, from_carrier
from doorward.runtime import Runtime
from doorward.settings import Options, check_known, parse, parse_rules
from doorward.step_up import StepUp

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from doorward.bodies import BodyOf
    from doorward.bound import Bound
    from doorward.challenges.providers.hosted import Hosted
    from doorward.challenges.work import AltchaChecked
    from doorward.cleared import Clearance
    from doorward.decision import Decision
    from doorward.drivers import SyncPorts
    from doorward.effects import Charge, Effect
    from doorward.engine import Engine
    from doorward.fingerprint import Scalar
    from doorward.progress import Answer, NotGiven, Progress
    from doorward.rules.base import Rule
    from doorward.rules.limits import CountWhen, Response
    from doorward.service.client.remote import RemoteService
    from doorward.tallies import DryRun


class Facade(StepUp, ABC):
    """What both kinds of client share.

    Args:
        rules: Rules, and sequences of rules, in the order in which results list them.
        **options: See :class:`doorward.settings.Options`.

    Raises:
        ConfigurationError: An argument is wrong; the message names it and what is accepted.
    """

    runtime: Runtime
    engine: Engine
    _extra: tuple[Bound, ...]

    def __init__(self, rules: Sequence[Rule | Sequence[Rule]] = (), **options: Unpack[Options]) -> None:
        owner, listed = type(self).__name__, parse_rules(rules)
        if options.get("policy") is None:
            self._adopt(Runtime(listed, parse(options, owner), knows_kinds=True))
            return
        from doorward.policy.running import FollowingRuntime  # few clients have a policy file

        check_known(options, owner)
        self._adopt(FollowingRuntime(listed, options, owner))

    @classmethod
    def of(cls, runtime: Runtime) -> Self:
        """A client of a state that was made for it."""
        return cls.__new__(cls)._adopt(runtime)

    def _adopt(self, runtime: Runtime, engine: Engine | None = None, extra: tuple[Bound, ...] = ()) -> Self:
        self.runtime = runtime
        self.engine = engine or runtime.engine
        self._extra = extra
        self._joined: WeakKeyDictionary[Engine, Engine] = WeakKeyDictionary()
        runtime.adopt(self)
        return self

    def moved_to(self, engine: Engine, extra: tuple[Bound, ...]) -> None:
        """Decide by other rules from now on: a policy file has changed."""
        self.engine, self._extra, self._joined = engine, extra, WeakKeyDictionary()
        self._stepped = None

    @property
    def extra(self) -> tuple[Bound, ...]:
        """The rules that :meth:`with_rule` added."""
        return self._extra

    def reload(self) -> list[str]:
        """Load the policy file now, whether or not it seems to have changed; blocks meanwhile.

        Returns:
            What changed, a line each; empty where nothing did.

        Raises:
            PolicyError: The file cannot be used. What was in force still is.
            ConfigurationError: The client has no policy file.
        """
        if self.runtime.policy is None:
            raise ConfigurationError("policy", "is not given, so there is no file to load")
        return self.runtime.policy.reload()

    def __repr__(self) -> str:
        names = ", ".join(bound.name for bound in self.engine.bound)
        return f"{type(self).__name__}(name={self.runtime.settings.name!r}, rules=[{names}])"

    def clearance(self, request: object) -> Clearance | None:
        """What the client of a request has shown by passing a challenge, whether or not any rule asks for it.

        None without a valid clearance. Asks no store: of a revocation it knows what this process was told last.

        Args:
            request: As ``protect`` takes it.

        Raises:
            UnsupportedRequest: It is no request.
        """
        progress = self._prepared(request)
        if progress.clearance is not None or progress.spent:
            return progress.clearance
        asked, runtime = progress.request, self.runtime
        found = progress.client_ip or progress.engine.ips.resolve(asked.peer, asked.header_values)
        return runtime.gatekeeper.held(asked, found.address, runtime.clock.now_ns())

    def with_rule(self, *rules: Rule | Sequence[Rule]) -> Self:
        """The same client with more rules after its own; everything else is shared.

        Raises:
            ConfigurationError: One is none, or asks for what no kind of challenge on offer shows.
        """
        base = self.engine
        engine = self.runtime.extended(base, parse_rules(rules), additive=True)
        added = engine.bound[len(base.bound) :]
        self.runtime.check(added)
        extra = (*self._extra, *added)
        return type(self).__new__(type(self))._adopt(self.runtime, engine, extra)

    def health(self) -> dict[str, object]:
        """How this process's part stands: mode, rules, counters of decisions, errors and warnings."""
        runtime = self.runtime
        return {
            "name": runtime.settings.name,
            "mode": runtime.settings.override or runtime.settings.mode.value,
            "rules": {bound.name: bound.mode.value for bound in self.engine.bound},
            "counts": runtime.journal.counts(),
            **({"dry_run": {name: found.to_dict() for name, found in dry.items()}} if (dry := self.dry_run()) else {}),
            **({} if runtime.service is None else {"service": self._service_health(runtime.service)}),
            **({} if runtime.policy is None else {"policy": runtime.policy.health()}),
        }

    def dry_run(self) -> dict[str, DryRun]:
        """What each dry-run rule came to in this process since it began: figures, and samples drawn by chance.

        Of rules of routes once they were asked. After a fork the child begins anew: each worker tells of its own part.
        """
        names = [bound.name for bound in (*self.engine.bound, *self.runtime.routed) if bound.dry]
        return self.runtime.journal.tallies.dry_runs(names)

    def _service_health(self, service: RemoteService) -> dict[str, object]:
        part = self.engine.service
        return {**service.figures(), **(part.watch.health() if part is not None else {})}

    def _prepared(self, request: object) -> Progress:
        progress = self.runtime.open(request, self.engine)
        if self._extra and progress.engine is not self.engine:
            progress.engine = self._joined.get(progress.engine) or self._join(progress.engine)
        return progress

    def _altcha_flow(self, payload: object, request: object) -> Generator[Effect, object, AltchaChecked]:
        from doorward.challenges.work.checking import check

        settings, found = self.runtime.settings, self.runtime.open(request, self.engine).request
        ip = settings.ips.resolve(found.peer, found.header_values).address
        now_ms = settings.clock.now_ns() // 1_000_000
        return check(self.runtime.gatekeeper.gate, payload, found, ip, now_ms)

    def _body_of(self, request: object, progress: Progress) -> BodyOf:
        from doorward.bodies import BodyOf  # takes what middleware takes, which not every application has

        return BodyOf(request, progress.request, self.runtime)

    def _captcha(self, request: object, response: object, captcha: Hosted | str | None, action: str) -> Any:
        from doorward.challenges.providers.forms import verification  # few applications have one

        context = request if isinstance(request, RequestContext) else from_carrier(carrier_of(request))
        return verification(self.runtime, context, response, captcha, action)

    def _join(self, outer: Engine) -> Engine:
        """The rules in force with those that ``with_rule`` added, for a request that middleware began with."""
        known = self._joined  # first: moved_to exchanges it last, and then what follows here is forgotten with it
        # A request that began before the policy file changed has these rules as they were bound then.
        there = {id(bound.rule) for bound in outer.bound if bound.additive}
        more = [bound for bound in self._extra if bound not in outer.bound and id(bound.rule) not in there]
        joined = known[outer] = outer.with_bound((*outer.bound, *more)) if more else outer
        return joined

    def _uncounted(self, ledger: list[Answer], response: Response) -> list[Charge]:
        """The charges that, now that the response is known, turn out not to count."""
        waiting = conditional(ledger)
        return [charge for counts, charge in waiting if not self._counts(counts, response)]

    def _counts(self, count_when: CountWhen, response: Response) -> bool:
        try:
            return bool(count_when(response))
        except Exception as error:
            self.runtime.journal.swallowed("count_when", error)
            return True

    def _inputs(
        self, email: str | NotGiven | None, requested: int | None, characteristics: Mapping[str, Scalar] | None
    ) -> Inputs:
        if email is NOT_GIVEN and requested is None and not characteristics:
            return NO_INPUTS
        return Inputs(given(email), characteristics or {}, requested)

    def _walk(self, progress: Progress, inputs: Inputs, ports: Callable[[], SyncPorts], *, deferring: bool) -> Decision:
        """Decide without waiting for anything but the ports, which many a decision does without. Never raises."""
        before = progress.decision
        try:
            decision = self._straight(progress, inputs, deferring=deferring)
            if decision is None:
                decision = run(progress.engine.evaluate(progress, inputs, deferring=deferring), ports())
        except Exception as error:
            decision = self.runtime.broken(progress, error)
        return decision if decision is before else self._finished(progress, decision)

    def _inline_ports(self) -> SyncPorts:
        return self.runtime.inline_ports

    def _straight(self, progress: Progress, inputs: Inputs, *, deferring: bool) -> Decision | None:
        """The decision, where it can be come to without the walk."""
        if inputs is not NO_INPUTS:
            return None
        engine = progress.engine
        decision = engine.remembered.decide(progress) if engine.remembered is not None and engine.refusals else None
        if decision is None and engine.express is not None:
            decision = engine.express.decide(progress, deferring=deferring)
        if decision is not None:
            progress.decision = decision
        return decision

    def _finished(self, progress: Progress, decision: Decision) -> Decision:
        if progress.ledger is not None:
            decision.on_refund(partial(self._taken_back, progress.ledger))
        return self.runtime.finish(progress, decision)

    @staticmethod
    def _is_late(progress: Progress) -> bool:
        """Whether there are rules to ask after the response: not where the request was refused, or asked about."""
        decided = progress.decision
        return bool(progress.engine.late) and not progress.answered and decided is not None and decided.is_allowed()

    def _looked_back(self, progress: Progress, decision: Decision | None) -> None:
        """Count and log what was found after the response."""
        if decision is not None:
            progress.noteworthy = True
            self._finished(progress, decision)

    def _taken_back(self, ledger: list[Answer]) -> Any:
        return self._refund(taken(ledger))

    @abstractmethod
    def _refund(self, charges: list[Charge]) -> Any:
        """Have the store take charges back."""
