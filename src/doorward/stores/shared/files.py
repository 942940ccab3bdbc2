"""Opening the file of a table, or making it, while other processes do the same.

Whoever opens or makes a table holds the lock of its folder meanwhile (``flock``: gone with its process). A new table is
written beside its path and renamed onto it, so that what is at the path is always whole.

A process that uses a table holds a shared ``flock`` on it. So it is known whether a table that cannot be used (of
another version, damaged, or of an earlier boot) is anybody's: if not, it is replaced by an empty one, and what it held
is lost. If it is, whoever comes later is refused. A file that never was a table is left alone in any case.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorward.stores.shared.filesystem import check_file, check_folder, refused
from doorward.stores.shared.header import MAGIC, PAGE, Header, Unreadable
from doorward.stores.shared.locks import Description, Stripe
from doorward.stores.shared.mutexes import calls_of, identity, make_mutexes
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
        identity: Device and inode.
    """

    table: Table
    identity: tuple[int, int]


@dataclass(frozen=True)
class Wish:
    """What a URL asks for.

    Attributes:
        size: Bytes; None for what is there.
        file_locks: File locks rather than mutexes.
    """

    size: int | None = None
    file_locks: bool = False

    def header(self) -> Header:
        """Of a table that is as wished."""
        return Header.new(self.size or DEFAULT_SIZE, b"" if self.file_locks else identity())

    def is_met_by(self, header: Header) -> bool:
        """Whether a table is as wished."""
        return (not self.size or self.header().size == header.size) and not (self.file_locks and header.mutexes)


def open_table(path: Path, wish: Wish, patience: float, folder_patience: float = _FOLDER_PATIENCE) -> OpenFile:
    """Open the table at ``path``; make one where there is none.

    Args:
        path: Where it is.
        wish: How to make it. A table that is otherwise is replaced by an empty one if nobody uses it; one that is in
            use stays as it is.
        patience: Seconds to wait for a lock of the table.
        folder_patience: Seconds to wait for others who are opening it.

    Raises:
        ConfigurationError: The path cannot be used; says why and what to do.
    """
    check_folder(path)
    try:
        with _folder_locked(path, folder_patience):
            found = _usable(path, wish)
            if found is None:
                _make(path, wish.header())
                found = _usable(path, wish)
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


def _usable(path: Path, wish: Wish) -> tuple[int, Header] | None:
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
        if header is not None and (not alone or wish.is_met_by(header)):
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
    if header.mutexes not in (b"", identity()):
        return None, "its locks are of another container or another C library, for which all need ?locks=file"
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


def _make(path: Path, header: Header) -> None:
    """Put an empty table at ``path``."""
    beside = path.with_name(f".{path.name}.new")
    # Left by a process that was killed here: the folder is locked, so nobody is writing it.
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # All of it now: a page that the disk has no room for when it is touched ends the process (SIGBUS).
        os.posix_fallocate(descriptor, 0, header.size)
        os.fchmod(descriptor, 0o600)
        if header.mutexes:
            with mmap.mmap(descriptor, header.size) as data:
                make_mutexes(data, header.stripe_pages())
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
    calls = calls_of(data) if header.mutexes else description.file_lock
    stripes = [Stripe(page, calls(page), patience) for page in header.stripe_pages()]
    return OpenFile(Table(data, header, stripes, description), (status.st_dev, status.st_ino))
