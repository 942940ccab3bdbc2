"""Where a table may be: what can be known of a folder, its file system and a file in it before it is trusted."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

from doorward.errors import ConfigurationError

_MOUNTS = Path("/proc/self/mountinfo")
_ELSEWHERE = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
})  # fmt: skip
_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """A line of mountinfo, as far as it is needed (proc_pid_mountinfo(5))."""

    point: str
    kind: str


def mount_of(folder: Path, mounts: str) -> Mount | None:
    """The file system that ``folder`` is on, from the text of a mountinfo; None where it does not say."""
    found = None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")[0]
        if len(fields) < 5 or not kind:
            continue
        mount = Mount(_ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4]), kind)
        # A later mount hides an earlier one at the same point.
        if folder.is_relative_to(mount.point) and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def check_folder(path: Path) -> None:
    """Refuse folders that a table cannot be in.

    Raises:
        ConfigurationError: The folder is not there, is shared with other machines, or lets anybody replace the file.
    """
    folder = path.parent
    try:
        mode = folder.stat().st_mode
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape") if _MOUNTS.exists() else ""
    except OSError as error:
        raise refused(path, f"the folder cannot be used: {error.strerror}") from None
    if not stat.S_ISDIR(mode):
        raise refused(path, f"{folder} is no folder")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        raise refused(path, f"anybody may replace files in {folder}: take the write permission of others away")
    mount = mount_of(folder.resolve(), mounts)
    if mount is not None and (mount.kind in _ELSEWHERE or mount.kind.startswith("fuse")):
        raise refused(
            path, f"{mount.point} is a {mount.kind} file system, which other machines may share: memory and locks do "
            "not work across them. Use a folder in memory such as /run or /dev/shm; for several hosts use redis://",
        )  # fmt: skip


def check_file(path: Path, found: os.stat_result) -> None:
    """Refuse files that are not ours alone.

    Raises:
        ConfigurationError: It is no plain file, somebody else's, or open to others.
    """
    if not stat.S_ISREG(found.st_mode):
        raise refused(path, "it is no plain file")
    if found.st_uid != os.geteuid():
        raise refused(path, f"it belongs to user {found.st_uid}, and this process runs as user {os.geteuid()}")
    if found.st_mode & 0o077:
        raise refused(path, f"others may use it: its mode is {stat.S_IMODE(found.st_mode):04o} and has to be 0600")


def refused(path: Path, problem: str) -> ConfigurationError:
    """The error that says why a path cannot be a store."""
    return ConfigurationError("store", f"{path}: {problem}")
