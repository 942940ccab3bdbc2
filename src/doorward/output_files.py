"""Files that a command is to write: looked at before anything is read, which may take an hour."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doorward.errors import ConfigurationError
from doorward.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_outputs(outputs: Sequence[str], inputs: Sequence[str | None]) -> None:
    """See that outputs can be written, and that none takes the place of another or of what is read.

    Args:
        outputs: Their names.
        inputs: What is read: files, and names of other things.

    Raises:
        ConfigurationError: One cannot be what it is to be.
    """
    taken = {_same(name): name for name in inputs if name and name != "-"}
    written: set[object] = set()
    for output in outputs:
        path, shown = Path(output), printable(output)
        if not path.parent.is_dir():
            raise ConfigurationError("-o", f"there is no folder {printable(str(path.parent))!r} to write to")
        if path.is_dir():
            raise ConfigurationError("-o", f"{shown} cannot be written: it is a folder")
        same = _same(output)
        if same in taken:
            raise ConfigurationError("-o", f"{shown} would overwrite {printable(taken[same])}, which is read")
        if same in written:
            raise ConfigurationError("-o", f"{shown} is given twice")
        written.add(same)


def check_once(files: Sequence[str], field: str) -> None:
    """See that no file is read twice, whose requests would count twice.

    Raises:
        ConfigurationError: One is there again, perhaps by another name.
    """
    seen: dict[object, str] = {}
    for file in files:
        same = _same(file) if Path(file).is_file() else None
        if same is not None and seen.setdefault(same, file) is not file:
            also = "" if seen[same] == file else f", also as {printable(seen[same])}"
            raise ConfigurationError(field, f"{printable(file)} is given twice{also}: its requests would count twice")


def _same(name: str) -> object:
    """What is equal for names of one file, be it there or not."""
    try:
        found = Path(name).stat()
    except (OSError, ValueError):
        return Path(name).absolute()
    return found.st_dev, found.st_ino
