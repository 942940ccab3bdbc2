"""The figures of clients as Prometheus reads them, read by Prometheus' own parsers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
import pytest
import uvicorn
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from tests.unit.walking import Says, denies, raises, request

from doorward import AsyncDoorward, Doorward, fixed_window, metrics
from doorward.asgi import DoorwardMiddleware
from doorward.errors import ConfigurationError, StoreError
from doorward.stores import MemoryStore
from doorward.testing import FakeClock

PID = str(os.getpid())
PARSERS = {"text": parse_text, "openmetrics": parse_openmetrics}


def parsed(text: str, kind: str = "text") -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Value by name and labels; a series that occurs twice is an error."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in PARSERS[kind](text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def series(name: str, client: str = "default", **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"doorward_{name}", frozenset({**labels, "client": client, "pid": PID}.items())


def busy(**options: object) -> Doorward:
    """Three requests: two would have been denied by a dry-run rule, of which the last was denied by a live one."""
    rules = [
        fixed_window(max=1, window="1h", mode="DRY_RUN", name="new"),
        fixed_window(max=2, window="1h", name="old"),
    ]
    aj = Doorward(rules, clock=FakeClock(), **options)
    for _ in range(3):
        aj.protect(request())
    return aj


@pytest.mark.parametrize("kind", list(PARSERS))
def test_figures_are_what_happened(kind: str) -> None:
    """In both formats."""
    found = parsed(metrics.text(busy(), openmetrics=kind == "openmetrics"), kind)
    assert found[series("decisions_total", conclusion="ALLOW")] == 2
    assert found[series("decisions_total", conclusion="DENY")] == 1
    assert found[series("refusals_total", rule="old", action="deny")] == 1
    assert found[series("dry_run_asked_total", rule="new")] == 3
    assert found[series("dry_run_refusals_total", rule="new", action="deny")] == 2
    assert found[series("dry_run_refused_anyway_total", rule="new")] == 1
    assert found[series("rule_info", rule="new", mode="DRY_RUN")] == 1


@pytest.mark.parametrize("kind", list(PARSERS))
@pytest.mark.parametrize("name", ["a{b}", "rule, 'quoted'", "# HELP x", "le=1"], ids=["braces", "quotes", "hash", "le"])
def test_names_of_rules_are_escaped(kind: str, name: str) -> None:
    """Whatever the application calls its rules."""
    aj = Doorward([Says(does=denies, name=name)])
    aj.protect(request())
    found = parsed(metrics.text(aj, openmetrics=kind == "openmetrics"), kind)
    assert found[series("refusals_total", rule=name, action="deny")] == 1


def test_several_clients_are_told_apart_and_those_of_one_name_added_up() -> None:
    """A series that occurs twice would make a scrape fail."""
    found = parsed(metrics.text(busy(name="shop"), busy(name="shop"), busy(name="forum")))
    assert found[series("decisions_total", client="shop", conclusion="ALLOW")] == 4
    assert found[series("decisions_total", client="forum", conclusion="ALLOW")] == 2


def test_labels_of_errors_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error's text may be anything, and a store of figures dies of too many series."""
    aj = Doorward([Says(does=raises)])
    for n in range(1000):
        aj.runtime.journal.count(f'error.rule r{n}: ValueError: {n}\n"}} evil 1')
        aj.runtime.journal.count(f"error.rule same: ValueError: text {n}")
    found = parsed(metrics.text(aj))
    errors = {labels: value for (name, labels), value in found.items() if name == "doorward_errors_total"}
    assert len(errors) <= metrics.MOST_CAUSES + 1
    assert sum(errors.values()) == 2000
    assert found[series("errors_total", cause=metrics.OTHER, error=metrics.OTHER)] > 800


def test_a_rule_that_fails_is_counted_by_its_name_and_kind_of_error() -> None:
    """Not by the text."""
    aj = Doorward([Says(does=raises)])
    aj.protect(request())
    found = parsed(metrics.text(aj))
    assert found[series("errors_total", cause="rule says", error="RuntimeError")] == 1
    assert found[series("rule_errors_total", rule="says", mode="LIVE")] == 1


class Away(MemoryStore):
    def count(self, hits):
        raise StoreError("away")


def test_a_store_that_is_away_is_seen() -> None:
    """And what was decided without it."""
    aj = Doorward([fixed_window(max=1, window="1h")], store=Away(clock=FakeClock()), clock=FakeClock())
    assert parsed(metrics.text(aj))[series("store_up")] == 1
    aj.protect(request())
    found = parsed(metrics.text(aj))
    assert (found[series("store_up")], found[series("store_outages_total")]) == (0, 1)


def test_without_pid() -> None:
    """For those who run one process."""
    assert "pid=" not in metrics.text(busy(), pid=False)


@pytest.mark.parametrize(
    ("arguments", "options", "problem"),
    [((), {}, "one or several"), (("x",), {}, "not str"), ((Doorward(),), {"token": "é"}, "printable ASCII")],
    ids=["none", "no client", "token"],
)
def test_what_makes_no_sense_is_refused(arguments: tuple, options: dict, problem: str) -> None:
    """When the application is built."""
    with pytest.raises(ConfigurationError, match=problem):
        metrics.wsgi_app(*arguments, **options)


# --- over real servers


@contextmanager
def uvicorn_of(app: object, lifespan: str = "on") -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan=lifespan))
        ready = threading.Event()
        startup = server.startup

        async def started(*args: object, **options: object) -> None:
            await startup(*args, **options)
            ready.set()

        server.startup = started
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert ready.wait(20)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@contextmanager
def wsgiref_of(app: object) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(20)


SERVERS = {"asgi": (uvicorn_of, metrics.asgi_app), "wsgi": (wsgiref_of, metrics.wsgi_app)}


@pytest.mark.parametrize("kind", list(SERVERS))
def test_an_application_of_its_own(kind: str) -> None:
    """The format by Accept, HEAD without a body, no other method, and nothing without the token."""
    serve, make = SERVERS[kind]
    with serve(make(busy(), token="open-sesame")) as url, httpx.Client(base_url=url) as http:
        for wrong in ({}, {"authorization": "Bearer open-sesam"}, {"authorization": "Basic open-sesame"}):
            refused = http.get("/metrics", headers=wrong)
            assert (refused.status_code, "doorward_" in refused.text) == (401, False)
        http.headers["authorization"] = "Bearer open-sesame"
        plain = http.get("/metrics")
        assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert parsed(plain.text)[series("decisions_total", conclusion="ALLOW")] == 2
        wanted = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.3"
        other = http.get("/metrics", headers={"accept": wanted})
        assert other.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
        assert parsed(other.text, "openmetrics")[series("decisions_total", conclusion="ALLOW")] == 2
        head = http.head("/metrics")
        assert (head.status_code, head.content) == (200, b"")
        assert http.post("/metrics").status_code == 405


def test_beside_the_application_that_is_protected() -> None:
    """As it is mounted in Starlette and FastAPI: what is counted is what came."""
    aj = AsyncDoorward([fixed_window(max=2, window="1h", mode="DRY_RUN", name="new")])

    async def hello(_request: object) -> PlainTextResponse:
        return PlainTextResponse("hello")

    routes = [Route("/hello", hello), Mount("/metrics", metrics.asgi_app(aj))]
    app = DoorwardMiddleware(Starlette(routes=routes), aj, exclude=["/metrics/*"])
    with uvicorn_of(app) as url, httpx.Client(base_url=url) as http:
        assert [http.get("/hello").status_code for _ in range(5)] == [200] * 5
        found = parsed(http.get("/metrics/").text)
    assert found[series("dry_run_asked_total", rule="new")] == 5
    assert found[series("dry_run_refusals_total", rule="new", action="deny")] == 3
