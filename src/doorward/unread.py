"""Standard output that may have nobody who reads it: ``doorward replay … | head -1`` ends with its own exit status."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class Unread:
    """A stream that takes what nobody reads any more, and drops it.

    A gate that has failed is to say so also where the reader of its report has gone.

    Args:
        stream: Standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def write(self, text: str) -> int:
        """Write, as long as somebody reads."""
        if not self._gone:
            try:
                return self._stream.write(text)
            except BrokenPipeError:
                self._leave()
        return len(text)

    def flush(self) -> None:
        """As :meth:`write`."""
        if not self._gone:
            try:
                self._stream.flush()
            except BrokenPipeError:
                self._leave()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the stream's."""
        return getattr(self._stream, name)

    def _leave(self) -> None:
        self._gone = True
        to_nowhere(self._stream)


def to_nowhere(stream: TextIO) -> None:
    """What the stream still holds is not to fail again when the interpreter writes it out at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def open_closed() -> None:
    """Put something in place of standard streams that are closed: the next file would be opened as one of them."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115, PTH123  (as long as the process)
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            setattr(sys, name, stream)
