"""What a running service is made of, and how it is put together from its settings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from doorward.clock import SystemClock
from doorward.errors import ConfigurationError
from doorward.service.server import log_api
from doorward.service.server.evaluation import Evaluator
from doorward.service.server.keys import Keys
from doorward.service.server.log_file import LogFile
from doorward.service.server.log_reader import LogFileReader
from doorward.service.server.reputation import Reputation
from doorward.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.routing import BaseRoute

    from doorward.service.server.ports import DecisionLog, Evaluates, Site
    from doorward.service.server.settings import ServiceSettings
    from doorward.stores.base import AsyncStore, Store


LONGEST_STORE_CALL = 0.25
"""Seconds."""
LOG_TROUBLE_SECONDS = 60.0
"""How long a failure to write the log is spoken of."""


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
        warm: Awaited before the service is ready: what the first decision would have to wait for.
        close: Called, or awaited, at the end in this order, before the store is closed: a log writes what it holds.
    """

    keys: FindsKeys
    evaluator: Evaluates
    store: Store | AsyncStore
    routes: Sequence[BaseRoute] = ()
    pages: Sequence[BaseRoute] = ()
    figures: Callable[[], Mapping[str, int]] = _no_figures
    degraded: Callable[[], str] = _nothing_wrong
    warm: Callable[[], Awaitable[None]] | None = None
    close: Sequence[Callable[[], Any]] = ()


def open_parts(settings: ServiceSettings) -> Parts:
    """The real parts.

    Raises:
        ConfigurationError: A setting cannot be used.
        DataError: A file in the folder cannot be read.
    """
    # The store gives up first, and is then known to be away, rather than be cut off by each decision anew.
    store = open_store(settings.store_or_default, SystemClock(), min(LONGEST_STORE_CALL, settings.timeout / 2))
    log = LogFile(settings.log_path, days=settings.log_days, rows=settings.log_rows)
    log.start()
    reader = LogFileReader(settings.log_path)
    keys = Keys(settings.keys_path)
    evaluator = _evaluator(settings, store, log)
    watch = _LogWatch(log.figures)
    pages, ends = _pages(settings, reader, evaluator, keys, watch)
    return Parts(
        keys=keys,
        evaluator=evaluator,
        store=store,
        routes=log_api.routes(reader, keys),
        pages=pages,
        figures=lambda: {"log_dropped": log.figures()["dropped"]},
        degraded=watch.problem,
        warm=evaluator.warm,
        close=[*ends, evaluator.aclose, log.close, keys.close],
    )


def _evaluator(settings: ServiceSettings, store: Store | AsyncStore, log: DecisionLog) -> Evaluator:
    reputation = Reputation(
        on=settings.suspicious_sites > 0,
        sites=max(1, settings.suspicious_sites),
        threshold=settings.suspicious_weight,
        window=settings.suspicious_seconds,
        ban=settings.suspicious_ban,
    )
    return Evaluator(
        store,
        log,
        resolver=settings.resolver,
        timeout=settings.timeout,
        store_timeout=min(LONGEST_STORE_CALL, settings.timeout / 2),
        reputation=reputation,
    )


def _pages(
    settings: ServiceSettings, reader: LogFileReader, evaluator: Evaluator, keys: Keys, watch: _LogWatch
) -> tuple[Sequence[BaseRoute], list[Callable[[], Any]]]:
    """The pages, and what is to be closed with them."""
    if not settings.pages or find_spec("jinja2") is None:
        return (), []
    from doorward.service.server import pages  # jinja2 comes with an extra
    from doorward.service.server.login import Login

    login = Login(
        settings.password_path,
        settings.folder / "sessions",
        store=settings.store_or_default,
        proxies=settings.proxies,
    )

    def key_lines() -> list[Any]:
        return [_key_line(pages.KeyLine, row) for row in keys.list()]

    def log_state() -> Any:
        figures = watch.figures()
        return pages.LogState(figures["written"], figures["dropped"], figures["waiting"], watch.problem())

    return pages.routes(reader, login, evaluator, key_lines, log_state), [login.close]


def _key_line(kind: Any, row: Any) -> Any:
    state = "ended" if row.is_over(SystemClock().now_ns()) else "active"
    return kind(row.site, row.id, state, row.quota, row.made_ns, row.used_ns)


class _LogWatch:
    """Knows whether the log could be written lately.

    Args:
        figures: Of the log: ``failures`` only grows.

    Attributes:
        figures: The same.
    """

    def __init__(self, figures: Callable[[], Mapping[str, int]]) -> None:
        self.figures = figures
        self._failures = 0
        self._failed_at = float("-inf")

    def problem(self) -> str:
        """What is wrong; empty for nothing."""
        failures = self.figures().get("failures", 0)
        if failures > self._failures:
            self._failures, self._failed_at = failures, time.monotonic()
        return "decisions cannot be logged" if time.monotonic() - self._failed_at < LOG_TROUBLE_SECONDS else ""


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
