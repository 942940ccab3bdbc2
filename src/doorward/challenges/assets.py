"""Style and scripts of the pages, each below ``…/static/`` under a name that changes with its content."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from doorward.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = "static/"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"


class Asset(NamedTuple):
    """One file.

    Attributes:
        name: With the hash of its content: ``page.3f2a….css``.
        kind: Media type.
        content: Its bytes.
    """

    name: str
    kind: str
    content: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """All files, by the name that they have in the package."""
    found = {}
    for file in files("doorward.challenges").joinpath("static").iterdir():
        stem, _, suffix = file.name.rpartition(".")
        if suffix in _TYPES:
            content = file.read_bytes()
            name = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
            found[file.name] = Asset(name, _TYPES[suffix], content)
    return found


@cache
def _by_url() -> Mapping[str, Asset]:
    return {FOLDER + asset.name: asset for asset in assets().values()}


def url_of(name: str, prefix: str) -> str:
    """Where a file is: ``prefix`` is that of the endpoints, with the path that the application is mounted at."""
    return f"{prefix}/{FOLDER}{assets()[name].name}"


def asset_answer(path: str) -> Answer | None:
    """The file at a path below the prefix; None where there is none."""
    asset = _by_url().get(path)
    if asset is None:
        return None
    headers = [("Content-Type", asset.kind), ("Cache-Control", _FOREVER), ("X-Content-Type-Options", "nosniff")]
    return Answer(200, headers, asset.content)
