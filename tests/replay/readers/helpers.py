"""Recordings for tests, and what is read of them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from doorward.replay.readers import read
from doorward.replay.reading import Reading
from doorward.replay.records import Recorded, Source

SOURCE = Source("a.log", 1)


def read_all(*files: Path | str, **options: Any) -> tuple[list[Recorded], Reading]:
    """All requests of some files, and the figures."""
    reading = Reading()
    return list(read([str(file) for file in files], reading=reading, **options)), reading


def read_text(folder: Path, text: str | bytes, **options: Any) -> tuple[list[Recorded], Reading]:
    """All requests of a file with this text."""
    file = folder / "a.log"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    return read_all(file, **options)


def only(folder: Path, text: str | bytes, **options: Any) -> Recorded:
    """The request of a file with one."""
    found, reading = read_text(folder, text, **options)
    assert len(found) == 1, reading
    return found[0]


def common(second: int, path: str = "/", ip: str = "203.0.113.7", day: int = 10) -> str:
    """A line of the Common Log Format."""
    minute, hour = second // 60 % 60, second // 3600
    return (
        f'{ip} - - [{day:02d}/Oct/2025:{hour:02d}:{minute:02d}:{second % 60:02d} +0000] "GET {path} HTTP/1.1" 200 5\n'
    )


def gzipped(path: Path, data: bytes) -> Path:
    """A gzip file."""
    path.write_bytes(gzip.compress(data))
    return path


def headers(row: Recorded) -> dict[str, str]:
    """Its headers."""
    return dict(row.request.headers)


def paths(rows: list[Recorded]) -> list[str]:
    """Their paths."""
    return [row.request.path for row in rows]
