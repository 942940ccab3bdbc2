"""A TCP server that does to its clients what servers should not, and a proxy that makes a good one slow."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        continue


def dripping(connection: socket.socket) -> None:
    """An answer that never ends, a byte at a time: no read ever waits long."""
    connection.recv(65536)
    connection.sendall(b"*1000\r\n")
    while True:
        for byte in b":1\r\n":
            connection.sendall(bytes([byte]))
            time.sleep(0.01)


def saying(answer: bytes) -> Behaviour:
    def say(connection: socket.socket) -> None:
        while connection.recv(65536):
            connection.sendall(answer)

    return say


def endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"+")
    while True:
        connection.sendall(b"x" * 65536)


def cut_short(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"$100\r\nhalf")


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Listener:
    """Serves ``behaviour`` on threads until it is closed; ``accepted`` counts connections."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.accepted = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.accepted += 1
                self._open.append(connection)
                threading.Thread(target=self._behave, args=(connection,), daemon=True).start()

    def _behave(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.behaviour(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"valkey://127.0.0.1:{self.port}"


@contextmanager
def listening(behaviour: Behaviour) -> Iterator[Listener]:
    listener = Listener(behaviour)
    try:
        yield listener
    finally:
        listener.close()


def delayed(port: int, seconds: float) -> Behaviour:
    """A proxy to ``port`` that holds back every answer."""

    def forward(connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            threading.Thread(target=back, args=(server, connection), daemon=True).start()
            while data := connection.recv(65536):
                server.sendall(data)

    def back(server: socket.socket, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                time.sleep(seconds)
                connection.sendall(data)

    return forward
