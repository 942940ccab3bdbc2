"""Opening the file of a table, or making it, while other processes do the same.

Whoever opens or makes a table holds the lock of its folder meanwhile (``flock``: gone with its process). A new table is
written beside its path and renamed onto it, so that what is at the path is always whole.

A process that uses a table holds a shared ``flock`` on it. So it is known whether a table that cannot be used (of
another version, damaged, or of an earlier boot) is anybody's: if not, it is replaced by an empty one, and what it held
is lost. If it is, whoever comes later is refused. A file that never was a table is left alone in any case.
"""

from __future__ import annotations

import errno
import mmap
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.stores.shared.filesystem import check_file, check_folder, refused
from doorward.stores.shared.header import MAGIC, PAGE, Header, Unreadable
from doorward.stores.shared.locks import Description, Stripe, fcntl
from doorward.stores.shared.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FOLDER_PATIENCE = 10.0
_PAUSE = 0.002
DEFAULT_SIZE = 32 << 20
"""Bytes of a table whose URL names none."""
_OPEN = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class OpenFile:
    """A table that is in use by this process.

    Attributes:
        table: The table, mapped.
        description: What its locks belong to; keeps the file in use.
        identity: Device and inode.
    """

    table: Table
    description: Description
    identity: tuple[int, int]


def open_table(path: Path, size: int | None, patience: float, folder_patience: float = _FOLDER_PATIENCE) -> OpenFile:
    """Open the table at ``path``; make one where there is none.

    Args:
        path: Where it is.
        size: Bytes. A table of another size that nobody uses is replaced by an empty one; one that is in use stays as
            it is. None takes the size that is there.
        patience: Seconds to wait for a lock of the table.
        folder_patience: Seconds to wait for others who are opening it.

    Raises:
        ConfigurationError: The path cannot be used; says why and what to do.
    """
    check_folder(path)
    try:
        with _folder_locked(path, folder_patience):
            found = _usable(path, size)
            if found is None:
                _make(path, size or DEFAULT_SIZE)
                found = _usable(path, size)
            assert found is not None
            return _mapped(path, *found, patience)
    except OSError as error:
        raise refused(path, f"it cannot be opened: {error.strerror or error}") from None


@contextmanager
def _folder_locked(path: Path, patience: float) -> Iterator[None]:
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        ends = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    raise refused(path, f"another process has held the lock of {path.parent} for too long") from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(folder)


def _usable(path: Path, size: int | None) -> tuple[int, Header] | None:
    """The descriptor and the header of the table at ``path``; None if one has to be made.

    Raises:
        ConfigurationError: What is there is not ours to replace.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return None
    try:
        check_file(path, os.fstat(descriptor))
        header, problem = _header(path, descriptor)
        alone = _is_alone(descriptor)
        if header is not None and not (alone and size and header.size != Header.new(size).size):
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            result, descriptor = (descriptor, header), -1
            return result
        if not alone:
            raise refused(path, f"{problem}, and other processes are using it: end them, or take another path")
        return None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _header(path: Path, descriptor: int) -> tuple[Header | None, str]:
    """The header of a table, or why it cannot be used.

    Raises:
        ConfigurationError: It is no table at all.
    """
    page = os.pread(descriptor, PAGE, 0)
    if not page.startswith(MAGIC):
        raise refused(path, "it is there already and is no table of doorward: move it away, or take another path")
    try:
        header = Header.unpack(page, os.fstat(descriptor).st_size)
    except Unreadable as error:
        return None, str(error)
    if not header.is_of_this_boot():
        return None, "it is of another boot of this machine, or of another machine"
    return header, ""


def _is_alone(descriptor: int) -> bool:
    """Whether no other process uses the file; if so, none can begin to before this descriptor is closed."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _make(path: Path, size: int) -> None:
    """Put an empty table at ``path``."""
    beside = path.with_name(f".{path.name}.new")
    # Left by a process that was killed here: the folder is locked, so nobody is writing it.
    beside.unlink(missing_ok=True)
    header = Header.new(size)
    descriptor = os.open(beside, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # All of it now: a page that the disk has no room for when it is touched ends the process (SIGBUS).
        os.posix_fallocate(descriptor, 0, header.size)
        os.fchmod(descriptor, 0o600)
        os.pwrite(descriptor, header.pack(), 0)
        beside.rename(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise refused(path, f"there is no room for a table of {header.size:,} bytes in {path.parent}") from None
        raise
    finally:
        os.close(descriptor)


def _mapped(path: Path, descriptor: int, header: Header, patience: float) -> OpenFile:
    description = Description(descriptor)
    # Mapped over a description of its own: see the module `locks`.
    mapping = os.open(path, _OPEN)
    try:
        data = mmap.mmap(mapping, header.size)
        status = os.fstat(mapping)
    finally:
        os.close(mapping)
    stripes = [Stripe(description, PAGE * (1 + number), patience) for number in range(header.stripes)]
    return OpenFile(Table(data, header, stripes), description, (status.st_dev, status.st_ino))
