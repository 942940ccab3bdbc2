"""Whatever head and body come, the service answers a decision or a Connect error with a code, and says nothing back.

An input is header lines, an empty line, and the body; a line ``! gzip`` has the body compressed first. The answer is
the same when the body comes in pieces. The other parts of the service are doubles.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import tempfile
from typing import Any

from tests.fuzz.harness import fuzz, instrumented

with instrumented(__name__):
    from tests.service.app import doubles

    from doorward.service.server.connect import CODES
    from doorward.service.server.service import Method, Service
    from doorward.service.server.settings import ServiceSettings

PATH = "/proto.decide.v1alpha1.DecideService/"
KEY = f"Bearer {doubles.KEY}".encode()
SETTINGS = ServiceSettings(folder=tempfile.gettempdir(), store="memory://", body_limit=3000)
LOOP = asyncio.new_event_loop()
SERVICE = Service(SETTINGS, doubles.parts_of(SETTINGS))
METHODS = [Method(name, SERVICE) for name in ("Decide", "Report")]
FAILING = ("deadline_exceeded", "unimplemented", "unavailable")

Headers = list[tuple[bytes, bytes]]


def parsed(data: bytes) -> tuple[Headers, bytes]:
    head, _, body = data.partition(b"\n\n")
    lines = [line.partition(b":") for line in head.split(b"\n") if line]
    headers = [(name.strip().lower(), value.strip()) for name, _, value in lines if not name.startswith(b"!")]
    names = {name for name, _ in headers}
    usual = [(b"content-type", b"application/json"), (b"authorization", KEY)]
    # Scripted delays belong to other tests.
    body = body.replace(b"sleep", b"slept").replace(b"raise", b"risen")
    return (
        [*headers, *[pair for pair in usual if pair[0] not in names]],
        gzip.compress(body, mtime=0) if b"! gzip" in head else body,
    )


def asked(method: Method, headers: Headers, pieces: list[bytes]) -> tuple[int, bytes]:
    """One call, with its body in pieces: status and body of the answer."""
    left = list(pieces)
    sent: list[Any] = []

    async def receive() -> Any:
        if not left:
            return {"type": "http.disconnect"}
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "query_string": b"",
             "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http"}  # fmt: skip
    LOOP.run_until_complete(method(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"], sent
    return sent[0]["status"], sent[1]["body"]


def check_answer(status: int, answer: bytes, data: bytes) -> None:
    message = json.loads(answer)
    if status == 200:
        assert set(message) <= {"decision"}, message
        return
    assert set(message) == {"code", "message"}, message
    assert message["code"] in CODES, message
    assert status < 500 or message["code"] in FAILING, (message, data)
    assert len(message["message"]) < 300
    assert message["message"].isprintable()


def target(data: bytes) -> None:
    headers, body = parsed(data)
    for method in METHODS:
        SERVICE.callers._wrong.clear()  # an input must mean the same each time
        answer = asked(method, headers, [body])
        check_answer(*answer, data)
        # Time, and quotas, go on between two calls.
        if b"connect-timeout-ms" not in data.lower() and b"dw_few_key" not in data:
            middle = len(body) // 2
            assert asked(method, headers, [body[:middle], b"", body[middle:]]) == answer, "in pieces it is another"
    assert (SERVICE.bodies.held, SERVICE.in_work) == (0, 0)


if __name__ == "__main__":
    fuzz(target, "service")
