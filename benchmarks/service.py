"""What it costs to have a decision service decide, beside the same rules decided in the application.

``python -m benchmarks --only service``: one process with the service and a bare Starlette handler, one with everything
that asks, in turns and over loopback.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks import evaluator
from benchmarks.common import (
    ROOT,
    NotMeasured,
    Row,
    Sample,
    Table,
    blocking,
    environment,
    in_fresh_process,
    interleave,
    missing,
    prepared,
    progress,
    quietest,
)
from doorward import AsyncDoorward, Doorward, detect_bot, sliding_window, validate_email
from doorward.service.client.http_transport import HttpTransport
from doorward.service.client.transport import Call as Post
from doorward.service.procedures import DECIDE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from benchmarks.common import Call

OPEN_BUDGET, REMEMBERED_BUDGET = 1_000.0, 5.0
CLIENTS = 1_000
SECONDS = 5.0
SITES = {"dw_real": "shop", "dw_canned": "canned"}
"""Keys; the service's endpoint gives the second one an answer that is ready, whatever it asks."""
CANNED = {"decision": {"id": "req_01hzzzzzzzzzzzzzzzzzzzzzzz", "conclusion": "CONCLUSION_ALLOW"}}
HEADERS = [(name.encode(), value.encode()) for name, value in evaluator.HEADERS.items()]
LIMIT = [sliding_window(max=evaluator.MANY, interval=60)]
SETS = {
    "one limit": LIMIT,
    "sign-up": [*LIMIT, detect_bot(allow=[]), validate_email(deny=["DISPOSABLE", "INVALID"])],
}
COLUMNS = ("", "p50 µs", "p99 µs", "times bare", "more than local µs")
NOTE = (
    "Medians over loopback, all in turns in one run; each request is new, of 1,000 clients. Bare: a Starlette handler "
    "that reads the same bytes and answers JSON, asked by the same HTTP client. Sign-up: a limit, bots, and an e-mail "
    "address without DNS. Refusals are one process's own."
)


# --- the service


def serve(server: str, descriptor: int) -> None:
    """The real service, on an open socket, with a bare handler beside it."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from doorward.service.server import launch
    from doorward.service.server.application import create_app
    from doorward.service.server.parts import open_parts
    from doorward.service.server.ports import Site
    from doorward.service.server.settings import ServiceSettings

    async def bare(request: Any) -> Any:
        await request.body()
        return JSONResponse(CANNED)

    def parts(settings: ServiceSettings) -> Any:
        real = open_parts(settings)
        decide = real.evaluator.decide

        async def or_canned(site: Site, *question: Any) -> dict[str, Any]:
            return CANNED if site.name == "canned" else await decide(site, *question)

        real.evaluator.decide = or_canned  # type: ignore[method-assign]
        keys = type("Keys", (), {"find": lambda _, token: Site(SITES[token], token)})()
        return replace(real, keys=keys, routes=[*real.routes, Route("/bare", bare, methods=["POST"])])

    launch.server_name = lambda: server
    settings = ServiceSettings(folder=tempfile.mkdtemp(), store="memory://", pages=False)
    launch.run(create_app(settings, parts), socket.socket(fileno=descriptor), settings)


@contextmanager
def serving(server: str) -> Iterator[str]:
    """The URL of such a service in a process of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        command = [sys.executable, "-m", "benchmarks.service", server, str(listener.fileno())]
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), pass_fds=[listener.fileno()])
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            process.terminate()
            process.wait(30)


def nowhere() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


# --- who asks


def scope(number: int) -> dict[str, Any]:
    """A new request."""
    address = f"198.18.{number % CLIENTS // 250}.{number % 250}"
    return {
        "type": "http", "method": "GET", "scheme": "http", "path": "/signup", "root_path": "", "query_string": b"a=1",
        "headers": HEADERS, "client": (address, 50_000), "server": ("shop.example", 80), "http_version": "1.1",
    }  # fmt: skip


def awaited(ask: Callable[[dict[str, Any]], Awaitable[object]]) -> Call:
    """Time an answer about a new request."""

    async def call(number: int) -> int:
        request = scope(number)
        start = time.perf_counter_ns()
        await ask(request)
        return time.perf_counter_ns() - start

    return call


def posts(url: str) -> dict[str, Call]:
    """Bytes there and back by doorward's HTTP client, and no more: to the bare handler, and to the endpoint."""
    body = json.dumps({"client": "benchmark", "details": evaluator.details(1), "rules": evaluator.WIRE["one limit"]})
    calls: dict[str, Call] = {}
    for name, path, key in (("bare", "/bare", "dw_canned"), ("endpoint", DECIDE, "dw_canned")):
        transport, post = HttpTransport(url, key), Post(path, body.encode(), SECONDS)
        calls[f"{name}, sync"] = blocking(partial(_posted, transport, post))
        calls[f"{name}, async"] = awaited(partial(_aposted, transport, post))
    return calls


def _posted(transport: HttpTransport, post: Post, _: object) -> None:
    assert transport.send(post).status == 200


async def _aposted(transport: HttpTransport, post: Post, _: object) -> None:
    assert (await transport.asend(post)).status == 200


def decisions(rules: str, suffix: str, **options: Any) -> dict[str, Call]:
    """``protect``, sync and async."""
    email = {"email": "someone@shop.example"} if rules == "sign-up" else {}
    options = {"proxies": (), "timeout": SECONDS, **options}
    client, aclient = Doorward(SETS[rules], **options), AsyncDoorward(SETS[rules], **options)
    return {
        f"{rules}, sync, {suffix}": prepared(scope, lambda request: client.protect(request, **email)),
        f"{rules}, async, {suffix}": awaited(lambda request: aclient.protect(request, **email)),
    }


def refusals(url: str) -> dict[str, Call]:
    """``protect`` where the service has refused the same client before."""
    client = Doorward([sliding_window(max=1, interval=86_400)], service=url, key="dw_real", proxies=(), timeout=SECONDS)
    decisions = [client.protect(scope(1)) for _ in range(2)]
    assert [decision.is_denied() for decision in decisions] == [False, True]
    aclient = client.as_async()
    own = lambda _: scope(1)  # noqa: E731
    return {
        "remembered, sync": prepared(own, client.protect),
        "remembered, async": lambda _: awaited(aclient.protect)(1),
    }


def decider(rules: str) -> Call:
    """The service's part without HTTP."""
    from doorward.service.messages import DecideRequest
    from doorward.service.server.evaluation import Evaluator

    service = Evaluator("memory://", evaluator.Nowhere())
    wire = evaluator.WIRE[rules]
    ready = [
        DecideRequest.model_validate({"details": evaluator.details(number), "rules": wire, "client": "benchmark"})
        for number in range(CLIENTS)
    ]

    async def call(number: int) -> int:
        question = ready[number % CLIENTS]
        start = time.perf_counter_ns()
        await service.decide(evaluator.SITE, question, SECONDS)
        return time.perf_counter_ns() - start

    return call


# --- measured


async def _measured(url: str, rounds: int) -> dict[str, Sample]:
    calls = posts(url)
    for rules in SETS:
        calls |= decisions(rules, "local")
        calls |= decisions(rules, "service", service=url, key="dw_real")
        calls |= decisions(rules, "breaker open", service=nowhere(), key="dw_real")
    calls["decide"] = decider("one limit")
    calls |= refusals(url)
    return await interleave(calls, rounds=rounds, batch=50, most_seconds=120, warm_up=100)


def measure(url: str, rounds: int) -> dict[str, Sample]:
    """Everything in turns, in this process."""
    logging.disable(logging.CRITICAL)
    return asyncio.run(_measured(url, rounds))


def _row(name: str, found: Sample, bare: Sample | None, local: Sample | None, budget: float | None = None) -> Row:
    added = found.p50 - local.p50 if local is not None else None
    cells = [name, f"{found.p50:,.1f}", f"{found.p99:,.0f}", f"{found.p50 / bare.p50:.2f}" if bare else "",
             f"{added:+,.0f}" if added is not None else ""]  # fmt: skip
    numbers = {"us": found.p50, "p99_us": found.p99, "added_us": added}
    if budget is None:
        return Row(cells, numbers)
    figure = found.p50 if added is None else added
    return Row(cells, numbers, f"≤ {budget:,.0f} µs", figure <= budget)


def _rows(found: dict[str, Sample]) -> Iterator[Row]:
    for way in ("sync", "async"):
        bare = found[f"bare, {way}"]
        yield _row(f"bare handler, {way}", bare, bare, None)
        yield _row(f"Decide's endpoint, answer ready, {way}", found[f"endpoint, {way}"], bare, None)
        for rules in SETS:
            local, asked, away = [found[f"{rules}, {way}, {where}"] for where in ("local", "service", "breaker open")]
            yield _row(f"{rules}, decided here, {way}", local, None, None)
            yield _row(f"{rules}, asked of the service, {way}", asked, bare, local)
            yield _row(f"{rules}, the service given up, {way}", away, None, local, OPEN_BUDGET)
        yield _row(f"a remembered refusal, {way}", found[f"remembered, {way}"], None, None, REMEMBERED_BUDGET)
    yield _row("in the service, without HTTP: one limit", found["decide"], None, found["one limit, async, local"])


def _table(server: str, rounds: int, repeats: int) -> Table:
    title = f"The decision service, on {server}"
    try:
        with serving(server) as url:
            runs = [in_fresh_process(measure, url=url, rounds=rounds) for _ in range(repeats)]
    except NotMeasured as error:
        return Table(title, NOTE, COLUMNS, [missing(server, error)])
    found = {name: Sample(*values) for name, values in quietest(runs, "bare, sync").items()}
    return Table(title, NOTE, COLUMNS, list(_rows(found)))


def tables(*, quick: bool) -> list[Table]:
    """One table for each server; only the preferred one where it has to be quick."""
    servers: Sequence[str] = ("hypercorn",) if quick else ("hypercorn", "uvicorn")
    found = []
    for server in servers:
        progress(f"service, {server}")
        found.append(_table(server, rounds=8 if quick else 30, repeats=1 if quick else 3))
    return found


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
