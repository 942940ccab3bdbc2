"""The state of a client that follows a policy file."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from doorward.asking import ServicePart
from doorward.bound import APPLICATION, ServiceRefusal
from doorward.errors import ConfigurationError
from doorward.gatekeeper import Gatekeeper
from doorward.locks import lock_over_forks
from doorward.policy.arguments import OPTIONS
from doorward.policy.described import side_of
from doorward.policy.diff import compared
from doorward.policy.documents import read
from doorward.policy.errors import PolicyError, mistake
from doorward.policy.following import PolicyFile
from doorward.policy.loading import Policy, load, made, merged_options
from doorward.presets import file_of
from doorward.requests import from_carrier
from doorward.runtime import Runtime
from doorward.settings import Options, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doorward.bound import Bound
    from doorward.engine import Engine
    from doorward.facade import Facade
    from doorward.progress import Progress
    from doorward.requests import Carrier, ReadRequest
    from doorward.routes import RoutePolicy
    from doorward.rules.base import Rule

_FOLLOWED = (
    "mode",
    "identity",
    "ips",
    "on_error",
    "limits",
    "thresholds",
    "ipv6_prefix",
    "body_limit",
    "proxies",
    "challenges",
)
"""The settings that a policy file may change while the client runs."""


class FollowingRuntime(Runtime):
    """A client's state whose engine is replaced when its policy file changes. Requests go on with what they began with.

    Args:
        rules: The application's rules; those of the file come after them.
        options: The client's options, with ``policy``.
        owner: What errors call the client.

    Raises:
        PolicyError: The file cannot be used.
        ConfigurationError: An option is wrong, or said both in code and in the file.
    """

    def __init__(self, rules: Sequence[Rule], options: Options, owner: str) -> None:
        named: Any = options.get("policy")
        policy = load(named)
        self._in_code = list(rules)
        self._options: Options = options.copy()
        self._owner = owner
        self._path = file_of(named).absolute()
        super().__init__([*rules, *policy.rules], parse(self._merged(policy), owner), knows_kinds=True)
        self._installed = 0
        # Made after all that may be locked under it: a fork takes locks in the reverse order of their making.
        self._swap = lock_over_forks()
        self.policy = PolicyFile(
            self._path,
            policy,
            take_over=self._take_over,
            adopted=self._follow,
            load=self._load,
            journal=self.journal,
            clock=self.clock,
        )

    def _load(self) -> Policy:
        """What the file says now; entries that are as they were keep their rules, and what those have learnt."""
        assert self.policy is not None
        known = self.policy.policy
        return made(read(self._path, str(known.path)), known.path, known.entries)

    def _merged(self, policy: Policy) -> Options:
        merged, both = merged_options(self._options, policy.options)
        if both:
            problem = "is said in code too: say it in one place"
            wrong = [mistake(policy.option_lines.get(name, 0), f"options.{name}", problem) for name in both]
            raise PolicyError(str(policy.path), wrong)
        return merged

    # --- taking a policy over

    def _take_over(self, policy: Policy, turn: int) -> list[str] | None:
        """Put a policy in force, and say what changed; None, unless a newer one is."""
        draft = copy.copy(self)
        try:
            draft.become(policy)
            if draft.awaits_only and not self.awaits_only:
                problem = "is asynchronous, and the policy has a rule that asks it"
                raise ConfigurationError(draft.awaits_only, problem)
            changes = compared(side_of(self), side_of(draft)).lines()
            return changes if self._swapped(draft, policy, turn) else None
        finally:
            if draft.network is not None and draft.network is not self.network:
                draft.network.close()

    def become(self, policy: Policy) -> None:
        """Take a policy on; for a copy that nobody asks yet."""
        merged = self._merged(policy)
        followed: Any = {name: value for name, value in merged.items() if name in (*OPTIONS, "data")}
        fresh = parse(followed, self._owner)
        challenges = self.settings.challenges
        self.settings = self.settings._replace(**{name: getattr(fresh, name) for name in _FOLLOWED})
        if self.settings.challenges != challenges:
            former, self.gatekeeper = self.gatekeeper, Gatekeeper(self.settings, self.journal)
            self.gatekeeper.take_over(former)
            self.gatekeeper.check_levels()
        self.engine = self._build([*self._in_code, *policy.rules])

    def _swapped(self, draft: Runtime, policy: Policy, turn: int) -> bool:
        """Have requests that begin from now on decided as by ``draft``, unless something newer is in force."""
        with self._swap:
            if turn <= self._installed:
                return False
            self._installed = turn
            self.network = self.network or draft.network
            self.conditional = self.conditional or draft.conditional
            self.gatekeeper = draft.gatekeeper
            self.settings, self.engine = draft.settings, draft.engine
        for facade in self.facades():
            self._follow(facade)
        with self._swap:
            # Last, so that a process that is forked meanwhile finds that it has this still to do.
            if turn == self._installed and self.policy is not None:
                self.policy.policy = policy
        return True

    def _service_part(self) -> ServicePart | None:
        running: Engine | None = getattr(self, "engine", None)
        if running is None or running.service is None:
            return super()._service_part()
        # Whether the service answers is known already.
        return ServicePart(self._bind(ServiceRefusal(), "service", APPLICATION), running.service.watch)

    # --- facades

    def _follow(self, facade: Facade) -> None:
        """Have a facade decide by the rules that are in force, with its own after them."""
        while True:
            engine = self.engine
            more = [bound.rule for bound in facade.extra]
            extended = self.extended(engine, more, additive=True) if more else engine
            facade.moved_to(extended, extended.bound[len(engine.bound) :])
            if self.engine is engine:
                return

    def note_routed(self, bounds: Iterable[Bound]) -> None:
        """As of any client; but rules that were bound anew for a policy have the counters that they had."""
        with self._lock:
            super().note_routed(bounds)
            self.routed[:] = {bound.prefix: bound for bound in self.routed}.values()

    # --- one request

    def open(self, request: object, engine: Engine) -> Progress:
        """As of any client; and have a look at the file, if it is time to."""
        self._look()
        return super().open(request, engine)

    def resume(
        self,
        carrier: Carrier,
        engine: Engine,
        policy: RoutePolicy | None = None,
        path: str | None = None,
        read: ReadRequest = from_carrier,
    ) -> Progress:
        """As of any client; and have a look at the file, if it is time to."""
        self._look()
        return super().resume(carrier, engine, policy, path, read)

    def _look(self) -> None:
        if self.policy is not None:
            self.policy.look()


__all__ = ["FollowingRuntime"]
