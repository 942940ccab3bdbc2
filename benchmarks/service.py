"""What the service's endpoint adds to a bare Starlette handler, over loopback and in the same run.

``python -m benchmarks.service``: one server process with both, one kept connection to each, called in turns. The
evaluator is a double, so that what is measured is the endpoint: the key, the head, the body, the message, the answer.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Any

from benchmarks.common import ROOT, Call, Sample, environment, interleave

ROUNDS = 40
PATH = "/proto.decide.v1alpha1.DecideService/Decide"
KEY = "dw_right_key"
DETAILS = {
    "ip": "203.0.113.9", "method": "POST", "protocol": "http", "host": "shop.example", "path": "/signup",
    "headers": {f"x-header-{number}": "a value of the usual length" for number in range(12)},
    "email": "somebody@mail.example",
}  # fmt: skip
RULES = [
    {"rateLimit": {"mode": "MODE_LIVE", "algorithm": "RATE_LIMIT_ALGORITHM_SLIDING_WINDOW", "max": 5, "interval": 600}},
    {"botV2": {"mode": "MODE_LIVE", "deny": ["CATEGORY:AI"]}},
    {"email": {"mode": "MODE_LIVE", "deny": ["EMAIL_TYPE_DISPOSABLE", "EMAIL_TYPE_INVALID"]}},
    {"shield": {"mode": "MODE_LIVE"}},
]
BODY = json.dumps({"sdkStack": "SDK_STACK_PYTHON", "details": DETAILS, "rules": RULES}).encode()


def serve(descriptor: int) -> None:
    """Both handlers, on an open socket."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from doorward.service.server.application import create_app
    from doorward.service.server.launch import run
    from doorward.service.server.parts import Parts
    from doorward.service.server.ports import Site
    from doorward.service.server.settings import ServiceSettings
    from doorward.stores import MemoryStore

    answer = {"decision": {"id": "req_01hzzzzzzzzzzzzzzzzzzzzzzz", "conclusion": "CONCLUSION_ALLOW"}}

    class Double:
        def find(self, token: str) -> Site | None:
            return Site("shop", "k1") if token == KEY else None

        async def decide(self, *_: Any) -> dict[str, Any]:
            return answer

        report = decide

    async def bare(request: Any) -> Any:
        await request.body()
        return JSONResponse(answer)

    settings = ServiceSettings(folder=tempfile.mkdtemp(), store="memory://")
    double = Double()
    parts = Parts(keys=double, evaluator=double, store=MemoryStore(), routes=[Route("/bare", bare, methods=["POST"])])
    run(create_app(settings, lambda _: parts), socket.socket(fileno=descriptor), settings)


def caller(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> Call:
    """POST the body to a path, over one connection, with as little of a client as possible."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: service.example\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {KEY}\r\nContent-Length: {len(BODY)}\r\n\r\n"
    ).encode()

    async def call(_number: int) -> int:
        start = time.perf_counter_ns()
        writer.write(head + BODY)
        answered = await reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if b" 200 " not in answered[:15]:
            raise RuntimeError(answered.decode("latin-1"))
        return time.perf_counter_ns() - start

    return call


async def measure(port: int) -> dict[str, Sample]:
    """Both, in turns."""
    calls: dict[str, Call] = {}
    writers = []
    for name, path in (("bare", "/bare"), ("decide", PATH)):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        calls[name] = caller(reader, writer, path)
    try:
        return await interleave(calls, rounds=ROUNDS, most_seconds=60)
    finally:
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def main() -> None:
    """Print the figures."""
    for server in ("hypercorn", "uvicorn"):
        with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
            command = [sys.executable, "-m", "benchmarks.service", server, str(listener.fileno())]
            process = subprocess.Popen(command, cwd=ROOT, env=environment(), pass_fds=[listener.fileno()])
            try:
                found = asyncio.run(measure(listener.getsockname()[1]))
            finally:
                process.terminate()
                process.wait(30)
        bare, decide = found["bare"], found["decide"]
        print(
            f"{server}: bare {bare.p50:.0f} us (p99 {bare.p99:.0f}), Decide {decide.p50:.0f} us (p99 {decide.p99:.0f}):"
            f" +{decide.p50 - bare.p50:.0f} us, {decide.p50 / bare.p50:.2f} times;"
            f" {len(BODY)} bytes, {decide.calls} calls each"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from doorward.service.server import launch

        launch.server_name = lambda: sys.argv[1]
        serve(int(sys.argv[2]))
    else:
        main()
