"""A real server under load on loopback: how many requests a second are left behind doorward and behind each peer."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import apps
from benchmarks.common import ROOT, NotMeasured, Row, Table, environment, missing, peers_python, progress, run_python
from benchmarks.traffic import HEADERS, PATH, QUERY

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 16
MARGIN_OVER_SLOWAPI = 0.20
LEAST_UNDER_H11 = 0.80
URL = f"{PATH}?{QUERY}"
NAMES = (apps.SLIDING, apps.LIMIT_BOTS, apps.ASGI_RATELIMIT, apps.SLOWAPI)


class Server(NamedTuple):
    """An event loop and a parser of HTTP for uvicorn."""

    loop: str
    http: str


SERVERS = (Server("uvloop", "httptools"), Server("asyncio", "h11"))


class Load(NamedTuple):
    """What one server did under load. ``cpu_us`` is processor time of the server for each request."""

    rps: float
    p50_ms: float
    p99_ms: float
    bad: int
    cpu_us: float


@contextlib.contextmanager
def _serving(name: str, server: Server) -> Iterator[tuple[int, int]]:
    """A server of its own on a free port; its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--loop", server.loop, "--http", server.http]
    quiet = ["--log-level", "error", "--no-access-log"]
    command = [peers_python(), "-m", "uvicorn", "--factory", "benchmarks.apps:served", *options, *quiet]
    named = environment(BENCHMARK_APP=name)
    process = subprocess.Popen(command, cwd=ROOT, env=named, stderr=subprocess.PIPE, text=True)
    try:
        _await_port(process, port)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _await_port(process: subprocess.Popen[str], port: int) -> None:
    for _ in range(200):
        if process.poll() is not None:
            said = process.stderr.read() if process.stderr is not None else ""
            raise NotMeasured((said.strip().splitlines() or ["the server ended"])[-1][:160])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise NotMeasured("the server did not start")


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wrk(port: int, seconds: float) -> dict[str, Any]:
    headers = [word for name, value in HEADERS for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency", *headers]
    out = subprocess.run([*command, f"http://127.0.0.1:{port}{URL}"], capture_output=True, text=True, check=True).stdout
    rate, bad = re.search(r"Requests/sec:\s+([\d.]+)", out), re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    if rate is None:
        raise NotMeasured("wrk gave no figures")
    in_ms = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    quantiles = {name: float(v) * in_ms[unit] for name, v, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", out)}
    latency = {"p50_ms": quantiles["50"], "p99_ms": quantiles["99"]}
    return {"rps": float(rate[1]), **latency, "bad": int(bad[1]) if bad else 0}


def _load(name: str, server: Server, seconds: float) -> Load:
    with _serving(name, server) as (port, pid):
        generate = _wrk if shutil.which("wrk") else _own_generator
        generate(port, 1)
        before, start = _processor_seconds(pid), time.perf_counter()
        found = generate(port, seconds)
        lasted = time.perf_counter() - start
        busy = (_processor_seconds(pid) - before) / lasted
        return Load(**found, cpu_us=busy / found["rps"] * 1e6)


def _own_generator(port: int, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = run_python(["-m", "benchmarks.load", str(port), str(CONNECTIONS), str(seconds)])
    return found


class Turn(NamedTuple):
    """A protected application, and the bare one just before and after it."""

    load: Load
    ratio: float
    cpu_ratio: float


def _turns(server: Server, seconds: float, repeats: int) -> dict[str, list[Turn] | NotMeasured]:
    turns: dict[str, list[Turn] | NotMeasured] = {}
    bare = _load("bare", server, seconds)
    for _ in range(repeats):
        for name in NAMES:
            progress(f"uvicorn, {server.loop}, {server.http}: {name}")
            try:
                found = _load(name, server, seconds)
            except NotMeasured as error:
                turns[name] = error
                continue
            after = _load("bare", server, seconds)
            turn = Turn(found, 2 * found.rps / (bare.rps + after.rps), 2 * found.cpu_us / (bare.cpu_us + after.cpu_us))
            known = turns.setdefault(name, [])
            if isinstance(known, list):
                known.append(turn)
            bare = after
    return turns


def _row(name: str, turns: list[Turn], least: float | None, server: Server) -> Row:
    rps, p99 = (statistics.median(values) for values in zip(*((t.load.rps, t.load.p99_ms) for t in turns), strict=True))
    ratio, cpu = statistics.median(t.ratio for t in turns), statistics.median(t.cpu_ratio for t in turns)
    cells = [name, f"{rps:,.0f}", f"{ratio:.2f}", f"{cpu:.2f}", f"{p99:.1f}"]
    bad = sum(turn.load.bad for turn in turns)
    numbers = {"rps": rps, "ratio": ratio, "cpu_ratio": cpu, "p99_ms": p99, "bad": bad}
    if bad:
        return Row([name, f"not measured: {bad} answers other than 200"], numbers)
    if least is None or not name.startswith("doorward"):
        return Row(cells, numbers)
    reason = "" if server.http == "h11" else " (slowapi's + 0.20)"
    return Row(cells, numbers, f"≥ {least:.2f}{reason}", ratio >= least)


def _table(server: Server, *, quick: bool) -> Table:
    title = f"uvicorn ({server.loop}, {server.http}), {CONNECTIONS} connections"
    generator = "wrk" if shutil.which("wrk") else "the load generator in load.py"
    note = (
        f"One worker, one limit in memory, GET with 12 browser headers on loopback, load from {generator}. Ratios are "
        "to the bare application just before and after. The budget is for a limit and bot rules together; a limit "
        "alone has the same."
    )
    columns = ("", "requests/s", "of bare", "processor time, times bare", "p99 ms")
    try:
        turns = _turns(server, seconds=2 if quick else 3, repeats=1 if quick else 2)
    except NotMeasured as error:
        return Table(title, note, columns, [missing("bare", error)])
    least: float | None = LEAST_UNDER_H11
    if server.http != "h11":
        slow = turns[apps.SLOWAPI]
        least = statistics.median(t.ratio for t in slow) + MARGIN_OVER_SLOWAPI if isinstance(slow, list) else None
    rows = [missing(name, found) if isinstance(found, NotMeasured) else _row(name, found, least, server)
            for name, found in turns.items()]  # fmt: skip
    return Table(title, note, columns, rows)


def tables(*, quick: bool) -> list[Table]:
    """One for each pair of event loop and parser."""
    return [_table(server, quick=quick) for server in SERVERS]
