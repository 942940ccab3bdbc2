"""The serialization protocol of Redis, version 2: commands to bytes, bytes to replies. Pure; the answer of any server.

A reply is bounded in bytes and in depth, and what is none raises: the caller throws the connection away then, since
nobody knows where the next reply would begin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from doorward.errors import StoreError

MOST_BYTES = 1 << 20
"""The longest answer to one exchange. The longest that is asked for, a piece of a scan, is a fifth of it."""
_MOST_ITEMS = 1 << 16
_DEEPEST = 8
_LONGEST_NUMBER = 32


class Garbage(StoreError):
    """What came is no reply."""


class ErrorReply(NamedTuple):
    """The server refused a command.

    Attributes:
        code: The first word, such as ``NOSCRIPT``.
        text: The rest of the line.
    """

    code: str
    text: str


def pack(*parts: bytes) -> bytes:
    """A command."""
    return b"*%d\r\n" % len(parts) + b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


class _Incomplete(Exception):
    """More bytes have to come first."""


class _Array:
    """One whose items have not all come; they are not read again when more bytes come."""

    __slots__ = ("items", "missing")

    def __init__(self, count: int) -> None:
        self.items: list[Any] = []
        self.missing = count


class Reader:
    """Takes bytes as they come, and gives replies as they become whole."""

    __slots__ = ("_begun", "_buffer", "_fed", "_most", "_place")

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self.start()

    def start(self) -> None:
        """Begin a new exchange; what is left of the last one is forgotten."""
        self._buffer = b""
        self._place = 0
        self._fed = 0
        self._begun: list[_Array] = []

    @property
    def spent(self) -> bool:
        """Whether every byte that came was part of a reply that was taken."""
        return self._place == len(self._buffer) and not self._begun

    def feed(self, data: bytes) -> None:
        """More bytes.

        Raises:
            Garbage: It is more than an answer may be.
        """
        self._fed += len(data)
        if self._fed > self._most:
            raise Garbage(f"the server's answer is longer than {self._most} bytes")
        self._buffer = self._buffer[self._place :] + data
        self._place = 0

    def take(self) -> tuple[Any] | None:
        """The next reply in a tuple of one, or None until it is whole.

        Raises:
            Garbage: It is none.
        """
        while True:
            try:
                reply, self._place = self._reply(self._place)
            except _Incomplete:
                return None
            if type(reply) is _Array and reply.missing:
                self._begin(reply)
            elif (whole := self._filled(reply.items if type(reply) is _Array else reply)) is not None:
                return whole

    def _begin(self, array: _Array) -> None:
        if len(self._begun) > _DEEPEST:
            raise Garbage("the server's answer is not of the Redis protocol")
        self._begun.append(array)

    def _filled(self, item: Any) -> tuple[Any] | None:
        """Put a reply where it belongs; the outermost one, once it is whole."""
        while self._begun:
            array = self._begun[-1]
            array.items.append(item)
            array.missing -= 1
            if array.missing:
                return None
            item = self._begun.pop().items
        return (item,)

    def _line(self, place: int) -> tuple[bytes, int]:
        end = self._buffer.find(b"\r\n", place)
        if end < 0:
            raise _Incomplete
        return self._buffer[place:end], end + 2

    def _reply(self, place: int) -> tuple[Any, int]:
        kind = self._buffer[place : place + 1]
        if not kind:
            raise _Incomplete
        if kind not in b"+-:$*":
            raise Garbage("the server's answer is not of the Redis protocol")
        line, after = self._line(place + 1)
        if kind == b"+":
            return line, after
        if kind == b"-":
            code, _, text = line.decode("utf-8", "replace").partition(" ")
            return ErrorReply(code, text), after
        number = _number(line)
        if kind == b":":
            return number, after
        if number < 0:
            return None, after
        return self._bulk(number, after) if kind == b"$" else (_array(number), after)

    def _bulk(self, length: int, place: int) -> tuple[bytes, int]:
        if length > self._most:
            raise Garbage(f"the server's answer is longer than {self._most} bytes")
        end = place + length
        if len(self._buffer) < end + 2:
            raise _Incomplete
        if self._buffer[end : end + 2] != b"\r\n":
            raise Garbage("the server's answer is not of the Redis protocol")
        return self._buffer[place:end], end + 2


def _array(count: int) -> _Array:
    if count > _MOST_ITEMS:
        raise Garbage(f"the server's answer has more than {_MOST_ITEMS} items")
    return _Array(count)


def _number(line: bytes) -> int:
    if len(line) > _LONGEST_NUMBER or not line.removeprefix(b"-").isdigit():
        raise Garbage("the server's answer is not of the Redis protocol")
    return int(line)
