"""A look at a table from outside: read, not mapped, so that nothing that happens to the file can end who looks."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doorward.errors import DataError
from doorward.stores.shared.header import MAGIC, Header, Unreadable
from doorward.stores.shared.table import CELLS, KINDS, REFUSALS_EVICTED, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("counters", "sums", "values", "bans")
_LOCKS = Path("/proc/locks")


@dataclass(frozen=True)
class Report:
    """What is in a table.

    Attributes:
        header: Its header.
        held: How many of each kind have not ended.
        refusing: How many counters refuse, and are spared for it.
        used: The share of its cells that hold something, ended or not.
        evicted: What went before its time, by kind, and ``refusals``.
        recovered: Changes that a killed process had begun and another has finished.
        users: Ids of processes that use it, as far as the system tells.
    """

    header: Header
    held: Mapping[str, int]
    refusing: int
    used: float
    evicted: Mapping[str, int]
    recovered: int
    users: tuple[int, ...]


def report_of(path: Path) -> Report:
    """Look at the table at ``path``.

    Raises:
        DataError: It is no table, or one that this version or this boot cannot use.
    """
    try:
        data = path.read_bytes()
        status = path.stat()
    except OSError as error:
        raise DataError(path, f"cannot be read: {error.strerror}") from None
    if not data.startswith(MAGIC):
        raise DataError(path, "is no table of doorward")
    try:
        header = Header.unpack(data, len(data))
    except Unreadable as error:
        raise DataError(path, f"{error}; it is replaced when a process opens it and no other uses it") from None
    if not header.is_of_this_boot():
        raise DataError(path, "is of another boot or another machine; it is replaced when a process opens it")
    return _counted(data, header, _users(status))


def _counted(data: bytes, header: Header, users: tuple[int, ...]) -> Report:
    table = Table(data, header, [])
    now = header.offset + time.monotonic_ns()
    held: Counter[str] = Counter()
    refusing = cells = 0
    for number in range(header.stripes):
        for bucket in table.buckets(number):
            for entry in table.entries(bucket):
                kind = KINDS.find(table.key(entry)[:1])
                cells += entry.cells
                held[NAMES[kind]] += entry.expiry > now
                refusing += kind == 0 and entry.spared_until > now
    *_, recovered = counts = table.counts()
    evicted: dict[str, int] = dict(zip((*NAMES, "refusals"), counts[len(NAMES) : REFUSALS_EVICTED + 1], strict=True))
    room = header.stripes * header.buckets * CELLS
    return Report(header, held, refusing, cells / room, evicted, recovered, users)


def _users(status: os.stat_result) -> tuple[int, ...]:
    """Who holds a shared ``flock`` on the file (proc_locks(5))."""
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = [line.split() for line in _LOCKS.read_text(encoding="ascii").splitlines()]
    except OSError:
        return ()
    found = {int(line[4]) for line in lines if line[1:2] == ["FLOCK"] and len(line) > 5 and line[5] == file}
    return tuple(sorted(found))
