"""Where a service keeps its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "DOORWARD_FOLDER"
DEFAULT = "doorward-service"
KEYS = "keys.sqlite"
LOG = "decisions.sqlite"


def service_folder(given: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The folder that is named, else that of ``DOORWARD_FOLDER``, else ``doorward-service`` where one stands."""
    named = given or (os.environ if environ is None else environ).get(VARIABLE)
    return Path(named or DEFAULT)


__all__ = ["KEYS", "LOG", "VARIABLE", "service_folder"]
