"""The few files that pages load: read once, named after what is in them, and kept by browsers for good."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("static")
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Asset(NamedTuple):
    """A file as it is sent."""

    kind: str
    content: bytes


class Assets:
    """All files of the folder, by the name that has the hash of their content: ``doorward.1f3a….css``."""

    def __init__(self) -> None:
        self.urls: dict[str, str] = {}
        self._by_name: dict[str, Asset] = {}
        for path in sorted(FOLDER.iterdir()):
            if kind := _KINDS.get(path.suffix):
                self._add(path, kind)

    def _add(self, path: Path, kind: str) -> None:
        content = path.read_bytes()
        name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:16]}{path.suffix}"
        self.urls[path.name] = f"/assets/{name}"
        self._by_name[name] = Asset(kind, content)

    def find(self, name: str) -> Asset | None:
        """The file with such a name. Names are looked up, never joined to a path."""
        return self._by_name.get(name)
