"""Reads the rules of attack detection: the files of ``doorward/attacks/rules``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import doorward.attacks
from doorward.attacks.rulebook import Rulebook
from doorward.errors import DataError

FOLDER = Path(doorward.attacks.__file__).parent / "rules"


def rulebooks(paranoia: int = 1) -> dict[str, Rulebook]:
    """The rulebooks by the names of their files.

    Raises:
        DataError: A file cannot be read, or is not what it should be.
    """
    try:
        return {name: Rulebook(name, data, paranoia) for name, data in contents().items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(FOLDER, f"the rules of attack detection cannot be read: {error}") from error


@cache
def contents() -> dict[str, dict[str, Any]]:
    """What is in the files, by their names without the ending; examples too."""
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
