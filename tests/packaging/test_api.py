"""The public names: complete, sorted, documented."""

from __future__ import annotations
import __future__

import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import doorward

ROOT = Path(__file__).parents[2]


def public_names() -> list[str]:
    """What the package holds and what it imports when asked, but for modules and what is there for its own sake."""
    unlisted = (__future__._Feature, ModuleType)
    here = [
        name for name, value in vars(doorward).items() if not name.startswith("_") and not isinstance(value, unlisted)
    ]
    return sorted({*here, *doorward._LATER} - {"TYPE_CHECKING"})


def test_all_lists_the_public_names_in_order() -> None:
    """``doorward.__all__`` has every public name, sorted, and no other."""
    assert public_names()
    assert doorward.__all__ == sorted({*public_names(), *(name for name in doorward.__all__ if name == "__version__")})


def test_every_public_name_is_documented() -> None:
    """Each public function and class, and each public method of a class, has a docstring of its own."""
    bare = [name for name in public_names() if _lacks_docstring(getattr(doorward, name))]
    assert bare == []


def _lacks_docstring(value: object) -> bool:
    if not callable(value):
        return False
    members = vars(value).items() if inspect.isclass(value) else ()
    methods = [member for name, member in members if inspect.isfunction(member) and not name.startswith("_")]
    return any(not inspect.getdoc(item) for item in (value, *methods))


def test_the_list_of_the_api_is_up_to_date() -> None:
    """tests/packaging/api.txt says what the code says, so that each change to the API shows in review."""
    done = subprocess.run(
        [sys.executable, "tools/api_list.py", "--check"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
