"""Compiles the data before a wheel is made: for users, for editable installs, and from the source distribution."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path("src", "doorward", "intelligence", "data")


class DataBuildHook(BuildHookInterface[Any]):
    """What hatchling runs; see ``tool.hatch.build.targets.wheel.hooks.custom`` in pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile everything; whatever goes wrong ends the build."""
        with _importable(self.root):
            from data_build.everything import compile_all

            compile_all(Path(self.root) / DATA)


@contextmanager
def _importable(root: str) -> Iterator[None]:
    """This tree's own ``data_build`` and ``doorward`` come before any that may be installed."""
    paths = [root, str(Path(root, "src"))]
    sys.path[:0] = paths
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
