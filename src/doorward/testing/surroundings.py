"""Puts a client in other surroundings, and back, although middleware has been built around it.

Middleware, layers and adapters hold a client's facades and its :class:`~doorward.runtime.Runtime`. Both stay the
objects that they are: what is inside them is exchanged for what a twin of the client has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from doorward.network import Network
from doorward.runtime import Runtime
from doorward.testing.doubles import ScriptedResolver
from doorward.testing.scripted_service import ScriptedService
from doorward.twins import twin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doorward.bound import Bound
    from doorward.clock import Clock
    from doorward.engine import Engine
    from doorward.facade import Facade
    from doorward.rules.base import Rule
    from doorward.testing.scripted_addresses import ScriptedAddresses

PRESENT, ABSENT = 200, 404


class ScriptedWeb:
    """In the place of web servers: knows whether an address has an avatar at Gravatar, and asks nobody.

    Attributes:
        answers: HTTP statuses by the beginning of the URL; 404 for all others.
        asked: The URLs so far.
    """

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.asked: list[str] = []

    def status(self, url: str, timeout: float) -> int:
        """The status of a URL."""
        del timeout
        self.asked.append(url)
        return next((status for start, status in self.answers.items() if url.startswith(start)), ABSENT)


class Script:
    """What the surroundings are made of.

    Attributes:
        clock: The time.
        dns: Answers for names.
        addresses: What is known about addresses.
        web: Answers for URLs.
        service: Answers in the place of a decision service.
    """

    def __init__(self, clock: Clock, addresses: ScriptedAddresses) -> None:
        self.clock = clock
        self.dns = ScriptedResolver({})
        self.addresses = addresses
        self.web = ScriptedWeb()
        self.service = ScriptedService()


class Exchanged:
    """One client in other surroundings, from construction until :meth:`put_back`.

    Args:
        client: Any facade of the client.
        script: The surroundings.
    """

    def __init__(self, client: Facade, script: Script) -> None:
        runtime = self.runtime = client.runtime
        inside = vars(_twin_of(client, script).runtime)
        self._saved = dict(vars(runtime))
        self._engines = WeakKeyDictionary({facade: _inside(facade) for facade in runtime.facades()})
        for name in set(vars(runtime)) - set(inside):
            del vars(runtime)[name]  # a harness around this one listens there
        # Limits that adapters have bound to their routes stay with them.
        kept = {"_facades": runtime._facades, "routed": [*runtime.routed]}
        vars(runtime).update({**inside, **kept, "conditional": runtime.conditional or inside["conditional"]})
        for facade in self._engines:
            _rebuild(facade)

    def put_back(self) -> None:
        """Exchange everything back, also of facades that were made meanwhile."""
        runtime, saved = self.runtime, self._saved
        try:
            runtime.close()
        finally:
            bound = {_place(each) for each in saved["routed"]}
            saved["routed"] += [each for each in runtime.routed if _place(each) not in bound]
            for name in set(vars(runtime)) - set(saved):
                del vars(runtime)[name]
            vars(runtime).update(saved)
            for facade in runtime.facades():
                if facade in self._engines:
                    facade.engine, facade._extra = self._engines[facade]
                else:
                    _rebuild(facade)


def _twin_of(client: Facade, script: Script) -> Facade:
    settings = client.runtime.settings
    own_resolver, own_service = settings.resolver, settings.transport
    remote = settings.service is not None
    # Kept where the test has scripted it already.
    service = own_service if isinstance(own_service, ScriptedService) else script.service
    return twin(
        client,
        kind=_scripted(script),
        clock=script.clock,
        resolver=own_resolver if isinstance(own_resolver, ScriptedResolver) else script.dns,
        service=settings.service,
        transport=service if remote else None,
        geo=(),
        logger=settings.logger,
        on_decision=settings.on_decision,
    )


def _scripted(script: Script) -> type[Runtime]:
    """A Runtime that knows about addresses, names and avatars what the script says."""

    class ScriptedRuntime(Runtime):
        surroundings: ClassVar[Script] = script

        def _open_book(self) -> Any:
            return self.surroundings.addresses

        def _reach_out(self, rules: Iterable[Rule]) -> None:
            if self.network is None:
                self.network = Network(self.settings.resolver, self.clock)
                self.network._web = self.surroundings.web  # type: ignore[assignment]  # all that is asked of it
            super()._reach_out(rules)

    return ScriptedRuntime


def _inside(facade: Facade) -> tuple[Engine, tuple[Bound, ...]]:
    return facade.engine, facade._extra


def _rebuild(facade: Facade) -> None:
    """The facade's rules, over what its runtime has now."""
    runtime = facade.runtime
    base = runtime.engine
    facade.engine = base
    if facade._extra:
        facade.engine = runtime.extended(base, [bound.rule for bound in facade._extra], additive=True)
        facade._extra = facade.engine.bound[len(base.bound) :]


def _place(bound: Bound) -> tuple[str, str]:
    return bound.name, bound.prefix
