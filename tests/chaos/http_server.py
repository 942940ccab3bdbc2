"""An HTTP server that does to its clients what servers should not; what it does is changed while it runs."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

CERTIFICATE = Path(__file__).parents[1] / "data" / "loopback.pem"
HUGE = 200_000_000
DRIP_SECONDS = 0.2
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)

Mode = Callable[["Chaos", socket.socket, bytes], bool]
"""Answers one request over a connection; whether the connection takes another one."""


def reply(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    kind = (
        [] if any(each.lower().startswith("content-type") for each in headers) else ["Content-Type: application/json"]
    )
    lines = [f"HTTP/1.1 {status}", *kind, *headers, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(connection: socket.socket) -> bool:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def saying(answer: bytes, *, keep: bool = True) -> Mode:
    def say(server: Chaos, connection: socket.socket, body: bytes) -> bool:
        connection.sendall(answer)
        return keep

    return say


def echo(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(reply(body))
    return True


def late_echo(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    """Answers, after as long as the question says."""
    server.stopped.wait(json.loads(body)["after"])
    connection.sendall(reply(body))
    return True


def black_hole(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    server.stopped.wait()
    return False


def slow(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    server.stopped.wait(server.slowness)
    connection.sendall(reply(b"{}"))
    return True


def dripping(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    for byte in reply(b"{}"):
        if server.stopped.wait(DRIP_SECONDS):
            return False
        connection.sendall(bytes([byte]))
    server.finished += 1
    return True


def reset_at_once(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    return reset(connection)


def reset_in_head(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Ty")
    return reset(connection)


def reset_in_body(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(reply(b'{"deci', length=100))
    return reset(connection)


def huge(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(reply(b"", length=HUGE))
    return _pour(server, connection, b"x" * 65_536)


def huge_in_chunks(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    return _pour(server, connection, b"10000\r\n" + b"x" * 65_536 + b"\r\n")


def tiny_chunks(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    return _pour(server, connection, b"1\r\nx\r\n" * 10_000)


def endless_head(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    return _pour(server, connection, b"X-More: and more\r\n" * 4_000)


def endless_continue(server: Chaos, connection: socket.socket, body: bytes) -> bool:
    return _pour(server, connection, b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000)


def _pour(server: Chaos, connection: socket.socket, piece: bytes) -> bool:
    for _ in range(HUGE // len(piece)):
        connection.sendall(piece)
    server.finished += 1
    return False


_BOMB = gzip.compress(b'{"a":"' + b"x" * 20_000_000 + b'"}')

MODES: dict[str, Mode] = {
    "black hole": black_hole,
    "slow": slow,
    "dripping": dripping,
    "reset at once": reset_at_once,
    "reset in the head": reset_in_head,
    "reset in the body": reset_in_body,
    "closed without a word": lambda server, connection, body: False,
    "garbage": saying(bytes(range(256)) * 40, keep=False),
    "huge": huge,
    "huge in chunks": huge_in_chunks,
    "tiny chunks": tiny_chunks,
    "endless head": endless_head,
    "endless continue": endless_continue,
    "truncated JSON": saying(reply(b'{"decision":{"id":"req_')),
    "cut body": saying(reply(b'{"decision":{', length=500), keep=False),
    "status 500": saying(reply(b"<h1>Traceback</h1>", "Content-Type: text/html", status="500 Internal Server Error")),
    "status 429": saying(reply(b"{}", status="429 Too Many Requests")),
    "redirect": saying(reply(b"", "Location: /elsewhere", status="307 Temporary Redirect")),
    "wrong schema": saying(reply(b"[1, 2, 3]")),
    "wrong content type": saying(reply(b"{}", "Content-Type: text/html")),
    "no content type": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
    "deep JSON": saying(reply(b"[" * 100_000)),
    "no UTF-8": saying(reply(b'{"a":"\xff\xfe"}')),
    "gzip bomb": saying(reply(_BOMB, "Content-Encoding: gzip")),
    "gzip as transfer": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    "two lengths": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    "switched protocol": saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
}


class Chaos:
    """Serves ``mode`` on threads until its ``with`` statement ends.

    Attributes:
        mode: What is done with requests.
        accepted: Connections.
        arrived: Requests.
        heads: Of the latest requests, as they came; bodies: of more of them.
        finished: Replies without an end that were taken to their end.
    """

    def __init__(self, mode: Mode | str = echo, *, tls: bool = False) -> None:
        self.mode = mode
        self.slowness = 2.0
        self.accepted = self.arrived = self.finished = 0
        self.heads: list[bytes] = []
        self.bodies: deque[bytes] = deque(maxlen=1_000)
        self.stopped = threading.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls is not None:
            self._tls.load_cert_chain(CERTIFICATE)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listen, on the port that it had before where it had one."""
        self.stopped.clear()
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = self._listening.getsockname()[1]
        self._spawn(self._accept, self._listening)
        return self

    def stop(self) -> None:
        """Refuse connections from now on, and break those that are open."""
        self.stopped.set()
        listening, self._listening = self._listening, None
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        self.break_all()
        for thread in list(self._threads):
            thread.join(30)
        assert not any(thread.is_alive() for thread in self._threads)
        self._threads.clear()

    def break_all(self) -> None:
        """Close what is open, as a server does that has waited long enough for another request."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._open)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="chaos", daemon=True)
        self._threads = [other for other in self._threads if other.is_alive()] + [thread]
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.accepted += 1
                self._open.add(connection)
                self._spawn(self._serve, connection)

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
                self._open.add(connection)
            while (body := self._request(connection)) is not None:
                mode = MODES[self.mode] if isinstance(self.mode, str) else self.mode
                if not mode(self, connection, body):
                    return
        except OSError:
            return
        finally:
            for each in (connection, plain):
                self._open.discard(each)
                each.close()

    def _request(self, connection: socket.socket) -> bytes | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65_536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(_LENGTH.search(head)[1])
        while len(body) < length:
            body += connection.recv(65_536)
        with self._lock:
            self.arrived += 1
            self.heads = [*self.heads[-9:], head]
            self.bodies.append(body)
        return body


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port that takes no connection and refuses none: packets vanish."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
            waiting.append(client)
        try:
            yield int(listening.getsockname()[1])
        finally:
            for client in waiting:
                client.close()


@contextmanager
def elsewhere(mode: str, *, tls: bool = False) -> Iterator[str]:
    """The URL of a server in a process of its own, where its threads and memory are not the client's."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.chaos.http_server", mode, *(["tls"] if tls else [])]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, cwd=root, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    with Chaos(sys.argv[1], tls="tls" in sys.argv[2:]) as running:
        print(running.url, flush=True)  # noqa: T201  (to whoever has started it)
        threading.Event().wait()
