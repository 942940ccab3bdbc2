"""The Lua scripts of this folder, each with what it shares with the others in front of it."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Script(NamedTuple):
    """A script: its source, and the hash by which a server that has seen it knows it."""

    source: bytes
    sha: bytes


@cache
def script(name: str) -> Script:
    """The script in ``lua/NAME.lua``."""
    folder = files(__package__) / "lua"
    source = (folder / "algorithms.lua").read_bytes() + (folder / f"{name}.lua").read_bytes()
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
