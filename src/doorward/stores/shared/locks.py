"""The locks of a table: one for each stripe, between threads and between processes, never waited for without end.

Between processes they are open-file-description locks on single bytes of the file (Linux, ``fcntl(2)``):

- The kernel drops them when a process ends, however it ends.
- Unlike POSIX record locks, they do not fall when some other descriptor of the file is closed in the process.
- They belong to the open file description, which a forked child shares. So a child opens the file anew, at once, and
  closes what it inherited: were it to stay open, the lock of a parent that is killed would stay too. The map has a
  description of its own for the same reason, since ``mmap`` keeps a duplicate of its descriptor.

Within a process all threads share the description, so that each lock has a thread lock in front.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import weakref
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, TypeVar

from doorward.errors import StoreError

try:
    import fcntl
except ImportError:  # no POSIX
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

SET_LOCK: int = getattr(fcntl, "F_OFD_SETLK", 0)
"""The command that takes such a lock or gives it back, without waiting; 0 where the platform has none."""

_FLOCK = Struct("hhqqi4x")  # struct flock of 64-bit Linux
_YIELDS = 50
_PAUSE = 50e-6
_STUCK_FOR = 1.0
_HELD_BY_ANOTHER = (errno.EAGAIN, errno.EACCES)


class Description:
    """An open file description, which only this process has. Threads and forks may use it as they like.

    Args:
        descriptor: Opened for reading and writing. Closed with this object.
    """

    def __init__(self, descriptor: int) -> None:
        self.fd = descriptor
        _descriptions.add(self)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)

    def renew(self) -> None:
        """In a forked child: have a description of its own."""
        inherited, self.fd = self.fd, -1
        # By the descriptor, not by the path: the file may have been unlinked, and what is there now be another. Now
        # rather than when it is used, since servers give up their privileges after the fork.
        try:
            self.fd = os.open(f"/proc/self/fd/{inherited}", os.O_RDWR | os.O_CLOEXEC)
            fcntl.flock(self.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass  # whoever uses it is told: see Stripe.wait
        finally:
            os.close(inherited)


class Stripe:
    """One lock. ``with stripe.mutex``, then ``claim``, and ``give_back`` whatever happened: it is harmless unclaimed.

    Args:
        description: What it locks.
        at: Where the stripe's page is: the byte that is locked.
        patience: Seconds to wait for a process that holds it.
    """

    __slots__ = ("__weakref__", "_patience", "_stuck_until", "at", "description", "mutex", "take", "yield_")

    def __init__(self, description: Description, at: int, patience: float) -> None:
        self.description = description
        self.at = at
        self.mutex = threading.Lock()
        assert fcntl is not None
        self.take = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, at, 1, 0)
        self.yield_ = _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, at, 1, 0)
        self._patience = patience
        self._stuck_until = 0.0
        _stripes.add(self)

    def claim(self) -> None:
        """Lock it against other processes.

        Raises:
            StoreError: Another process holds on to it.
        """
        try:
            fcntl.fcntl(self.description.fd, SET_LOCK, self.take)
        except (OSError, ValueError) as error:
            self.wait(error)

    def give_back(self) -> None:
        """Unlock it."""
        with suppress(OSError, ValueError):  # a child that could not open the file has no descriptor
            fcntl.fcntl(self.description.fd, SET_LOCK, self.yield_)

    def wait(self, error: OSError | ValueError) -> None:
        """Lock it after a first try failed with ``error``.

        A holder is a few microseconds from done, unless it has been stopped or starved. Then one caller in a second
        waits as long as it has patience; the others are told at once.

        Raises:
            StoreError: It could not be had.
        """
        if time.monotonic() < self._stuck_until:
            raise _held(self._patience)
        ends = time.monotonic() + self._patience
        tries = 0
        while isinstance(error, OSError) and error.errno in _HELD_BY_ANOTHER:
            if tries < _YIELDS:
                os.sched_yield()
            elif time.monotonic() < ends:
                time.sleep(_PAUSE)
            else:
                self._stuck_until = time.monotonic() + _STUCK_FOR
                raise _held(self._patience)
            tries += 1
            try:
                fcntl.fcntl(self.description.fd, SET_LOCK, self.take)
            except OSError as again:
                error = again
            else:
                return
        raise StoreError(f"the shared table cannot be locked: {error}")


_descriptions: weakref.WeakSet[Description] = weakref.WeakSet()
_stripes: weakref.WeakSet[Stripe] = weakref.WeakSet()


def _after_fork() -> None:
    for description in list(_descriptions):
        description.renew()
    for stripe in list(_stripes):
        stripe.mutex = threading.Lock()  # another thread may have held it, which is not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _held(patience: float) -> StoreError:
    return StoreError(f"a lock of the shared table was not free within {patience:g} s: its holder is stopped or starved")


def while_locked(stripes: Sequence[Stripe], work: Callable[[], T]) -> T:
    """Do ``work`` while all ``stripes`` are locked; they must be in the order of the file, or two callers could meet."""
    if not stripes:
        return work()
    stripe = stripes[0]
    # `with` on the thread lock itself: no exception that a signal handler raises can come between lock and unlock.
    with stripe.mutex:
        try:
            stripe.claim()
            return while_locked(stripes[1:], work)
        finally:
            stripe.give_back()
