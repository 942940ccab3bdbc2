"""What an operator gets to see: counters, one log record a decision, warnings that do not flood."""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from doorward.decision import Conclusion, State
from doorward.locks import lock_over_forks
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from doorward.clock import Clock
    from doorward.context import RequestContext
    from doorward.decision import Decision

MINUTE_NS = 60_000_000_000
MOST_CAUSES = 256
MOST_CHANGES = 10
_LONGEST_WHY = 200

observers: list[Callable[[str, BaseException], None]] = []
"""Called with every internal error that is swallowed. Empty but in tests: see ``doorward.testing``."""


class Journal:
    """Counts and logs for one client.

    Args:
        logger: Where records go.
        client: The client's name.
        clock: For the pace of warnings.
        mask_addresses: Log only the network part of addresses.
    """

    def __init__(self, logger: logging.Logger, client: str, clock: Clock, *, mask_addresses: bool) -> None:
        self._logger = logger
        self._client = client
        self._clock = clock
        self._mask = mask_addresses
        self._lock = lock_over_forks()
        self._counts: Counter[str] = Counter()
        self._warned: dict[str, int] = {}
        self._changes: dict[str, tuple[int, int]] = {}
        self._decisions = dict.fromkeys(Conclusion, 0)

    def count(self, what: str) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> dict[str, int]:
        """All counters: ``decision.DENY``, ``dry_run.<rule>``, ``error.<cause>``, ``exempt.<why>`` and so on."""
        with self._lock:
            decisions = {f"decision.{name.value}": count for name, count in self._decisions.items() if count}
            return {**decisions, **self._counts}

    def decision(self, request: RequestContext, decision: Decision, *, noteworthy: bool) -> None:
        """Count a decision, and log it as one record: a warning where something failed, at most once a minute each."""
        with self._lock:
            self._decisions[decision.conclusion] += 1
        if decision.dry_run:
            self.count(f"dry_run.{decision.dry_run}")
        level = logging.INFO
        if noteworthy and any([self._due(cause) for cause in _causes(decision)]):
            level = logging.WARNING
        if self._logger.isEnabledFor(level):
            fields = self._fields(request, decision)
            text = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items())
            self._log(level, "doorward decision %s", text, extra={"doorward": fields})

    def swallowed(self, where: str, error: BaseException) -> None:
        """An internal error that is kept from the application."""
        for observer in observers:
            observer(where, error)
        cause = f"error.{where}: {type(error).__name__}"
        if self._due(cause):
            self._log(logging.ERROR, "doorward %s failed, the request goes on: %s", where, _located(error))

    def warn(self, cause: str, message: str) -> None:
        """A warning, once a minute for each cause."""
        if self._due(f"warning.{cause}"):
            self._log(logging.WARNING, "doorward %s: %s", self._client, printable(message, 500))

    def change(self, what: str, message: str) -> None:
        """A warning that something changed: each time, but no more than ten a minute of what goes up and down."""
        if self._few(f"change.{what}"):
            self._log(logging.WARNING, "doorward %s: %s", self._client, printable(message, 500))

    def _few(self, cause: str) -> bool:
        """Count a cause; whether it was logged less than :data:`MOST_CHANGES` times in the minute that runs."""
        now = self._clock.now_ns()
        with self._lock:
            self._counts[cause] += 1
            began, times = self._changes.get(cause, (now, 0))
            if not 0 <= now - began < MINUTE_NS:
                began, times = now, 0
            self._changes[cause] = began, times + 1
            return times < MOST_CHANGES

    def _log(self, level: int, message: str, *arguments: object, **options: Any) -> None:
        try:
            self._logger.log(level, message, *arguments, **options)
        except Exception:
            self.count("error.logger")  # a filter or handler of the application's; there is nowhere left to say so

    def _due(self, cause: str) -> bool:
        """Count a cause; whether it is time to log it again."""
        now = self._clock.now_ns()
        with self._lock:
            if cause not in self._warned and len(self._warned) >= MOST_CAUSES:
                cause = "other"
            self._counts[cause] += 1
            last = self._warned.get(cause)
            if last is not None and 0 <= now - last < MINUTE_NS:
                return False
            self._warned[cause] = now
            return True

    def _fields(self, request: RequestContext, decision: Decision) -> dict[str, Any]:
        # Never the query, headers, cookies or body: that is where secrets are.
        ip = decision.ip.address
        return {
            "client": self._client,
            "id": decision.id,
            "conclusion": decision.conclusion.value,
            "status": decision.status,
            "reason": decision.reason.type,
            "why": printable(decision.reason.explain(), _LONGEST_WHY),
            "ip": masked(ip) if self._mask else ip,
            "method": printable(request.method, 20),
            "path": printable(request.path),
            "dry_run": decision.dry_run or "",
            "failed": _failed(decision),
        }


def masked(address: str) -> str:
    """The network part of an address: /24 of IPv4, /48 of IPv6."""
    if not address:
        return ""
    prefix = 48 if ":" in address else 24
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def _causes(decision: Decision) -> list[str]:
    """What went wrong in a decision, by rule: the keys of warnings and counters."""
    causes = [
        f"error.rule {result.rule}: {printable(result.reason.explain(), 80)}"
        for result in decision.results
        if result.reason.is_error()
    ]
    notes = [f"note.rule {result.rule}: {result.note}" for result in decision.results if result.note]
    degraded = [f"degraded.rule {result.rule}" for result in decision.results if getattr(result.reason, "degraded", "")]
    return causes + notes + degraded


def _failed(decision: Decision) -> str:
    """The rules that failed or ran otherwise than configured, and why; empty as a rule."""
    failed = [
        f"{result.rule}: {result.note or result.reason.explain()}"
        for result in decision.results
        if result.state is not State.NOT_RUN
        and (result.note or result.reason.is_error() or getattr(result.reason, "degraded", ""))
    ]
    return printable("; ".join(failed), _LONGEST_WHY) if failed else ""


def _quoted(value: object) -> str:
    # Backslashes are escaped already, so that a quote that the client sent cannot end the field.
    text = str(value).replace('"', '\\"')
    return f'"{text}"' if " " in text or '"' in text or not text else text


def _located(error: BaseException) -> str:
    """An exception and the line that raised it, in one line: a traceback would be many."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return describe(error)
    code = trace.tb_frame.f_code
    return f"{describe(error)} (in {code.co_qualname}, line {trace.tb_lineno})"


__all__ = ["Journal", "masked", "observers"]
