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


_ALGORITHMS = {"f": "fixed_window", "t": "token_bucket", "s": "sliding_window", "b": "banned"}


@cache
def script(name: str, algorithms: str = "") -> Script:
    """The script in ``lua/NAME.lua``, with the algorithms whose letters are given.

    Only those, because a server runs through all of a script each time that it is called.
    """
    folder = files("doorward.stores.redis") / "lua"
    parts = ["common", *[_ALGORITHMS[letter] for letter in algorithms], name]
    source = b"\n".join([(folder / f"{part}.lua").read_bytes() for part in parts])
    return Script(source, hashlib.sha1(source, usedforsecurity=False).hexdigest().encode())
