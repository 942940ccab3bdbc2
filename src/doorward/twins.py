"""A client's rules in other surroundings: offline, with another clock, on a store of their own.

Replays, ``doorward explain`` and tests decide as the application would, and leave its counters and its log alone.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from doorward.bound import APPLICATION
from doorward.client import Doorward
from doorward.errors import ConfigurationError, ResolverError
from doorward.runtime import Runtime
from doorward.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.effects import DnsAnswer, DnsKind
    from doorward.facade import Facade
    from doorward.rules.base import Rule


class Offline:
    """A resolver that asks nobody: rules that need a look-up come to an error that says so."""

    keeps_deadline = True

    def resolve(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:
        """Raise.

        Raises:
            ResolverError: Always.
        """
        raise ResolverError("offline: nobody is asked")

    async def resolve_async(self, name: str, kind: DnsKind, timeout: float) -> DnsAnswer:  # noqa: ASYNC109  (its twin's)
        """As :meth:`resolve`."""
        return self.resolve(name, kind, timeout)

    def status(self, url: str, timeout: float) -> int:
        """As :meth:`resolve`, of web servers."""
        raise ResolverError("offline: nobody is asked")


def twin(
    client: Facade, *, each: Callable[[Rule], Rule] | None = None, kind: type[Runtime] = Runtime, **changes: Any
) -> Doorward:
    """A client with the rules and the options of ``client`` that shares nothing with it.

    Without changes it is offline: counters in memory, no service, no look-ups, no log, no callback of the application.
    Rules of routes (decorators) are not part of it: only the application knows which request belongs to which.

    Args:
        client: The client to take after.
        each: Makes of each rule what takes its place.
        kind: What its state is kept in; for tests.
        **changes: Checked options that differ: fields of :class:`doorward.settings.Settings`.

    Raises:
        ConfigurationError: A change is no field.
    """
    unknown = sorted(set(changes) - set(Settings._fields))
    if unknown:
        raise ConfigurationError(unknown[0], "is no option of a client")
    settings = client.runtime.settings._replace(**{**_offline(), **changes})
    change = each or _as_it_is
    extra = [change(bound.rule) for bound in client._extra]
    made = Doorward.__new__(Doorward)._adopt(kind([change(rule) for rule in rules_of(client)], settings))
    return made.with_rule(*extra) if extra else made


def _as_it_is(rule: Rule) -> Rule:
    return rule


def rules_of(client: Facade) -> list[Rule]:
    """The application's rules, as they were declared; not those of paths in ``limits=`` and of routes."""
    return [bound.rule for bound in client.runtime.engine.bound if bound.tier == APPLICATION]


def silent_logger() -> logging.Logger:
    """A logger that says nothing, and that no configuration reaches."""
    logger = logging.Logger("doorward.twin", logging.CRITICAL + 1)  # noqa: LOG001  (known to nobody)
    logger.propagate = False
    return logger


def _offline() -> dict[str, Any]:
    return {
        "store": "memory://",
        "service": None,
        "transport": None,
        "resolver": Offline(),
        "on_decision": None,
        "logger": silent_logger(),
        "workers": 1,
    }


__all__ = ["Offline", "rules_of", "silent_logger", "twin"]
