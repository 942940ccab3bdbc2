"""What a running service is made of, and how it is put together from its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from doorward.clock import SystemClock
from doorward.errors import ConfigurationError
from doorward.stores import open_store

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from doorward.service.server.ports import DecisionLog, Evaluates, Site
    from doorward.service.server.settings import ServiceSettings
    from doorward.stores.base import AsyncStore, Store


class FindsKeys(Protocol):
    """Knows the keys of applications: :class:`doorward.service.server.keys.Keys`."""

    def find(self, token: str) -> Site | None:
        """Whose a key is; None for a wrong one. Quick, and in a time that says nothing about the keys there are."""
        ...


def _no_figures() -> Mapping[str, int]:
    return {}


def _nothing_wrong() -> str:
    return ""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of one worker.

    Attributes:
        keys: Knows whose a key is.
        evaluator: Decides.
        store: Where counters live; closed at the end.
        routes: Of the look-up of decisions.
        pages: Routes of the pages; none where they are off, or jinja2 is missing.
        figures: Counts of other parts that only grow, by their name in :data:`~.metrics.FAMILIES`.
        degraded: What is wrong that does not keep the service from answering; empty for nothing.
        close: Called at the end in this order, before the store is closed: a log writes what it holds.
    """

    keys: FindsKeys
    evaluator: Evaluates
    store: Store | AsyncStore
    routes: Sequence[BaseRoute] = ()
    pages: Sequence[BaseRoute] = ()
    figures: Callable[[], Mapping[str, int]] = _no_figures
    degraded: Callable[[], str] = _nothing_wrong
    close: Sequence[Callable[[], Any]] = field(default=())


def open_parts(settings: ServiceSettings) -> Parts:
    """The real parts.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataError: A file in the folder cannot be read.
    """
    from doorward.service.server.evaluation import Evaluator
    from doorward.service.server.keys import Keys
    from doorward.service.server.log_file import LogFile

    make_folder(settings)
    store = open_store(settings.store_or_default, SystemClock(), settings.timeout)
    log: DecisionLog = LogFile(settings.log_path)
    return Parts(
        keys=Keys(settings.keys_path),
        evaluator=Evaluator(store, log, resolver=settings.resolver),
        store=store,
        figures=lambda: {"log_dropped": getattr(log, "dropped", 0)},
        degraded=lambda: getattr(log, "problem", ""),
        close=[getattr(log, "close", _nothing_wrong)],
    )


def make_folder(settings: ServiceSettings) -> None:
    """Make the service's folder, for its own user only: it holds addresses of visitors.

    Raises:
        ConfigurationError: It cannot be made.
    """
    try:
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError("folder", f"{settings.folder} cannot be made: {error.strerror}") from error


__all__ = ["FindsKeys", "Parts", "make_folder", "open_parts"]
