"""The same application behind real servers: limits, bodies, waiting for 100-continue, and clients that leave."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from tests.servers.wire import Server, read_answer, request_of, until

SOAK = os.environ.get("DOORWARD_SOAK") == "1"
MIB = 2**20
SIZE = (1024 if SOAK else 24) * MIB
PIECE = bytes(range(256)) * 256


def pieces(size: int) -> Iterator[bytes]:
    return (PIECE for _ in range(size // len(PIECE)))


def digest(size: int) -> str:
    whole = hashlib.sha256()
    for piece in pieces(size):
        whole.update(piece)
    return whole.hexdigest()


def test_the_sixth_of_five_is_refused(server: Server) -> None:
    """Five requests are served, the sixth is 429 with Retry-After, and another client is served still."""
    client = server.client()
    assert [server.get("/limited", client).status for _ in range(5)] == [200] * 5
    refused = server.get("/limited", client)
    assert refused.status == 429
    assert 0 < int(str(refused.header("Retry-After"))) <= 600
    assert server.get("/limited", server.client()).status == 200


def test_a_refused_head_has_no_body(server: Server) -> None:
    """After the headers of a refused HEAD comes nothing; its Content-Length is that of the GET."""
    client = server.client()
    for _ in range(5):
        server.get("/limited", client)
    with server.connect() as connection:
        connection.sendall(request_of("/limited", f"X-Forwarded-For: {client}", method="HEAD"))
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 429")
    assert b"\r\ncontent-length: " in head.lower()
    assert body == b""


@pytest.mark.parametrize(
    ("target", "kind"), [("/hash", "application/octet-stream"), ("/hash-json", "application/json")]
)
def test_p6_a_large_body_streams_through(server: Server, target: str, kind: str) -> None:
    """P6: a body far over what rules hold arrives byte for byte, and the server's memory does not grow with it."""
    # Several, because each thread of a server takes memory of its own the first time that it holds a body.
    before = [sent(server, target, kind, 2 * MIB)["rss"] for _ in range(8)][-1]
    told = sent(server, target, kind, SIZE)
    assert (told["length"], told["sha256"]) == (SIZE, digest(SIZE))
    assert told["rss"] - before <= 5 * MIB


def sent(server: Server, target: str, kind: str, size: int) -> Any:
    """What the application tells of a body of ``size`` bytes."""

    def request() -> Iterator[bytes]:
        yield request_of(target, f"Content-Length: {size}", f"Content-Type: {kind}", method="POST")
        yield from pieces(size)

    answer = server.raw(request())
    assert answer is not None
    return answer.json()


def test_p6_a_chunked_body_streams_through(plain: Server) -> None:
    """P6: the same for a body without a length, in chunks of odd sizes."""
    body = PIECE * 40

    def chunks() -> Iterator[bytes]:
        yield request_of("/hash", "Transfer-Encoding: chunked", method="POST")
        for start in range(0, len(body), 50_001):
            piece = body[start : start + 50_001]
            yield b"%x\r\n" % len(piece) + piece + b"\r\n"
        yield b"0\r\n\r\n"

    answer = plain.raw(chunks())
    assert answer is not None
    assert answer.json()["sha256"] == hashlib.sha256(body).hexdigest()


def test_p7_a_refusal_by_headers_comes_before_100_continue(asking: Server) -> None:
    """P7: a client that waits for 100 Continue is told the final status without having been asked for its body."""
    client = asking.client()
    for _ in range(5):
        asking.get("/limited", client)
    lines = ["Expect: 100-continue", "Content-Length: 10", f"X-Forwarded-For: {client}"]
    with asking.connect() as connection:
        connection.sendall(request_of("/limited", *lines, method="POST"))
        assert connection.recv(12) == b"HTTP/1.1 429"


def test_p7_the_application_gets_its_100_continue(server: Server) -> None:
    """P7: an allowed client that waits for 100 Continue is asked for its body, and served."""
    with server.connect() as connection:
        lines = ["Expect: 100-continue", "Content-Length: 5", "Content-Type: text/plain"]
        connection.sendall(request_of("/hash", *lines, method="POST"))
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            interim += connection.recv(1)
        assert interim.startswith(b"HTTP/1.1 100")
        connection.sendall(b"hello")
        answer = read_answer(connection)
    assert answer is not None
    assert answer.json()["sha256"] == hashlib.sha256(b"hello").hexdigest()


def test_p17_clients_that_leave_in_the_middle_leave_nothing_behind(plain: Server) -> None:
    """P17: after many clients that hung up while being answered, tasks and open files are back where they were."""
    base = plain.state()
    for _ in range(500 if SOAK else 20):
        _leave_midway(plain, request_of("/slow"))
        _leave_midway(plain, request_of("/hash", "Content-Length: 100000", method="POST") + b"x" * 1000)

    def back() -> bool:
        now = plain.state()
        return now["tasks"] <= base["tasks"] and now["files"] <= base["files"] + 1

    until(back, f"{plain.state()} never came back to {base}")


def _leave_midway(server: Server, request: bytes) -> None:
    with server.connect() as connection:
        connection.sendall(request)
        if b"/slow" in request:
            connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_many_connections_at_once_are_counted_exactly(server: Server) -> None:
    """Twelve requests of one client that arrive together: five are served."""
    client = server.client()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(12)]
        for connection in connections:
            connection.sendall(request_of("/limited", f"X-Forwarded-For: {client}"))
        answers = []
        for connection in connections:
            answers.append(read_answer(connection))
            connection.close()  # gunicorn waits for it, for up to two seconds
    assert sorted(answer.status for answer in answers if answer) == [200] * 5 + [429] * 7
