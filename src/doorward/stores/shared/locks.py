"""The locks of a table: one for each stripe, between threads and between processes, never waited for without end.

Between processes they are robust mutexes in the table (:mod:`doorward.stores.shared.mutexes`), or, for a table made
with ``locks=file``, open-file-description locks on single bytes of the file (Linux, ``fcntl(2)``):

- The kernel drops them when a process ends, however it ends.
- Unlike POSIX record locks, they do not fall when some other descriptor of the file is closed in the process.
- They belong to the open file description, which a forked child shares. So a child opens the file anew, at once, and
  closes what it inherited: were it to stay open, the lock of a parent that is killed would stay too. The map has a
  description of its own for the same reason, since ``mmap`` keeps a duplicate of its descriptor.

Within a process each lock has a thread lock in front, so that threads wait for each other and do not try in turns.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
import weakref
from struct import Struct
from typing import TYPE_CHECKING, TypeVar

from doorward.errors import StoreError
from doorward.stores.shared.mutexes import Calls

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

_FLOCK = Struct("hhqqi4x")  # struct flock of 64-bit Linux
_YIELDS = 50
_BURST = 20
_LEAST_TRIES = 2_000
_PAUSE = 50e-6
_STUCK_FOR = 1.0


class Description:
    """An open file description, which only this process has. Threads and forks may use it as they like.

    Args:
        descriptor: Opened for reading and writing. Closed with this object.
    """

    def __init__(self, descriptor: int) -> None:
        self.fd = descriptor
        _descriptions.add(self)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if self.fd >= 0:
            close(self.fd)

    def renew(self) -> None:
        """In a forked child: have a description of its own."""
        inherited, self.fd = self.fd, -1
        # By the descriptor, not by the path: the file may have been unlinked, and what is there now be another. Now
        # rather than when it is used, since servers give up their privileges after the fork.
        try:
            self.fd = os.open(f"/proc/self/fd/{inherited}", os.O_RDWR | os.O_CLOEXEC)
            fcntl.flock(self.fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pass  # whoever needs it is told: see Stripe.wait
        finally:
            os.close(inherited)

    def file_lock(self, at: int) -> Calls:
        """The calls that lock the byte at ``at``."""

        def call(flock: bytes) -> int:
            try:
                fcntl.fcntl(self.fd, fcntl.F_OFD_SETLK, flock)
            except (OSError, ValueError) as error:  # a child that could not open the file has no descriptor
                number = getattr(error, "errno", None) or errno.EBADF
                return errno.EBUSY if number in (errno.EAGAIN, errno.EACCES) else number
            return 0

        take, give = (_FLOCK.pack(kind, os.SEEK_SET, at, 1, 0) for kind in (fcntl.F_WRLCK, fcntl.F_UNLCK))
        return Calls(lambda: call(take), lambda: call(give), lambda: 0)


class Stripe:
    """One lock. ``with stripe.mutex``, then ``claim``, and ``give`` whatever happened: it is harmless unclaimed.

    Args:
        at: Where the stripe's page is.
        calls: Of its lock between processes.
        patience: Seconds to wait for a process that holds it.
    """

    __slots__ = ("__weakref__", "_mend", "_patience", "_stuck_until", "at", "give", "mutex", "take")

    def __init__(self, at: int, calls: Calls, patience: float) -> None:
        self.at = at
        self.mutex = threading.Lock()
        self.take, self.give, self._mend = calls
        self._patience = patience
        self._stuck_until = 0.0
        _stripes.add(self)

    def claim(self) -> None:
        """Lock it against other processes.

        Raises:
            StoreError: Another process holds on to it.
        """
        problem = self.take()
        if problem:
            self.wait(problem)

    def wait(self, problem: int) -> None:
        """Lock it after a first try has answered ``problem``.

        A holder is a few microseconds from done, unless it has been stopped or starved. Then one caller in a second
        waits as long as it has patience; the others are told at once.

        Raises:
            StoreError: It could not be had.
        """
        start = time.monotonic()
        tries = 0
        while problem:
            # Its holder was killed; or an exception of a signal handler has kept this very thread from giving it back.
            if (problem == errno.EOWNERDEAD and not self._mend()) or problem == errno.EDEADLK:
                return
            if problem != errno.EBUSY:
                raise StoreError(f"the shared table cannot be locked: {os.strerror(problem)}")
            self._pause(start, tries)
            tries += 1
            problem = self.take()

    def _pause(self, start: float, tries: int) -> None:
        if start < self._stuck_until:
            raise _held(self._patience)
        # Many tries on end between the pauses: where others come and go, the lock is free for a moment at a time. And
        # time alone does not end it: on a busy machine this process may hardly have run.
        if tries < _YIELDS or tries % _BURST:
            os.sched_yield()
        elif tries < _LEAST_TRIES or time.monotonic() < start + self._patience:
            time.sleep(_PAUSE)
        else:
            self._stuck_until = time.monotonic() + _STUCK_FOR
            raise _held(self._patience)


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
    return StoreError(
        f"a lock of the shared table was not free within {patience:g} s: its holder is stopped or starved"
    )


def while_locked(stripes: Sequence[Stripe], work: Callable[[], T]) -> T:
    """Do ``work`` with all ``stripes`` locked; they must be in the order of the file, or two callers could meet."""
    if not stripes:
        return work()
    stripe = stripes[0]
    # `with` on the thread lock itself: no exception that a signal handler raises can come between lock and unlock.
    with stripe.mutex:
        try:
            stripe.claim()
            return while_locked(stripes[1:], work)
        finally:
            stripe.give()
