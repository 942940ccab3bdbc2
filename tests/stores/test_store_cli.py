"""``doorward store status``: what a table holds, who uses it, and what is said of files that are none."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest
from tests.stores.hits import HOUR, limit, refuse

from doorward.clock import SystemClock
from doorward.errors import ConfigurationError, DataError
from doorward.store_cli import add_store
from doorward.stores.shared.store import SharedStore

MEGABYTE = 1 << 20


def status(path: object) -> int:
    parser = argparse.ArgumentParser()
    add_store(parser.add_subparsers())
    parsed = parser.parse_args(["store", "status", str(path)])
    code: int = parsed.run(parsed)
    return code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table"


def test_it_says_what_the_table_holds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts by kind, refusals, and the processes that have it open; by path and by URL."""
    with SharedStore(path, MEGABYTE, clock=SystemClock()) as store:
        refuse(store, "refused", interval=1000 * HOUR)
        store.count([limit(f"k{number}", 5, HOUR) for number in range(3)])
        store.ban("b", 60)
        store.put("v", b"x", 60)
        store.tally("t", 1.0, 60)
        assert status(path) == status(f"shared://{path}?size=1MB") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == lines[6:]
    assert lines[0].startswith(f"{path}: 1,0")
    assert lines[0].endswith("UTC, 0% of its cells used")
    assert f"used by   {os.getpid()}" in lines
    assert "holds     1 bans, 4 counters, 1 sums, 1 values; 1 counters refuse" in lines
    assert "evicted   nothing" in lines


def test_it_says_that_a_table_is_too_small(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What went before its time is the sign, and the advice follows."""
    with SharedStore(path, MEGABYTE, clock=SystemClock()) as store:
        for number in range(9000):
            store.count([limit(f"k{number}", 5, 1000 * HOUR)])
    assert status(path) == 0
    told = capsys.readouterr().out
    assert "nobody that this process can see" in told
    assert "evicted   2," in told
    assert "too small" in told


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "cannot be read"), (b"", "no table"), (b"doorward-table\0\n" + bytes(9), "ends before")],
)
def test_files_that_are_no_table(path: Path, content: bytes | None, what: str) -> None:
    """Said in a line, by the errors that the command line prints."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=what):
        status(path)
    with pytest.raises(ConfigurationError, match="must be shared:"):
        status("shared:table")
