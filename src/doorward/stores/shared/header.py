"""The first page of a table: what the file is, who may use it, and how to read the rest."""

from __future__ import annotations

import os
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from uuid import UUID

MAGIC = b"doorward-table\0\n"
VERSION = 1
PAGE = 4096
"""Bytes of the header, of a stripe's page, and of a bucket."""

BANS_UNTIL = 256
"""Where in the first page the latest end of any ban is: before it, somebody may be banned; after it nobody is."""

_FIELDS = Struct("=16sIQII16s16sqq16s")
_VERSION_FIELD = _CHECKSUM = Struct("=I")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MOST_STRIPES = 256
_PAGES_PER_STRIPE = 32


class Unreadable(Exception):
    """A file is no table that this version can use; the message says why."""


@dataclass(frozen=True)
class Header:
    """What never changes in the life of a table.

    Attributes:
        size: Bytes of the file.
        stripes: How many locks the table has.
        buckets: Buckets of each stripe.
        hash_key: Random, so that nobody can choose keys that meet in one bucket.
        boot: The boot of the machine that the table was made in; counters do not outlive it.
        offset: Nanoseconds from the monotonic clock to the wall clock when the table was made. Every process uses
            this one, so that all agree on the time whenever they started and whatever becomes of the wall clock.
        made: The monotonic clock then.
        mutexes: What those who lock with its mutexes must have in common; empty where it has none.
    """

    size: int
    stripes: int
    buckets: int
    hash_key: bytes
    boot: bytes
    offset: int
    made: int
    mutexes: bytes = b""

    @classmethod
    def new(cls, size: int, mutexes: bytes = b"") -> Header:
        """The header of a table of about ``size`` bytes, never more."""
        pages = size // PAGE - 1
        stripes = 1 << min(_MOST_STRIPES, max(1, pages // _PAGES_PER_STRIPE)).bit_length() - 1
        buckets = max(1, (pages - stripes) // stripes)
        monotonic = time.monotonic_ns()
        return cls(
            PAGE * (1 + stripes + stripes * buckets), stripes, buckets, os.urandom(16), boot_id(),
            time.time_ns() - monotonic, monotonic, mutexes,
        )  # fmt: skip

    def stripe_pages(self) -> range:
        """Where the pages of the stripes begin."""
        return range(PAGE, PAGE * (1 + self.stripes), PAGE)

    def pack(self) -> bytes:
        """The bytes that a table begins with."""
        fields = _FIELDS.pack(
            MAGIC, VERSION, self.size, self.stripes, self.buckets, self.hash_key, self.boot, self.offset, self.made,
            self.mutexes,
        )  # fmt: skip
        return fields + _CHECKSUM.pack(zlib.crc32(fields))

    @classmethod
    def unpack(cls, page: bytes, size: int) -> Header:
        """Read the header of a file of ``size`` bytes.

        Raises:
            Unreadable: It is damaged, of another version, or the file has another size.
        """
        if len(page) < _FIELDS.size + _CHECKSUM.size:
            raise Unreadable("it ends before its header does")
        version = _VERSION_FIELD.unpack_from(page, len(MAGIC))[0]
        if version != VERSION:
            raise Unreadable(f"its format is version {version}, this doorward reads version {VERSION}")
        if _CHECKSUM.unpack_from(page, _FIELDS.size)[0] != zlib.crc32(page[: _FIELDS.size]):
            raise Unreadable("its header is damaged")
        _, _, total, stripes, buckets, hash_key, boot, offset, made, mutexes = _FIELDS.unpack_from(page)
        mutexes = mutexes if any(mutexes) else b""
        header = cls(total, stripes, buckets, hash_key, boot, offset, made, mutexes)
        if header.size != size:
            raise Unreadable(f"it has {size:,} bytes and should have {header.size:,}")
        return header

    def is_of_this_boot(self) -> bool:
        """Whether the machine has not been started anew since."""
        return self.boot == boot_id() and self.made <= time.monotonic_ns()


def boot_id() -> bytes:
    """What tells one boot of the machine from another; zeros where the system does not say."""
    try:
        return UUID(_BOOT_ID.read_text(encoding="ascii").strip()).bytes
    except (OSError, ValueError):
        return bytes(16)
