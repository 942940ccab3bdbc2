"""The file of ``shared://``: who makes it, what is refused and with what words, and what is replaced."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.stores.hits import HOUR, admitted, limit, refuse

from doorward.clock import SystemClock
from doorward.errors import ConfigurationError
from doorward.stores.shared import filesystem, header, open_shared
from doorward.stores.shared.files import DEFAULT_SIZE
from doorward.stores.shared.filesystem import mount_of
from doorward.stores.shared.header import MAGIC, PAGE, Header, boot_id
from doorward.stores.shared.sqlite import SQLiteStore
from doorward.stores.shared.store import SharedStore
from doorward.testing import FakeClock

MEGABYTE = 1 << 20


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "doorward.table"


def opened(path: Path, size: int | None = MEGABYTE) -> SharedStore:
    return SharedStore(path, size, clock=FakeClock())


def used(path: Path) -> SharedStore:
    """A table with one refused client."""
    store = opened(path)
    refuse(store, "k")
    return store


def _names(folder: Path) -> list[str]:
    return [found.name for found in folder.iterdir()]


def is_empty(store: SharedStore) -> bool:
    return admitted(store, limit("k", 1, HOUR)) == [True]


# The URL


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("shared://", "must be shared:///absolute/path"),
        ("shared://table", "must be shared:///absolute/path"),
        ("shared://host/run/table", "must be shared:///absolute/path"),
        ("shared:///", "must be shared:///absolute/path"),
        ("shared:///run/%00", "must be shared:///absolute/path"),
        ("shared:///run/table?size=9", "from 1MB to 64GB"),
        ("shared:///run/table?size=", "from 1MB to 64GB"),
        ("shared:///run/table?size=-1MB", "from 1MB to 64GB"),
        ("shared:///run/table?size=1PB", "from 1MB to 64GB"),
        ("shared:///run/table?keys=9", "has keys"),
        ("shared:///run/table?locks=none", "locks must be mutex or file"),
        ("shared:///run/table#there", "has #there"),
    ],
)
def test_a_wrong_url_is_refused(url: str, what: str) -> None:
    """The error names the field and says what is accepted."""
    with pytest.raises(ConfigurationError, match=what) as caught:
        open_shared(url, SystemClock(), 0.5)
    assert caught.value.field == "store"


@pytest.mark.parametrize(
    ("text", "size"), [("1MB", 1 << 20), ("2m", 2 << 20), ("1536KiB", 1536 << 10), ("3145728", 3 << 20)]
)
def test_a_url_names_path_and_size(tmp_path: Path, text: str, size: int) -> None:
    """The file has that size to the page, never more; the path may be percent-encoded."""
    with open_shared(f"shared://{tmp_path}/a%20table?size={text}", SystemClock(), 0.5) as store:
        assert isinstance(store, SharedStore)
        assert size - 64 * PAGE < (tmp_path / "a table").stat().st_size <= size


def test_without_locks_there_is_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform without locks of open file descriptions gets the database."""
    monkeypatch.setattr("doorward.stores.shared.HAS_LOCKS", False)
    with open_shared(f"shared://{path}", SystemClock(), 0.5) as store:
        assert isinstance(store, SQLiteStore)
        assert admitted(store, limit("k")) == [True]
    with pytest.raises(ConfigurationError, match="no table of doorward"):
        opened(path)


def test_the_file_is_private_and_has_all_its_blocks(path: Path) -> None:
    """Mode 0600 whatever the umask; nothing is left to allocate, which a full disk could refuse."""
    before = os.umask(0)
    try:
        opened(path)
    finally:
        os.umask(before)
    status = path.stat()
    assert status.st_mode & 0o777 == 0o600
    assert status.st_blocks * 512 >= status.st_size
    assert _names(path.parent) == [path.name]


def test_the_hash_key_is_random(tmp_path: Path) -> None:
    """Two tables have different keys: nobody can choose keys that meet."""
    keys = {
        Header.unpack((opened(tmp_path / name)._path).read_bytes()[:PAGE], (tmp_path / name).stat().st_size).hash_key
        for name in "ab"
    }
    assert len(keys) == 2


# Refused


def _symlink(path: Path) -> None:
    opened(path.with_name("real"))
    path.symlink_to(path.with_name("real"))


def _readable_by_others(path: Path) -> None:
    opened(path).close()
    path.chmod(0o644)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda path: path.write_bytes(b""), "no table of doorward"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(5000)), "no table of doorward"),
        (lambda path: path.write_bytes(MAGIC[:-1]), "no table of doorward"),
        (lambda path: path.mkdir(), "cannot be opened"),
        (os.mkfifo, "no plain file"),
        (_symlink, "cannot be opened"),
        (_readable_by_others, "mode is 0644 and has to be 0600"),
        (lambda path: path.parent.chmod(0o777), "anybody may replace files"),
    ],
    ids=["empty", "sqlite", "short", "folder", "fifo", "symlink", "readable", "open-folder"],
)
def test_what_is_not_ours_is_refused_and_left_alone(path: Path, spoil, what: str) -> None:
    """The message says what is wrong; the file is as it was."""
    spoil(path)
    if path.is_file():
        path.chmod(0o644 if spoil is _readable_by_others else 0o600)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(ConfigurationError, match=what):
        opened(path)
    assert not path.is_file() or path.read_bytes() == before


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Folders are not made: whose they should be is not ours to know."""
    with pytest.raises(ConfigurationError, match="folder cannot be used: No such file"):
        opened(tmp_path / "missing" / "table")


def test_somebody_elses_file_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner could shorten it, which would end our process."""
    opened(path).close()
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigurationError, match=f"belongs to user {path.stat().st_uid}"):
        opened(path)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "virtiofs"])
def test_network_file_systems_are_refused(
    path: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file system and what to use instead."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/x rw\n2 1 0:40 / {tmp_path} rw,relatime shared:1 - {kind} host:/x rw\n"
    )
    monkeypatch.setattr(filesystem, "_MOUNTS", mounts)
    with pytest.raises(ConfigurationError, match=f"{kind} file system.*redis://"):
        opened(path)
    assert not path.exists()


def test_mounts_are_read_as_the_kernel_writes_them() -> None:
    """The longest point wins, a later one hides an earlier one, blanks are escaped, nonsense is passed over."""
    text = r"""1 0 8:1 / / rw - ext4 /dev/x rw
2 1 0:2 / /run rw shared:5 master:1 - nfs x rw
3 1 0:3 / /run rw - tmpfs x rw
4 1 0:4 / /a\040b rw - cifs x rw
nonsense"""
    kinds = [mount_of(Path(folder), text) for folder in ("/", "/run/app", "/runner", "/a b/c")]
    assert [mount and mount.kind for mount in kinds] == ["ext4", "tmpfs", "ext4", "cifs"]
    assert mount_of(Path("/x"), "") is None


def test_a_full_disk_is_said_at_the_start(path: Path) -> None:
    """With no room for all of the table none of it stays; here the room is what this process may write."""
    code = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from pathlib import Path
from doorward.stores.shared.store import SharedStore
SharedStore(Path({str(path)!r}), {MEGABYTE})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ConfigurationError: store: " in done.stderr
    assert "there is no room for a table of 1,0" in done.stderr
    assert _names(path.parent) == []


# Replaced, where nobody uses it


def _other_version(path: Path) -> None:
    _patch(path, 16, (header.VERSION + 1).to_bytes(4, "little"))


def _damaged(path: Path) -> None:
    _patch(path, 40, b"\xff")


def _truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size - PAGE)


def _headless(path: Path) -> None:
    os.truncate(path, 20)


def _patch(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


spoiled = pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (_other_version, f"version {header.VERSION + 1}, this doorward reads version {header.VERSION}"),
        (_damaged, "header is damaged"),
        (_truncated, "bytes and should have"),
        (_headless, "ends before its header does"),
    ],
    ids=["version", "damaged", "truncated", "headless"],
)


@spoiled
def test_an_unusable_table_that_nobody_uses_is_replaced(path: Path, spoil, what: str) -> None:
    """It was ours, and its counters are lost in any case: the application starts."""
    used(path).close()
    spoil(path)
    assert is_empty(opened(path))


@spoiled
def test_an_unusable_table_in_use_is_refused(path: Path, spoil, what: str) -> None:
    """Two versions at once, say in a deployment: the later one does not start, and says why; the file stays."""
    used(path).close()
    spoil(path)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # as every process that uses a table does
        before = path.stat().st_ino
        with pytest.raises(ConfigurationError, match=f"{what}.*, and other processes are using it"):
            opened(path)
        assert path.stat().st_ino == before
    assert is_empty(opened(path))


def test_a_reboot_empties_the_table(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another boot id, or a monotonic clock that is behind the table: nothing of it is believed."""
    used(path).close()
    monkeypatch.setattr(header, "boot_id", lambda: b"another boot    ")
    store = opened(path)
    assert is_empty(store)
    store.close()
    later = time.monotonic_ns() - 10**18
    monkeypatch.setattr(time, "monotonic_ns", lambda: later)
    assert is_empty(opened(path))


def test_this_machine_says_which_boot_it_is() -> None:
    """Without, counters would outlive a reboot by what the monotonic clock does not show."""
    assert len(boot_id()) == 16
    assert any(boot_id())


def test_a_new_size_takes_effect_when_nobody_uses_the_table(path: Path) -> None:
    """While others use it the old size stays, since they must count together; without a size any is right."""
    first = used(path)
    second = opened(path, 2 * MEGABYTE)
    assert not is_empty(second)
    first.close()
    second.close()
    assert not is_empty(opened(path, None))
    assert is_empty(opened(path, 2 * MEGABYTE))
    assert path.stat().st_size > MEGABYTE


def test_the_default_size(path: Path) -> None:
    """32 MB when neither the URL nor a file says."""
    assert DEFAULT_SIZE - (1 << 20) < opened(path, None).stats()["bytes"] <= DEFAULT_SIZE


def test_one_made_while_killed_is_cleared_away(path: Path) -> None:
    """What a process that was killed while it made a table left beside it does not stay for ever."""
    path.with_name(f".{path.name}.new").write_bytes(b"half")
    opened(path)
    assert _names(path.parent) == [path.name]


# Races


def test_racing_processes_meet_in_one_table(path: Path) -> None:
    """Twelve processes that open a path at the same moment: each finds what the others counted."""
    code = f"""
import sys
from pathlib import Path
from doorward.stores.shared.store import SharedStore
from doorward.effects import Algorithm, Hit
sys.stdin.readline()
store = SharedStore(Path({str(path)!r}), {MEGABYTE})
print(store.count([Hit("k", Algorithm.FIXED_WINDOW, 1000, 10**15)])[0].remaining, flush=True)
sys.stdin.readline()
"""
    children = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(12)
    ]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    left = sorted(int(child.stdout.readline()) for child in children)
    for child in children:
        child.communicate("end\n")
    assert left == list(range(988, 1000))


def test_racing_threads_meet_in_one_table(path: Path) -> None:
    """The same within a process, each with a store of its own."""
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: SharedStore(path, MEGABYTE), range(8)))
    left = [store.count([limit("k", 100, HOUR)])[0].remaining for store in stores]
    assert left == list(range(99, 91, -1))


def test_a_deleted_file_is_made_anew_and_all_meet_again(path: Path) -> None:
    """A cleaner of temporary files took it: within a second of its time every store is at the new one."""
    clock = FakeClock()
    stores = [SharedStore(path, MEGABYTE, clock=clock) for _ in range(3)]
    refuse(stores[0], "k")
    path.unlink()
    clock.advance(1)
    for store in stores:
        store.count([limit("look")])
    assert [store.count([limit("k", 2, HOUR)])[0].admitted for store in stores] == [True, True, False]
    assert path.exists()


def test_a_file_that_cannot_be_made_anew_is_told_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The process goes on with what it has."""
    clock = FakeClock()
    store = SharedStore(path, MEGABYTE, clock=clock)
    path.unlink()
    path.write_bytes(b"mine now")
    for _ in range(3):
        clock.advance(2)
        assert admitted(store, limit("k", 5, HOUR)) == [True]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "no longer at its path" in caplog.text


def test_closing_gives_the_descriptors_back(path: Path) -> None:
    """Opening and closing a hundred times leaves as many descriptors as before."""
    opened(path).close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        opened(path).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
