"""The text of a policy file, as data and the line of each value. Bounded in size, depth and number of values."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from doorward.policy.errors import PolicyError, mistake
from doorward.printable import describe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Place = tuple[str | int, ...]
"""The keys and positions that lead to a value."""

LARGEST_FILE = 2**20
DEEPEST = 16
MOST_VALUES = 50_000
SUFFIXES = {".toml": "TOML", ".yaml": "YAML", ".yml": "YAML"}


class Malformed(Exception):
    """The text cannot be read; where, and why."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line
        self.problem = problem


class Lines:
    """The line of each value.

    Args:
        known: Lines by place.
    """

    def __init__(self, known: Mapping[Place, int]) -> None:
        self._known = known

    def __getitem__(self, place: Place) -> int:
        """The line of a value, or of the nearest thing around it; 1 for the file itself."""
        for end in range(len(place), 0, -1):
            line = self._known.get(place[:end])
            if line is not None:
                return line
        return 1


class Signature(NamedTuple):
    """What tells that a file has changed, without reading it; replaced by another it differs, too."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature:
        """From what ``stat`` says."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Document(NamedTuple):
    """A file that was read.

    Attributes:
        data: What it holds.
        lines: The line of each value.
        digest: The first 12 digits of the SHA-256 of its bytes.
        signature: Of the very file that was read.
        folder: Where the file is, from which it names others.
    """

    data: dict[str, Any]
    lines: Lines
    digest: str
    signature: Signature
    folder: Path


def read(path: Path, name: str) -> Document:
    """Read a policy file.

    Args:
        path: The file.
        name: What errors call it.

    Raises:
        PolicyError: It cannot be read, or is not what its suffix says.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise PolicyError(name, [mistake(0, "", f"must be named {', '.join(SUFFIXES)}, so that its format is known")])
    try:
        content, signature = _content(path)
        data, lines = _parsed(content, kind)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or describe(error)}"
        raise PolicyError(name, [mistake(0, "", problem, unreadable=True)]) from error
    except Malformed as error:
        raise PolicyError(name, [mistake(error.line, "", error.problem)]) from error
    return Document(data, Lines(lines), hashlib.sha256(content).hexdigest()[:12], signature, path.absolute().parent)


def _content(path: Path) -> tuple[bytes, Signature]:
    # Not blocking: opening a pipe would wait for somebody who writes.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Malformed(0, "must be a regular file")
        content = file.read(LARGEST_FILE + 1)
        if Signature.of(os.fstat(descriptor)) != Signature.of(status):
            raise Malformed(0, "was written to while it was read")
    if len(content) > LARGEST_FILE:
        raise Malformed(0, f"is larger than {LARGEST_FILE:,} bytes")
    return content, Signature.of(status)


def _parsed(content: bytes, kind: str) -> tuple[dict[str, Any], dict[Place, int]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Malformed(line, f"must be UTF-8; byte {error.start} is not") from None
    if kind == "TOML":
        from doorward.policy.toml_text import parse
    else:
        from doorward.policy.yaml_text import parse
    try:
        return parse(text)
    except RecursionError:
        raise Malformed(0, f"is nested deeper than {DEEPEST} levels") from None


__all__ = ["DEEPEST", "MOST_VALUES", "Document", "Lines", "Malformed", "Place", "Signature", "read"]
