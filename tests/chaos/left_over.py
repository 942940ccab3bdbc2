"""What a process has open and how much memory it takes: for tests that nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 30.0


def until(condition: Callable[[], object], what: str = "it never came to that") -> Any:
    """Poll until something holds, and answer it."""
    ends = time.monotonic() + PATIENCE
    while not (held := condition()):
        assert time.monotonic() < ends, what
        time.sleep(0.005)
    return held


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def threads(prefix: str = "doorward") -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith(prefix))


def peak_growth(work: Callable[[], object]) -> int:
    """Bytes by which the most memory taken at once, during ``work``, exceeds that taken before."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = _kilobytes("VmRSS")
    work()
    return 1024 * (_kilobytes("VmHWM") - before)


def _kilobytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))


def tasks() -> int:
    return len(asyncio.all_tasks())
