"""All data that is compiled into the wheel; also ``python -m data_build.everything FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from data_build.bots import compile_bots
from data_build.domains import compile_domains
from data_build.notices import write_notices
from data_build.ranges import compile_ranges


def compile_all(target: Path) -> None:
    """Write all data files into a folder, which is made if there is none.

    Raises:
        Exception: Whatever is wrong with a registry file, a data package or the folder.
    """
    target.mkdir(parents=True, exist_ok=True)
    compile_bots(target)
    compile_domains(target)
    compile_ranges(target)
    write_notices(target)


if __name__ == "__main__":
    compile_all(Path(sys.argv[1]))
