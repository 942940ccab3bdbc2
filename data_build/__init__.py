"""What compiles the data in the wheel: our own registry, and packages that are needed to build and not to run."""

from __future__ import annotations

import os
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
REGISTRY = ROOT / "registry"


def made() -> str:
    """The date of this build, ISO 8601: that of ``SOURCE_DATE_EPOCH`` where it is set, so that builds can be repeated.

    See https://reproducible-builds.org/specs/source-date-epoch/.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.date().isoformat()


def registry(name: str) -> dict[str, Any]:
    """One of our own files.

    Raises:
        ValueError: It is no TOML; the message names the file.
    """
    path = REGISTRY / name
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from error
