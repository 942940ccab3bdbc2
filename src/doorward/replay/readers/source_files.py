"""Bytes of recordings, in pieces: files and pipes, plain or gzip, whatever they are called."""

from __future__ import annotations

import os
import stat
import sys
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from doorward.errors import ConfigurationError
from doorward.printable import describe, printable
from doorward.replay.readers.problems import TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doorward.replay.reading import Reading

BLOCK = 64 << 10
LONGEST_LINE = 256 << 10
"""Bytes; longer lines are counted and never held."""
STDIN = "-"

_GZIP = b"\x1f\x8b"
_SQLITE = b"SQLite format 3\0"
_BEGIN = len(_SQLITE)
_OTHERS = {
    b"\xfd7zXZ\0": "xz",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class Batch(NamedTuple):
    """Lines that were read together.

    Attributes:
        first: Number of the first of them, from 1.
        texts: The lines, one character a byte (latin-1), without their ends.
        problem: Why none of them is a request; empty as a rule.
        whole: False of a last line without an end.
    """

    first: int
    texts: list[str]
    problem: str = ""
    whole: bool = True


class SourceFile:
    """One recording.

    Args:
        name: As the user named it; ``-`` is standard input.

    Raises:
        ConfigurationError: There is no such file, or it cannot be read.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = Path(name)
        self.size: int | None = None
        if name == STDIN:
            return
        try:
            found = self.path.stat()
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(21, "it is a folder")
            if stat.S_ISREG(found.st_mode):
                self.size = found.st_size
        except (OSError, ValueError) as error:
            raise _unreadable(name, error) from error

    @property
    def is_pipe(self) -> bool:
        """Whether it can be read only once."""
        return self.size is None

    def open(self) -> IO[bytes]:
        """Open it.

        Raises:
            ConfigurationError: It cannot be opened.
        """
        if self.name == STDIN and sys.stdin is None:
            raise _unreadable(self.name, OSError(9, "standard input is closed"))
        if self.name == STDIN:
            return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if _has_descriptor() else sys.stdin.buffer
        try:
            return self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.name, error) from error


def _has_descriptor() -> bool:
    try:
        return sys.stdin.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False


def _unreadable(name: str, error: Exception) -> ConfigurationError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else describe(error)
    return ConfigurationError("FILES", f"{printable(name)} cannot be read: {why}")


class Chunks:
    """The bytes of a file, decompressed.

    Args:
        file: The file.
        reading: Where bytes are counted, and damage is noted.

    Attributes:
        is_sqlite: Whether it is a database; nothing else is read of it then.

    Raises:
        ConfigurationError: It cannot be opened, or is compressed by what is not read.
    """

    def __init__(self, file: SourceFile, reading: Reading) -> None:
        self._file = file
        self._reading = reading
        self._stream = file.open()
        self._begin = b""
        try:
            while len(self._begin) < _BEGIN and (more := self._read()):
                self._begin += more
        except ConfigurationError:
            self.close()
            raise
        self.is_sqlite = self._begin.startswith(_SQLITE)
        for magic, name in _OTHERS.items():
            if self._begin.startswith(magic):
                self.close()
                raise ConfigurationError(
                    "FILES", f"{printable(file.name)} is {name}: give plain text or gzip, or `-` and pipe it in"
                )

    def close(self) -> None:
        """Nothing more is read."""
        self._stream.close()

    def __iter__(self) -> Iterator[bytes]:
        """Pieces of 64 KiB at most; a file that cannot be read on ends there, with a note."""
        try:
            if self._begin.startswith(_GZIP):
                yield from self._inflated()
                return
            piece = self._begin.removeprefix(b"\xef\xbb\xbf")
            while piece:
                yield piece
                piece = self._read()
        except OSError as error:
            self._note(f"cannot be read any further: {error.strerror or describe(error)}")
        finally:
            self.close()

    def _read(self) -> bytes:
        read: Callable[[int], bytes] = getattr(self._stream, "read1", self._stream.read)
        piece = read(BLOCK)
        self._reading.bytes += len(piece)
        return piece

    def _inflated(self) -> Iterator[bytes]:
        """RFC 1952: one member or several; a bomb comes out in pieces as everything else."""
        pending = self._begin
        inflater = zlib.decompressobj(31)
        while True:
            try:
                piece = inflater.decompress(pending, BLOCK)
            except zlib.error:
                self._note("holds damaged gzip data: what follows is not read")
                return
            if piece:
                yield piece
            if inflater.eof:
                pending = self._next_member(inflater.unused_data)
                if not pending:
                    return
                inflater = zlib.decompressobj(31)
                continue
            pending = inflater.unconsumed_tail
            if not pending and not (piece and len(piece) == BLOCK):
                pending = self._read()
                if not pending:
                    self._note("ends in the middle of its gzip data")
                    return

    def _next_member(self, pending: bytes) -> bytes:
        """What follows a member: another one, padding, or the end."""
        pending = pending.lstrip(b"\0")
        while len(pending) < len(_GZIP):
            more = self._read()
            if not more:
                break
            pending = (pending + more).lstrip(b"\0")
        if pending and not pending.startswith(_GZIP):
            self._note("has something else behind its gzip data, which is not read")
            return b""
        return pending

    def _note(self, what: str) -> None:
        self._reading.notes.append(f"{printable(self._file.name)} {what}")


def batches(chunks: Iterator[bytes]) -> Iterator[Batch]:
    """The lines in some bytes."""
    number, held, size = 1, list[bytes](), 0
    for chunk in chunks:
        end = chunk.rfind(b"\n")
        if end < 0:
            held, size = _held(held, size, chunk)
            continue
        begin = chunk.find(b"\n") if held else -1
        if held:
            yield _first(number, held, size, chunk[:begin])
            number += 1
        if end > begin:
            texts = _lines(chunk[begin + 1 : end])
            yield Batch(number, texts)
            number += len(texts)
        rest = chunk[end + 1 :]
        held, size = ([rest], len(rest)) if rest else ([], 0)
    if held:
        yield _first(number, held, size, b"", whole=False)


def _held(held: list[bytes], size: int, chunk: bytes) -> tuple[list[bytes], int]:
    """Keep a piece of a line; of a line that is too long, its beginning."""
    size += len(chunk)
    if size > LONGEST_LINE:
        return held[:1] or [chunk], size
    if len(held) >= 64:  # many tiny pieces, as gzip may hand out, are put together from time to time
        held = [b"".join(held)]
    return [*held, chunk], size


def _first(number: int, held: list[bytes], size: int, rest: bytes, *, whole: bool = True) -> Batch:
    if size + len(rest) > LONGEST_LINE:
        return Batch(number, [held[0][:400].decode("latin-1")], TOO_LONG, whole)
    return Batch(number, _lines(b"".join([*held, rest])), "", whole)


def _lines(data: bytes) -> list[str]:
    text = data.decode("latin-1")
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    return text.split("\n")


__all__ = ["BLOCK", "LONGEST_LINE", "STDIN", "Batch", "Chunks", "SourceFile", "batches"]
