"""Several processes write one log; some are killed, some have no room."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service.log.records import DEADLINE, until

from doorward.service.server.log_file import LogFileReader
from doorward.service.server.ports import LogQuery

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("writer_process.py")
NOBODY = "65534"


def start(path: Path, site: str, count: int, *how: str) -> subprocess.Popen[str]:
    """A process that appends."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "src", ROOT / "adapters", ROOT)))}
    command = [sys.executable, "-B", str(SCRIPT), str(path), site, str(count), *how]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result(process: subprocess.Popen[str]) -> tuple[dict, str]:
    """What it came to, and what it said."""
    out, err = process.communicate(timeout=2 * DEADLINE)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1]), err


def test_four_processes_write_while_one_reads(path: Path) -> None:
    """Every row is there once, in an order that a follower can go by; nobody met a lock."""
    reader = LogFileReader(path, seconds=30)
    processes = [start(path, f"site{number}", 1_500) for number in range(4)]
    seen: list[str] = []
    cursor = 1  # all from the beginning: a cursor of 0 would skip to the newest
    until(lambda: path.exists() and reader.latest(LogQuery(), 1))
    with sqlite3.connect(path) as connection:
        cursor = connection.execute("SELECT min(seq) - 1 FROM decisions").fetchone()[0]
    connection.close()
    while len(seen) < 6_000:
        found, cursor = reader.after(LogQuery(), cursor, 100)
        seen += [each.id for each in found]
        assert found or any(process.poll() is None for process in processes) or len(seen) == 6_000
        reader.top(LogQuery(), "site", 5)
    for process in processes:
        figures, err = result(process)
        assert figures["done"]
        assert figures["after"] == {"written": 1_500, "dropped": 0, "waiting": 0, "failures": 0}
        assert err == ""
    assert sorted(seen) == sorted(f"req_site{site}_{number}" for site in range(4) for number in range(1_500))
    assert [share.times for share in reader.top(LogQuery(), "site", 5)] == [1_500] * 4


def test_a_killed_writer_leaves_the_file_whole(path: Path) -> None:
    """What it had written is there, and others go on."""
    process = start(path, "killed", 0, "forever")
    try:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    kept = LogFileReader(path, seconds=30).top(LogQuery(), "site", 5)[0]
    assert kept.times >= 500
    figures, _ = result(start(path, "next", 300))
    assert figures["after"]["written"] == 300
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = connection.execute(
        "SELECT count(*), (SELECT count(*) FROM details), (SELECT value FROM figures) FROM decisions"
    )
    assert rows.fetchone() == (kept.times + 300,) * 3
    connection.close()


def test_a_full_disk_is_survived(path: Path) -> None:
    """What has no room waits, is said and counted; it is written when there is room."""
    figures, err = result(start(path, "full", 4_000, "limit", "600000"))
    assert figures["before"]["failures"]
    assert figures["before"]["written"] < 4_000
    assert figures["done"]
    assert figures["after"]["written"] == 4_000
    assert err.count("decision log") >= 1
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (4_000,)
    connection.close()


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A folder that others may look into, and not write."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-log-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o700)
    shutil.rmtree(folder)


def test_a_folder_that_cannot_be_written_is_survived(read_only: Path) -> None:
    """It is said once, and the rows wait."""
    how = ("as", NOBODY) if os.geteuid() == 0 else ()  # what is forbidden binds everybody but root
    process = start(read_only / "decisions.sqlite", "shop", 20, *how)
    figures, err = result(process)
    assert not figures["done"]
    assert figures["after"]["written"] == 0
    assert figures["before"]["waiting"] == 20
    assert figures["before"]["failures"] > 1
    assert err.count("\n") == 1
    assert "Permission denied" in err
    assert "Traceback" not in err


def test_a_log_that_may_only_be_read_is_survived(read_only: Path) -> None:
    """As after a restore with the wrong owner."""
    path = read_only / "decisions.sqlite"
    read_only.chmod(0o777)
    result(start(path, "first", 10))
    for file in read_only.iterdir():
        file.chmod(0o444)
    read_only.chmod(0o555)
    how = ("as", NOBODY) if os.geteuid() == 0 else ()
    figures, err = result(start(path, "second", 10, *how))
    assert figures["before"]["waiting"] == 10
    assert "Traceback" not in err


def test_a_damaged_log_is_replaced_once_by_many(path: Path) -> None:
    """Processes that find it at the same time set one file aside, and no row is lost with it."""
    path.parent.mkdir()
    path.write_bytes(b"\0damaged" * 10_000)
    processes = [start(path, f"site{number}", 400) for number in range(4)]
    assert all(result(process)[0]["done"] for process in processes)
    assert [share.times for share in LogFileReader(path).top(LogQuery(), "site", 5)] == [400] * 4
    assert len([kept for kept in path.parent.glob("*.damaged-*") if not kept.name.endswith(("-wal", "-shm"))]) == 1
