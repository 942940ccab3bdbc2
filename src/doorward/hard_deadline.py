"""Ends a conversation with a server at a deadline, whatever is waited for then.

The timeouts of sockets, and so those of HTTP libraries, are for each read: a server that sends a byte now and then is
never too slow for them.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading


class HardDeadline:
    """Shuts connections down when its time has come; used in a ``with`` statement, which it lasts as long as.

    Args:
        seconds: From the beginning of the ``with`` statement.

    Attributes:
        passed: Whether the time has come.
    """

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self.end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self.passed = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._watched:
                connection.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> None:
        """Take note of a TCP connection: as soon as it is made, before TLS is spoken over it."""
        # A descriptor of our own: ssl takes the socket's away, and a number that was closed may be somebody else's.
        own = socket.socket(fileno=os.dup(connection.fileno()))
        with self._lock:
            self._watched.append(own)
            if self.passed:
                _shut_down(own)

    def end(self) -> None:
        """Shut down whatever there is; a thread that waits for it gets an error, or an end."""
        with self._lock:
            self.passed = True
            for connection in self._watched:
                _shut_down(connection)


def _shut_down(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(socket.SHUT_RDWR)
