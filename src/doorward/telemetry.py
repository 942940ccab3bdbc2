"""The figures of a client for OpenTelemetry, and what was decided as attributes of the span of the request.

::

    doorward.telemetry.instrument(aj)

Needs the extra ``otel`` (opentelemetry-api). Without an SDK that is set up, everything here does nothing.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from doorward import metrics
from doorward.errors import ConfigurationError
from doorward.facade import Facade
from doorward.journal import decider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from doorward.context import RequestContext
    from doorward.decision import Decision
    from doorward.runtime import Runtime
    from doorward.settings import OnDecision

PREFIX = "doorward."
_lock = Lock()
_instrumented: WeakKeyDictionary[Runtime, Instrumentation] = WeakKeyDictionary()


class Instrumentation:
    """What :func:`instrument` has set up; ``close`` takes it back."""

    def __init__(self, client: Facade, tracer: Any, trace: Any) -> None:
        self._client = ref(client)
        self._trace = trace
        self._tracer = tracer
        self._before: OnDecision | None = client.runtime.settings.on_decision
        self.closed = False

    def close(self) -> None:
        """Report nothing more. OpenTelemetry keeps the instruments; they have no samples from now on."""
        self.closed = True

    def observe(self, name: str, make: Callable[..., Any]) -> Iterator[Any]:
        """The samples of one instrument, for its callback."""
        client = self._client()
        if client is None or self.closed:
            return
        try:
            found = [each for each in metrics.figures(client) if each[0] == name]
        except Exception as error:
            client.runtime.journal.swallowed("telemetry", error)
            return
        for _, labels, value in found:
            attributes = {f"{PREFIX}{label}": text for label, text in labels}
            yield make(value, {f"{PREFIX}client": client.runtime.settings.name, **attributes})

    def decided(self, decision: Decision, request: RequestContext) -> None:
        """Say what was decided on the span of the request; then what the application does with each decision."""
        try:
            if not self.closed:
                self._on_span(decision)
        except Exception as error:
            client = self._client()
            if client is not None:
                client.runtime.journal.swallowed("telemetry", error)
        if self._before is not None:
            self._before(decision, request)

    def _on_span(self, decision: Decision) -> None:
        span = self._trace.get_current_span()
        if span.is_recording():
            self._describe(span, decision)
        elif self._tracer is not None:
            with self._tracer.start_as_current_span(f"{PREFIX}decision") as own:
                if own.is_recording():
                    self._describe(own, decision)

    def _describe(self, span: Any, decision: Decision) -> None:
        client = self._client()
        span.set_attribute(f"{PREFIX}client", client.runtime.settings.name if client is not None else "")
        span.set_attribute(f"{PREFIX}decision.id", decision.id)
        span.set_attribute(f"{PREFIX}decision.conclusion", decision.conclusion.value)
        if rule := decider(decision):
            span.set_attribute(f"{PREFIX}decision.rule", rule)
            span.set_attribute(f"{PREFIX}decision.reason", decision.reason.type)
        if decision.dry_run:
            span.set_attribute(f"{PREFIX}decision.dry_run", decision.dry_run)


def instrument(client: object, meter_provider: Any = None, tracer_provider: Any = None) -> Instrumentation:
    """Report a client's figures, and say on the current span what was decided.

    Attributes of spans: ``doorward.client``, ``doorward.decision.id``, ``.conclusion``, ``.rule`` and ``.reason`` (who
    objected), ``.dry_run`` (the dry-run rule that would have decided). Instruments are observable counters and gauges
    of the figures in :data:`doorward.metrics.FAMILIES`. Asked for again, the first answer is given.

    Args:
        client: A Doorward object, or what an adapter makes of one.
        meter_provider: Whose meter is used; None takes the global one.
        tracer_provider: Where it is given, a decision that is made outside of any span has one of its own.

    Raises:
        ConfigurationError: opentelemetry-api is not installed, or ``client`` is none.
    """
    found = getattr(client, "client", client)
    if not isinstance(found, Facade):
        raise ConfigurationError("client", f"must be a Doorward object, not {type(client).__name__}")
    try:
        from opentelemetry import metrics as otel_metrics
        from opentelemetry import trace
    except ImportError:
        raise ConfigurationError("telemetry", "needs OpenTelemetry: pip install 'doorward[otel]'") from None
    runtime = found.runtime
    with _lock:
        if runtime in _instrumented and not _instrumented[runtime].closed:
            return _instrumented[runtime]
        tracer = tracer_provider.get_tracer("doorward") if tracer_provider is not None else None
        made = _instrumented[runtime] = Instrumentation(found, tracer, trace)
        runtime.settings = runtime.settings._replace(on_decision=made.decided)
    meter = otel_metrics.get_meter("doorward", meter_provider=meter_provider)
    for name, family in metrics.FAMILIES.items():
        create = meter.create_observable_counter if family.kind == "counter" else meter.create_observable_gauge
        callback = partial(_observed, made, name, otel_metrics.Observation)
        create(PREFIX + name, callbacks=[callback], description=family.about)
    return made


def _observed(made: Instrumentation, name: str, make: Callable[..., Any], _options: object) -> Iterable[Any]:
    return made.observe(name, make)


__all__ = ["Instrumentation", "instrument"]
