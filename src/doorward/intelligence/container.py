"""The container of all compiled data files: a header that says what is inside and where it came from, then sections.

::

    8 bytes   b"doorward"
    4 bytes   version of this layout, little endian
    4 bytes   length of the header
    header    JSON in UTF-8: kind, format, meta, and for each section its offset and length
    sections  each on an 8-byte border, so that they can be read in place as arrays
    32 bytes  SHA-256 of everything before, checked by ``verify`` only: reading all of a file would make opening slow

Large files are mapped, not read: what is looked at is loaded, and processes share it. They are replaced whole, by
renaming.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from doorward.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAGIC = b"doorward"
LAYOUT = 1
_PREFIX = len(MAGIC) + 8
_DIGEST = 32
_LARGEST_HEADER = 2**20
SMALL = 2**20
"""Bytes up to which a file is read whole. All that come with doorward are."""


class Source(NamedTuple):
    """Where data came from.

    Attributes:
        name: Of the package, the registry or the feed.
        version: Its version; empty where it has none.
        licence: SPDX expression, or the operator's terms in a few words.
        date: ISO 8601 date of the data: of its publication where that is known, else of its download.
        url: Where it is published.
        entries: How many it gave.
    """

    name: str
    version: str
    licence: str
    date: str
    url: str = ""
    entries: int = 0


class Meta(NamedTuple):
    """What a file says about itself.

    Attributes:
        made: ISO 8601 date on which it was compiled.
        sources: Where its data came from.
        knows: What it is complete for, so that absence means no: kinds of addresses, of domains …
    """

    made: str
    sources: Sequence[Source]
    knows: Sequence[str] = ()


class DataFile:
    """An open file.

    Attributes:
        path: Where it is.
        meta: What it says about itself.
    """

    def __init__(self, path: Path, meta: Meta, sections: Mapping[str, memoryview]) -> None:
        self.path = path
        self.meta = meta
        self._sections = sections

    def section(self, name: str) -> memoryview:
        """One section, in place.

        Raises:
            DataError: There is none of this name.
        """
        try:
            return self._sections[name]
        except KeyError:
            raise DataError(self.path, f"has no section {name!r}; {_remedy(self.path)}") from None


def write(path: Path, kind: str, version: int, meta: Meta, sections: Mapping[str, bytes]) -> None:
    """Write a file next to ``path`` and rename it into place, so that no reader ever sees half of it.

    Args:
        path: Where to.
        kind: What is inside, such as ``"ranges"``.
        version: Of the layout of the sections.
        meta: Where it came from.
        sections: By name.

    Raises:
        OSError: It cannot be written.
    """
    places: dict[str, tuple[int, int]] = {}
    offset = 0
    for name, data in sections.items():
        places[name] = (offset, len(data))
        offset += _padded(len(data))
    header = json.dumps(
        {"kind": kind, "version": version, "meta": _meta_json(meta), "sections": places}, separators=(",", ":")
    ).encode()
    header += b" " * (_padded(_PREFIX + len(header)) - _PREFIX - len(header))
    start = MAGIC + LAYOUT.to_bytes(4, "little") + len(header).to_bytes(4, "little") + header
    content = b"".join([start, *(data.ljust(_padded(len(data)), b"\0") for data in sections.values())])
    replace(path, content + hashlib.sha256(content).digest())


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step.

    Raises:
        OSError: It cannot be written.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # noqa: PTH101  (a name from mkstemp); the workers that read it may run as somebody else
        os.replace(name, path)  # noqa: PTH105  (the same)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_file(path: Path, kind: str, version: int) -> DataFile:
    """Open a file that :func:`write` has made.

    Raises:
        DataError: It is missing, damaged, of another kind or of another version.
    """
    try:
        with path.open("rb") as file:
            content = _content(file)
    except OSError as error:
        raise DataError(path, f"cannot be opened ({error.strerror or error}); {_remedy(path)}") from error
    except ValueError as error:  # what mmap says of empty files
        raise DataError(path, f"is empty; {_remedy(path)}") from error
    view = memoryview(content)
    header, start = _header(path, view)
    if (header.get("kind"), header.get("version")) != (kind, version):
        found = f"{header.get('kind')!r} version {header.get('version')!r}"
        raise DataError(path, f"holds {found}, and this doorward reads {kind!r} version {version}; {_remedy(path)}")
    try:
        sections = {
            name: _section(view, start + offset, length) for name, (offset, length) in header["sections"].items()
        }
        return DataFile(path, _meta(header["meta"]), sections)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(path, f"is damaged ({error!r}); {_remedy(path)}") from error


def _content(file: BinaryIO) -> bytes | mmap.mmap:
    """What is in a file, mapped where it is large.

    A mapped file must be replaced, never cut or written over: looking at what is gone ends the process (SIGBUS).
    """
    if 0 < os.fstat(file.fileno()).st_size <= SMALL:
        return file.read()
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def verify(path: Path) -> None:
    """Read all of a file and compare its digest.

    Raises:
        DataError: It differs, or the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror or error}); {_remedy(path)}") from error
    if hashlib.sha256(content[:-_DIGEST]).digest() != content[-_DIGEST:]:
        raise DataError(path, f"is damaged: its digest does not match; {_remedy(path)}")


def _remedy(path: Path) -> str:
    """What brings a good file: depends on who wrote the bad one."""
    from doorward.intelligence.library import MANIFEST, user_folder, wheel_folder  # which need this module

    if path.parent == wheel_folder():
        return "install doorward again"
    if path.parent == user_folder() or os.path.exists(path.parent / MANIFEST):  # noqa: PTH110  (never raises)
        return "run: doorward data update"
    return "run: doorward data update, or install doorward again"


def _header(path: Path, view: memoryview) -> tuple[dict[str, Any], int]:
    if bytes(view[: len(MAGIC)]) != MAGIC:
        raise DataError(path, f"is no data file of doorward; {_remedy(path)}")
    layout = int.from_bytes(view[len(MAGIC) : len(MAGIC) + 4], "little")
    if layout != LAYOUT:
        raise DataError(path, f"has layout {layout}, and this doorward reads {LAYOUT}; {_remedy(path)}")
    length = int.from_bytes(view[len(MAGIC) + 4 : _PREFIX], "little")
    end = _PREFIX + length
    if length > _LARGEST_HEADER or end + _DIGEST > len(view):
        raise DataError(path, f"is truncated; {_remedy(path)}")
    try:
        header = json.loads(bytes(view[_PREFIX:end]))
    except (ValueError, RecursionError) as error:
        raise DataError(path, f"is damaged ({error}); {_remedy(path)}") from error
    if not isinstance(header, dict):
        raise DataError(path, f"is damaged: its header is no object; {_remedy(path)}")
    return header, end


def _section(view: memoryview, start: int, length: int) -> memoryview:
    if start < 0 or length < 0 or start + length > len(view) - _DIGEST:
        raise ValueError("a section ends past the end of the file")
    return view[start : start + length]


def _padded(length: int) -> int:
    return -(-length // 8) * 8


def _meta_json(meta: Meta) -> dict[str, object]:
    return {"made": meta.made, "sources": [source._asdict() for source in meta.sources], "knows": list(meta.knows)}


def _meta(found: Mapping[str, Any]) -> Meta:
    sources: Iterable[Mapping[str, Any]] = found["sources"]
    return Meta(str(found["made"]), tuple(_source(source) for source in sources), tuple(map(str, found["knows"])))


def _source(found: Mapping[str, Any]) -> Source:
    entries = int(found.get("entries", 0))
    return Source(**{**{name: str(value) for name, value in found.items()}, "entries": entries})  # type: ignore[arg-type]
