"""What an operator gets to see: counters, one log record a decision, warnings that do not flood."""

from __future__ import annotations

import ipaddress
import logging
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from doorward.decision import Conclusion, State
from doorward.locks import lock_over_forks
from doorward.log_fields import as_text
from doorward.printable import describe, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from doorward.clock import Clock
    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.progress import Progress
    from doorward.tallies import Told

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
MOST_CAUSES = 256
MOST_CHANGES = 10
MOST_SUMMED_UP = 100
"""Rules in a summary of the log; figures of more are in ``stats()``."""
_LONGEST_WHY = 200
_LONGEST_LIST = 600

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
        self._began = _now_ns(clock)
        self._summed_up = 0
        self._next_summary: int | None = None
        from doorward.tallies import Tallies, iso, uncounted  # with the first client, not with doorward

        self.tallies = Tallies()
        self.told: Callable[[Progress], list[Told]] = uncounted
        self._iso = iso
        _journals.add(self)

    def forget(self) -> None:
        """Begin anew, in a process that was just forked: what its parent counted is the parent's."""
        self._counts.clear()
        self._decisions = dict.fromkeys(Conclusion, 0)
        self.tallies.forget()
        self._began, self._summed_up, self._next_summary = _now_ns(self._clock), 0, None

    def count(self, what: str) -> None:
        """Add one to a counter."""
        with self._lock:
            self._counts[what] += 1

    def counts(self) -> dict[str, int]:
        """All counters: ``decision.DENY``, ``dry_run.<rule>``, ``error.<cause>``, ``exempt.<why>`` and so on."""
        return {**self.own_counts(), **self.tallies.counts()}

    def own_counts(self) -> dict[str, int]:
        """All but those of rules."""
        with self._lock:
            decisions = {f"decision.{name.value}": count for name, count in self._decisions.items() if count}
            return {**decisions, **self._counts}

    def decision(
        self, request: RequestContext, decision: Decision, *, noteworthy: bool, told: Sequence[Told] = ()
    ) -> None:
        """Count a decision, and log it as one record.

        It is a warning where something failed, at most once a minute each; and where decisions are not logged, but a
        dry-run rule would have refused: some of those, up to ten a minute for each rule, while all are counted.

        Args:
            request: The request.
            decision: The decision.
            noteworthy: Whether something failed or was replaced.
            told: What rules have come to and is not counted yet.
        """
        with self._lock:
            self._decisions[decision.conclusion] += 1
        if decision.dry_run:
            self.count(f"dry_run.{decision.dry_run}")
        would = self.tallies.add(request, decision, told, self.shown) if told else ()
        level = logging.INFO
        if noteworthy and any([self._due(cause) for cause in _causes(decision)]):
            level = logging.WARNING
        logs = self._logger.isEnabledFor(level)
        if would and not logs and any([self._paced(f"would_deny.{each.rule}") for each in would]):
            level, logs = logging.WARNING, self._logger.isEnabledFor(logging.WARNING)
        if logs:
            fields = self._fields(request, decision, would)
            self._log(level, "doorward decision %s", as_text(fields), extra={"doorward": fields})
        if logs or told:
            self._sum_up_in_time(decision.now_ns)

    def shown(self, address: str) -> str:
        """An address as the log may show it."""
        return masked(address) if self._mask else address

    def _sum_up_in_time(self, now_ns: int) -> None:
        """Log a summary a minute; where decisions are not logged, one an hour, unless there is something new to say."""
        due = self._next_summary
        if due is None or due - now_ns > HOUR_NS:  # at first, and when the clock has been put back
            self._next_summary = now_ns + MINUTE_NS
        elif now_ns >= due:
            figures = self.tallies.by_rule()
            new = _would_be(figures) > self._summed_up or now_ns - due >= HOUR_NS
            if new or self._logger.isEnabledFor(logging.INFO):
                self._sum_up(now_ns, figures)

    def close(self) -> None:
        """Say the figures once more, where there are any of dry runs: what came after the last summary is in it."""
        figures = self.tallies.by_rule()
        if any(["asked" in found for found in figures.values()]) and self._logger.isEnabledFor(logging.WARNING):
            self._sum_up(_now_ns(self._clock), figures)

    def _sum_up(self, now_ns: int, figures: dict[str, dict[str, int]]) -> None:
        """Log what was decided since the start: a log that does not hold each decision tells of how many by it."""
        self._next_summary, self._summed_up = now_ns + MINUTE_NS, _would_be(figures)
        fields = self._summary(now_ns, figures)
        level = logging.INFO if self._logger.isEnabledFor(logging.INFO) else logging.WARNING
        self._log(level, "doorward summary %s", as_text(fields), extra={"doorward": fields})

    def _summary(self, at_ns: int, figures: dict[str, dict[str, int]]) -> dict[str, Any]:
        with self._lock:
            decisions = {f"decision.{name.value}": count for name, count in self._decisions.items() if count}
        rules = list(figures.items())[:MOST_SUMMED_UP]
        return {
            "client": self._client,
            "process": os.getpid(),
            "since": self._iso(self._began),
            "until": self._iso(at_ns),
            **decisions,
            **{f"rule.{name}.{what}": count for name, found in rules for what, count in found.items()},
        }

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
        self.count(cause)
        return self._paced(cause)

    def _paced(self, cause: str) -> bool:
        """Whether something was logged less than :data:`MOST_CHANGES` times in the minute that runs."""
        now = self._clock.now_ns()
        with self._lock:
            if cause not in self._changes and len(self._changes) >= MOST_CAUSES:
                cause = "other"
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

    def _fields(self, request: RequestContext, decision: Decision, would: Sequence[Told]) -> dict[str, Any]:
        # Never the query, headers, cookies or body: that is where secrets are.
        return {
            "client": self._client,
            "id": decision.id,
            "conclusion": decision.conclusion.value,
            "status": decision.status,
            "rule": decider(decision),
            "reason": decision.reason.type,
            "why": printable(decision.reason.explain(), _LONGEST_WHY),
            "ip": self.shown(decision.ip.address),
            "method": printable(request.method, 20),
            "path": printable(request.path),
            "dry_run": decision.dry_run or "",
            "would_deny": _would_deny(would),
            "failed": _failed(decision),
        }


def _now_ns(clock: Clock) -> int:
    """The time, also where a clock of the application's fails."""
    try:
        return clock.now_ns()
    except Exception:
        return time.time_ns()


def masked(address: str) -> str:
    """The network part of an address: /24 of IPv4, /48 of IPv6."""
    if not address:
        return ""
    prefix = 48 if ":" in address else 24
    return str(ipaddress.ip_network(f"{address}/{prefix}", strict=False))


def _would_be(figures: dict[str, dict[str, int]]) -> int:
    """Refusals that dry-run rules would have made."""
    return sum([found.get("would_deny", 0) + found.get("would_challenge", 0) for found in figures.values()])


def decider(decision: Decision) -> str:
    """The rule that decided; empty where none objected."""
    if decision.conclusion is Conclusion.ALLOW:
        return ""
    reason = decision.reason
    deciding = [r.rule for r in decision.results if r.decides and r.reason is reason]
    return printable(deciding[0] if deciding else getattr(reason, "rule", ""), 100)


def _would_deny(would: Sequence[Told]) -> str:
    """``rule: why | rule: why``: what separates is written otherwise within, so that a reader can take it apart."""
    parts = [f"{each.rule.replace(':', _COLON).replace('|', _BAR)}: {each.why.replace('|', _BAR)}" for each in would]
    whole = [part for n, part in enumerate(parts) if sum(map(len, parts[: n + 1])) <= _LONGEST_LIST]
    return " | ".join(whole)


_COLON, _BAR = "\\x3a", "\\x7c"


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


def _located(error: BaseException) -> str:
    """An exception and the line that raised it, in one line: a traceback would be many."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return describe(error)
    code = trace.tb_frame.f_code
    return f"{describe(error)} (in {code.co_qualname}, line {trace.tb_lineno})"


_journals: WeakSet[Journal] = WeakSet()


def _forget_parents() -> None:
    for journal in _journals:
        journal.forget()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forget_parents)

__all__ = ["Journal", "decider", "masked", "observers"]
