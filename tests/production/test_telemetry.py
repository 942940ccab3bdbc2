"""Figures and spans, as the SDK of OpenTelemetry exports them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.unit.walking import request

from doorward import Decision, Doorward, fixed_window, telemetry
from doorward.errors import ConfigurationError
from doorward.testing import FakeClock


class Told:
    """An SDK that keeps what it is told."""

    def __init__(self) -> None:
        self.reader, self.spans = InMemoryMetricReader(), InMemorySpanExporter()
        self.meters = MeterProvider([self.reader], shutdown_on_exit=False)
        self.traces = TracerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracer = self.traces.get_tracer("tests")

    def figures(self) -> dict[tuple[str, frozenset[tuple[str, object]]], float]:
        data = self.reader.get_metrics_data()
        scopes = [scope for of in (data.resource_metrics if data else []) for scope in of.scope_metrics]
        return {
            (metric.name, frozenset(point.attributes.items())): point.value
            for scope in scopes for metric in scope.metrics for point in metric.data.data_points
        }  # fmt: skip


@pytest.fixture
def told() -> Told:
    return Told()


def client(**options: object) -> Doorward:
    rules = [fixed_window(max=1, window="1h", mode="DRY_RUN", name="new"), fixed_window(max=2, window="1h", name="old")]
    return Doorward(rules, clock=FakeClock(), **options)


def figure(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, object]]]:
    given = {f"doorward.{label}": value for label, value in labels.items()}
    return f"doorward.{name}", frozenset({"doorward.client": "default", **given}.items())


def test_figures_are_observed(told: Told) -> None:
    """Those that Prometheus reads."""
    aj = client()
    telemetry.instrument(aj, told.meters)
    for _ in range(3):
        aj.protect(request())
    found = told.figures()
    assert found[figure("decisions", conclusion="DENY")] == 1
    assert found[figure("refusals", rule="old", action="deny")] == 1
    assert found[figure("dry_run_asked", rule="new")] == 3
    assert found[figure("dry_run_refusals", rule="new", action="deny")] == 2


def test_the_span_of_the_request_says_what_was_decided(told: Told) -> None:
    """Who objected, and who would have."""
    aj = client()
    telemetry.instrument(aj, told.meters)
    decisions = []
    for _ in range(3):
        with told.tracer.start_as_current_span("GET /"):
            decisions.append(aj.protect(request()))
    attributes = [dict(span.attributes) for span in told.spans.get_finished_spans()]
    common = [{"doorward.client": "default", "doorward.decision.id": decision.id} for decision in decisions]
    assert attributes == [
        {**common[0], "doorward.decision.conclusion": "ALLOW"},
        {**common[1], "doorward.decision.conclusion": "ALLOW", "doorward.decision.dry_run": "new"},
        {
            **common[2],
            "doorward.decision.conclusion": "DENY",
            "doorward.decision.rule": "old",
            "doorward.decision.reason": "RATE_LIMIT",
        },
    ]


def test_outside_of_a_span_a_decision_has_its_own_if_asked_for(told: Told) -> None:
    """A worker that nobody traces is not traced without being asked for."""
    aj = client()
    telemetry.instrument(aj, told.meters, told.traces)
    aj.protect(request())
    assert [span.name for span in told.spans.get_finished_spans()] == ["doorward.decision"]


def test_what_the_application_does_with_decisions_goes_on(told: Told) -> None:
    """Once for each, also where the client is instrumented twice."""
    seen: list[Decision] = []
    aj = client(on_decision=lambda decision, _: seen.append(decision))
    assert telemetry.instrument(aj, told.meters) is telemetry.instrument(aj, told.meters)
    decision = aj.protect(request())
    assert seen == [decision]


def test_closed_it_reports_nothing(told: Told) -> None:
    """And the application goes on."""
    aj = client()
    made = telemetry.instrument(aj, told.meters, told.traces)
    made.close()
    assert aj.protect(request()).is_allowed()
    assert not told.figures()
    assert not told.spans.get_finished_spans()


@pytest.mark.swallows_errors
def test_an_sdk_that_raises_does_not_reach_the_request(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted and logged as other internal errors are."""
    aj = client()
    telemetry.instrument(aj, told.meters, told.traces)
    monkeypatch.setattr(telemetry.Instrumentation, "_on_span", lambda *_: 1 / 0)
    assert aj.protect(request()).is_allowed()
    assert aj.health()["counts"]["error.telemetry: ZeroDivisionError"] == 1


def test_without_an_sdk_nothing_happens() -> None:
    """The API alone does nothing, at next to no cost."""
    code = (
        "from doorward import *; from doorward import telemetry;"
        "aj = Doorward([fixed_window(max=1, window='1h')]); telemetry.instrument(aj);"
        "print(aj.protect(RequestContext(method='GET', scheme='http', host='x', path='/', query='', headers=[],"
        "peer='203.0.113.9')).conclusion)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("ALLOW\n", "")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a bare ImportError."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'doorward\[otel\]'"):
        telemetry.instrument(client())


def test_what_is_no_client_is_refused() -> None:
    """With what is accepted."""
    with pytest.raises(ConfigurationError, match="must be a Doorward object, not str"):
        telemetry.instrument("aj")
