"""Robust mutexes of the C library in shared memory: what LMDB locks with too, and six times as fast as file locks.

A ``pthread_mutex_t`` that is shared between processes and robust (POSIX.1-2008) is taken and given back without the
kernel. When its holder ends, however it ends, the kernel marks it, and whoever takes it next is told. It names its
holder by a thread id, and its layout is the C library's own: so all who share a table must have the same library and
the same process ids (:func:`identity`). Where containers share one, it is made with file locks instead.

Only ``trylock`` is used: nobody ever sleeps in the library, with or without Python's global lock.
"""

from __future__ import annotations

import os
import platform
import sys
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from mmap import mmap

MUTEX_AT = 2048
"""Where in a stripe's page its mutex is; it has 40 bytes on 64-bit Linux, and more than ten times as many to grow."""

_PROCESS_SHARED, _ROBUST, _ERROR_CHECK = 1, 1, 2  # of <pthread.h>, both of glibc and of musl
_NAMESPACE = Path("/proc/self/ns/pid")
_NEEDED = ("init", "trylock", "unlock", "consistent")


class Calls(NamedTuple):
    """What a stripe does with its mutex. Each answers 0 or an error number."""

    take: Callable[[], int]
    give: Callable[[], int]
    mend: Callable[[], int]


def identity() -> bytes:
    """What two processes must have in common to share mutexes; empty where there are none to share."""
    try:
        import ctypes

        library = ctypes.PyDLL(None)
        if not all(hasattr(library, f"pthread_mutex_{name}") for name in _NEEDED):
            return b""
        namespace = _NAMESPACE.stat().st_ino
    except (ImportError, OSError, AttributeError):
        return b""
    common = f"{_library_version()} {platform.machine()} {sys.maxsize} {namespace}"
    return blake2b(common.encode(), digest_size=16).digest()


def _library_version() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):  # musl, whose layout has not changed
        return "".join(platform.libc_ver()) or "musl"


def make_mutexes(data: mmap, pages: Iterable[int]) -> None:
    """Write a free mutex into each of the pages of a new table."""
    import ctypes

    library = ctypes.PyDLL(None)
    attributes = ctypes.create_string_buffer(64)
    anchor = ctypes.c_char.from_buffer(data)
    failed = library.pthread_mutexattr_init(attributes)
    failed |= library.pthread_mutexattr_setpshared(attributes, _PROCESS_SHARED)
    failed |= library.pthread_mutexattr_setrobust(attributes, _ROBUST)
    failed |= library.pthread_mutexattr_settype(attributes, _ERROR_CHECK)
    for page in pages:
        failed |= library.pthread_mutex_init(ctypes.c_void_p(ctypes.addressof(anchor) + page + MUTEX_AT), attributes)
    library.pthread_mutexattr_destroy(attributes)
    if failed:
        raise OSError(failed, "the C library makes no robust mutexes")


def calls_of(data: mmap) -> Callable[[int], Calls]:
    """For the page of a stripe, the calls of its mutex. They keep the map alive."""
    import ctypes

    library = ctypes.PyDLL(None)  # not CDLL: the calls never wait, so they need not let other threads run
    mutex_type = ctypes.c_char * 64

    def calls(page: int) -> Calls:
        mutex = mutex_type.from_buffer(data, page + MUTEX_AT)  # keeps the map from being closed
        functions = (getattr(library, f"pthread_mutex_{name}") for name in _NEEDED[1:])
        return Calls(*(partial(function, mutex) for function in functions))

    return calls
