"""The manifest of the user's data folder: what each feed gave and when, and the digests of the compiled files.

It is written last, so that whoever looks at it only (its inode and time of change) sees a new generation of the data
when all of it is there.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from doorward.intelligence import container

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "manifest.json"
VERSION = 1

_Record = TypeVar("_Record", bound="FeedRecord | FileRecord")


class FeedRecord(NamedTuple):
    """What is known about a feed since it was last accepted.

    Attributes:
        url: Where it came from.
        licence: On what terms, as shown when it was first downloaded.
        result: Of the last attempt: ``accepted``, ``unchanged``, ``refused`` or ``failed``.
        problem: Why, of the last two.
        tried: ISO 8601 time of the last attempt.
        date: ISO 8601 time at which the copy that is kept was downloaded, or confirmed as current; empty if none is.
        sha256: Of that copy.
        size: Its bytes.
        etag: What the server called it.
        modified: When the server says that it changed.
        entries: Networks or domains.
        v4: IPv4 addresses that they cover.
        v6: IPv6 networks among them.
        bad: Lines that could not be read.
    """

    url: str = ""
    licence: str = ""
    result: str = ""
    problem: str = ""
    tried: str = ""
    date: str = ""
    sha256: str = ""
    size: int = 0
    etag: str = ""
    modified: str = ""
    entries: int = 0
    v4: int = 0
    v6: int = 0
    bad: int = 0


class FileRecord(NamedTuple):
    """A compiled file.

    Attributes:
        sha256: Of all of it.
        size: Its bytes.
        feeds: What it was made from, by id, and the digests of the copies.
        made_by: The version of doorward.
    """

    sha256: str = ""
    size: int = 0
    feeds: Mapping[str, str] = {}
    made_by: str = ""


class Manifest(NamedTuple):
    """All of it.

    Attributes:
        feeds: By id.
        files: By name.
        damaged: Why it could not be read; empty when it could, or when there is none.
    """

    feeds: dict[str, FeedRecord]
    files: dict[str, FileRecord]
    damaged: str = ""


def load(folder: Path) -> Manifest:
    """Read a folder's manifest; empty when there is none, or when it is damaged."""
    path = folder / NAME
    try:
        found = json.loads(path.read_bytes())
        version = found["version"]
        feeds = {str(name): _record(FeedRecord, value) for name, value in found["feeds"].items()}
        files = {str(name): _record(FileRecord, value) for name, value in found["files"].items()}
    except FileNotFoundError:
        return Manifest({}, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return Manifest({}, {}, damaged=f"{path}: cannot be read ({error})")
    if version != VERSION:
        return Manifest({}, {}, damaged=f"{path}: has version {version!r}, and this doorward reads {VERSION}")
    return Manifest(feeds, files)


def save(folder: Path, manifest: Manifest) -> None:
    """Write a folder's manifest in one step.

    Raises:
        OSError: It cannot be written.
    """
    content = {
        "version": VERSION,
        "feeds": {name: record._asdict() for name, record in sorted(manifest.feeds.items())},
        "files": {name: record._asdict() for name, record in sorted(manifest.files.items())},
    }
    container.replace(folder / NAME, json.dumps(content, indent=1).encode())


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def verified(folder: Path, name: str, record: FileRecord) -> bool:
    """Whether a file is there and is what the manifest says."""
    try:
        return digest((folder / name).read_bytes()) == record.sha256
    except OSError:
        return False


def _record(made: type[_Record], value: dict[str, Any]) -> _Record:
    """A record of the right types; members that it does not know are left out, missing ones keep their defaults."""
    defaults = made._field_defaults
    known = {name: found for name, found in value.items() if name in defaults}
    for name, found in known.items():
        if not isinstance(found, type(defaults[name])) or isinstance(found, bool):
            raise TypeError(f"{name} is {found!r}")
    return made(**known)
