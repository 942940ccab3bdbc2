"""Where a service keeps its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("DOORWARD_SERVICE_FOLDER", "DOORWARD_FOLDER")
"""The first is what ``doorward serve`` goes by; all commands are to find the folder of a service that goes by it."""
DEFAULT = "doorward-service"
KEYS = "keys.sqlite"
LOG = "decisions.sqlite"


def service_folder(given: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Path:
    """The folder that is named, else that of the environment, else ``doorward-service`` where one stands."""
    environ = os.environ if environ is None else environ
    return Path(given or next(filter(None, map(environ.get, VARIABLES)), DEFAULT))


__all__ = ["KEYS", "LOG", "VARIABLES", "service_folder"]
